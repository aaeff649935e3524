//! Expectations: what must hold of a run, and whether it did.
//!
//! `text → grammar → Expectation → evaluate(figures) → Outcome`. Pure: figures come in through
//! [`MetricSource`]. Knows nothing of: files, processes, statistics over repeats.

mod grammar;
mod metric;

pub use grammar::{Check, GrammarError, Op, Term, parse};
pub use metric::{Dimension, Metric, Percentile};

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Unique in the scenario.
    pub id: String,
    /// What is compared.
    pub check: Check,
    /// Judged on near trials only; without one it is inconclusive.
    pub near_only: bool,
    /// Fewer trials than this are inconclusive.
    pub min_trials: u32,
    /// Implied by the block's promises, not written in the file.
    pub implied: bool,
    /// Line of the file, from 1: the `check`, or the `[block]` that implies it.
    pub line: usize,
}

/// What a failed expectation says of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// It did something wrong.
    Correctness,
    /// It was too slow.
    Performance,
}

/// Where figures come from: one trial, or several merged.
pub trait MetricSource {
    /// The figure in its base unit (count, ns, messages/s, bytes/s).
    ///
    /// # Errors
    ///
    /// [`MissingFigure`]: none was taken, or too few samples stand behind it.
    fn value(&self, metric: Metric) -> Result<f64, MissingFigure>;

    /// The left side's figure in the stored run that is compared with, if there is one.
    fn baseline(&self) -> Option<f64> {
        None
    }
}

/// A comparison with its figures, in base units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The left side.
    pub value: f64,
    /// The right side.
    pub bound: f64,
    /// Whether the comparison holds.
    pub holds: bool,
}

/// A figure that the comparison needs was not taken, or says too little; never a pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MissingFigure {
    /// Of this run.
    #[error("no figure for {0}")]
    Own(Metric),
    /// A percentile beyond which hardly a sample lies.
    #[error("too few samples for {metric}: there are {samples}, {needed} are needed")]
    TooFew {
        /// The percentile.
        metric: Metric,
        /// So many were taken.
        samples: u64,
        /// So many let it be judged.
        needed: u64,
    },
    /// A search that ended without an answer, and why.
    #[error("the search has no answer: {0}")]
    Undecided(String),
    /// Of the run that is compared with.
    #[error("no baseline is given")]
    Baseline,
}

impl Expectation {
    /// Counts judge correctness; times and rates judge performance.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.check.metric.dimension() {
            Dimension::Count => Class::Correctness,
            Dimension::Time | Dimension::MessageRate | Dimension::ByteRate => Class::Performance,
        }
    }

    /// Compares the figures.
    ///
    /// # Errors
    ///
    /// [`MissingFigure`]: the source has no finite value for a metric that is needed.
    pub fn evaluate(&self, source: &impl MetricSource) -> Result<Outcome, MissingFigure> {
        let figure = |metric: Metric| {
            let value = source.value(metric)?;
            if value.is_finite() { Ok(value) } else { Err(MissingFigure::Own(metric)) }
        };
        let value = figure(self.check.metric)?;
        let mut bound = 0.0;
        for term in &self.check.bound {
            bound += match *term {
                Term::Constant(constant) => constant,
                Term::Scaled { factor, metric } => factor * figure(metric)?,
                Term::Baseline(factor) => {
                    factor * source.baseline().ok_or(MissingFigure::Baseline)?
                }
            };
        }
        Ok(Outcome { value, bound, holds: self.check.op.holds(value, bound) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Figures(Vec<(Metric, f64)>);

    impl MetricSource for Figures {
        fn value(&self, metric: Metric) -> Result<f64, MissingFigure> {
            let found = self.0.iter().find(|(known, _)| *known == metric);
            found.map(|(_, value)| *value).ok_or(MissingFigure::Own(metric))
        }
    }

    fn expectation(check: &str) -> Expectation {
        let check = parse(check).unwrap();
        Expectation {
            id: "x".to_owned(),
            check,
            near_only: false,
            min_trials: 1,
            implied: false,
            line: 1,
        }
    }

    const P99: Metric = Metric::Latency(Percentile::P99);

    #[test]
    fn terms_are_added_up() {
        let figures =
            Figures(vec![(P99, 151.0), (Metric::Calibration, 60.0), (Metric::ClockQuantum, 10.0)]);
        let check = "p99(latency) <= 2 * calibration + 20 ns + clock-quantum";
        let outcome = expectation(check).evaluate(&figures).unwrap();
        assert_eq!(outcome, Outcome { value: 151.0, bound: 150.0, holds: false });
    }

    #[test]
    fn every_operator_compares_as_written() {
        let holds = |check: &str| {
            expectation(check).evaluate(&Figures(vec![(Metric::Lost, 1.0)])).unwrap().holds
        };
        assert!(holds("lost == 1") && !holds("lost == 0"));
        assert!(holds("lost <= 1") && !holds("lost <= 0"));
        assert!(holds("lost >= 1") && !holds("lost >= 2"));
        assert!(holds("lost < 2") && !holds("lost < 1"));
        assert!(holds("lost > 0") && !holds("lost > 1"));
    }

    #[test]
    fn a_missing_figure_is_never_a_pass() {
        let missing = expectation("p99(latency) <= 1 s").evaluate(&Figures(vec![]));
        assert_eq!(missing, Err(MissingFigure::Own(P99)));
        let nan = expectation("p99(latency) <= 1 s").evaluate(&Figures(vec![(P99, f64::NAN)]));
        assert_eq!(nan, Err(MissingFigure::Own(P99)));
    }

    struct Stored(f64);

    impl MetricSource for Stored {
        fn value(&self, metric: Metric) -> Result<f64, MissingFigure> {
            Ok(if metric == Metric::ClockQuantum { 10.0 } else { 131.0 })
        }

        fn baseline(&self) -> Option<f64> {
            Some(self.0)
        }
    }

    #[test]
    fn a_baseline_is_a_term_like_others_and_without_one_there_is_no_answer() {
        let check = expectation("p99(latency) <= 1.10 * baseline + 2 * clock-quantum");
        let outcome = check.evaluate(&Stored(100.0)).unwrap();
        assert!((outcome.bound - 130.0).abs() < 1e-9 && !outcome.holds, "{outcome:?}");
        let figures = Figures(vec![(P99, 1.0), (Metric::ClockQuantum, 10.0)]);
        assert_eq!(check.evaluate(&figures), Err(MissingFigure::Baseline));
    }

    #[test]
    fn counts_judge_correctness_and_times_judge_performance() {
        assert_eq!(expectation("lost == 0").class(), Class::Correctness);
        assert_eq!(expectation("p50(service) <= 1 us").class(), Class::Performance);
    }
}
