//! What the processor counted, per message, and why it did not where it did not.

use std::collections::{BTreeMap, BTreeSet};

use report_schema::{Hardware, HardwareCounts, Role};

use super::CellSummary;

/// What one end of a cell cost the processor: the compared trials together, in user mode, waiting
/// included.
#[derive(Debug, Clone, PartialEq)]
pub struct HardwareCost<'a> {
    /// Each event by its name, per message.
    pub per_message: BTreeMap<&'a str, f64>,
    /// Processes that were counted.
    pub processes: usize,
    /// Those of them whose counts are an estimate from a part of the time.
    pub scaled: usize,
}

impl HardwareCost<'_> {
    /// Instructions for each cycle, where both were counted.
    #[must_use]
    pub fn per_cycle(&self) -> Option<f64> {
        let cycles = self.per_message.get("cycles").filter(|cycles| **cycles > 0.0)?;
        Some(self.per_message.get("instructions")? / cycles)
    }
}

impl CellSummary<'_> {
    /// What this end's messages cost; `None` where nobody counted any.
    #[must_use]
    pub fn hardware(&self, role: Role) -> Option<HardwareCost<'_>> {
        let roles = self.judged.iter().flat_map(|trial| &trial.roles);
        let counted: Vec<&HardwareCounts> = roles
            .filter(|each| each.role == role)
            .filter_map(|each| match &each.hardware {
                Some(Hardware::Counted(counts)) if counts.messages > 0 => Some(counts),
                _ => None,
            })
            .collect();
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for counts in &counted {
            for (name, value) in &counts.events {
                let (events, messages) = sums.entry(name).or_default();
                *events += *value as f64;
                *messages += counts.messages as f64;
            }
        }
        let each = |(name, (events, messages)): (_, (f64, f64))| (name, events / messages);
        let cost = HardwareCost {
            per_message: sums.into_iter().map(each).collect(),
            processes: counted.len(),
            scaled: counted.iter().filter(|counts| counts.is_scaled()).count(),
        };
        (!cost.per_message.is_empty()).then_some(cost)
    }
}

/// Why processes were not counted, each reason once.
pub(crate) fn uncounted<'a>(cells: &'a [CellSummary<'_>]) -> BTreeSet<&'a str> {
    let trials = cells.iter().flat_map(|each| &each.cell.trials);
    let why = |hardware: &'a Option<Hardware>| match hardware {
        Some(Hardware::Uncounted(why)) => Some(why.as_str()),
        _ => None,
    };
    trials.flat_map(|trial| &trial.roles).filter_map(|role| why(&role.hardware)).collect()
}
