//! Which part of a suite a result is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One part of a suite that several machines ran together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// Of so many.
    pub count: u32,
    /// The ids of all cells of the whole suite, in the order of its plan. Cell `k`, from 1, belongs
    /// to part `(k - 1) % count + 1`.
    pub cells: Vec<String>,
    /// How many figures of the whole suite are held against the baseline and share one rate of false
    /// alarms; absent where none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<u32>,
}
