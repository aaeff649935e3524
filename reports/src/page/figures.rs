//! Latency by percentile, and the scenarios that get drawings.

use report_schema::{GateResult, Latency, LatencyKind, ScenarioResult, Verdict};

use crate::format;
use crate::page::section::{Datum, Figure, Section, Table};
use crate::page::{RenderError, repeats, timelines};
use crate::plot::{self, INKS, Limit};
use crate::summary::{
    CellSummary, Curve, Curves, Percentile, Relation, Shown, Summary, median, sides,
};

/// Scenarios that get drawings of their own: of those with a latency the worst come first, then round
/// trips, then schedules. The tables hold all of them.
pub(super) const CHARTED: usize = 10;

/// Gates that are drawn into one plot at most.
const LIMITS: usize = 4;

/// One scenario with its cells; both sides of a comparison are one.
pub(super) type Group<'s, 'a> = (&'a ScenarioResult, Vec<&'s CellSummary<'a>>);

/// The scenarios with their cells, those that did not pass first.
pub(super) fn groups<'s, 'a>(summary: &'s Summary<'a>) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<Group<'s, 'a>> = Vec::new();
    for each in &summary.cells {
        let same = |(scenario, cells): &&mut Group<'s, 'a>| {
            let sides = each.side().is_some()
                && cells.first().is_some_and(|first| first.scenario_name() == each.scenario_name());
            core::ptr::eq(*scenario, each.scenario) || sides
        };
        match groups.iter_mut().find(same) {
            Some((_, cells)) => cells.push(each),
            None => groups.push((each.scenario, vec![each])),
        }
    }
    groups.sort_by_key(|(scenario, _)| core::cmp::Reverse(scenario.verdict));
    groups
}

/// What a group is called.
pub(super) fn name<'a>(cells: &[&CellSummary<'a>]) -> &'a str {
    cells.first().map_or("", |first| first.scenario_name())
}

/// The label of a side with what was set on it.
pub(super) fn told(summary: &Summary<'_>, label: &str) -> String {
    let Some(comparison) = summary.suite.comparisons.first() else { return label.to_owned() };
    for (side, contender) in [("A", &comparison.base), ("B", &comparison.candidate)] {
        if let Some(rest) =
            label.strip_prefix(side).filter(|rest| rest.is_empty() || rest.starts_with(','))
        {
            return format!("{side} ({}){rest}", contender.name);
        }
    }
    label.to_owned()
}

/// Percentiles, the course over time, repeats.
pub(super) fn sections(summary: &Summary<'_>) -> Result<[Section; 3], RenderError> {
    let all = groups(summary);
    let mut groups = all.clone();
    groups.retain(|(_, cells)| latencies(cells).next().is_some());
    groups.sort_by_key(|(scenario, cells)| {
        let meant = latencies(cells).map(|latency| meant(latency.kind)).max();
        core::cmp::Reverse((scenario.verdict, meant))
    });
    let (meaningful, others): (Vec<Group<'_, '_>>, Vec<Group<'_, '_>>) =
        groups.into_iter().partition(|(scenario, cells)| {
            scenario.verdict != Verdict::Pass || about_speed(scenario, cells)
        });
    let (charted, rest) = meaningful.split_at(meaningful.len().min(CHARTED));
    let mut percentiles = Section::new("percentiles", "Latency by percentile");
    let mut over_time = Section::new("timeline", "Latency over time");
    let mut strips = Section::new("repeats", "Repeats");
    for (_, cells) in charted {
        add_percentiles(&mut percentiles, summary, cells)?;
    }
    // What a fault did is seen over time, whatever the scenario is about.
    let disturbed = others.iter().filter(|(_, cells)| faulted(cells));
    for (_, cells) in charted.iter().chain(disturbed).take(CHARTED) {
        timelines::add(&mut over_time, cells)?;
    }
    for (_, cells) in all.iter().filter(|(_, cells)| !cells.is_empty()).take(CHARTED) {
        repeats::add(&mut strips, summary, cells)?;
    }
    for (_, cells) in rest.iter().chain(&others) {
        let curves = Curves::shown(cells, Shown::EachEnd);
        percentiles.lead.extend(curves.unreadable);
        let label = format!("{}: latency by percentile", name(cells));
        if !curves.curves.is_empty() {
            let table = curve_table(&label, &curves.curves).folded(format!("{label}, data only"));
            percentiles.undrawn.push(table.html()?);
        }
    }
    if !percentiles.figures.is_empty() {
        percentiles.say(
            "How long a message takes, from the best to the worst one: each step to the right leaves a tenth of the \
             samples. Dotted where fewer than 10 samples lie beyond, so that chance decides.",
        );
    }
    Ok([percentiles, over_time, strips])
}

