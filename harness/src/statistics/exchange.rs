//! The exchange test: if the sides were the same, any other dealing out of the sides within each
//! stratum (the repeats of one block between cores of one line) would have been as likely as the
//! one that was.
//!
//! Figures are counted from their stratum's median, in parts of it, so that what drifts from block
//! to block or hangs on the cores is gone, and ranked, so that one wild repeat counts no more than
//! one repeat. The distribution of the
//! candidate's rank sum over *all* dealings is computed, not sampled: its sums are few, so adding
//! one repeat after the other takes no more than a table of them. Nothing is random.

use std::collections::BTreeMap;

use report_schema::{Repeat, Side};

use super::median;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exchange {
    /// The share of all dealings, the real one among them, that show at least this difference.
    pub p_value: f64,
    /// The smallest p value that so many repeats can give.
    pub p_least: f64,
}

/// Sums are compared as floats; they are whole, and their centre a fraction of small numbers.
const HAIR: f64 = 1e-6;

/// Asks whether the sides differ, either way.
#[must_use]
pub fn exchange(repeats: &[Repeat]) -> Exchange {
    let strata = strata(repeats);
    let ranks = ranks(&aligned(repeats, &strata));
    let mut sums = BTreeMap::from([(0, 1.0)]);
    let (mut centre, mut found) = (0.0, 0);
    for members in strata.values() {
        let own: Vec<usize> = members.iter().map(|place| ranks[*place]).collect();
        let chosen = candidates(repeats, members);
        found += chosen.iter().map(|place| ranks[*place]).sum::<usize>();
        centre += chosen.len() as f64 * own.iter().sum::<usize>() as f64 / own.len() as f64;
        sums = convolved(&sums, &subset_sums(&own, chosen.len()));
    }
    let extreme = (found as f64 - centre).abs() - HAIR;
    let far = |sum: &usize| (*sum as f64 - centre).abs() >= extreme;
    let p_value: f64 = sums.iter().filter(|(sum, _)| far(sum)).map(|(_, share)| share).sum();
    Exchange { p_value: p_value.min(1.0), p_least: least(sizes(repeats, &strata)) }
}

/// Twice the share of one dealing: the smallest p value of blocks with so many figures of the base
/// and the candidate.
fn least(sizes: impl IntoIterator<Item = (usize, usize)>) -> f64 {
    let dealings = sizes.into_iter().map(|(base, candidate)| choices(base + candidate, candidate));
    (2.0 / dealings.product::<f64>()).min(1.0)
}

/// How many repeats a side needs so that a p value of at most `alpha` is possible.
#[must_use]
pub fn repeats_needed(alpha: f64, blocked: bool) -> usize {
    const MOST: usize = 500;
    let enough = |side: &usize| {
        let blocks = if blocked { vec![(2, 2); side / 2] } else { vec![(*side, *side)] };
        least(blocks) <= alpha
    };
    let step = if blocked { 2 } else { 1 };
    (step..MOST).step_by(step).find(enough).unwrap_or(MOST)
}

/// Block and line.
type Strata = BTreeMap<(Option<u32>, Option<u64>), Vec<usize>>;

/// The places of each stratum's repeats.
fn strata(repeats: &[Repeat]) -> Strata {
    let mut strata = Strata::new();
    for (place, repeat) in repeats.iter().enumerate() {
        strata.entry((repeat.block, repeat.line_ns)).or_default().push(place);
    }
    strata
}

/// The places of what has a partner, in order: the repeats of strata in which both sides are.
#[must_use]
pub fn partnered(repeats: &[Repeat]) -> Vec<usize> {
    let both = |members: &Vec<usize>| {
        let chosen = candidates(repeats, members).len();
        chosen > 0 && chosen < members.len()
    };
    let mut places: Vec<usize> = strata(repeats).into_values().filter(both).flatten().collect();
    places.sort_unstable();
    places
}

fn candidates(repeats: &[Repeat], members: &[usize]) -> Vec<usize> {
    let candidate = |place: &usize| repeats[*place].side == Side::Candidate;
    members.iter().copied().filter(candidate).collect()
}

fn sizes(repeats: &[Repeat], strata: &Strata) -> impl Iterator<Item = (usize, usize)> {
    strata.values().map(|members| {
        let chosen = candidates(repeats, members).len();
        (members.len() - chosen, chosen)
    })
}

