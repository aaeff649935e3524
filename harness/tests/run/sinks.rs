//! Where results go, and what happens when they cannot: whole files or none, and a code that says so.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};

use report_schema::{SuiteResult, Verdict};

use crate::support::{Place, code, said};

const LENGTH: &str = "duration = \"50ms\"";

/// The name of every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path()),
        Ok(kind) if kind.is_file() => vec![entry.file_name().to_string_lossy().into_owned()],
        _ => vec![],
    };
    entries.flat_map(names).collect()
}

/// Files may be no longer than this many KiB: room for every result document of one short trial.
const ROOM_KIB: usize = 512;

#[test]
fn a_full_disk_leaves_whole_files_or_none() {
    let tight = Place::new("stream]", LENGTH);
    // The page shows the scenario as it was written, and takes five letters for each of these.
    let text = fs::read_to_string(&tight.scenario).unwrap();
    let comment = format!("# {}\n", "&".repeat(62)).repeat(ROOM_KIB * 1024 / 128);
    fs::write(&tight.scenario, text + &comment).unwrap();
    let limit = format!("ulimit -f {ROOM_KIB}; exec \"$@\"");
    let mut command = Command::new("bash");
    command.args(["-c", &limit, "bash", env!("CARGO_BIN_EXE_harness"), "run"]);
    let output = command.arg(&tight.scenario).arg("--out").arg(tight.out()).output().unwrap();
    assert_eq!(code(&output), 7, "{}", said(&output));
    let refused = said(&output);
    assert!(refused.contains("cannot write ") && refused.contains("report.html"), "{refused}");
    let left = files(&tight.out());
    assert!(left.iter().all(|name| !name.contains("half") && name != "report.html"), "{left:?}");
    // What was written is whole: the result can be read, and the page made from it elsewhere.
    assert_eq!(tight.result().verdict, Verdict::Pass);
}

#[test]
fn a_folder_that_cannot_be_written_ends_the_run_before_it_begins() {
    let place = Place::new("stream]", LENGTH);
    for folder in ["/proc/nowhere/out", "/dev/null/out"] {
        let mut command = crate::support::harness();
        let output =
            command.arg("run").arg(&place.scenario).args(["--out", folder]).output().unwrap();
        assert_eq!(code(&output), 7, "{folder}: {}", said(&output));
        assert!(said(&output).contains(&format!("cannot write {folder}")), "{}", said(&output));
    }
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let place = Place::new("stream]", LENGTH);
    let mut child = place.run().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(place.out().join("latest/report.html").exists());
}

#[test]
fn a_standard_output_that_is_full_is_an_error_and_the_report_is_there() {
    let place = Place::new("stream]", LENGTH);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = place.run().arg("--json").stdout(full).output().unwrap();
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(said(&output).contains("standard output cannot be written"), "{}", said(&output));
    let text = fs::read_to_string(place.out().join("latest/result.json")).unwrap();
    assert_eq!(SuiteResult::from_json(&text).unwrap().verdict, Verdict::Pass);
}

#[test]
fn a_core_that_is_not_ours_is_said_aloud() {
    let place = Place::new("stream]", LENGTH);
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("name = \"reader\"", "name = \"reader\"\npin = \"core:4095\"");
    fs::write(&place.scenario, text).unwrap();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let degraded = "degraded tiny: reader asks for core 4095, which is not ours: not pinned";
    assert!(said(&output).contains(degraded), "{}", said(&output));
}
