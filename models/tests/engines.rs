//! Loom and shuttle, each run in a process of its own, and what happens when such a process fails.

use std::path::Path;

use models::{Engine, Options, Request, gate, plan, run_in_process_of};
use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

const WORKER: &str = env!("CARGO_BIN_EXE_models-worker");

fn run(engine: Engine, name: &str) -> ModelResult {
    let mut request = Request::new(engine, name);
    request.limits.seconds = 20;
    run_in_process_of(Path::new(WORKER), &request)
}

/// Runs part of the gate with one engine.
fn part(engine: Engine, filter: &str) -> Vec<ModelResult> {
    let options = Options {
        engines: vec![engine],
        filter: Some(filter.to_owned()),
        seconds: 20,
        ..Options::new(WORKER.into())
    };
    let mut heard = 0;
    let results = gate(&options, &mut |_| heard += 1);
    assert_eq!(heard, results.len());
    assert_eq!(results.len(), plan(Some(filter), &[engine]).len());
    assert!(!results.is_empty());
    results
}

#[test]
fn loom_sees_what_it_is_known_to_see() {
    for result in part(Engine::Loom, "litmus/") {
        let found = &result.counterexample;
        assert_eq!(result.verdict, Verdict::Pass, "{}: {found:?}", result.scenario);
    }
}

#[test]
fn loom_finds_the_published_flaws() {
    for result in part(Engine::Loom, "published/") {
        assert_eq!(result.kind, ModelKind::PublishedFlaw);
        assert_eq!(result.verdict, Verdict::Pass, "{} was not found", result.scenario);
        assert!(!result.counterexample.unwrap().steps.is_empty());
    }
}

#[test]
fn loom_passes_the_shipped_slot() {
    for result in part(Engine::Loom, "slot/") {
        let found = &result.counterexample;
        assert_eq!(result.verdict, Verdict::Pass, "{}: {found:?}", result.scenario);
        assert!(result.executions > 1);
    }
}

#[test]
fn loom_and_the_explorer_end_in_the_same_ways() {
    for name in ["dekker/one-slot", "sequential/leave", "park/one-sleeper"] {
        let (loom, ours) = (run(Engine::Loom, name), run(Engine::Explore, name));
        assert_eq!(loom.coverage, Coverage::Complete, "{name}");
        assert!(loom.outcomes.iter().all(|outcome| ours.outcomes.contains(outcome)), "{name}");
    }
}

#[test]
fn shuttle_samples_and_says_with_which_seed() {
    for engine in [Engine::ShuttleRandom, Engine::ShuttlePct] {
        let mut request = Request::new(engine, "latest/crowded");
        request.limits.executions = 500;
        request.limits.seed = 7;
        let result = run_in_process_of(Path::new(WORKER), &request);
        assert_eq!(result.verdict, Verdict::Pass, "{:?}", result.counterexample);
        assert_eq!(result.coverage, Coverage::Sampled { schedules: 500, seed: 7 });
        assert!(result.replay.ends_with("--seed 7"), "{}", result.replay);
    }
}

#[test]
fn shuttle_finds_a_flaw_that_needs_no_weak_memory() {
    let mut request = Request::new(Engine::ShuttleRandom, "published/f5-states-compared");
    request.limits.executions = 20_000;
    let result = run_in_process_of(Path::new(WORKER), &request);
    assert_eq!(result.verdict, Verdict::Pass);
    assert!(result.counterexample.unwrap().steps.iter().any(|step| step.contains("R_RECHECK")));
}

#[test]
fn a_process_that_dies_or_talks_nonsense_is_broken() {
    let request = Request::new(Engine::Explore, "slot/one-reader");
    for exe in ["/bin/false", "/bin/echo", "/nonexistent/program"] {
        let result = run_in_process_of(Path::new(exe), &request);
        assert_eq!(result.verdict, Verdict::Broken, "{exe}");
        assert_eq!(result.executions, 0);
    }
}

#[test]
fn the_versions_in_results_are_those_that_are_built() {
    let lock = include_str!("../../Cargo.lock");
    for (package, engine) in [("loom", Engine::Loom), ("shuttle", Engine::ShuttlePct)] {
        let entry = format!("name = \"{package}\"\nversion = \"{}\"", engine.version());
        assert!(lock.contains(&entry), "{package} {}", engine.version());
    }
}
