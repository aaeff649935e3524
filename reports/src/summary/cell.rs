//! One cell: which of its trials are compared, and what they amount to.

use report_schema::{CellResult, Counts, Placement, Role, RoleResult, ScenarioResult, Trial};

use super::judged;

/// One cell with the trials that are compared.
#[derive(Debug)]
pub struct CellSummary<'a> {
    /// The scenario it belongs to.
    pub scenario: &'a ScenarioResult,
    /// The cell.
    pub cell: &'a CellResult,
    /// The class of the trials compared; unknown where there are none.
    pub class: Placement,
    /// The trials that gates took their figures from, in the order they ran.
    pub judged: Vec<&'a Trial>,
    /// Everything counted in all trials, compared or not.
    pub counts: Counts,
}

impl<'a> CellSummary<'a> {
    pub(super) fn of(scenario: &'a ScenarioResult, cell: &'a CellResult) -> Self {
        let (class, judged) = judged(cell);
        let counts = cell.trials.iter().map(|trial| &trial.counts).sum();
        Self { scenario, cell, class, judged, counts }
    }

    /// What distinguishes this cell from its siblings: its side, its axes, or the scenario's name.
    #[must_use]
    pub fn label(&self) -> String {
        let side = self.side().map(|side| side.to_string());
        let axes = self.cell.axes.iter().map(|(name, value)| format!("{name} {value}"));
        let text = side.into_iter().chain(axes).collect::<Vec<_>>().join(", ");
        if text.is_empty() { self.scenario.name.clone() } else { text }
    }

    /// Which side of a comparison it is: `A` or `B`.
    #[must_use]
    pub fn side(&self) -> Option<char> {
        ['A', 'B'].into_iter().find(|side| self.scenario.name.ends_with(&format!(" ({side})")))
    }

    /// The scenario's name without the side.
    #[must_use]
    pub fn scenario_name(&self) -> &'a str {
        let name = self.scenario.name.as_str();
        self.side().and_then(|_| name.get(..name.len() - 4)).unwrap_or(name)
    }

    /// The median over the compared trials of the summed rates of one end.
    #[must_use]
    pub fn messages_per_s(&self, role: Role) -> Option<f64> {
        self.median_sum(role, |result| result.throughput_msgs_per_s)
    }

    /// The median over the compared trials of the summed payload rates of one end.
    #[must_use]
    pub fn bytes_per_s(&self, role: Role) -> Option<f64> {
        self.median_sum(role, |result| result.bytes_per_s)
    }

    /// The median of the one-way calibrations around the compared trials.
    #[must_use]
    pub fn calibration_ns(&self) -> Option<f64> {
        let each = |trial: &&Trial| [trial.calibration.before_ns, trial.calibration.after_ns];
        let known = self.judged.iter().flat_map(each).flatten();
        median(known.map(|value| value as f64).collect())
    }

    fn median_sum(&self, role: Role, value: impl Fn(&RoleResult) -> f64) -> Option<f64> {
        let of_trial = |trial: &&Trial| {
            let roles: Vec<_> = trial.roles.iter().filter(|each| each.role == role).collect();
            (!roles.is_empty()).then(|| roles.iter().map(|each| value(each)).sum::<f64>())
        };
        median(self.judged.iter().filter_map(of_trial).collect())
    }
}

/// The median; with an even number, the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*values.get(values.len() / 2 - 1)?, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![f64::NAN, 1.0]), Some(1.0));
    }
}
