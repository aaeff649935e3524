//! `harness model` and `harness replay` as people use them: one run, its text, its trace.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

fn harness(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("harness").unwrap();
    command.current_dir(folder).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The one model of a run's result document.
fn model(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let all = [&["model", "--json"], arguments].concat();
    let output = harness(folder, &all);
    let mut result: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), result["models"][0].take())
}

#[test]
fn a_counterexample_is_replayed_from_its_text_and_drawn_as_a_trace() {
    let folder = TempDir::new().unwrap();
    for engine in ["explore", "loom", "shuttle-random"] {
        let run = ["--engine", engine, "--scenario", "published/f12-two-owners"];
        let (code, result) = model(folder.path(), &run);
        assert_eq!(code, Some(0), "{result}");
        let command = result["replay"].as_str().unwrap().to_owned();
        let words: Vec<&str> = command.split(' ').collect();
        let ["harness", "replay", text] = words[..] else { panic!("{command}") };
        let file = folder.path().join(format!("{engine}.json"));
        let replay = ["replay", text, "--chrome-trace", file.to_str().unwrap()];
        let output = harness(folder.path(), &replay);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let shown = said(&output);
        let steps = result["counterexample"]["steps"].as_array().unwrap();
        for step in steps {
            assert!(shown.contains(step.as_str().unwrap()), "{engine}: {step} is not in {shown}");
        }
        let trace: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let boxes = events.iter().filter(|event| event["ph"] == "X");
        assert_eq!(boxes.clone().count(), steps.len(), "{engine}");
        assert!(boxes.clone().any(|event| event["name"] == "L_STEAL"), "{engine}");
        let tracks: BTreeSet<_> = boxes.map(|event| event["tid"].to_string()).collect();
        let names = events.iter().filter(|event| event["name"] == "thread_name");
        let names: BTreeSet<_> = names.map(|event| event["args"]["name"].to_string()).collect();
        assert_eq!(names.len(), tracks.len());
        assert!(names.contains("\"first\"") && names.contains("\"second\""), "{names:?}");
    }
}

#[test]
fn a_text_that_is_none_or_damaged_is_told_apart() {
    let folder = TempDir::new().unwrap();
    for (text, word) in [("hello", "no replay string"), ("explore,scenario=x,path=0", "damaged")] {
        let output = harness(folder.path(), &["replay", text]);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(said(&output).contains(word), "{}", said(&output));
    }
}

#[test]
fn a_mutant_or_a_defect_that_nobody_notices_fails_the_run() {
    let folder = TempDir::new().unwrap();
    let quiet = ["--engine", "explore", "--scenario", "slot/one-reader"];
    for change in [["--mutant", "P_FENCE=none"], ["--plant", "lock-by-store"]] {
        let (code, result) = model(folder.path(), &[&quiet[..], &change[..]].concat());
        assert_eq!(code, Some(1), "{result}");
        assert!(result["expected_failure"].as_bool().unwrap(), "{result}");
    }
    let (code, result) = model(folder.path(), &[&quiet[..], &["--plant", "no-such"]].concat());
    assert_eq!(code, Some(6), "{result}");
}

#[test]
fn what_an_engine_cannot_see_is_said_wherever_its_results_are_shown() {
    let folder = TempDir::new().unwrap();
    let spots = [
        ("explore", "explore cannot see load buffering"),
        (
            "loom",
            "in litmus/exchange/stale-refusal: a failing exchange reads the newest value only",
        ),
        ("shuttle-random", "shuttle-random cannot see memory orderings"),
        ("shuttle-pct", "shuttle-pct cannot see 24 outcomes of 16 litmus tests, and 4 races"),
        ("shuttle-dfs", "shuttle-dfs cannot see memory orderings"),
    ];
    for (engine, spot) in spots {
        let output = harness(folder.path(), &["model", "zone/word-changed", "--engine", engine]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains(spot), "{spot} is not in {}", said(&output));
        let page = std::fs::read_dir(folder.path().join("out")).unwrap().flatten();
        let page = page.map(|run| run.path().join("report.html")).find(|page| page.exists());
        let page = std::fs::read_to_string(page.unwrap()).unwrap();
        assert!(page.contains(spot), "{spot} is not on the page");
        std::fs::remove_dir_all(folder.path().join("out")).unwrap();
    }
}

#[test]
fn a_search_that_the_clock_ends_is_no_pass() {
    let folder = TempDir::new().unwrap();
    let run = ["--engine", "explore", "--scenario", "latest/crowded", "--seconds", "1"];
    let (code, result) = model(folder.path(), &run);
    assert_eq!(code, Some(5), "{result}");
    assert!(result["coverage"]["bounded"]["bound"].as_str().unwrap().contains("--seconds"));
}

#[test]
fn what_would_be_ignored_is_refused() {
    let folder = TempDir::new().unwrap();
    for instead in ["--hardware", "--list"] {
        for ignored in [
            &["ring"][..],
            &["--engine", "loom"],
            &["--engine", "loom", "--scenario", "ring"],
            &["--no-mutants"],
            &["--seconds", "5"],
            &["--jobs", "2"],
            &["--seed", "1"],
        ] {
            let output = harness(folder.path(), &[&["model", instead], ignored].concat());
            assert_eq!(output.status.code(), Some(2), "{instead} {ignored:?}: {}", said(&output));
            assert!(said(&output).contains("cannot be used with"), "{}", said(&output));
        }
    }
    let both = harness(folder.path(), &["model", "--hardware", "--list"]);
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));
}
