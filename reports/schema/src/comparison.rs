//! Two builds, two variants or two stored runs, compared cell by cell and figure by figure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Placement, Side, Verdict};

/// Two things compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// What was compared.
    pub kind: ComparisonKind,
    /// A: what is compared with.
    pub base: Contender,
    /// B: what is judged.
    pub candidate: Contender,
    /// How often at most a comparison without any difference finds one, over all its cells.
    pub alpha: f64,
    /// How that is kept over several cells and figures, in words.
    pub correction: String,
    /// The seed of the order, the test and the intervals.
    pub seed: u64,
    /// One for each cell and figure.
    pub cells: Vec<CellComparison>,
    /// What this comparison found when both sides were the same; absent when it was not asked.
    pub false_alarms: Option<FalseAlarms>,
    /// How often a change was found, where the comparison was made many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// Where the comparison was made many times, those that erred: they found a change although both
    /// sides were the same, or none although the sides differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erred: Vec<Round>,
    /// The worst of its cells: performance when one regressed.
    pub verdict: Verdict,
    /// What a reader should know before trusting it.
    pub notes: Vec<String>,
}

/// One of many comparisons of the same two sides, each with trials of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Its number, from 1.
    pub number: u32,
    /// The seed of its order and intervals.
    pub seed: u64,
    /// What it found, with every trial.
    pub cells: Vec<CellComparison>,
}

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonKind {
    /// Two programs, their trials interleaved.
    Builds,
    /// Two settings of one scenario, their trials interleaved.
    Variants,
    /// One thing with itself, its trials interleaved: whatever is found is a false alarm.
    SelfTest,
    /// Two stored runs, which did not run together.
    Runs,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// What it is called, for instance `block.slots=16`, a program or a baseline's name.
    pub name: String,
    /// The commit it was made from, if known.
    pub commit: Option<String>,
}

/// One figure of one cell, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellComparison {
    /// The cell's id.
    pub cell: String,
    /// The figure, by the name that expectations use.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Whether a greater figure is a better one.
    pub greater_is_better: bool,
    /// Where the cores of the compared trials were; absent when none could be compared, or trials of
    /// several classes were, each with its own.
    pub class: Option<Placement>,
    /// The base's median; absent without a figure.
    pub base_median: Option<f64>,
    /// The candidate's median; absent without a figure.
    pub candidate_median: Option<f64>,
    /// How sure the difference is; absent when nothing could be compared.
    pub evidence: Option<Evidence>,
    /// Trials of the base that were left out: moved, broken, or without a partner.
    pub base_dropped: u32,
    /// Trials of the candidate that were left out.
    pub candidate_dropped: u32,
    /// Every trial of both sides in the order in which they ran; absent where they did not run in
    /// turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// What is to be said.
    pub change: Change,
    /// Why, in one sentence.
    pub reason: String,
}

/// One trial of two sides in turns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Whose it is.
    pub side: Side,
    /// The block of neighbours that it ran in, counted from 0.
    pub block: Option<u32>,
    /// Where its cores were.
    pub class: Placement,
    /// One way over the bare line before the measured part.
    pub before_ns: Option<u64>,
    /// And after it.
    pub after_ns: Option<u64>,
    /// The figure, in the unit of its comparison; absent where the trial has none.
    pub value: Option<f64>,
    /// Whether it was compared: it ran whole, held still, did not move and has a partner.
    pub compared: bool,
}

/// What became of a figure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Better beyond doubt.
    Improved,
    /// None that is sure and large enough to matter.
    NoDifference,
    /// The data do not suffice for an answer.
    Inconclusive,
    /// Worse beyond doubt.
    Regressed,
}

impl Change {
    /// What it means for a run.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Improved | Self::NoDifference => Verdict::Pass,
            Self::Inconclusive => Verdict::Inconclusive,
            Self::Regressed => Verdict::Performance,
        }
    }

    /// The words shown to people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::NoDifference => "no difference",
            Self::Inconclusive => "inconclusive",
            Self::Regressed => "regressed",
        }
    }
}

/// How often the same comparison, made many times, found a change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Comparisons made, each with trials of its own.
    pub comparisons: u64,
    /// Of these, how many found a change.
    pub changed: u64,
    /// Of these, how many found a regression.
    pub regressed: u64,
    /// Comparisons that found no change and could not say of every figure.
    pub inconclusive: u64,
    /// The interval of the rate of changes: lower and upper end.
    pub rate_interval: (f64, f64),
    /// How often such an interval holds the truth.
    pub confidence: f64,
}

/// How often a comparison of a thing with itself found a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FalseAlarms {
    /// Comparisons made.
    pub comparisons: u64,
    /// Of these, how many found a difference.
    pub alarms: u64,
    /// Of these, how many could not say.
    pub inconclusive: u64,
    /// The interval of the rate: lower and upper end.
    pub rate_interval: (f64, f64),
    /// How often such an interval holds the truth.
    pub confidence: f64,
}
