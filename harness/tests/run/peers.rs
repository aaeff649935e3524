//! Roles that are threads of one process: what becomes of them when somebody dies.

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
            assert!(workers_of(id).is_empty());
            assert_eq!(place.result().scenarios[0].verdict, Verdict::Broken);
        }
    }
}
