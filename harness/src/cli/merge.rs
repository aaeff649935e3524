//! `harness merge`: one result and one report out of the shards of a run.

use std::path::PathBuf;

use report_schema::Verdict;

use super::run::show;
use super::sinks::{Sinks, Told};
use super::{Exit, Output, stored};
use crate::suite::merge::{Piece, merge};

/// Arguments of `merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Result documents of the shards, or folders of their runs.
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
    /// Goes on where shards are missing; the verdict is then inconclusive at best.
    #[arg(long)]
    partial: bool,
    /// Exits with 0 where the verdict is inconclusive.
    #[arg(long)]
    allow_inconclusive: bool,
    #[command(flatten)]
    sinks: Sinks,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let mut pieces = vec![];
    for path in &args.shards {
        let file = stored::document(path);
        match reports::load::file(&file) {
            Ok(result) => pieces.push(Piece { file: file.display().to_string(), result }),
            Err(error) => {
                output.error(&error.to_string());
                return Exit::Io;
            }
        }
    }
    if let Err(exit) = args.sinks.prove(output) {
        return exit;
    }
    let mut result = match merge(pieces, args.partial) {
        Ok(result) => result,
        Err(error) => {
            output.error(&error.to_string());
            return Exit::Usage;
        }
    };
    let exit = match result.verdict {
        _ if result.exit_code == Exit::NothingRan.code() => Exit::NothingRan,
        Verdict::Inconclusive if args.allow_inconclusive => Exit::Pass,
        verdict => verdict.into(),
    };
    result.exit_code = exit.code();
    let told = |page: &std::path::Path| Told {
        body: show::table(&result) + &show::findings(&result),
        last: show::last_line(&result, exit, page),
    };
    args.sinks.deliver((&result, exit), true, told, output)
}
