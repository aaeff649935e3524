//! One quantity over one axis: throughput by payload, readers and depth, latency by offered load.

use std::collections::{BTreeMap, BTreeSet};

use report_schema::Role;

use crate::format;
use crate::page::RenderError;
use crate::page::figures::{CHARTED, Group, groups};
use crate::page::peers::quantile;
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot::{self, INKS, Scale, Sweep, SweepSeries};
use crate::summary::{CellSummary, Summary};

/// A named quantity of a cell.
type Quantity = (&'static str, fn(&CellSummary<'_>) -> Option<f64>);

/// What one section sweeps.
struct Plan {
    id: &'static str,
    title: &'static str,
    points: &'static str,
    x: fn(&CellSummary<'_>) -> Option<f64>,
    sweep: Sweep<'static>,
    quantities: &'static [Quantity],
}

pub(super) fn sections(summary: &Summary<'_>) -> Result<Vec<Section>, RenderError> {
    let groups = groups(summary);
    [payload(), load(), readers(), depth()].iter().map(|plan| section(plan, &groups)).collect()
}

fn payload() -> Plan {
    Plan {
        id: "payload",
        title: "Throughput by payload size",
        points: "Each point is the median of its compared trials",
        x: |each| Some(each.cell.block.payload_bytes as f64),
        sweep: Sweep {
            title: "throughput by payload size",
            x_label: "payload size",
            x_scale: Scale::Log,
            x_format: format::bytes,
            y_label: "messages delivered each second",
            y_format: format::rate,
            knee: None,
        },
        quantities: &[("delivered", delivered)],
    }
}

fn load() -> Plan {
    Plan {
        id: "load",
        title: "Latency by offered load",
        points: "Each point is taken from all compared trials together",
        x: |each| each.cell.offered_rate_hz,
        sweep: Sweep {
            title: "latency by offered load",
            x_label: "messages offered each second",
            x_scale: Scale::Log,
            x_format: format::rate,
            y_label: "latency",
            y_format: format::nanos,
            knee: None,
        },
        quantities: &[("p50", |each| quantile(each, 0.5)), ("p99", |each| quantile(each, 0.99))],
    }
}

fn readers() -> Plan {
    Plan {
        id: "readers",
        title: "Throughput by readers",
        points: "Each point is the median of its compared trials",
        x: |each| Some(f64::from(each.cell.block.consumers)),
        sweep: Sweep {
            title: "throughput by readers",
            x_label: "readers",
            x_scale: Scale::Linear,
            x_format: format::plain,
            y_label: "messages each second",
            y_format: format::rate,
            knee: None,
        },
        quantities: &[("delivered to all readers", delivered), ("committed", committed)],
    }
}

fn depth() -> Plan {
    Plan {
        id: "depth",
        title: "Throughput by depth",
        points: "Each point is the median of its compared trials",
        x: |each| Some(f64::from(each.cell.block.slots)),
        sweep: Sweep {
            title: "throughput by slots",
            x_label: "slots",
            x_scale: Scale::Log,
            x_format: format::plain,
            y_label: "messages delivered each second",
            y_format: format::rate,
            knee: None,
        },
        quantities: &[("delivered", delivered)],
    }
}

fn delivered(summary: &CellSummary<'_>) -> Option<f64> {
    summary.messages_per_s(Role::Consumer)
}

fn committed(summary: &CellSummary<'_>) -> Option<f64> {
    summary.messages_per_s(Role::Producer)
}

fn section(plan: &Plan, groups: &[Group<'_, '_>]) -> Result<Section, RenderError> {
    let mut section = Section::new(plan.id, plan.title);
    for (scenario, cells) in groups {
        let places: BTreeSet<u64> =
            cells.iter().filter_map(|cell| (plan.x)(cell)).map(f64::to_bits).collect();
        if places.len() < 2 || section.figures.len() >= CHARTED {
            continue;
        }
        let mut series = series(plan, cells);
        let title = format!("{}: {}", scenario.name, plan.sweep.title);
        let table = data(plan, &title, cells, &series);
        series.truncate(INKS);
        let knee = if plan.id == "load" { knee(cells) } else { None };
        let sweep = Sweep { title: &title, knee, ..plan.sweep };
        let Some(chart) = plot::sweep(&sweep, &series) else { continue };
        let trials: usize = cells.iter().map(|cell| cell.judged.len()).sum();
        let caption = format!(
            "{} {}; n = {} over {}. For information.",
            scenario.question,
            plan.points,
            format::several(trials, "trial"),
            format::several(cells.len(), "cell")
        );
        section.figures.push(Figure::of(&chart, caption, &table.folded("Data"))?);
    }
    Ok(section)
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

fn data(plan: &Plan, title: &str, cells: &[&CellSummary<'_>], series: &[SweepSeries]) -> Table {
    let x = format!("{}#", plan.sweep.x_label);
    let y = format!("{}#", plan.sweep.y_label);
    let mut table = Table::new(title, &["Line", &x, &y, "payload delivered#"]);
    for each in series {
        for (place, value) in &each.points {
            let same_place = |cell: &&&CellSummary<'_>| {
                (plan.x)(cell).is_some_and(|x| x.total_cmp(place).is_eq())
            };
            let mut here = cells.iter().filter(same_place);
            let bytes = match (here.next(), here.next()) {
                (Some(only), None) => only.bytes_per_s(Role::Consumer),
                _ => None,
            };
            table.push(vec![
                Datum::text(&each.label),
                Datum::number((plan.sweep.x_format)(*place)),
                Datum::number((plan.sweep.y_format)(*value)),
                bytes.map_or_else(
                    || Datum::dim_number("–"),
                    |bytes| Datum::number(format::byte_rate(bytes)),
                ),
            ]);
        }
    }
    table
}
