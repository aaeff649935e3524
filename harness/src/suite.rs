//! One run of a suite: every trial of every plan, in order, put together, judged, and written down.
//!
//! `run` and `verdict` meet here and nowhere else. What is shown while it runs goes to an
//! [`Observer`]; what remains is one [`SuiteResult`] and its files.

mod cell;
pub mod files;
mod half;
pub mod merge;
mod rates;
mod search;
mod turns;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use report_schema::{
    INTERRUPTED_NOTE, Made, SCHEMA_VERSION, ScenarioResult, Side, SuiteResult, Verdict,
};
use reports::format;

use crate::host::Host;
use crate::plan::{CellPlan, Plan};
use crate::record::{Recorded, record};
use crate::run::{Launcher, Order, Plant, RawTrial, Watch, unplantable};
use crate::scenario::model::Workload;
use crate::scenario::model::transport::BUILD;
use crate::units::Nanos;
use crate::verdict::{Against, comparable, moved};
pub use cell::workload;
pub use half::{JANITOR, janitor};
pub use turns::{Turn, in_turns, one_plan_after_another};

/// A trial that moved between cores is run again so many times at most.
const RETRIES: u32 = 2;
/// Begins the reason why a cell did not run here.
pub const NOT_RUN: &str = "not run: ";
/// A trial that takes longer than this is not run again: over minutes cores always move.
const RETRIED_MAX: Nanos = Nanos(30_000_000_000);

/// What is run.
#[derive(Debug)]
pub struct Request<'a> {
    /// The plans, in order.
    pub plans: &'a [Plan],
    /// The machine.
    pub host: &'a Host,
    /// What the suite is called.
    pub name: String,
    /// The profile's name.
    pub profile: String,
    /// The command line that repeats it.
    pub command: Vec<String>,
    /// The seed that was asked for, or the first scenario's.
    pub seed: u64,
    /// The commit under test.
    pub commit: Option<String>,
    /// A defect to run with.
    pub plant: Option<Plant>,
    /// Which trial comes when.
    pub turns: Vec<Turn>,
    /// Of two sides in turns: so many comparable trials on each are enough, and what is left of a
    /// cell's turns does not run. Their figures are not looked at.
    pub enough: Option<usize>,
    /// Programs whose workers run instead of this one's, in the order of the plans.
    pub programs: Vec<PathBuf>,
    /// The stored run that checks with `baseline` compare with.
    pub against: Option<&'a Against<'a>>,
    /// Where histories are kept.
    pub keep_history: Option<&'a Path>,
    /// The program, and what was set beside the scenario files.
    pub made: Made,
}

/// One trial, for those who watch.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Of so many.
    pub total: usize,
    /// The cell's id.
    pub cell: &'a str,
    /// Which repeat.
    pub repeat: u32,
    /// The time it will take, roughly.
    pub estimate: Nanos,
    /// Whose trial it is, where two sides run in turns.
    pub side: Option<Side>,
}

