//! From recorded trials to verdicts: every expectation judged, the worst one decides.
//!
//! Pure. Correctness is never noisy: one trial that violates it is enough. A performance gate
//! compares trials of one class only, takes the median, and says that it does not know when the
//! data do not suffice. No data is never a pass.

mod against;
mod faults;
mod figures;
mod offered;
mod performance;
mod sides;

use report_schema::{Dropped, GateResult, Placement, Trial, Verdict};

use crate::gate::{Class, Expectation, Metric, MissingFigure, Outcome};
use crate::scenario::Cell;
use crate::scenario::model::transport::Carrier;
pub use against::Against;
pub(crate) use figures::Figures;
pub use offered::less as less_than_offered;
pub use performance::mark;
pub(crate) use sides::{Member, comparable, compared, sides};

/// Everything that is known of one cell.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The scenario file, for the reader of a gate.
    pub file: &'a str,
    /// What was promised.
    pub cell: &'a Cell,
    /// What happened; trials that moved between cores included.
    pub trials: &'a [Trial],
    /// The clock's smallest step.
    pub clock_quantum_ns: Option<u64>,
    /// The stored run that checks with `baseline` compare with.
    pub against: Option<&'a Against<'a>>,
}

/// What is to be said of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Each expectation, and the rules that hold for every scenario.
    pub gates: Vec<GateResult>,
    /// The worst of them.
    pub verdict: Verdict,
    /// Trials that no performance gate looked at.
    pub dropped: Dropped,
}

/// Judges a cell.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    let figures: Vec<Figures<'_>> =
        evidence.trials.iter().map(|trial| Figures::of(trial, evidence.clock_quantum_ns)).collect();
    let mut gates = vec![ran(evidence), agrees(evidence)];
    gates.extend(offered::judge(evidence));
    gates.extend(survives(evidence));
    if !evidence.cell.faults.is_empty() {
        gates.push(faults::came(evidence));
    }
    for expectation in &evidence.cell.expectations {
        let gate = match expectation.class() {
            Class::Correctness => correctness(evidence, expectation, &figures),
            Class::Performance => performance::judge(evidence, expectation, &figures),
        };
        gates.push(gate);
    }
    let verdict = Verdict::worst(gates.iter().map(|gate| gate.verdict));
    Judgement {
        gates,
        verdict: verdict.unwrap_or(Verdict::Inconclusive),
        dropped: dropped(evidence.trials),
    }
}

/// The id and the words of a rule that no file states.
pub type Rule = (&'static str, &'static str);

/// The rules that no file states, as [`judge`] will judge them of this cell.
#[must_use]
pub fn rules(cell: &Cell) -> Vec<Rule> {
    let offered = offered::applies(cell).then_some(offered::RULE);
    let faults = [SURVIVORS, faults::CAME].into_iter().filter(|_| !cell.faults.is_empty());
    [RAN, agreement(cell)].into_iter().chain(offered).chain(faults).collect()
}

const RAN: Rule = ("implied:ran", "every process ends as it should");
const SURVIVORS: Rule = ("implied:survivors", "nobody stays blocked by the dead");

const fn agreement(cell: &Cell) -> Rule {
    let check = match cell.block.transport {
        Carrier::DataHub => "the block's metrics agree with what its users counted",
        _ => "nobody missed anything without being told",
    };
    ("implied:metrics", check)
}

/// Whether a trial moved between cores, so that its figures belong to neither class.
#[must_use]
pub fn moved(trial: &Trial) -> bool {
    trial.calibration.class == Placement::Changed
}

fn dropped(trials: &[Trial]) -> Dropped {
    let reasons: Vec<String> = trials
        .iter()
        .filter(|trial| moved(trial))
        .map(|trial| {
            let line = trial.calibration;
            let ns = |value: Option<u64>| value.map_or("?".to_owned(), |ns| format!("{ns} ns"));
            format!(
                "repeat {} moved between cores: the bare line took {} before and {} after",
                trial.repeat,
                ns(line.before_ns),
                ns(line.after_ns)
            )
        })
        .collect();
    Dropped { trials: u32::try_from(reasons.len()).unwrap_or(u32::MAX), reasons }
}

/// A rule that no file states.
fn rule(evidence: &Evidence<'_>, rule: Rule, bad: &[String], worst: Verdict) -> GateResult {
    let (verdict, reason) = match (evidence.trials, bad) {
        ([], _) => (Verdict::Inconclusive, "no trial ran".to_owned()),
        (trials, []) => (Verdict::Pass, format!("so in {}", several(trials.len(), "trial"))),
        (_, [one]) => (worst, one.clone()),
        (_, [first, rest @ ..]) => (worst, format!("{first}; and {} more", rest.len())),
    };
    let counted = (!evidence.trials.is_empty()).then_some(bad.len() as f64);
    gate_of_rule(evidence, rule, (counted, Some(0.0), ""), (verdict, reason))
}

