//! The results of one scenario file: one cell for each point of its matrix.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GateResult, LatencyKind, TransportFacts, Trial, Verdict};

/// One scenario file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioResult {
    /// The scenario file.
    pub file: String,
    /// Its name.
    pub name: String,
    /// The question it asks.
    pub question: String,
    /// The points of its matrix, in the order of the plan.
    pub cells: Vec<CellResult>,
    /// The worst verdict of its cells; inconclusive when none ran.
    pub verdict: Verdict,
}

/// One point of a scenario's matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    /// Stable and readable: `fan-out/readers=4,payload-size=4KiB`.
    pub id: String,
    /// The values of the axes that make this cell; empty without a matrix.
    pub axes: BTreeMap<String, String>,
    /// The worst verdict of its gates.
    pub verdict: Verdict,
    /// Where the run fell short of what was asked, each with its reason.
    pub degraded: Vec<String>,
    /// The block under test.
    pub block: BlockFacts,
    /// What carried the messages; absent in results of before there was a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<TransportFacts>,
    /// How messages were offered.
    pub workload: Workload,
    /// Messages offered each second; for open and burst workloads only.
    pub offered_rate_hz: Option<f64>,
    /// The repeats, in the order they ran; dropped ones included.
    pub trials: Vec<Trial>,
    /// Its expectations, judged.
    pub gates: Vec<GateResult>,
    /// Trials that ran but were not judged.
    pub dropped: Dropped,
}

/// How messages were offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Closed loop over two blocks, one message at a time.
    PingPong,
    /// As fast as possible.
    Stream,
    /// At a rate, whether the consumers keep up or not.
    Open,
    /// So many messages back to back, again and again.
    Burst,
    /// At one rate after the other, until the highest is found that keeps a bound.
    Search,
}

impl Workload {
    /// What its latency is: nothing has an intended start where messages are offered as they are taken.
    #[must_use]
    pub const fn latency_kind(self) -> LatencyKind {
        match self {
            Self::PingPong => LatencyKind::RoundTripHalf,
            Self::Stream => LatencyKind::EndToEndFromActualStart,
            Self::Open | Self::Burst | Self::Search => LatencyKind::EndToEndFromIntendedStart,
        }
    }
}

/// The geometry and policy of the block under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockFacts {
    /// How many payloads stay readable.
    pub policy: Policy,
    /// How consumers follow.
    pub consumer_sync: ConsumerSync,
    /// Payloads that stay readable.
    pub slots: u32,
    /// Slots in memory.
    pub physical_slots: u32,
    /// Size of one payload.
    pub payload_bytes: u64,
    /// Algorithm and policy, for instance `xxh3, enforced`; absent without a checksum.
    pub checksum: Option<String>,
    /// Consumers that were started.
    pub consumers: u32,
    /// Size of the shared memory.
    pub total_bytes: u64,
}

/// How many payloads stay readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// One.
    Single,
    /// Two.
    DoubleBuffer,
    /// A ring of n.
    RingBuffer,
}

/// How consumers follow the producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerSync {
    /// Each takes the newest.
    LatestOnly,
    /// One takes all.
    Sequential,
    /// Each takes all.
    SequentialSync,
}

/// Trials that ran but were not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// How many.
    pub trials: u32,
    /// Why, one reason for each.
    pub reasons: Vec<String>,
}
