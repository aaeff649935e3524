//! `harness ab`: two builds, two settings, or one thing with itself, their trials in turns.

mod contest;
mod tally;

use std::path::{Path, PathBuf};

use report_schema::{ComparisonKind, SuiteResult, Verdict};

use super::left::Left;
use super::run::progress::Round;
use super::run::{self, Progress};
use super::select::{self, Selection};
use super::sinks::{Sinks, Told};
use super::{Exit, Output, comparison, unchecked};
use crate::compare::RATIO;
use crate::gate::Metric;
use crate::statistics::ALPHA;
use contest::Contest;
use tally::Tally;

/// Trials of each side, where nothing else is asked.
const REPEATS: u32 = 20;
/// So many times as many at most, where many have no partner.
const MORE: u32 = 3;

/// Arguments of `ab`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
A is the baseline, B is judged against it. Two trials of each make a block, in one of their \
six orders, which the seed deals out; every trial's turn is in the result. Exit codes: 0 improved or \
no difference, 3 regressed, 5 inconclusive, and those of every run. Builds must speak the same \
language to their workers; where they do not, the run is broken and says so.

With --aa or --times, the rate of what was found is told with its number and its interval \
(Clopper-Pearson, 95 %), and the comparisons that erred are kept with every trial: with --aa those \
that found a change, with --times those that found none. To refute the promise (no more than 1 % \
false alarms, a tenth found in 95 %), run the last two examples, about ten minutes on an idle machine.

Examples:
  harness ab scenarios/latency/ping-pong.toml --base old/harness --cand new/harness
  harness ab scenarios/latency/ping-pong.toml --base-set block.slots=16 --cand-set block.slots=256
  harness ab scenarios/throughput/busy-reader.toml --aa 200
  harness ab scenarios/throughput/busy-reader.toml --times 100 \
--cand-set \"consumer.reader.work=5500 ns\"")]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Where results go.
    #[command(flatten)]
    sinks: Sinks,
    /// Instead of the scenarios' seeds: decides about payloads and the order of both sides' trials.
    #[arg(long, value_name = "N", value_parser = select::seed, help_heading = "Execution")]
    seed: Option<u64>,
    /// Comparable trials of each side in each comparison; an odd number is made even.
    #[arg(long, value_name = "N", default_value_t = REPEATS,
        value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Execution")]
    repeats: u32,
    /// Trials of each side at most, where cores move and many have no partner; three times
    /// --repeats if it is not given. Trials are counted, their figures not looked at.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=300),
        help_heading = "Execution")]
    most: Option<u32>,
    /// How progress is shown; `auto` is a bar on a terminal and plain lines elsewhere.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    progress: Progress,
    /// Writes no report, only the result document.
    #[arg(long, help_heading = "Output")]
    no_report: bool,
    /// Exits with 0 where the verdict is inconclusive.
    #[arg(long, help_heading = "Execution")]
    allow_inconclusive: bool,
    /// A's harness program, whose workers run; needs --cand.
    #[arg(long, value_name = "PROGRAM", requires = "cand", help_heading = "Sides")]
    base: Option<PathBuf>,
    /// B's harness program, whose workers run; needs --base.
    #[arg(long, value_name = "PROGRAM", requires = "base", help_heading = "Sides")]
    cand: Option<PathBuf>,
    /// Sets a key for A only; repeatable.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Sides")]
    base_set: Vec<String>,
    /// Sets a key for B only; repeatable.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Sides")]
    cand_set: Vec<String>,
    /// Compares A with itself so many times, each with trials of its own, and prints how often a
    /// difference was found.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000),
        conflicts_with_all = ["base", "base_set", "cand_set", "times"], help_heading = "Sides")]
    aa: Option<u32>,
    /// Makes the comparison so many times, each with trials of its own, and prints how often a
    /// difference was found.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Execution")]
    times: u32,
    #[command(flatten)]
    rules: RuleArgs,
}

/// What counts as a difference.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RuleArgs {
    /// A factor below this is no difference that matters.
    #[arg(long, default_value_t = RATIO, value_parser = ratio, help_heading = "Judging")]
    pub(super) ratio: f64,
    /// How often all cells and figures together may find a difference where there is none.
    #[arg(long, default_value_t = ALPHA, value_parser = alpha, help_heading = "Judging")]
    pub(super) alpha: f64,
    /// A figure to compare, as in `p99(latency)`, instead of the workload's own; repeatable.
    #[arg(long, value_name = "METRIC", value_parser = metric, help_heading = "Judging")]
    pub(super) metric: Vec<Metric>,
}

fn ratio(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.parse().ok().filter(|value| (1.0..=100.0).contains(value));
    value.filter(|value| *value > 1.0).ok_or_else(|| "a number above 1, as in 1.05".to_owned())
}

fn alpha(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.parse().ok().filter(|value| (1e-9..=0.5).contains(value));
    value.ok_or_else(|| "a probability of at most 0.5, as in 0.01".to_owned())
}

fn metric(text: &str) -> Result<Metric, String> {
    let measured = |metric: &Metric| metric.dimension() != crate::gate::Dimension::Count;
    Metric::by_name(text).filter(measured).ok_or_else(|| {
        let names =
            Metric::names().filter(|name| Metric::by_name(name).as_ref().is_some_and(measured));
        format!("no time or rate has this name; there are {}", names.collect::<Vec<_>>().join(", "))
    })
}

