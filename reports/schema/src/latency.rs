//! One latency distribution: its percentiles, the histogram itself, and its course over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was timed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyKind {
    /// From the moment the message was due to be written to its delivery: no coordinated omission.
    EndToEndFromIntendedStart,
    /// From the moment the message was really written to its delivery.
    EndToEndFromActualStart,
    /// Half of a round trip between two processes.
    RoundTripHalf,
    /// The duration of one call alone.
    Service,
}

impl LatencyKind {
    /// The kind in words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::EndToEndFromIntendedStart => "end to end, from the intended start",
            Self::EndToEndFromActualStart => "end to end, from the actual start",
            Self::RoundTripHalf => "half a round trip",
            Self::Service => "service time of one call",
        }
    }
}

/// One latency distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// What was timed.
    pub kind: LatencyKind,
    /// Samples.
    pub n: u64,
    /// The smallest sample.
    pub min_ns: u64,
    /// Half of the samples are at or below this.
    pub p50_ns: u64,
    /// 90 % of the samples are at or below this.
    pub p90_ns: u64,
    /// 99 % of the samples are at or below this.
    pub p99_ns: u64,
    /// 99.9 % of the samples are at or below this.
    pub p99_9_ns: u64,
    /// 99.99 % of the samples are at or below this.
    pub p99_99_ns: u64,
    /// The greatest sample.
    pub max_ns: u64,
    /// The mean.
    pub mean_ns: f64,
    /// The whole histogram in nanoseconds: `HdrHistogram` V2, deflated, base64.
    pub histogram: String,
    /// The distribution interval by interval, in order of time; may be empty.
    pub intervals: Vec<Interval>,
}

/// The latency of one span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// When it began, from the start of the trial's measured part.
    pub start_ms: u64,
    /// Samples in it.
    pub n: u64,
    /// Its median.
    pub p50_ns: u64,
    /// Its 99th percentile.
    pub p99_ns: u64,
    /// Its greatest sample.
    pub max_ns: u64,
    /// `[upper bound in ns, samples]`, ascending, empty buckets left out; for a heatmap.
    pub buckets: Vec<(u64, u64)>,
}
