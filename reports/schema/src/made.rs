//! What a result was made with and put together from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// The program and the settings of a run: what its scenario files do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The program: its version and a digest of its file; absent where it could not be read.
    pub build: Option<String>,
    /// Keys that were set, with their values; of a key that was set twice the last one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Repeats instead of the scenarios' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
}

/// One of several runs that were put together, as it was by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What was run.
    pub suite: String,
    /// Its profile.
    pub profile: String,
    /// The command line that repeats it.
    pub command: Vec<String>,
    /// Its seed.
    pub seed: u64,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// How long it took.
    pub wall_ms: u64,
    /// Its verdict.
    pub verdict: Verdict,
}
