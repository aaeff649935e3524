//! Runs that are stopped from outside: politely, impatiently, and without a chance to react.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, code, flows, pause, said, within, workers_of};

const LENGTH: &str = "duration = \"10s\"";

fn start(place: &Place) -> Child {
    place.run().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
}

/// Rounds and the time within which everything must be gone: `HARNESS_LONG=1` asks for the whole
/// promise, on a machine that does nothing else.
fn rounds() -> (u64, Duration) {
    match std::env::var_os("HARNESS_LONG") {
        Some(_) => (200, Duration::from_millis(100)),
        None => (20, Duration::from_millis(500)),
    }
}

#[test]
fn a_harness_that_is_killed_leaves_no_process_and_no_file() {
    let place = Place::new("stream]", LENGTH);
    let (rounds, limit) = rounds();
    let mut seen = 0;
    for round in 0..rounds {
        let mut harness = start(&place);
        // From before the first worker to the middle of the run.
        pause(Duration::from_millis(round * 37 % 300));
        seen = seen.max(workers_of(harness.id()).len());
        harness.kill().unwrap();
        harness.wait().unwrap();
        let gone = within(limit, || workers_of(harness.id()).is_empty());
        assert!(gone, "round {round}: {:?} live on", workers_of(harness.id()));
        let left = std::fs::read_dir(place.out()).into_iter().flatten().count();
        assert_eq!(left, 0, "round {round}");
    }
    assert_eq!(seen, 2, "no round met the workers");
}

#[test]
fn an_interrupt_ends_the_run_early_and_keeps_what_is_there() {
    let place = Place::new("stream]", LENGTH);
    let events = place.scenario.with_file_name("events.jsonl");
    let mut command = place.run();
    command.arg("--events").arg(&events).stdout(Stdio::piped()).stderr(Stdio::piped());
    let harness = command.spawn().unwrap();
    assert!(flows(&events));
    pause(Duration::from_millis(300));
    let start = Instant::now();
    signal(&harness, Signal::SIGINT);
    let id = harness.id();
    let output = harness.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert_eq!(code(&output), 130, "{}", said(&output));
    let result = place.result();
    assert_eq!(result.exit_code, 130);
    assert!(result.scenarios[0].cells[0].trials[0].counts.delivered > 0);
    assert!(workers_of(id).is_empty());
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_workers() {
    let place = Place::new("stream]", LENGTH);
    let mut command = place.run();
    command.args(["--plant", "hang"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut harness = command.spawn().unwrap();
    assert!(within(Duration::from_secs(10), || workers_of(harness.id()).len() == 2));
    pause(Duration::from_millis(300));
    signal(&harness, Signal::SIGINT);
    pause(Duration::from_millis(300));
    signal(&harness, Signal::SIGINT);
    let start = Instant::now();
    assert_eq!(harness.wait().unwrap().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(workers_of(harness.id()).is_empty());
}

#[test]
fn a_polite_kill_is_an_interrupt() {
    let place = Place::new("stream]", LENGTH);
    let harness = start(&place);
    assert!(within(Duration::from_secs(10), || workers_of(harness.id()).len() == 2));
    pause(Duration::from_millis(100));
    signal(&harness, Signal::SIGTERM);
    let output = harness.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    assert!(place.out().join("latest/report.html").exists());
}

/// Processes whose command line contains this.
fn processes_with(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let says = |id: &String| {
        std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(text))
    };
    names.filter(says).collect()
}

#[test]
fn a_harness_that_is_killed_while_it_kills_leaves_no_driver_and_no_victim() {
    let out = tempfile::tempdir().unwrap();
    for round in 0..rounds().0 / 4 {
        let mut command = crate::support::harness();
        command.args(["crash", "--kills", "1000", "--out"]).arg(out.path());
        let mut harness = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        pause(Duration::from_millis(100 + round * 53 % 300));
        let stat =
            |id: &str| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent = format!(" {} ", harness.id());
        let drivers: Vec<String> = processes_with("__crash-driver")
            .into_iter()
            .filter(|id| stat(id).rsplit(')').next().is_some_and(|rest| rest.contains(&parent)))
            .collect();
        harness.kill().unwrap();
        harness.wait().unwrap();
        for driver in drivers {
            let victims = format!("\"parent\":{driver},");
            // One that nobody has waited for yet has no command line any more.
            let alive = || {
                processes_with("__crash-driver").contains(&driver)
                    || !processes_with(&victims).is_empty()
            };
            assert!(within(Duration::from_millis(500), || !alive()), "round {round}: {driver}");
        }
    }
    let left = std::fs::read_dir(out.path()).into_iter().flatten().count();
    assert_eq!(left, 0);
}
