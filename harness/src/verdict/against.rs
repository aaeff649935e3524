//! Performance gates that compare with a stored run: the bound, two clock steps *and* the exchange
//! test must all say that it is missed.

use report_schema::{GateResult, Placement, Repeat, Side, SuiteResult, Trial, Verdict};

use super::performance::{comparable, doubtful, median, nothing};
use super::{Evidence, Figures, gate, missing, several};
use crate::gate::{Dimension, Expectation, Metric, MetricSource, MissingFigure, Outcome};
use crate::statistics::{self, DOUBT_QUANTA, Question};

/// A stored run to compare with.
#[derive(Debug)]
pub struct Against<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The run.
    pub result: &'a SuiteResult,
    /// Why the two runs cannot be compared at all, for instance because of another machine.
    pub obstacle: Option<String>,
    /// How many gates of this run compare with it: all of them together keep the promised rate of
    /// false alarms.
    pub gates: usize,
}

/// A trial's figures beside those of the stored run.
struct Beside<'f, 'a> {
    figures: &'f Figures<'a>,
    baseline: f64,
}

impl MetricSource for Beside<'_, '_> {
    fn value(&self, metric: Metric) -> Option<f64> {
        self.figures.value(metric)
    }

    fn baseline(&self) -> Option<f64> {
        Some(self.baseline)
    }
}

pub(super) fn judge(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    figures: &[Figures<'_>],
) -> GateResult {
    let (class, trials) = comparable(expectation, figures);
    let unsaid = |why: String| gate(evidence, expectation, None, (Verdict::Inconclusive, why));
    let Some(against) = evidence.against else {
        return missing(evidence, expectation, MissingFigure::Baseline);
    };
    if trials.is_empty() {
        return unsaid(nothing(expectation, figures));
    }
    let base = match stored(evidence, expectation, against, class) {
        Ok(base) => base,
        Err(why) => return unsaid(why),
    };
    let Some(baseline) = statistics::median(base.iter().copied()) else {
        let name = against.name;
        return unsaid(format!("the baseline {name} has no trial of class {}", class.as_str()));
    };
    let beside = trials.iter().map(|figures| Beside { figures, baseline });
    let outcomes: Result<Vec<Outcome>, _> =
        beside.map(|figures| expectation.evaluate(&figures)).collect();
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(why) => return missing(evidence, expectation, why),
    };
    let own = outcomes.iter().map(|outcome| outcome.value);
    let Some(found) = asked(evidence, expectation, against, repeats(base, own)) else {
        return unsaid(format!("nothing can be divided by the baseline {baseline}"));
    };
    let Some(outcome) = median(expectation, &outcomes) else {
        return unsaid(nothing(expectation, figures));
    };
    let said = said(evidence, expectation, outcome, &found);
    GateResult { evidence: Some(found), ..gate(evidence, expectation, Some(outcome), said) }
}

/// The figures of the same cell in the stored run, of whole trials of the same class.
fn stored(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    against: &Against<'_>,
    class: Placement,
) -> Result<Vec<f64>, String> {
    if let Some(obstacle) = &against.obstacle {
        return Err(format!("the baseline {} is of another machine: {obstacle}", against.name));
    }
    let mut cells = against.result.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let cell = cells
        .find(|cell| cell.id == evidence.cell.id)
        .ok_or_else(|| format!("the baseline {} has no cell {}", against.name, evidence.cell.id))?;
    let fits = |trial: &&Trial| trial.broken.is_empty() && trial.calibration.class == class;
    let quantum = against.result.host.clock_quantum_ns;
    let value = |trial: &Trial| Figures::of(trial, quantum).value(expectation.check.metric);
    Ok(cell.trials.iter().filter(fits).filter_map(value).collect())
}

fn repeats(base: Vec<f64>, own: impl Iterator<Item = f64>) -> Vec<Repeat> {
    let of = |side| move |value| Repeat { side, block: None, line_ns: None, value };
    let base = base.into_iter().map(of(Side::Base));
    base.chain(own.map(of(Side::Candidate))).collect()
}

fn asked(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    against: &Against<'_>,
    repeats: Vec<Repeat>,
) -> Option<report_schema::Evidence> {
    let time = expectation.check.metric.dimension() == Dimension::Time;
    let question = Question {
        baseline: against.name,
        alpha: statistics::ALPHA / against.gates.max(1) as f64,
        quantum: time.then(|| evidence.clock_quantum_ns.unwrap_or(1) as f64),
        seed: evidence.cell.run.seed,
    };
    statistics::evidence(repeats, &question)
}

fn said(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    outcome: Outcome,
    found: &report_schema::Evidence,
) -> (Verdict, String) {
    let (own, base) = (found.count(Side::Candidate), found.count(Side::Base));
    let over = format!("{} against {base} of {}", several(own, "trial"), found.baseline);
    let wanted = expectation.min_trials as usize;
    let (p, alpha) = (found.p_value, found.alpha);
    let unsure = |why: String| (Verdict::Inconclusive, format!("{over}: {why}"));
    if own.min(base) < wanted {
        unsure(format!("{wanted} are wanted of each"))
    } else if found.p_least > alpha {
        let needed = statistics::repeats_needed(alpha, false);
        unsure(format!("so few cannot be surer than p = {:.2}; take {needed} each", found.p_least))
    } else if outcome.holds {
        (Verdict::Pass, format!("{over}: {:+.1} %", (found.ratio - 1.0) * 100.0))
    } else if doubtful(evidence, expectation, outcome)
        || found.difference_quanta.is_some_and(|quanta| quanta < DOUBT_QUANTA)
    {
        unsure("misses it within two steps of the clock".to_owned())
    } else if p > alpha {
        unsure(format!("misses it, but so does chance (p = {p:.4}, {alpha:.4} is wanted)"))
    } else {
        let percent = (found.ratio - 1.0) * 100.0;
        (Verdict::Performance, format!("{over}: misses it by {percent:+.1} %, p = {p:.1e}"))
    }
}

#[cfg(test)]
mod tests;
