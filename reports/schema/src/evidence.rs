//! What two sides of repeats say of one figure: the effect, how sure it is, and every repeat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The two sides of a comparison.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// A: what is compared with.
    Base,
    /// B: what is judged.
    Candidate,
}

/// One repeat of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// Whose it is.
    pub side: Side,
    /// The block of neighbours in time that it belongs to, counted from 0; only neighbours are
    /// exchanged by the test. Absent where the two sides did not run together.
    pub block: Option<u32>,
    /// One way over the bare line between its cores, to the nearest power of two; only repeats of
    /// one line are exchanged. Absent where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_ns: Option<u64>,
    /// The figure, in the unit of its gate or comparison.
    pub value: f64,
}

/// What two sides of repeats say of one figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What the candidate was compared with: a baseline's name, a build, a variant, a stored run.
    pub baseline: String,
    /// The candidate's median divided by the base's, each figure held against those of its line; 1
    /// is no difference.
    pub ratio: f64,
    /// The interval of the ratio: lower and upper end.
    pub ratio_interval: (f64, f64),
    /// How often such an interval holds the truth, for instance 0.99.
    pub confidence: f64,
    /// How often exchanging the sides at random gives at least this effect.
    pub p_value: f64,
    /// The p value below which this one would count, after correction for all that was asked.
    pub alpha: f64,
    /// The smallest p value that so few repeats can give.
    pub p_least: f64,
    /// What the ratio makes of the base's median, in the unit of the figure.
    pub difference: f64,
    /// The difference in steps of the clock, without a sign; absent for what is no time.
    pub difference_quanta: Option<f64>,
    /// Every repeat of both sides that was compared, in the order in which they ran.
    pub repeats: Vec<Repeat>,
}

impl Evidence {
    /// The figures of one side, in the order in which they were taken.
    pub fn values(&self, side: Side) -> impl Iterator<Item = f64> {
        self.repeats.iter().filter(move |repeat| repeat.side == side).map(|repeat| repeat.value)
    }

    /// How many repeats one side has.
    #[must_use]
    pub fn count(&self, side: Side) -> usize {
        self.values(side).count()
    }
}
