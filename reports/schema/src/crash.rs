//! What became of a block whose users were killed at one site of the protocol.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// Real processes of one kind, killed right before one operation, in blocks of one shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashResult {
    /// Who was killed: `writer`, `reader`, `successor`, `joiner`, `undertaker`, `recoverer`.
    pub victim: String,
    /// The site, by its name in the table.
    pub site: String,
    /// The block and its users, for instance `sequential-sync, 2 slots, 2 readers`.
    pub shape: String,
    /// How often an undisturbed victim came there; 0: never.
    pub visits: u64,
    /// Processes that were killed there.
    pub kills: u64,
    /// Why nobody was killed there, or too few were; absent when enough were.
    pub unreached: Option<String>,
    /// Payloads delivered as valid that were mixed from two writes.
    pub torn: u64,
    /// Payloads delivered under another's label.
    pub mislabelled: u64,
    /// Sequences that went back at one reader.
    pub backward: u64,
    /// Commits, announced or acknowledged, that no reader was given although it was promised.
    pub lost: u64,
    /// Payloads delivered twice to one reader.
    pub duplicated: u64,
    /// Survivors that could not go on.
    pub stuck: u64,
    /// Seats, pins and slots that nobody could use any more.
    pub leaked: u64,
    /// The longest that a survivor was blocked.
    pub blocked_ns_max: u64,
    /// The first violation in words.
    pub example: Option<String>,
    /// The command that repeats it.
    pub replay: String,
    /// Pass, or correctness; broken when the kills could not be made, or somebody came where a reason says that
    /// nobody does; inconclusive for a site that should have been reached, or reached more often.
    pub verdict: Verdict,
}

impl CrashResult {
    /// The sum of everything that must be 0.
    #[must_use]
    pub const fn violations(&self) -> u64 {
        self.torn
            .saturating_add(self.mislabelled)
            .saturating_add(self.backward)
            .saturating_add(self.lost)
            .saturating_add(self.duplicated)
            .saturating_add(self.stuck)
            .saturating_add(self.leaked)
    }
}
