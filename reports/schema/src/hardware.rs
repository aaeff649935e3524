//! What the processor counted for one process, or why it did not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The processor's own counters over the measured part of one process, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hardware {
    /// They counted.
    Counted(HardwareCounts),
    /// They did not; why, in words.
    Uncounted(String),
}

/// What was counted: this process in user mode only, its waiting included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardwareCounts {
    /// Messages that went through meanwhile.
    pub messages: u64,
    /// Each event by its name, for instance `cycles`; an event that this processor does not count is
    /// absent.
    pub events: BTreeMap<String, u64>,
    /// How long the process was on a core while its events were to count.
    pub enabled_ns: u64,
    /// How long of that they did. Where it is less, others had the processor's counters meanwhile,
    /// and `events` are scaled up to the whole time.
    pub counted_ns: u64,
}

impl HardwareCounts {
    /// Whether the events are an estimate from a part of the time.
    #[must_use]
    pub const fn is_scaled(&self) -> bool {
        self.counted_ns < self.enabled_ns
    }
}
