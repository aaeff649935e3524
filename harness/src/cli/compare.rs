//! `harness compare`: two stored runs; statistics only, nothing runs.

use std::path::PathBuf;

use report_schema::{Comparison, ComparisonKind, Contender, SuiteResult};

use super::ab::RuleArgs;
use super::{Exit, Output, comparison, stored};
use crate::compare::{Pair, Rules, compare, differences, pairs};

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The two runs did not run together: what drifted between them counts as a difference. `harness ab` \
runs them in turns. Runs of two machines, kernels or processors are never compared.

Examples:
  harness compare out/smoke-20260101T120000Z out/latest
  harness compare old/result.json new/result.json --metric 'p99(latency)' --ratio 1.1

Exit codes: 0 improved or no difference, 2 there is no such result, 3 regressed, 4 no cell in common,
5 inconclusive, 7 a file could not be read.")]
pub(super) struct Args {
    /// What is compared with: a result document, or the folder of a run.
    #[arg(value_name = "A")]
    base: PathBuf,
    /// What is judged: a result document, or the folder of a run.
    #[arg(value_name = "B")]
    candidate: PathBuf,
    #[command(flatten)]
    rules: RuleArgs,
    /// Seed of the bootstrap intervals.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Prints B's result document with the comparison in it.
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let (base, mut candidate) = match (stored::read(&args.base), stored::read(&args.candidate)) {
        (Ok(base), Ok(candidate)) => (base, candidate),
        (Err(error), _) | (_, Err(error)) => {
            return stored::refused(&error, output);
        }
    };
    let (both, alone) = pairs(&base.scenarios, &candidate.scenarios);
    if both.is_empty() {
        output.error("the two runs have no cell in common");
        return Exit::NothingRan;
    }
    let mut found = compared(args, &base, &candidate, &both);
    found.notes.extend(alone);
    let exit = found.verdict.into();
    if args.json {
        candidate.comparisons = vec![found];
        match candidate.to_json() {
            Ok(json) => output.result(&json),
            Err(error) => output.error(&format!("the result cannot be written: {error}")),
        }
    } else {
        output.result(&comparison::text(&found));
    }
    exit
}

fn compared(
    args: &Args,
    base: &SuiteResult,
    candidate: &SuiteResult,
    both: &[Pair<'_>],
) -> Comparison {
    let contender = |path: &PathBuf, result: &SuiteResult| Contender {
        name: path.display().to_string(),
        commit: result.commit.clone(),
    };
    let quanta = [base, candidate].map(|result| result.host.clock_quantum_ns);
    let rules = Rules {
        alpha: args.rules.alpha,
        ratio: args.rules.ratio,
        metrics: args.rules.metric.clone(),
        quantum_ns: quanta.into_iter().max().flatten(),
        seed: args.seed,
        together: false,
        baseline: args.base.display().to_string(),
        obstacle: differences(&base.host, &candidate.host),
    };
    let cells = compare(both, &rules);
    Comparison {
        kind: ComparisonKind::Runs,
        base: contender(&args.base, base),
        candidate: contender(&args.candidate, candidate),
        alpha: rules.alpha,
        correction: comparison::correction(cells.len()),
        seed: args.seed,
        verdict: comparison::verdict(&cells),
        cells,
        false_alarms: None,
        found: None,
        erred: vec![],
        notes: vec!["The two runs did not run in turns.".to_owned()],
    }
}
