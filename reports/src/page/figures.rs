//! Latency: the percentile curves, their course over time, and the repeats.

use report_schema::{Latency, LatencyKind, Placement, ScenarioResult, Trial};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, INKS, Repeats, Timeline};
use crate::summary::{CellSummary, Curve, Curves, Percentile, Shown, Summary, median};

/// Scenarios that get drawings of their own: of those with a latency the worst come first, then round
/// trips, then schedules. The tables hold all of them.
pub(super) const CHARTED: usize = 10;

/// One scenario with its cells.
pub(super) type Group<'s, 'a> = (&'a ScenarioResult, Vec<&'s CellSummary<'a>>);

/// The scenarios with their cells, those that did not pass first.
pub(super) fn groups<'s, 'a>(summary: &'s Summary<'a>) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<Group<'s, 'a>> = Vec::new();
    for each in &summary.cells {
        match groups.last_mut().filter(|(scenario, _)| core::ptr::eq(*scenario, each.scenario)) {
            Some((_, cells)) => cells.push(each),
            None => groups.push((each.scenario, vec![each])),
        }
    }
    groups.sort_by_key(|(scenario, _)| core::cmp::Reverse(scenario.verdict));
    groups
}

pub(super) fn sections(summary: &Summary<'_>) -> Result<Vec<Section>, RenderError> {
    let mut groups = groups(summary);
    groups.retain(|(_, cells)| latencies(cells).next().is_some());
    groups.sort_by_key(|(scenario, cells)| {
        let meant = latencies(cells).map(|latency| meant(latency.kind)).max();
        core::cmp::Reverse((scenario.verdict, meant))
    });
    let (charted, rest) = groups.split_at(groups.len().min(CHARTED));
    let mut percentiles = Section::new("percentiles", "Latency by percentile");
    let mut timelines = Section::new("timeline", "Latency over time");
    let mut strips = Section::new("repeats", "Repeats");
    for (scenario, cells) in charted {
        add_percentiles(&mut percentiles, scenario, cells)?;
        add_timeline(&mut timelines, scenario, cells)?;
        add_repeats(&mut strips, scenario, cells)?;
    }
    for (scenario, cells) in rest {
        let curves = Curves::shown(cells, Shown::EachEnd);
        let line = format!("{}: data only, {CHARTED} scenarios are drawn", scenario.name);
        if !curves.curves.is_empty() {
            let table = curve_table(&scenario.name, &curves.curves).folded(line);
            percentiles.undrawn.push(table.html()?);
        }
    }
    Ok(vec![percentiles, timelines, strips])
}

/// How much a scenario is about this kind of latency.
const fn meant(kind: LatencyKind) -> u32 {
    match kind {
        LatencyKind::RoundTripHalf => 2,
        LatencyKind::EndToEndFromIntendedStart => 1,
        LatencyKind::EndToEndFromActualStart | LatencyKind::Service => 0,
    }
}

