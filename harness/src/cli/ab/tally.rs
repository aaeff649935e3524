//! How often the same comparison, made many times, found what.

use report_schema::{
    CellComparison, Change, Comparison, ComparisonKind, FalseAlarms, Found, Round, SuiteResult,
    Verdict,
};

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
    /// Those that a reader will ask about.
    erred: Vec<Round>,
}

impl Tally {
    /// Counts the comparisons of the round of this number, from 1.
    pub(super) fn add(&mut self, number: u32, comparisons: &[Comparison]) {
        for comparison in comparisons {
            let has = |change: Change| comparison.cells.iter().any(|cell| cell.change == change);
            let changed = has(Change::Improved) || has(Change::Regressed);
            self.comparisons += 1;
            self.changed += u64::from(changed);
            self.regressed += u64::from(has(Change::Regressed));
            self.unknown += u64::from(!changed && has(Change::Inconclusive));
            if changed == (comparison.kind == ComparisonKind::SelfTest) {
                let (seed, cells) = (comparison.seed, comparison.cells.clone());
                self.erred.push(Round { number, seed, cells });
            }
            self.figures += comparison.cells.len() as u64;
            let one = |cell: &&CellComparison| {
                matches!(cell.change, Change::Improved | Change::Regressed)
            };
            self.figures_changed += comparison.cells.iter().filter(one).count() as u64;
        }
    }

    /// Writes it into the first comparison; a self-test is judged by it.
    pub(super) fn tell(mut self, result: &mut SuiteResult) {
        let rate_interval = rate_interval(self.changed, self.comparisons, CONFIDENCE);
        let Some(first) = result.comparisons.first_mut() else { return };
        first.notes.push(self.said(rate_interval, first.kind == ComparisonKind::SelfTest));
        first.found = Some(Found {
            comparisons: self.comparisons,
            changed: self.changed,
            regressed: self.regressed,
            inconclusive: self.unknown,
            rate_interval,
            confidence: CONFIDENCE,
        });
        first.erred = std::mem::take(&mut self.erred);
        if first.kind == ComparisonKind::SelfTest {
            first.false_alarms = Some(FalseAlarms {
                comparisons: self.comparisons,
                alarms: self.changed,
                inconclusive: self.unknown,
                rate_interval,
                confidence: CONFIDENCE,
            });
            first.verdict = self.self_test(first.alpha);
            first.notes.extend(self.broken_promise(first.alpha));
            let runs = result.scenarios.iter().map(|scenario| scenario.verdict);
            let worst = Verdict::worst(runs.chain([first.verdict]));
            result.verdict = worst.unwrap_or(Verdict::Inconclusive);
        }
    }

    fn said(&self, (low, high): (f64, f64), same: bool) -> String {
        let percent = |share: f64| 100.0 * share;
        format!(
            "{} of {} comparisons, each with trials of its own, found a change: {:.2} % \
             (Clopper–Pearson, {} %: {:.2} to {:.2} %); {} found a regression, {} could not say; \
             of {} figures {} changed. What stands above is the first of them; kept with every \
             trial: those that found {}.",
            self.changed,
            self.comparisons,
            percent(self.rate()),
            percent(CONFIDENCE),
            percent(low),
            percent(high),
            self.regressed,
            self.unknown,
            self.figures,
            self.figures_changed,
            if same { "a change" } else { "none" },
        )
    }

    fn rate(&self) -> f64 {
        self.changed as f64 / self.comparisons.max(1) as f64
    }

    /// Said where more alarms were seen than are promised, whether by chance or not.
    fn broken_promise(&self, alpha: f64) -> Option<String> {
        let (rate, promised) = (100.0 * self.rate(), 100.0 * alpha);
        (self.rate() > alpha).then(|| {
            format!("The promise is not met: {rate:.2} % false alarms were seen, {promised:.2} % promised.")
        })
    }

    /// More alarms than promised, beyond doubt, is a failure; more than promised, or nothing judged,
    /// is no pass.
    fn self_test(&self, alpha: f64) -> Verdict {
        let (low, _) = rate_interval(self.changed, self.comparisons, CONFIDENCE);
        if low > alpha {
            Verdict::Performance
        } else if self.unknown == self.comparisons || self.rate() > alpha {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use report_schema::Contender;

    use super::*;

    fn comparison(kind: ComparisonKind, change: Change) -> Comparison {
        let side = Contender { name: "A".to_owned(), commit: None };
        let cell = CellComparison {
            cell: "c".to_owned(),
            metric: "throughput.messages".to_owned(),
            unit: "/s".to_owned(),
            greater_is_better: true,
            class: None,
            base_median: None,
            candidate_median: None,
            evidence: None,
            base_dropped: 0,
            candidate_dropped: 0,
            turns: vec![],
            change,
            reason: String::new(),
        };
        Comparison {
            kind,
            base: side.clone(),
            candidate: side,
            alpha: 0.01,
            correction: String::new(),
            seed: 7,
            cells: vec![cell],
            false_alarms: None,
            found: None,
            erred: vec![],
            verdict: change.verdict(),
            notes: vec![],
        }
    }

    /// The numbers of the comparisons that are kept.
    fn kept(kind: ComparisonKind, found: &[Change]) -> Vec<u32> {
        let mut tally = Tally::default();
        for (number, change) in (1..).zip(found) {
            tally.add(number, &[comparison(kind, *change)]);
        }
        tally.erred.into_iter().map(|round| round.number).collect()
    }

    #[test]
    fn what_is_kept_is_what_must_not_have_been() {
        let found =
            [Change::NoDifference, Change::Improved, Change::Inconclusive, Change::Regressed];
        assert_eq!(kept(ComparisonKind::SelfTest, &found), [2, 4]);
        assert_eq!(kept(ComparisonKind::Variants, &found), [1, 3]);
    }

    #[test]
    fn the_rate_is_said_with_its_number_and_its_interval() {
        let tally = Tally { comparisons: 200, changed: 1, unknown: 5, ..Tally::default() };
        let said = tally.said(rate_interval(1, 200, CONFIDENCE), true);
        let rate = "1 of 200 comparisons, each with trials of its own, found a change: 0.50 % \
                    (Clopper–Pearson, 95 %: 0.01 to 2.75 %)";
        assert!(said.starts_with(rate), "{said}");
    }

    #[test]
    fn a_self_test_fails_only_beyond_doubt_and_never_passes_without_an_answer() {
        let tally = |comparisons, changed, unknown| Tally {
            comparisons,
            changed,
            unknown,
            ..Tally::default()
        };
        assert_eq!(tally(200, 1, 5).self_test(0.01), Verdict::Pass);
        assert_eq!(tally(200, 2, 5).self_test(0.01), Verdict::Pass);
        assert_eq!(tally(200, 2, 5).broken_promise(0.01), None);
        // More than promised, and it may be chance.
        assert_eq!(tally(200, 5, 5).self_test(0.01), Verdict::Inconclusive);
        let said = tally(200, 5, 5).broken_promise(0.01).unwrap();
        assert!(said.contains("not met: 2.50 %"), "{said}");
        assert_eq!(tally(200, 9, 5).self_test(0.01), Verdict::Performance);
        assert_eq!(tally(3, 0, 3).self_test(0.01), Verdict::Inconclusive);
        assert_eq!(tally(0, 0, 0).self_test(0.01), Verdict::Inconclusive);
    }
}
