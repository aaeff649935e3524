//! Axes: from values to positions, and where the labels stand.

/// Letters of a label that is neither long nor short.
const USUAL_LETTERS: usize = 7;

/// How values become distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances.
    Log,
}

/// Where labels stand.
#[derive(Debug, Clone)]
pub(crate) enum Ticks {
    /// At round numbers.
    Round,
    /// At powers of ten, and at round numbers between them where there is room.
    Decades,
    /// At 0 %, 50 %, 90 %, 99 %, …: the axis counts nines.
    Nines,
    /// At these values, as far as there is room.
    At(Vec<f64>),
    /// At these values, each with its own name, as far as there is room.
    Named(Vec<(f64, String)>),
}

/// One axis.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// What it shows, with the unit.
    pub(crate) label: String,
    /// How values become distances.
    pub(crate) scale: Scale,
    /// The value at its beginning.
    pub(crate) from: f64,
    /// The value at its end.
    pub(crate) to: f64,
    /// Where labels stand.
    pub(crate) ticks: Ticks,
    /// How a label reads.
    pub(crate) format: fn(f64) -> String,
}

impl Axis {
    /// A logarithmic axis that holds all values with a little room at both ends.
    pub(crate) fn log(
        label: &str,
        values: impl Iterator<Item = f64>,
        format: fn(f64) -> String,
    ) -> Self {
        let (low, high) = bounds(values.filter(|value| *value > 0.0));
        let (from, to) = (low / 1.25, high * 1.25);
        Self { label: label.to_owned(), scale: Scale::Log, from, to, ticks: Ticks::Decades, format }
    }

    /// A linear axis between two values.
    pub(crate) fn linear(label: &str, (from, to): (f64, f64), format: fn(f64) -> String) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self {
            label: label.to_owned(),
            scale: Scale::Linear,
            from,
            to,
            ticks: Ticks::Round,
            format,
        }
    }

    /// The percentile axis up to `nines` nines.
    pub(crate) fn nines(label: &str, nines: f64) -> Self {
        let mut axis = Self::linear(label, (0.0, nines.max(1.0)), percentile_label);
        axis.ticks = Ticks::Nines;
        axis
    }

    /// The place of a value between 0, the beginning, and 1, the end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => (value / self.from).ln() / (self.to / self.from).ln(),
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// How the label of a value reads.
    pub(crate) fn name(&self, value: f64) -> String {
        let Ticks::Named(names) = &self.ticks else { return (self.format)(value) };
        let same = |(place, _): &&(f64, String)| (place - value).abs() < 1e-9;
        names.iter().find(same).map_or_else(String::new, |(_, name)| name.clone())
    }

    /// Where labels stand when `most` of them fit.
    pub(crate) fn tick_values(&self, most: usize) -> Vec<f64> {
        match &self.ticks {
            Ticks::Round => round_ticks(self.from, self.to, most),
            Ticks::Decades => decade_ticks(self.from, self.to, most),
            Ticks::Nines => nine_ticks(self.to, most),
            Ticks::At(values) => thinned(values.clone(), most),
            Ticks::Named(names) => {
                let longest = names.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
                let fitting = most.saturating_mul(USUAL_LETTERS) / longest.max(USUAL_LETTERS);
                thinned(names.iter().map(|(value, _)| *value).collect(), fitting)
            }
        }
    }
}

/// The least and the greatest value; 1 and 10 when there is none.
pub(crate) fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low <= high { (low, high) } else { (1.0, 10.0) }
}

/// The percentile at a number of nines: 0 is 0 %, 1 is 90 %, 2 is 99 %, and from five on their number
/// is easier to read than they are.
fn percentile_label(nines: f64) -> String {
    if nines > 4.5 {
        return format!("{nines:.0} nines");
    }
    let decimals = if nines > 2.0 { (nines - 1e-9).floor() - 1.0 } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 3")]
    let decimals = decimals as usize;
    format!("{:.decimals$} %", 100.0 * (1.0 - 10.0_f64.powf(-nines)))
}

