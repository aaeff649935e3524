//! `harness merge`: one result and one report out of the shards of a run.

use std::path::PathBuf;

use report_schema::Verdict;

use super::run::show;
use super::sinks::{Sinks, Told};
use super::{Exit, Output, stored};
use crate::suite::merge::{Piece, merge};

/// Arguments of `merge`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness merge out/*/latest
      The shards that four machines wrote below `out/1` to `out/4`.
  harness merge out/*/latest --partial --out out/whole
      What there is of them, where one machine failed.

Exit codes: those of `harness run`; 2 also where the shards are not one run or one is missing.")]
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
                return stored::refused(&error, output);
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
            if error.only_missing {
                output.note("run what is missing, or put together what there is with --partial");
            }
            return Exit::Usage;
        }
    };
    let exit = match result.verdict {
        _ if result.exit_code == Exit::NothingRan.code() => Exit::NothingRan,
        Verdict::Inconclusive if args.allow_inconclusive => Exit::Pass,
        verdict => verdict.into(),
    };
    result.exit_code = exit.code();
    let told = |_: &std::path::Path| Told {
        body: show::table(&result) + &show::findings(&result),
        last: show::last_line(&result, exit),
    };
    args.sinks.deliver((&result, exit), true, told, output)
}
