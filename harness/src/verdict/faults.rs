//! Whether the faults of a scenario came: a trial without them answers another question than the one
//! that was asked, so it is neither right nor wrong.

use report_schema::{FaultWindow, GateResult, Verdict};

use super::{Evidence, Rule, place, rule};
use crate::scenario::model::Length;

pub(super) const CAME: Rule = ("implied:faults", "every planned fault came");

/// Every planned fault came. One that the trial ended before says that the trial was too short, which
/// is inconclusive; one for which there was time says that this is not the trial that was planned.
pub(super) fn came(evidence: &Evidence<'_>) -> GateResult {
    let missed = || {
        evidence.trials.iter().flat_map(|trial| {
            let missed = trial.faults.iter().filter(|fault| fault.missed.is_some());
            missed.filter(|fault| is_due(evidence, &trial.faults, fault)).map(move |fault| {
                let why = fault.missed.as_deref().unwrap_or("?");
                let said = format!("`{}` did not come: {why} ({})", fault.name, place(trial));
                // What was cut off had no time left.
                (fault.failed && !trial.interrupted, said)
            })
        })
    };
    // The gravest stands first.
    let (failed, late): (Vec<_>, Vec<_>) = missed().partition(|(failed, _)| *failed);
    let worst = if failed.is_empty() { Verdict::Inconclusive } else { Verdict::Broken };
    let bad: Vec<String> = failed.into_iter().chain(late).map(|(_, said)| said).collect();
    rule(evidence, CAME, &bad, worst)
}

/// How often a fault repeats before a number of messages has passed, nobody knows beforehand: there one
/// time is enough.
fn is_due(evidence: &Evidence<'_>, all: &[FaultWindow], fault: &FaultWindow) -> bool {
    let cell = evidence.cell;
    let repeats = cell.faults.iter().any(|spec| spec.name == fault.name && spec.every.is_some());
    let open = repeats && matches!(cell.run.length, Length::Messages(_));
    let came = |other: &FaultWindow| other.name == fault.name && other.missed.is_none();
    fault.failed || !(open && all.iter().any(came))
}

#[cfg(test)]
mod tests;
