//! Latency over the course of one trial: a heatmap with p50, p99 and maximum over it.

use report_schema::{Interval, Trial};

use crate::format;
use crate::plot::{Axis, Chart, Ink, Key, Mark, Size};

/// Columns and rows of the heatmap at most, so that a page stays small.
const HEAT_COLUMNS: usize = 60;
const HEAT_ROWS_PER_DECADE: f64 = 8.0;
/// Faults that are shaded, and kinds of them in the legend, at most.
const BANDS: usize = 200;
const KINDS: usize = 5;

/// What is drawn.
pub(crate) struct Timeline<'a> {
    /// What it shows.
    pub(crate) title: &'a str,
    /// The trial, for its faults and its duration.
    pub(crate) trial: &'a Trial,
    /// The latency of one role, interval by interval.
    pub(crate) intervals: &'a [Interval],
}

/// One quantity of an interval, in ns.
type Quantity = fn(&Interval) -> u64;

/// The course of one trial; `None` without intervals.
pub(crate) fn timeline(of: &Timeline<'_>) -> Option<Chart> {
    let filled: Vec<_> = of.intervals.iter().filter(|interval| interval.n > 0).collect();
    let last = filled.last()?;
    let step_ms = step_ms(of.intervals);
    let end_ms = last.start_ms.saturating_add(step_ms).max(of.trial.duration_ms);
    let x = Axis::linear(
        "time since the start of measuring",
        (-(of.trial.warmed_ms() as f64) * 1e6, end_ms as f64 * 1e6),
        format::nanos,
    );
    let each = filled.iter().flat_map(|interval| [interval.p50_ns, interval.max_ns]);
    let y = Axis::log("latency", each.map(|value| value.max(1) as f64), format::nanos);
    let mut chart = Chart { title: of.title.to_owned(), x, y, marks: vec![], legend: vec![] };
    add_warm_up(&mut chart, of.trial);
    add_faults(&mut chart, of.trial, end_ms);
    add_heat(&mut chart, &filled, step_ms);
    let middle = |interval: &Interval| (interval.start_ms as f64 + step_ms as f64 / 2.0) * 1e6;
    let lines: [(&str, Quantity); 3] = [
        ("p50", |interval| interval.p50_ns),
        ("p99", |interval| interval.p99_ns),
        ("greatest sample", |interval| interval.max_ns),
    ];
    for (index, (label, value)) in lines.into_iter().enumerate() {
        let point = |interval: &&Interval| (middle(interval), value(interval).max(1) as f64);
        let points = filled.iter().map(point).collect();
        // A line through single samples would draw a course that nobody measured.
        let ink = Ink::Series(index);
        if index < 2 {
            chart.marks.push(Mark::Line { points, ink });
            chart.legend.push(Key { ink, label: label.to_owned() });
        } else {
            chart.marks.push(Mark::Dots { points, ink });
            chart.legend.push(Key { ink: Ink::Outline(index), label: label.to_owned() });
        }
    }
    Some(chart)
}

/// The length of one interval: the least distance between two starts.
fn step_ms(intervals: &[Interval]) -> u64 {
    let gaps = intervals.windows(2).map(|pair| pair[1].start_ms.saturating_sub(pair[0].start_ms));
    gaps.filter(|gap| *gap > 0).min().unwrap_or(1)
}

/// The warm-up lies before the start of measuring: it is shown, and does not count.
fn add_warm_up(chart: &mut Chart, trial: &Trial) {
    let warmed_ms = trial.warmed_ms();
    if warmed_ms == 0 {
        return;
    }
    chart.marks.push(Mark::Hatch { from: -(warmed_ms as f64) * 1e6, to: 0.0 });
    let label = format!("warm-up of {}, not counted", format::millis(warmed_ms));
    chart.legend.push(Key { ink: Ink::Uncounted, label });
}

