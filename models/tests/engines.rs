//! Loom and shuttle, each run in a process of its own, and what happens when such a process fails.

use std::collections::BTreeSet;
use std::path::Path;

use models::{Engine, Options, Request, gate, plan, run_in_process_of};
use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

const WORKER: &str = env!("CARGO_BIN_EXE_models-worker");

fn run(engine: Engine, name: &str) -> ModelResult {
    run_in_process_of(Path::new(WORKER), &Request::new(engine, name))
}

/// Runs part of the gate with one engine.
fn part(engine: Engine, filter: &str) -> Vec<ModelResult> {
    let options = Options {
        engines: vec![engine],
        filter: Some(filter.to_owned()),
        ..Options::new(WORKER.into())
    };
    let mut heard = 0;
    let results = gate(&options, &mut |_, _| heard += 1).results;
    assert_eq!(heard, results.len());
    assert_eq!(
        results.len(),
        plan(Some(filter), &[engine]).len(),
        "one engine is compared with none"
    );
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
    let parts = ["slot/one-reader", "slot/two-readers", "slot/two-laps", "slot/abort"];
    for result in parts.into_iter().flat_map(|name| part(Engine::Loom, name)) {
        let found = &result.counterexample;
        assert_eq!(result.verdict, Verdict::Pass, "{}: {found:?}", result.scenario);
        assert!(result.executions > 1);
    }
}

#[test]
fn all_engines_end_in_the_ways_that_the_explorer_knows() {
    let options = Options {
        engines: vec![Engine::Loom, Engine::ShuttlePct, Engine::Explore],
        filter: Some("sequential/gate".to_owned()),
        ..Options::new(WORKER.into())
    };
    let found = gate(&options, &mut |_, _| ());
    assert_eq!(found.took.iter().map(|(engine, _)| *engine).collect::<Vec<_>>(), options.engines);
    let agreement = found.results.last().unwrap();
    assert_eq!(agreement.scenario, models::agree::AGREEMENT);
    assert_eq!(agreement.verdict, Verdict::Pass, "{:?}", agreement.counterexample);
}

#[test]
fn a_sample_that_is_cut_short_is_broken_and_says_what_it_lacks() {
    for engine in [Engine::ShuttleRandom, Engine::ShuttlePct] {
        let mut request = Request::new(engine, "slot/one-reader");
        (request.limits.executions, request.limits.seconds) = (50_000_000, 1);
        let result = run_in_process_of(Path::new(WORKER), &request);
        assert_eq!(result.verdict, Verdict::Broken, "{engine}");
        let message = result.counterexample.unwrap().message;
        assert!(message.contains("of 50000000 schedules in 1 s"), "{message}");
    }
}

#[test]
fn depth_first_search_ends_and_says_so() {
    for result in part(Engine::ShuttleDfs, "") {
        let found = &result.counterexample;
        assert_eq!(result.verdict, Verdict::Pass, "{}: {found:?}", result.scenario);
        assert_eq!(result.coverage, Coverage::Complete, "{}", result.scenario);
        assert!(result.executions > 1, "{}", result.scenario);
    }
}

#[test]
fn samplers_show_of_the_litmus_suite_what_one_memory_gives() {
    for engine in [Engine::ShuttleRandom, Engine::ShuttlePct] {
        for result in part(engine, "litmus/") {
            let found = &result.counterexample;
            assert_eq!(result.verdict, Verdict::Pass, "{}: {found:?}", result.scenario);
        }
    }
}

#[test]
fn a_search_that_the_clock_stops_has_come_to_no_result() {
    for (engine, name) in [(Engine::Explore, "latest/crowded"), (Engine::Loom, "latest/crowded")] {
        let mut request = Request::new(engine, name);
        request.limits.seconds = 1;
        let result = run_in_process_of(Path::new(WORKER), &request);
        assert_eq!(result.verdict, Verdict::Inconclusive, "{engine}");
        let Coverage::Bounded { bound } = &result.coverage else { panic!("{engine}: complete") };
        assert!(bound.contains("--seconds"), "{bound}");
    }
}

#[test]
fn a_search_that_its_own_bound_stops_says_so_and_says_the_same_everywhere() {
    let mut request = Request::new(Engine::Loom, "latest/crowded");
    request.limits.executions = 2_000;
    let result = run_in_process_of(Path::new(WORKER), &request);
    assert_eq!(result.verdict, Verdict::Pass);
    assert_eq!(result.coverage, Coverage::Bounded { bound: "2000 executions".into() });
    assert!(result.replay.ends_with("--executions 2000"), "{}", result.replay);
}

/// One failing execution under every engine, and again from its text.
#[test]
fn every_engine_repeats_the_execution_that_failed() {
    for engine in Engine::ALL {
        let first = run(engine, "published/f12-two-owners");
        assert_eq!(first.verdict, Verdict::Pass, "{engine}: {first:?}");
        let text = first.replay.strip_prefix("harness replay ").unwrap();
        let again = models::replay::replay(Path::new(WORKER), text).unwrap();
        assert_eq!(again.result.executions, 1, "{engine}");
        assert_eq!(again.result.counterexample, first.counterexample, "{engine}");
        let steps: Vec<_> = again.steps.iter().map(ToString::to_string).collect();
        assert_eq!(steps, first.counterexample.unwrap().steps, "{engine}");
    }
}

#[test]
fn a_text_that_fits_no_execution_is_broken_under_every_engine() {
    for (engine, path) in [
        (Engine::Explore, "0.9"),
        (Engine::Loom, "999999"),
        (Engine::Loom, "zero"),
        (Engine::ShuttleRandom, "1-7.7.7"),
        (Engine::ShuttlePct, "1-0"),
        (Engine::ShuttleDfs, "nonsense"),
    ] {
        let mut request = Request::new(engine, "lock/exchanged");
        request.limits.replay = Some(path.to_owned());
        let text = models::replay::text(&request);
        let replayed = models::replay::replay(Path::new(WORKER), &text).unwrap();
        assert_eq!(replayed.result.verdict, Verdict::Broken, "{engine} {path}: {replayed:?}");
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
        assert!(result.replay.ends_with("--seed 7 --executions 500"), "{}", result.replay);
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
fn a_gate_whose_runs_give_nothing_passes_nothing() {
    let options =
        Options { filter: Some("zone/word".to_owned()), ..Options::new("/bin/false".into()) };
    let found = gate(&options, &mut |_, _| ());
    assert!(found.results.iter().all(|result| result.verdict == Verdict::Broken));
    let engines = |result: &ModelResult| Engine::by_name(&result.engine).unwrap();
    assert_eq!(found.results.iter().map(engines).collect::<BTreeSet<_>>(), Engine::ALL.into());
}

#[test]
fn the_versions_in_results_are_those_that_are_built() {
    let lock = include_str!("../../Cargo.lock");
    for (package, engine) in [("loom", Engine::Loom), ("shuttle", Engine::ShuttlePct)] {
        let entry = format!("name = \"{package}\"\nversion = \"{}\"", engine.version());
        assert!(lock.contains(&entry), "{package} {}", engine.version());
    }
}
