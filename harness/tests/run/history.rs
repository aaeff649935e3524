//! Histories of real runs: the independent checker agrees, finds what was planted, and outlives kills.

use std::fs;

use report_schema::{HistoryCheck, SuiteResult, Verdict};
use serde_json::Value;

use crate::support::{Place, code, harness, said, shipped};

/// A run of a shipped scenario with histories, kept in a folder.
fn kept(scenario: &str, settings: &[&str], more: &[&str]) -> (tempfile::TempDir, i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = harness();
    command.arg("run").arg(shipped(scenario)).arg("--out").arg(folder.path().join("out"));
    command.arg("--keep-history").arg(folder.path().join("kept"));
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.args(more).output().unwrap();
    let (code, said) = (code(&output), said(&output));
    (folder, code, said)
}

fn judged_again(folder: &tempfile::TempDir) -> (i32, String) {
    let output = harness().arg("check-history").arg(folder.path().join("kept")).output().unwrap();
    (code(&output), said(&output))
}

#[test]
fn every_smoke_cell_and_its_history_agree() {
    // Counted messages, and time enough where none can be counted: each scenario also asks for a
    // hundred deliveries, and others may have the cores for most of half a second.
    for (scenario, length, history) in [
        ("smoke/ping-pong.toml", "run.count=2000", "record.history=ring:1M"),
        ("smoke/stream.toml", "run.count=10000", "record.history=ring:4k"),
        ("smoke/open.toml", "run.duration=2s", "record.history=all"),
        ("fanout/joiners.toml", "run.duration=300ms", "record.history=ring:1M"),
    ] {
        let (folder, exit, text) = kept(scenario, &[length, history], &["--allow-inconclusive"]);
        assert_eq!(exit, 0, "{scenario}: {text}");
        let (exit, text) = judged_again(&folder);
        assert_eq!(exit, 0, "{scenario}: {text}");
        assert!(text.contains("nothing is wrong"), "{text}");
    }
}

/// A defect that a history must show, too.
fn is_in_the_history(defect: &str, scenario: &str, guarantees: &[&str]) {
    let (folder, exit, text) = kept(
        &format!("policies/{scenario}.toml"),
        &["record.history=ring:1M"],
        &["--plant", defect],
    );
    assert_eq!(exit, 1, "{text}");
    shows_its_records(&folder);
    let (exit, text) = judged_again(&folder);
    assert_eq!(exit, 1, "{text}");
    let kept = folder.path().join("kept");
    let output = harness().args(["check-history", "--json"]).arg(kept).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let wrong = |each: &&Value| each["verdict"] == "correctness";
    let one = found["histories"].as_array().unwrap().iter().find(wrong).unwrap();
    let told =
        one["examples"].as_array().unwrap().iter().chain(one["disagreements"].as_array().unwrap());
    let told: Vec<&str> = told.map(|line| line.as_str().unwrap()).collect();
    assert!(!told.is_empty() && told.iter().all(|line| text.contains(line)), "{found} {text}");
    assert_eq!(found["exit_code"], 1);
    assert!(
        guarantees.iter().any(|guarantee| text.contains(guarantee)),
        "{guarantees:?} in {text}"
    );
}

/// The page shows what each process did around the violation, where the result has it.
fn shows_its_records(folder: &tempfile::TempDir) {
    let out = folder.path().join("out/latest");
    let text = fs::read_to_string(out.join("result.json")).unwrap();
    let suite = SuiteResult::from_json(&text).unwrap();
    let cells = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let mut histories =
        cells.flat_map(|cell| &cell.trials).filter_map(|trial| trial.history.as_ref());
    let found = histories.find(|history| !history.violations.is_empty()).unwrap();
    let seen = found.around.iter().filter(|record| record.violates).count();
    assert!(seen == 1 && found.around.len() > 1, "{:?}", found.around);
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    let title = "Around the first violation";
    assert!(page.contains(title), "{}", found.examples[0]);
}

#[test]
fn a_commit_before_its_payload_is_in_the_history() {
    is_in_the_history("publish-early", "sequential", &["G1", "G2"]);
}

#[test]
fn a_commit_that_never_arrives_is_in_the_history() {
    is_in_the_history("lose-commit", "sequential", &["G4"]);
}

#[test]
fn who_lies_about_its_counts_is_contradicted_by_its_history() {
    let more = ["--plant", "lie-counts"];
    let (folder, exit, text) = kept("smoke/open.toml", &["record.history=all"], &more);
    assert!(exit == 1 && text.contains("counted as delivered, the history has"), "{exit} {text}");
    // What it wrote down was right.
    assert_eq!(judged_again(&folder).0, 0);
}

#[test]
fn to_keep_histories_that_nobody_writes_is_refused() {
    let (folder, exit, text) = kept("smoke/open.toml", &[], &[]);
    assert!(exit == 2 && text.contains("record.history=ring:1M"), "{exit} {text}");
    assert!(!folder.path().join("kept").exists());
}

#[test]
fn what_a_killed_consumer_wrote_down_outlives_it() {
    let place = Place::new("open]\nrate = \"5 kHz\"", "duration = \"300ms\"");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let fault = "[[fault]]\nname = \"f\"\nat = \"100 ms\"\nrole = \"reader\"\naction = \"kill\"\n";
    fs::write(&place.scenario, format!("{text}[record]\nhistory = \"all\"\n{fault}")).unwrap();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let result = place.result();
    assert_eq!(result.verdict, Verdict::Pass);
    let trial = &result.scenarios[0].cells[0].trials[0];
    let HistoryCheck { records, overwritten, violations, .. } = trial.history.clone().unwrap();
    assert!(violations.is_empty() && overwritten == 0, "{violations:?}");
    // Both ends: what was committed, and what the dead one had been given.
    let least = trial.counts.committed + trial.roles[1].counts.delivered;
    assert!(trial.roles[1].falls == 1 && records >= least, "{records} {least}");
}

#[test]
fn a_history_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.history");
    for (bytes, exit, why) in [
        (b"".as_slice(), 7, "this is no history"),
        (b"DHHISTRY\x09\0\0\0\0\0\0\0".as_slice(), 7, "version 9"),
        (b"DHHISTRY\x01\0\0\0\0\0\0\0\x02".as_slice(), 7, "cut short"),
    ] {
        fs::write(&file, bytes).unwrap();
        let output = harness().arg("check-history").arg(folder.path()).output().unwrap();
        assert_eq!(code(&output), exit, "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
        let output =
            harness().arg("check-history").arg(folder.path()).arg("--json").output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((code(&output), found["exit_code"].as_i64()), (7, Some(7)), "{found}");
        assert!(found["histories"][0]["error"].as_str().unwrap().contains(why), "{found}");
    }
    fs::remove_file(&file).unwrap();
    let output = harness().arg("check-history").arg(folder.path()).output().unwrap();
    assert_eq!(code(&output), 4, "{}", said(&output));
}
