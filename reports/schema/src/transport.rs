//! What carried a cell's messages, and what that promises: no figure of it stands without.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A transport and its promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportFacts {
    /// Its name in scenario files, for instance `datahub` or `pipe`.
    pub name: String,
    /// What stands between the two ends.
    pub boundary: Boundary,
    /// Whether every message is delivered, in order.
    pub lossless: bool,
    /// Copies of a payload between filling and reading; absent when nobody knows.
    pub copies: Option<u32>,
    /// Consumers that can read the same messages, at most.
    pub consumers_max: u32,
    /// How much may be under way.
    pub holds: String,
    /// What becomes of the others when one end dies.
    pub death: String,
}

/// What stands between the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// Each end is a process of its own.
    Processes,
    /// Both ends are threads of one process: nothing protects one from the other.
    Threads,
}
