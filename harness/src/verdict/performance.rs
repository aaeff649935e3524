//! Performance gates: trials of one class, their median, and two clock steps of doubt.

use report_schema::{GateResult, Placement, Trial, Verdict};
use reports::summary::{commonest, is_whole};

use super::sides::is_steady;
use super::{Evidence, Figures, against, gate, missing, several};
use crate::gate::{Class, Dimension, Expectation, MissingFigure, Outcome};
use crate::scenario::Cell;
use crate::statistics::{self, DOUBT_QUANTA};

pub(super) fn judge(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    figures: &[Figures<'_>],
) -> GateResult {
    if expectation.check.needs_baseline() {
        return against::judge(evidence, expectation, figures);
    }
    let (class, trials) = comparable(expectation, figures);
    let found: Result<Vec<Outcome>, MissingFigure> =
        trials.iter().map(|figures| expectation.evaluate(*figures)).collect();
    let outcomes = match found {
        Ok(outcomes) => outcomes,
        Err(why) => return missing(evidence, expectation, &why),
    };
    let Some(outcome) = median(expectation, &outcomes) else {
        let said = (Verdict::Inconclusive, nothing(expectation, figures));
        return gate(evidence, expectation, None, said);
    };
    let wanted = expectation.min_trials as usize;
    let (count, class) = (several(outcomes.len(), "trial"), class.as_str());
    let said = if outcomes.len() < wanted {
        (Verdict::Inconclusive, format!("{count} of class {class}, {wanted} are wanted"))
    } else if outcome.holds {
        (Verdict::Pass, format!("median of {count} of class {class}"))
    } else if doubtful(evidence, expectation, outcome) {
        let steps = "within two steps of the clock";
        (Verdict::Inconclusive, format!("median of {count} of class {class} misses it {steps}"))
    } else {
        (Verdict::Performance, format!("median of {count} of class {class} misses it"))
    };
    gate(evidence, expectation, Some(outcome), said)
}

/// The trials that may be compared: whole ones of one class, near ones where they are asked for.
fn comparable<'f, 'a>(
    expectation: &Expectation,
    figures: &'f [Figures<'a>],
) -> (Placement, Vec<&'f Figures<'a>>) {
    let trials: Vec<&Trial> = figures.iter().map(Figures::trial).collect();
    let class = if expectation.near_only { None } else { commonest(&trials) };
    let class = class.unwrap_or(Placement::Near);
    let fits = |figures: &&Figures<'_>| is_compared(figures.trial(), class);
    (class, figures.iter().filter(fits).collect())
}

fn is_compared(trial: &Trial, class: Placement) -> bool {
    is_whole(trial) && trial.calibration.class == class
}

/// Writes into each trial of a cell whether gates take figures from it. Where all that judge figures
/// ask for near cores and there were any, these; the commonest class otherwise, so that there is
/// something to show.
pub fn mark(cell: &Cell, trials: &mut [Trial]) {
    let mut judging =
        cell.expectations.iter().filter(|one| one.class() == Class::Performance).peekable();
    let near = judging.peek().is_some() && judging.all(|one| one.near_only);
    let near = near && trials.iter().any(|trial| is_compared(trial, Placement::Near));
    let class =
        if near { Some(Placement::Near) } else { commonest(&trials.iter().collect::<Vec<_>>()) };
    for trial in trials {
        trial.judged = Some(class.is_some_and(|class| is_compared(trial, class)));
    }
}

pub(super) fn nothing(expectation: &Expectation, figures: &[Figures<'_>]) -> String {
    let broken = figures.iter().filter(|figures| !figures.trial().broken.is_empty()).count();
    let unsteady = figures.iter().filter(|figures| !is_steady(figures.trial())).count();
    let interrupted = figures.iter().filter(|figures| figures.trial().interrupted).count();
    let total = several(figures.len(), "trial");
    if interrupted > 0 {
        format!("none of {total} can be judged ({broken} broke, {interrupted} interrupted)")
    } else if figures.is_empty() {
        "no trial ran".to_owned()
    } else if unsteady > 0 {
        format!("none of {total} can be judged ({broken} broke, {unsteady} never held still)")
    } else if expectation.near_only {
        format!("none of {total} ran on near cores ({broken} broke)")
    } else {
        format!("none of {total} can be judged ({broken} broke)")
    }
}

/// The median value against the median bound.
pub(super) fn median(expectation: &Expectation, outcomes: &[Outcome]) -> Option<Outcome> {
    let middle = |part: fn(&Outcome) -> f64| statistics::median(outcomes.iter().map(part));
    let value = middle(|outcome| outcome.value)?;
    let bound = middle(|outcome| outcome.bound)?;
    Some(Outcome { value, bound, holds: expectation.check.op.holds(value, bound) })
}

pub(super) fn doubtful(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    outcome: Outcome,
) -> bool {
    let quantum = evidence.clock_quantum_ns.unwrap_or(1) as f64;
    expectation.check.metric.dimension() == Dimension::Time
        && (outcome.value - outcome.bound).abs() < DOUBT_QUANTA * quantum
}
