//! A quantity over stored runs, oldest first: one line a cell.

use crate::format;
use crate::plot::{Axis, Chart, Ink, Key, Mark, SweepSeries, Ticks};

/// One line a cell over the runs, which are numbered from 1; `None` with fewer than two runs.
pub(crate) fn trend(title: &str, runs: usize, series: &[SweepSeries]) -> Option<Chart> {
    if runs < 2 || series.is_empty() {
        return None;
    }
    let mut x = Axis::linear("run, oldest first", (0.5, runs as f64 + 0.5), format::plain);
    x.ticks = Ticks::At((1..=runs).map(|run| run as f64).collect());
    let values = series.iter().flat_map(|each| &each.points).map(|(_, y)| *y);
    let y = Axis::log("latency", values, format::nanos);
    let mut chart = Chart { title: title.to_owned(), x, y, marks: vec![], legend: vec![] };
    for (index, each) in series.iter().enumerate() {
        let points = each.points.clone();
        chart.marks.push(Mark::Line { points: points.clone(), ink: Ink::Series(index) });
        chart.marks.push(Mark::Dots { points, ink: Ink::Series(index) });
        chart.legend.push(Key { ink: Ink::Series(index), label: each.label.clone() });
    }
    Some(chart)
}
