//! `harness report`: the report of a result, made again.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use report_schema::SuiteResult;
use reports::page::RenderError;
use serde_json::json;

use super::{Exit, Output, stored};
use crate::suite::files::{Neighbours, write_whole};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness report
      The page of the last run, beside its result.
  harness report out/latest --trend out -o trend.html
      With what became of each figure over all runs in `out`.
  harness report --markdown >>summary.md

Exit codes: 0 it is written, whatever the result says; 2 there is no such result or folder; 4 no run
in the folder of --trend; 7 a file could not be read or written.")]
pub(super) struct Args {
    /// A result document, or the folder of a run.
    #[arg(value_name = "RESULT", default_value = "out/latest")]
    result: PathBuf,
    /// Where the page is written; beside the result if nothing is said.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A folder of runs: the page shows what became of each figure over those of the same suite.
    #[arg(long, value_name = "DIR", conflicts_with = "markdown")]
    trend: Option<PathBuf>,
    /// Writes each drawing of the page into this folder, as an SVG file.
    #[arg(long, value_name = "DIR", conflicts_with = "markdown")]
    drawings: Option<PathBuf>,
    /// Prints JSON: which files were written, and the verdict they show.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Prints the summary in Markdown instead of writing a page.
    #[arg(long, conflicts_with = "out")]
    markdown: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let file = stored::document(&args.result);
    let result = match reports::load::file(&file) {
        Ok(result) => result,
        Err(error) => {
            return stored::refused(&error, output);
        }
    };
    if args.markdown {
        output.result(&reports::markdown::render(&result));
        return Exit::Pass;
    }
    let page = args.out.clone().unwrap_or_else(|| file.with_file_name("report.html"));
    let history = match args.trend.as_deref().map(|folder| history(folder, output)) {
        Some(Ok(history)) => history,
        Some(Err(exit)) => return exit,
        None => vec![],
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    let neighbours = Neighbours::of(folder, &result);
    let exit = write(&neighbours.page(&result, &history), &page, output);
    if exit != Exit::Pass {
        return exit;
    }
    let drawn = args.drawings.as_deref().map(|folder| neighbours.draw(&result, &history, folder));
    let drawn = drawn.unwrap_or_else(|| Ok(vec![]));
    tell(args, (&result, &page), drawn.as_deref().unwrap_or_default(), output);
    drawn.err().map_or(Exit::Pass, |error| {
        output.error(&error.to_string());
        Exit::Io
    })
}

/// Says what was written.
fn tell(
    args: &Args,
    (result, page): (&SuiteResult, &Path),
    drawings: &[PathBuf],
    output: &mut Output,
) {
    if args.json {
        let drawings: Vec<String> = drawings.iter().map(|f| f.display().to_string()).collect();
        let page = page.display().to_string();
        let verdict = result.verdict;
        return output.json(&json!({ "page": page, "drawings": drawings, "verdict": verdict }));
    }
    for file in std::iter::once(page).chain(drawings.iter().map(PathBuf::as_path)) {
        output.result(&format!("{}\n", file.display()));
    }
}

/// Runs at most, the newest: a page must stay readable.
const RUNS: usize = 30;

/// The results in the folders below this one, oldest first. One that cannot be read is named and
/// left out; none at all is a mistake.
fn history(folder: &Path, output: &mut Output) -> Result<Vec<SuiteResult>, Exit> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        output.error(&format!("cannot read {}: {error}", folder.display()));
        if error.kind() == ErrorKind::NotFound { Exit::Usage } else { Exit::Io }
    })?;
    let mut runs = vec![];
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    {
        let file = entry.path().join("result.json");
        if !file.exists() {
            continue;
        }
        match reports::load::file(&file) {
            Ok(result) => runs.push(result),
            Err(error) => output.note(&format!("left out of the trend: {error}")),
        }
    }
    if runs.is_empty() {
        output.error(&format!("there is no run in {}", folder.display()));
        return Err(Exit::NothingRan);
    }
    runs.sort_by_key(|run| run.started_unix_ms);
    Ok(runs.split_off(runs.len().saturating_sub(RUNS)))
}

fn write(html: &Result<String, RenderError>, page: &Path, output: &mut Output) -> Exit {
    let html = match html {
        Ok(html) => html,
        Err(error) => {
            output.error(&error.to_string());
            return Exit::Bug;
        }
    };
    match write_whole(page, html.as_bytes()) {
        Ok(()) => Exit::Pass,
        Err(error) => {
            output.error(&format!("cannot write {}: {error}", page.display()));
            Exit::Io
        }
    }
}
