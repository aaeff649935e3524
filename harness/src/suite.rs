//! One run of a suite: every trial of every plan, in order, put together, judged, and written down.
//!
//! `run` and `verdict` meet here and nowhere else. What is shown while it runs goes to an
//! [`Observer`]; what remains is one [`SuiteResult`] and its files.

mod cell;
pub mod files;
pub mod merge;

use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use report_schema::{SCHEMA_VERSION, ScenarioResult, SuiteResult, Verdict};

use crate::host::Host;
use crate::plan::{Plan, TrialPlan};
use crate::record::{Recorded, record};
use crate::run::{Launcher, Order, Plant, Watch};
use crate::verdict::moved;

/// A trial that moved between cores is run again so many times at most.
const RETRIES: u32 = 2;

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
    /// Somebody asked to stop: what is there is not all.
    pub interrupted: bool,
}

/// Runs every trial, as long as nobody interrupts.
///
/// # Errors
///
/// When no worker can be started.
pub fn run(
    request: &Request<'_>,
    launcher: &mut dyn Launcher,
    observer: &mut dyn Observer,
) -> io::Result<Outcome> {
    let (started, since) = (Instant::now(), unix_ms());
    let mut runner = Runner {
        request,
        launcher,
        observer,
        started,
        number: 0,
        total: request.plans.iter().map(|plan| plan.trials.len()).sum(),
    };
    let mut scenarios = vec![];
    for plan in request.plans {
        let obstacles: Vec<_> =
            plan.cells.iter().map(|cell| runner.launcher.obstacle(cell)).collect();
        let trials = runner.trials(plan, &obstacles)?;
        scenarios.push(scenario(plan, trials.into_iter().zip(obstacles), request.host));
    }
    let interrupted = runner.launcher.interrupted();
    let worst = Verdict::worst(scenarios.iter().map(|scenario| scenario.verdict));
    let ran = scenarios.iter().any(|scenario| scenario.cells.iter().any(|c| !c.trials.is_empty()));
    let verdict = worst.unwrap_or(Verdict::Inconclusive);
    let result = SuiteResult {
        schema_version: SCHEMA_VERSION,
        suite: request.name.clone(),
        profile: request.profile.clone(),
        started_unix_ms: since,
        wall_ms: millis(started),
        commit: request.commit.clone(),
        command: request.command.clone(),
        seed: request.seed,
        host: request.host.report(),
        verdict,
        exit_code: if ran { verdict.exit_code() } else { report_schema::EXIT_NOTHING_RAN },
        scenarios,
        models: vec![],
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        notes: notes(request, interrupted),
    };
    Ok(Outcome { result, interrupted })
}

fn notes(request: &Request<'_>, interrupted: bool) -> Vec<String> {
    let mut notes = vec![];
    if interrupted {
        notes.push("The run was interrupted: what is here is not all that was asked.".to_owned());
    }
    if let Some(plant) = request.plant {
        notes.push(format!("The defect {plant:?} was planted: this run must be found guilty."));
    }
    notes
}

struct Runner<'a> {
    request: &'a Request<'a>,
    launcher: &'a mut dyn Launcher,
    observer: &'a mut dyn Observer,
    started: Instant,
    number: usize,
    total: usize,
}

impl Runner<'_> {
    /// What was recorded for each cell of the plan that nothing stands in the way of.
    fn trials(
        &mut self,
        plan: &Plan,
        obstacles: &[Option<String>],
    ) -> io::Result<Vec<Vec<Recorded>>> {
        let mut cells: Vec<Vec<Recorded>> = plan.cells.iter().map(|_| vec![]).collect();
        for trial in &plan.trials {
            if self.launcher.interrupted() {
                break;
            }
            self.number += 1;
            if obstacles.get(trial.cell).is_some_and(Option::is_some) {
                continue;
            }
            for _ in 0..=RETRIES {
                let recorded = self.trial(plan, trial)?;
                let again = moved(&recorded.trial) && !self.launcher.interrupted();
                cells[trial.cell].push(recorded);
                if !again {
                    break;
                }
            }
        }
        Ok(cells)
    }

    fn trial(&mut self, plan: &Plan, trial: &TrialPlan) -> io::Result<Recorded> {
        let cell = &plan.cells[trial.cell];
        let (number, total, repeat) = (self.number, self.total, trial.repeat);
        let step = Step { number, total, cell: &cell.cell.id, repeat };
        self.observer.begin(step);
        let started_ms = millis(self.started);
        let order = Order { cell, trial, plant: self.request.plant };
        let raw = self.launcher.run(order, &mut *self.observer)?;
        let recorded = record(cell, trial, &raw, started_ms);
        self.observer.end(step, &recorded);
        Ok(recorded)
    }
}

fn scenario(
    plan: &Plan,
    trials: impl Iterator<Item = (Vec<Recorded>, Option<String>)>,
    host: &Host,
) -> ScenarioResult {
    let quantum_ns = host.facts.clock_quantum_ns;
    let cells: Vec<_> = plan
        .cells
        .iter()
        .zip(trials)
        .map(|(cell, (trials, obstacle))| {
            let mut result = cell::result(&plan.file, cell, trials, quantum_ns);
            result.degraded.extend(obstacle.map(|why| format!("not run: {why}")));
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