/// Told of the suite's progress.
pub trait Observer: Watch {
    /// A trial begins.
    fn begin(&mut self, step: Step<'_>);

    /// It has ended.
    fn end(&mut self, step: Step<'_>, recorded: &Recorded);
}

/// What a run gave.
#[derive(Debug)]
pub struct Outcome {
    /// The result document. Its exit code does not know of the interrupt.
    pub result: SuiteResult,
    /// Somebody asked to stop. Whether that cut anything off is in the result.
    pub interrupted: bool,
    /// Why no further trial could be made.
    pub broke_off: Option<BrokeOff>,
}

/// Why a run ended before its time; what was finished is in its result.
#[derive(Debug, thiserror::Error)]
pub enum BrokeOff {
    /// A process cannot be started.
    #[error("{0}")]
    Start(io::Error),
    /// A history cannot be kept; the trial it belongs to is in the result.
    #[error("{0}")]
    Keep(io::Error),
}

/// Runs every trial, as long as nobody interrupts and nothing breaks off; what was finished is kept.
#[must_use]
pub fn run(
    request: &Request<'_>,
    launcher: &mut dyn Launcher,
    observer: &mut dyn Observer,
) -> Outcome {
    let (started, since) = (Instant::now(), unix_ms());
    let mut runner = Runner {
        request,
        launcher,
        observer,
        started,
        number: 0,
        total: request.turns.len(),
        side: None,
        cut: false,
        broke_off: None,
    };
    let obstacles = runner.obstacles();
    let trials = runner.trials(&obstacles);
    let (cut, broke_off) = (runner.cut, runner.broke_off.take());
    let interrupted = cut || runner.launcher.interrupted();
    let found = request.plans.iter().zip(trials.into_iter().zip(obstacles));
    let scenarios: Vec<_> = found
        .map(|(plan, (trials, obstacles))| {
            scenario(request, plan, trials.into_iter().zip(obstacles))
        })
        .collect();
    let ran = scenarios.iter().any(|scenario| scenario.cells.iter().any(|c| !c.trials.is_empty()))
        || broke_off.is_some();
    let mut result = SuiteResult {
        schema_version: SCHEMA_VERSION,
        suite: request.name.clone(),
        profile: request.profile.clone(),
        started_unix_ms: since,
        wall_ms: millis(started),
        commit: request.commit.clone(),
        command: request.command.clone(),
        seed: request.seed,
        host: request.host.report(),
        verdict: Verdict::Inconclusive,
        exit_code: report_schema::EXIT_NOTHING_RAN,
        scenarios,
        models: vec![],
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        made: Some(request.made.clone()),
        parts: vec![],
        planted: request.plant.map(|plant| plant.to_string()),
        interrupted: cut,
        notes: notes(request, cut, broke_off.as_ref()),
    };
    let broken = broke_off.as_ref().map(|_| Verdict::Broken);
    result.verdict = broken.into_iter().fold(result.worst_part(), Verdict::max);
    if ran {
        result.exit_code = result.verdict.exit_code();
    }
    Outcome { result, interrupted, broke_off }
}

fn notes(request: &Request<'_>, cut: bool, broke_off: Option<&BrokeOff>) -> Vec<String> {
    let mut notes = vec![];
    if cut {
        notes.push(INTERRUPTED_NOTE.to_owned());
    }
    if let Some(why) = broke_off {
        notes.push(format!("The run broke off, what is here was finished before: {why}."));
    }
    let left_out: usize = request.plans.iter().map(|plan| plan.left_out.len()).sum();
    if left_out > 0 {
        let cells = format::several(left_out, "cell");
        notes.push(format!("{cells} did not run, over transports that this harness was {BUILD}."));
    }
    if let Some(plant) = request.plant {
        notes.push(format!("The defect {plant} was planted: this run must be found guilty."));
    }
    notes
}

/// By plan and cell.
type Found = Vec<Vec<Vec<Recorded>>>;

struct Runner<'a> {
    request: &'a Request<'a>,
    launcher: &'a mut dyn Launcher,
    observer: &'a mut dyn Observer,
    started: Instant,
    number: usize,
    total: usize,
    /// Of two sides in turns, whose the present trial is.
    side: Option<Side>,
    /// Somebody asked to stop while something was left to be done.
    cut: bool,
    broke_off: Option<BrokeOff>,
}

impl Runner<'_> {
    /// What stands in the way of each cell of each plan.
    fn obstacles(&mut self) -> Vec<Vec<Option<String>>> {
        let defect = self.request.plant;
        let mut obstacle = |cell: &CellPlan| {
            self.launcher.obstacle(cell).or_else(|| unplantable(defect?, &cell.cell))
        };
        let plans = self.request.plans.iter();
        plans.map(|plan| plan.cells.iter().map(&mut obstacle).collect()).collect()
    }

    /// Whether nothing more is to be run, and notes why.
    fn ends_here(&mut self) -> bool {
        self.cut |= self.launcher.interrupted();
        self.cut || self.broke_off.is_some()
    }

    /// What was recorded for each cell of each plan that nothing stands in the way of.
    fn trials(&mut self, obstacles: &[Vec<Option<String>>]) -> Found {
        let plans = self.request.plans;
        let mut found: Found = plans.iter().map(|plan| vec![vec![]; plan.cells.len()]).collect();
        let mut rested = BTreeSet::new();
        for turn in &self.request.turns {
            let trial = &plans[turn.plan].trials[turn.trial];
            self.number += 1;
            let side = if turn.plan < plans.len() / 2 { Side::Base } else { Side::Candidate };
            self.side = self.request.enough.map(|_| side);
            let pair = (turn.plan % plans.len().div_ceil(2), trial.cell);
            if turn.opens && self.has_enough(pair, trial.repeat, &found) {
                rested.insert(pair);
            }
            if obstacles[turn.plan][trial.cell].is_some() || rested.contains(&pair) {
                continue;
            }
            if self.ends_here() {
                break;
            }
            let cell = &plans[turn.plan].cells[trial.cell];
            let program = self.request.programs.get(turn.plan).map(PathBuf::as_path);
            let order = Order { cell, trial, plant: self.request.plant, program };
            let recorded = match cell.cell.workload {
                Workload::Search(quest) => self.search(order, quest),
                _ => self.settle(order),
            };
            found[turn.plan][trial.cell].extend(recorded);
        }
        found
    }

