//! `harness check-history`: stored histories, judged again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use report_schema::Verdict;
use serde_json::{Value, json};

use super::{Exit, Output};
use crate::check::{Findings, check};
use crate::history::History;
use crate::suite::files::HISTORY_SUFFIX;

/// Arguments of `check-history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness run scenarios/smoke --set record.history=ring:1M --keep-history out/histories
  harness check-history out/histories

G1 to G7 are the promises of the block; ARCHITECTURE.md lists them. Exit codes: 0 nothing is wrong,
1 a promise was broken, 2 there is no such file or folder, 4 no history in it, 5 an empty history,
7 a file could not be read.")]
pub(super) struct Args {
    /// Histories, or folders that hold some, as `run --keep-history` writes them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Prints the findings as one JSON document.
    ///
    /// `exit_code`, and `histories` in the order of their judging: each with its `file` and either
    /// the `error` that kept it from being read, or `verdict` (pass, correctness, inconclusive),
    /// `records`, `overwritten`, `violations` (times by guarantee, G1 to G7), `examples` and
    /// `disagreements` (sentences), and `counts` (what the records add up to).
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let mut files = vec![];
    for path in &args.paths {
        match histories(path) {
            Ok(found) => files.extend(found),
            Err(error) => {
                output.error(&format!("cannot read {}: {error}", path.display()));
                // What is not there was named wrongly.
                let missing = error.kind() == io::ErrorKind::NotFound;
                return if missing { Exit::Usage } else { Exit::Io };
            }
        }
    }
    if files.is_empty() {
        output.error("there is no history: `run --keep-history DIR` writes some");
        return Exit::NothingRan;
    }
    let all = files.iter().map(|file| {
        let judged = Judged::of(file);
        if !args.json || judged.outcome.is_err() {
            judged.tell(output);
        }
        (judged.exit(), args.json.then(|| judged.as_json()))
    });
    let (exits, documents): (Vec<Exit>, Vec<Option<Value>>) = all.unzip();
    let exit = exits.into_iter().fold(Exit::Pass, |worst, exit| match (worst, exit) {
        (Exit::Correctness, _) | (_, Exit::Pass) => worst,
        (_, exit) => exit,
    });
    if args.json {
        let histories: Vec<Value> = documents.into_iter().flatten().collect();
        output.json(&json!({ "exit_code": exit.code(), "histories": histories }));
    }
    exit
}

/// The file itself, or the histories of a folder in the order of their names.
fn histories(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = vec![];
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        if file.to_string_lossy().ends_with(HISTORY_SUFFIX) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// One history, judged, or why it could not be.
struct Judged<'a> {
    file: &'a Path,
    outcome: Result<Findings, String>,
}

impl<'a> Judged<'a> {
    fn of(file: &'a Path) -> Self {
        let history = reports::load::bytes(file).map_err(|error| error.to_string());
        let history = history.and_then(|b| History::decode(&b).map_err(|error| error.to_string()));
        Self { file, outcome: history.map(|history| check(&history)) }
    }

    fn exit(&self) -> Exit {
        match &self.outcome {
            Err(_) => Exit::Io,
            Ok(findings) if findings.records == 0 => Exit::Inconclusive,
            Ok(findings) if findings.is_clean() => Exit::Pass,
            Ok(_) => Exit::Correctness,
        }
    }

    fn tell(&self, output: &mut Output) {
        let shown = self.file.display();
        let findings = match &self.outcome {
            Ok(findings) => findings,
            Err(why) => {
                output.error(&format!("{shown}: {why}"));
                return;
            }
        };
        let more = match findings.overwritten {
            0 => String::new(),
            overwritten => format!(", {overwritten} more had been overwritten"),
        };
        let said = format!("{shown}: {} records{more}", findings.records);
        if findings.records == 0 {
            output.result(&format!("{said}: nothing to judge\n"));
            return;
        }
        if findings.is_clean() {
            output.result(&format!("{said}: nothing is wrong\n"));
            return;
        }
        let violations = findings.violations.iter();
        let counts: Vec<String> =
            violations.map(|(what, times)| format!("{what} {times} times")).collect();
        output.result(&format!("{said}: WRONG: {}\n", counts.join(", ")));
        for line in findings.examples.iter().chain(&findings.disagreements) {
            output.result(&format!("  {line}\n"));
        }
    }

    fn as_json(&self) -> Value {
        let file = self.file.display().to_string();
        let findings = match &self.outcome {
            Ok(findings) => findings,
            Err(why) => return json!({ "file": file, "error": why }),
        };
        let violations = findings.violations.iter();
        let violations: BTreeMap<String, u64> =
            violations.map(|(what, times)| (what.to_string(), *times)).collect();
        let counts: BTreeMap<&str, u64> = findings.counts.named().into();
        let verdict = match self.exit() {
            Exit::Pass => Verdict::Pass,
            Exit::Correctness => Verdict::Correctness,
            _ => Verdict::Inconclusive,
        };
        json!({
            "file": file,
            "verdict": verdict.as_str(),
            "records": findings.records,
            "overwritten": findings.overwritten,
            "violations": violations,
            "examples": findings.examples,
            "disagreements": findings.disagreements,
            "counts": counts,
        })
    }
}
