//! Performance gates that compare with a stored run: the bound, two clock steps *and* the exchange
//! test must all say that it is missed. Which trials count, and with which, is as in comparisons.

use report_schema::{GateResult, Placement, Repeat, Side, SuiteResult, Trial, Verdict};

use super::performance::{doubtful, median, nothing};
use super::sides::{Member, compared, line_ns, may_count, sides};
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
    fn value(&self, metric: Metric) -> Result<f64, MissingFigure> {
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
    let unsaid = |why: String| gate(evidence, expectation, None, (Verdict::Inconclusive, why));
    let Some(against) = evidence.against else {
        return missing(evidence, expectation, &MissingFigure::Baseline);
    };
    let stored = match stored(evidence, against) {
        Ok(stored) => stored,
        Err(why) => return unsaid(why),
    };
    let members = beside(evidence, expectation, (against, stored));
    if let Some(why) = members.iter().find_map(Member::lacks) {
        return missing(evidence, expectation, why);
    }
    let outcomes = match outcomes(evidence, expectation, &members) {
        Ok(outcomes) => outcomes,
        Err(why) => return missing(evidence, expectation, &why),
    };
    let Some(outcome) = median(expectation, &outcomes) else {
        return unsaid(alone(expectation, figures, (against, stored)));
    };
    let Some(found) = asked(evidence, expectation, against, compared(&members)) else {
        return unsaid(format!("nothing can be divided by the baseline {}", against.name));
    };
    let said = said(evidence, expectation, outcome, &found);
    GateResult { evidence: Some(found), ..gate(evidence, expectation, Some(outcome), said) }
}

/// The trials of the same cell in the stored run.
fn stored<'a>(evidence: &Evidence<'_>, against: &Against<'a>) -> Result<&'a [Trial], String> {
    if let Some(obstacle) = &against.obstacle {
        return Err(format!("the baseline {} is of another machine: {obstacle}", against.name));
    }
    let mut cells = against.result.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let cell = cells.find(|cell| cell.id == evidence.cell.id);
    cell.map(|cell| cell.trials.as_slice())
        .ok_or_else(|| format!("the baseline {} has no cell {}", against.name, evidence.cell.id))
}

/// Both sides' trials, near ones only where they are asked for.
fn beside<'a>(
    evidence: &Evidence<'a>,
    expectation: &Expectation,
    (against, stored): (&Against<'_>, &'a [Trial]),
) -> Vec<Member<'a>> {
    let fits = |trial: &&Trial| is_asked(expectation, trial);
    let figure = |side, trial: &Trial| {
        let quantum = match side {
            Side::Base => against.result.host.clock_quantum_ns,
            Side::Candidate => evidence.clock_quantum_ns,
        };
        Figures::of(trial, quantum).value(expectation.check.metric)
    };
    sides(stored.iter().filter(fits), evidence.trials.iter().filter(fits), false, figure)
}

fn is_asked(expectation: &Expectation, trial: &Trial) -> bool {
    !expectation.near_only || trial.calibration.class == Placement::Near
}

/// What each compared trial of this run says, held against the stored ones between cores of its own
/// line, and told on the scale of all stored ones together.
fn outcomes(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    members: &[Member<'_>],
) -> Result<Vec<Outcome>, MissingFigure> {
    let both = members.iter().filter(|member| member.compared);
    let of = |wanted| both.clone().filter(move |member| member.side == wanted);
    let Some(whole) = statistics::median(of(Side::Base).filter_map(Member::figure)) else {
        return Ok(vec![]);
    };
    let one = |member: &Member<'_>| {
        let line = line_ns(member.trial);
        let level = of(Side::Base).filter(|base| line_ns(base.trial) == line);
        let baseline = statistics::median(level.filter_map(Member::figure)).unwrap_or(whole);
        let figures = &Figures::of(member.trial, evidence.clock_quantum_ns);
        let Outcome { value, bound, holds } =
            expectation.evaluate(&Beside { figures, baseline })?;
        let scale = if baseline > 0.0 { whole / baseline } else { 1.0 };
        Ok(Outcome { value: value * scale, bound: bound * scale, holds })
    };
    of(Side::Candidate).map(one).collect()
}

/// Why no trial of this run has a partner in the stored one.
fn alone(
    expectation: &Expectation,
    figures: &[Figures<'_>],
    (against, stored): (&Against<'_>, &[Trial]),
) -> String {
    let judged = |trial: &Trial| is_asked(expectation, trial) && may_count(trial);
    let name = against.name;
    if !figures.iter().any(|figures| judged(figures.trial())) {
        nothing(expectation, figures)
    } else if !stored.iter().any(judged) {
        format!("the baseline {name} has no trial that can be judged")
    } else {
        format!("no trial has a partner in the baseline {name} between cores of the same bare line")
    }
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
    } else if let Some(advice) = statistics::too_few(found) {
        unsure(advice)
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