    /// Whether more trials of a cell would tell no more, or never anything. Only trials are counted:
    /// to look at their figures here would be to wait for a false alarm.
    fn has_enough(
        &self,
        (plan, cell): (usize, usize),
        repeat: u32,
        found: &[Vec<Vec<Recorded>>],
    ) -> bool {
        let Some(enough) = self.request.enough else { return false };
        let side = |plan: usize| found[plan][cell].iter().map(|recorded| &recorded.trial);
        let comparable = comparable(side(plan), side(plan + found.len() / 2));
        comparable >= enough || comparable == 0 && repeat as usize >= enough
    }

    /// A trial, and again where it is short and moved between cores; the last one counts most.
    fn settle(&mut self, order: Order<'_>) -> Vec<Recorded> {
        let mut all = vec![];
        let lasts = order.cell.cell.run.length.time(Nanos(0));
        let retries = if lasts > RETRIED_MAX { 0 } else { RETRIES };
        for _ in 0..=retries {
            let Some(recorded) = self.trial(order) else { break };
            let again = moved(&recorded.trial);
            all.push(recorded);
            if !again || self.ends_here() {
                break;
            }
        }
        all
    }

    /// One trial; `None` where none could be begun.
    fn trial(&mut self, order: Order<'_>) -> Option<Recorded> {
        let Order { cell, trial, .. } = order;
        let (number, total, side) = (self.number, self.total, self.side);
        let (repeat, estimate) = (trial.repeat, cell.trial_estimate);
        let step = Step { number, total, cell: &cell.cell.id, repeat, estimate, side };
        self.observer.begin(step);
        let started_ms = millis(self.started);
        let raw = match self.launcher.run(order, &mut *self.observer) {
            Ok(raw) => raw,
            Err(error) => {
                let by = order.program.map(|program| format!(" by {}", program.display()));
                let (id, by) = (&cell.cell.id, by.unwrap_or_default());
                let told = format!("{id} cannot be run{by}: {error}");
                self.broke_off = Some(BrokeOff::Start(io::Error::new(error.kind(), told)));
                return None;
            }
        };
        let mut recorded = record(cell, trial, &raw, started_ms);
        self.cut |= recorded.trial.interrupted;
        if let Err(error) = self.keep(&raw, &mut recorded, cell) {
            self.broke_off = Some(BrokeOff::Keep(error));
        }
        self.observer.end(step, &recorded);
        Some(recorded)
    }

    /// Stores a trial's history, where that is asked for and it was judged.
    fn keep(&self, raw: &RawTrial, recorded: &mut Recorded, cell: &CellPlan) -> io::Result<()> {
        let check = recorded.trial.history.as_mut();
        let (Some(folder), Some(history), Some(check)) =
            (self.request.keep_history, &raw.history, check)
        else {
            return Ok(());
        };
        let tag = format!("{:04}-{}ms", self.number, recorded.trial.started_ms);
        let kept = files::keep_history(folder, &cell.cell.id, &tag, &history.encode());
        check.file = Some(kept.map_err(|error| {
            io::Error::other(format!("cannot keep a history in {}: {error}", folder.display()))
        })?);
        Ok(())
    }
}

fn scenario(
    request: &Request<'_>,
    plan: &Plan,
    trials: impl Iterator<Item = (Vec<Recorded>, Option<String>)>,
) -> ScenarioResult {
    let cells: Vec<_> = plan
        .cells
        .iter()
        .zip(trials)
        .map(|(cell, (trials, obstacle))| {
            let mut result = cell::result(&plan.file, cell, trials, request);
            if let Some(why) = obstacle {
                for gate in &mut result.gates {
                    gate.reason = format!("{}: {why}", gate.reason);
                }
                result.degraded.push(format!("{NOT_RUN}{why}"));
            }
            result
        })
        .collect();
    let verdict = Verdict::worst(cells.iter().map(|cell| cell.verdict));
    ScenarioResult {
        file: plan.file.clone(),
        name: plan.name.clone(),
        question: plan.question.clone(),
        cells,
        verdict: verdict.unwrap_or(Verdict::Inconclusive),
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
