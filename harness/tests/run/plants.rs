//! Runs with a defect: each must be found guilty, for its own reason.

use std::process::Stdio;

use report_schema::Verdict;

use crate::support::{Place, code, harness, said, shipped, workers_of};

/// Runs a shipped scenario with a defect; every effect that may show is named.
fn is_found(defect: &str, scenario: &str, effects: &[&str]) {
    let out = tempfile::tempdir().unwrap();
    let file = shipped(&format!("policies/{scenario}.toml"));
    let mut command = harness();
    command.arg("run").arg(&file).args(["--plant", defect]).arg("--out").arg(out.path());
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(code(&output), 1, "{said}");
    let found = said.lines().find(|line| {
        effects.iter().any(|effect| line.contains(&format!("{effect} == 0 does not hold: ")))
    });
    let line = found.unwrap_or_else(|| panic!("none of {effects:?} in {said}"));
    // Where it is stated, in which cell, and how to repeat it.
    assert!(line.contains(&format!("{scenario}.toml:")), "{line}");
    assert!(line.contains(&format!("policies-{scenario}")), "{line}");
    assert!(line.contains("seed 0x"), "{line}");
    assert!(out.path().join("latest/report.html").exists());
}

#[test]
fn a_producer_that_does_not_wait_for_readers_tears() {
    is_found("skip-drain", "latest-only-tight", &["torn", "mislabelled"]);
}

#[test]
fn a_reader_that_does_not_compare_labels_takes_the_wrong_payload() {
    is_found("drop-label", "latest-only", &["mislabelled"]);
}

#[test]
fn a_commit_before_its_payload_is_seen() {
    is_found("publish-early", "sequential", &["torn", "mislabelled"]);
}

#[test]
fn a_flipped_byte_fails_its_checksum() {
    is_found("corrupt-byte", "checksum-enforced", &["checksum-failures"]);
}

#[test]
fn a_commit_that_never_arrives_is_lost() {
    is_found("lose-commit", "sequential", &["lost"]);
}

/// Runs a small stream with a worker that misbehaves; it must be broken, and say why.
fn breaks(defect: &str, why: &str) {
    let place = Place::new("stream]", "duration = \"200ms\"");
    let text = std::fs::read_to_string(&place.scenario).unwrap();
    std::fs::write(&place.scenario, text.replace("\"20s\"", "\"1s\"")).unwrap();
    let mut command = place.run();
    command.args(["--plant", defect]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let harness = command.spawn().unwrap();
    let id = harness.id();
    let output = harness.wait_with_output().unwrap();
    assert_eq!(code(&output), 6, "{}", said(&output));
    assert!(said(&output).contains(why), "{}", said(&output));
    assert_eq!(place.result().verdict, Verdict::Broken);
    assert!(place.out().join("latest/report.html").exists());
    assert!(workers_of(id).is_empty());
}

#[test]
fn a_worker_that_hangs_breaks_the_run_at_its_deadline() {
    breaks("hang", "reader did not end before the deadline and was killed");
}

#[test]
fn a_worker_that_is_killed_breaks_the_run() {
    breaks("crash", "reader ended with signal 9");
}

#[test]
fn a_worker_that_ends_without_a_word_breaks_the_run() {
    breaks("exit-early", "reader ended without a report");
}
