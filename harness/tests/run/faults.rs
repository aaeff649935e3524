//! Scenarios with faults: what a fault makes legitimate passes, everything else stays an error.

use std::process::Stdio;

use report_schema::{SuiteResult, Trial, Verdict};

use crate::support::{Place, code, said, workers_of};

/// A stream of half a second with these faults.
fn with(faults: &str) -> Place {
    let place = Place::new("stream]", "duration = \"500ms\"");
    let mut text = std::fs::read_to_string(&place.scenario).unwrap();
    text.push_str(faults);
    std::fs::write(&place.scenario, text).unwrap();
    place
}

fn fault(name: &str, at: &str, role: &str, action: &str) -> String {
    format!("[[fault]]\nname = \"{name}\"\nat = \"{at}\"\nrole = \"{role}\"\naction = {action}\n")
}

fn passes(faults: &str) -> Trial {
    let place = with(faults);
    let child = place.run().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(workers_of(id).is_empty());
    trial(&place.result())
}

fn trial(result: &SuiteResult) -> Trial {
    result.scenarios[0].cells[0].trials.last().unwrap().clone()
}

#[test]
fn a_killed_consumer_is_not_broken_and_the_producer_goes_on() {
    let trial = passes(&fault("dies", "100 ms", "reader", "\"kill\""));
    assert_eq!(trial.roles[1].exit, "killed by a fault");
    assert_eq!((trial.roles[1].falls, trial.roles[0].exit.as_str()), (1, "exit 0"));
    // What it had counted outlives it.
    assert!(trial.roles[1].counts.delivered > 0, "{:?}", trial.roles[1]);
    assert!(trial.duration_ms >= 400, "{}", trial.duration_ms);
}

#[test]
fn a_killed_producer_that_is_started_again_goes_on_at_the_next_sequence() {
    let faults = fault("dies", "100 ms", "producer", "\"kill\"")
        + &fault("heir", "200 ms", "producer", "\"restart\"")
        + &fault("again", "300 ms", "producer", "\"restart\"");
    let trial = passes(&faults);
    assert_eq!(trial.roles[0].falls, 2);
    // Everything that was committed was delivered, in order, across three lives.
    assert_eq!(trial.counts.committed, trial.counts.delivered);
    assert!(trial.faults.iter().all(|fault| fault.missed.is_none()), "{:?}", trial.faults);
    let blocked = trial.faults[0].blocked_ns.unwrap();
    assert!(blocked > 50_000_000, "the reader waited for the heir: {blocked} ns");
    assert_eq!(trial.faults[0].blocked.as_deref(), Some("reader"));
}

#[test]
fn a_producer_that_nobody_replaces_ends_the_stream() {
    let trial = passes(&fault("dies", "100 ms", "producer", "\"kill\""));
    assert_eq!(trial.roles[1].exit, "exit 0");
    assert_eq!(trial.counts.lost, 0);
}

#[test]
fn a_death_at_a_site_is_logged_when_it_happens() {
    let site = "{ kill-at-site = { site = \"W_COMMIT_INDEX\", hit = 3 } }";
    let faults = fault("dies", "100 ms", "producer", site)
        + &fault("heir", "250 ms", "producer", "\"restart\"");
    let trial = passes(&faults);
    assert!((100..250).contains(&trial.faults[0].start_ms), "{:?}", trial.faults[0]);
    assert_eq!(trial.counts.lost, 0);
}

#[test]
fn the_same_seed_gives_the_same_course() {
    let faults =
        fault("dies", "50 ms", "reader", "\"restart\"\nwithin = \"40 ms\"\nevery = \"90 ms\"");
    let planned = |trial: &Trial| trial.faults.iter().map(|f| f.planned_ns).collect::<Vec<_>>();
    let (first, second) = (passes(&faults), passes(&faults));
    assert_eq!(planned(&first), planned(&second));
    assert!(first.faults.len() >= 4);
}

#[test]
fn a_death_that_nobody_planned_breaks_a_trial_with_faults_too() {
    let place = with(&fault("stops", "400 ms", "producer", "{ stop = { for = \"5 ms\" } }"));
    let output = place.run().args(["--plant", "crash"]).output().unwrap();
    assert_eq!(code(&output), 6, "{}", said(&output));
    assert!(said(&output).contains("reader ended with signal 9"), "{}", said(&output));
    assert_eq!(place.result().verdict, Verdict::Broken);
}

#[test]
fn a_stopped_process_is_waited_for() {
    let trial = passes(&fault("stops", "100 ms", "reader", "{ stop = { for = \"80 ms\" } }"));
    let blocked = trial.faults[0].blocked_ns.unwrap();
    assert!((40_000_000..400_000_000).contains(&blocked), "{blocked}");
    assert_eq!(trial.counts.committed, trial.counts.delivered);
}

#[test]
fn a_spoilt_payload_is_found_out_by_the_workers_own_checksums() {
    let place = with(&fault("spoils", "100 ms", "producer", "\"corrupt-byte\""));
    let text = std::fs::read_to_string(&place.scenario).unwrap();
    let manual = "[block]\nchecksum = { algorithm = \"xxh3\", policy = \"manual\" }";
    std::fs::write(&place.scenario, text.replace("[block]", manual)).unwrap();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let trial = trial(&place.result());
    assert_eq!(trial.metrics["checksum_failures"], 1);
    // It is no delivery, and what is spoilt on purpose is no failure.
    assert_eq!(trial.counts.delivered + 1, trial.counts.committed);
    assert_eq!((trial.counts.torn, trial.counts.checksum_failures), (0, 0));
}

#[test]
fn a_reader_that_stands_still_is_evicted_told_and_comes_back() {
    let stop = "{ stop = { for = \"150 ms\" } }";
    let place = with(&fault("stops", "100 ms", "reader", stop));
    let text = std::fs::read_to_string(&place.scenario).unwrap();
    let evict = "[block]\non-full = { action = \"evict\", after = \"5 ms\" }";
    std::fs::write(&place.scenario, text.replace("[block]", evict)).unwrap();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let trial = trial(&place.result());
    assert!(trial.metrics["evictions_count"] >= 1, "{:?}", trial.metrics);
    // All that it missed is said, and it is given the newest.
    assert!(trial.counts.lapped > 0, "{:?}", trial.counts);
    assert_eq!(trial.counts.delivered + trial.counts.lapped, trial.counts.committed);
}

#[test]
fn a_fault_that_never_came_is_no_pass_and_is_named() {
    let site = "{ kill-at-site = { site = \"W_COMMIT\", hit = 1_000_000_000 } }";
    let place = with(&fault("dies", "100 ms", "producer", site));
    let output = place.run().output().unwrap();
    let text = said(&output);
    assert_eq!(code(&output), 6, "{text}");
    assert!(text.contains("`dies` did not come: it did not come there again"), "{text}");
    assert_eq!(place.result().verdict, Verdict::Broken);
}

#[test]
fn fewer_faults_than_expected_say_nothing_of_the_block() {
    let expect = "[[expect]]\nid = \"often\"\ncheck = \"faults >= 2\"\n";
    let place = with(&(fault("dies", "100 ms", "reader", "\"kill\"") + expect));
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert!(said(&output).contains("faults >= 2 does not hold: 1"), "{}", said(&output));
}
