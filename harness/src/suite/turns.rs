//! Which trial comes when.

use crate::plan::Plan;

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
/// Cell by cell, two repeats of each side are neighbours: A B B A or, as the seed has it, B A A B.
/// So what drifts steadily is the same for both, and nobody always comes first.
#[must_use]
pub fn in_turns(plans: &[Plan], seed: u64) -> Vec<Turn> {
    let sides = plans.len() / 2;
    let repeats = plans.iter().flat_map(|plan| &plan.cells).map(|cell| cell.repeats).max();
    let mut turns = vec![];
    for block in 0..repeats.unwrap_or(0).div_ceil(2) {
        for pair in 0..sides {
            for cell in 0..plans[pair].cells.len() {
                let mirrored = coin(seed, block, &plans[pair].cells[cell].cell.id);
                let first = turns.len();
                for (place, repeat) in [(0, 0), (1, 0), (1, 1), (0, 1)] {
                    let plan = pair + (place ^ usize::from(mirrored)) * sides;
                    let wanted = 2 * block + repeat;
                    let trials = plans[plan].trials.iter();
                    let found =
                        trials.enumerate().find(|(_, t)| t.cell == cell && t.repeat == wanted);
                    let opens = turns.len() == first;
                    turns.extend(found.map(|(trial, _)| Turn { plan, trial, opens }));
                }
            }
        }
    }
    turns
}

fn coin(seed: u64, block: u32, cell: &str) -> bool {
    let start = crate::run::mix(seed ^ u64::from(block) << 32);
    cell.bytes().fold(start, |hash, byte| crate::run::mix(hash ^ u64::from(byte))) & 1 == 1
}

#[cfg(test)]
mod tests {
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
    fn blocks_begin_with_either_side_and_every_trial_comes_once() {
        let plans = sides(40);
        let turns = in_turns(&plans, 7);
        let blocks = letters(&turns);
        assert!(blocks.iter().all(|block| block == "ABBA" || block == "BAAB"), "{blocks:?}");
        assert!(blocks.contains(&"ABBA".to_owned()) && blocks.contains(&"BAAB".to_owned()));
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
    fn the_seed_decides_who_begins() {
        let plans = sides(40);
        assert_eq!(in_turns(&plans, 7), in_turns(&plans, 7));
        assert_ne!(in_turns(&plans, 7), in_turns(&plans, 8));
    }

    #[test]
    fn an_odd_number_of_repeats_leaves_half_a_block() {
        assert_eq!(in_turns(&sides(3), 1).len(), 6);
    }
}
