//! From a scenario and a machine to everything that will be run; nothing is run here.
//!
//! The same scenario, machine and options give the same plan. Knows nothing of: processes, files,
//! the block's own code.

mod cores;
mod estimate;
pub mod fault;
mod filter;
mod seed;
pub mod shard;
mod show;

pub use filter::Filter;

use crate::host::Host;
use crate::scenario::model::{Sched, TrialOrder};
use crate::scenario::{Cell, Profile, Scenario};
use crate::units::{Bytes, Nanos};

/// What the caller chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How much is run.
    pub profile: Profile,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Instead of the scenario's repeats; at least 1.
    pub repeats: Option<u32>,
    /// Only these cells.
    pub filter: Filter,
}

/// Everything that will be run of one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// Its file, as it was named by the caller.
    pub file: String,
    /// Its question.
    pub question: String,
    /// How much is run.
    pub profile: Profile,
    /// The cells that the filter left, in the order of the matrix.
    pub cells: Vec<CellPlan>,
    /// Ids of cells over transports that this program was built without, where others are left.
    pub left_out: Vec<String>,
    /// In the order in which they run.
    pub trials: Vec<TrialPlan>,
    /// The time it will take, roughly.
    pub estimate: Nanos,
    /// The most shared memory that one trial needs.
    pub shm_max: Bytes,
}

/// One cell, with its processes placed.
#[derive(Debug, Clone, PartialEq)]
pub struct CellPlan {
    /// What is run.
    pub cell: Cell,
    /// How often.
    pub repeats: u32,
    /// The producer first, then the consumers in the order of the file.
    pub roles: Vec<RolePlan>,
    /// Shared memory of one trial.
    pub shm: Bytes,
    /// Time of one trial, roughly.
    pub trial_estimate: Nanos,
    /// What this machine cannot give, one sentence each.
    pub degraded: Vec<String>,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePlan {
    /// What it does.
    pub role: Role,
    /// `producer`, or the group and its member: `reader[2]`.
    pub name: String,
    /// Counts the processes of the same role, from 0.
    pub index: u32,
    /// Where it is pinned; `None` leaves it to the kernel.
    pub core: Option<usize>,
    /// How the kernel schedules it.
    pub sched: Sched,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Writes.
    Producer,
    /// Reads.
    Consumer {
        /// Its group in [`Cell::consumers`].
        group: usize,
    },
}

/// One run of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialPlan {
    /// Its place in [`Plan::cells`].
    pub cell: usize,
    /// From 0.
    pub repeat: u32,
    /// From the scenario's seed, the cell's id and the repeat; not from the order.
    pub seed: u64,
}

/// Why nothing of a scenario can be run on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A block would take more than half of what is free.
    #[error(
        "{cell} needs {} of shared memory, but only half of the {} free in /dev/shm may be used",
        needed.rough(), free.rough()
    )]
    TooLarge {
        /// The cell's id.
        cell: String,
        /// What one trial needs.
        needed: Bytes,
        /// What /dev/shm has left.
        free: Bytes,
    },
}

/// Resolves everything; runs nothing.
///
/// A filter that leaves no cell gives a plan without trials.
///
/// # Errors
///
/// [`PlanError`]: a cell that does not fit into this machine's memory.
pub fn plan(scenario: &Scenario, host: &Host, options: &Options) -> Result<Plan, PlanError> {
    let wanted = |cell: &&Cell| options.filter.keeps(scenario, cell);
    let all = scenario.cells(options.profile);
    let has = |cell: &&Cell| cell.block.transport.missing().is_none();
    // Where nothing else is left they stay: they do not run, and say why.
    let rest = all.iter().filter(wanted).any(|cell| has(&cell));
    let (mut cells, mut left_out) = (vec![], vec![]);
    for cell in all.iter().filter(wanted) {
        if rest && !has(&cell) {
            left_out.push(cell.id.clone());
        } else {
            cells.push(place(cell, host, options)?);
        }
    }
    let trials = ordered(&cells, options.seed);
    let total = |trial: &TrialPlan| cells[trial.cell].trial_estimate.0;
    let estimate = Nanos(trials.iter().map(total).fold(0, u64::saturating_add));
    Ok(Plan {
        name: scenario.name.clone(),
        file: scenario.file.clone(),
        question: scenario.question.clone(),
        profile: options.profile,
        shm_max: cells.iter().map(|cell| cell.shm).max().unwrap_or_default(),
        cells,
        left_out,
        trials,
        estimate,
    })
}

fn place(cell: &Cell, host: &Host, options: &Options) -> Result<CellPlan, PlanError> {
    let shm = estimate::shm(cell);
    let free = host.facts.shm_free_bytes.map(Bytes);
    if let Some(free) = free.filter(|free| shm.0 > free.0 / 2) {
        return Err(PlanError::TooLarge { cell: cell.id.clone(), needed: shm, free });
    }
    let (roles, mut degraded) = cores::place(cell, &host.cores);
    if free.is_none() {
        degraded.push("the free space of /dev/shm is not known".to_owned());
    }
    Ok(CellPlan {
        cell: cell.clone(),
        repeats: options.repeats.unwrap_or(cell.run.repeats).max(1),
        roles,
        shm,
        trial_estimate: estimate::trial(cell),
        degraded,
    })
}

/// The trials of all cells, in the order that the scenario asks for.
fn ordered(cells: &[CellPlan], seed: Option<u64>) -> Vec<TrialPlan> {
    let mut trials = interleaved(cells, seed);
    let Some(run) = cells.first().map(|plan| &plan.cell.run) else { return trials };
    match run.order {
        TrialOrder::Interleaved => {}
        TrialOrder::Sequential => trials.sort_by_key(|trial| trial.cell),
        TrialOrder::Random => {
            // Each trial draws a lot of its own, so a filter leaves the others' order as it is.
            let base = seed.unwrap_or(run.seed);
            let lot = |trial: &TrialPlan| seed::derive(base ^ trial.seed, "order", trial.repeat);
            trials.sort_by_cached_key(lot);
        }
    }
    trials
}

/// A B C A B C: what drifts with time drifts over all cells alike.
fn interleaved(cells: &[CellPlan], seed: Option<u64>) -> Vec<TrialPlan> {
    let rounds = cells.iter().map(|cell| cell.repeats).max().unwrap_or(0);
    let mut trials = vec![];
    for repeat in 0..rounds {
        for (index, plan) in cells.iter().enumerate().filter(|(_, plan)| repeat < plan.repeats) {
            let base = seed.unwrap_or(plan.cell.run.seed);
            let seed = seed::derive(base, &plan.cell.id, repeat);
            trials.push(TrialPlan { cell: index, repeat, seed });
        }
    }
    trials
}

#[cfg(test)]
mod tests;