/// Each figure less the median of its stratum, in parts of that median.
fn aligned(repeats: &[Repeat], strata: &Strata) -> Vec<f64> {
    let mut aligned = vec![0.0; repeats.len()];
    for members in strata.values() {
        let middle = median(members.iter().map(|place| repeats[*place].value)).unwrap_or(0.0);
        let unit = if middle > 0.0 { middle } else { 1.0 };
        for place in members {
            aligned[*place] = (repeats[*place].value - middle) / unit;
        }
    }
    aligned
}

/// Twice the rank of each value, so that equal values share a whole number.
fn ranks(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = |value: f64| sorted.partition_point(|other| *other < value);
    let not_above = |value: f64| sorted.partition_point(|other| *other <= value);
    values.iter().map(|value| below(*value) + not_above(*value) + 1).collect()
}

/// How often each sum comes among all choices of so many ranks, as a share.
fn subset_sums(ranks: &[usize], chosen: usize) -> BTreeMap<usize, f64> {
    let most: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; most + 1]; chosen + 1];
    ways[0][0] = 1.0;
    for rank in ranks {
        for count in (1..=chosen).rev() {
            let (fewer, more) = ways.split_at_mut(count);
            for sum in *rank..=most {
                more[0][sum] += fewer[count - 1][sum - rank];
            }
        }
    }
    let all = choices(ranks.len(), chosen);
    let sums = ways[chosen].iter().enumerate().filter(|(_, ways)| **ways > 0.0);
    sums.map(|(sum, ways)| (sum, ways / all)).collect()
}

fn convolved(sums: &BTreeMap<usize, f64>, more: &BTreeMap<usize, f64>) -> BTreeMap<usize, f64> {
    let mut both = BTreeMap::new();
    for (sum, share) in sums {
        for (added, part) in more {
            *both.entry(sum + added).or_insert(0.0) += share * part;
        }
    }
    both
}

