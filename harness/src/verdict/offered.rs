//! Whether an open load was offered as it was asked for. Where it was not, how fast the block was says
//! nothing of the load that was meant; that nothing was torn or lost still says what it says.

use report_schema::{GateResult, Role, Trial, Verdict};

use super::{Evidence, Rule, gate_of_rule, several};
use crate::gate::Class;
use crate::scenario::Cell;

/// Less than this part of what was asked for is another load.
const LEAST: f64 = 0.95;

pub(super) const RULE: Rule =
    ("implied:offered", "the load is offered at the rate that was asked for");

/// The rate that was asked for, where nothing stops it on purpose.
fn asked(cell: &Cell) -> Option<f64> {
    cell.workload.offered_hz().filter(|_| cell.faults.is_empty())
}

/// Whether the rule is judged: a rate was asked for, and figures are judged by it.
pub(super) fn applies(cell: &Cell) -> bool {
    let performance = cell.expectations.iter().any(|one| one.class() == Class::Performance);
    performance && asked(cell).is_some()
}

/// `None` where it does not apply.
pub(super) fn judge(evidence: &Evidence<'_>) -> Option<GateResult> {
    let asked = asked(evidence.cell).filter(|_| applies(evidence.cell))?;
    let rates = rates(evidence.trials);
    let lowest = rates.iter().copied().min_by(f64::total_cmp);
    let said = match less(evidence.cell, evidence.trials) {
        _ if lowest.is_none() => (Verdict::Inconclusive, "no trial ran".to_owned()),
        Some(why) => (Verdict::Inconclusive, why),
        None => (Verdict::Pass, format!("so in most of {}", several(rates.len(), "trial"))),
    };
    Some(gate_of_rule(evidence, RULE, (lowest, Some(asked), "/s"), said))
}

/// That half of the trials or more did not offer what was asked for, by how much, and what to do; `None` where they
/// did or nothing was asked for.
#[must_use]
pub fn less(cell: &Cell, trials: &[Trial]) -> Option<String> {
    let asked = asked(cell)?;
    let rates = rates(trials);
    let lacking = rates.iter().filter(|rate| **rate < LEAST * asked).count();
    let lowest = rates.iter().copied().min_by(f64::total_cmp)?;
    (lacking * 2 >= rates.len()).then(|| {
        format!(
            "asked for {asked:.0} messages/s, achieved {lowest:.0} ({:.0} %) in the slowest of {}: the \
             figures are those of a smaller load; ask for less, or let [workload.search] find the most",
            lowest / asked * 100.0,
            several(rates.len(), "trial")
        )
    })
}

/// What the producers of whole trials achieved.
fn rates(trials: &[Trial]) -> Vec<f64> {
    let rate = |trial: &Trial| {
        let producer = trial.roles.iter().find(|role| role.role == Role::Producer)?;
        trial.broken.is_empty().then_some(producer.throughput_msgs_per_s)
    };
    trials.iter().filter_map(rate).collect()
}
