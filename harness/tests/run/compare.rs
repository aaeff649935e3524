//! Comparisons of real runs: in turns, stored, against a baseline.
//!
//! Both processes share one core, so that there is no bare line whose class could change between
//! two runs; what is compared is far apart.

use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report_schema::{Change, ComparisonKind, SuiteResult, Verdict};

use crate::support::{code, harness, said, within, workers_of};

const SCENARIO: &str = r#"# How much goes through beside a slow reader?
schema = 1
name = "slow"
question = "How much goes through beside a slow reader?"

[block]
slots = 8
payload-size = "64 B"
policy = "ring-buffer"
consumer-sync = "sequential"

[producer]
pin = "core:0"
wait = "yield"

[[consumer]]
name = "reader"
pin = "core:0"
wait = "yield"
work = "20 us"

[workload.stream]

[run]
warmup = "5 ms"
duration = "30 ms"
repeats = 6
seed = 7
deadline = "20 s"

[[expect]]
id = "rate"
check = "throughput.messages >= 0.7 * baseline"
"#;

const SLOWER: &str = "consumer.reader.work=5 ms";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.file("slow.toml"), SCENARIO).unwrap();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program in this folder, so that its usual places are here, too.
    fn harness(&self, arguments: &[&str]) -> Output {
        harness().current_dir(self.0.path()).args(arguments).output().unwrap()
    }

    fn result(&self) -> SuiteResult {
        let text = fs::read_to_string(self.file("out/latest/result.json")).unwrap();
        SuiteResult::from_json(&text).unwrap()
    }
}

#[test]
fn a_slower_setting_is_found_in_turns() {
    let place = Place::new();
    let output =
        place.harness(&["ab", "slow.toml", "--repeats", "8", "--cand-set", SLOWER, "--no-report"]);
    assert_eq!(code(&output), 3, "{}", said(&output));
    let result = place.result();
    let comparison = &result.comparisons[0];
    assert_eq!(comparison.kind, ComparisonKind::Variants);
    assert_eq!(comparison.cells[0].change, Change::Regressed);
    assert_eq!(comparison.candidate.name, SLOWER);
    assert_eq!(result.scenarios.len(), 2);
    assert!(result.scenarios.iter().all(|scenario| scenario.verdict == Verdict::Pass));
}

#[test]
fn two_builds_run_their_own_workers_and_a_stranger_is_refused() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_harness");
    let output = place.harness(&[
        "ab",
        "slow.toml",
        "--base",
        program,
        "--cand",
        program,
        "--repeats",
        "8",
        "--no-report",
        "--allow-inconclusive",
    ]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(place.result().comparisons[0].kind, ComparisonKind::Builds);
    let output = place.harness(&["ab", "slow.toml", "--base", program, "--cand", "/bin/true"]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("no harness that can be run"), "{}", said(&output));
}

#[test]
fn a_thing_compared_with_itself_counts_its_false_alarms() {
    let place = Place::new();
    let output = place.harness(&["ab", "slow.toml", "--aa", "2", "--repeats", "6", "--no-report"]);
    let result = place.result();
    let found = result.comparisons[0].false_alarms.unwrap();
    assert_eq!(found.comparisons, 2, "{}", said(&output));
    for line in ["comparison 1 of 2 [1/36] B slow #0", "comparison 2 of 2 [1/36] "] {
        assert!(said(&output).contains(line), "{}", said(&output));
    }
}

#[test]
fn too_few_repeats_to_be_sure_of_anything_are_refused_before_they_run() {
    let place = Place::new();
    let output = place.harness(&["ab", "slow.toml", "--aa", "2", "--repeats", "4", "--no-report"]);
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("take --repeats 6"), "{}", said(&output));
    assert!(!place.file("out/latest").exists());
}

