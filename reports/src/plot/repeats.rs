//! The repeats strip: one dot a trial in the order they ran, so that drift is seen.

use report_schema::Placement;

use crate::format;
use crate::plot::{Axis, Chart, Form, Ink, Key, Mark};

/// A cell with fewer trials than this shows nothing that its table would not.
const LEAST: usize = 3;

/// The trials of one cell.
pub(crate) struct Repeats {
    /// The cell.
    pub(crate) label: String,
    /// When each trial ran, the class of its cores, its figure.
    pub(crate) trials: Vec<(u64, Placement, f64)>,
}

/// One dot a trial; `None` where no cell has three.
pub(crate) fn repeats(
    title: &str,
    (label, format): (&str, fn(f64) -> String),
    cells: &[Repeats],
) -> Option<Chart> {
    if cells.iter().all(|cell| cell.trials.len() < LEAST) {
        return None;
    }
    let trials = || cells.iter().flat_map(|cell| &cell.trials);
    let mut order: Vec<u64> = trials().map(|(started_ms, _, _)| *started_ms).collect();
    order.sort_unstable();
    order.dedup();
    let last = order.len().checked_sub(1)?;
    let mut x =
        Axis::linear("trials, in the order they ran", (0.0, last as f64 + 2.0), format::plain);
    x.ticks = crate::plot::Ticks::At((1..=order.len()).map(|place| place as f64).collect());
    let y = Axis::log(label, trials().map(|(_, _, value)| *value), format);
    let about = about(label, format, cells);
    let form = Form::Strip;
    let mut chart =
        Chart { title: title.to_owned(), about, form, x, y, marks: vec![], legend: vec![] };
    for (index, cell) in cells.iter().enumerate() {
        let placed =
            |started_ms: &u64| (order.partition_point(|each| each < started_ms) + 1) as f64;
        for near in [true, false] {
            let ink = if near { Ink::Series(index) } else { Ink::Outline(index) };
            let of_class =
                cell.trials.iter().filter(|(_, class, _)| (*class == Placement::Near) == near);
            let points = of_class.map(|(started_ms, _, value)| (placed(started_ms), *value));
            chart.marks.push(Mark::Dots { points: points.collect(), ink });
        }
        chart.marks.extend(cell.trials.iter().map(|(started_ms, class, value)| Mark::Hint {
            at: (placed(started_ms), *value),
            text: format!("{}, cores {}: {}", cell.label, class.as_str(), format(*value)),
        }));
        if cells.len() > 1 {
            chart.legend.push(Key { ink: Ink::Outline(index), label: cell.label.clone() });
        }
    }
    Some(chart)
}

/// Between which values each cell's trials lie.
fn about(label: &str, format: fn(f64) -> String, cells: &[Repeats]) -> String {
    let each = cells.iter().map(|cell| {
        let (low, high) = super::axes::bounds(cell.trials.iter().map(|(_, _, value)| *value));
        let n = format::several(cell.trials.len(), "trial");
        format!("{}: {label} {} to {} over {n}", cell.label, format(low), format(high))
    });
    format!("{}.", each.collect::<Vec<_>>().join("; "))
}
