//! What a model checker found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// One scenario of the protocol, run by one engine under one memory model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelResult {
    /// The engine: `loom`, `shuttle`, `explore`.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// What the model is for.
    pub kind: ModelKind,
    /// The model's name.
    pub scenario: String,
    /// Which protocol ran: `shipped`, `published F1`, `mutant W_COMMIT -> Relaxed`.
    pub memory: String,
    /// What it says. An expected failure that failed is a pass.
    pub verdict: Verdict,
    /// How much of the space was seen.
    pub coverage: Coverage,
    /// Executions that ran to their end, in the model that `scenario` names.
    pub executions: u64,
    /// Executions of the models that were tried before it and noticed nothing.
    #[serde(default)]
    pub executions_before: u64,
    /// Executions cut short because they repeat another or cannot go on.
    pub blocked: u64,
    /// The distinct results that executions ended with.
    pub outcomes: Vec<String>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The model must fail: a mutant, a published flaw.
    pub expected_failure: bool,
    /// The failing execution, if one was found.
    pub counterexample: Option<Counterexample>,
    /// The command that repeats it.
    pub replay: String,
}

/// What a model is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// The shipped protocol must keep its promises.
    Protocol,
    /// One ordering weakened: some model must notice.
    Mutant,
    /// A thread vanishes at a site: the survivors must go on.
    CrashPoint,
    /// A flaw of the published protocol: the engine must find it.
    PublishedFlaw,
    /// A litmus test of the engine itself.
    Litmus,
    /// A defect planted in the protocol's use of its memory: some model must notice.
    PlantedDefect,
    /// What the models say about the table of sites, and the engines about each other.
    SiteTable,
    /// A pair of operations on real cores: forbidden outcomes are counted.
    Hardware,
}

/// How much of the space of executions was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Coverage {
    /// All of it, for this model.
    Complete,
    /// All of it within a bound.
    #[serde(rename_all = "kebab-case")]
    Bounded {
        /// The bound in words, for instance `3 preemptions`.
        bound: String,
    },
    /// Random schedules; no proof.
    #[serde(rename_all = "kebab-case")]
    Sampled {
        /// Schedules tried.
        schedules: u64,
        /// The seed they came from.
        seed: u64,
    },
}

/// A failing execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The assertion that failed.
    pub message: String,
    /// What went wrong, in plain words.
    pub english: String,
    /// The execution, step by step, in order.
    pub steps: Vec<String>,
}
