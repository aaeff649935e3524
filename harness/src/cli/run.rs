//! `harness run`: its arguments, and from them to the exit code.

pub(super) mod events;
pub(super) mod progress;
pub(super) mod show;

use std::path::{Path, PathBuf};

use report_schema::{Happening, Shard, SuiteBegan, SuiteEnded, SuiteResult, Verdict};

use super::gate::AgainstArgs;
use super::select::{self, Selection};
use super::sinks::{Sinks, Told};
use super::{Exit, Output, baseline, comparison, made, planned, unchecked};
use crate::host::Host;
use crate::plan::shard::Part;
use crate::plan::{Options, Plan};
use crate::run::{Plant, ProcessLauncher};
use crate::scenario::Cell;
use crate::scenario::model::History;
use crate::suite::{self, BrokeOff, Outcome, Request, files};
use crate::verdict::Against;
use events::Events;
use progress::{Display, Round};

/// Arguments of `run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  harness run scenarios/smoke
  harness run scenarios --profile full --exclude foreign --out results
  harness run scenarios/throughput --tag depth --set 'block.slots=[64,4096]' --repeats 10
  harness run scenarios/latency --baseline main
      Where no check names the baseline, the usual figures are compared with it.

Exit codes: 0 pass, 1 correctness, 2 usage, 3 performance, 4 nothing ran, 5 inconclusive, 6 broken, 7 a
file could not be read or written, 130 interrupted: what was finished is in the report.")]
pub struct RunArgs {
    /// What is run.
    #[command(flatten)]
    pub selection: Selection,
    /// Where results go.
    #[command(flatten)]
    pub sinks: Sinks,
    /// Instead of the scenarios' seeds; printed with each result, so that a run can be repeated.
    #[arg(long, value_name = "N", value_parser = select::seed, help_heading = "Execution")]
    pub seed: Option<u64>,
    /// Instead of the scenarios' repeats.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100),
        help_heading = "Execution")]
    pub repeats: Option<u32>,
    /// Runs only the I-th of N parts of the cells, as in `1/4`; `harness merge` puts them together.
    #[arg(long, value_name = "I/N", help_heading = "Execution")]
    pub shard: Option<Part>,
    /// How progress is shown; `auto` is a bar on a terminal and plain lines elsewhere.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub progress: Progress,
    /// Writes one JSON object a line while it runs: what happens, as it happens.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub events: Option<PathBuf>,
    /// Keeps the histories of all trials in this folder, for `check-history`. Only scenarios with
    /// `record.history` write any, and no trial whose slots a fault scribbled over.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub keep_history: Option<PathBuf>,
    /// Writes no report, only the result document.
    #[arg(long, help_heading = "Output")]
    pub no_report: bool,
    /// Exits with 0 where the verdict is inconclusive.
    #[arg(long, help_heading = "Execution")]
    pub allow_inconclusive: bool,
    /// What checks with `baseline` compare with.
    #[command(flatten)]
    pub against: AgainstArgs,
    /// Runs with a defect on purpose: the run must then be found guilty.
    #[arg(long, value_enum, value_name = "DEFECT", help_heading = "Testing")]
    pub plant: Option<Plant>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// One line for each trial.
    Plain,
    /// One JSON object a line, as with `--events`.
    Jsonl,
    /// Nothing.
    None,
}

impl RunArgs {
    /// What the plan is made with.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            profile: self.selection.profile,
            seed: self.seed,
            repeats: self.repeats,
            filter: self.selection.filter(),
        }
    }
}

pub(super) fn execute(args: &RunArgs, output: &mut Output) -> Exit {
    let Prepared { plans, seed, shard, host, events, stored, questions } =
        match prepare(args, output) {
            Ok(prepared) => prepared,
            Err(exit) => return exit,
        };
    let mut display = Display::new(args.progress, events, Round::only());
    let against = args.against.beside(stored.as_ref(), &host.facts, questions);
    let mut outcome = conduct(args, (&plans, seed, against.as_ref()), &host, &mut display);
    if let Ok(outcome) = &mut outcome {
        outcome.result.shard = shard;
        // A signal that came behind the last trial has cut off nothing.
        if let Some(against) = against.as_ref().filter(|_| !outcome.result.interrupted) {
            let cells = cells(&plans);
            let ran = outcome.result.exit_code != Exit::NothingRan.code();
            unchecked::compare_rest(against, &mut outcome.result, &cells);
            if ran {
                outcome.result.exit_code = outcome.result.verdict.exit_code();
            }
        }
    }
    display.clear();
    match outcome {
        Ok(outcome) => finish(args, outcome, display.events, output),
        Err(error) => {
            output.error(&format!("no trial can be run: {error}"));
            Exit::Broken
        }
    }
}

/// All that a run begins with.
struct Prepared {
    plans: Vec<Plan>,
    /// Of the whole plan, so that all shards have the same.
    seed: u64,
    shard: Option<Shard>,
    host: Host,
    events: Events,
    stored: Option<SuiteResult>,
    /// How many figures of the whole plan are held against it.
    questions: usize,
}

fn cells(plans: &[Plan]) -> Vec<&Cell> {
    plans.iter().flat_map(|plan| plan.cells.iter().map(|cell| &cell.cell)).collect()
}

