//! Roles that are threads of one process, and libraries that make files: what becomes of them when
//! somebody dies.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report_schema::Verdict;

use crate::support::{Place, code, said, within, workers_of};

fn long(transport: &str) -> Place {
    let place = Place::new("stream]", "duration = \"10s\"");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("[block]", &format!("[block]\ntransport = \"{transport}\""));
    fs::write(&place.scenario, text).unwrap();
    place
}

fn start(place: &Place) -> Child {
    let mut command = place.run();
    command.args(["--progress", "none"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Every process of it that lives, holders of namespaces included.
fn all_of(harness: u32) -> Vec<String> {
    let mut all = workers_of(harness);
    all.extend(crate::support::started_by(harness, "__den"));
    all
}

#[test]
fn the_death_of_one_of_two_threads_processes_ends_the_trial_and_is_told() {
    for transport in ["rtrb", "crossbeam"] {
        for victim in 0..2 {
            let place = long(transport);
            let harness = start(&place);
            let id = harness.id();
            assert!(within(Duration::from_secs(10), || workers_of(id).len() == 2));
            crate::support::pause(Duration::from_millis(300));
            // In the order in which they were started: the host, the relay.
            let mut workers: Vec<i32> =
                workers_of(id).iter().filter_map(|id| id.parse().ok()).collect();
            workers.sort_unstable();
            kill(Pid::from_raw(workers[victim]), Signal::SIGKILL).unwrap();
            let output = harness.wait_with_output().unwrap();
            assert_eq!(code(&output), 6, "{transport}: {}", said(&output));
            assert!(all_of(id).is_empty());
            assert_eq!(place.result().scenarios[0].verdict, Verdict::Broken);
        }
    }
}

/// The library's files in these folders.
#[cfg(feature = "peers")]
fn files_in(folders: &[&str]) -> Vec<String> {
    let names = |folder: &&str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let all = folders.iter().flat_map(names);
    let mut found: Vec<_> =
        all.filter(|name| name.contains("iox2") || name.contains("iceoryx")).collect();
    found.sort();
    found
}

/// What the library would leave where everybody sees it.
#[cfg(feature = "peers")]
fn files() -> Vec<String> {
    files_in(&["/dev/shm", "/tmp"])
}

/// What it has where only the trial sees it.
#[cfg(feature = "peers")]
fn hidden_files(harness: u32) -> Vec<String> {
    const OWN: &str = "root/dev/shm";
    let holders = crate::support::started_by(harness, "__den");
    let folders = holders.iter().map(|holder| format!("/proc/{holder}/{OWN}"));
    folders.flat_map(|folder| files_in(&[&folder])).collect()
}

#[cfg(feature = "peers")]
#[test]
fn nothing_of_a_library_with_files_outlives_a_harness_that_is_killed() {
    const LONG: Duration = Duration::from_secs(20);
    let place = long("iceoryx2");
    let before = files();
    for round in 0..24 {
        let mut harness = start(&place);
        let id = harness.id();
        // Every second one dies in the middle of its messages, the others anywhere on their way.
        if round % 2 == 0 {
            let met = within(LONG, || all_of(id).len() == 3 && !hidden_files(id).is_empty());
            assert!(met, "round {round}: holder, workers and files never met");
        }
        crate::support::pause(Duration::from_millis(round * 37 % 300));
        harness.kill().unwrap();
        harness.wait().unwrap();
        let gone = within(LONG, || all_of(id).is_empty());
        assert!(gone, "round {round}: {:?} live on", all_of(id));
        assert_eq!(files(), before, "round {round}");
    }
}

#[cfg(feature = "peers")]
#[test]
fn nothing_of_a_library_with_files_is_seen_while_it_runs_or_stays_when_it_is_done() {
    let before = files();
    let place = Place::new("stream]", "duration = \"300ms\"");
    let text = fs::read_to_string(&place.scenario).unwrap();
    fs::write(&place.scenario, text.replace("[block]", "[block]\ntransport = \"iceoryx2\""))
        .unwrap();
    let harness = start(&place);
    let id = harness.id();
    assert!(within(Duration::from_secs(20), || !hidden_files(id).is_empty()));
    assert_eq!(files(), before);
    let output = harness.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!((files(), all_of(id)), (before, vec![]));
}
