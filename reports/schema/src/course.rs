//! How a trial went beyond its figures: its warm-up, who came and went, the rates that were tried,
//! what its zones showed, and what the independent checker says of its history.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Placement;

/// A warm-up that was to end when the figures hold still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmUp {
    /// How long it lasted.
    pub ms: u64,
    /// Whether the figures held still before time was up.
    pub steady: bool,
    /// By how much of its mean the last window still changed; absent when there was no whole one.
    pub change: Option<f64>,
    /// The bound of that.
    pub change_max: f64,
    /// One interval of the window.
    pub interval_ms: u64,
    /// The typical time of one message, interval by interval.
    pub intervals_ns: Vec<u64>,
}

/// One stay of a consumer in the stream, from joining to leaving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// The consumer's number among the consumers.
    pub consumer: u32,
    /// When it joined, from the start of the trial's measured part.
    pub joined_ms: u64,
    /// When it left; absent when it stayed to the end.
    pub left_ms: Option<u64>,
    /// The first sequence that it was given; absent when it was given none.
    pub first: Option<u64>,
    /// One more than the last.
    pub next: u64,
    /// The first sequence had to lie between these two, both allowed.
    pub promised_first: (u64, u64),
}

/// The highest rate that keeps a bound, and how it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The bound, for instance `p99(latency) <= 50 us`.
    pub bound: String,
    /// The highest rate that kept it; absent when not even the lowest one did.
    pub sustained_hz: Option<f64>,
    /// The lowest rate that broke it; absent when not even the highest one did.
    pub refused_hz: Option<f64>,
    /// Why it ended without an answer, whatever held until then; absent where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
    /// Every rate that was tried, in order.
    pub steps: Vec<SearchStep>,
}

/// One rate that was tried: a whole trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchStep {
    /// Messages offered each second.
    pub rate_hz: f64,
    /// Messages committed each second.
    pub committed_hz: f64,
    /// The median latency from the intended start.
    pub p50_ns: Option<u64>,
    /// The 99th percentile of it.
    pub p99_ns: Option<u64>,
    /// Whether the bound was kept.
    pub held: bool,
    /// Why not; or, where its cores were not those of the first step, that it does not count.
    pub why: Option<String>,
    /// Where its cores were; absent in results that are older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Placement>,
}

/// What one process did about one flexible zone of the block, and what it found there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneAccount {
    /// The zone.
    pub zone: String,
    /// The process, as in `reader[1]`.
    pub role: String,
    /// How often it wrote.
    pub writes: u64,
    /// How often it looked.
    pub looks: u64,
    /// Looks that found its writer at it: no value, and nothing wrong.
    pub busy: u64,
    /// Looks that found parts of two writes.
    pub torn: u64,
    /// Looks that found an older value than a look before.
    pub backward: u64,
    /// Looks that found an older value than the message beside them promised.
    pub stale: u64,
    /// Whether it was half-written when its writer had ended: 0 or 1.
    pub unfinished: u64,
    /// Whether it did not fit its checksum when its writer had ended: 0 or 1.
    pub checksum_failures: u64,
}

/// What the independent checker says of the histories that the processes wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryCheck {
    /// Records that were judged.
    pub records: u64,
    /// Records that had been overwritten, so that nobody could judge them.
    pub overwritten: u64,
    /// What was found wrong, by guarantee: `G1` to `G7`.
    pub violations: BTreeMap<String, u64>,
    /// The first ones, in words.
    pub examples: Vec<String>,
    /// Where the history was kept, if it was.
    pub file: Option<String>,
}
