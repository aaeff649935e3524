//! The strip of two sides: one dot a repeat in the order they ran, so that drift is not taken for a
//! difference.

use report_schema::{Evidence, Side};

use crate::plot::{Axis, Chart, Form, Ink, Key, Mark, Point, Ticks};

/// One dot a repeat; `None` without repeats.
pub(crate) fn strip(
    title: &str,
    (label, format): (&str, fn(f64) -> String),
    (evidence, candidate): (&Evidence, &str),
    bound: Option<f64>,
) -> Option<Chart> {
    let count = evidence.repeats.len();
    if count == 0 {
        return None;
    }
    let mut x = Axis::linear(
        "trials, in the order they ran",
        (0.0, count as f64 + 1.0),
        crate::format::plain,
    );
    x.ticks = Ticks::At((1..=count).map(|place| place as f64).collect());
    let values = evidence.repeats.iter().map(|repeat| repeat.value).chain(bound);
    let y = Axis::log(label, values, format);
    let about = format!(
        "{count} trials of two sides. The candidate's median is {:.3} times the base's, p = {:.4}.",
        evidence.ratio, evidence.p_value
    );
    let form = Form::Strip;
    let mut chart =
        Chart { title: title.to_owned(), about, form, x, y, marks: vec![], legend: vec![] };
    if let Some(bound) = bound {
        let points = vec![(0.0, bound), (count as f64 + 1.0, bound)];
        chart.marks.push(Mark::Line { points, ink: Ink::Bound });
        let label = format!("bound: {}", format(bound));
        chart.legend.push(Key { ink: Ink::Bound, label });
    }
    let sides =
        [(Side::Base, "A: ", evidence.baseline.as_str()), (Side::Candidate, "B: ", candidate)];
    for (index, (side, letter, name)) in sides.into_iter().enumerate() {
        let numbered = (1..).zip(&evidence.repeats);
        let points: Vec<Point> = numbered
            .filter(|(_, repeat)| repeat.side == side)
            .map(|(place, repeat)| (f64::from(place), repeat.value))
            .collect();
        let label = format!("{letter}{name}, n = {}", points.len());
        chart.marks.extend(points.iter().map(|(place, value)| Mark::Hint {
            at: (*place, *value),
            text: format!("{letter}{name}, trial {place}: {}", format(*value)),
        }));
        chart.marks.push(Mark::Dots { points, ink: Ink::Series(index) });
        chart.legend.push(Key { ink: Ink::Outline(index), label });
    }
    Some(chart)
}