/// How many ways there are to choose some of all.
fn choices(all: usize, some: usize) -> f64 {
    (0..some).map(|place| (all - place) as f64 / (place + 1) as f64).product()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Repeats from `(side, block, value)`, `b` for the base; 10 and more is block 0 and more again,
    /// on another line.
    fn repeats(list: &[(char, u32, f64)]) -> Vec<Repeat> {
        let side = |letter: char| if letter == 'b' { Side::Base } else { Side::Candidate };
        let one = |(letter, block, value): &(char, u32, f64)| Repeat {
            side: side(*letter),
            block: Some(*block % 10),
            line_ns: (*block >= 10).then_some(64),
            value: *value,
        };
        list.iter().map(one).collect()
    }

    fn p(list: &[(char, u32, f64)]) -> f64 {
        exchange(&repeats(list)).p_value
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn three_against_three_apart_is_two_in_twenty() {
        let apart = [1.0, 2.0, 3.0].map(|value| ('b', 0, value));
        let others = [4.0, 5.0, 6.0].map(|value| ('c', 0, value));
        assert!(close(p(&[apart, others].concat()), 2.0 / 20.0));
        assert!(close(exchange(&repeats(&[apart, others].concat())).p_least, 0.1));
    }

    #[test]
    fn ranks_one_and_four_of_four_are_in_the_middle() {
        // Dealings of two: sums 3 4 5 5 6 7; the real one is 5, the centre is 5.
        let middle = [('b', 0, 1.0), ('c', 0, 2.0), ('c', 0, 3.0), ('b', 0, 4.0)];
        assert!(close(p(&middle), 1.0));
        // The real one is 4: 3, 4, 6 and 7 are as far.
        let side = [('c', 0, 1.0), ('b', 0, 2.0), ('c', 0, 3.0), ('b', 0, 4.0)];
        assert!(close(p(&side), 4.0 / 6.0));
    }

    #[test]
    fn two_blocks_apart_are_two_in_thirty_six() {
        let block = |number: u32, level: f64| {
            let value = move |step: f64| level + step;
            [
                ('b', number, value(0.0)),
                ('c', number, value(10.0)),
                ('c', number, value(11.0)),
                ('b', number, value(1.0)),
            ]
        };
        assert!(close(p(&[block(0, 100.0), block(1, 5_000.0)].concat()), 2.0 / 36.0));
    }

    #[test]
    fn two_lines_in_one_block_are_two_strata() {
        let near = [('b', 0, 1.0), ('c', 0, 2.0), ('c', 0, 3.0), ('b', 0, 1.5)];
        let far = near.map(|(letter, _, value)| (letter, 10, value * 9.0));
        assert!(close(p(&[near, far].concat()), 2.0 / 36.0));
    }

    #[test]
    fn who_has_no_partner_in_block_and_line_is_left_out_in_order() {
        let list = [('b', 0, 1.0), ('c', 10, 2.0), ('c', 0, 3.0), ('b', 1, 4.0), ('c', 11, 5.0)];
        assert_eq!(partnered(&repeats(&list)), [0, 2]);
    }

    #[test]
    fn equal_figures_say_nothing() {
        assert!(close(p(&[('b', 0, 7.0), ('b', 0, 7.0), ('c', 0, 7.0), ('c', 0, 7.0)]), 1.0));
    }

    #[test]
    fn one_side_alone_says_nothing() {
        let found = exchange(&repeats(&[('b', 0, 1.0), ('b', 0, 2.0)]));
        assert_eq!((found.p_value, found.p_least), (1.0, 1.0));
        assert!(close(exchange(&[]).p_least, 1.0));
    }

    #[test]
    fn so_many_repeats_are_needed() {
        // 6^3 = 216 dealings of three blocks; 252 of five against five.
        assert_eq!((repeats_needed(0.01, true), repeats_needed(0.01, false)), (6, 5));
        assert_eq!(repeats_needed(0.01 / 20.0, true), 10);
        assert!(least([(4, 4)]) > 0.01 && least([(5, 5)]) <= 0.01);
    }

    /// Every dealing, one by one.
    fn by_brute_force(repeats: &[Repeat]) -> f64 {
        let strata = strata(repeats);
        let ranks = ranks(&aligned(repeats, &strata));
        let wanted: Vec<usize> =
            strata.values().map(|members| candidates(repeats, members).len()).collect();
        let centre: f64 = strata
            .values()
            .zip(&wanted)
            .map(|(members, wanted)| {
                let sum: usize = members.iter().map(|place| ranks[*place]).sum();
                *wanted as f64 * sum as f64 / members.len() as f64
            })
            .sum();
        let sum = |mask: usize| -> usize {
            (0..ranks.len()).filter(|place| mask >> place & 1 == 1).map(|place| ranks[place]).sum()
        };
        let fits = |mask: &usize| {
            strata.values().zip(&wanted).all(|(members, wanted)| {
                members.iter().filter(|place| mask >> **place & 1 == 1).count() == *wanted
            })
        };
        let real = (0..repeats.len()).filter(|place| repeats[*place].side == Side::Candidate);
        let real = sum(real.map(|place| 1 << place).sum());
        let dealings: Vec<usize> = (0..1 << repeats.len()).filter(fits).collect();
        let extreme = (real as f64 - centre).abs() - HAIR;
        let far = dealings.iter().filter(|mask| (sum(**mask) as f64 - centre).abs() >= extreme);
        far.count() as f64 / dealings.len() as f64
    }

    /// Two blocks, two lines.
    fn stratum() -> impl Strategy<Value = u32> {
        prop_oneof![0_u32..2, 10_u32..12]
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_every_dealing_one_by_one(
            list in prop::collection::vec((any::<bool>(), stratum(), 0_u32..12), 1..11)
        ) {
            let letter = |base: bool| if base { 'b' } else { 'c' };
            let list: Vec<_> = list
                .into_iter()
                .map(|(base, block, value)| (letter(base), block, f64::from(value)))
                .collect();
            let repeats = repeats(&list);
            let found = exchange(&repeats).p_value;
            prop_assert!(close(found, by_brute_force(&repeats)), "{found}");
        }

        #[test]
        fn which_side_is_called_the_base_makes_no_difference(
            list in prop::collection::vec((any::<bool>(), stratum(), 0.0..1e6_f64), 1..30)
        ) {
            let named = |base: char, other: char| -> Vec<_> {
                list.iter().map(|(is, block, v)| (if *is { base } else { other }, *block, *v)).collect()
            };
            prop_assert!(close(p(&named('b', 'c')), p(&named('c', 'b'))));
        }
    }
}
