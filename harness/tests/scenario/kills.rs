//! Kill matrices: what is read, what is refused, where it is seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::scenario::model::kills::{KillMatrix, KillShape};
use harness::scenario::{File, Profile, ScenarioError, find, load, open};

use super::schema::as_json;

const SCHEMA: &str = include_str!("../../schema/kills-1.json");

const RIGHT: &str = r#"# Is anybody harmed?
schema   = 1
kind     = "kills"
name     = "k"
question = "Is anybody harmed?"

[profile.smoke]
seeds    = 1
kills    = 2
at-least = 3

[profile.full]
seeds    = 1
kills    = 2
at-least = 3

[profile.soak]
seeds    = 1
kills    = 2
at-least = 3

[[shape]]
consumer-sync = "sequential-sync"
slots         = 4
readers       = 2
"#;

fn read(text: &str) -> Result<KillMatrix, ScenarioError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("k.toml");
    fs::write(&file, text).unwrap();
    match open(&file, &[])? {
        File::Kills(matrix) => Ok(matrix),
        File::Scenario(_) => panic!("this is no scenario"),
    }
}

fn problems(text: &str) -> Vec<String> {
    let problems = read(text).err().map(|error| error.problems).unwrap_or_default();
    let short = |code: &str| code.trim_start_matches("scenario::").to_owned();
    problems.iter().map(|p| format!("{} {}:{}", short(p.code), p.line, p.column)).collect()
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/faults/kills.toml")
}

#[test]
fn what_ships_promises_what_was_asked_for() {
    let File::Kills(matrix) = open(&shipped(), &[]).unwrap() else { panic!("a kill matrix") };
    assert!(matrix.dose(Profile::Smoke).at_least >= 2_000);
    assert!(matrix.dose(Profile::Full).at_least >= 36_000);
    for profile in Profile::ALL {
        for readers in [1, 2, 8] {
            assert!(matrix.shapes(profile).any(|shape| shape.readers == readers), "{readers}");
        }
    }
}

/// What is not there of policy, readers, checksum and depth, two and two.
fn missing_pairs(matrix: &KillMatrix, profile: Profile) -> Vec<String> {
    let axes = |shape: &KillShape| {
        let depth = if shape.slots == 1 { "one slot" } else { "several slots" };
        [
            format!("{:?} {:?}", shape.consumer_sync, shape.on_full),
            format!("{} readers", shape.readers),
            format!("checksum {:?}", shape.checksum),
            depth.to_owned(),
        ]
    };
    let shapes: Vec<[String; 4]> = matrix.shapes(profile).map(axes).collect();
    let values =
        |axis: usize| shapes.iter().map(move |shape| &shape[axis]).collect::<BTreeSet<_>>();
    let mut missing = vec![];
    for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        for (left, right) in
            values(one).into_iter().flat_map(|l| values(other).into_iter().map(move |r| (l, r)))
        {
            // One reader is all that such a block has.
            let alone = left.starts_with("Sequential Block")
                && right.ends_with("readers")
                && right != "1 readers";
            if !alone && !shapes.iter().any(|s| s[one] == *left && s[other] == *right) {
                missing.push(format!("{left}, {right}"));
            }
        }
    }
    missing
}

#[test]
fn any_two_of_policy_readers_checksum_and_depth_meet() {
    let File::Kills(mut matrix) = open(&shipped(), &[]).unwrap() else { panic!("a kill matrix") };
    for profile in Profile::ALL {
        assert_eq!(missing_pairs(&matrix, profile), [""; 0], "{profile}");
    }
    matrix.shapes.retain(|shape| shape.readers != 8 || shape.slots != 1);
    assert_eq!(missing_pairs(&matrix, Profile::Smoke), ["8 readers, one slot"]);
}

#[test]
fn every_mistake_is_shown_in_place() {
    assert_eq!(problems(RIGHT), [""; 0]);
    for (from, to, problem) in [
        ("\"kills\"", "\"kill\"", "unknown-word 3:13"),
        ("schema   = 1", "schema   = 2", "schema 2:12"),
        ("# Is anybody harmed?", "# Kills", "first-line 1:1"),
        ("at-least = 3", "atleast = 3", "missing-key 7:1"),
        ("kills    = 2", "kills    = 0", "out-of-range 9:12"),
        ("slots         = 4", "slots         = \"4\"", "wrong-type 24:18"),
        ("slots         = 4\n", "", "missing-key 22:1"),
        ("readers       = 2", "readers       = 31", "out-of-range 25:17"),
        ("readers       = 2", "readers = 2\nwait = \"spin\"", "unknown-word 26:9"),
        ("readers       = 2", "readers = 2\nreaderz = 2", "unknown-key 26:1"),
        ("\"sequential-sync\"", "\"sequential\"", "contradiction 25:17"),
        ("\"sequential-sync\"", "\"latest-only\"\non-full = \"evict\"", "contradiction 24:12"),
        ("readers       = 2", "readers = 2\nphysical-slots = 9", "contradiction 26:18"),
        ("readers       = 2", "readers = 2\nbatch = 9", "contradiction 26:9"),
        ("readers       = 2", "readers = 2\nprofiles = [\"full\"]", "contradiction 7:1"),
        ("[[shape]]", "[shape]", "wrong-type 22:1"),
        ("[[shape]]", "shape = []\n[[other]]", "missing-key 1:1"),
    ] {
        assert!(RIGHT.contains(from), "{from}");
        let found = problems(&RIGHT.replacen(from, to, 1));
        assert!(found.first().is_some_and(|found| found.starts_with(problem)), "{to}: {found:?}");
    }
    let twice =
        format!("{RIGHT}[[shape]]\nconsumer-sync = \"sequential-sync\"\nslots = 4\nreaders = 2\n");
    assert_eq!(problems(&twice), ["duplicate 26:1"]);
}

