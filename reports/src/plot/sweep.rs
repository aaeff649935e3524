//! A quantity over one axis of the matrix: payload size, readers, offered load.

use crate::plot::{Axis, Chart, Form, Ink, Key, Mark, Point, Scale, Ticks};

/// What is drawn.
pub(crate) struct Sweep<'a> {
    /// What it shows.
    pub(crate) title: &'a str,
    /// The horizontal axis in words.
    pub(crate) x_label: &'a str,
    /// Whether equal ratios are equal distances on it.
    pub(crate) x_scale: Scale,
    /// How its labels read.
    pub(crate) x_format: fn(f64) -> String,
    /// The vertical axis in words.
    pub(crate) y_label: &'a str,
    /// How its labels read.
    pub(crate) y_format: fn(f64) -> String,
    /// A place on the horizontal axis that matters, and why.
    pub(crate) knee: Option<(f64, String)>,
}

/// One line.
pub(crate) struct SweepSeries {
    /// What it is.
    pub(crate) label: String,
    /// Its points, ascending in x.
    pub(crate) points: Vec<Point>,
}

/// The sweep; `None` with fewer than two places on the horizontal axis.
pub(crate) fn sweep(of: &Sweep<'_>, series: &[SweepSeries]) -> Option<Chart> {
    let mut places: Vec<f64> =
        series.iter().flat_map(|each| &each.points).map(|(x, _)| *x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (first, last) = (*places.first()?, *places.last()?);
    if places.len() < 2 {
        return None;
    }
    let mut x = match of.x_scale {
        Scale::Log => Axis::log(of.x_label, places.iter().copied(), of.x_format),
        Scale::Linear => {
            let room = (last - first) * 0.04;
            Axis::linear(of.x_label, (first - room, last + room), of.x_format)
        }
    };
    x.ticks = Ticks::At(places);
    let y = Axis::log(
        of.y_label,
        series.iter().flat_map(|each| &each.points).map(|(_, y)| *y),
        of.y_format,
    );
    let mut chart = Chart {
        title: of.title.to_owned(),
        about: about(of, series),
        form: Form::Full,
        x,
        y,
        marks: vec![],
        legend: vec![],
    };
    if let Some((place, label)) = &of.knee {
        let points = vec![(*place, chart.y.from), (*place, chart.y.to)];
        chart.marks.push(Mark::Line { points, ink: Ink::Bound });
        chart.legend.push(Key { ink: Ink::Bound, label: label.clone() });
    }
    for (index, each) in series.iter().enumerate() {
        chart.marks.push(Mark::Line { points: each.points.clone(), ink: Ink::Series(index) });
        chart.marks.push(Mark::Dots { points: each.points.clone(), ink: Ink::Series(index) });
        chart.marks.extend(each.points.iter().map(|(x, y)| Mark::Hint {
            at: (*x, *y),
            text: format!("{}, {}: {}", each.label, (of.x_format)(*x), (of.y_format)(*y)),
        }));
        chart.legend.push(Key { ink: Ink::Series(index), label: each.label.clone() });
    }
    Some(chart)
}

/// Where each line begins and ends.
fn about(of: &Sweep<'_>, series: &[SweepSeries]) -> String {
    let each = series.iter().filter_map(|each| {
        let ((first_x, first), (last_x, last)) = (each.points.first()?, each.points.last()?);
        let at = |x: f64, y: f64| format!("{} at {}", (of.y_format)(y), (of.x_format)(x));
        Some(format!("{}: {}, {}", each.label, at(*first_x, *first), at(*last_x, *last)))
    });
    format!("{} over {}. {}.", of.y_label, of.x_label, each.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    #[test]
    fn one_place_on_the_axis_is_no_sweep() {
        let of = Sweep {
            title: "t",
            x_label: "readers",
            x_scale: Scale::Linear,
            x_format: format::plain,
            y_label: "rate",
            y_format: format::rate,
            knee: Some((1.0, "the knee".to_owned())),
        };
        let series = |points| [SweepSeries { label: "a".to_owned(), points }];
        assert!(sweep(&of, &series(vec![(1.0, 5.0)])).is_none());
        assert!(sweep(&of, &series(vec![])).is_none());
        assert!(sweep(&of, &series(vec![(1.0, 5.0), (2.0, 4.0)])).is_some());
    }
}