fn nine_ticks(to: f64, most: usize) -> Vec<f64> {
    let half = 2.0_f64.log10();
    // The label of 50 % needs more room than the one of 0 % leaves on a narrow axis.
    let half_fits = half / to * (most as f64 + 3.0) >= 1.0;
    let whole: Vec<f64> = (1..=9).map(f64::from).filter(|nines| *nines <= to + 1e-9).collect();
    let whole = thinned(whole, most);
    let start = [0.0].into_iter().chain(half_fits.then_some(half));
    start.filter(|nines| *nines <= to + 1e-9).chain(whole).collect()
}

fn round_ticks(from: f64, to: f64, most: usize) -> Vec<f64> {
    let rough = (to - from) / most.max(1) as f64;
    let decade = 10.0_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(decade * 10.0);
    if !step.is_finite() || step <= 0.0 {
        return vec![from, to];
    }
    let first = (from / step).ceil();
    // A step is at least the span divided by `most`, so more than `most` never fit.
    (0..=most)
        .map(|index| (first + index as f64) * step)
        .take_while(|value| *value <= to + step * 1e-9)
        .collect()
}

fn decade_ticks(from: f64, to: f64, most: usize) -> Vec<f64> {
    for steps in
        [&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0][..], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]]
    {
        let ticks: Vec<f64> = (-3..=18)
            .flat_map(|power| steps.iter().map(move |step| step * 10.0_f64.powi(power)))
            .filter(|value| (from..=to).contains(value))
            .collect();
        if ticks.len() <= most || steps.len() == 1 {
            let ticks = thinned(ticks, most);
            return if ticks.len() < 2 { vec![from, to] } else { ticks };
        }
    }
    vec![from, to]
}

fn thinned(values: Vec<f64>, most: usize) -> Vec<f64> {
    let step = values.len().div_ceil(most.max(1)).max(1);
    values.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    #[test]
    fn the_percentile_axis_counts_nines() {
        let axis = Axis::nines("percentile", 4.2);
        let labels: Vec<_> = axis.tick_values(14).into_iter().map(axis.format).collect();
        assert_eq!(labels, ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        assert_eq!(axis.tick_values(6).len(), 5, "50 % does not fit");
        let long = Axis::nines("percentile", 8.0);
        let labels: Vec<_> = long.tick_values(4).into_iter().map(long.format).collect();
        assert_eq!(labels, ["0 %", "90 %", "99.9 %", "5 nines", "7 nines"]);
        assert!((axis.position(2.1) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_logarithmic_axis_labels_powers_of_ten_and_more_where_there_is_room() {
        let axis = Axis::log("latency", [60.0, 5e6].into_iter(), format::nanos);
        assert_eq!(axis.tick_values(5), [100.0, 1e3, 1e4, 1e5, 1e6]);
        let axis = Axis::log("latency", [60.0, 500.0].into_iter(), format::nanos);
        assert_eq!(axis.tick_values(7), [50.0, 100.0, 200.0, 500.0]);
    }

    #[test]
    fn round_ticks_stay_inside_and_few() {
        for (from, to) in [(0.0, 1.0), (0.0, 7.3), (3.0, 1e9), (-5.0, 5.0), (0.0, 1e-6)] {
            let ticks = round_ticks(from, to, 8);
            assert!((2..=9).contains(&ticks.len()), "{from} {to}: {ticks:?}");
            assert!(ticks.iter().all(|tick| *tick >= from - 1e-9 && *tick <= to * 1.000_001));
        }
    }

    #[test]
    fn impossible_values_stay_on_the_axis() {
        let axis = Axis::log("x", [f64::NAN, -1.0, 0.0].into_iter(), format::nanos);
        for value in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!((0.0..=1.0).contains(&axis.position(value)), "{value}");
        }
        assert!(axis.tick_values(0).len() <= 2 + 18);
    }
}
