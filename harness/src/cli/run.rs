//! `harness run`: its arguments, and from them to the exit code.

mod progress;
mod show;

use std::path::PathBuf;
use std::process::Command;

use report_schema::{SuiteResult, Verdict};

use super::select::Selection;
use super::{Exit, Output};
use crate::host::Host;
use crate::plan::{Options, Plan, plan};
use crate::run::{Plant, ProcessLauncher};
use crate::scenario::Scenario;
use crate::suite::files::{self, FilesError, Folder};
use crate::suite::{self, Outcome, Request};
use progress::Display;

/// Arguments of `run`.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// What is run.
    #[command(flatten)]
    pub selection: Selection,
    /// Where results are written.
    #[arg(short, long, value_name = "DIR", default_value = "out", help_heading = "Output")]
    pub out: PathBuf,
    /// Instead of the scenarios' seeds; printed with each result, so that a run can be repeated.
    #[arg(long, value_name = "N", help_heading = "Execution")]
    pub seed: Option<u64>,
    /// Instead of the scenarios' repeats.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100),
        help_heading = "Execution")]
    pub repeats: Option<u32>,
    /// How progress is shown; `auto` is a bar on a terminal and plain lines elsewhere.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub progress: Progress,
    /// Prints the result document on standard output.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Writes no report, only the result document.
    #[arg(long, help_heading = "Output")]
    pub no_report: bool,
    /// Exits with 0 where the verdict is inconclusive.
    #[arg(long, help_heading = "Execution")]
    pub allow_inconclusive: bool,
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
            filter: self.selection.filter.clone(),
        }
    }
}

pub(super) fn execute(args: &RunArgs, output: &mut Output) -> Exit {
    match prepare(args, output) {
        Ok((plans, host)) => match conduct(args, &plans, &host) {
            Ok(outcome) => finish(args, outcome, output),
            Err(error) => {
                output.error(&format!("no worker can be started: {error}"));
                Exit::Broken
            }
        },
        Err(exit) => exit,
    }
}

/// Everything that can be wrong before anything runs.
fn prepare(args: &RunArgs, output: &mut Output) -> Result<(Vec<Plan>, Host), Exit> {
    let scenarios = args.selection.scenarios(output)?;
    let host = Host::read();
    let plans = plans(args, &scenarios, &host, output)?;
    match files::prove(&args.out) {
        Ok(()) => Ok((plans, host)),
        Err(error) => {
            output.error(&error.to_string());
            Err(Exit::Io)
        }
    }
}

fn plans(
    args: &RunArgs,
    scenarios: &[Scenario],
    host: &Host,
    output: &mut Output,
) -> Result<Vec<Plan>, Exit> {
    let mut plans = vec![];
    for scenario in scenarios {
        match plan(scenario, host, &args.options()) {
            Ok(plan) if plan.trials.is_empty() => {}
            Ok(plan) => plans.push(plan),
            Err(error) => {
                output.error(&format!("{}: {error}", scenario.file));
                return Err(Exit::Usage);
            }
        }
    }
    if plans.is_empty() {
        output.error("the filter leaves no cell");
        return Err(Exit::NothingRan);
    }
    Ok(plans)
}

/// What the suite is called: the file or folder that was named, if it was one.
fn name(selection: &Selection) -> String {
    let stem = match selection.paths.as_slice() {
        [path] => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        _ => None,
    };
    let plain = |text: &String| text.starts_with(|first: char| first.is_ascii_alphanumeric());
    stem.filter(plain).unwrap_or_else(|| "suite".to_owned())
}

fn conduct(args: &RunArgs, plans: &[Plan], host: &Host) -> std::io::Result<Outcome> {
    let first_seed = || plans.first().and_then(|plan| Some(plan.cells.first()?.cell.run.seed));
    let request = Request {
        plans,
        host,
        name: name(&args.selection),
        profile: args.selection.profile.name().to_owned(),
        command: std::env::args().collect(),
        seed: args.seed.or_else(first_seed).unwrap_or(0),
        commit: commit(),
        plant: args.plant,
    };
    let mut launcher = ProcessLauncher::new()?;
    let mut display = Display::new(args.progress);
    let outcome = suite::run(&request, &mut launcher, &mut display);
    display.clear();
    outcome
}

/// The commit of the working folder, where there is one.
pub(super) fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let ran = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(ran.stdout).ok()?;
        ran.status.success().then(|| text.trim().to_owned())
    };
    let head = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["--no-optional-locks", "status", "--porcelain", "-uno"]);
    let dirty = changed.is_some_and(|files| !files.is_empty());
    Some(if dirty { format!("{head}-dirty") } else { head })
}

fn finish(args: &RunArgs, outcome: Outcome, output: &mut Output) -> Exit {
    let Outcome { mut result, interrupted } = outcome;
    let exit = exit(args, &result, interrupted);
    result.exit_code = exit.code();
    let written = write(args, &result);
    if args.json {
        match result.to_json() {
            Ok(json) => output.result(&format!("{json}\n")),
            Err(error) => output.error(&format!("the result cannot be written: {error}")),
        }
    } else {
        output.result(&show::table(&result));
        output.result(&show::findings(&result));
    }
    match written {
        Ok(file) => {
            let last = show::last_line(&result, exit, &file);
            if args.json {
                output.note(&last);
            } else {
                output.result(&format!("{last}\n"));
            }
            exit
        }
        Err(error) => {
            output.error(&error.to_string());
            Exit::Io
        }
    }
}

/// Writes everything; returns what a person wants to open first.
fn write(args: &RunArgs, result: &SuiteResult) -> Result<PathBuf, FilesError> {
    let moment = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder = Folder::create(&args.out, &result.suite, &moment)?;
    folder.write_all(result, !args.no_report)?;
    Ok(folder.path().join(if args.no_report { "result.json" } else { "report.html" }))
}

fn exit(args: &RunArgs, result: &SuiteResult, interrupted: bool) -> Exit {
    if interrupted {
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
