//! `harness replay`: one execution of a model once more, step by step.

use std::path::{Path, PathBuf};

use models::replay::{NotReplayable, Replayed};
use models::trace::chrome;

use super::model::show;
use super::{Exit, Output};

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness model --engine explore --scenario published/f12-two-owners
      Its last lines end with the text of the execution that failed.
  harness replay 'explore,scenario=…' --chrome-trace trace.json

Exit codes: 0 it ends as it must, 1 it shows the violation, 2 this is no such text, 6 its engine is not
in this build, 7 the trace could not be written.")]
pub(super) struct Args {
    /// The text that a failing run of `harness model` gives.
    text: String,
    /// Writes the execution as a trace document, one track a role, for Perfetto or chrome://tracing.
    #[arg(long, value_name = "FILE")]
    chrome_trace: Option<PathBuf>,
    /// Prints the result and the steps as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let exe = match std::env::current_exe() {
        Ok(exe) => exe,
        Err(error) => {
            output.error(&format!("this program cannot find itself: {error}"));
            return Exit::Bug;
        }
    };
    let replayed = match models::replay::replay(&exe, &args.text) {
        Ok(replayed) => replayed,
        Err(error) => {
            output.error(&error.to_string());
            return if matches!(error, NotReplayable::Missing(_)) {
                Exit::Broken
            } else {
                Exit::Usage
            };
        }
    };
    if let Some(path) = &args.chrome_trace
        && let Err(error) = write_trace(path, &replayed)
    {
        output.error(&format!("the trace cannot be written to {}: {error}", path.display()));
        return Exit::Io;
    }
    if args.json {
        match serde_json::to_string_pretty(&replayed) {
            Ok(json) => output.result(&format!("{json}\n")),
            Err(error) => output.error(&format!("the result cannot be written: {error}")),
        }
    } else {
        output.result(&show::execution(&replayed));
    }
    Exit::from(replayed.result.verdict)
}

fn write_trace(path: &Path, replayed: &Replayed) -> std::io::Result<()> {
    let document = chrome::document(&replayed.result.scenario, &replayed.steps);
    std::fs::write(path, format!("{document}\n"))
}