/// Everything that can be wrong before anything runs.
fn prepare(args: &RunArgs, output: &mut Output) -> Result<Prepared, Exit> {
    let files = args.selection.scenarios(output)?;
    let host = Host::read();
    let stored = args.against.load().map_err(|error| baseline::refused(&error, output))?;
    let asked = (&args.selection, &args.options());
    let plans = planned::plans(asked, &files, &host, output)?;
    let first_seed = plans.first().and_then(|plan| Some(plan.cells.first()?.cell.run.seed));
    let seed = args.seed.or(first_seed).unwrap_or(0);
    // Shards share one rate of false alarms, so this is counted before the plan is cut.
    let questions = unchecked::questions(&cells(&plans));
    let (plans, mut shard) = planned::part(args.shard, plans, output)?;
    if let Some(shard) = shard.as_mut().filter(|_| stored.is_some()) {
        shard.against = Some(u32::try_from(questions).unwrap_or(u32::MAX));
    }
    planned::programs(&plans, output)?;
    args.sinks.prove(output)?;
    args.keep_history.as_deref().map_or(Ok(()), |folder| keepable(folder, &plans, output))?;
    let events = Events::open(args.events.as_deref(), args.progress == Progress::Jsonl);
    let events = events.map_err(|error| unwritten(args, &error, output))?;
    Ok(Prepared { plans, seed, shard, host, events, stored, questions })
}

/// Whether there will be histories, and room for them.
fn keepable(folder: &Path, plans: &[Plan], output: &mut Output) -> Result<(), Exit> {
    let mut cells = plans.iter().flat_map(|plan| &plan.cells);
    if cells.all(|cell| cell.cell.history == History::None) {
        let help = "add `--set record.history=ring:1M`";
        output.error(&format!("--keep-history: no scenario writes a history; {help}"));
        return Err(Exit::Usage);
    }
    files::prove(folder).map_err(|error| {
        output.error(&error.to_string());
        Exit::Io
    })
}

/// Says that events cannot be written.
fn unwritten(args: &RunArgs, error: &std::io::Error, output: &mut Output) -> Exit {
    let file = args.events.as_ref().map(|file| file.display().to_string());
    let file = file.unwrap_or_else(|| "events on standard error".to_owned());
    output.error(&format!("cannot write {file}: {error}"));
    Exit::Io
}

/// What the suite is called: the file or folder that was named, if it was one.
pub(super) fn name(selection: &Selection) -> String {
    let stem = match selection.paths.as_slice() {
        [path] => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        _ => None,
    };
    let plain = |text: &String| text.starts_with(|first: char| first.is_ascii_alphanumeric());
    stem.filter(plain).unwrap_or_else(|| "suite".to_owned())
}

fn conduct(
    args: &RunArgs,
    (plans, seed, against): (&[Plan], u64, Option<&Against<'_>>),
    host: &Host,
    display: &mut Display,
) -> std::io::Result<Outcome> {
    let request = Request {
        plans,
        host,
        name: name(&args.selection),
        profile: args.selection.profile.name().to_owned(),
        command: made::words(),
        seed,
        commit: made::commit(),
        plant: args.plant,
        turns: suite::one_plan_after_another(plans),
        enough: None,
        programs: vec![],
        against,
        keep_history: args.keep_history.as_deref(),
        made: made::made(&args.selection.set, args.repeats),
    };
    display.events.tell(Happening::SuiteBegan(SuiteBegan {
        suite: request.name.clone(),
        profile: request.profile.clone(),
        commit: request.commit.clone(),
        seed: request.seed,
        trials: plans.iter().map(|plan| plan.trials.len() as u64).sum(),
    }));
    let mut launcher = ProcessLauncher::new()?;
    Ok(suite::run(&request, &mut launcher, display))
}

fn finish(args: &RunArgs, outcome: Outcome, mut events: Events, output: &mut Output) -> Exit {
    let Outcome { mut result, broke_off, .. } = outcome;
    let mut exit = exit(args, &result);
    if matches!(broke_off, Some(BrokeOff::Keep(_))) {
        exit = exit.or_worse(Exit::Io);
    }
    result.exit_code = exit.code();
    let mut folder = String::new();
    let told = |file: &Path| {
        folder = file.parent().unwrap_or(file).display().to_string();
        let compared: String = result.comparisons.iter().map(comparison::text).collect();
        let body = show::table(&result) + &compared + &show::findings(&result);
        Told { body, last: show::last_line(&result, exit) }
    };
    let exit = args.sinks.deliver((&result, exit), !args.no_report, told, output);
    events.tell(Happening::SuiteEnded(SuiteEnded {
        verdict: result.verdict,
        exit_code: exit.code(),
        wall_ms: result.wall_ms,
        folder,
        interrupted: result.interrupted,
    }));
    events.failure().map_or(exit, |error| exit.or_worse(unwritten(args, error, output)))
}

fn exit(args: &RunArgs, result: &SuiteResult) -> Exit {
    if result.interrupted {
        return Exit::Interrupted;
    }
    if result.exit_code == Exit::NothingRan.code() {
        return Exit::NothingRan;
    }
    match result.verdict {
        Verdict::Inconclusive if args.allow_inconclusive => Exit::Pass,
        verdict => verdict.into(),
    }
}
