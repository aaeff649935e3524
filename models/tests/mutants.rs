//! Every ordering of the shipped protocol is needed by some model, every planted defect is noticed,
//! and every death is survived.

use std::path::Path;

use models::gate::gate_on;
use models::{Engine, Options, Request, crash, mutant, run_in_process_of};
use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

const WORKER: &str = env!("CARGO_BIN_EXE_models-worker");

/// Runs `requests` in processes of their own, two at a time.
fn run(mut requests: Vec<Request>) -> Vec<ModelResult> {
    let rest = requests.split_off(requests.len() / 2);
    let all = |requests: &[Request]| -> Vec<ModelResult> {
        requests.iter().map(|request| run_in_process_of(Path::new(WORKER), request)).collect()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| all(&rest));
        let mut results = all(&requests);
        results.extend(other.join().expect("the other half ran"));
        results
    })
}

#[test]
#[ignore = "ci/models asks the same of an optimised build"]
fn every_weakened_site_is_noticed_or_has_a_reason() {
    let mut results = run(mutant::plan(Engine::Explore));
    let together = results.iter().position(|result| result.scenario == mutant::SURVIVORS).unwrap();
    let together = results.remove(together);
    assert_eq!(together.verdict, Verdict::Pass, "{:#?}", together.counterexample);
    assert_eq!(together.coverage, Coverage::Complete);
    assert!(results.len() >= 50);
    let mut survivors = Vec::new();
    for result in &results {
        assert_eq!(result.kind, ModelKind::Mutant);
        assert_eq!(result.verdict, Verdict::Pass, "{} survives", result.memory);
        if result.counterexample.is_none() {
            assert_eq!(result.coverage, Coverage::Complete, "{}", result.memory);
            survivors.push(result.memory.clone());
        }
    }
    survivors.sort_unstable();
    let mut kept: Vec<_> = mutant::KEPT.iter().map(|(row, _)| format!("mutant {row}")).collect();
    kept.sort_unstable();
    assert_eq!(survivors, kept);
}

#[test]
fn a_mutant_that_survives_without_a_reason_is_a_failure() {
    // Nothing in this model parks, so nothing can notice.
    let mut request = Request::new(Engine::Explore, "slot/one-reader");
    request.mutant = vec!["P_FENCE=none".to_owned()];
    let result = run_in_process_of(Path::new(WORKER), &request);
    assert_eq!(result.verdict, Verdict::Correctness);
    assert!(result.counterexample.is_none() && result.coverage == Coverage::Complete);
}

#[test]
fn an_unexplained_survivor_turns_the_gate_red() {
    let options = Options { engines: vec![Engine::Explore], ..Options::new(WORKER.into()) };
    let verdict = |planted: Vec<Request>| {
        let requests = [models::plan(Some("slot/one-reader"), &options.engines), planted].concat();
        let found = gate_on(&options, &requests, &mut |_, _| ());
        assert!(found.results.len() >= requests.len());
        Verdict::worst(found.results.iter().map(|result| result.verdict))
    };
    assert_eq!(verdict(vec![]), Some(Verdict::Pass));
    // Nothing in this model parks, so nothing can notice.
    let mutant = vec!["P_FENCE=none".to_owned()];
    let survivor = Request { mutant, ..Request::new(Engine::Explore, "slot/one-reader") };
    assert_eq!(verdict(vec![survivor]), Some(Verdict::Correctness));
}

#[test]
fn an_ordering_that_others_make_necessary_is_named() {
    let mut request = Request::new(Engine::Explore, mutant::SURVIVORS);
    request.mutant = ["E_DONE=Relaxed", "W_COMMIT=Relaxed"].map(str::to_owned).to_vec();
    let result = run_in_process_of(Path::new(WORKER), &request);
    assert_eq!(result.verdict, Verdict::Correctness);
    let message = result.counterexample.unwrap().message;
    assert_eq!(message, "W_COMMIT=Relaxed is needed as soon as these are weak: E_DONE=Relaxed");
}

#[test]
fn every_planted_defect_is_noticed() {
    let results = run(mutant::plan_of_plants(Engine::Explore));
    assert!(results.len() >= 12);
    for result in results {
        assert_eq!(result.kind, ModelKind::PlantedDefect);
        assert_eq!(result.verdict, Verdict::Pass, "{} goes unnoticed", result.memory);
        assert!(!result.counterexample.unwrap().steps.is_empty());
    }
}

#[test]
#[ignore = "ci/models asks the same of an optimised build"]
fn the_table_of_sites_says_what_the_models_do() {
    let request = Request::new(Engine::Explore, models::table::EDGES);
    let result = run_in_process_of(Path::new(WORKER), &request);
    assert_eq!(result.verdict, Verdict::Pass, "{:#?}", result.counterexample);
    assert_eq!(result.coverage, Coverage::Complete);
}

#[test]
#[ignore = "ci/models asks the same of an optimised build"]
fn whoever_dies_at_whatever_step_is_recovered_from() {
    for result in run(crash::plan(Engine::Explore)) {
        assert_eq!(result.kind, ModelKind::CrashPoint);
        assert_eq!(result.verdict, Verdict::Pass, "{:#?}", result.counterexample);
        assert_eq!(result.coverage, Coverage::Complete);
        let points: u32 = result.outcomes[0].split(' ').next().unwrap().parse().unwrap();
        // Who wakes or sleeps does four or five things in all; everybody else has more to do.
        let least = if result.scenario.starts_with("park/") { 4 } else { 6 };
        assert!(points >= least, "{}: {points} crash points", result.scenario);
    }
}

#[test]
fn a_dead_producer_whom_nobody_recovers_from_is_noticed() {
    // A victim that stops in the middle of the published protocol leaves its lock behind.
    let mut request = Request::new(Engine::Explore, "dekker/one-slot");
    request.crash = Some("writer:5".to_owned());
    let result = run_in_process_of(Path::new(WORKER), &request);
    assert_eq!(result.verdict, Verdict::Correctness);
    assert!(result.counterexample.unwrap().steps.iter().any(|step| step.contains("vanishes")));
}
