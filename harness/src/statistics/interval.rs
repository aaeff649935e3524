//! The ratio of the sides' medians, and its interval by drawing the repeats again.
//!
//! Each figure is held against the level of its line, the middle of both sides' medians there, so
//! that repeats between near and far cores count together, and no side gains by having more of one.
//!
//! Percentiles of the drawn ratios, not the bias-corrected kind: its acceleration comes from
//! leaving out one repeat at a time, which tells nothing of a median, least of all of figures in
//! steps of a clock. Where there are blocks, whole blocks are drawn: neighbours stay together, so
//! drift is no doubt about the ratio.

use std::collections::BTreeMap;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};
use report_schema::{Repeat, Side};

use super::median;

/// More would change the ends by less than the steps of the clock do.
const DRAWS: usize = 1_000;

/// The candidate's median divided by the base's; `None` where no line has both sides.
#[must_use]
pub fn ratio(repeats: &[Repeat]) -> Option<f64> {
    let mut lines: BTreeMap<_, [Vec<f64>; 2]> = BTreeMap::new();
    for repeat in repeats {
        let sides = lines.entry(repeat.line_ns).or_default();
        sides[usize::from(repeat.side == Side::Candidate)].push(repeat.value);
    }
    let mut levelled = [vec![], vec![]];
    for sides in lines.into_values() {
        let medians = sides.each_ref().map(|values| median(values.iter().copied()));
        let [Some(base), Some(candidate)] = medians else { continue };
        let middle = f64::midpoint(base, candidate);
        let level = if middle > 0.0 { middle } else { 1.0 };
        for (all, own) in levelled.iter_mut().zip(sides) {
            all.extend(own.into_iter().map(|value| value / level));
        }
    }
    let [base, candidate] = levelled.map(median);
    Some(candidate? / base?).filter(|ratio| ratio.is_finite())
}

/// Lower and upper end; `None` where no draw has both sides.
#[must_use]
pub fn ratio_interval(repeats: &[Repeat], confidence: f64, seed: u64) -> Option<(f64, f64)> {
    let mut random = Pcg64::seed_from_u64(seed);
    let units = units(repeats);
    let mut ratios: Vec<f64> =
        (0..DRAWS).filter_map(|_| ratio(&drawn(&units, &mut random))).collect();
    ratios.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some((at(&ratios, tail)?, at(&ratios, 1.0 - tail)?))
}

/// What is drawn as one: each block; or, within a single block, each repeat of its side.
fn units(repeats: &[Repeat]) -> Vec<Vec<Vec<Repeat>>> {
    let mut blocks: BTreeMap<_, Vec<Repeat>> = BTreeMap::new();
    for repeat in repeats {
        blocks.entry(repeat.block).or_default().push(*repeat);
    }
    if blocks.len() > 1 {
        return vec![blocks.into_values().collect()];
    }
    let of = |side| repeats.iter().filter(move |repeat| repeat.side == side).map(|r| vec![*r]);
    vec![of(Side::Base).collect(), of(Side::Candidate).collect()]
}

/// As many of each kind as there are, drawn with putting back.
fn drawn(kinds: &[Vec<Vec<Repeat>>], random: &mut Pcg64) -> Vec<Repeat> {
    let mut drawn = vec![];
    for units in kinds {
        for _ in 0..units.len() {
            drawn.extend_from_slice(&units[below(units.len(), random)]);
        }
    }
    drawn
}

/// A random number below `bound`, which is small: what it lacks in evenness nobody can see.
fn below(bound: usize, random: &mut Pcg64) -> usize {
    let product = u128::from(random.next_u64()) * bound as u128;
    usize::try_from(product >> 64).unwrap_or(0)
}

/// A value of a sorted list, by the nearest rank.
fn at(sorted: &[f64], quantile: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a quantile of a list that fits into memory"
    )]
    let place = (quantile * last as f64).round() as usize;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(base: &[f64], candidate: &[f64]) -> Vec<Repeat> {
        let side = |side, values: &[f64]| -> Vec<Repeat> {
            values
                .iter()
                .map(|value| Repeat { side, block: None, line_ns: None, value: *value })
                .collect()
        };
        [side(Side::Base, base), side(Side::Candidate, candidate)].concat()
    }

    #[test]
    fn equal_figures_leave_no_doubt() {
        let found = ratio_interval(&repeats(&[4.0; 5], &[6.0; 5]), 0.95, 1);
        let (low, high) = found.unwrap();
        assert!((low - 1.5).abs() < 1e-9 && (high - 1.5).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn lines_count_together_whoever_has_more_of_which() {
        let on = |line, base: &[f64], candidate: &[f64]| {
            let mut repeats = repeats(base, candidate);
            for repeat in &mut repeats {
                repeat.line_ns = Some(line);
            }
            repeats
        };
        let near = on(64, &[100.0; 5], &[110.0; 2]);
        let far = on(256, &[500.0; 2], &[550.0; 5]);
        let found = ratio(&[near, far].concat()).unwrap();
        assert!((found - 1.1).abs() < 1e-9, "{found}");
        let apart = [on(64, &[100.0], &[]), on(256, &[], &[550.0])].concat();
        assert_eq!(ratio(&apart), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let sides = repeats(&[1.0, 2.0, 3.0, 4.0], &[2.0, 3.0, 4.0, 5.0]);
        let (low, high) = ratio_interval(&sides, 0.95, 7).unwrap();
        assert!(low < high && low > 0.0);
        assert_eq!(ratio_interval(&sides, 0.95, 7), Some((low, high)));
    }

    #[test]
    fn one_side_alone_has_no_ratio() {
        assert_eq!(ratio_interval(&repeats(&[1.0], &[]), 0.95, 1), None);
        assert_eq!(ratio_interval(&[], 0.95, 1), None);
    }

    #[test]
    fn what_drifts_from_block_to_block_is_no_doubt() {
        let mut sides = repeats(&[], &[]);
        for (block, level) in [(0, 100.0), (1, 110.0), (2, 120.0), (3, 130.0), (4, 140.0)] {
            for (side, value) in [(Side::Base, level), (Side::Candidate, level * 1.5)] {
                sides.push(Repeat { side, block: Some(block), line_ns: None, value });
            }
        }
        let (low, high) = ratio_interval(&sides, 0.95, 3).unwrap();
        assert!((low - 1.5).abs() < 1e-9 && (high - 1.5).abs() < 1e-9, "{low} {high}");
    }
}
