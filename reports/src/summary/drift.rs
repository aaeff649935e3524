//! Whether a long trial ends as it began: its last third beside its first.
//!
//! Slices of one run are no independent samples, so no chance is computed. Two thirds differ when
//! their medians differ by a tenth and their middle halves do not even touch.

use std::fmt;

use report_schema::{Interval, Latency, Role, SuiteResult, Trial};

use super::cell::median;

/// Fewer whole slices in a third say nothing.
const LEAST: usize = 3;
/// Medians nearer together than this part are alike.
const PART: f64 = 0.10;
/// The profile whose trials are looked at.
const PROFILE: &str = "soak";

/// The course of one process's latencies in one trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift<'a> {
    /// The cell's id.
    pub cell: &'a str,
    /// Which repeat.
    pub repeat: u32,
    /// The process, as in `consumer 1`.
    pub role: String,
    /// Whole slices in each third.
    pub slices: usize,
    /// The 99th percentile of a slice.
    pub p99_ns: Thirds,
    /// Timed messages of a slice: what flowed.
    pub samples: Thirds,
}

/// A figure in the first and in the last third.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thirds {
    /// The median of the first third.
    pub first: f64,
    /// The median of the last third.
    pub last: f64,
    /// Whether they differ.
    pub differ: bool,
}

impl Thirds {
    fn of(values: &[f64]) -> Option<Self> {
        let third = values.len() / 3;
        let (mut early, mut late) =
            (values.get(..third)?.to_vec(), values.get(2 * third..)?.to_vec());
        let (first, last) = (median(early.clone())?, median(late.clone())?);
        early.sort_by(f64::total_cmp);
        late.sort_by(f64::total_cmp);
        let middle = |sorted: &[f64]| {
            let quarter = sorted.len() / 4;
            Some((*sorted.get(quarter)?, *sorted.get(sorted.len() - 1 - quarter)?))
        };
        let ((low, high), (late_low, late_high)) = (middle(&early)?, middle(&late)?);
        let apart = late_low > high || late_high < low;
        let differ = apart && (last - first).abs() > PART * first;
        Some(Self { first, last, differ })
    }

    /// By which part of the first third the last one is more.
    #[must_use]
    pub fn change(self) -> f64 {
        if self.first == 0.0 { 0.0 } else { self.last / self.first - 1.0 }
    }
}

impl Drift<'_> {
    /// Whether anything differs.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.p99_ns.differ || self.samples.differ
    }
}

/// As in `p99 +31 %`, or that nothing differs.
impl fmt::Display for Drift<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let both = [("p99", self.p99_ns), ("messages", self.samples)];
        let differing = both.into_iter().filter(|(_, thirds)| thirds.differ);
        let words: Vec<String> = differing
            .map(|(what, thirds)| format!("{what} {:+.0} %", 100.0 * thirds.change()))
            .collect();
        if words.is_empty() { f.write_str("as it began") } else { f.write_str(&words.join(", ")) }
    }
}

/// Of each trial of a soak run, the course of each process that timed messages for long enough.
#[must_use]
pub fn drifts(suite: &SuiteResult) -> Vec<Drift<'_>> {
    if suite.profile != PROFILE {
        return vec![];
    }
    let cells = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
    cells.flat_map(|cell| cell.trials.iter().flat_map(|trial| of_trial(&cell.id, trial))).collect()
}

fn of_trial<'a>(cell: &'a str, trial: &'a Trial) -> impl Iterator<Item = Drift<'a>> {
    trial.roles.iter().filter_map(move |role| {
        let name = match role.role {
            Role::Producer => "producer".to_owned(),
            Role::Consumer => format!("consumer {}", role.index),
        };
        let latency = role.latency.as_ref()?;
        of_latency(latency).map(|(slices, p99_ns, samples)| Drift {
            cell,
            repeat: trial.repeat,
            role: name,
            slices,
            p99_ns,
            samples,
        })
    })
}

fn of_latency(latency: &Latency) -> Option<(usize, Thirds, Thirds)> {
    // The last slice may be cut short, or hold what came later.
    let (_, whole) = latency.intervals.split_last()?;
    let slices = whole.len() / 3;
    if slices < LEAST {
        return None;
    }
    let values = |value: fn(&Interval) -> u64| -> Vec<f64> {
        whole.iter().map(|slice| value(slice) as f64).collect()
    };
    let p99_ns = Thirds::of(&values(|slice| slice.p99_ns))?;
    let samples = Thirds::of(&values(|slice| slice.n))?;
    Some((slices, p99_ns, samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thirds(values: impl Iterator<Item = u32>) -> Thirds {
        Thirds::of(&values.map(f64::from).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_course_that_grows_or_falls_differs_at_its_end() {
        let grown = thirds(100..130);
        assert!(grown.differ && (grown.change() - 0.19).abs() < 0.01, "{grown:?}");
        assert!(thirds((100..130).rev()).differ);
    }

    #[test]
    fn noise_and_a_step_of_little_do_not_differ() {
        let noise = thirds((0..60).map(|n| 100 + (n * 37) % 50));
        assert!(!noise.differ, "{noise:?}");
        let little = thirds((0..60).map(|n| if n < 30 { 100 } else { 105 }));
        assert!(!little.differ, "{little:?}");
        // One outburst at the end is no drift.
        assert!(!thirds((0..60).map(|n| if n == 59 { 9_000 } else { 100 })).differ);
        assert!(!thirds((0..60).map(|_| 0)).differ);
    }
}
