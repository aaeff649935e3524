//! Real processes killed at sites: the survivors are judged, and so is the judge.

use std::path::PathBuf;
use std::process::Stdio;

use report_schema::SuiteResult;

use crate::support::{code, harness, said, shipped, within, workers_of};

/// The matrix that ships.
fn matrix() -> PathBuf {
    shipped("faults/kills.toml")
}

/// A matrix of two seeds with these shapes.
fn few(at_least: u64, shapes: &[&str]) -> String {
    let dose = format!("{{ seeds = 2, kills = 2, at-least = {at_least} }}");
    let shapes = shapes.iter().map(|shape| format!("[[shape]]\n{shape}\n"));
    format!(
        "# Enough?\nschema = 1\nkind = \"kills\"\nname = \"k\"\nquestion = \"Enough?\"\n[profile]\n\
         smoke = {dose}\nfull = {dose}\nsoak = {dose}\n{}",
        shapes.collect::<String>()
    )
}

const SYNC: &str = "consumer-sync = \"sequential-sync\"\nslots = 4\nreaders = 2";

/// Kills in a plain block, one with zones and one that evicts; `ci/scenarios` kills in all of them.
fn crash(arguments: &[&str]) -> (i32, String, SuiteResult) {
    let out = tempfile::tempdir().unwrap();
    let matrix = out.path().join("kills.toml");
    let (zones, evict) = (format!("{SYNC}\nzones = true"), format!("{SYNC}\non-full = \"evict\""));
    std::fs::write(&matrix, few(1, &[SYNC, &zones, &evict])).unwrap();
    let mut command = harness();
    let output = command
        .arg("crash")
        .arg(&matrix)
        .args(arguments)
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
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
        "recoverer/X_RESET",
        "recoverer/X_LEAVE",
    ] {
        let (code, said, result) = crash(&["--only", site, "--kills", "3", "--seed", "9"]);
        assert_eq!(code, 0, "{site}: {said}");
        let reached: Vec<_> = result.crashes.iter().filter(|row| row.visits > 0).collect();
        let kills: u64 = reached.iter().map(|row| row.kills).sum();
        // Two seeds.
        assert!(kills >= 6 && !reached.is_empty(), "{site}: {kills} kills");
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
fn a_survivor_that_skips_a_payload_of_an_overwritten_block_is_found_out() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("kills.toml");
    let deep = format!("{SYNC}\non-full = \"overwrite\"");
    let single = deep.replace("slots = 4", "slots = 1");
    for (name, shape) in [("deep", deep), ("single", single)] {
        std::fs::write(&file, few(1, &[&shape])).unwrap();
        for (plant, verdict) in [(&["--plant", "skip-one"][..], 1), (&[], 0)] {
            let mut command = harness();
            command.arg("crash").arg(&file).args(["--only", "writer/W_COMMIT", "--kills", "2"]);
            let output = command.args(plant).arg("--out").arg(out.path()).output().unwrap();
            let text = said(&output);
            assert_eq!(code(&output), verdict, "{name}: {text}");
            assert_eq!(text.contains("were never delivered"), verdict == 1, "{name}: {text}");
        }
    }
}

#[test]
fn the_line_that_is_said_to_kill_again_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's mine.toml");
    let other = "consumer-sync = \"latest-only\"\nslots = 2\nreaders = 1";
    let only = |shape: &str, profile| format!("{shape}\nprofiles = {profile}");
    let (full, other) = (only(SYNC, "[\"full\"]"), only(other, "[\"smoke\", \"soak\"]"));
    std::fs::write(&file, few(1, &[&full, &other])).unwrap();
    let result = || {
        let text = std::fs::read_to_string(folder.path().join("out/latest/result.json")).unwrap();
        let result = SuiteResult::from_json(&text).unwrap();
        let row = result.crashes.iter().find(|row| row.violations() > 0).cloned();
        (row.expect("a violation"), result.profile, result.planted)
    };
    let mut command = harness();
    command.arg("crash").arg("it's mine.toml").args(["--profile", "full", "--plant", "take-twice"]);
    command.args(["--only", "writer/W_COMMIT", "--kills", "1", "--seed", "7", "--out", "out"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    let (first, ..) = result();
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_harness")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let again = std::process::Command::new("sh")
        .args(["-c", &format!("{} --out out", first.replay)])
        .env("PATH", path)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(code(&again), 1, "{}: {}", first.replay, said(&again));
    let (second, profile, planted) = result();
    assert_eq!((profile.as_str(), planted.as_deref()), ("full", Some("take-twice")));
    let of =
        |row: &report_schema::CrashResult| (row.site.clone(), row.shape.clone(), row.duplicated);
    assert_eq!((of(&second), &second.replay), (of(&first), &first.replay));
}

#[test]
fn progress_comes_to_its_end() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("kills.toml");
    let latest = "consumer-sync = \"latest-only\"\nslots = 2\nreaders = 2";
    let over = format!("{SYNC}\non-full = \"overwrite\"");
    std::fs::write(&file, few(1, &[SYNC, latest, &over])).unwrap();
    let mut command = harness();
    command.arg("crash").arg(&file).args(["--only", "X_LEAVE", "--kills", "1", "--out"]);
    let output = command.arg(out.path()).output().unwrap();
    let text = said(&output);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    // Six kinds of victims, of whom one has nothing to do where a slot is to spare.
    assert!(lines.len() == 17 && lines[16].starts_with("[17/17] killing: "), "{text}");
    let begun = "killing: undertaker in overwritten, 4 slots, 2 readers";
    assert!(lines.iter().any(|line| line.contains(begun)), "{text}");
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
    command.arg("crash").arg(matrix()).args(["--kills", "1000", "--out"]).arg(out.path());
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

#[test]
fn fewer_kills_than_the_matrix_asks_for_are_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kills.toml");
    let text = few(1_000_000, &["consumer-sync = \"sequential\"\nslots = 4\nreaders = 1"]);
    std::fs::write(&file, text).unwrap();
    let mut command = harness();
    command.arg("crash").arg(&file).arg("--out").arg(folder.path().join("out"));
    let output = command.output().unwrap();
    let text = said(&output);
    assert_eq!(code(&output), 5, "{text}");
    assert!(text.contains("kills are fewer than the 1000000 asked for"), "{text}");
}

#[test]
fn a_matrix_that_is_not_there_or_is_none_says_what_to_do() {
    let nowhere = tempfile::tempdir().unwrap();
    let output = harness().arg("crash").current_dir(nowhere.path()).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("no kill matrix at scenarios/faults/kills.toml"));
    assert!(said(&output).contains("or name one"), "{}", said(&output));
    let output = harness().arg("crash").arg(shipped("faults/damage.toml")).output().unwrap();
    assert_eq!(code(&output), 2, "{}", said(&output));
    assert!(said(&output).contains("is a scenario"), "{}", said(&output));
    let output = harness().arg("run").arg(matrix()).output().unwrap();
    assert_eq!(code(&output), 4, "{}", said(&output));
    assert!(said(&output).contains("is a kill matrix: `harness crash"), "{}", said(&output));
}