/// Folders of scenarios that ask whether something is right and not how fast it is.
const ABOUT_CORRECTNESS: [&str; 4] = ["faults", "policies", "foreign", "smoke"];

/// Whether a scenario asks how fast something is; otherwise its figures answer nothing.
pub(super) fn about_speed(scenario: &ScenarioResult, cells: &[&CellSummary<'_>]) -> bool {
    let folder = scenario.file.split('/').rev().nth(1);
    let right = folder.is_some_and(|folder| ABOUT_CORRECTNESS.contains(&folder));
    let timed = |gate: &&GateResult| !gate.unit.is_empty();
    let stated = cells.iter().any(|cell| cell.cell.gates.iter().any(|gate| timed(&gate)));
    cells.iter().any(|cell| cell.side().is_some()) || (!right && (!faulted(cells) || stated))
}

/// Whether something went wrong on purpose.
fn faulted(cells: &[&CellSummary<'_>]) -> bool {
    cells.iter().flat_map(|cell| &cell.cell.trials).any(|trial| !trial.faults.is_empty())
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
    summary: &Summary<'_>,
    cells: &[&CellSummary<'_>],
) -> Result<(), RenderError> {
    let mut curves = Curves::of(cells, INKS);
    for curve in &mut curves.curves {
        curve.label = told(summary, &curve.label);
    }
    section.lead.extend(curves.unreadable);
    let calibration = median(cells.iter().filter_map(|cell| cell.calibration_ns()).collect());
    let title = format!("{}: latency by percentile", name(cells));
    let limits = limits(cells);
    let Some(chart) = plot::percentile(&title, &curves.curves, calibration, &limits) else {
        return Ok(());
    };
    let trials: usize = cells.iter().map(|cell| cell.judged.len()).sum();
    let question = cells.first().map_or("", |first| first.scenario.question.as_str());
    let mut caption =
        format!("{question} Merged over {}.", format::several(trials, "compared trial"));
    if let Some(kind) = one_kind(&curves.curves) {
        caption.extend([" Timed: ", kind, "."]);
    }
    if !limits.is_empty() {
        caption.push_str(" Short marks: what gates allow at that percentile.");
    }
    if curves.omitted > 0 {
        let more = format::several(curves.omitted, "more curve");
        caption.extend([" ", &more, " would not fit; the table has all of them."]);
    }
    let all = if curves.omitted > 0 {
        Curves::shown(cells, Shown::EachEnd).curves
    } else {
        curves.curves
    };
    section.figures.push(Figure::of(&chart, caption, &curve_table(&title, &all).folded("Data"))?);
    Ok(())
}

/// What was timed, where that is the same for all; otherwise the legend says it.
fn one_kind(curves: &[Curve]) -> Option<&'static str> {
    let first = curves.first()?.kind;
    curves.iter().all(|curve| curve.kind == first).then(|| first.describe())
}

/// What gates of these cells allow at some percentile, each once.
fn limits(cells: &[&CellSummary<'_>]) -> Vec<Limit> {
    let mut limits: Vec<Limit> = vec![];
    for gate in cells.iter().flat_map(|cell| &cell.cell.gates).filter(|gate| gate.unit == "ns") {
        let limit = sides(&gate.check).filter(|limit| limit.relation == Relation::AtMost);
        let percentile = limit.and_then(|limit| {
            let name = limit.figure.strip_suffix("(latency)")?.strip_prefix('p')?;
            name.parse::<f64>().ok().filter(|percentile| (0.0..100.0).contains(percentile))
        });
        let (Some(percentile), Some(bound_ns)) = (percentile, gate.bound) else { continue };
        let label = format!("p{percentile} ≤ {}", format::nanos(bound_ns));
        let limit = Limit { quantile: percentile / 100.0, bound_ns, label };
        if bound_ns > 0.0 && limits.len() < LIMITS && !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    limits
}

fn curve_table(label: &str, curves: &[Curve]) -> Table {
    const NAMES: [&str; 11] =
        ["Of", "Timed", "n#", "min#", "p50#", "p90#", "p99#", "p99.9#", "p99.99#", "max#", "mean#"];
    let mut table = Table::new(label, &NAMES);
    for Curve { label, kind, histogram, .. } in curves {
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
