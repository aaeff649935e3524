//! The program: what it prints where, and how it ends.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use crate::RIGHT;

fn harness(arguments: &[&str]) -> (i32, String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(cargo_bin!("harness"))
        .args(arguments)
        .current_dir(root)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn help_lists_exit_codes_and_examples() {
    let (code, stdout, stderr) = harness(&["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for line in ["  0  pass", "130  interrupted", " 70  a bug"] {
        assert!(stdout.contains(line), "{line}");
    }
    assert_eq!(stdout.matches("\n  harness ").count(), 6);
}

#[test]
fn faults_are_planned_and_explained_in_words() {
    let file = "scenarios/faults/half-written.toml";
    let (code, stdout, stderr) = harness(&["plan", file]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let planned = "fault: dies: at 200 ms producer dies right before its visit 7 to W_COMMIT";
    assert!(stdout.contains(planned), "{stdout}");
    let (code, stdout, _) = harness(&["plan", file, "--json"]);
    let plans: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &plans[0]["trials"][0]["faults"][1]["name"]), (0, &Value::from("heir")));
    let (code, stdout, stderr) = harness(&["explain", file]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Fault `heir`: 400 ms after the measured part begins"), "{words}");
    assert!(words.contains("the producer is started again."), "{words}");
}

#[test]
fn a_wrong_command_line_is_usage() {
    assert_eq!(harness(&["chekc"]).0, 2);
    assert_eq!(harness(&["list", "--profile", "night"]).0, 2);
    assert_eq!(harness(&["plan", "--repeats", "0"]).0, 2);
}

#[test]
fn shipped_scenarios_check_clean() {
    let (code, stdout, stderr) = harness(&["check", "scenarios"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("right: "), "{stdout}");
}

#[test]
fn mistakes_go_to_standard_error_and_end_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = file(&folder, "wrong.toml", &RIGHT.replace("slots", "slotz"));
    let path = wrong.to_str().unwrap();
    for verb in ["check", "list", "plan", "explain"] {
        let (code, stdout, stderr) = harness(&[verb, path]);
        assert_eq!(code, 2, "{verb}");
        assert!(stderr.contains("did you mean `slots`?"), "{verb}: {stderr}");
        assert!(!stdout.contains("slotz") && !stderr.contains('\u{1b}'), "{verb}");
    }
    let (code, stdout, _) = harness(&["check", "--json", path]);
    let document: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 2);
    assert_eq!(document["wrong"][0]["problems"][1]["line"], 8);
}

#[test]
fn colours_are_shown_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = file(&folder, "wrong.toml", &RIGHT.replace("slots", "slotz"));
    let (_, _, stderr) = harness(&["--color", "always", "check", wrong.to_str().unwrap()]);
    assert!(stderr.contains('\u{1b}'));
}

#[test]
fn two_scenarios_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "a.toml", RIGHT);
    file(&folder, "b.toml", RIGHT);
    let (code, _, stderr) = harness(&["check", folder.path().to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(stderr.contains("two scenarios are called `right`"), "{stderr}");
}

#[test]
fn what_editors_leave_beside_scenarios_is_passed_over_and_a_lost_scenario_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    file(&folder, "marked.toml", &format!("\u{feff}{RIGHT}"));
    symlink("nowhere", folder.path().join("nowhere.txt")).unwrap();
    symlink("user@host.1", folder.path().join(".#marked.toml")).unwrap();
    let (code, stdout, stderr) = harness(&["check", path]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("right: 1 "), "{stdout}");
    symlink("nowhere", folder.path().join("lost.toml")).unwrap();
    let (code, _, stderr) = harness(&["check", path]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("lost.toml: 1 problem"), "{stderr}");
}

#[test]
fn nothing_selected_is_four() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(harness(&["check", folder.path().to_str().unwrap()]).0, 4);
    assert_eq!(harness(&["list", "-E", "no such cell"]).0, 4);
    assert_eq!(harness(&["plan", "-E", "no such cell"]).0, 4);
    assert_eq!(harness(&["list", "/no/such/folder"]).0, 2);
}

#[test]
fn json_is_the_only_thing_on_standard_output() {
    for arguments in [
        &["list", "--json"][..],
        &["check", "--json"],
        &["plan", "scenarios/smoke", "--json"],
        &["doctor", "--json"],
        &["schema", "scenario"],
        &["schema", "result"],
    ] {
        let (code, stdout, _) = harness(arguments);
        assert_eq!(code, 0, "{arguments:?}");
        assert!(serde_json::from_str::<Value>(&stdout).is_ok(), "{arguments:?}");
    }
}

#[test]
fn every_scenario_is_explained() {
    let (code, stdout, _) = harness(&["explain", "scenarios"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("What must hold:"));
    assert!(harness(&["explain"]).1.starts_with("# "));
    assert!(harness(&["completions", "bash"]).1.contains("harness"));
}

#[test]
fn every_verb_shows_how_it_is_used() {
    let (_, all, _) = harness(&["--help"]);
    let listed = all.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    // What is further in goes on with the line above.
    let verbs =
        listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let verbs = verbs.filter_map(|line| line.split_whitespace().next());
    let mut shown = 0;
    for verb in verbs.filter(|verb| *verb != "help") {
        let (code, help, _) = harness(&[verb, "--help"]);
        assert_eq!(code, 0, "{verb}");
        let (_, examples) =
            help.split_once("Examples:\n").unwrap_or_else(|| panic!("{verb}: {help}"));
        assert!(examples.contains(&format!("harness {verb}")), "{verb}: {help}");
        shown += 1;
    }
    assert!(shown >= 18, "{shown}: {all}");
}

#[test]
fn what_carries_messages_instead_of_a_block_is_said() {
    let file = "scenarios/peers/throughput.toml";
    let (code, out, err) = harness(&["explain", file, "--set", "block.transport=pipe"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("go over `pipe` instead of a block"), "{out}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = Command::new(cargo_bin!("harness"))
        .args(["schema", "scenario"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn results_that_cannot_be_written_are_seven() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Command::new(cargo_bin!("harness"))
        .args(["schema", "scenario"])
        .stdout(full)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(7));
}
