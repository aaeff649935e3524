//! From effect, interval and p value to one of four answers, and why.

use report_schema::{Change, Evidence, Side};

use crate::statistics::{DOUBT_QUANTA, median, short, too_few};

/// Less than this is no difference that matters, unless something else is asked for.
pub const RATIO: f64 = 1.05;

/// How a figure is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Less than this is no difference that matters; above 1.
    pub ratio: f64,
    /// The clock's smallest step, where the figure is a time.
    pub quantum: Option<f64>,
    /// Whether more is better.
    pub greater_is_better: bool,
}

/// What is to be said, and why.
///
/// A change needs all of a ratio, two steps of the clock and the exchange test. That there is none
/// needs an interval that leaves no room for one; everything else is not known.
#[must_use]
pub fn change(evidence: &Evidence, scale: Scale) -> (Change, String) {
    let Scale { ratio, greater_is_better, .. } = scale;
    if let Some(why) = too_few(evidence) {
        return (Change::Inconclusive, why);
    }
    let said = said(evidence, greater_is_better);
    let large = evidence.ratio >= ratio || evidence.ratio <= 1.0 / ratio;
    let steps = evidence.difference_quanta.is_none_or(|quanta| quanta >= DOUBT_QUANTA);
    let sure = evidence.p_value <= evidence.alpha;
    let better = (evidence.ratio > 1.0) == greater_is_better;
    if large && steps && sure {
        return (if better { Change::Improved } else { Change::Regressed }, said);
    }
    if fits(evidence, scale) {
        return (Change::NoDifference, said);
    }
    let why = if large && steps {
        format!("{said}: p <= {} is wanted", short(evidence.alpha))
    } else {
        format!("{said}: too wide to exclude a factor of {ratio}")
    };
    (Change::Inconclusive, why)
}

/// Whether the interval leaves no room for a difference that matters or that the clock could show.
fn fits(evidence: &Evidence, scale: Scale) -> bool {
    let (low, high) = evidence.ratio_interval;
    let base = median(evidence.values(Side::Base)).unwrap_or(f64::INFINITY);
    let invisible = |end: f64| {
        let visible = |quantum: f64| ((end - 1.0) * base).abs() >= DOUBT_QUANTA * quantum;
        scale.quantum.is_some_and(|quantum| !visible(quantum))
    };
    let small = |end: f64| end < scale.ratio && end > 1.0 / scale.ratio || invisible(end);
    small(low) && small(high)
}

fn said(evidence: &Evidence, greater_is_better: bool) -> String {
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let (low, high) = evidence.ratio_interval;
    let word = match evidence.ratio {
        ratio if (ratio - 1.0).abs() < f64::EPSILON => "the same",
        ratio if (ratio > 1.0) == greater_is_better => "better",
        _ => "worse",
    };
    let steps = evidence
        .difference_quanta
        .map_or(String::new(), |quanta| format!(", {quanta:.1} steps of the clock"));
    format!(
        "{:+.1} % ({:+.1} … {:+.1} %), {word}{steps}, p = {} over {} and {} repeats",
        percent(evidence.ratio),
        percent(low),
        percent(high),
        short(evidence.p_value),
        evidence.count(Side::Base),
        evidence.count(Side::Candidate)
    )
}
