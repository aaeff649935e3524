//! The whole file: one run of a suite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Comparison, CrashResult, Host, Made, ModelResult, Part, ScenarioResult, Shard, Verdict,
};

/// The version of the format that this crate reads and writes.
pub const SCHEMA_VERSION: u32 = 1;

/// The note of a run that was interrupted.
pub const INTERRUPTED_NOTE: &str =
    "The run was interrupted: what is here is not all that was asked.";

/// One run of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteResult {
    /// The version of this format.
    pub schema_version: u32,
    /// What was run, for instance a folder of scenarios.
    pub suite: String,
    /// The profile: `smoke`, `full`, `soak`.
    pub profile: String,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// How long it took.
    pub wall_ms: u64,
    /// The commit under test, if known; `-dirty` at its end when files were changed.
    pub commit: Option<String>,
    /// The command line that repeats it.
    pub command: Vec<String>,
    /// The seed that all others come from.
    pub seed: u64,
    /// The machine.
    pub host: Host,
    /// The worst verdict of all; inconclusive when nothing ran.
    pub verdict: Verdict,
    /// The exit code of the run; 4 when nothing ran.
    pub exit_code: u8,
    /// The scenarios that ran.
    pub scenarios: Vec<ScenarioResult>,
    /// The models that ran.
    pub models: Vec<ModelResult>,
    /// The processes that were killed, site by site.
    pub crashes: Vec<CrashResult>,
    /// What was compared with what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// Which part of the suite this is; absent when it is the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The program and the settings; absent in results that are older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// The runs that were put together; empty when this is one run, or its shards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The defect that was planted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planted: Option<String>,
    /// Somebody stopped it: what is here is not all that was asked.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub interrupted: bool,
    /// What a reader should know before trusting the figures.
    pub notes: Vec<String>,
}

impl SuiteResult {
    /// The worst verdict of all parts; what was interrupted is inconclusive at best, and so is
    /// nothing.
    #[must_use]
    pub fn worst_part(&self) -> Verdict {
        let cut = (self.interrupted || self.is_empty()).then_some(Verdict::Inconclusive);
        let parts = self.scenarios.iter().map(|scenario| scenario.verdict);
        let parts = parts.chain(self.models.iter().map(|model| model.verdict));
        let parts = parts.chain(self.crashes.iter().map(|row| row.verdict));
        let parts = parts.chain(self.comparisons.iter().map(|comparison| comparison.verdict));
        Verdict::worst(parts.chain(cut)).unwrap_or(Verdict::Inconclusive)
    }

    fn is_empty(&self) -> bool {
        self.scenarios.is_empty()
            && self.models.is_empty()
            && self.crashes.is_empty()
            && self.comparisons.is_empty()
    }
}
