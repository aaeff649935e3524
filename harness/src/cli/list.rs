//! `harness list`: scenarios and their cells.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::select::Selection;
use super::{Exit, Output, planned};
use crate::crash;
use crate::plan::Filter;
use crate::scenario::model::kills::KillMatrix;
use crate::scenario::{Cell, Profile, Scenario};
use crate::table;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness list
      Every scenario and its question.
  harness list scenarios/latency --cells --profile full
      Every cell of some of them, by the ids that --filter looks through.
  harness list --tag faults --json
      For programs.

Exit codes: 0 something is listed, 2 a file is wrong, 4 nothing is left to list.")]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Lists each cell of the profile.
    #[arg(long, help_heading = "Output")]
    cells: bool,
    /// Prints JSON.
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let files = match args.selection.files(output) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let (scenarios, matrices) = &files;
    let (profile, filter) = (args.selection.profile, args.selection.filter());
    let listed: Vec<(&Scenario, Vec<&Cell>)> = scenarios
        .iter()
        .map(|scenario| (scenario, cells(scenario, profile, &filter)))
        .filter(|(_, cells)| !cells.is_empty())
        .collect();
    let kills: Vec<(&KillMatrix, Vec<String>)> = matrices
        .iter()
        .map(|matrix| (matrix, crash::selected(matrix, profile, &filter)))
        .filter(|(_, shapes)| !shapes.is_empty())
        .collect();
    if args.json {
        let scenarios = listed.iter().map(|(s, cells)| as_json(s, cells));
        let kills = kills.iter().map(|(matrix, shapes)| kills_as_json(matrix, shapes));
        output.json(&Value::Array(scenarios.chain(kills).collect()));
    } else {
        output.result(&as_text(&listed, args.cells));
        output.result(&kills_as_text(&kills, args.cells));
    }
    if listed.is_empty() && kills.is_empty() {
        output.error(&planned::nothing_left(&args.selection, &files));
        return Exit::NothingRan;
    }
    Exit::Pass
}

fn cells<'a>(scenario: &'a Scenario, profile: Profile, filter: &Filter) -> Vec<&'a Cell> {
    scenario.cells(profile).iter().filter(|cell| filter.keeps(scenario, cell)).collect()
}

fn kills_as_text(listed: &[(&KillMatrix, Vec<String>)], with_shapes: bool) -> String {
    let mut text = String::new();
    for (matrix, shapes) in listed {
        let (name, question, count) = (&matrix.name, &matrix.question, shapes.len());
        // A String takes every write.
        let _written = writeln!(text, "{name}  {count} blocks, by `harness crash`  {question}");
        for shape in shapes.iter().filter(|_| with_shapes) {
            let _written = writeln!(text, "  {name}/{shape}");
        }
    }
    text
}

fn kills_as_json(matrix: &KillMatrix, shapes: &[String]) -> Value {
    json!({
        "file": matrix.file,
        "name": matrix.name,
        "kind": "kills",
        "question": matrix.question,
        "tags": matrix.tags,
        "shapes": shapes,
    })
}

fn as_text(listed: &[(&Scenario, Vec<&Cell>)], with_cells: bool) -> String {
    let mut text = String::new();
    let width = listed.iter().map(|(scenario, _)| scenario.name.len()).max().unwrap_or(0);
    for (scenario, cells) in listed {
        let (name, question, count) = (&scenario.name, &scenario.question, cells.len());
        let word = if count == 1 { "cell " } else { "cells" };
        let first = format!("{name:width$}  {count:>3} {word}  ");
        let other = " ".repeat(width + 13);
        text.push_str(&table::line(question, [&first, &other]));
        for cell in cells.iter().filter(|_| with_cells) {
            // A String takes every write.
            let _written = writeln!(text, "  {}", cell.id);
        }
    }
    text
}

fn as_json(scenario: &Scenario, cells: &[&Cell]) -> Value {
    json!({
        "file": scenario.file,
        "name": scenario.name,
        "question": scenario.question,
        "tags": scenario.tags,
        "cells": cells.iter().map(|cell| cell.id.as_str()).collect::<Vec<_>>(),
    })
}
