//! What a check says: where, what is wrong, what to do.

use std::fmt;

/// One thing that a check refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The path inside the tree.
    pub path: String,
    /// The line, from 1; the whole file is line 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding at `path:line`.
    #[must_use]
    pub fn new(path: &str, line: usize, what: impl Into<String>, remedy: &str) -> Self {
        Self { path: path.into(), line, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, remedy } = self;
        write!(f, "{path}:{line}: {what}\n    {remedy}")
    }
}

/// All findings as one text, one after the other.
#[must_use]
pub fn listing(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_matter_and_remedy() {
        let finding = Finding::new("a/b.rs", 7, "a function of 71 lines", "split it");
        assert_eq!(finding.to_string(), "a/b.rs:7: a function of 71 lines\n    split it");
    }
}
