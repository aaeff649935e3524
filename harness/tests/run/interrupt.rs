//! What a run says that somebody stopped: in every output the same, and never more than it saw.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quick_junit::{Report, TestCaseStatus};
use report_schema::{SuiteResult, Verdict};

use crate::support::{Place, code, flows, harness, pause, said, shipped, within, workers_of};

const LENGTH: &str = "duration = \"10s\"";
/// What holds only in a run that comes to its end, and what a run that is cut short keeps.
const EXPECTATIONS: &str = "
[[expect]]
id = \"enough\"
check = \"delivered >= 1000000000\"

[[expect]]
id = \"whole\"
check = \"torn == 0\"
";

fn place() -> Place {
    let place = Place::new("stream]", LENGTH);
    let text = fs::read_to_string(&place.scenario).unwrap() + EXPECTATIONS;
    fs::write(&place.scenario, text).unwrap();
    place
}

fn signal(harness: &Child, signal: Signal) {
    kill(Pid::from_raw(harness.id().cast_signed()), signal).unwrap();
}

fn begun(mut command: Command) -> Child {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(within(Duration::from_secs(10), || workers_of(child.id()).len() == 2));
    child
}

fn judged_again(place: &Place) -> i32 {
    let latest = place.out().join("latest");
    code(&harness().arg("gate").arg(latest).output().unwrap())
}

#[test]
fn a_run_that_is_interrupted_is_inconclusive_in_every_output_whenever_that_is() {
    for after_ms in [0, 60, 700] {
        let place = place();
        let junit = place.scenario.with_file_name("junit.xml");
        let mut command = place.run();
        command.args(["--annotations", "github", "--junit"]).arg(&junit);
        let child = begun(command);
        pause(Duration::from_millis(after_ms));
        signal(&child, Signal::SIGINT);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 130, "{after_ms} ms: {}", said(&output));
        let errors = said(&output).contains("::error");
        assert!(!errors && said(&output).contains("::warning title=interrupted"));
        let result = place.result();
        assert!(result.interrupted && result.scenarios[0].cells[0].trials[0].interrupted);
        assert_eq!(result.verdict, Verdict::Inconclusive, "{after_ms} ms: {result:?}");
        let latest =
            |name: &str| fs::read_to_string(place.out().join("latest").join(name)).unwrap();
        assert!(latest("report.html").contains("<h1>INTERRUPTED</h1>"));
        assert!(latest("summary.md").starts_with("## INTERRUPTED"));
        assert!(latest("metrics.txt").contains("interrupted=\"true\""));
        let report = Report::deserialize_from_str(&fs::read_to_string(&junit).unwrap()).unwrap();
        for suite in &report.test_suites {
            for case in &suite.test_cases {
                let TestCaseStatus::Skipped { message, .. } = &case.status else {
                    panic!("{after_ms} ms: {case:?}");
                };
                assert!(message.as_ref().unwrap().as_str().contains("interrupted"), "{case:?}");
            }
        }
        assert_eq!(judged_again(&place), 5);
    }
}

#[test]
fn a_violation_that_was_seen_before_the_interrupt_is_told() {
    let place = place();
    let events = place.scenario.with_file_name("events.jsonl");
    let mut command = place.run();
    command.args(["--plant", "publish-early", "--events"]).arg(&events);
    let child = begun(command);
    assert!(flows(&events));
    pause(Duration::from_millis(500));
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    let result = place.result();
    assert_eq!((result.interrupted, result.verdict), (true, Verdict::Correctness));
    let summary = fs::read_to_string(place.out().join("latest/summary.md")).unwrap();
    assert!(summary.starts_with("## DO NOT SHIP"), "{summary}");
    assert!(summary.contains("was interrupted") && summary.contains("publish-early"), "{summary}");
    assert_eq!(judged_again(&place), 1);
}

#[test]
fn workers_that_nobody_waited_for_did_not_miss_a_deadline() {
    let place = place();
    let mut command = place.run();
    command.args(["--plant", "hang"]);
    let child = begun(command);
    pause(Duration::from_millis(300));
    signal(&child, Signal::SIGINT);
    pause(Duration::from_millis(300));
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    assert!(!said(&output).contains("deadline"), "{}", said(&output));
    let result = place.result();
    assert_eq!((result.interrupted, result.verdict), (true, Verdict::Inconclusive));
    let trial = &result.scenarios[0].cells[0].trials[0];
    assert_eq!(trial.broken, [""; 0]);
    assert!(trial.roles.iter().all(|role| role.exit == "interrupted"), "{:?}", trial.roles);
}

#[test]
fn a_signal_that_is_ignored_from_the_beginning_stays_so() {
    for (name, ignored) in [("INT", Signal::SIGINT), ("HUP", Signal::SIGHUP)] {
        let place = Place::new("stream]", "duration = \"1s\"");
        let mut command = Command::new("bash");
        command.args(["-c", &format!("trap '' {name}; exec \"$@\""), "bash"]);
        command.arg(env!("CARGO_BIN_EXE_harness")).arg("run").arg(&place.scenario);
        command.arg("--out").arg(place.out());
        let child = begun(command);
        signal(&child, ignored);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{name}: {}", said(&output));
        assert!(!place.result().interrupted);
    }
}

#[test]
fn kills_that_are_interrupted_are_inconclusive() {
    let out = tempfile::tempdir().unwrap();
    let mut command = harness();
    command.current_dir(shipped("..")).args([
        "crash",
        "--only",
        "writer/W_COMMIT",
        "--kills",
        "100000",
        "--out",
    ]);
    let child = command.arg(out.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    pause(Duration::from_millis(1_500));
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    let text = fs::read_to_string(out.path().join("latest/result.json")).unwrap();
    let result = SuiteResult::from_json(&text).unwrap();
    assert_eq!((result.interrupted, result.verdict), (true, Verdict::Inconclusive));
}
