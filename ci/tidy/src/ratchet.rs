//! Excused findings: a list that may only shrink.
//!
//! A row excuses `count` findings of one check in one file. More than that and all of them are
//! shown; fewer, and the row itself is refused until it says the smaller number or is gone.

use crate::finding::Finding;
use serde::Deserialize;

/// Where the list stands.
pub const PATH: &str = "ci/tidy/ratchet.toml";

/// What `ratchet.toml` says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratchet {
    /// The rows.
    #[serde(default)]
    pub excused: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The check's name, as its test is called in `tests/tree.rs`.
    pub check: String,
    /// The file.
    pub path: String,
    /// How many findings.
    pub count: usize,
    /// Why they are still here.
    pub reason: String,
}

/// The findings of `check` that nothing excuses, and a finding for each row that excuses too much.
#[must_use]
pub fn apply(ratchet: &Ratchet, check: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
    for row in ratchet.excused.iter().filter(|row| row.check == check) {
        let count = findings.iter().filter(|finding| finding.path == row.path).count();
        if count > row.count {
            continue;
        }
        findings.retain(|finding| finding.path != row.path);
        if count < row.count {
            let what = format!("`{}` excuses {} findings, {count} are left", row.path, row.count);
            let remedy = "lower `count`, or remove the row at 0: this list only shrinks";
            findings.push(Finding::new(PATH, 1, what, remedy));
        }
    }
    findings
}

/// Rows that no check reads, or that give no reason.
#[must_use]
pub fn check(ratchet: &Ratchet, checks: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in &ratchet.excused {
        if !checks.contains(&row.check.as_str()) {
            let what = format!("no check is called `{}`", row.check);
            findings.push(Finding::new(PATH, 1, what, "take a name from `tests/tree.rs`"));
        }
        if row.reason.trim().is_empty() {
            let what = format!("`{}` is excused without a reason", row.path);
            findings.push(Finding::new(PATH, 1, what, "say why it is still here"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratchet(count: usize) -> Ratchet {
        let row = Row {
            check: "sizes".into(),
            path: "a.rs".into(),
            count,
            reason: "a generated table".into(),
        };
        Ratchet { excused: vec![row] }
    }

    fn two() -> Vec<Finding> {
        vec![Finding::new("a.rs", 1, "x", "y"), Finding::new("a.rs", 2, "x", "y")]
    }

    #[test]
    fn the_excused_number_passes() {
        assert!(apply(&ratchet(2), "sizes", two()).is_empty());
    }

    #[test]
    fn one_more_shows_them_all() {
        assert_eq!(apply(&ratchet(1), "sizes", two()), two());
    }

    #[test]
    fn one_fewer_asks_for_a_smaller_number() {
        let left = apply(&ratchet(3), "sizes", two());
        assert!(left.len() == 1 && left[0].what.contains("2 are left"), "{left:?}");
    }

    #[test]
    fn another_check_is_not_excused() {
        assert_eq!(apply(&ratchet(2), "words", two()), two());
    }

    #[test]
    fn a_row_for_no_check_or_for_no_reason_is_refused() {
        let mut ratchet = ratchet(1);
        ratchet.excused[0].reason = " ".into();
        assert_eq!(check(&ratchet, &["words"]).len(), 2);
    }
}
