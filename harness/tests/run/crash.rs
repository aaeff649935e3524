//! Real processes killed at sites: the survivors are judged, and so is the judge.

use std::process::Stdio;

use report_schema::SuiteResult;

use crate::support::{code, harness, said, within, workers_of};

fn crash(arguments: &[&str]) -> (i32, String, SuiteResult) {
    let out = tempfile::tempdir().unwrap();
    let mut command = harness();
    let output =
        command.arg("crash").args(arguments).arg("--out").arg(out.path()).output().unwrap();
    let text = std::fs::read_to_string(out.path().join("latest/result.json")).unwrap();
    assert!(out.path().join("latest/report.html").exists());
    (code(&output), said(&output), SuiteResult::from_json(&text).unwrap())
}

#[test]
fn nobody_is_harmed_by_a_death_at_the_commit() {
    for site in [
        "writer/W_COMMIT",
        "reader/R_ADMIT",
        "successor/X_RESET",
        "undertaker/X_LEAVE",
        "writer/E_RETIRE",
        "reader/E_CHECK",
        "writer/Z_SEQ_END",
        "successor/Z_LOCK_RECLAIM",
    ] {
        let (code, said, result) = crash(&["--only", site, "--kills", "3", "--seed", "9"]);
        assert_eq!(code, 0, "{site}: {said}");
        let kills: u64 = result.crashes.iter().map(|row| row.kills).sum();
        assert!(kills >= 3, "{site}: {kills} kills");
    }
}

#[test]
fn a_survivor_with_a_defect_is_found_out() {
    for (defect, effect) in [
        ("skip-one", "were never delivered"),
        ("take-twice", "was delivered twice"),
        ("other-label", "is another one"),
        ("change-byte", "is torn"),
        ("leave-remains", "something of the dead is left"),
    ] {
        let only = ["--only", "writer/W_COMMIT", "--kills", "1", "--plant", defect];
        let (code, said, result) = crash(&only);
        assert_eq!(code, 1, "{defect}: {said}");
        let examples: Vec<_> = result.crashes.iter().filter_map(|r| r.example.as_ref()).collect();
        assert!(examples.iter().any(|text| text.contains(effect)), "{defect}: {examples:?}");
    }
}

#[test]
fn killing_nobody_is_never_a_pass() {
    let (code, said, _) = crash(&["--only", "writer/H_AGE", "--kills", "1"]);
    assert_eq!(code, 4, "{said}");
}

#[test]
fn an_interrupted_run_keeps_what_it_has_and_leaves_nobody_behind() {
    let out = tempfile::tempdir().unwrap();
    let mut command = harness();
    command.args(["crash", "--kills", "1000", "--out"]).arg(out.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    assert!(within(std::time::Duration::from_secs(20), || drivers(id) == 1));
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(id.cast_signed()),
        nix::sys::signal::Signal::SIGINT,
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", said(&output));
    assert!(out.path().join("latest/report.html").exists());
    assert_eq!((drivers(id), workers_of(id).len()), (0, 0));
}

/// The driver processes of this harness.
fn drivers(harness: u32) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let is_driver = |id: &String| {
        let line = std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        line.contains("__crash-driver") && parent == Some(&harness.to_string())
    };
    processes.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_driver).count()
}
