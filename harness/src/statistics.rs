//! Two sides of repeats: how large the difference is, and how sure.
//!
//! Pure; the same figures and seed give the same answer. Nothing here decides: `compare` and
//! `verdict` do. Knows nothing of: trials, scenarios, files.
//! Checked by: `statistics/calibration.rs`, which counts false alarms and finds planted defects.

mod exchange;
mod interval;
mod rate;

use report_schema::{Evidence, Repeat, Side};

pub use exchange::{Exchange, exchange, least, partnered, repeats_needed};
pub use interval::{ratio, ratio_interval};
pub use rate::rate_interval;

/// How often a suite of comparisons without any difference may find one.
pub const ALPHA: f64 = 0.01;
/// How often an interval of a ratio holds the truth.
pub const CONFIDENCE: f64 = 0.95;
/// A difference of fewer steps of the clock is none.
pub const DOUBT_QUANTA: f64 = 2.0;

/// What is asked of two sides of repeats.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What the base is called.
    pub baseline: &'a str,
    /// The p value below which a difference counts, corrected for all that is asked.
    pub alpha: f64,
    /// The clock's smallest step, where the figure is a time.
    pub quantum: Option<f64>,
    /// Of the interval.
    pub seed: u64,
}

/// Effect, interval and p value. `None` where a side is empty or the ratio has no meaning.
#[must_use]
pub fn evidence(repeats: Vec<Repeat>, question: &Question<'_>) -> Option<Evidence> {
    let base = side_median(&repeats, Side::Base)?;
    if !(base.is_finite() && base > 0.0) {
        return None;
    }
    let ratio = ratio(&repeats)?;
    let difference = (ratio - 1.0) * base;
    let exchange = exchange(&repeats);
    Some(Evidence {
        baseline: question.baseline.to_owned(),
        ratio,
        ratio_interval: ratio_interval(&repeats, CONFIDENCE, question.seed)?,
        confidence: CONFIDENCE,
        p_value: exchange.p_value,
        alpha: question.alpha,
        p_least: exchange.p_least,
        difference,
        difference_quanta: question.quantum.map(|quantum| clean(difference.abs() / quantum)),
        repeats,
    })
}

/// The middle of some figures; the mean of the middle two of an even number.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = *values.get(half)?;
    let even = values.len().is_multiple_of(2);
    Some(if even { f64::midpoint(values[half - 1], upper) } else { upper })
}

/// Without the hair that dividing leaves: two whole steps of a clock are two.
fn clean(steps: f64) -> f64 {
    const FINE: f64 = 1e6;
    (steps * FINE).round() / FINE
}

fn side_median(repeats: &[Repeat], side: Side) -> Option<f64> {
    median(repeats.iter().filter(|repeat| repeat.side == side).map(|repeat| repeat.value))
}

#[cfg(test)]
mod calibration;
