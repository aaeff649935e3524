//! `harness check-history`: stored histories, judged again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Exit, Output};
use crate::check::check;
use crate::history::History;
use crate::suite::files::HISTORY_SUFFIX;

/// Arguments of `check-history`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Histories, or folders that hold some, as `run --keep-history` writes them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let mut files = vec![];
    for path in &args.paths {
        match histories(path) {
            Ok(found) => files.extend(found),
            Err(error) => {
                output.error(&format!("cannot read {}: {error}", path.display()));
                return Exit::Io;
            }
        }
    }
    if files.is_empty() {
        output.error("there is no history: `run --keep-history DIR` writes some");
        return Exit::NothingRan;
    }
    let exits = files.iter().map(|file| one(file, output));
    exits.fold(Exit::Pass, |worst, exit| match (worst, exit) {
        (Exit::Correctness, _) | (_, Exit::Pass) => worst,
        (_, exit) => exit,
    })
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

fn one(file: &Path, output: &mut Output) -> Exit {
    let shown = file.display();
    let history = reports::load::bytes(file).map_err(|error| error.to_string());
    let history = history.and_then(|b| History::decode(&b).map_err(|error| error.to_string()));
    let history = match history {
        Ok(history) => history,
        Err(why) => {
            output.error(&format!("{shown}: {why}"));
            return Exit::Io;
        }
    };
    let findings = check(&history);
    let (records, overwritten) = (findings.records, findings.overwritten);
    let more = match overwritten {
        0 => String::new(),
        _ => format!(", {overwritten} more had been overwritten"),
    };
    let said = format!("{shown}: {records} records{more}");
    if records == 0 {
        output.result(&format!("{said}: nothing to judge\n"));
        return Exit::Inconclusive;
    }
    if findings.is_clean() {
        output.result(&format!("{said}: nothing is wrong\n"));
        return Exit::Pass;
    }
    let counts: Vec<String> =
        findings.violations.iter().map(|(what, times)| format!("{what} {times} times")).collect();
    output.result(&format!("{said}: WRONG: {}\n", counts.join(", ")));
    for line in findings.examples.iter().chain(&findings.disagreements) {
        output.result(&format!("  {line}\n"));
    }
    Exit::Correctness
}
