//! One run of one cell: who took part, what they counted and how quiet the machine was.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Calibration, Counts, Hardware, HistoryCheck, Latency, Search, Visit, WarmUp, ZoneAccount,
};

/// One run of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Which repeat, counted from 0.
    pub repeat: u32,
    /// The seed of everything random in it.
    pub seed: u64,
    /// When it began, from the start of the suite.
    pub started_ms: u64,
    /// How long its measured part took.
    pub duration_ms: u64,
    /// The bare cache line between the same two cores, before and after.
    pub calibration: Calibration,
    /// What else the machine did meanwhile.
    pub noise: Noise,
    /// The processes that took part.
    pub roles: Vec<RoleResult>,
    /// What all roles counted, added together.
    pub counts: Counts,
    /// The block's own metrics section after the run, by the names of the specification.
    pub metrics: BTreeMap<String, u64>,
    /// Where the block's metrics and the harness's counts disagree, in words.
    pub mismatches: Vec<String>,
    /// What went wrong on purpose, in the order of the plan.
    pub faults: Vec<FaultWindow>,
    /// How it broke, one sentence each: a worker that died, a deadline that passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// Somebody stopped it before its end: it shows what happened, never what did not.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub interrupted: bool,
    /// Whether gates took figures from it: it ran whole, held still, and is of the class that they
    /// compare; absent in results that are older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<bool>,
    /// Who stayed blocked by the dead, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stuck: Vec<String>,
    /// Of whom nobody can say whether the dead blocked them, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwatched: Vec<String>,
    /// How long the warm-up was to last that came before and does not count; absent where that is a
    /// number of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_ms: Option<u64>,
    /// The warm-up, where it was to last until the figures hold still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmUp>,
    /// Consumers that came late or left early, stay by stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<Visit>,
    /// The block's flexible zones, process by process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneAccount>,
    /// The search for the highest rate, of which this is the trial at that rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// What the independent checker says, where histories were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryCheck>,
}

impl Trial {
    /// How long the warm-up lasted, as far as that is known.
    #[must_use]
    pub fn warmed_ms(&self) -> u64 {
        self.warmup.as_ref().map(|warmup| warmup.ms).or(self.warmup_ms).unwrap_or(0)
    }
}

/// What else the machine did during a trial, summed over its roles. What the kernel does not tell
/// is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Processor time that the hypervisor gave to others.
    pub steal_ms: Option<u64>,
    /// Times a role was taken off its core.
    pub involuntary_switches: Option<u64>,
    /// Times a role gave up its core.
    pub voluntary_switches: Option<u64>,
    /// Page faults served without I/O.
    pub minor_faults: Option<u64>,
    /// Page faults that waited for I/O.
    pub major_faults: Option<u64>,
    /// The cores' frequency after the trial.
    pub frequency_khz: Option<u64>,
}

/// The two ends.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Writes.
    Producer,
    /// Reads.
    Consumer,
}

/// One process of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleResult {
    /// Which end it is.
    pub role: Role,
    /// Its number among those of the same end, from 0.
    pub index: u32,
    /// The core it was pinned to; absent when it was not.
    pub core: Option<u32>,
    /// Its process id.
    pub pid: u32,
    /// How it ended, for instance `exit 0`, `signal 9`, `deadline`, `interrupted`.
    pub exit: String,
    /// What it counted.
    pub counts: Counts,
    /// Messages each second.
    pub throughput_msgs_per_s: f64,
    /// Payload bytes each second.
    pub bytes_per_s: f64,
    /// Latency of messages, where this role measures it.
    pub latency: Option<Latency>,
    /// Duration of single calls, where this role measures it.
    pub service: Option<Latency>,
    /// The longest that one call waited for others; only in a trial with faults.
    pub longest_wait_ns: Option<u64>,
    /// How often a fault killed the process in this role.
    pub falls: u32,
    /// Processor time in user mode.
    pub cpu_user_ms: u64,
    /// Processor time in the kernel.
    pub cpu_system_ms: u64,
    /// What the processor's own counters say, or why they say nothing; absent in results that are
    /// older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Hardware>,
}

/// A fault that the scenario had planned, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultWindow {
    /// Its name in the scenario.
    pub name: String,
    /// The fault in words, for instance `reader[1] stands still for 50 ms`.
    pub what: String,
    /// When it was to come, from the start of the trial's measured part; the seed decides.
    pub planned_ns: u64,
    /// When it came, from the start of the trial's measured part.
    pub start_ms: u64,
    /// When it ended; absent when it was a moment, or lasted to the end.
    pub end_ms: Option<u64>,
    /// Why it did not come; absent when it did.
    pub missed: Option<String>,
    /// It did not come although there was time: not the trial that was planned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// How long, from then on, the survivor that had to wait longest was blocked; absent when nobody
    /// was.
    pub blocked_ns: Option<u64>,
    /// Who that was.
    pub blocked: Option<String>,
}
