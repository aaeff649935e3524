//! Scenarios to run, the program to run them with, and a look at what is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};
use report_schema::SuiteResult;

/// A folder with one scenario and room for results.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) scenario: PathBuf,
}

impl Place {
    /// `workload` is the name of the table, with its keys below it.
    pub(crate) fn new(workload: &str, length: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("tiny.toml");
        fs::write(&scenario, text(workload, length)).unwrap();
        Self { folder, scenario }
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// `harness run` of this scenario.
    pub(crate) fn run(&self) -> Command {
        let mut command = harness();
        command.arg("run").arg(&self.scenario).arg("--out").arg(self.out());
        command
    }

    /// What the last run has written.
    pub(crate) fn result(&self) -> SuiteResult {
        let text = fs::read_to_string(self.out().join("latest/result.json")).unwrap();
        SuiteResult::from_json(&text).unwrap()
    }
}

fn text(workload: &str, length: &str) -> String {
    format!(
        r#"# Does it run?
schema = 1
name = "tiny"
question = "Does it run?"

[block]
slots = 8
payload-size = "64 B"
policy = "ring-buffer"
consumer-sync = "sequential"

[producer]
wait = "yield"

[[consumer]]
name = "reader"
wait = "yield"

[workload.{workload}

[run]
warmup = "20ms"
{length}
repeats = 1
seed = 7
deadline = "20s"
"#
    )
}

pub(crate) fn harness() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    for name in ["NO_COLOR", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

pub(crate) fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(file)
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// Standard output and standard error, for a test that fails and for texts to look for.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).join("\n")
}

/// The worker processes of the harness with this process id.
pub(crate) fn workers_of(harness: u32) -> Vec<String> {
    started_by(harness, "__worker")
}

/// The processes that the harness with this process id has started with this verb.
pub(crate) fn started_by(harness: u32, verb: &str) -> Vec<String> {
    let marker = format!("{verb}\0{harness}\0");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let is_worker = |id: &String| {
        fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(&marker))
    };
    names.filter(is_worker).collect()
}

/// Waits, at most so long; says whether it came true.
pub(crate) fn within(limit: Duration, mut what: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if what() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        pause(Duration::from_millis(2));
    }
}

/// Waits until the producer has committed something, as the events of the run tell it.
pub(crate) fn flows(events: &Path) -> bool {
    let moved = |line: &str| line.contains("\"trial-moved\"") && !line.contains("\"commits\":0");
    within(Duration::from_secs(30), || {
        fs::read_to_string(events).is_ok_and(|text| text.lines().any(moved))
    })
}

pub(crate) fn pause(time: Duration) {
    let timeout = PollTimeout::try_from(time).unwrap();
    let _nothing = poll(&mut [], timeout);
}
