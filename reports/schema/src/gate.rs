//! What one expectation said about one cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Verdict};

/// One expectation, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateResult {
    /// Its id in the scenario file, or the name of the rule that holds for every scenario.
    pub id: String,
    /// The check as written, for instance `p99(latency) <= 2 * calibration + 400ns`.
    pub check: String,
    /// The scenario file.
    pub file: String,
    /// The line of the expectation, counted from 1; absent for a rule that no file states.
    pub line: Option<u32>,
    /// The value found; absent when there were no data to judge.
    pub value: Option<f64>,
    /// The bound it was held against, resolved to a number; absent when it could not be.
    pub bound: Option<f64>,
    /// The unit of value and bound: `ns`, `messages/s`, `bytes/s`; empty for a count.
    pub unit: String,
    /// What it says.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// How sure it is, where the check compares with a baseline and there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}
