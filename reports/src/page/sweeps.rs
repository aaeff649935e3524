//! One quantity over one axis: throughput by payload, readers and depth, latency by offered load.

use std::collections::{BTreeMap, BTreeSet};

use report_schema::{Role, Workload};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::{CHARTED, Group, about_speed, groups, name};
use crate::page::peers::{measured_by, quantile};
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, INKS, Scale, Sweep, SweepSeries};
use crate::summary::{CellSummary, Summary};

/// A named quantity of a cell.
type Quantity = (&'static str, fn(&CellSummary<'_>) -> Option<f64>);

/// What one chart sweeps, and of which cells.
struct Plan {
    points: &'static str,
    x: fn(&CellSummary<'_>) -> Option<f64>,
    fits: fn(&CellSummary<'_>) -> bool,
    sweep: Sweep<'static>,
    quantities: &'static [Quantity],
}

const MEDIANS: &str = "Each point is the median of its compared trials";
const MERGED: &str = "Each point is taken from all compared trials together";
/// Percentiles that a sweep of latency shows.
const LATENCIES: &[Quantity] =
    &[("p50", |each| quantile(each, 0.5)), ("p99", |each| quantile(each, 0.99))];

/// Payload, offered load, readers, depth.
pub(super) fn sections(summary: &Summary<'_>) -> Result<[Section; 4], RenderError> {
    let mut groups = groups(summary);
    groups.retain(|(scenario, cells)| about_speed(scenario, cells));
    Ok([
        section(("payload", "By payload size"), &payload(), &groups)?,
        section(("load", "Latency by offered load"), &[load()], &groups)?,
        section(("readers", "Throughput by readers"), &[readers()], &groups)?,
        section(("depth", "Throughput by depth of the ring"), &[depth()], &groups)?,
    ])
}

fn streams(each: &CellSummary<'_>) -> bool {
    matches!(each.cell.workload, Workload::Stream | Workload::Search)
}

/// Latency where one message waits for another, rates where they flow.
fn payload() -> [Plan; 3] {
    let x: fn(&CellSummary<'_>) -> Option<f64> = |each| Some(each.cell.block.payload_bytes as f64);
    let sweep = |title, y_label, y_format| Sweep {
        title,
        x_label: "payload size",
        x_scale: Scale::Log,
        x_format: format::bytes,
        y_label,
        y_format,
        knee: None,
    };
    [
        Plan {
            points: MERGED,
            x,
            fits: |each| !streams(each),
            sweep: sweep("latency by payload size", "latency", format::nanos),
            quantities: LATENCIES,
        },
        Plan {
            points: MEDIANS,
            x,
            fits: streams,
            sweep: sweep("messages by payload size", "messages each second", format::rate),
            quantities: &[("messages", delivered)],
        },
        Plan {
            points: MEDIANS,
            x,
            fits: streams,
            sweep: sweep("bytes by payload size", "payload each second", format::byte_rate),
            quantities: &[("payload", |each| {
                Some(each.bytes_per_s(Role::Consumer)? / readers_of(each))
            })],
        },
    ]
}

fn load() -> Plan {
    Plan {
        points: MERGED,
        x: |each| each.cell.offered_rate_hz,
        fits: |_| true,
        sweep: Sweep {
            title: "latency by offered load",
            x_label: "messages offered each second",
            x_scale: Scale::Log,
            x_format: format::rate,
            y_label: "latency",
            y_format: format::nanos,
            knee: None,
        },
        quantities: LATENCIES,
    }
}

fn readers() -> Plan {
    Plan {
        points: MEDIANS,
        x: |each| Some(f64::from(each.cell.block.consumers)),
        fits: |_| true,
        sweep: Sweep {
            title: "throughput by readers",
            x_label: "readers",
            x_scale: Scale::Linear,
            x_format: format::plain,
            y_label: "messages each second",
            y_format: format::rate,
            knee: None,
        },
        quantities: &[
            ("delivered to each reader, on average", delivered),
            ("committed", committed),
        ],
    }
}

fn depth() -> Plan {
    Plan {
        points: MEDIANS,
        x: |each| Some(f64::from(each.cell.block.slots)),
        fits: |_| true,
        sweep: Sweep {
            title: "throughput by slots",
            x_label: "slots",
            x_scale: Scale::Log,
            x_format: format::plain,
            y_label: "messages each second",
            y_format: format::rate,
            knee: None,
        },
        quantities: &[("delivered", delivered)],
    }
}

fn readers_of(each: &CellSummary<'_>) -> f64 {
    f64::from(each.cell.block.consumers.max(1))
}

/// What one reader is given: all readers together would grow with their number.
fn delivered(summary: &CellSummary<'_>) -> Option<f64> {
    Some(summary.messages_per_s(Role::Consumer)? / readers_of(summary))
}

fn committed(summary: &CellSummary<'_>) -> Option<f64> {
    summary.messages_per_s(Role::Producer)
}

fn section(
    (id, title): (&'static str, &'static str),
    plans: &[Plan],
    groups: &[Group<'_, '_>],
) -> Result<Section, RenderError> {
    let mut section = Section::new(id, title);
    for (scenario, cells) in groups {
        for plan in plans {
            let fitting: Vec<&CellSummary<'_>> =
                cells.iter().filter(|each| (plan.fits)(each)).copied().collect();
            if section.figures.len() < CHARTED {
                add(&mut section, plan, &scenario.question, &fitting)?;
            }
        }
    }
    Ok(section)
}

/// Adds the chart of one scenario; two places on the axis are a table.
fn add(
    section: &mut Section,
    plan: &Plan,
    question: &str,
    cells: &[&CellSummary<'_>],
) -> Result<(), RenderError> {
    let places: BTreeSet<u64> =
        cells.iter().filter_map(|cell| (plan.x)(cell)).map(f64::to_bits).collect();
    if places.len() < 2 {
        return Ok(());
    }
    let mut series = series(plan, cells);
    let title = format!("{}: {}", name(cells), plan.sweep.title);
    let table = data(plan, &title, &series);
    if table.is_empty() {
        return Ok(());
    }
    if places.len() == 2 {
        section.tables.push(pair(plan, &title, &series).html()?);
        return Ok(());
    }
    series.truncate(INKS);
    let load = plan.sweep.x_label == "messages offered each second";
    let knee = if load { knee(cells) } else { None };
    let sweep = Sweep { title: &title, knee, ..plan.sweep };
    let Some(chart) = plot::sweep(&sweep, &series) else { return Ok(()) };
    let trials: usize = cells.iter().map(|cell| cell.judged.len()).sum();
    let timed = plan.points == MERGED;
    let by = if timed { measured_by(cells.iter().copied()) } else { String::new() };
    let caption = format!(
        "{question} {}; {} of {}.{by}",
        plan.points,
        format::several(trials, "trial"),
        format::several(cells.len(), "cell")
    );
    section.figures.push(Figure::of(&chart, caption, &table.folded("Data"))?);
    Ok(())
}

/// By how much the tail grows at the knee.
const BEND: f64 = 3.0;

/// The lowest rate at which the tail is several times that of the lowest rate of all.
fn knee(cells: &[&CellSummary<'_>]) -> Option<(f64, String)> {
    let mut points: Vec<(f64, f64)> = cells
        .iter()
        .filter_map(|cell| Some((cell.cell.offered_rate_hz?, quantile(cell, 0.99)?)))
        .collect();
    points.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (_, quiet) = *points.first()?;
    let (bend, _) = points.into_iter().find(|(_, p99)| *p99 > quiet * BEND)?;
    let label = format!("knee: p99 is three times as long from {} on", format::rate(bend));
    Some((bend, label))
}

fn series(plan: &Plan, cells: &[&CellSummary<'_>]) -> Vec<SweepSeries> {
    let swept = swept_axes(plan, cells);
    let mut lines: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for cell in cells {
        let rest = cell.cell.axes.iter().filter(|(name, _)| !swept.contains(name.as_str()));
        let rest: Vec<_> = rest.map(|(name, value)| format!(", {name} {value}")).collect();
        let rest = rest.concat();
        for (name, quantity) in plan.quantities {
            let value = quantity(cell).filter(|value| *value > 0.0);
            if let (Some(x), Some(y)) = ((plan.x)(cell), value) {
                lines.entry(format!("{name}{rest}")).or_default().push((x, y));
            }
        }
    }
    let sorted = lines.into_iter().map(|(label, mut points)| {
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        SweepSeries { label, points }
    });
    sorted.collect()
}

/// The axes of the matrix that move together with the swept quantity, and so need no line each.
fn swept_axes<'c>(plan: &Plan, cells: &[&'c CellSummary<'_>]) -> BTreeSet<&'c str> {
    let names: BTreeSet<&str> =
        cells.iter().flat_map(|cell| cell.cell.axes.keys()).map(String::as_str).collect();
    let decides_x = |name: &&str| {
        let pairs: BTreeSet<(Option<&String>, Option<u64>)> = cells
            .iter()
            .map(|cell| (cell.cell.axes.get(*name), (plan.x)(cell).map(f64::to_bits)))
            .collect();
        let values: BTreeSet<_> = pairs.iter().map(|(value, _)| value).collect();
        let places: BTreeSet<_> = pairs.iter().map(|(_, x)| x).collect();
        values.len() == pairs.len() && places.len() == pairs.len()
    };
    names.into_iter().filter(decides_x).collect()
}

/// Two places side by side: no line lies between two points.
fn pair(plan: &Plan, title: &str, series: &[SweepSeries]) -> Table {
    let mut places: Vec<f64> =
        series.iter().flat_map(|each| &each.points).map(|(x, _)| *x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let names: Vec<String> = places
        .iter()
        .map(|place| format!("{} {}#", plan.sweep.x_label, (plan.sweep.x_format)(*place)))
        .collect();
    let mut columns = vec![plan.sweep.y_label];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new(title, &columns);
    for each in series {
        let at = |place: &f64| {
            let point = each.points.iter().find(|(x, _)| x.total_cmp(place).is_eq());
            point.map_or_else(
                || Datum::dim_number("–"),
                |(_, y)| Datum::number((plan.sweep.y_format)(*y)),
            )
        };
        let mut row = vec![Datum::text(&each.label)];
        row.extend(places.iter().map(at));
        table.push(row);
    }
    table
}

fn data(plan: &Plan, title: &str, series: &[SweepSeries]) -> Table {
    let x = format!("{}#", plan.sweep.x_label);
    let y = format!("{}#", plan.sweep.y_label);
    let mut table = Table::new(title, &["Line", &x, &y]);
    for each in series {
        for (place, value) in &each.points {
            table.push(vec![
                Datum::text(&each.label),
                Datum::number((plan.sweep.x_format)(*place)),
                Datum::number((plan.sweep.y_format)(*value)),
            ]);
        }
    }
    table
}
