//! When which fault befalls whom: drawn from the trial's seed, so that the same seed gives the
//! same course.

use super::{CellPlan, Role, seed};
use crate::scenario::model::Length;
use crate::scenario::model::fault::{Action, FaultSpec, Target};

/// Faults of one trial: more would be a load, not a fault.
pub(crate) const FAULTS_MAX: u32 = 10_000;

/// One fault that will come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    /// The name in the scenario.
    pub name: String,
    /// When, in nanoseconds from the start of the measured part.
    pub at_ns: u64,
    /// Whom: its place in [`CellPlan::roles`].
    pub role: usize,
    /// What happens.
    pub action: Action,
}

/// Before the end of a trial no fault repeats for so long, or a tenth of the trial: who strikes is a process,
/// and may itself be kept waiting.
const MARGIN_NS: u64 = 100_000_000;

/// Every fault of a trial with this seed, in the order in which they come.
#[must_use]
pub fn schedule(plan: &CellPlan, trial_seed: u64) -> Vec<PlannedFault> {
    let cell = &plan.cell;
    let until_ns = match cell.run.length {
        Length::Time(time) => time.0,
        Length::Messages(_) => cell.run.deadline.0,
    };
    let mut all = vec![];
    for spec in &cell.faults {
        let lasts_ns = spec.action.time().map_or(0, |time| time.0);
        let mut base_ns = spec.at.0;
        for time in 0..FAULTS_MAX {
            let drawn = seed::derive(trial_seed, &spec.name, time);
            let at_ns = base_ns.saturating_add(drawn % spec.within.0.max(1));
            let margin_ns = if time == 0 { 0 } else { MARGIN_NS.min(until_ns / 10) };
            let over_ns = base_ns.saturating_add(spec.within.0).saturating_add(lasts_ns);
            // One that could not be over in time is left out, whatever the seed says.
            if over_ns.saturating_add(margin_ns) >= until_ns {
                break;
            }
            all.extend(befalls(plan, spec, drawn).map(|role| PlannedFault {
                name: spec.name.clone(),
                at_ns,
                role,
                action: spec.action,
            }));
            let Some(every) = spec.every else { break };
            base_ns = base_ns.saturating_add(every.0);
        }
    }
    all.sort_by_key(|fault| fault.at_ns);
    all.truncate(FAULTS_MAX as usize);
    all
}

/// Whom it befalls this time.
fn befalls(plan: &CellPlan, spec: &FaultSpec, drawn: u64) -> Option<usize> {
    let members: Vec<usize> = match spec.target {
        Target::Producer => {
            return plan.roles.iter().position(|role| role.role == Role::Producer);
        }
        Target::Consumer { group, .. } => {
            let of_group = |role: &Role| *role == Role::Consumer { group };
            let roles = plan.roles.iter().enumerate();
            roles.filter(|(_, role)| of_group(&role.role)).map(|(place, _)| place).collect()
        }
    };
    let member = match spec.target {
        Target::Consumer { member: Some(member), .. } => member as usize,
        // Other bits than those that chose the moment.
        _ => usize::try_from(drawn >> 40).unwrap_or(0) % members.len().max(1),
    };
    members.get(member).copied()
}

impl CellPlan {
    /// A fault in words: `at 12 ms reader is killed`.
    #[must_use]
    pub fn told(&self, fault: &PlannedFault) -> String {
        let name = self.roles.get(fault.role).map_or("?", |role| role.name.as_str());
        format!("{name} {}", fault.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::plan::{Options, plan};
    use crate::scenario::parse;

    const TEXT: &str = r#"# What comes when?
schema = 1
name = "f"
question = "What comes when?"
[block]
policy = "ring-buffer"
slots = 8
payload-size = "64 B"
consumer-sync = "sequential-sync"
[[consumer]]
name = "reader"
count = 3
[workload.stream]
[run]
duration = "1 s"
[[fault]]
name = "dies"
at = "100 ms"
within = "50 ms"
every = "100 ms"
role = "reader"
action = "restart"
[[fault]]
name = "stops"
at = "10 ms"
role = "producer"
action = { stop = { for = "5 ms" } }
"#;

    fn planned(seed: u64) -> (CellPlan, Vec<PlannedFault>) {
        let host = Host { cores: vec![0, 1], ..Host::default() };
        let scenario = parse("f.toml", TEXT, &[]).unwrap();
        let cell = plan(&scenario, &host, &Options::default()).unwrap().cells.remove(0);
        let faults = schedule(&cell, seed);
        (cell, faults)
    }

    #[test]
    fn the_same_seed_gives_the_same_course_and_another_one_another() {
        assert_eq!(planned(1).1, planned(1).1);
        assert_ne!(planned(1).1, planned(2).1);
    }

    #[test]
    fn each_comes_in_its_window_and_befalls_everybody_in_the_end() {
        let (cell, faults) = planned(7);
        assert!(faults.is_sorted_by_key(|fault| fault.at_ns));
        let (stops, dies): (Vec<_>, Vec<_>) = faults.iter().partition(|f| f.name == "stops");
        assert_eq!((stops.len(), stops[0].at_ns, stops[0].role), (1, 10_000_000, 0));
        assert_eq!(cell.told(stops[0]), "producer stands still for 5 ms");
        assert_eq!(dies.len(), 8);
        for (number, fault) in (1..).zip(&dies) {
            let (at_ns, from) = (fault.at_ns, number * 100_000_000);
            assert!((from..from + 50_000_000).contains(&at_ns), "{number}: {at_ns}");
        }
        let mut roles: Vec<usize> = dies.iter().map(|fault| fault.role).collect();
        roles.sort_unstable();
        roles.dedup();
        assert_eq!(roles, [1, 2, 3]);
    }
}
