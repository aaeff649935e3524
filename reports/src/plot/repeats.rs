//! The repeats strip: one dot a trial in the order they ran, so that drift is seen.

use report_schema::Placement;

use crate::format;
use crate::plot::{Axis, Chart, Ink, Key, Mark};

/// The trials of one cell.
pub(crate) struct Repeats {
    /// The cell.
    pub(crate) label: String,
    /// When each trial ran, the class of its cores, its median latency.
    pub(crate) trials: Vec<(u64, Placement, u64)>,
}

/// One dot a trial; `None` without trials.
pub(crate) fn repeats(title: &str, cells: &[Repeats]) -> Option<Chart> {
    let trials = || cells.iter().flat_map(|cell| &cell.trials);
    let mut order: Vec<u64> = trials().map(|(started_ms, _, _)| *started_ms).collect();
    order.sort_unstable();
    order.dedup();
    let last = order.len().checked_sub(1)?;
    let mut x =
        Axis::linear("trial, in the order they ran", (0.0, last as f64 + 2.0), format::plain);
    x.ticks = crate::plot::Ticks::At((1..=order.len()).map(|place| place as f64).collect());
    let y = Axis::log(
        "median latency",
        trials().map(|(_, _, p50)| (*p50).max(1) as f64),
        format::nanos,
    );
    let mut chart = Chart { title: title.to_owned(), x, y, marks: vec![], legend: vec![] };
    for (index, cell) in cells.iter().enumerate() {
        for near in [true, false] {
            let ink = if near { Ink::Series(index) } else { Ink::Outline(index) };
            let points: Vec<_> = cell
                .trials
                .iter()
                .filter(|(_, class, _)| (*class == Placement::Near) == near)
                .map(|(started_ms, _, p50)| {
                    let place = order.partition_point(|each| each < started_ms) + 1;
                    (place as f64, (*p50).max(1) as f64)
                })
                .collect();
            chart.marks.push(Mark::Dots { points, ink });
        }
        chart.legend.push(Key { ink: Ink::Outline(index), label: cell.label.clone() });
    }
    Some(chart)
}
