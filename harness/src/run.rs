//! Runs one trial: one process for each role, from spawning to what each of them found.
//!
//! `task` (from plan to what each worker must know) → `process` (spawn and supervise, by way of a
//! [`Launcher`]) → `worker` (the other end) → [`RawTrial`]. Nothing is judged here.
//! Invariants: only the harness moves the phase; a worker never outlives it; nothing has a name.

mod calibrate;
mod charge;
mod chronicle;
pub mod den;
mod duty;
mod fault;
mod foreign;
mod hall;
mod latency;
mod leak;
mod life;
mod link;
mod log;
mod loops;
mod meter;
mod metrics;
mod pace;
mod payload;
mod plant;
mod process;
#[cfg(test)]
mod reached;
mod reader;
mod signal;
mod stall;
mod steady;
mod supervise;
mod tally;
mod task;
mod ticks;
mod transport;
mod usage;
mod visit;
mod wire;
mod words;
pub mod worker;
mod writer;
mod zone;

use std::io;
use std::path::Path;

use report_schema::Counts;

pub use calibrate::pairs as measure_pairs;
pub use foreign::{lacks, lacks_c, unfit};
pub use plant::Plant;
pub use process::ProcessLauncher;

pub(crate) use calibrate::class;
#[cfg(test)]
pub(crate) use fault::Missed;
pub(crate) use fault::{Aftermath, Struck};
pub use latency::Glimpse;
#[cfg(test)]
pub(crate) use latency::of_samples;
pub(crate) use pace::busy;
pub(crate) use payload::{Defect, Keyed, Stamp, mix};
pub(crate) use plant::{Planted, unplantable};
pub(crate) use signal::Interrupts;
pub(crate) use stall::SOON_NS;
#[cfg(test)]
pub(crate) use stall::Stall;
pub(crate) use wire::{Measured, Report, Usage};

use crate::history::History;
use crate::plan::{CellPlan, RolePlan, TrialPlan};

/// How a worker ended that was killed because it took too long.
pub(crate) const DEADLINE: &str = "deadline";
/// How a worker ended that was killed because nobody wanted to wait for it.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The cell.
    pub cell: &'a CellPlan,
    /// Which trial of it.
    pub trial: &'a TrialPlan,
    /// A defect to run with.
    pub plant: Option<Plant>,
    /// The program whose workers run, if it is not this one.
    pub program: Option<&'a Path>,
}

/// What one trial gave, before it is put together or judged.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTrial {
    /// The roles in the order of the plan.
    pub(crate) roles: Vec<RawRole>,
    /// Processor time that the hypervisor gave to others meanwhile.
    pub(crate) stolen_ms: Option<u64>,
    /// The producer's core's frequency afterwards.
    pub(crate) frequency_khz: Option<u64>,
    /// What the scenario's faults did.
    pub(crate) aftermath: Aftermath,
    /// What each process wrote down, where that was asked for.
    pub(crate) history: Option<History>,
    /// What the processes left behind, one sentence each; it has been removed.
    pub(crate) leaks: Vec<String>,
    /// Somebody asked to stop before it had come to its end.
    pub(crate) interrupted: bool,
}

/// One process of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawRole {
    /// What it was asked to be.
    pub(crate) plan: RolePlan,
    /// Its process id.
    pub(crate) pid: u32,
    /// How it ended: `exit 0`, `signal 9`, [`DEADLINE`], [`INTERRUPTED`].
    pub(crate) exit: String,
    /// What it found; absent when it did not come to the end.
    pub(crate) report: Option<Report>,
    /// Why it could not go on, in its own words.
    pub(crate) failure: Option<String>,
    /// How often a fault of the scenario killed somebody in this role.
    pub(crate) falls: u32,
    /// Whether the last one in this role fell, too.
    pub(crate) fallen: bool,
    /// What the fallen had counted.
    pub(crate) left: Counts,
}

/// Told of what happens while a trial runs.
pub trait Watch {
    /// The trial has come this far, and the producer has committed so many messages.
    fn moment(&mut self, phase: &'static str, commits: u64);

    /// A slice of a role's latencies has ended.
    fn slice(&mut self, _role: &str, _glimpse: &Glimpse) {}
}

/// Whatever can run a trial: processes, or canned answers.
pub trait Launcher {
    /// Runs one trial to its end, at most to its deadline.
    ///
    /// # Errors
    ///
    /// When no worker can be started at all.
    fn run(&mut self, order: Order<'_>, watch: &mut dyn Watch) -> io::Result<RawTrial>;

    /// Why this cell cannot be run here at all.
    fn obstacle(&mut self, _cell: &CellPlan) -> Option<String> {
        None
    }

    /// Whether somebody asked to stop.
    fn interrupted(&mut self) -> bool;
}