/// The latencies of the trials that count.
fn latencies<'c>(cells: &'c [&CellSummary<'_>]) -> impl Iterator<Item = &'c Latency> {
    let trials = cells.iter().flat_map(|cell| &cell.judged);
    trials.flat_map(|trial| &trial.roles).filter_map(|role| role.latency.as_ref())
}

fn add_percentiles(
    section: &mut Section,
    scenario: &ScenarioResult,
    cells: &[&CellSummary<'_>],
) -> Result<(), RenderError> {
    let curves = Curves::of(cells, INKS);
    section.lead.extend(curves.unreadable);
    let calibration = median(cells.iter().filter_map(|cell| cell.calibration_ns()).collect());
    let title = format!("{}: latency by percentile", scenario.name);
    let Some(chart) = plot::percentile(&title, &curves.curves, calibration) else { return Ok(()) };
    let trials: usize = cells.iter().map(|cell| cell.judged.len()).sum();
    let mut caption = format!(
        "{} Merged over {}; n stands beside each curve. Dotted where fewer than 10 samples lie beyond. For information: \
         the gates above decide.",
        scenario.question,
        format::several(trials, "trial")
    );
    if curves.omitted > 0 {
        let more = format::several(curves.omitted, "more curve");
        caption.extend([" ", &more, " would not fit; the table has all of them."]);
    }
    let all = if curves.omitted > 0 {
        Curves::shown(cells, Shown::EachEnd).curves
    } else {
        curves.curves
    };
    section.figures.push(Figure::of(
        &chart,
        caption,
        &curve_table(&scenario.name, &all).folded("Data"),
    )?);
    Ok(())
}

fn curve_table(label: &str, curves: &[Curve]) -> Table {
    const NAMES: [&str; 11] =
        ["Of", "Timed", "n#", "min#", "p50#", "p90#", "p99#", "p99.9#", "p99.99#", "max#", "mean#"];
    let mut table = Table::new(format!("{label}: latency by percentile"), &NAMES);
    for Curve { label, kind, histogram } in curves {
        let mut row = vec![Datum::text(label), Datum::text(kind.describe())];
        row.push(Datum::number(format::count(histogram.len())));
        row.push(Datum::number(format::nanos(histogram.min() as f64)));
        row.extend(
            [0.5, 0.9, 0.99, 0.999, 0.9999]
                .map(|quantile| percentile_datum(Percentile::of(histogram, quantile))),
        );
        row.push(Datum::number(format::nanos(histogram.max() as f64)));
        row.push(Datum::number(format::nanos(histogram.mean())));
        table.push(row);
    }
    table
}

/// A percentile; in brackets where too few samples lie beyond.
pub(super) fn percentile_datum(percentile: Percentile) -> Datum {
    let shown = percentile.shown();
    if percentile.sure { Datum::number(shown) } else { Datum::dim_number(shown) }
}

/// The latency of one role in one trial.
struct Course<'a> {
    cell: &'a CellSummary<'a>,
    trial: &'a Trial,
    latency: &'a Latency,
}

fn courses<'c>(cells: &[&'c CellSummary<'c>]) -> Vec<Course<'c>> {
    let mut courses = Vec::new();
    for cell in cells {
        for trial in &cell.judged {
            let latencies = trial.roles.iter().filter_map(|role| role.latency.as_ref());
            courses.extend(latencies.map(|latency| Course { cell, trial, latency }));
        }
    }
    courses
}

fn add_timeline(
    section: &mut Section,
    scenario: &ScenarioResult,
    cells: &[&CellSummary<'_>],
) -> Result<(), RenderError> {
    let drawable = courses(cells).into_iter().filter(|course| !course.latency.intervals.is_empty());
    let severity = |course: &Course<'_>| {
        (course.cell.cell.verdict, !course.trial.faults.is_empty(), course.latency.max_ns)
    };
    let Some(worst) = drawable.max_by_key(severity) else { return Ok(()) };
    let Course { cell, trial, latency } = worst;
    let title = format!("{}: latency over time", scenario.name);
    let of = Timeline { title: &title, trial, intervals: &latency.intervals };
    let Some(chart) = plot::timeline(&of) else { return Ok(()) };
    let caption = format!(
        "Cell {}, repeat {}, {}: of the cells with the worst verdict and, if any, the trials with a fault, the one with the greatest sample. n = {}. \
         For information.",
        cell.cell.id,
        trial.repeat,
        latency.kind.describe(),
        format::count(latency.n)
    );
    let mut table = Table::new(title.clone(), &["Start#", "n#", "p50#", "p99#", "max#"]);
    for interval in &latency.intervals {
        let times = [interval.p50_ns, interval.p99_ns, interval.max_ns];
        let mut row = vec![
            Datum::number(format::millis(interval.start_ms)),
            Datum::number(format::count(interval.n)),
        ];
        row.extend(times.map(|value| Datum::number(format::nanos(value as f64))));
        table.push(row);
    }
    section.figures.push(Figure::of(&chart, caption, &table.folded("Data"))?);
    Ok(())
}

fn add_repeats(
    section: &mut Section,
    scenario: &ScenarioResult,
    cells: &[&CellSummary<'_>],
) -> Result<(), RenderError> {
    let of_cell = |cell: &&CellSummary<'_>| Repeats {
        label: cell.label(),
        trials: cell.cell.trials.iter().filter_map(trial_median).collect(),
    };
    let all: Vec<Repeats> =
        cells.iter().map(of_cell).filter(|each| !each.trials.is_empty()).collect();
    let shown = &all[..all.len().min(INKS)];
    let title = format!("{}: median latency of each repeat", scenario.name);
    let Some(chart) = plot::repeats(&title, shown) else { return Ok(()) };
    let trials: usize = shown.iter().map(|each| each.trials.len()).sum();
    let mut caption = format!(
        "n = {}. Filled: cores near; hollow: any other class. For information.",
        format::several(trials, "trial")
    );
    if all.len() > shown.len() {
        let more = format::several(all.len() - shown.len(), "more cell");
        caption.extend([" ", &more, " would not fit; the table has all of them."]);
    }
    let mut table = Table::new(title, &["Cell", "Started#", "Cores", "p50#"]);
    for each in &all {
        for (started_ms, class, p50) in &each.trials {
            table.push(vec![
                Datum::text(&each.label),
                Datum::number(format::millis(*started_ms)),
                Datum::text(class.as_str()),
                Datum::number(format::nanos(*p50 as f64)),
            ]);
        }
    }
    section.figures.push(Figure::of(&chart, caption, &table.folded("Data"))?);
    Ok(())
}

/// When a trial ran, where its cores were, and the median of its roles' median latencies.
fn trial_median(trial: &Trial) -> Option<(u64, Placement, u64)> {
    let mut medians: Vec<u64> = trial
        .roles
        .iter()
        .filter_map(|role| role.latency.as_ref())
        .map(|latency| latency.p50_ns)
        .collect();
    medians.sort_unstable();
    let middle = *medians.get(medians.len() / 2)?;
    Some((trial.started_ms, trial.calibration.class, middle))
}
