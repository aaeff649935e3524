//! Where results go, and what happens when they cannot: whole files or none, and a code that says so.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use report_schema::{SuiteResult, Verdict};

use crate::support::{Place, code, harness, said, shipped, within, workers_of};

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
        let mut command = harness();
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

#[test]
fn a_word_that_is_no_text_is_told_as_a_shell_reads_it() {
    let place = Place::new("stream]", LENGTH);
    let out = place.out().join(OsStr::from_bytes(b"o\xff'"));
    let mut command = harness();
    let output = command.arg("run").arg(&place.scenario).arg("--out").arg(&out).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = fs::read_to_string(out.join("latest/result.json")).unwrap();
    let told = SuiteResult::from_json(&text).unwrap().command.pop().unwrap();
    assert!(told.starts_with("$'") && told.ends_with(r"/o\xff\''"), "{told}");
    for verb in [
        &["crash", "--only", "writer/W_COMMIT", "--kills", "1"][..],
        &["model", "slot/one-reader", "--no-mutants"],
    ] {
        let mut command = harness();
        command.current_dir(shipped("..")).args(verb).arg("--out").arg(&out);
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0, "{verb:?}: {}", said(&output));
    }
}

#[test]
fn a_junit_file_beside_the_newest_result_is_written_there() {
    let place = Place::new("stream]", LENGTH);
    let file = place.out().join("latest/j.xml");
    for _ in 0..2 {
        let output = place.run().arg("--junit").arg(&file).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
        assert!(place.out().join("latest").is_symlink() && file.exists());
        assert!(place.out().join("latest/report.html").exists());
    }
}

/// Puts a file in the place of a folder that has been proved, while the run goes on.
fn taken_away(mut command: Command, folder: &Path) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(within(Duration::from_secs(20), || workers_of(child.id()).len() == 2));
    fs::remove_dir(folder).unwrap();
    fs::write(folder, "").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn junit_is_written_where_the_folder_cannot_be() {
    let place = Place::new("stream]", "duration = \"2s\"");
    let junit = place.scenario.with_file_name("junit.xml");
    let mut command = place.run();
    command.arg("--junit").arg(&junit);
    let output = taken_away(command, &place.out());
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(junit.exists(), "{}", said(&output));
}

#[test]
fn many_may_share_a_folder() {
    let place = Place::new("stream]", LENGTH);
    let output = place.run().args(["--shard", "1/1"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    let (shard, out) = (place.out().join("latest"), place.out().join("shared"));
    let merge = || {
        let mut command = harness();
        command.arg("merge").arg(&shard).arg("--out").arg(&out);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let merges: Vec<_> = (0..12).map(|_| merge()).collect();
    for merge in merges {
        let output = merge.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    assert!(files(&out).iter().all(|name| !name.contains("half")), "{:?}", files(&out));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 12 + 1);
}

#[test]
fn a_violation_is_told_whatever_cannot_be_written() {
    let place = Place::new("stream]", LENGTH);
    let text = fs::read_to_string(&place.scenario).unwrap();
    let impossible = "\n[[expect]]\nid = \"none\"\ncheck = \"delivered <= 1\"\n";
    fs::write(&place.scenario, text + impossible).unwrap();
    for option in ["--events", "--junit"] {
        let output = place.run().args([option, "/dev/full"]).output().unwrap();
        assert_eq!(code(&output), 1, "{option}: {}", said(&output));
        assert!(said(&output).contains("cannot write /dev/full"), "{}", said(&output));
    }
}

#[test]
fn a_history_that_cannot_be_kept_leaves_its_trial_in_the_result_and_ends_with_7() {
    let place = Place::new("stream]", "duration = \"2s\"");
    let kept = place.scenario.with_file_name("kept");
    let mut command = place.run();
    command.args(["--set", "record.history=ring:1k", "--keep-history"]).arg(&kept);
    let output = taken_away(command, &kept);
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(said(&output).contains("cannot keep a history"), "{}", said(&output));
    assert_eq!(place.result().scenarios[0].cells[0].trials.len(), 1);
}
