//! The strip of two sides: one dot a repeat in the order they ran, so that drift is not taken for a
//! difference.

use report_schema::{Evidence, Side};

use crate::plot::{Axis, Chart, Ink, Key, Mark, Point, Ticks};

/// One dot a repeat; `None` without repeats.
pub(crate) fn strip(
    title: &str,
    (label, format): (&str, fn(f64) -> String),
    evidence: &Evidence,
    bound: Option<f64>,
) -> Option<Chart> {
    let count = evidence.repeats.len();
    if count == 0 {
        return None;
    }
    let mut x = Axis::linear(
        "repeat, in the order they ran",
        (0.0, count as f64 + 1.0),
        crate::format::plain,
    );
    x.ticks = Ticks::At((1..=count).map(|place| place as f64).collect());
    let values = evidence.repeats.iter().map(|repeat| repeat.value).chain(bound);
    let y = Axis::log(label, values, format);
    let mut chart = Chart { title: title.to_owned(), x, y, marks: vec![], legend: vec![] };
    if let Some(bound) = bound {
        let points = vec![(0.0, bound), (count as f64 + 1.0, bound)];
        chart.marks.push(Mark::Line { points, ink: Ink::Calibration });
        let label = format!("bound: {}", format(bound));
        chart.legend.push(Key { ink: Ink::Calibration, label });
    }
    let sides =
        [(Side::Base, "A: ", evidence.baseline.as_str()), (Side::Candidate, "B: ", "this run")];
    for (index, (side, letter, name)) in sides.into_iter().enumerate() {
        let numbered = (1..).zip(&evidence.repeats);
        let points: Vec<Point> = numbered
            .filter(|(_, repeat)| repeat.side == side)
            .map(|(place, repeat)| (f64::from(place), repeat.value))
            .collect();
        let label = format!("{letter}{name}, n = {}", points.len());
        chart.marks.push(Mark::Dots { points, ink: Ink::Series(index) });
        chart.legend.push(Key { ink: Ink::Outline(index), label });
    }
    Some(chart)
}
