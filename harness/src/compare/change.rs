//! From effect, interval and p value to one of four answers, and why.

use report_schema::{Change, Evidence, Side};

use crate::statistics::{DOUBT_QUANTA, median, repeats_needed};

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
    let blocked = evidence.repeats.iter().any(|repeat| repeat.block.is_some());
    let least = evidence.count(Side::Base).min(evidence.count(Side::Candidate));
    if evidence.p_least > evidence.alpha {
        let needed = match repeats_needed(evidence.alpha, blocked) {
            needed if needed > least => format!("take {needed} each"),
            _ => "their partners were on other cores: take more".to_owned(),
        };
        let why = format!(
            "{least} repeats each cannot be surer than p = {:.2}, and p <= {} is wanted: {needed}",
            evidence.p_least,
            short(evidence.alpha)
        );
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

/// Two digits that say something.
fn short(p: f64) -> String {
    if p >= 0.01 { format!("{p:.2}") } else { format!("{p:.1e}") }
}
