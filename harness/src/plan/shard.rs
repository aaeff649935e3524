//! One part of a suite, so that several machines run it together.
//!
//! Cells are dealt out like cards, in the order of the plan: cell `k` of `n` shards, both counted
//! from 1, belongs to shard `(k - 1) % n + 1`. So the same files, profile and filter give the same
//! parts everywhere, each cell is in exactly one, and neighbours, which tend to take as long, are in
//! different ones. Seeds depend on a cell's id alone and are the same as without shards.

use std::str::FromStr;

use report_schema::Shard;

use super::{Plan, TrialPlan};

/// Which part of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// From 1.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

/// Parts at most: more than anybody has machines.
const MOST: u32 = 10_000;

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        match numbers {
            Some(part)
                if (1..=MOST).contains(&part.count) && (1..=part.count).contains(&part.index) =>
            {
                Ok(part)
            }
            Some(_) => Err(format!("shards are counted from 1/N to N/N, with N at most {MOST}")),
            None => Err("a shard is I/N, as in 1/4: the first of four".to_owned()),
        }
    }
}

impl Part {
    /// Whether the cell at this place of the whole plan, from 0, is in this part.
    #[must_use]
    pub const fn holds(self, place: usize) -> bool {
        place % self.count as usize == self.index as usize - 1
    }

    /// Leaves this part's cells, and says of which whole they are. Plans without a cell vanish.
    #[must_use]
    pub fn of(self, plans: Vec<Plan>) -> (Vec<Plan>, Shard) {
        let ids = plans.iter().flat_map(|plan| &plan.cells).map(|cell| cell.cell.id.clone());
        let shard =
            Shard { index: self.index, count: self.count, cells: ids.collect(), against: None };
        let mut place = 0;
        let mut kept = vec![];
        for plan in plans {
            let first = place;
            place += plan.cells.len();
            let plan = reduced(plan, |cell| self.holds(first + cell));
            kept.extend(Some(plan).filter(|plan| !plan.cells.is_empty()));
        }
        (kept, shard)
    }
}

/// The plan with some of its cells only, everything else as it was.
fn reduced(mut plan: Plan, keep: impl Fn(usize) -> bool) -> Plan {
    let (mut cells, mut places) = (vec![], vec![]);
    for (old, cell) in plan.cells.into_iter().enumerate() {
        places.push(keep(old).then_some(cells.len()));
        cells.extend(keep(old).then_some(cell));
    }
    plan.cells = cells;
    let moved = |trial: &TrialPlan| {
        places.get(trial.cell).copied().flatten().map(|cell| TrialPlan { cell, ..*trial })
    };
    plan.trials = plan.trials.iter().filter_map(moved).collect();
    let time = |trial: &TrialPlan| plan.cells[trial.cell].trial_estimate.0;
    plan.estimate.0 = plan.trials.iter().map(time).fold(0, u64::saturating_add);
    plan.shm_max = plan.cells.iter().map(|cell| cell.shm).max().unwrap_or_default();
    plan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::Host;
    use crate::plan::{Options, plan};
    use crate::scenario::parse;
    use crate::scenario::sample::STREAM;

    /// Plans whose matrices have so many points.
    fn plans(sizes: &[usize]) -> Vec<Plan> {
        let host = Host { cores: vec![0, 1], ..Host::default() };
        let of = |(number, size): (usize, &usize)| {
            let slots: Vec<String> = (0..*size).map(|point| (point + 2).to_string()).collect();
            let name = format!("name = \"s{number}\"");
            let text =
                STREAM.replace("name = \"s\"", &name).replace("seed = 1", "seed = 1\nrepeats = 3");
            let text = format!("{text}\n[matrix]\nblock.slots = [{}]\n", slots.join(", "));
            plan(&parse("s.toml", &text, &[]).unwrap(), &host, &Options::default()).unwrap()
        };
        sizes.iter().enumerate().map(of).collect()
    }

    fn trials(plans: &[Plan]) -> Vec<(String, u32, u64)> {
        let of_plan = |plan: &Plan| {
            let trial = |trial: &TrialPlan| {
                (plan.cells[trial.cell].cell.id.clone(), trial.repeat, trial.seed)
            };
            plan.trials.iter().map(trial).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = plans.iter().flat_map(of_plan).collect();
        all.sort();
        all
    }

    #[test]
    fn a_part_is_written_as_one_says_it() {
        assert_eq!("2/4".parse(), Ok(Part { index: 2, count: 4 }));
        for wrong in ["0/4", "5/4", "1/0", "1", "1/", "a/b", "-1/4", "1/4/2", "1/99999999"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn all_parts_together_are_everything_exactly_once(
            sizes in proptest::collection::vec(1_usize..6, 1..5),
            count in 1_u32..9,
        ) {
            let whole = plans(&sizes);
            let parts = (1..=count).map(|index| Part { index, count }.of(whole.clone()));
            let parts: Vec<_> = parts.collect();
            let together: Vec<Plan> = parts.iter().flat_map(|(plans, _)| plans.clone()).collect();
            prop_assert_eq!(trials(&together), trials(&whole));
            let cells = |part: &[Plan]| part.iter().map(|plan| plan.cells.len()).sum::<usize>();
            let sizes: Vec<usize> = parts.iter().map(|(part, _)| cells(part)).collect();
            prop_assert!(sizes.iter().max() <= sizes.iter().min().map(|least| least + 1).as_ref());
            prop_assert!(parts.iter().all(|(_, shard)| shard.cells.len() == cells(&whole)));
        }
    }
}
