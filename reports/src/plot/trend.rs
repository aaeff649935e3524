//! A quantity over stored runs, oldest first: one line a cell.

use crate::format;
use crate::plot::{Axis, Chart, Form, Ink, Key, Mark, SweepSeries, Ticks};

/// The runs of one cell.
pub(crate) struct Course {
    /// The line over all of them.
    pub(crate) line: SweepSeries,
    /// Numbers of the runs whose cores were not near.
    pub(crate) far: Vec<f64>,
}

/// One line a cell over the runs, which are numbered from 1 and have these names; `None` with fewer
/// than two runs. `y_label` and `show`: what the vertical axis is, and how it reads.
pub(crate) fn trend(
    title: &str,
    (y_label, show): (&str, fn(f64) -> String),
    names: &[String],
    courses: &[Course],
) -> Option<Chart> {
    let runs = names.len();
    if runs < 2 || courses.is_empty() {
        return None;
    }
    let mut x = Axis::linear("runs, oldest first", (0.5, runs as f64 + 0.5), format::plain);
    let places = (1..=runs).map(|run| run as f64);
    x.ticks = Ticks::Named(places.zip(names.iter().cloned()).collect());
    let values = courses.iter().flat_map(|each| &each.line.points).map(|(_, y)| *y);
    let y = Axis::log(y_label, values, show);
    let each = courses.iter().filter_map(|each| {
        let ((_, first), (_, last)) = (each.line.points.first()?, each.line.points.last()?);
        Some(format!("{} from {} to {}", each.line.label, show(*first), show(*last)))
    });
    let about = format!("{}.", each.collect::<Vec<_>>().join("; "));
    let form = Form::Full;
    let mut chart =
        Chart { title: title.to_owned(), about, form, x, y, marks: vec![], legend: vec![] };
    for (index, each) in courses.iter().enumerate() {
        let points = each.line.points.clone();
        let (far, near): (Vec<_>, Vec<_>) =
            points.iter().copied().partition(|(run, _)| each.far.contains(run));
        chart.marks.extend(points.iter().map(|(run, value)| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of runs"
            )]
            let name = names.get((*run as usize).saturating_sub(1)).map_or("", String::as_str);
            let class = if each.far.contains(run) { ", cores not near" } else { "" };
            let text = format!("{}, {name}{class}: {}", each.line.label, show(*value));
            Mark::Hint { at: (*run, *value), text }
        }));
        chart.marks.push(Mark::Line { points, ink: Ink::Series(index) });
        chart.marks.push(Mark::Dots { points: near, ink: Ink::Series(index) });
        chart.marks.push(Mark::Dots { points: far, ink: Ink::Outline(index) });
        chart.legend.push(Key { ink: Ink::Series(index), label: each.line.label.clone() });
    }
    Some(chart)
}
