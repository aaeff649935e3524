//! Whether an open load was offered as it was asked for: where it was not, what was judged is another
//! question, and the answer is not known.

use report_schema::{GateResult, Role, Trial, Verdict};

use super::{Evidence, Rule, gate_of_rule, several};
use crate::scenario::Cell;

/// Less than this part of what was asked for is another load.
const LEAST: f64 = 0.95;

pub(super) const RULE: Rule =
    ("implied:offered", "the load is offered at the rate that was asked for");

/// Whether a rate was asked for, and nothing stops it on purpose.
pub(super) fn applies(cell: &Cell) -> bool {
    cell.workload.offered_hz().is_some() && cell.faults.is_empty()
}

/// `None` where it does not apply.
pub(super) fn judge(evidence: &Evidence<'_>) -> Option<GateResult> {
    let asked = evidence.cell.workload.offered_hz().filter(|_| applies(evidence.cell))?;
    let rates: Vec<f64> = evidence.trials.iter().filter_map(rate).collect();
    let less = rates.iter().filter(|rate| **rate < LEAST * asked).count();
    let share = |rate: &f64| rate / asked * 100.0;
    let lowest = rates.iter().copied().min_by(f64::total_cmp).unwrap_or(0.0);
    let (verdict, reason) = if rates.is_empty() {
        (Verdict::Inconclusive, "no trial ran".to_owned())
    } else if less * 2 > rates.len() {
        let reason = format!(
            "asked for {asked:.0} messages/s, achieved {lowest:.0} ({:.0} %) in the slowest of {}: \
             figures are those of a smaller load; ask for a lower rate, or let [workload.search] find \
             the highest",
            share(&lowest),
            several(rates.len(), "trial")
        );
        (Verdict::Inconclusive, reason)
    } else {
        (
            Verdict::Pass,
            format!(
                "at least {:.0} % of it in most of {}",
                100.0 * LEAST,
                several(rates.len(), "trial")
            ),
        )
    };
    let figures = (rates.first().map(|_| lowest), Some(asked), "/s");
    Some(gate_of_rule(evidence, RULE, figures, (verdict, reason)))
}

/// What the producer of a whole trial achieved.
fn rate(trial: &Trial) -> Option<f64> {
    let producer = trial.roles.iter().find(|role| role.role == Role::Producer)?;
    trial.broken.is_empty().then_some(producer.throughput_msgs_per_s)
}
