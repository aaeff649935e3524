//! The cells of the heatmap: each bucket between its own bounds, and never beyond a sample.

use std::collections::BTreeSet;

use report_schema::Interval;

use crate::format;
use crate::plot::{Chart, Form, Ink, Key, Mark, Size};

/// Columns of the heatmap at most, so that a page stays small.
const COLUMNS: usize = 60;

/// The faintest cell: a single sample must be seen on dark and light paper.
const FAINTEST: f64 = 0.22;

/// One cell: from, to and how many samples.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tile {
    low_ns: f64,
    high_ns: f64,
    count: u64,
}

/// Adds the cells; `min_ns` is the smallest sample of all intervals.
pub(super) fn add(chart: &mut Chart, intervals: &[&Interval], (step_ms, min_ns): (u64, u64)) {
    let ladder = ladder(intervals);
    let group = intervals.len().div_ceil(COLUMNS).max(1);
    let columns: Vec<(u64, u64, Vec<Tile>)> = intervals
        .chunks(group)
        .flat_map(|chunk| {
            // A column ends where messages do: a gap is not a part of it.
            chunk.chunk_by(move |one, next| {
                next.start_ms.saturating_sub(one.start_ms) <= step_ms.saturating_add(step_ms / 2)
            })
        })
        .filter_map(|chunk| {
            let (first, last) = (chunk.first()?, chunk.last()?);
            Some((
                first.start_ms,
                last.start_ms.saturating_add(step_ms),
                tiles(chunk, &ladder, min_ns),
            ))
        })
        .collect();
    let most = columns.iter().flat_map(|(_, _, tiles)| tiles).map(|tile| tile.count).max();
    let Some(most) = most.filter(|most| *most > 0) else { return };
    for (from, to, tiles) in columns {
        for tile in tiles {
            // A logarithm, so that one sample beside a million can be seen.
            let share = (tile.count as f64).ln_1p() / (most as f64).ln_1p();
            let strength = FAINTEST + share * (0.85 - FAINTEST);
            let (low, high) = ((from as f64 * 1e6, tile.low_ns), (to as f64 * 1e6, tile.high_ns));
            chart.marks.push(Mark::Heat { low, high, strength });
        }
    }
    let label =
        format!("samples, the stronger the more (up to {} in a field)", format::count(most));
    chart.legend.push(Key { ink: Ink::Heat, label });
}

/// Every upper bound that occurs, in order.
fn ladder(intervals: &[&Interval]) -> BTreeSet<u64> {
    intervals.iter().flat_map(|interval| &interval.buckets).map(|(upper, _)| *upper).collect()
}

/// Where a bucket begins: the bound before its own. A bound that never occurs may lie between two
/// that do, so it is no lower than a bucket of this kind can begin: half octaves where there are any,
/// whole ones where there are none.
fn lower(upper: u64, ladder: &BTreeSet<u64>) -> u64 {
    let before = ladder.range(..upper).next_back().copied().unwrap_or(0);
    let halves =
        ladder.iter().any(|bound| bound.is_multiple_of(3) && (bound / 3).is_power_of_two());
    let widest = match (halves, upper.is_power_of_two()) {
        (true, true) => upper / 4 * 3,
        (true, false) => upper / 3 * 2,
        (false, _) => upper / 2,
    };
    before.max(widest)
}

/// The buckets of some intervals, each clipped to what was really seen, ascending.
fn tiles(intervals: &[&Interval], ladder: &BTreeSet<u64>, min_ns: u64) -> Vec<Tile> {
    let max_ns = intervals.iter().map(|interval| interval.max_ns).max().unwrap_or(u64::MAX);
    let mut tiles: Vec<(u64, u64)> = Vec::new();
    for (upper, count) in intervals.iter().flat_map(|interval| &interval.buckets) {
        match tiles.iter_mut().find(|(known, _)| known == upper) {
            Some((_, sum)) => *sum = sum.saturating_add(*count),
            None => tiles.push((*upper, *count)),
        }
    }
    tiles.retain(|(_, count)| *count > 0);
    tiles.sort_unstable();
    let tile = |(upper, count): (u64, u64)| {
        let low = lower(upper, ladder).max(min_ns.min(upper)).max(1);
        // Bounds come from rounded values, so a sample may seem to lie just below its bucket.
        let high_ns = upper.min(max_ns).max(1) as f64;
        Tile { low_ns: (low as f64).min(high_ns / 1.04), high_ns, count }
    };
    tiles.into_iter().map(tile).collect()
}

const _: () = assert!(COLUMNS < Size::Wide.pixels(Form::Full).0 as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start_ms: u64, max_ns: u64, buckets: &[(u64, u64)]) -> Interval {
        let n = buckets.iter().map(|(_, count)| count).sum();
        Interval { start_ms, n, p50_ns: 60, p99_ns: 90, max_ns, buckets: buckets.to_vec() }
    }

    #[test]
    fn a_cell_lies_between_the_bounds_of_its_bucket_and_within_the_samples() {
        let one = interval(0, 900, &[(96, 3), (128, 2), (1024, 1)]);
        let two = interval(100, 70, &[(96, 5)]);
        let both = [&one, &two];
        let cells = tiles(&both, &ladder(&both), 70);
        let seen: Vec<_> =
            cells.iter().map(|tile| (tile.low_ns, tile.high_ns, tile.count)).collect();
        assert_eq!(seen, [(70.0, 96.0, 8), (96.0, 128.0, 2), (768.0, 900.0, 1)]);
    }

    #[test]
    fn no_cell_begins_below_its_bucket_where_bounds_between_do_not_occur() {
        let octaves = BTreeSet::from([128, 4096]);
        assert_eq!((lower(128, &octaves), lower(4096, &octaves)), (64, 2048));
        let halves = BTreeSet::from([96, 4096]);
        assert_eq!((lower(96, &halves), lower(4096, &halves)), (64, 3072));
        let other = BTreeSet::from([100, 130, 169]);
        assert_eq!((lower(130, &other), lower(169, &other)), (100, 130));
    }

    #[test]
    fn a_single_bucket_is_never_drawn_without_height() {
        let only = interval(0, 500, &[(512, 1)]);
        let cells = tiles(&[&only], &ladder(&[&only]), 512);
        assert!(cells[0].high_ns > cells[0].low_ns);
    }
}
