//! Latency over the course of one trial: a heatmap with p50, p99 and maximum over it.

mod heat;

use report_schema::{Interval, Trial};

use crate::format;
use crate::plot::{Axis, Chart, Form, Ink, Key, Mark, Point};

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
    /// The smallest sample of all of them.
    pub(crate) min_ns: u64,
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
        format::clock,
    );
    let quickest = filled.iter().map(|interval| interval.p50_ns).min().unwrap_or(1);
    let each = filled.iter().map(|interval| interval.max_ns).chain([of.min_ns.min(quickest)]);
    let y = Axis::log("latency", each.map(|value| value.max(1) as f64), format::nanos);
    let (title, about) = (of.title.to_owned(), about(&filled, of.trial));
    let form = Form::Full;
    let mut chart = Chart { title, about, form, x, y, marks: vec![], legend: vec![] };
    add_warm_up(&mut chart, of.trial);
    add_faults(&mut chart, of.trial, end_ms);
    heat::add(&mut chart, &filled, (step_ms, of.min_ns));
    let runs = runs(&filled, step_ms);
    add_gaps(&mut chart, &runs, step_ms);
    let middle = |interval: &Interval| (interval.start_ms as f64 + step_ms as f64 / 2.0) * 1e6;
    let lines: [(&str, Quantity, Ink); 2] = [
        ("p50", |interval| interval.p50_ns, Ink::Strong),
        ("p99", |interval| interval.p99_ns, Ink::Second),
    ];
    let point =
        |interval: &Interval, value: Quantity| (middle(interval), value(interval).max(1) as f64);
    for (label, value, ink) in lines {
        // A line across a span without messages would draw a course that nobody measured.
        for run in &runs {
            let points = run.iter().map(|interval| point(interval, value)).collect();
            chart.marks.push(Mark::Line { points, ink });
        }
        chart.legend.push(Key { ink, label: label.to_owned() });
    }
    let greatest: Vec<Point> =
        filled.iter().map(|interval| point(interval, |interval| interval.max_ns)).collect();
    chart.marks.push(Mark::Dots { points: greatest, ink: Ink::Series(2) });
    chart.marks.extend(filled.iter().map(|interval| hint(interval, middle(interval))));
    chart.legend.push(Key { ink: Ink::Outline(2), label: "greatest sample".to_owned() });
    Some(chart)
}

/// What one interval says to who points at its greatest sample.
fn hint(interval: &Interval, at: f64) -> Mark {
    let text = format!(
        "from {}: greatest {}, p99 {}, p50 {}, n = {}",
        format::millis(interval.start_ms),
        format::nanos(interval.max_ns as f64),
        format::nanos(interval.p99_ns as f64),
        format::nanos(interval.p50_ns as f64),
        format::count(interval.n)
    );
    Mark::Hint { at: (at, interval.max_ns.max(1) as f64), text }
}

fn about(filled: &[&Interval], trial: &Trial) -> String {
    let medians = || filled.iter().map(|interval| interval.p50_ns);
    let greatest = filled.iter().map(|interval| interval.max_ns).max().unwrap_or(0);
    let faults = match trial.faults.iter().filter(|fault| fault.missed.is_none()).count() {
        0 => String::new(),
        some => format!(" {} came meanwhile.", format::several(some, "fault")),
    };
    format!(
        "The median of an interval lies between {} and {}; the greatest sample is {}.{faults}",
        format::nanos(medians().min().unwrap_or(0) as f64),
        format::nanos(medians().max().unwrap_or(0) as f64),
        format::nanos(greatest as f64)
    )
}

/// The length of one interval: the least distance between two starts.
fn step_ms(intervals: &[Interval]) -> u64 {
    let gaps = intervals.windows(2).map(|pair| pair[1].start_ms.saturating_sub(pair[0].start_ms));
    gaps.filter(|gap| *gap > 0).min().unwrap_or(1)
}

/// Intervals that follow one another without a gap, run by run.
fn runs<'i>(filled: &[&'i Interval], step_ms: u64) -> Vec<Vec<&'i Interval>> {
    // Starts are whole milliseconds, so a step may seem one longer or shorter than it is.
    let near = |pair: (&Interval, &Interval)| {
        pair.1.start_ms.saturating_sub(pair.0.start_ms)
            <= step_ms.saturating_add(step_ms / 2).max(step_ms + 1)
    };
    filled.chunk_by(|one, next| near((one, next))).map(<[&Interval]>::to_vec).collect()
}

/// Spans in which no message came.
fn add_gaps(chart: &mut Chart, runs: &[Vec<&Interval>], step_ms: u64) {
    let mut some = false;
    for pair in runs.windows(2) {
        let (Some(before), Some(after)) = (pair[0].last(), pair[1].first()) else { continue };
        let from = before.start_ms.saturating_add(step_ms) as f64 * 1e6;
        chart.marks.push(Mark::Gap { from, to: after.start_ms as f64 * 1e6 });
        some = true;
    }
    if some {
        chart.legend.push(Key { ink: Ink::Text, label: "no messages".to_owned() });
    }
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

/// The letter of one kind of faults.
fn letter(kind: usize) -> char {
    (b'A'..=b'Z').nth(kind).map_or('*', char::from)
}

fn add_faults(chart: &mut Chart, trial: &Trial, end_ms: u64) {
    let came: Vec<_> = trial.faults.iter().filter(|fault| fault.missed.is_none()).collect();
    let mut kinds: Vec<(&str, usize)> = vec![];
    for fault in &came {
        match kinds.iter_mut().find(|(what, _)| *what == fault.what) {
            Some((_, times)) => *times += 1,
            None => kinds.push((&fault.what, 1)),
        }
    }
    for fault in came.iter().take(BANDS) {
        let kind = kinds.iter().position(|(what, _)| *what == fault.what).unwrap_or(0);
        let letter = if kind < KINDS { letter(kind) } else { '*' };
        let from = fault.start_ms as f64 * 1e6;
        match fault.end_ms.filter(|end| *end > fault.start_ms) {
            Some(end) => {
                let to = (end.min(end_ms)) as f64 * 1e6;
                chart.marks.push(Mark::Band { from, to, letter });
            }
            None => chart.marks.push(Mark::Moment { at: from, letter }),
        }
    }
    for (kind, (what, times)) in kinds.iter().take(KINDS).enumerate() {
        let often = if *times == 1 { String::new() } else { format!(", {times} times") };
        let label = format!("fault: {what}{often}");
        chart.legend.push(Key { ink: Ink::Letter(letter(kind)), label });
    }
    if kinds.len() > KINDS {
        let label = format!("{} more kinds of faults", kinds.len() - KINDS);
        chart.legend.push(Key { ink: Ink::Letter('*'), label });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start_ms: u64) -> Interval {
        Interval { start_ms, n: 1, p50_ns: 60, p99_ns: 90, max_ns: 900, buckets: vec![(1024, 1)] }
    }

    #[test]
    fn the_step_is_the_least_gap() {
        let course = [interval(0), interval(300), interval(400), interval(900)];
        assert_eq!(step_ms(&course), 100);
        assert_eq!(step_ms(&course[..1]), 1);
    }

    #[test]
    fn a_line_ends_where_messages_end() {
        let course = [0, 100, 201, 700, 800].map(interval);
        let runs = runs(&course.iter().collect::<Vec<_>>(), 100);
        let lengths: Vec<usize> = runs.iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 2]);
    }
}
