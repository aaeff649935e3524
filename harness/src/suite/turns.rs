//! Which trial comes when.

use report_schema::Side;

use crate::plan::Plan;
use crate::statistics::dealt;

/// One trial's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its plan's place among the plans.
    pub plan: usize,
    /// Its own place in [`Plan::trials`].
    pub trial: usize,
    /// The first one of a block of two sides.
    pub opens: bool,
}

/// Every trial of a plan before the first one of the next.
#[must_use]
pub fn one_plan_after_another(plans: &[Plan]) -> Vec<Turn> {
    let trials = |(plan, of): (usize, &Plan)| {
        (0..of.trials.len())
            .map(move |trial| Turn { plan, trial, opens: false })
            .collect::<Vec<_>>()
    };
    plans.iter().enumerate().flat_map(trials).collect()
}

/// Two sides in turns: the first half of the plans is the base, the second half the candidate.
///
/// Cell by cell, two repeats of each side are neighbours, in an order that the seed deals out of all
/// six: what a block suffers falls on either side as the exchange test supposes.
#[must_use]
pub fn in_turns(plans: &[Plan], seed: u64) -> Vec<Turn> {
    let sides = plans.len() / 2;
    let repeats = plans.iter().flat_map(|plan| &plan.cells).map(|cell| cell.repeats).max();
    let mut turns = vec![];
    for block in 0..repeats.unwrap_or(0).div_ceil(2) {
        for pair in 0..sides {
            for cell in 0..plans[pair].cells.len() {
                let order = dealt(throw(seed, block, &plans[pair].cells[cell].cell.id));
                let first = turns.len();
                let mut next = [2 * block; 2];
                for side in order.map(|side| usize::from(side == Side::Candidate)) {
                    let plan = pair + side * sides;
                    let trials = plans[plan].trials.iter();
                    let found =
                        trials.enumerate().find(|(_, t)| t.cell == cell && t.repeat == next[side]);
                    next[side] += 1;
                    let opens = turns.len() == first;
                    turns.extend(found.map(|(trial, _)| Turn { plan, trial, opens }));
                }
            }
        }
    }
    turns
}

fn throw(seed: u64, block: u32, cell: &str) -> u64 {
    let start = crate::run::mix(seed ^ u64::from(block) << 32);
    cell.bytes().fold(start, |hash, byte| crate::run::mix(hash ^ u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::host::Host;
    use crate::plan::{Options, plan};
    use crate::scenario::parse;
    use crate::scenario::sample::STREAM;

    fn sides(repeats: u32) -> Vec<Plan> {
        let scenario = parse("s.toml", STREAM, &[]).unwrap();
        let host = Host { cores: vec![0, 1], ..Host::default() };
        let options = Options { repeats: Some(repeats), ..Options::default() };
        vec![plan(&scenario, &host, &options).unwrap(); 2]
    }

    /// The sides by their letters, block by block.
    fn letters(turns: &[Turn]) -> Vec<String> {
        let letter = |turn: &Turn| if turn.plan == 0 { 'A' } else { 'B' };
        turns.chunks(4).map(|block| block.iter().map(letter).collect()).collect()
    }

    #[test]
    fn every_trial_comes_once_and_in_its_block() {
        let plans = sides(40);
        let turns = in_turns(&plans, 7);
        let mut seen: Vec<(usize, usize)> =
            turns.iter().map(|turn| (turn.plan, turn.trial)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), turns.len()), (80, 80));
        for (block, turns) in (0_u32..).zip(turns.chunks(4)) {
            let repeats = turns.iter().map(|turn| plans[turn.plan].trials[turn.trial].repeat / 2);
            assert!(repeats.into_iter().all(|of| of == block));
        }
    }

    #[test]
    fn all_six_orders_come_equally_often_whatever_is_varied() {
        const EACH: usize = 200;
        let plans = sides(40);
        let mut found = BTreeMap::new();
        // Sixty seeds beside each other, twenty blocks each: 1200 blocks.
        for block in (0..60).flat_map(|seed| letters(&in_turns(&plans, seed))) {
            *found.entry(block).or_insert(0_usize) += 1;
        }
        let orders: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(orders, ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]);
        // Four standard deviations of a fair draw.
        assert!(found.values().all(|count| count.abs_diff(EACH) < 52), "{found:?}");
    }

    #[test]
    fn the_seed_decides_the_order() {
        let plans = sides(40);
        assert_eq!(in_turns(&plans, 7), in_turns(&plans, 7));
        assert_ne!(in_turns(&plans, 7), in_turns(&plans, 8));
    }

    #[test]
    fn an_odd_number_of_repeats_leaves_half_a_block() {
        assert_eq!(in_turns(&sides(3), 1).len(), 6);
    }
}
