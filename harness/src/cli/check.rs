//! `harness check`: every mistake of every file.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::select::twins;
use super::{Exit, Output};
use crate::scenario::model::kills::KillMatrix;
use crate::scenario::{self, File, Problem, Profile, Scenario, ScenarioError};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness check
      Every mistake of every file below `scenarios`, with its line and what to write instead.
  harness check mine.toml --set block.slots=3
      A file with one key changed.

Exit codes: 0 all files are right, 2 one is wrong, 4 there is none.")]
pub(super) struct Args {
    /// Scenario files, or folders that hold some.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Sets a key, as for `run`; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let (mut good, mut kills, mut bad) = (vec![], vec![], vec![]);
    match scenario::find(&args.paths) {
        Ok(files) => {
            for file in files {
                match scenario::open(&file, &args.set) {
                    Ok(File::Scenario(scenario)) => good.push(*scenario),
                    Ok(File::Kills(matrix)) => kills.push(matrix),
                    Err(error) => bad.push(error),
                }
            }
        }
        Err(error) => bad.push(error),
    }
    let twins = twins(&good, &kills, output);
    if args.json {
        output.json(&as_json(&good, &kills, &bad));
    } else {
        show(&good, &bad, output);
        for KillMatrix { file, shapes, .. } in &kills {
            output.result(&format!("right: {file} (kill matrix: {} blocks)\n", shapes.len()));
        }
    }
    if twins > 0 || !bad.is_empty() {
        Exit::Usage
    } else if good.is_empty() && kills.is_empty() {
        output.error("there is no scenario to check");
        Exit::NothingRan
    } else {
        Exit::Pass
    }
}

fn show(good: &[Scenario], bad: &[ScenarioError], output: &mut Output) {
    let mut told = BTreeSet::new();
    for mut error in bad.iter().cloned() {
        error.drop_told(&mut told);
        if !error.problems.is_empty() {
            output.note(&error.render(output.colour(), output.width()));
        }
    }
    let cells = |profile: Profile| -> usize {
        good.iter().map(|scenario| scenario.cells(profile).len()).sum()
    };
    let counts: Vec<String> =
        Profile::ALL.iter().map(|profile| format!("{} {profile}", cells(*profile))).collect();
    let (right, wrong, counts) = (good.len(), bad.len(), counts.join(", "));
    output.result(&format!("right: {right} (cells: {counts}), wrong: {wrong}\n"));
}

fn as_json(good: &[Scenario], kills: &[KillMatrix], bad: &[ScenarioError]) -> Value {
    let right = good.iter().map(|scenario| scenario.file.as_str());
    let right = right.chain(kills.iter().map(|matrix| matrix.file.as_str()));
    let problem = |problem: &Problem| {
        json!({
            "code": problem.code,
            "message": problem.message,
            "help": problem.help,
            "place": problem.place,
            "line": problem.line,
            "column": problem.column,
        })
    };
    json!({
        "right": right.collect::<Vec<_>>(),
        "wrong": bad.iter().map(|error| json!({
            "file": error.file,
            "problems": error.problems.iter().map(problem).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
