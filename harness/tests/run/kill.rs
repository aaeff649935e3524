//! Runs that are stopped from outside, politely and impatiently, and a harness that is killed while it kills.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, code, pause, said, shipped, within, workers_of};

const LENGTH: &str = "duration = \"10s\"";

fn start(place: &Place) -> Child {
    place.run().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
}

#[test]
fn an_interrupt_ends_the_run_early_and_keeps_what_is_there() {
    let place = Place::new("stream]", LENGTH);
    let harness = start(&place);
    assert!(within(Duration::from_secs(10), || workers_of(harness.id()).len() == 2));
    // Messages must have flowed, also where other processes have the cores.
    pause(Duration::from_secs(2));
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
    for round in 0..5 {
        let mut command = crate::support::harness();
        command.arg("crash").arg(shipped("faults/kills.toml"));
        command.args(["--kills", "1000", "--out"]).arg(out.path());
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
