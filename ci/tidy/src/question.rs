//! A scenario asks one question, and its first line is that question.

use crate::finding::Finding;
use crate::tree::Tree;

/// Finds scenario files whose first line does not ask.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let remedy = "open the file with one comment line: `# What does this run answer?`";
    tree.below("scenarios", "toml")
        .filter(|(_, entry)| !asks(entry.text.lines().next().unwrap_or_default()))
        .map(|(path, _)| Finding::new(path, 1, "the first line asks no question", remedy))
        .collect()
}

fn asks(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|text| {
        let text = text.trim();
        text.ends_with('?') && text.contains(' ')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_that_asks_nothing_is_refused() {
        let tree = Tree::default()
            .with("scenarios/a.toml", "# Is a read ever torn?\nschema = 1\n")
            .with("scenarios/b.toml", "# Measures latency.\n")
            .with("scenarios/c/d.toml", "schema = 1 # Is it?\n")
            .with("scenarios/e.toml", "")
            .with("scenarios/f.toml", "#?\n")
            .with("elsewhere/g.toml", "schema = 1\n");
        let paths: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(
            paths,
            ["scenarios/b.toml", "scenarios/c/d.toml", "scenarios/e.toml", "scenarios/f.toml"]
        );
    }
}
