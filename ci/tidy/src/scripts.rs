//! Scripts in `ci/`: short, strict, runnable, and each run by `ci/validate`.

use crate::finding::Finding;
use crate::house::Excuse;
use crate::tree::{Entry, Tree};
use std::collections::BTreeSet;

/// The script that runs all others.
const ALL: &str = "ci/validate";
/// The most lines that a script may have.
const LINES_MAX: usize = 40;

/// Finds scripts that break the rules, run nowhere, or are listed and missing.
#[must_use]
pub fn check(tree: &Tree, excused: &[Excuse]) -> Vec<Finding> {
    let scripts: Vec<_> = tree.files().filter(|(path, _)| is_script(path)).collect();
    let mut findings: Vec<_> =
        scripts.iter().flat_map(|(path, entry)| check_script(path, entry)).collect();
    let listed = listed(tree.text(ALL).unwrap_or_default());
    if listed.is_empty() {
        findings.push(Finding::new(ALL, 1, "it lists no check", "write `checks=(fmt lint …)`"));
    }
    let excused: BTreeSet<&str> =
        excused.iter().filter(|e| !e.reason.trim().is_empty()).map(|e| e.path.as_str()).collect();
    for (path, _) in &scripts {
        let name = path.rsplit('/').next().unwrap_or(path);
        if path.starts_with("ci/") && !listed.contains(name) && !excused.contains(path) {
            let remedy = "list it in ci/validate, or excuse it in ci/tidy/house.toml with a reason";
            findings.push(Finding::new(path, 1, "ci/validate does not run this script", remedy));
        }
    }
    let promised = listed.iter().map(|name| format!("ci/{name}"));
    let promised =
        promised.chain(excused.iter().map(ToString::to_string)).chain([".ci/run".into()]);
    findings.extend(promised.filter(|path| tree.text(path).is_none()).map(|path| {
        Finding::new(&path, 1, "the script is named and does not exist", "write it, or unlist it")
    }));
    findings
}

/// Files right below `ci/`, and the one below `.ci/`.
fn is_script(path: &str) -> bool {
    path == ".ci/run" || path.strip_prefix("ci/").is_some_and(|name| !name.contains('/'))
}

fn check_script(path: &str, entry: &Entry) -> Vec<Finding> {
    let mut lines = entry.text.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let count = entry.text.lines().count();
    let rules = [
        (first == "#!/usr/bin/env bash", "it does not begin with `#!/usr/bin/env bash`"),
        (second.starts_with("# "), "its second line does not say what it checks"),
        (entry.text.lines().any(|line| line == "set -euo pipefail"), "no `set -euo pipefail`"),
        (count <= LINES_MAX, "it has more than 40 lines"),
        (entry.executable, "it may not be run (`chmod +x`)"),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken
        .map(|(_, what)| Finding::new(path, 1, what, "one check a script, the same form for all"))
        .collect()
}

/// The names between `checks=(` and `)`.
fn listed(text: &str) -> BTreeSet<&str> {
    let list = text.split_once("checks=(").and_then(|(_, rest)| rest.split_once(')'));
    list.map(|(names, _)| names.split_whitespace().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "#!/usr/bin/env bash\n# Checks a thing.\nset -euo pipefail\ntrue\n";

    fn tree() -> Tree {
        let all = format!("{GOOD}checks=(fmt lint)\n");
        let tree = Tree::default().with("ci/validate", &all).with("ci/fmt", GOOD);
        tree.with("ci/lint", GOOD).with(".ci/run", GOOD).with("ci/tidy/Cargo.toml", "")
    }

    fn found(tree: &Tree) -> Vec<String> {
        let excuse = Excuse { path: "ci/validate".into(), reason: "it is the list".into() };
        check(tree, &[excuse]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn scripts_by_the_rules_pass() {
        assert_eq!(found(&tree()), [""; 0]);
    }

    #[test]
    fn a_script_that_nobody_runs_is_refused() {
        let refused = found(&tree().with("ci/forgotten", GOOD));
        assert!(refused.len() == 1 && refused[0].starts_with("ci/forgotten:1:"), "{refused:?}");
    }

    #[test]
    fn a_listed_script_that_is_missing_is_refused() {
        let refused =
            found(&tree().with("ci/validate", &format!("{GOOD}checks=(fmt lint gone)\n")));
        assert!(refused.len() == 1 && refused[0].starts_with("ci/gone:1:"), "{refused:?}");
    }

    #[test]
    fn a_list_that_cannot_be_read_is_refused() {
        assert!(found(&tree().with("ci/validate", GOOD))[0].contains("lists no check"));
    }

    #[test]
    fn a_loose_a_long_and_a_mute_script_are_refused() {
        let forms = [
            GOOD.replace("set -euo pipefail", "set -u"),
            format!("{GOOD}{}", "true\n".repeat(37)),
            GOOD.replace("# Checks a thing.", "true"),
            GOOD.replace("/usr/bin/env bash", "/bin/sh"),
            GOOD.replace("#!/", "/"),
        ];
        for form in forms {
            assert!(!found(&tree().with("ci/fmt", &form)).is_empty(), "{form}");
        }
    }
}
