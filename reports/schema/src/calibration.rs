//! Where the two cores of a trial were, and how long a bare cache line took between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The one-way latency of a bare cache line between the same two cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Median one way before the trial; absent when it could not be measured.
    pub before_ns: Option<u64>,
    /// Median one way after the trial; absent when it could not be measured.
    pub after_ns: Option<u64>,
    /// Where the two cores were.
    pub class: Placement,
}

/// Where the two cores of a trial were. Only trials of one class are compared.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Close together, before and after.
    Near,
    /// Far apart, before and after.
    Far,
    /// Moved in between: the trial says nothing about either.
    Changed,
    /// Not measured, for instance with one core only.
    Unknown,
}

impl Placement {
    /// The word written in files and shown to people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "far",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}