#[test]
fn the_published_schema_says_the_same() {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for text in [RIGHT.to_owned(), fs::read_to_string(shipped()).unwrap()] {
        let errors: Vec<String> =
            validator.iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    for (from, to) in [
        ("\"kills\"", "\"kill\""),
        ("kills    = 2", "kills    = 0"),
        ("slots         = 4\n", ""),
        ("readers       = 2", "readers = 2\nreaderz = 2"),
    ] {
        assert!(!validator.is_valid(&as_json(&RIGHT.replacen(from, to, 1))), "{to}");
    }
}

#[test]
fn a_matrix_is_no_scenario_and_says_who_runs_it() {
    let error = load(&shipped(), &[]).unwrap_err();
    let text = error.render(false, 200);
    assert!(text.contains("kill matrix") && text.contains("harness crash"), "{text}");
    let folder = shipped().parent().unwrap().to_owned();
    assert!(find(&[folder]).unwrap().iter().any(|file| file.ends_with("kills.toml")));
}

#[test]
fn every_verb_that_looks_at_files_sees_it() {
    for (verb, more, wanted) in [
        ("list", &["--cells"][..], "faults-kills/sequential-sync, 4 slots, 2 readers"),
        ("check", &[], "kills.toml (kill matrix: 21 blocks)"),
        ("plan", &[], "at least 2000 kills in all"),
        ("explain", &[], "recoverer dies right before the sites"),
        ("schema", &["kills"], "A kill matrix of the harness"),
    ] {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("harness"));
        command.arg(verb).args(more);
        if verb != "schema" {
            command.arg(shipped());
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains(wanted), "{verb}: {text}");
    }
}

fn harness(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("harness"));
    let output = command.args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_name_belongs_to_one_file_of_any_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    fs::write(folder.path().join("a.toml"), RIGHT).unwrap();
    assert_eq!(harness(&["check", path]).0, Some(0));
    fs::write(folder.path().join("b.toml"), crate::RIGHT.replace("\"right\"", "\"k\"")).unwrap();
    let (code, said) = harness(&["check", path]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("a scenario and a kill matrix are called `k`"), "{said}");
    fs::write(folder.path().join("b.toml"), RIGHT).unwrap();
    for verb in ["check", "list", "plan"] {
        let (code, said) = harness(&[verb, path]);
        assert_eq!(code, Some(2), "{verb}: {said}");
        assert!(said.contains("two kill matrices are called `k`"), "{verb}: {said}");
    }
}

#[test]
fn a_tag_that_only_a_matrix_has_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let tagged = RIGHT.replace("[profile.smoke]", "tags = [\"deaths\"]\n\n[profile.smoke]");
    fs::write(folder.path().join("a.toml"), tagged).unwrap();
    fs::write(folder.path().join("b.toml"), crate::RIGHT).unwrap();
    let (code, said) = harness(&["run", path, "--tag", "deaths"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("only kill matrices have the tag `deaths`: `harness crash"), "{said}");
    for verb in ["list", "plan", "run"] {
        let (code, said) = harness(&[verb, path, "--tag", "death"]);
        assert_eq!(code, Some(4), "{verb}: {said}");
        assert!(said.contains("no scenario has the tag `death`"), "{verb}: {said}");
        assert!(said.contains("there are: deaths"), "{verb}: {said}");
    }
}

#[test]
fn matrices_are_selected_as_scenarios_are() {
    let names = |arguments: &[&str]| -> Vec<String> {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("harness"));
        let folder = shipped().ancestors().nth(2).unwrap().to_owned();
        let output = command.arg(arguments[0]).arg(folder).args(&arguments[1..]).output().unwrap();
        let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let name = |one: &serde_json::Value| one["name"].as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(name).collect()
    };
    let kills = ["faults-kills".to_owned()];
    for verb in ["list", "plan"] {
        assert!(names(&[verb, "--json"]).contains(&kills[0]), "{verb}");
        assert_eq!(names(&[verb, "--json", "--filter", "faults-kills"]), kills, "{verb}");
        assert!(!names(&[verb, "--json", "--exclude", "kills"]).contains(&kills[0]), "{verb}");
        assert!(!names(&[verb, "--json", "--tag", "latency"]).contains(&kills[0]), "{verb}");
    }
}
