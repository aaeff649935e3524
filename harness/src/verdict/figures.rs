//! The figures of one trial, by the names that expectations use.

use hdrhistogram::Histogram;
use report_schema::{Counts, Latency, Role, RoleResult, Trial};
use reports::summary;

use crate::gate::{Metric, MetricSource, MissingFigure, Percentile};

/// One trial's figures, its roles' histograms added together.
#[derive(Debug)]
pub(crate) struct Figures<'a> {
    trial: &'a Trial,
    clock_quantum_ns: Option<u64>,
    latency: Option<Histogram<u64>>,
    service: Option<Histogram<u64>>,
}

impl<'a> Figures<'a> {
    /// Reads the histograms of a trial. One that cannot be read is as one that is missing.
    pub(crate) fn of(trial: &'a Trial, clock_quantum_ns: Option<u64>) -> Self {
        let roles = &trial.roles;
        Self {
            trial,
            clock_quantum_ns,
            latency: merged(
                &roles.iter().filter_map(|role| role.latency.as_ref()).collect::<Vec<_>>(),
            ),
            service: merged(
                &roles.iter().filter_map(|role| role.service.as_ref()).collect::<Vec<_>>(),
            ),
        }
    }

    /// The trial.
    pub(crate) fn trial(&self) -> &'a Trial {
        self.trial
    }

    fn producer(&self) -> Option<&RoleResult> {
        self.trial.roles.iter().find(|role| role.role == Role::Producer)
    }

    /// One way over the bare line: the slower of the two measurements.
    fn calibration_ns(&self) -> Option<u64> {
        let line = self.trial.calibration;
        line.before_ns.max(line.after_ns)
    }
}

fn merged(latencies: &[&Latency]) -> Option<Histogram<u64>> {
    let mut sum: Option<Histogram<u64>> = None;
    for latency in latencies {
        let histogram = reports::load::histogram(&latency.histogram).ok()?;
        match &mut sum {
            None => sum = Some(histogram),
            Some(sum) => sum.add(&histogram).ok()?,
        }
    }
    sum.filter(|sum| !sum.is_empty())
}

/// So many samples, and one of their percentiles.
type Taken = (u64, u64);

fn at(histogram: Option<&Histogram<u64>>, percentile: Percentile) -> Option<Taken> {
    let histogram = histogram?;
    let value = match percentile {
        Percentile::Max => histogram.max(),
        other => histogram.value_at_quantile(other.quantile()),
    };
    Some((histogram.len(), value))
}

/// The percentile, if enough samples lie beyond it: the rule is that of all reports.
fn judged(metric: Metric, part: Percentile, taken: Option<Taken>) -> Result<f64, MissingFigure> {
    let (samples, ns) = taken.ok_or(MissingFigure::Own(metric))?;
    let quantile = part.quantile();
    if summary::Percentile::among(samples, quantile, ns).sure {
        return Ok(ns as f64);
    }
    let needed = summary::Percentile::needed(quantile);
    Err(MissingFigure::TooFew { metric, samples, needed })
}

fn count(counts: &Counts, metric: Metric) -> Option<u64> {
    Some(match metric {
        Metric::Torn => counts.torn,
        Metric::Mislabelled => counts.mislabelled,
        Metric::Backward => counts.backward,
        Metric::Lost => counts.lost,
        Metric::Duplicated => counts.duplicated,
        Metric::ChecksumFailures => counts.checksum_failures,
        Metric::Lapped => counts.lapped,
        Metric::Timeouts => counts.timeouts,
        Metric::Delivered => counts.delivered,
        Metric::Committed => counts.committed,
        _ => return None,
    })
}

/// A value of a sorted list, by the nearest rank.
fn rank(sorted: &[u64], percentile: Percentile) -> Option<Taken> {
    let per_mille = match percentile {
        Percentile::P50 => 500,
        Percentile::P99 => 990,
        Percentile::P999 => 999,
        Percentile::Max => 1_000,
    };
    let place = (sorted.len() * per_mille).div_ceil(1_000).saturating_sub(1);
    sorted.get(place).map(|value| (sorted.len() as u64, *value))
}

impl Figures<'_> {
    /// How long survivors were blocked by each fault that blocked somebody.
    fn blocked(&self, percentile: Percentile) -> Option<Taken> {
        let faults = &self.trial.faults;
        let mut blocked: Vec<u64> = faults.iter().filter_map(|fault| fault.blocked_ns).collect();
        blocked.sort_unstable();
        rank(&blocked, percentile)
    }

    fn faults(&self) -> u64 {
        let faults = self.trial.faults.iter();
        faults.filter(|fault| fault.missed.is_none()).count() as u64
    }

    /// What is no percentile and no search.
    fn plain(&self, metric: Metric) -> Option<f64> {
        let rate = |rate: f64| (rate > 0.0).then_some(rate);
        match metric {
            Metric::ThroughputMessages => rate(self.producer()?.throughput_msgs_per_s),
            Metric::ThroughputBytes => rate(self.producer()?.bytes_per_s),
            Metric::Calibration => self.calibration_ns().map(|ns| ns as f64),
            Metric::ClockQuantum => self.clock_quantum_ns.map(|ns| ns as f64),
            Metric::ProducerWait => self.producer()?.longest_wait_ns.map(|ns| ns as f64),
            Metric::Faults => Some(self.faults() as f64),
            counted => count(&self.trial.counts, counted).map(|count| count as f64),
        }
    }

    /// The rate that a search found. One that ended without an answer has none, whatever held before.
    fn sustained(&self) -> Result<f64, MissingFigure> {
        let search = self.trial.search.as_ref();
        match search.and_then(|search| search.undecided.clone()) {
            Some(why) => Err(MissingFigure::Undecided(why)),
            None => search
                .and_then(|search| search.sustained_hz)
                .ok_or(MissingFigure::Own(Metric::SustainedRate)),
        }
    }
}

impl MetricSource for Figures<'_> {
    fn value(&self, metric: Metric) -> Result<f64, MissingFigure> {
        match metric {
            Metric::Latency(part) => judged(metric, part, at(self.latency.as_ref(), part)),
            Metric::Service(part) => judged(metric, part, at(self.service.as_ref(), part)),
            Metric::Blocked(part) => judged(metric, part, self.blocked(part)),
            Metric::SustainedRate => self.sustained(),
            other => self.plain(other).ok_or(MissingFigure::Own(other)),
        }
    }
}
