//! What other tools read is never better than the result: JUnit, annotations, Markdown, OpenMetrics.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quick_junit::{Report, TestCase, TestCaseStatus};
use report_schema::{Change, SuiteResult, Verdict};
use reports::{annotations, junit, markdown, openmetrics};

#[path = "support/sample.rs"]
mod sample;

const GOLDEN: &str = include_str!("../schema/tests/golden/result-1.json");
const COMPARED: &str = include_str!("../schema/tests/golden/comparison-1.json");

fn compared() -> SuiteResult {
    SuiteResult::from_json(COMPARED).unwrap()
}

/// A run in which everything passed, and a comparison that found this.
fn against_baseline(change: Change) -> SuiteResult {
    let mut suite = sample::many(2);
    suite.comparisons = compared().comparisons;
    suite.comparisons[0].verdict = change.verdict();
    for cell in &mut suite.comparisons[0].cells {
        cell.change = change;
    }
    suite.verdict = change.verdict();
    suite
}

/// Every sample, and what the harness makes of one that is not whole.
fn samples() -> Vec<SuiteResult> {
    let golden = SuiteResult::from_json(GOLDEN).unwrap();
    let mut torn = sample::many(1);
    torn.scenarios[0].cells[0].trials[0].counts.torn = 1;
    let mut cut = sample::many(1);
    cut.interrupted = true;
    let mut blind = sample::many(1);
    blind.scenarios[0].cells[0].trials.clear();
    let mut killed = sample::empty();
    killed.crashes = sample::suite().crashes;
    let mut all = vec![sample::suite(), sample::empty(), sample::many(3), golden, compared()];
    all.extend([torn, cut, blind, killed]);
    let changes = [Change::Improved, Change::NoDifference, Change::Inconclusive, Change::Regressed];
    all.extend(changes.map(against_baseline));
    all
}

fn cases(suite: &SuiteResult) -> Vec<TestCase> {
    let report = Report::deserialize_from_str(&junit::render(suite).unwrap()).unwrap();
    report.test_suites.into_iter().flat_map(|part| part.test_cases).collect()
}

fn status(case: &TestCase) -> Verdict {
    match &case.status {
        TestCaseStatus::Success { .. } => Verdict::Pass,
        TestCaseStatus::Skipped { .. } => Verdict::Inconclusive,
        TestCaseStatus::NonSuccess { ty, .. } => {
            let ty = ty.as_ref().unwrap().as_str();
            *Verdict::WORST_FIRST.iter().find(|verdict| verdict.as_str() == ty).unwrap()
        }
    }
}

/// What annotations say at most: an error has one level, whatever it is.
fn annotated(suite: &SuiteResult) -> Verdict {
    let lines = annotations::github(suite);
    let has = |level: &str| lines.lines().any(|line| line.starts_with(level));
    match (has("::error "), has("::warning ")) {
        (true, _) => Verdict::Correctness,
        (false, true) => Verdict::Inconclusive,
        (false, false) => Verdict::Pass,
    }
}

/// What the first line of the Markdown says at most.
fn headline(suite: &SuiteResult) -> Verdict {
    let text = markdown::render(suite);
    let (head, _) = text.strip_prefix("## ").unwrap().split_once(": ").unwrap();
    match head {
        "SHIP" => Verdict::Pass,
        "INCONCLUSIVE" | "INTERRUPTED" | "NOTHING RAN" => Verdict::Inconclusive,
        "BROKEN RUN" => Verdict::Broken,
        "DO NOT SHIP" => Verdict::Correctness,
        other => panic!("{other}"),
    }
}

#[test]
fn no_sink_is_ever_better_than_the_result() {
    for sample in samples() {
        for verdict in Verdict::WORST_FIRST {
            let suite = SuiteResult { verdict, ..sample.clone() };
            let worst = Verdict::worst(cases(&suite).iter().map(status)).unwrap();
            assert!(worst >= verdict, "JUnit says {worst} of {verdict}: {}", suite.suite);
            let marked = annotated(&suite);
            assert!(marked >= verdict, "annotations say {marked} of {verdict}");
            let head = headline(&suite);
            assert!(head >= verdict, "Markdown says {head} of {verdict}");
        }
    }
}

#[test]
fn a_regression_that_only_a_comparison_found_stands_in_every_sink() {
    let suite = against_baseline(Change::Regressed);
    let figures: usize = suite.comparisons.iter().map(|each| each.cells.len()).sum();
    let cases = cases(&suite);
    let of_comparisons: Vec<&TestCase> = cases
        .iter()
        .filter(|case| case.classname.as_ref().is_some_and(|name| name.as_str() == "comparisons"))
        .collect();
    assert_eq!(of_comparisons.len(), figures);
    assert!(of_comparisons.iter().all(|case| status(case) == Verdict::Performance));
    // The figures say it, so nothing is said of the whole.
    assert!(cases.iter().all(|case| case.name.as_str() != "the run as a whole"));
    let found = &suite.comparisons[0].cells[0];
    let lines = annotations::github(&suite);
    assert!(lines.starts_with("::error title=regressed%3A "), "{lines}");
    assert!(lines.contains(&found.metric), "{lines}");
    let text = markdown::render(&suite);
    assert!(text.contains("### Compared figures") && text.contains("| regressed |"), "{text}");
    let metrics = openmetrics::render(&suite).unwrap();
    let ratio = found.evidence.as_ref().unwrap().ratio;
    let line = metrics.lines().find(|line| line.starts_with("harness_comparison_ratio{")).unwrap();
    assert!(
        line.contains("change=\"regressed\"") && line.ends_with(&format!(" {ratio:?}")),
        "{line}"
    );
    let holds = metrics.lines().find(|line| line.starts_with("harness_comparison_holds{")).unwrap();
    assert!(holds.ends_with(" 0.0"), "{holds}");
}

#[test]
fn a_run_that_is_worse_than_its_parts_says_why_in_every_sink() {
    let mut suite = sample::many(2);
    suite.verdict = Verdict::Broken;
    suite.notes =
        vec!["The run broke off: no process.".to_owned(), "Shard 2 is missing.".to_owned()];
    let cases = cases(&suite);
    let whole = cases.last().unwrap();
    assert_eq!((whole.name.as_str(), status(whole)), ("the run as a whole", Verdict::Broken));
    let junit = junit::render(&suite).unwrap();
    assert!(
        junit.contains("message=\"The run broke off: no process. Shard 2 is missing.\""),
        "{junit}"
    );
    let lines = annotations::github(&suite);
    let line =
        "::error title=broken%3A the run as a whole::The run broke off: no process.%0AShard 2";
    assert!(lines.starts_with(line), "{lines}");
    let text = markdown::render(&suite);
    assert!(text.starts_with("## BROKEN RUN: scenarios\n\nThe run broke off"), "{text}");
    // Kills that are too few together are such a run as well.
    suite.verdict = Verdict::Inconclusive;
    assert!(annotations::github(&suite).starts_with("::warning title=inconclusive%3A the run"));
    assert_eq!(annotations::github(&sample::many(2)), "");
}

#[test]
fn a_run_in_which_nothing_ran_has_an_annotation() {
    let lines = annotations::github(&sample::empty());
    assert!(lines.starts_with("::warning title=nothing ran::No trial"), "{lines}");
}
