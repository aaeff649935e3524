//! What the list of flaws cites is there: files, and tests by their names.
//!
//! A citation is a text in backticks: a path with a slash and an extension, below `datahub/` or from the
//! root; or a name of several words, which some test or function must have. So do the files that a
//! module's header says check it.

use crate::finding::Finding;
use crate::source::Source;
use crate::tree::Tree;
use std::collections::BTreeSet;

const DOCUMENT: &str = "datahub/FLAWS.md";
const EXTENSIONS: [&str; 5] = [".rs", ".c", ".md", ".toml", ".patch"];
/// A shorter name is a word of the protocol, not a test.
const WORDS_LEAST: usize = 4;

/// Finds citations of what is not there.
#[must_use]
pub fn check(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    let functions: BTreeSet<&str> = sources.iter().flat_map(functions).collect();
    let text = tree.text(DOCUMENT).unwrap_or_default();
    let missing = |cited: &str| {
        if is_path(cited) {
            !tree.holds(cited) && !tree.holds(&format!("datahub/{cited}"))
        } else {
            is_test_name(cited) && !functions.contains(cited)
        }
    };
    let mut findings = refused(DOCUMENT, text, missing);
    for source in sources {
        let Some((folder, _)) = source.path.split_once("src/") else { continue };
        // A module cites from its package, from its sources, or from beside itself.
        let beside = source.path.rsplit_once('/').map_or("", |(beside, _)| beside);
        let text = tree.text(&source.path).unwrap_or_default();
        let missing = |cited: &str| {
            let there = [
                format!("{folder}{cited}"),
                format!("{folder}src/{cited}"),
                format!("{beside}/{cited}"),
            ];
            is_path(cited) && !there.iter().any(|path| tree.holds(path))
        };
        let checked = what_checks(text);
        findings.extend(refused(&source.path, &checked, missing));
    }
    findings
}

/// The header from `Checked by` on; lines before that are empty, so that lines keep their numbers.
fn what_checks(text: &str) -> String {
    let mut told = false;
    let header = text.lines().take_while(|line| line.starts_with("//!"));
    let line = |line: &str| {
        told |= line.contains("Checked by:");
        if told { format!("{line}\n") } else { "\n".to_owned() }
    };
    header.map(line).collect()
}

fn refused(path: &str, text: &str, missing: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        for cited in text.split('`').skip(1).step_by(2).filter(|cited| missing(cited)) {
            let what = format!("`{cited}` is cited and not there");
            findings.push(Finding::new(path, line, what, "cite what notices, or write it"));
        }
    }
    findings
}

fn is_path(cited: &str) -> bool {
    cited.contains('/')
        && !cited.contains(char::is_whitespace)
        && EXTENSIONS.iter().any(|extension| cited.ends_with(extension))
}

fn is_test_name(cited: &str) -> bool {
    cited.split('_').count() >= WORDS_LEAST
        && cited.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The names of all functions, also of those in macros.
fn functions(source: &Source) -> impl Iterator<Item = &str> {
    let names = source.tokens.windows(2).filter(|pair| pair[0].text == "fn");
    names.map(|pair| pair[1].text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn found(document: &str, header: &str) -> Vec<String> {
        let tree = Tree::default()
            .with(DOCUMENT, document)
            .with("datahub/tests/zones.rs", "#[test]\nfn a_lock_survives_its_holder() {}")
            .with("datahub/src/slot.rs", header)
            .with("models/src/slot.rs", "//! Models.\n");
        let (sources, _) = source::all(&tree);
        check(&tree, &sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_there_may_be_cited() {
        let document = "| F1 | `tests/zones.rs`, `models/src/slot.rs`; `a_lock_survives_its_holder` |\n\
                        `harness model --list`, `write_lock`, `eviction/…`";
        assert_eq!(found(document, "//! Checked by: `tests/zones.rs`, `models`."), [""; 0]);
    }

    #[test]
    fn a_missing_file_or_test_is_refused_at_its_line() {
        let refused = found("\n`tests/monitor.rs`, `a_lock_survives_everybody_else`", "");
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused.iter().all(|told| told.starts_with("datahub/FLAWS.md:2:")), "{refused:?}");
    }

    #[test]
    fn a_header_cites_what_checks_it() {
        let refused = found("", "//! Slots.\n//! Checked by: `tests/slots.rs`.\n");
        assert!(refused.len() == 1 && refused[0].contains("tests/slots.rs"), "{refused:?}");
    }
}
