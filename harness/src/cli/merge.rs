//! `harness merge`: one result and one report out of several, shards of a run or runs of different
//! kinds.

use std::path::{Path, PathBuf};

use report_schema::{SuiteResult, Verdict};
use reports::format;

use super::run::show;
use super::sinks::{Sinks, Told};
use super::{Exit, Output, crash, made, model, stored};
use crate::suite::merge::{Piece, merge};

/// Arguments of `merge`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shards must be of one suite, profile, seed, commit, plan and settings. Runs of different kinds \
(scenarios, models, kills) must be of one commit, build and machine; the worst verdict is that of all.

Examples:
  harness merge out/shard-*/latest
      The shards that four machines wrote to `out/shard-1` to `out/shard-4`.
  harness merge out/shard-*/latest --partial --out out/whole
      What there is of them, where one machine failed.
  harness merge out/run/latest out/model/latest out/crash/latest
      One page of scenarios, models and kills, each run before with `--out out/run`, `out/model`, `out/crash`.

Exit codes: those of `harness run`; 2 also where the results do not belong together or one is missing.")]
pub(super) struct Args {
    /// Result documents, or folders of runs.
    #[arg(value_name = "RESULT", required = true)]
    results: Vec<PathBuf>,
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
    for path in &args.results {
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
    if !result.parts.is_empty() {
        result.command = made::words();
    }
    let exit = match result.verdict {
        _ if result.exit_code == Exit::NothingRan.code() => Exit::NothingRan,
        Verdict::Inconclusive if args.allow_inconclusive => Exit::Pass,
        verdict => verdict.into(),
    };
    result.exit_code = exit.code();
    let told = |_: &Path| Told { body: body(&result), last: last_line(&result, exit) };
    args.sinks.deliver((&result, exit), true, told, output)
}

/// A table of each kind that is there, and what did not pass.
fn body(result: &SuiteResult) -> String {
    let mut text = String::new();
    if !result.scenarios.is_empty() {
        text.push_str(&show::table(result));
    }
    if !result.models.is_empty() {
        text.push_str(&model::show::table(&result.models));
    }
    if !result.crashes.is_empty() {
        text.push_str(&crash::table(result));
    }
    let failed = result.models.iter().filter(|model| model.verdict != Verdict::Pass);
    text.push_str(&model::show::findings(&failed.cloned().collect::<Vec<_>>()));
    text.push_str(&crash::rows(result, result.interrupted));
    text + &show::findings(result)
}

fn last_line(result: &SuiteResult, exit: Exit) -> String {
    if result.models.is_empty() && result.crashes.is_empty() {
        return show::last_line(result, exit);
    }
    let cells = result.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let gates = cells.flat_map(|cell| &cell.gates).map(|gate| gate.verdict);
    let models = result.models.iter().map(|model| model.verdict);
    let rows = result.crashes.iter().map(|row| row.verdict);
    let all: Vec<Verdict> = gates.clone().chain(models).chain(rows).collect();
    let failed = all.iter().filter(|verdict| **verdict != Verdict::Pass).count();
    let kills: u64 = result.crashes.iter().map(|row| row.kills).sum();
    format!(
        "{}: {}, {} and {} kills: {failed} did not end as they must",
        result.verdict,
        format::several(gates.count(), "expectation"),
        format::several(result.models.len(), "model"),
        format::count(kills)
    )
}
