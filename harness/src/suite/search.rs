//! The search for the highest rate that keeps a bound: which rate comes next.
//!
//! Pure: lowest rate, highest rate, then the geometric middle of what held and what did not, until
//! both are close. Each rate is a trial of its own, checked like any other, and only trials between
//! cores of one class count.

use report_schema::{Placement, Search, SearchStep};

use crate::gate::{Metric, MetricSource as _, MissingFigure};
use crate::plan::CellPlan;
use crate::record::Recorded;
use crate::scenario::model::{Length, Quest, Workload};
use crate::units::{Hertz, Nanos};
use crate::verdict::Figures;

/// A producer that needs longer than this for what it was offered did not keep up.
const LATE_PER_CENT: u64 = 2;
/// Less than this is the clock's or the kernel's.
const LATE_MS: u64 = 5;
/// A rate that did not hold is tried so many times in all: one hiccup of the machine is no limit.
pub(super) const ATTEMPTS: u32 = 2;

/// A search that is under way.
#[derive(Debug, Clone)]
pub(super) struct Bisection {
    quest: Quest,
    held: Option<Hertz>,
    refused: Option<Hertz>,
    undecided: Option<String>,
    /// Where the cores of the first step were.
    class: Option<Placement>,
    steps: Vec<SearchStep>,
}

impl Bisection {
    pub(super) fn new(quest: Quest) -> Self {
        Self { quest, held: None, refused: None, undecided: None, class: None, steps: vec![] }
    }

    /// The rate to try next; `None` when it is settled.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between two rates, which are positive"
    )]
    pub(super) fn next(&self) -> Option<Hertz> {
        let Quest { from, to, precision, .. } = self.quest;
        let (held, refused) = match (self.held, self.refused) {
            (None, None) => return Some(from),
            (Some(held), None) => return (held < to).then_some(to),
            (None, Some(_)) => return None,
            (Some(held), Some(refused)) => (held, refused),
        };
        let (low, high) = (held.0 as f64, refused.0 as f64);
        let middle = Hertz((low * high).sqrt() as u64);
        let apart = high / low > 1.0 + precision.factor();
        (apart && middle > held && middle < refused).then_some(middle)
    }

    /// Notes what became of a rate. The last attempt decides.
    pub(super) fn note(&mut self, rate: Hertz, step: SearchStep, last: bool) {
        if step.held {
            self.held = Some(rate);
        } else if last {
            self.refused = Some(rate);
        }
        self.steps.push(step);
    }

    /// Whether a step's cores held still where those of the first step were: rates between near cores
    /// and rates between far ones bracket nothing together.
    pub(super) fn counts(&mut self, step: &SearchStep) -> bool {
        match step.class {
            Some(Placement::Changed) => false,
            class => {
                self.class = self.class.or(class);
                class == self.class
            }
        }
    }

    /// Notes a step that decides nothing.
    pub(super) fn leave_out(&mut self, mut step: SearchStep) {
        let word = |class: Option<Placement>| class.map_or("unknown", Placement::as_str);
        let first = self.class.map_or_else(String::new, |class| {
            format!(", those of the first step were {}", class.as_str())
        });
        let why = format!("does not count: its cores were {}{first}", word(step.class));
        (step.held, step.why) = (false, Some(why));
        self.steps.push(step);
    }

    /// Ends without an answer.
    pub(super) fn give_up(&mut self, why: String) {
        self.undecided = Some(why);
    }

    pub(super) fn finish(self) -> Search {
        let Quest { percentile, at_most, .. } = self.quest;
        Search {
            bound: format!("{} <= {at_most}", Metric::Latency(percentile)),
            sustained_hz: self.held.map(|rate| rate.0 as f64),
            refused_hz: self.refused.map(|rate| rate.0 as f64),
            undecided: self.undecided,
            steps: self.steps,
        }
    }
}

/// The cell at one rate.
pub(super) fn at_rate(cell: &CellPlan, quest: Quest, rate: Hertz) -> CellPlan {
    let mut cell = cell.clone();
    cell.cell.workload = Workload::Open { rate, arrival: quest.arrival };
    cell
}

/// Why a rate did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// It broke the bound, or something was wrong.
    Refused(String),
    /// Its trial cannot say.
    Unknown(String),
}

impl Lack {
    fn words(&self) -> &str {
        let (Self::Refused(why) | Self::Unknown(why)) = self;
        why
    }
}

/// Whether a trial kept the bound, and nothing was lost; and why not.
pub(super) fn step(
    cell: &CellPlan,
    quest: Quest,
    rate: Hertz,
    recorded: &Recorded,
) -> (SearchStep, Option<Lack>) {
    let figures = Figures::of(&recorded.trial, None);
    let value = figures.value(Metric::Latency(quest.percentile));
    let committed = figures.value(Metric::ThroughputMessages).unwrap_or(0.0);
    let lack = match refusal(cell, recorded) {
        Some(why) => Some(Lack::Refused(why)),
        None => above(quest, value),
    };
    let role = recorded.trial.roles.iter().filter_map(|role| role.latency.as_ref());
    let worst = |part: fn(&report_schema::Latency) -> u64| role.clone().map(part).max();
    let step = SearchStep {
        rate_hz: rate.0 as f64,
        committed_hz: committed,
        p50_ns: worst(|latency| latency.p50_ns),
        p99_ns: worst(|latency| latency.p99_ns),
        held: lack.is_none(),
        why: lack.as_ref().map(|lack| lack.words().to_owned()),
        class: Some(recorded.trial.calibration.class),
    };
    (step, lack)
}

