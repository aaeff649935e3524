//! The explorer against every model, in this process.

use models::catalogue::{self, Entry, Size};
use models::{Engine, Request};
use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

fn run(name: &str) -> ModelResult {
    models::run(&Request::new(Engine::Explore, name))
}

fn every(wanted: impl Fn(&Entry) -> bool) -> Vec<ModelResult> {
    let entries = catalogue::all().into_iter().filter(wanted);
    let results: Vec<_> = entries.map(|entry| run(entry.name)).collect();
    assert!(!results.is_empty());
    results
}

#[test]
fn the_shipped_protocol_keeps_its_promises_in_every_execution() {
    for result in every(|entry| entry.kind == ModelKind::Protocol && entry.size != Size::Huge) {
        assert_eq!(
            result.verdict,
            Verdict::Pass,
            "{}: {:#?}",
            result.scenario,
            result.counterexample
        );
        assert_eq!(result.coverage, Coverage::Complete, "{}", result.scenario);
        assert!(result.executions > 1, "{}", result.scenario);
        assert!(result.outcomes.len() > 1, "{}: nothing competes", result.scenario);
    }
}

#[test]
fn every_published_flaw_is_found_and_told_in_steps() {
    for result in every(|entry| entry.kind == ModelKind::PublishedFlaw) {
        assert!(result.expected_failure);
        assert_eq!(result.verdict, Verdict::Pass, "{} was not found", result.scenario);
        let found = result.counterexample.unwrap();
        assert!(found.english.ends_with('.') && found.english.len() > 60, "{}", found.english);
        let roles = catalogue::by_name(&result.scenario).unwrap().model.role_names();
        for role in roles {
            assert!(found.steps.iter().any(|step| step.starts_with(role)), "{:#?}", found.steps);
        }
        assert!(result.replay.starts_with("harness replay explore,"), "{}", result.replay);
    }
}

#[test]
fn the_litmus_suite_shows_what_the_language_allows_and_nothing_else() {
    for result in every(|entry| entry.kind == ModelKind::Litmus) {
        assert_eq!(
            result.verdict,
            Verdict::Pass,
            "{}: {:?}",
            result.scenario,
            result.counterexample
        );
    }
}

#[test]
fn a_counterexample_is_replayed_from_its_path() {
    let first = run("published/f4-no-label");
    let text = first.replay.strip_prefix("harness replay ").unwrap();
    let again = models::run(&models::replay::parse(text).unwrap());
    assert_eq!(again.executions, 1);
    assert_eq!(again.counterexample, first.counterexample);
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    for path in ["x", "99", "0.77", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"]
    {
        let mut request = Request::new(Engine::Explore, "slot/two-readers");
        request.limits.replay = Some(path.to_owned());
        assert_eq!(models::run(&request).verdict, Verdict::Broken, "{path}");
    }
}

#[test]
fn a_run_that_is_cut_short_does_not_call_itself_complete() {
    let mut request = Request::new(Engine::Explore, "slot/two-readers");
    request.limits.executions = 10;
    let result = models::run(&request);
    assert_eq!(result.coverage, Coverage::Bounded { bound: "10 executions".into() });
}

#[test]
fn a_bound_on_stale_reads_is_said_aloud_where_it_matters() {
    let mut request = Request::new(Engine::Explore, "latest/lapped");
    request.limits.repeats = Some(1);
    let result = models::run(&request);
    assert!(matches!(result.coverage, Coverage::Bounded { .. }));
    let full = run("latest/lapped");
    assert!(result.executions < full.executions);
}

#[test]
fn the_same_run_twice_is_the_same_run() {
    let results = ["slot/two-laps", "sequential/gate"].map(|name| (run(name), run(name)));
    for (first, second) in results {
        assert_eq!(first.executions, second.executions);
        assert_eq!(first.outcomes, second.outcomes);
    }
}
