//! `harness baseline`: runs kept by name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use report_schema::SuiteResult;
use reports::format;
use serde_json::{Value, json};

use super::{Exit, Output, stored};
use crate::baseline::{BaselineError, FOLDER, Store};
use crate::compare::fingerprint;

/// Arguments of `baseline`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness run scenarios/latency --repeats 20 && harness baseline save main
  harness run scenarios/latency --repeats 20 && harness gate --baseline main
      Is it slower than it was? A check of a scenario may say so, too: `p99(latency) <= 1.10 * baseline`.
  harness baseline promote main release-1

Exit codes: 0 done, 2 there is no such name or result, or the run is not fit to be a
baseline, 4 a result without a trial, 7 a file could not
be read or written.")]
pub(super) struct Args {
    /// Where baselines are kept.
    #[arg(long, global = true, value_name = "DIR", default_value = FOLDER)]
    dir: PathBuf,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Keeps a result under a name; one of the same name is replaced.
    Save {
        /// Small letters, digits, `.`, `-`, `_`.
        name: String,
        /// A result document, or the folder of a run.
        #[arg(value_name = "RESULT", default_value = "out/latest")]
        result: PathBuf,
        /// Also a run that was interrupted, broke, or had a planted defect.
        #[arg(long)]
        force: bool,
    },
    /// Lists names with their machine, commit and verdict.
    List {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the result document of a name.
    Show {
        /// Its name.
        name: String,
    },
    /// Gives the result of one name a second one: what was `nightly` is now also `release`.
    Promote {
        /// Its name.
        from: String,
        /// Its second name.
        to: String,
    },
    /// Forgets a name.
    Remove {
        /// Its name.
        name: String,
    },
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let store = Store::new(&args.dir);
    let done = match &args.act {
        Act::Save { name, result, force } => save(&store, (name, *force), result, output),
        Act::List { json } => list(&store, *json, output),
        Act::Show { name } => store.load(name).and_then(|result| {
            output.result(&result.to_json()?);
            Ok(())
        }),
        Act::Promote { from, to } => store.promote(from, to).map(|path| told(&path, output)),
        Act::Remove { name } => store.remove(name),
    };
    match done {
        Ok(()) => Exit::Pass,
        Err(error) => refused(&error, output),
    }
}

/// Says what is wrong with a baseline, and what that means for the program's end.
pub(super) fn refused(error: &BaselineError, output: &mut Output) -> Exit {
    if let BaselineError::File(error) = error {
        return stored::refused(error, output);
    }
    output.error(&error.to_string());
    match error {
        BaselineError::Name(_) | BaselineError::Missing { .. } | BaselineError::Unfit(_) => {
            Exit::Usage
        }
        BaselineError::Empty => Exit::NothingRan,
        BaselineError::File(_) | BaselineError::Json(_) | BaselineError::Write { .. } => Exit::Io,
    }
}

fn told(path: &Path, output: &mut Output) {
    output.result(&format!("{}\n", path.display()));
}

fn save(
    store: &Store,
    (name, force): (&str, bool),
    result: &Path,
    output: &mut Output,
) -> Result<(), BaselineError> {
    let result = stored::read(result)?;
    let path = store.save(name, &result, force)?;
    told(&path, output);
    Ok(())
}

/// Every name; one whose file cannot be read is told, the others are listed all the same.
fn list(store: &Store, json: bool, output: &mut Output) -> Result<(), BaselineError> {
    let names = store.names()?;
    if names.is_empty() && !json {
        output.note("there is no baseline yet: `harness baseline save NAME` keeps the last run");
    }
    let (mut rows, mut failed) = (vec![], None);
    for name in names {
        match store.load(&name) {
            Ok(result) if json => rows.push(row(&name, &result)),
            Ok(result) => output.result(&line(&name, &result)),
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    output.error(&before.to_string());
                }
            }
        }
    }
    if json {
        output.json(&json!(rows));
    }
    failed.map_or(Ok(()), Err)
}

fn cells(result: &SuiteResult) -> usize {
    result.scenarios.iter().map(|scenario| scenario.cells.len()).sum()
}

/// As [`line()`], for programs.
fn row(name: &str, result: &SuiteResult) -> Value {
    json!({
        "name": name,
        "started_unix_ms": result.started_unix_ms,
        "machine": fingerprint(&result.host),
        "commit": result.commit,
        "suite": result.suite,
        "profile": result.profile,
        "cells": cells(result),
        "verdict": result.verdict,
    })
}

fn line(name: &str, result: &SuiteResult) -> String {
    let mut line = String::new();
    // A String takes every write.
    let _written = writeln!(
        line,
        "{name}  {}  machine {}  commit {}  {}, {}",
        format::moment(result.started_unix_ms),
        fingerprint(&result.host),
        result.commit.as_deref().unwrap_or("unknown"),
        format::several(cells(result), "cell"),
        result.verdict
    );
    line
}