/// What no latency can make good.
fn refusal(cell: &CellPlan, recorded: &Recorded) -> Option<String> {
    let (trial, counts) = (&recorded.trial, recorded.trial.counts);
    if let Some(why) = trial.broken.first().or(trial.mismatches.first()) {
        return Some(why.clone());
    }
    if trial.interrupted {
        return Some("it was interrupted".to_owned());
    }
    let skipped = counts.lost.saturating_add(counts.lapped);
    if skipped > 0 || counts.violations() > 0 {
        let wrong = counts.violations();
        return Some(format!("{skipped} payloads were not delivered, {wrong} were wrong"));
    }
    if let Length::Time(time) = cell.cell.run.length {
        let asked_ms = time.0 / 1_000_000;
        let late_ms = trial.duration_ms.saturating_sub(asked_ms);
        if late_ms > LATE_MS.max(asked_ms * LATE_PER_CENT / 100) {
            return Some(format!("the producer fell behind by {late_ms} ms"));
        }
    }
    None
}

/// What its latency says; too few samples of it say nothing.
fn above(quest: Quest, value: Result<f64, MissingFigure>) -> Option<Lack> {
    let bound = quest.at_most;
    match value {
        Ok(ns) if ns <= bound.0 as f64 => None,
        Ok(ns) => {
            let metric = Metric::Latency(quest.percentile);
            Some(Lack::Refused(format!("{metric} was {}, above {bound}", rough(ns))))
        }
        Err(why @ MissingFigure::TooFew { .. }) => Some(Lack::Unknown(why.to_string())),
        Err(_) => Some(Lack::Refused("nothing was timed".to_owned())),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency that was recorded in whole nanoseconds"
)]
fn rough(ns: f64) -> String {
    Nanos(ns as u64).rough()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Percentile;
    use crate::scenario::model::Arrival;
    use crate::units::Share;
    use proptest::prelude::*;

    fn quest(from: u64, to: u64, precision: u64) -> Quest {
        Quest {
            from: Hertz(from),
            to: Hertz(to),
            arrival: Arrival::Uniform,
            percentile: Percentile::P99,
            at_most: Nanos(50_000),
            precision: Share(precision),
        }
    }

    fn tried(held: bool) -> SearchStep {
        let (p50_ns, p99_ns, why, class) = (None, None, None, None);
        SearchStep { rate_hz: 0.0, committed_hz: 0.0, p50_ns, p99_ns, held, why, class }
    }

    /// Searches where everything up to `limit` holds.
    fn searched(quest: Quest, limit: u64) -> Search {
        let mut bisection = Bisection::new(quest);
        while let Some(rate) = bisection.next() {
            bisection.note(rate, tried(rate.0 <= limit), true);
        }
        bisection.finish()
    }

    #[test]
    fn a_limit_outside_of_the_range_is_said_as_such() {
        let below = searched(quest(1_000, 9_000, 50_000), 999);
        assert_eq!((below.sustained_hz, below.refused_hz), (None, Some(1_000.0)));
        assert_eq!(below.steps.len(), 1);
        let above = searched(quest(1_000, 9_000, 50_000), 9_000);
        assert_eq!((above.sustained_hz, above.refused_hz), (Some(9_000.0), None));
        assert_eq!(above.bound, "p99(latency) <= 50 us");
    }

    #[test]
    fn a_first_attempt_that_does_not_hold_decides_nothing() {
        let mut bisection = Bisection::new(quest(10, 20, 50_000));
        bisection.note(Hertz(10), tried(false), false);
        assert_eq!(bisection.next(), Some(Hertz(10)));
        bisection.note(Hertz(10), tried(true), true);
        assert_eq!(bisection.next(), Some(Hertz(20)));
    }

    proptest! {
        #[test]
        fn the_limit_is_bracketed_as_closely_as_asked(
            from in 1_u64..1_000_000, factor in 2_u64..10_000, part in 0_u64..=1_000,
            precision in 1_000_u64..1_000_000,
        ) {
            let quest = quest(from, from * factor, precision);
            let limit = from + from * (factor - 1) * part / 1_000;
            let found = searched(quest, limit);
            let held = found.sustained_hz.unwrap();
            prop_assert!(held <= limit as f64);
            if let Some(refused) = found.refused_hz {
                prop_assert!(refused > limit as f64);
                let close = refused / held <= 1.0 + quest.precision.factor() || refused - held <= 2.0;
                prop_assert!(close, "{held} {refused}");
            }
            let most = quest.steps_expected() as usize + 2;
            prop_assert!(found.steps.len() <= most, "{} > {most}", found.steps.len());
        }
    }
}
