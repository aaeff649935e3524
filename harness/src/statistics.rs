//! Two sides of repeats: how large the difference is, and how sure.
//!
//! Pure; the same figures and seed give the same answer. Nothing here decides: `compare` and
//! `verdict` do. Knows nothing of: trials, scenarios, files.
//! Checked by: `statistics/calibration.rs`, which counts false alarms and finds planted defects.

mod block;
mod exchange;
mod interval;
mod rate;

use report_schema::{Evidence, Repeat, Side};
use reports::format;

pub use block::dealt;
pub use exchange::{Exchange, exchange, partnered, repeats_needed};
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

/// Why no figures whatever could be sure enough, and how many would; `None` where they can.
#[must_use]
pub fn too_few(evidence: &Evidence) -> Option<String> {
    if evidence.p_least <= evidence.alpha {
        return None;
    }
    let blocked = evidence.repeats.iter().any(|repeat| repeat.block.is_some());
    let least = evidence.count(Side::Base).min(evidence.count(Side::Candidate));
    let advice = match repeats_needed(evidence.alpha, blocked) {
        needed if needed > least => format!("take {needed} each"),
        _ => "their partners were on other cores: take more".to_owned(),
    };
    Some(format!(
        "{} each cannot be surer than p = {:.2}, and p <= {} is wanted: {advice}",
        format::several(least, "repeat"),
        evidence.p_least,
        short(evidence.alpha)
    ))
}

/// A p value with two digits that say something.
#[must_use]
pub fn short(p: f64) -> String {
    if p >= 0.01 { format!("{p:.2}") } else { format!("{p:.1e}") }
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