fn add_faults(chart: &mut Chart, trial: &Trial, end_ms: u64) {
    let came: Vec<_> = trial.faults.iter().filter(|fault| fault.missed.is_none()).collect();
    // A moment is as wide as the eye needs.
    let least = end_ms as f64 * 1e6 / 300.0;
    for fault in came.iter().take(BANDS) {
        let from = fault.start_ms as f64 * 1e6;
        let to = fault.end_ms.unwrap_or(end_ms) as f64 * 1e6;
        chart.marks.push(Mark::Band { from, to: to.max(from + least).min(end_ms as f64 * 1e6) });
    }
    let mut kinds: Vec<(&str, usize)> = vec![];
    for fault in &came {
        match kinds.iter_mut().find(|(what, _)| *what == fault.what) {
            Some((_, times)) => *times += 1,
            None => kinds.push((&fault.what, 1)),
        }
    }
    for (what, times) in kinds.iter().take(KINDS) {
        let often = if *times == 1 { String::new() } else { format!(", {times} times") };
        chart.legend.push(Key { ink: Ink::Fault, label: format!("fault: {what}{often}") });
    }
    if kinds.len() > KINDS {
        let label = format!("and {} more kinds of faults", kinds.len() - KINDS);
        chart.legend.push(Key { ink: Ink::Fault, label });
    }
}

/// One row and column of the heatmap with what fell into it.
#[derive(Clone, Copy)]
struct Tile {
    row: i32,
    count: u64,
}

fn add_heat(chart: &mut Chart, intervals: &[&Interval], step_ms: u64) {
    let group = intervals.len().div_ceil(HEAT_COLUMNS).max(1);
    let columns: Vec<(u64, u64, Vec<Tile>)> = intervals
        .chunks(group)
        .filter_map(|chunk| {
            Some((
                chunk.first()?.start_ms,
                chunk.last()?.start_ms.saturating_add(step_ms),
                tiles(chunk),
            ))
        })
        .collect();
    let most = columns.iter().flat_map(|(_, _, tiles)| tiles).map(|tile| tile.count).max();
    let Some(most) = most.filter(|most| *most > 0) else { return };
    for (from, to, tiles) in columns {
        for tile in tiles {
            // A logarithm, so that one sample beside a million can be seen.
            let strength = (tile.count as f64).ln_1p() / (most as f64).ln_1p();
            let low = 10.0_f64.powf(f64::from(tile.row) / HEAT_ROWS_PER_DECADE);
            let high = 10.0_f64.powf(f64::from(tile.row + 1) / HEAT_ROWS_PER_DECADE);
            let (low, high) = ((from as f64 * 1e6, low), (to as f64 * 1e6, high));
            chart.marks.push(Mark::Heat { low, high, strength: strength * 0.7 });
        }
    }
    let label = format!("samples, the stronger the more (up to {})", format::count(most));
    chart.legend.push(Key { ink: Ink::Heat, label });
}

/// The buckets of some intervals, gathered into the heatmap's rows, ascending.
fn tiles(intervals: &[&Interval]) -> Vec<Tile> {
    let mut tiles: Vec<Tile> = Vec::new();
    for (upper_ns, count) in intervals.iter().flat_map(|interval| &interval.buckets) {
        // A bucket's upper bound belongs to it, so a value on a row's edge stays below.
        let place = ((*upper_ns).max(1) as f64).log10() * HEAT_ROWS_PER_DECADE;
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a u64 is below 20")]
        let row = (place - 1e-9).floor().max(0.0) as i32;
        match tiles.iter_mut().find(|tile| tile.row == row) {
            Some(tile) => tile.count = tile.count.saturating_add(*count),
            None => tiles.push(Tile { row, count: *count }),
        }
    }
    tiles.retain(|tile| tile.count > 0);
    tiles.sort_by_key(|tile| tile.row);
    tiles
}

const _: () = assert!(HEAT_COLUMNS < Size::Wide.pixels().0 as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start_ms: u64, buckets: &[(u64, u64)]) -> Interval {
        let n = buckets.iter().map(|(_, count)| count).sum();
        Interval { start_ms, n, p50_ns: 60, p99_ns: 90, max_ns: 900, buckets: buckets.to_vec() }
    }

    #[test]
    fn buckets_of_one_row_are_added_together() {
        let first = interval(0, &[(1000, 3), (990, 2), (10_000, 1)]);
        let second = interval(100, &[(1000, 5)]);
        let tiles = tiles(&[&first, &second]);
        let seen: Vec<_> = tiles.iter().map(|tile| (tile.row, tile.count)).collect();
        assert_eq!(seen, [(23, 10), (31, 1)]);
    }

    #[test]
    fn the_step_is_the_least_gap() {
        let course = [interval(0, &[]), interval(300, &[]), interval(400, &[]), interval(900, &[])];
        assert_eq!(step_ms(&course), 100);
        assert_eq!(step_ms(&course[..1]), 1);
    }
}