#[test]
fn a_comparison_that_was_interrupted_is_not_counted() {
    let place = Place::new();
    let mut command = harness();
    command.current_dir(place.0.path()).args(["ab", "slow.toml", "--aa", "1", "--repeats", "100"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    assert!(within(Duration::from_secs(20), || workers_of(child.id()).len() == 2));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    let found = place.result().comparisons[0].false_alarms.unwrap();
    assert_eq!((found.comparisons, found.alarms, found.inconclusive), (0, 0, 0));
}

#[test]
fn nothing_to_compare_is_usage() {
    let place = Place::new();
    assert_eq!(code(&place.harness(&["ab", "slow.toml"])), 2);
    assert_eq!(code(&place.harness(&["ab", "slow.toml", "--aa", "1", "--ratio", "0.9"])), 2);
    assert_eq!(code(&place.harness(&["ab", "slow.toml", "--aa", "1", "--metric", "lost"])), 2);
    assert_eq!(code(&place.harness(&["baseline", "remove", "../nightly"])), 2);
}

#[test]
fn what_is_named_and_not_there_is_usage_for_every_verb() {
    let place = Place::new();
    for verb in [
        &["run", "nothere"][..],
        &["check", "nothere"],
        &["report", "nothere"],
        &["compare", "nothere", "slow.toml"],
        &["merge", "nothere"],
        &["gate"],
        &["gate", "nothere"],
        &["baseline", "save", "x", "nothere"],
        &["check-history", "nothere"],
    ] {
        let output = place.harness(verb);
        assert_eq!(code(&output), 2, "{verb:?}: {}", said(&output));
    }
    // What is there and cannot be read is another matter.
    for verb in [&["report", "slow.toml"][..], &["check-history", "slow.toml"]] {
        let output = place.harness(verb);
        assert_eq!(code(&output), 7, "{verb:?}: {}", said(&output));
    }
}

#[test]
fn a_run_of_which_no_check_names_the_baseline_is_compared_with_it_all_the_same() {
    let place = Place::new();
    let unchecked = SCENARIO.split("[[expect]]").next().unwrap();
    fs::write(place.file("slow.toml"), unchecked).unwrap();
    let run = |more: &[&str]| place.harness(&[&["run", "slow.toml", "--no-report"], more].concat());
    assert_eq!(code(&run(&[])), 0);
    assert_eq!(code(&place.harness(&["baseline", "save", "first"])), 0);
    let slower = run(&["--baseline", "first", "--set", SLOWER]);
    assert_eq!(code(&slower), 3, "{}", said(&slower));
    let gated = place.harness(&["gate", "--baseline", "first", "--set", SLOWER]);
    assert_eq!(code(&gated), 3, "{}", said(&gated));
    let verdict = "performance: all 8 expectations hold, but of 1 figures compared 1 regressed";
    let stdout = String::from_utf8_lossy(&gated.stdout);
    assert!(stdout.contains(verdict), "{stdout}");
}

#[test]
fn a_stored_run_is_a_baseline_for_later_ones() {
    let place = Place::new();
    let run = |more: &[&str]| place.harness(&[&["run", "slow.toml", "--no-report"], more].concat());
    // Without a baseline there is nothing to say.
    assert_eq!(code(&run(&[])), 5);
    assert_eq!(code(&place.harness(&["baseline", "save", "first"])), 0);
    assert_eq!(code(&place.harness(&["baseline", "promote", "first", "release"])), 0);
    let listed = place.harness(&["baseline", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.contains("first  ") && listed.contains("release  "), "{listed}");

    let slower = run(&["--baseline", "release", "--set", SLOWER]);
    assert_eq!(code(&slower), 3, "{}", said(&slower));
    let result = place.result();
    let gates = &result.scenarios[0].cells[0].gates;
    let gate = gates.iter().find(|gate| gate.id == "rate").unwrap();
    let evidence = gate.evidence.as_ref().unwrap();
    assert_eq!((gate.verdict, gate.line), (Verdict::Performance, Some(33)));
    assert!(evidence.ratio < 0.5 && evidence.p_value <= 0.01 && evidence.baseline == "release");

    let again = place.harness(&["gate", "--baseline", "release"]);
    assert_eq!(code(&again), 3, "{}", said(&again));
    assert!(said(&again).contains("slow.toml:33"), "{}", said(&again));
    let unset = place.harness(&["gate"]);
    assert_eq!(code(&unset), 5);
    let note = format!("the run was made with --set {SLOWER}, and is judged with no --set");
    assert!(said(&unset).contains(&note), "{}", said(&unset));
    let set = place.harness(&["gate", "--set", SLOWER]);
    assert!(!said(&set).contains("the run was made with"), "{}", said(&set));
    assert_eq!(code(&place.harness(&["gate", "--allow-inconclusive"])), 0);

    let compared = place.harness(&["compare", "out/baselines/first.json", "out/latest"]);
    assert_eq!(code(&compared), 3, "{}", said(&compared));
    assert!(said(&compared).contains("regressed"), "{}", said(&compared));
    let same = place.harness(&["compare", "out/latest", "out/latest", "--ratio", "3"]);
    assert_eq!(code(&same), 0, "{}", said(&same));

    assert_eq!(code(&place.harness(&["baseline", "remove", "first"])), 0);
    assert_eq!(code(&place.harness(&["baseline", "show", "first"])), 2);
}

#[test]
fn a_baseline_of_another_machine_is_inconclusive_and_says_so() {
    let place = Place::new();
    let run = place.harness(&["run", "slow.toml", "--no-report"]);
    assert_eq!(code(&run), 5, "{}", said(&run));
    let mut elsewhere = place.result();
    elsewhere.host.kernel = Some("Linux of another machine".to_owned());
    fs::write(place.file("elsewhere.json"), elsewhere.to_json().unwrap()).unwrap();
    assert_eq!(code(&place.harness(&["baseline", "save", "elsewhere", "elsewhere.json"])), 0);
    let judged = place.harness(&["gate", "--baseline", "elsewhere"]);
    assert_eq!(code(&judged), 5, "{}", said(&judged));
    assert!(said(&judged).contains("its kernel was Linux of another machine"), "{}", said(&judged));
}
