//! Where a file contradicts itself: a pass without data, a violation under a pass.

use report_schema::{GateResult, ModelKind, ModelResult, Placement, SuiteResult, Verdict};

use crate::format;
use crate::summary::CellSummary;

/// A contradiction, with the best verdict that is still honest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The best verdict that is still honest.
    pub verdict: Verdict,
    /// What contradicts what.
    pub text: String,
}

/// Every contradiction in the file.
pub(super) fn all(suite: &SuiteResult, cells: &[CellSummary<'_>]) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for summary in cells {
        of_cell(summary, &mut doubts);
    }
    for model in &suite.models {
        of_model(model, &mut doubts);
    }
    let parts = suite.scenarios.iter().map(|scenario| scenario.verdict);
    let parts = parts.chain(suite.models.iter().map(|model| model.verdict));
    if let Some(worst) = Verdict::worst(parts).filter(|worst| *worst > suite.verdict) {
        let text = format!("the file says {}, but a part of it says {worst}", suite.verdict);
        doubts.push(Doubt { verdict: worst, text });
    }
    doubts
}

/// The verdict of the run as a whole, where it is worse than that of every part that a reader is shown,
/// and the notes that say why: it broke off, or is not whole.
pub(super) fn unexplained(
    suite: &SuiteResult,
    doubts: &[Doubt],
    verdict: Option<Verdict>,
) -> Option<Doubt> {
    let verdict = verdict.filter(|verdict| *verdict > Verdict::Pass)?;
    let cells = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let compared = suite.comparisons.iter().flat_map(|comparison| &comparison.cells);
    let parts = cells
        .flat_map(|cell| &cell.gates)
        .map(|gate| gate.verdict)
        .chain(suite.models.iter().map(|model| model.verdict))
        .chain(suite.crashes.iter().map(|row| row.verdict))
        .chain(compared.map(|each| each.change.verdict()))
        .chain(doubts.iter().map(|doubt| doubt.verdict))
        .chain(suite.interrupted.then_some(Verdict::Inconclusive));
    if Verdict::worst(parts).is_some_and(|worst| worst >= verdict) {
        return None;
    }
    let notes = suite.notes.iter();
    let compared = suite.comparisons.iter().flat_map(|comparison| &comparison.notes);
    let notes: Vec<&str> = notes.chain(compared).map(String::as_str).collect();
    let text = if notes.is_empty() {
        format!("The run as a whole ended with the verdict {verdict}; no single part explains it.")
    } else {
        notes.join("\n")
    };
    Some(Doubt { verdict, text })
}

fn of_cell(summary: &CellSummary<'_>, doubts: &mut Vec<Doubt>) {
    let cell = summary.cell;
    if summary.counts.violations() > 0 && cell.verdict != Verdict::Correctness {
        let number = format::count(summary.counts.violations());
        let text = format!(
            "{}: {number} violations were counted, but its verdict is {}",
            cell.id, cell.verdict
        );
        doubts.push(Doubt { verdict: Verdict::Correctness, text });
    }
    // A broken or unsteady trial may be a pass of what is counted.
    let still = cell.trials.iter().any(|trial| trial.calibration.class != Placement::Changed);
    if cell.verdict == Verdict::Pass && (!still || cell.gates.is_empty()) {
        let lack = if still { "gate" } else { "trial" };
        let text = format!("{}: it says pass without a {lack}", cell.id);
        doubts.push(Doubt { verdict: Verdict::Inconclusive, text });
    }
    let blind = |gate: &&GateResult| gate.verdict == Verdict::Pass && gate.value.is_none();
    for gate in cell.gates.iter().filter(blind) {
        let text = format!("{}: gate {} says pass without a value", cell.id, gate.id);
        doubts.push(Doubt { verdict: Verdict::Inconclusive, text });
    }
}

fn of_model(model: &ModelResult, doubts: &mut Vec<Doubt>) {
    if model.verdict != Verdict::Pass {
        return;
    }
    let name = format!("model {} ({}, {})", model.scenario, model.engine, model.memory);
    if model.executions == 0 {
        let text = format!("{name}: it says pass after no execution");
        doubts.push(Doubt { verdict: Verdict::Inconclusive, text });
    }
    // A litmus test may be an expected failure without a trace of its own.
    let found = model.counterexample.is_some();
    if model.kind != ModelKind::Litmus && found != model.expected_failure {
        let had = if found { "a failure was found" } else { "no failure was found" };
        let must = if model.expected_failure { "it must fail" } else { "it must hold" };
        let text = format!("{name}: {must}, {had}, yet it says pass");
        doubts.push(Doubt { verdict: Verdict::Inconclusive, text });
    }
}
