//! A quantity of things that stand beside one another and have no order: transports, checksums.

use crate::format;
use crate::plot::{Axis, Chart, Form, Ink, Key, Mark, Ticks};

/// Lines that have their full height; more are closer together.
const ROWS: u32 = 12;

/// With more quantities than this, values beside the dots would cover one another.
const LABELLED: usize = 2;

/// One quantity over the things; `None` where one of them has no value.
pub(crate) struct Compared {
    /// What it is.
    pub(crate) label: String,
    /// A value for each thing, in their order.
    pub(crate) values: Vec<Option<f64>>,
}

/// Dots beside the names of things; `None` with fewer than two things that have a value.
pub(crate) fn compare(
    title: &str,
    (label, show): (&str, fn(f64) -> String),
    names: &[String],
    all: &[Compared],
) -> Option<Chart> {
    let some = (0..names.len())
        .filter(|at| all.iter().any(|each| each.values.get(*at).copied().flatten().is_some()));
    if some.count() < 2 {
        return None;
    }
    // The first stands on top; names to the left have room on a phone, too.
    let mut y = Axis::linear("", (0.4, names.len() as f64 + 0.6), format::plain);
    let places = (1..=names.len()).rev().map(|place| place as f64);
    y.ticks = Ticks::Named(places.zip(names.iter().cloned()).collect());
    let values = all.iter().flat_map(|each| &each.values).flatten().copied();
    let x = Axis::log(label, values, show);
    let mut about = vec![];
    let rows = u32::try_from(names.len()).unwrap_or(1).min(ROWS);
    let (title, form) = (title.to_owned(), Form::Rows(rows));
    let mut chart =
        Chart { title, about: String::new(), form, x, y, marks: vec![], legend: vec![] };
    for (index, each) in all.iter().enumerate() {
        let known = names.iter().zip(&each.values).enumerate();
        let known = known
            .filter_map(|(at, (name, value))| Some(((names.len() - at) as f64, name, (*value)?)));
        let mut points = vec![];
        for (at, name, value) in known {
            let text = format!("{name}, {}: {}", each.label, show(value));
            about.push(text.clone());
            chart.marks.push(Mark::Hint { at: (value, at), text });
            if all.len() <= LABELLED {
                let ink = Ink::Outline(index);
                chart.marks.push(Mark::Label { at: (value, at), text: show(value), ink });
            }
            points.push((value, at));
        }
        chart.marks.push(Mark::Dots { points, ink: Ink::Series(index) });
        chart.legend.push(Key { ink: Ink::Outline(index), label: each.label.clone() });
    }
    chart.about = format!("{}.", about.join("; "));
    Some(chart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_without_a_value_has_no_dot_and_one_thing_is_no_comparison() {
        let names = ["ours", "pipe", "socket"].map(str::to_owned);
        let all =
            [Compared { label: "p50".to_owned(), values: vec![Some(90.0), None, Some(4_000.0)] }];
        let chart = compare("t", ("latency", format::nanos), &names, &all).unwrap();
        let dots = chart.marks.iter().find_map(|mark| match mark {
            Mark::Dots { points, .. } => Some(points.clone()),
            _ => None,
        });
        assert_eq!(dots, Some(vec![(90.0, 3.0), (4_000.0, 1.0)]));
        assert!(compare("t", ("latency", format::nanos), &names[..1], &all).is_none());
    }
}
