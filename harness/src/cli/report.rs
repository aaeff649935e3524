//! `harness report`: the report of a result, made again.

use std::path::{Path, PathBuf};

use report_schema::SuiteResult;

use super::{Exit, Output};
use crate::suite::files::write_whole;

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A result document, or the folder of a run.
    #[arg(value_name = "RESULT", default_value = "out/latest")]
    result: PathBuf,
    /// Where the page is written; beside the result if nothing is said.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints the summary in Markdown instead of writing a page.
    #[arg(long, conflicts_with = "out")]
    markdown: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let file = document(&args.result);
    let result = match reports::load::file(&file) {
        Ok(result) => result,
        Err(error) => {
            output.error(&error.to_string());
            return Exit::Io;
        }
    };
    if args.markdown {
        output.result(&reports::markdown::render(&result));
        return Exit::Pass;
    }
    let page = args.out.clone().unwrap_or_else(|| file.with_file_name("report.html"));
    write(&result, &page, output)
}

/// The result document that is meant by a file or the folder of a run.
pub(super) fn document(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("result.json") } else { path.to_owned() }
}

fn write(result: &SuiteResult, page: &Path, output: &mut Output) -> Exit {
    let html = match reports::page::render(result) {
        Ok(html) => html,
        Err(error) => {
            output.error(&error.to_string());
            return Exit::Bug;
        }
    };
    match write_whole(page, html.as_bytes()) {
        Ok(()) => {
            output.result(&format!("{}\n", page.display()));
            Exit::Pass
        }
        Err(error) => {
            output.error(&format!("cannot write {}: {error}", page.display()));
            Exit::Io
        }
    }
}
