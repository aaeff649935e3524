//! The result as JUnit XML: every cell, model, row of kills and compared figure is a test case.
//!
//! Correctness and performance are failures, a broken part is an error, an inconclusive one is
//! skipped with its reason. A file in which nothing ran, or that contradicts itself, has a case
//! that says so, and so has a run that is worse than all of its parts: tools that only count must not
//! count it as passed.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use report_schema::{
    CellComparison, Comparison, CrashResult, GateResult, INTERRUPTED_NOTE, ModelResult,
    SuiteResult, Verdict,
};

use crate::format;
use crate::page::place;
use crate::summary::{CellSummary, Curves, Percentile, Shown, Summary};

/// Why the XML could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the JUnit file cannot be made: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// Percentiles that a test case has as properties; in brackets where too few samples lie beyond.
const PERCENTILES: [(&str, f64); 5] =
    [("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99), ("p99.9_ns", 0.999), ("max_ns", 1.0)];

/// Renders the result as JUnit XML.
///
/// # Errors
///
/// [`JunitError`]: only what the writer refuses; no result is known to cause it.
pub fn render(suite: &SuiteResult) -> Result<String, JunitError> {
    let summary = Summary::of(suite);
    let mut report = Report::new(&suite.suite);
    report.set_time(Duration::from_millis(suite.wall_ms));
    for scenario in &suite.scenarios {
        let of_it = |each: &&CellSummary<'_>| core::ptr::eq(each.scenario, scenario);
        let mut part = TestSuite::new(&scenario.name);
        part.add_property(Property::new("file", &scenario.file));
        part.add_property(Property::new("question", &scenario.question));
        part.add_test_cases(summary.cells.iter().filter(of_it).map(cell));
        report.add_test_suite(part);
    }
    if !suite.models.is_empty() {
        let mut part = TestSuite::new("models");
        part.add_test_cases(suite.models.iter().map(model));
        report.add_test_suite(part);
    }
    if !suite.crashes.is_empty() {
        let mut part = TestSuite::new("kills");
        part.add_test_cases(suite.crashes.iter().map(crash));
        report.add_test_suite(part);
    }
    if !suite.comparisons.is_empty() {
        let mut part = TestSuite::new("comparisons");
        part.add_test_cases(suite.comparisons.iter().flat_map(compared));
        report.add_test_suite(part);
    }
    report.add_test_suite(whole(&summary));
    Ok(report.to_string()?)
}

/// What can be said of the file only as a whole.
fn whole(summary: &Summary<'_>) -> TestSuite {
    let mut lines: Vec<&str> = summary.doubts.iter().map(|doubt| doubt.text.as_str()).collect();
    if summary.verdict.is_none() {
        lines.push("nothing ran; no data is never a pass");
    }
    let cut = summary.suite.interrupted;
    let verdict = match lines.is_empty() {
        false => {
            let doubts = summary.doubts.iter().map(|doubt| doubt.verdict);
            doubts.fold(Verdict::Broken, Verdict::max)
        }
        true if cut => Verdict::Inconclusive,
        true => Verdict::Pass,
    };
    lines.extend(cut.then_some(INTERRUPTED_NOTE));
    let mut case = TestCase::new("something ran and nothing contradicts itself", status(verdict));
    case.set_classname("result");
    explain(&mut case, lines.first().copied().unwrap_or(""), &lines.join("\n"));
    let mut part = TestSuite::new("result");
    let facts = [
        ("commit", summary.suite.commit.clone()),
        ("profile", Some(summary.suite.profile.clone())),
        ("seed", Some(summary.suite.seed.to_string())),
        ("verdict", summary.verdict.map(|verdict| verdict.to_string())),
    ];
    for (name, value) in facts {
        part.add_property(Property::new(name, value.as_deref().unwrap_or("none")));
    }
    part.add_properties(
        summary
            .suite
            .parts
            .iter()
            .map(|part| Property::new(format!("part.{}", part.suite), part.verdict.as_str())),
    );
    part.add_properties(summary.suite.notes.iter().map(|note| Property::new("note", note)));
    part.add_test_case(case);
    part.add_test_cases(summary.whole.as_ref().map(|whole| {
        let mut case = TestCase::new("the run as a whole", status(whole.verdict));
        case.set_classname("result");
        explain(&mut case, &summary.sentence, &whole.text);
        case
    }));
    part
}

fn cell(summary: &CellSummary<'_>) -> TestCase {
    let cell = summary.cell;
    let gates = cell.gates.iter().map(|gate| gate.verdict);
    let worst = Verdict::worst(gates.chain([cell.verdict])).unwrap_or(Verdict::Inconclusive);
    let verdict = if cell.trials.is_empty() { worst.max(Verdict::Inconclusive) } else { worst };
    let mut case = TestCase::new(&cell.id, status(verdict));
    case.set_classname(&summary.scenario.name);
    case.set_assertions(cell.gates.len());
    let took_ms = cell.trials.iter().map(|trial| trial.duration_ms).fold(0, u64::saturating_add);
    case.set_time(Duration::from_millis(took_ms));
    let mut failed: Vec<&GateResult> =
        cell.gates.iter().filter(|gate| gate.verdict != Verdict::Pass).collect();
    failed.sort_by_key(|gate| core::cmp::Reverse(gate.verdict));
    let lines: Vec<String> = failed.iter().map(|gate| gate_line(gate)).collect();
    let first = lines.first().or(cell.degraded.first()).map_or("no trial ran", String::as_str);
    explain(&mut case, first, &[lines.as_slice(), cell.degraded.as_slice()].concat().join("\n"));
    for curve in Curves::shown(&[summary], Shown::EachEnd).curves {
        let name = format!("{}.{:?}", curve.label, curve.kind);
        case.add_property(Property::new(format!("{name}.n"), curve.histogram.len().to_string()));
        for (percentile, quantile) in PERCENTILES {
            let found = Percentile::of(&curve.histogram, quantile);
            let value = found.bracketed(found.ns.to_string());
            case.add_property(Property::new(format!("{name}.{percentile}"), value));
        }
    }
    case
}

/// Where it is stated, what it says, value and bound, and why.
fn gate_line(gate: &GateResult) -> String {
    let quantity = |name: &str, value: Option<f64>| {
        value.map(|value| format!(", {name} {}", format::with_unit(value, &gate.unit)))
    };
    let (value, bound) = (quantity("value", gate.value), quantity("bound", gate.bound));
    format!(
        "{}: [{}] {}: {}: {}{}{}",
        place(gate),
        gate.id,
        gate.check,
        gate.verdict,
        gate.reason,
        value.unwrap_or_default(),
        bound.unwrap_or_default()
    )
}

fn model(model: &ModelResult) -> TestCase {
    let idle = model.executions == 0 && model.verdict == Verdict::Pass;
    let verdict = if idle { Verdict::Inconclusive } else { model.verdict };
    let mut case = TestCase::new(format!("{} ({})", model.scenario, model.memory), status(verdict));
    case.set_classname(format!("models.{}", model.engine));
    case.set_time(Duration::from_millis(model.elapsed_ms));
    case.add_property(Property::new("executions", model.executions.to_string()));
    case.add_property(Property::new("replay", &model.replay));
    let found = model.counterexample.as_ref();
    let why = found.map_or("it did not end as it must", |found| found.english.as_str());
    let steps = found.map_or_else(String::new, |found| found.steps.join("\n"));
    explain(&mut case, why, &format!("{steps}\nagain: {}", model.replay));
    case
}

fn crash(row: &CrashResult) -> TestCase {
    let name = format!("{} killed at {} ({})", row.victim, row.site, row.shape);
    // A site where nobody can be killed has its reason, and is no failure.
    let unreached = row.verdict == Verdict::Pass && row.kills == 0;
    let verdict = if unreached { Verdict::Inconclusive } else { row.verdict };
    let mut case = TestCase::new(name, status(verdict));
    case.set_classname(format!("kills.{}", row.victim));
    case.add_property(Property::new("kills", row.kills.to_string()));
    case.add_property(Property::new("blocked_ns_max", row.blocked_ns_max.to_string()));
    let why = row.example.as_deref().or(row.unreached.as_deref());
    explain(&mut case, why.unwrap_or("it did not end as it must"), &row.replay);
    case
}

fn compared(comparison: &Comparison) -> impl Iterator<Item = TestCase> {
    comparison.cells.iter().map(|each| figure(comparison, each))
}

/// One figure of two sides.
fn figure(comparison: &Comparison, each: &CellComparison) -> TestCase {
    let (base, candidate) = (&comparison.base.name, &comparison.candidate.name);
    let name = format!("{}: {}", each.cell, each.metric);
    let mut case = TestCase::new(name, status(each.change.verdict()));
    case.set_classname("comparisons");
    case.add_property(Property::new("base", base));
    case.add_property(Property::new("candidate", candidate));
    case.add_property(Property::new("change", each.change.as_str()));
    if let Some(evidence) = &each.evidence {
        case.add_property(Property::new("ratio", evidence.ratio.to_string()));
        case.add_property(Property::new("p_value", evidence.p_value.to_string()));
    }
    let told = format!("{}: {}", each.change.as_str(), each.reason);
    explain(&mut case, &told, &format!("{candidate} against {base}"));
    case
}

fn status(verdict: Verdict) -> TestCaseStatus {
    let mut status = match verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Inconclusive => TestCaseStatus::skipped(),
        Verdict::Broken => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Correctness | Verdict::Performance => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    status.set_type(verdict.as_str());
    status
}

/// Says why; a case that passed has no place for it.
fn explain(case: &mut TestCase, message: &str, description: &str) {
    case.status.set_message(message).set_description(description);
}