impl Args {
    /// Trials of each side at most.
    fn most(&self) -> u32 {
        self.most.unwrap_or(MORE * self.repeats)
    }

    fn kind(&self) -> Option<ComparisonKind> {
        if self.aa.is_some() {
            Some(ComparisonKind::SelfTest)
        } else if self.base.is_some() {
            Some(ComparisonKind::Builds)
        } else if self.base_set.is_empty() && self.cand_set.is_empty() {
            None
        } else {
            Some(ComparisonKind::Variants)
        }
    }
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let Some(kind) = args.kind() else {
        output.error(
            "nothing is compared: name two programs (--base, --cand), settings (--base-set, \
             --cand-set), or --aa N for the test of the test",
        );
        return Exit::Usage;
    };
    if args.most() < args.repeats {
        output.error(&format!(
            "--most {} is less than --repeats {}: the most cannot be less than what is wanted",
            args.most(),
            args.repeats
        ));
        return Exit::Usage;
    }
    let contest = match Contest::prepare(args, kind, output) {
        Ok(contest) => contest,
        Err(exit) => return exit,
    };
    match conduct(args, &contest, output) {
        Ok(Some(result)) => finish(args, result, output),
        Ok(None) => {
            output.error("nothing ran");
            Exit::NothingRan
        }
        Err(error) => {
            output.error(&format!("no worker can be started: {error}"));
            Exit::Broken
        }
    }
}

/// All comparisons, as one result; `None` when not even one was begun. What was finished is kept,
/// whatever ends the others.
fn conduct(
    args: &Args,
    contest: &Contest<'_>,
    output: &mut Output,
) -> std::io::Result<Option<SuiteResult>> {
    let times = args.aa.unwrap_or(args.times);
    let mut tally = Tally::default();
    let mut whole: Option<SuiteResult> = None;
    let mut floor = Verdict::Pass;
    let left = Left::new();
    for round in 0..times {
        let mut outcome = match contest.round(Round { number: round, of: times, left }) {
            Ok(outcome) => outcome,
            Err(error) => {
                let Some(whole) = &mut whole else { return Err(error) };
                whole.notes.push(broke_off((round, times), &error, output));
                floor = Verdict::Broken;
                break;
            }
        };
        let interrupted = outcome.interrupted;
        let broke = outcome.broke_off.take();
        if let Some(error) = &broke {
            broke_off((round, times), error, output);
            floor = Verdict::Broken;
        }
        let mut result = outcome.result;
        // A signal that came behind the last trial has cut off nothing but the rounds to come.
        let cut = result.interrupted;
        result.interrupted |= interrupted && round + 1 < times;
        if !cut && broke.is_none() {
            tally.add(round + 1, &result.comparisons);
        }
        if times > 1 && result.scenarios.iter().all(|scenario| scenario.verdict == Verdict::Pass) {
            // Of many comparisons only the figures are kept.
            result.scenarios.clear();
        }
        match &mut whole {
            None => whole = Some(result),
            Some(whole) => join(whole, result),
        }
        if interrupted || broke.is_some() {
            break;
        }
    }
    if let Some(whole) = &mut whole {
        if times > 1 || args.aa.is_some() {
            tally.tell(whole);
        }
        let cut = if whole.interrupted { Verdict::Inconclusive } else { Verdict::Pass };
        whole.verdict = whole.verdict.max(floor).max(cut);
    }
    Ok(whole)
}

/// Says which comparison did not come to its end, and why.
fn broke_off(
    (round, times): (u32, u32),
    error: &dyn std::error::Error,
    output: &mut Output,
) -> String {
    let number = round + 1;
    let told =
        format!("comparison {number} of {times} broke off: {error}; what was finished is kept");
    output.error(&told);
    told
}

/// Adds the runs of a later comparison to those of the first.
fn join(whole: &mut SuiteResult, mut result: SuiteResult) {
    whole.wall_ms += result.wall_ms;
    whole.verdict = whole.verdict.max(result.verdict);
    whole.interrupted |= result.interrupted;
    whole.scenarios.append(&mut result.scenarios);
    whole.notes.append(&mut result.notes);
}

fn finish(args: &Args, mut result: SuiteResult, output: &mut Output) -> Exit {
    let interrupted = result.interrupted;
    if interrupted {
        // Neither what was found nor that nothing was found is an answer.
        result.verdict = result.verdict.max(Verdict::Inconclusive);
    }
    let exit = match result.verdict {
        _ if interrupted => Exit::Interrupted,
        Verdict::Inconclusive if args.allow_inconclusive => Exit::Pass,
        verdict => verdict.into(),
    };
    result.exit_code = exit.code();
    let told = |_: &Path| {
        let compared: String = result.comparisons.iter().map(comparison::text).collect();
        let body = compared + &run::show::findings(&result);
        Told { body, last: said(&result) }
    };
    args.sinks.deliver((&result, exit), !args.no_report, told, output)
}

fn said(result: &SuiteResult) -> String {
    let (verdict, told) = (result.verdict, unchecked::said(&result.comparisons));
    let told = told.unwrap_or_else(|| "nothing was compared".to_owned());
    match unchecked::worst(&result.comparisons) {
        _ if result.interrupted => "interrupted: what was seen so far is no verdict".to_owned(),
        Some(worst) if worst == verdict => format!("{verdict}: {told}"),
        _ => format!("{verdict}: because of the runs themselves; {told}"),
    }
}
