//! How often the same comparison, made many times, found what.

use report_schema::{CellComparison, Change, ComparisonKind, FalseAlarms, SuiteResult, Verdict};

use crate::statistics::{CONFIDENCE, rate_interval};

/// Whole comparisons, counted by what they found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    comparisons: u64,
    /// At least one figure improved or regressed.
    changed: u64,
    /// At least one regressed.
    regressed: u64,
    /// None changed, and at least one could not be judged.
    unknown: u64,
    /// Single figures.
    figures: u64,
    figures_changed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, result: &SuiteResult) {
        for comparison in &result.comparisons {
            let has = |change: Change| comparison.cells.iter().any(|cell| cell.change == change);
            let changed = has(Change::Improved) || has(Change::Regressed);
            self.comparisons += 1;
            self.changed += u64::from(changed);
            self.regressed += u64::from(has(Change::Regressed));
            self.unknown += u64::from(!changed && has(Change::Inconclusive));
            self.figures += comparison.cells.len() as u64;
            let one = |cell: &&CellComparison| {
                matches!(cell.change, Change::Improved | Change::Regressed)
            };
            self.figures_changed += comparison.cells.iter().filter(one).count() as u64;
        }
    }

    /// Writes it into the first comparison; a self-test is judged by it.
    pub(super) fn tell(&self, result: &mut SuiteResult) {
        let rate_interval = rate_interval(self.changed, self.comparisons, CONFIDENCE);
        let Some(first) = result.comparisons.first_mut() else { return };
        let (low, high) = rate_interval;
        first.notes.push(format!(
            "{} comparisons, each with trials of its own: {} found a change ({:.2} %, between \
             {:.2} % and {:.2} % with {} % confidence), {} a regression, {} could not say; of {} \
             figures {} changed. What stands above is the first of them.",
            self.comparisons,
            self.changed,
            100.0 * self.changed as f64 / self.comparisons.max(1) as f64,
            100.0 * low,
            100.0 * high,
            100.0 * CONFIDENCE,
            self.regressed,
            self.unknown,
            self.figures,
            self.figures_changed,
        ));
        if first.kind == ComparisonKind::SelfTest {
            first.false_alarms = Some(FalseAlarms {
                comparisons: self.comparisons,
                alarms: self.changed,
                inconclusive: self.unknown,
                rate_interval,
                confidence: CONFIDENCE,
            });
            first.verdict = self.self_test(first.alpha);
            let runs = result.scenarios.iter().map(|scenario| scenario.verdict);
            let worst = Verdict::worst(runs.chain([first.verdict]));
            result.verdict = worst.unwrap_or(Verdict::Inconclusive);
        }
    }

    /// More alarms than promised, beyond doubt, is a failure; nothing judged is no pass.
    fn self_test(&self, alpha: f64) -> Verdict {
        let (low, _) = rate_interval(self.changed, self.comparisons, CONFIDENCE);
        if low > alpha {
            Verdict::Performance
        } else if self.unknown == self.comparisons {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_test_fails_only_beyond_doubt_and_never_passes_without_an_answer() {
        let tally = |comparisons, changed, unknown| Tally {
            comparisons,
            changed,
            unknown,
            ..Tally::default()
        };
        assert_eq!(tally(200, 1, 5).self_test(0.01), Verdict::Pass);
        assert_eq!(tally(200, 9, 5).self_test(0.01), Verdict::Performance);
        assert_eq!(tally(3, 0, 3).self_test(0.01), Verdict::Inconclusive);
        assert_eq!(tally(0, 0, 0).self_test(0.01), Verdict::Inconclusive);
    }
}
