//! The percentile curve: log latency over nines, with the calibration as a line.

use hdrhistogram::Histogram;

use crate::format;
use crate::plot::{Axis, Chart, Form, Ink, Key, Mark, Point};
use crate::summary::{Curve, Percentile, SAMPLES_BEYOND};

/// Points between one halving of the remaining samples and the next.
const TICKS_PER_HALF_DISTANCE: u32 = 8;

/// What a gate allows at one percentile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limit {
    /// Between 0 and 1.
    pub(crate) quantile: f64,
    /// The greatest value allowed there.
    pub(crate) bound_ns: f64,
    /// What it says, in a few characters.
    pub(crate) label: String,
}

/// Half the width of a gate's mark, in nines.
const LIMIT_NINES: f64 = 0.16;

/// The curves of one scenario; `None` when there is nothing to draw.
pub(crate) fn percentile(
    title: &str,
    curves: &[Curve],
    calibration_ns: Option<f64>,
    limits: &[Limit],
) -> Option<Chart> {
    let points: Vec<_> = curves.iter().map(|curve| points(&curve.histogram)).collect();
    let nines = points.iter().flatten().map(|(x, _)| *x).fold(0.0, f64::max);
    if nines <= 0.0 {
        return None;
    }
    let bounds = limits.iter().map(|limit| limit.bound_ns * 1.3);
    // Some room below, or the calibration would be taken for the axis.
    let floor = calibration_ns.map(|level| level / 1.35);
    let values = points.iter().flatten().map(|(_, y)| *y).chain(floor).chain(bounds);
    let mut chart = Chart {
        title: title.to_owned(),
        about: about(curves, calibration_ns),
        form: Form::Full,
        x: Axis::nines("percentile", nines),
        y: Axis::log("latency", values, format::nanos),
        marks: vec![],
        legend: vec![],
    };
    let told = curves.windows(2).any(|pair| pair[0].kind != pair[1].kind);
    for (index, (curve, points)) in curves.iter().zip(&points).enumerate() {
        let samples = curve.histogram.len();
        let (trusted, tail) = split(points, samples);
        chart.marks.push(Mark::Line { points: tail, ink: Ink::Tail(index) });
        chart.marks.push(Mark::Line { points: trusted, ink: Ink::Series(index) });
        let kind = if told { format!(" ({})", curve.kind.describe()) } else { String::new() };
        let label = format!("{}{kind}, n = {}", curve.label, format::count(samples));
        chart.legend.push(Key { ink: Ink::Series(index), label });
        chart.marks.extend(hints(curve));
    }
    for limit in limits {
        let at = -(1.0 - limit.quantile).max(1e-9).log10();
        let (from, to) = ((at - LIMIT_NINES).max(0.0), (at + LIMIT_NINES).min(nines));
        let points = vec![(from, limit.bound_ns), (to, limit.bound_ns)];
        chart.marks.push(Mark::Line { points, ink: Ink::Bound });
        let text = limit.label.clone();
        chart.marks.push(Mark::Label { at: (from, limit.bound_ns), text, ink: Ink::Bound });
    }
    if let Some(level) = calibration_ns {
        let points = vec![(0.0, level), (chart.x.to, level)];
        chart.marks.push(Mark::Line { points, ink: Ink::Calibration });
        let text = format!("bare line {}", format::nanos(level));
        chart.marks.push(Mark::Label { at: (chart.x.to, level), text, ink: Ink::Calibration });
    }
    Some(chart)
}

/// What the curves say, for who does not see them.
fn about(curves: &[Curve], calibration_ns: Option<f64>) -> String {
    let each = curves.iter().filter(|curve| !curve.histogram.is_empty()).map(|curve| {
        let at = |quantile| Percentile::of(&curve.histogram, quantile).shown();
        let max = format::nanos(curve.histogram.max() as f64);
        format!("{}: p50 {}, p99 {}, greatest {max}", curve.label, at(0.5), at(0.99))
    });
    let mut parts: Vec<String> = each.collect();
    parts.extend(calibration_ns.map(|level| format!("bare cache line {}", format::nanos(level))));
    format!("{}.", parts.join("; "))
}

/// What stands at the usual percentiles.
fn hints(curve: &Curve) -> impl Iterator<Item = Mark> {
    let n = curve.histogram.len() as f64;
    let usual = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"), (0.9999, "p99.99")];
    usual.into_iter().filter(move |(quantile, _)| n * (1.0 - quantile) >= 1.0).map(
        |(quantile, name)| {
            let percentile = Percentile::of(&curve.histogram, quantile);
            let value = (percentile.ns as f64).max(1.0);
            let text = format!("{}, {name}: {}", curve.label, percentile.shown());
            Mark::Hint { at: (-(1.0 - quantile).log10(), value), text }
        },
    )
}

/// The distribution as points: number of nines, value in ns (at least 1, for the log axis).
fn points(histogram: &Histogram<u64>) -> Vec<Point> {
    if histogram.is_empty() {
        return vec![];
    }
    let end = (histogram.len() as f64).log10();
    histogram
        .iter_quantiles(TICKS_PER_HALF_DISTANCE)
        .map(|step| {
            let nines = -(1.0 - step.quantile_iterated_to()).log10();
            (nines.min(end).max(0.0), step.value_iterated_to().max(1) as f64)
        })
        .collect()
}

/// Cuts the curve where fewer than [`SAMPLES_BEYOND`] lie beyond; the cut belongs to both parts.
fn split(points: &[Point], samples: u64) -> (Vec<Point>, Vec<Point>) {
    let limit = (samples as f64 / SAMPLES_BEYOND).log10();
    let cut = points.partition_point(|(nines, _)| *nines <= limit + 1e-9);
    (points[..cut].to_vec(), points[cut.saturating_sub(1)..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(samples: u64) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        for value in 1..=samples {
            histogram.record(value).unwrap();
        }
        histogram
    }

    #[test]
    fn the_tail_begins_where_fewer_than_ten_samples_lie_beyond() {
        let points = points(&histogram(1000));
        let (trusted, tail) = split(&points, 1000);
        // 99 % of 1000 leaves ten beyond.
        assert!(trusted.last().unwrap().0 <= 2.0 + 1e-9);
        assert!(tail.first() == trusted.last());
        assert!(tail.last().unwrap().0 > 2.9);
    }

    #[test]
    fn a_curve_never_falls_and_ends_at_its_greatest_sample() {
        let points = points(&histogram(1000));
        assert!(points.is_sorted_by(|left, right| left.0 <= right.0 && left.1 <= right.1));
        assert!((points.last().unwrap().1 - 1000.0).abs() < 1.0);
    }

    #[test]
    fn few_samples_are_all_tail() {
        let points = points(&histogram(5));
        let (trusted, tail) = split(&points, 5);
        assert!(trusted.is_empty());
        assert_eq!(tail.len(), points.len());
    }
}
