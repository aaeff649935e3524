//! The five answers a run can give, and how several become one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The exit code of a run in which nothing ran: no data is never a pass.
pub const EXIT_NOTHING_RAN: u8 = 4;

/// One answer. Ordered by precedence: a greater verdict hides a smaller one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expectation held, with enough data to say so.
    Pass,
    /// A performance expectation failed beyond doubt.
    Performance,
    /// The data do not suffice for an answer: too few samples, too much noise, no near trial.
    Inconclusive,
    /// The run itself failed: a worker died, a deadline passed, set-up was impossible.
    Broken,
    /// A correctness expectation was violated.
    Correctness,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const WORST_FIRST: [Self; 5] =
        [Self::Correctness, Self::Broken, Self::Inconclusive, Self::Performance, Self::Pass];

    /// The verdict that decides among several; `None` when there are none, which is not a pass.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Option<Self> {
        verdicts.into_iter().max()
    }

    /// The process exit code: 0 pass, 1 correctness, 3 performance, 5 inconclusive, 6 broken.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Correctness => 1,
            Self::Performance => 3,
            Self::Inconclusive => 5,
            Self::Broken => 6,
        }
    }

    /// The exit code of several verdicts; 4 when there are none.
    pub fn exit_code_of(verdicts: impl IntoIterator<Item = Self>) -> u8 {
        Self::worst(verdicts).map_or(EXIT_NOTHING_RAN, Self::exit_code)
    }

    /// The word written in files and shown to people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Performance => "performance",
            Self::Inconclusive => "inconclusive",
            Self::Broken => "broken",
            Self::Correctness => "correctness",
        }
    }
}

impl core::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_decides() {
        let mut rest = Verdict::WORST_FIRST.to_vec();
        while !rest.is_empty() {
            assert_eq!(Verdict::worst(rest.iter().rev().copied()), Some(rest[0]));
            rest.remove(0);
        }
    }

    #[test]
    fn exit_codes_are_fixed() {
        let codes = Verdict::WORST_FIRST.map(Verdict::exit_code);
        assert_eq!(codes, [1, 6, 5, 3, 0]);
    }

    #[test]
    fn no_verdict_at_all_is_not_a_pass() {
        assert_eq!(Verdict::worst([]), None);
        assert_eq!(Verdict::exit_code_of([]), 4);
        assert_eq!(Verdict::exit_code_of([Verdict::Pass, Verdict::Broken]), 6);
    }
}