/// What is said of a rule that no file states: its figure, bound and unit, and why.
fn gate_of_rule(
    evidence: &Evidence<'_>,
    (id, check): Rule,
    (value, bound, unit): (Option<f64>, Option<f64>, &str),
    (verdict, reason): (Verdict, String),
) -> GateResult {
    GateResult {
        id: id.to_owned(),
        check: check.to_owned(),
        file: evidence.file.to_owned(),
        line: None,
        value,
        bound,
        unit: unit.to_owned(),
        verdict,
        reason,
        evidence: None,
    }
}

fn ran(evidence: &Evidence<'_>) -> GateResult {
    let bad: Vec<String> = in_trials(evidence, |trial| &trial.broken);
    let gate = rule(evidence, RAN, &bad, Verdict::Broken);
    match evidence.trials.iter().find(|trial| trial.interrupted).filter(|_| bad.is_empty()) {
        None => gate,
        Some(cut) => {
            let reason = format!("the trial was interrupted ({})", place(cut));
            GateResult { verdict: Verdict::Inconclusive, reason, ..gate }
        }
    }
}

fn agrees(evidence: &Evidence<'_>) -> GateResult {
    let bad: Vec<String> = in_trials(evidence, |trial| &trial.mismatches);
    rule(evidence, agreement(evidence.cell), &bad, Verdict::Correctness)
}

fn survives(evidence: &Evidence<'_>) -> Option<GateResult> {
    let bad: Vec<String> = in_trials(evidence, |trial| &trial.stuck);
    let unwatched: Vec<String> = in_trials(evidence, |trial| &trial.unwatched);
    let faults = !evidence.cell.faults.is_empty();
    let (bad, worst) = if bad.is_empty() {
        (unwatched, Verdict::Inconclusive)
    } else {
        (bad, Verdict::Correctness)
    };
    faults.then(|| rule(evidence, SURVIVORS, &bad, worst))
}

fn in_trials(evidence: &Evidence<'_>, part: impl Fn(&Trial) -> &Vec<String>) -> Vec<String> {
    let said = |trial: &Trial| {
        let place = place(trial);
        part(trial).iter().map(|what| format!("{what} ({place})")).collect::<Vec<_>>()
    };
    evidence.trials.iter().flat_map(said).collect()
}

/// A correctness expectation: any trial that violates it is enough.
fn correctness(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    figures: &[Figures<'_>],
) -> GateResult {
    let (mut seen, mut unknown) = (None, None);
    for figures in figures {
        match expectation.evaluate(figures) {
            // A trial that did not come to its end may show too much, but that it shows too little
            // says nothing.
            Ok(outcome) if outcome.holds || is_cut(figures) && outcome.value < outcome.bound => {
                seen.get_or_insert(outcome);
            }
            Ok(outcome) => {
                let (check, value) = (&expectation.check.text, outcome.value);
                let reason = format!("{check} does not hold: {value} ({})", place(figures.trial()));
                if expectation.check.metric == Metric::Faults {
                    // How many came says something of the trial, and nothing of the block.
                    (seen, unknown) = (Some(outcome), unknown.or(Some(reason)));
                    continue;
                }
                return gate(evidence, expectation, Some(outcome), (Verdict::Correctness, reason));
            }
            Err(missing) => {
                unknown.get_or_insert_with(|| format!("{missing} ({})", place(figures.trial())));
            }
        }
    }
    let broken = evidence.trials.iter().find(|trial| !trial.broken.is_empty());
    let interrupted = evidence.trials.iter().find(|trial| trial.interrupted);
    let said = match (seen, broken) {
        _ if unknown.is_some() => (Verdict::Inconclusive, unknown.unwrap_or_default()),
        (None, _) => (Verdict::Inconclusive, "no trial ran".to_owned()),
        (_, Some(broken)) => {
            (Verdict::Broken, format!("not violated, but the trial broke ({})", place(broken)))
        }
        _ => match interrupted {
            Some(cut) => (
                Verdict::Inconclusive,
                format!("not violated, but the trial was interrupted ({})", place(cut)),
            ),
            None => (Verdict::Pass, format!("so in {}", several(figures.len(), "trial"))),
        },
    };
    gate(evidence, expectation, seen, said)
}

/// Whether a trial did not come to its end.
fn is_cut(figures: &Figures<'_>) -> bool {
    let trial = figures.trial();
    trial.interrupted || !trial.broken.is_empty()
}

/// Which trial, so that it can be repeated.
fn place(trial: &Trial) -> String {
    format!("repeat {}, seed {:#018x}", trial.repeat, trial.seed)
}

fn several(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn gate(
    evidence: &Evidence<'_>,
    expectation: &Expectation,
    outcome: Option<Outcome>,
    (verdict, reason): (Verdict, String),
) -> GateResult {
    GateResult {
        id: expectation.id.clone(),
        check: expectation.check.text.clone(),
        file: evidence.file.to_owned(),
        line: u32::try_from(expectation.line).ok(),
        value: outcome.map(|outcome| outcome.value),
        bound: outcome.map(|outcome| outcome.bound),
        unit: expectation.check.metric.dimension().unit().to_owned(),
        verdict,
        reason,
        evidence: None,
    }
}

fn missing(evidence: &Evidence<'_>, expectation: &Expectation, why: &MissingFigure) -> GateResult {
    gate(evidence, expectation, None, (Verdict::Inconclusive, why.to_string()))
}

#[cfg(test)]
mod tests;
