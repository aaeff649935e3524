//! The percentile curve: log latency over nines, with the calibration as a line.

use hdrhistogram::Histogram;

use crate::format;
use crate::plot::{Axis, Chart, Ink, Key, Mark, Point};
use crate::summary::{Curve, SAMPLES_BEYOND};

/// Points between one halving of the remaining samples and the next.
const TICKS_PER_HALF_DISTANCE: u32 = 8;

/// The curves of one scenario; `None` when there is nothing to draw.
pub(crate) fn percentile(
    title: &str,
    curves: &[Curve],
    calibration_ns: Option<f64>,
) -> Option<Chart> {
    let points: Vec<_> = curves.iter().map(|curve| points(&curve.histogram)).collect();
    let nines = points.iter().flatten().map(|(x, _)| *x).fold(0.0, f64::max);
    if nines <= 0.0 {
        return None;
    }
    let values = points.iter().flatten().map(|(_, y)| *y).chain(calibration_ns);
    let y = Axis::log("latency", values, format::nanos);
    let mut chart = Chart {
        title: title.to_owned(),
        x: Axis::nines("percentile", nines),
        y,
        marks: vec![],
        legend: vec![],
    };
    if let Some(level) = calibration_ns {
        let points = vec![(0.0, level), (chart.x.to, level)];
        chart.marks.push(Mark::Line { points, ink: Ink::Calibration });
        let label = format!("bare cache line, one way: {}", format::nanos(level));
        chart.legend.push(Key { ink: Ink::Calibration, label });
    }
    for (index, (curve, points)) in curves.iter().zip(points).enumerate() {
        let samples = curve.histogram.len();
        let (trusted, tail) = split(&points, samples);
        chart.marks.push(Mark::Line { points: tail, ink: Ink::Tail(index) });
        chart.marks.push(Mark::Line { points: trusted, ink: Ink::Series(index) });
        let kind = curve.kind.describe();
        let label = format!("{} ({kind}), n = {}", curve.label, format::count(samples));
        chart.legend.push(Key { ink: Ink::Series(index), label });
    }
    Some(chart)
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
