//! Runs with a defect: each must be found guilty, for its own reason.

use std::process::Stdio;
use std::time::{Duration, Instant};

use report_schema::Verdict;

use crate::support::{Place, code, harness, said, shipped, workers_of};

/// Runs a shipped scenario with a defect; every effect that may show is named.
fn is_found(defect: &str, scenario: &str, effects: &[&str]) {
    is_found_under(&[], defect, scenario, effects);
}

/// The same with some settings changed.
fn is_found_under(settings: &[&str], defect: &str, scenario: &str, effects: &[&str]) {
    let out = tempfile::tempdir().unwrap();
    let file = shipped(&format!("policies/{scenario}.toml"));
    let mut command = harness();
    command.arg("run").arg(&file).args(["--plant", defect]).arg("--out").arg(out.path());
    for setting in settings {
        command.args(["--set", setting]);
    }
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
fn a_flipped_byte_fails_the_checksum_that_the_workers_ask_for() {
    let manual = ["block.checksum.policy=manual"];
    is_found_under(&manual, "corrupt-byte", "checksum-enforced", &["checksum-failures"]);
}

#[test]
fn a_commit_that_never_arrives_is_lost() {
    is_found("lose-commit", "sequential", &["lost"]);
}

/// A deadline for those who would stay for ever.
const DEADLINE: Duration = Duration::from_secs(3);

/// Runs a small stream with a worker that misbehaves; the run must end in time, say why, and still
/// write its report.
fn is_classified(defect: &str, exit: i32, verdict: Verdict, why: &str) {
    let place = Place::new("stream]", "duration = \"200ms\"");
    let text = std::fs::read_to_string(&place.scenario).unwrap();
    std::fs::write(&place.scenario, text.replace("\"20s\"", "\"3s\"")).unwrap();
    let mut command = place.run();
    command.args(["--plant", defect]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let harness = command.spawn().unwrap();
    let id = harness.id();
    let output = harness.wait_with_output().unwrap();
    assert_eq!(code(&output), exit, "{}", said(&output));
    assert!(said(&output).contains(why), "{}", said(&output));
    assert_eq!(place.result().verdict, verdict);
    // The deadline counts from the start of the trial; the rest is reading and writing files.
    let took_ms = place.result().wall_ms;
    let limit = DEADLINE + Duration::from_secs(1);
    assert!(u128::from(took_ms) <= limit.as_millis(), "{took_ms} ms");
    assert!(start.elapsed() < limit + Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(place.out().join("latest/report.html").exists());
    assert!(workers_of(id).is_empty());
}

#[test]
fn a_worker_that_hangs_breaks_the_run_at_its_deadline() {
    let why = "reader did not end before the deadline and was killed";
    is_classified("hang", 6, Verdict::Broken, why);
}

#[test]
fn a_worker_that_is_killed_breaks_the_run() {
    is_classified("crash", 6, Verdict::Broken, "reader ended with signal 9");
}

#[test]
fn a_worker_that_ends_without_a_word_breaks_the_run() {
    is_classified("exit-early", 6, Verdict::Broken, "reader ended without a report");
}

#[test]
fn a_worker_that_stops_reading_breaks_the_run() {
    is_classified("stop-reading", 6, Verdict::Broken, "reader did not end before the deadline");
}

#[test]
fn a_worker_that_lies_about_its_counts_is_contradicted_by_the_block() {
    is_classified("lie-counts", 1, Verdict::Correctness, "says total_slots_read = ");
}

#[test]
fn a_worker_that_leaves_a_segment_breaks_the_run_and_the_segment_goes() {
    is_classified("leak-segment", 6, Verdict::Broken, "behind: it was removed");
    let left = std::fs::read_dir("/dev/shm").unwrap().flatten();
    let leaks = left.filter(|entry| entry.file_name().to_string_lossy().contains("leak-"));
    assert_eq!(leaks.count(), 0);
}

#[test]
fn a_worker_that_eats_memory_ends_itself_and_breaks_the_run() {
    is_classified("eat-memory", 6, Verdict::Broken, "wants more memory than it may have");
}
