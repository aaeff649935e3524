//! A plan as a table for people.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::{PlannedFault, schedule};
use super::{CellPlan, Plan, RolePlan};
use crate::scenario::model::Sched;
use crate::scenario::model::fault::FaultSpec;
use crate::scenario::model::transport::BUILD;
use crate::table;
use crate::units::Nanos;

/// Moments of one fault that are shown.
const MOMENTS: usize = 3;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = format!("{} ({}): {}", self.name, self.profile, self.question);
        f.write_str(&table::line(&said, ["", "  "]))?;
        if self.cells.is_empty() {
            return writeln!(f, "  the filter leaves no cell");
        }
        let mut table = table::with_header([
            "cell",
            "processes on cores",
            "trials",
            "memory",
            "time each",
            "seeds",
        ]);
        for (index, plan) in self.cells.iter().enumerate() {
            table.add_row([
                plan.cell.id.clone(),
                processes(plan),
                plan.repeats.to_string(),
                plan.shm.rough(),
                plan.trial_estimate.rough(),
                self.seeds(index),
            ]);
        }
        f.write_str(&table::text(&table))?;
        for fault in self.faults() {
            f.write_str(&table::line(&fault, ["  fault: ", "    "]))?;
        }
        for cell in &self.left_out {
            writeln!(f, "  left out: {cell}: {BUILD}")?;
        }
        for (reason, cells) in self.degraded() {
            let said = format!("{reason} ({cells})");
            f.write_str(&table::line(&said, ["  degraded: ", "    "]))?;
        }
        writeln!(
            f,
            "  trials: {}, time: about {}, shared memory: at most {}",
            self.trials.len(),
            self.estimate.rough(),
            self.shm_max.rough()
        )
    }
}

impl Plan {
    /// What this machine cannot give, and to which cells.
    #[must_use]
    pub fn degraded(&self) -> Vec<(String, String)> {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for plan in &self.cells {
            for reason in &plan.degraded {
                reasons.entry(reason).or_default().push(&plan.cell.id);
            }
        }
        let named = |cells: Vec<&str>| match cells.as_slice() {
            all if all.len() == self.cells.len() => "every cell".to_owned(),
            [one] => (*one).to_owned(),
            some => format!("{} cells", some.len()),
        };
        reasons.into_iter().map(|(reason, cells)| (reason.to_owned(), named(cells))).collect()
    }

    /// What goes wrong in the first trial, a line for each `[[fault]]`, with the first moments.
    fn faults(&self) -> Vec<String> {
        let Some((trial, plan)) =
            self.trials.first().and_then(|trial| Some((trial, self.cells.get(trial.cell)?)))
        else {
            return vec![];
        };
        let all = schedule(plan, trial.seed);
        let line = |spec: &FaultSpec| {
            let own: Vec<_> = all.iter().filter(|fault| fault.name == spec.name).collect();
            let told = |fault: &&PlannedFault| {
                format!("at {} {}", Nanos(fault.at_ns).rough(), plan.told(fault))
            };
            let mut moments: Vec<String> = own.iter().take(MOMENTS).map(told).collect();
            if own.len() > MOMENTS {
                moments.push(format!("and {} more", own.len() - MOMENTS));
            }
            if moments.is_empty() {
                moments.push("does not come in this profile: the trial is too short".to_owned());
            }
            format!("{}: {}", spec.name, moments.join(", "))
        };
        plan.cell.faults.iter().map(line).collect()
    }

    /// The first seed of a cell, and that there are more.
    fn seeds(&self, cell: usize) -> String {
        let mut seeds = self.trials.iter().filter(|trial| trial.cell == cell).map(|t| t.seed);
        match (seeds.next(), seeds.next()) {
            (Some(first), None) => format!("{first:#018x}"),
            (Some(first), Some(_)) => format!("{first:#018x} …"),
            (None, _) => String::new(),
        }
    }
}

/// `producer@0/fifo:10 reader[0]@1 reader[1]@-`.
fn processes(plan: &CellPlan) -> String {
    let word = |role: &RolePlan| {
        let core = role.core.map_or("-".to_owned(), |core| core.to_string());
        let sched = match role.sched {
            Sched::Other => String::new(),
            Sched::Fifo(priority) => format!("/fifo:{priority}"),
        };
        format!("{}@{core}{sched}", role.name)
    };
    plan.roles.iter().map(word).collect::<Vec<_>>().join(" ")
}
