//! The same scenario over other transports, and what a checksum costs: ratios of one run.

use std::collections::BTreeSet;

use report_schema::{Boundary, Role, TransportFacts, Workload};

use crate::format;
use crate::page::RenderError;
use crate::page::figures::{CHARTED, percentile_datum};
use crate::page::section::{Datum, Figure as Drawn, Section, Table};
use crate::plot::{self, Compared};
use crate::summary::{CellSummary, Curve, Curves, Percentile, Shown, Summary};

/// The percentiles that are compared.
const QUANTILES: [(&str, f64); 2] = [("p50", 0.5), ("p99", 0.99)];
/// Axes of the matrix that name what carries the messages.
const AXES: [&str; 2] = ["block.transport", "transport"];
/// What others are held against.
const OURS: &str = "datahub";

/// Cells of one scenario that differ in one thing only, under what they have in common.
type Rivals<'s, 'a> = Vec<(String, Vec<&'s CellSummary<'a>>)>;

fn rivals<'s, 'a>(
    summary: &'s Summary<'a>,
    differ: impl Fn(&CellSummary<'a>) -> Option<String>,
    axes: &[&str],
) -> Rivals<'s, 'a> {
    let mut all: Rivals<'s, 'a> = vec![];
    for each in &summary.cells {
        if differ(each).is_none() {
            continue;
        }
        let rest = each.cell.axes.iter().filter(|(name, _)| !axes.contains(&name.as_str()));
        let rest: Vec<String> = rest.map(|(name, value)| format!("{name} {value}")).collect();
        let label = label(&each.scenario.name, &rest.join(", "));
        match all.iter_mut().find(|(known, _)| *known == label) {
            Some((_, cells)) => cells.push(each),
            None => all.push((label, vec![each])),
        }
    }
    all.retain(|(_, cells)| {
        let first = cells.first().and_then(|cell| differ(cell));
        cells.iter().any(|cell| differ(cell) != first)
    });
    all
}

/// One cell over one transport, beside the same over ours.
struct Peer<'s, 'a> {
    /// What both have in common.
    common: String,
    cell: &'s CellSummary<'a>,
    ours: Option<&'s CellSummary<'a>>,
}

fn transport(each: &CellSummary<'_>) -> Option<String> {
    Some(each.cell.transport.as_ref()?.name.clone())
}

/// Every cell that runs over other transports, too.
fn peers<'s, 'a>(summary: &'s Summary<'a>) -> Vec<Peer<'s, 'a>> {
    let alike = |(common, cells): (String, Vec<&'s CellSummary<'a>>)| {
        let ours = cells.iter().find(|each| transport(each).as_deref() == Some(OURS)).copied();
        cells.into_iter().map(move |cell| Peer { common: common.clone(), cell, ours })
    };
    rivals(summary, transport, &AXES).into_iter().flat_map(alike).collect()
}

/// The same in words: what they have in common, the transport, p50, p99 and messages each second,
/// each with its ratio to ours.
pub(crate) fn peer_rows(summary: &Summary<'_>) -> Vec<[String; 5]> {
    let none = || "–".to_owned();
    let row = |Peer { common, cell, ours }: Peer<'_, '_>| {
        let times = |own: Option<f64>, ours: Option<f64>| {
            let ratio = own.zip(ours).filter(|(_, ours)| *ours > 0.0);
            ratio.map_or_else(String::new, |(own, ours)| format!(" ({:.2} ×)", own / ours))
        };
        let ns = |percentile: &Percentile| percentile.ns as f64;
        let [p50, p99] = QUANTILES.map(|(_, at)| {
            let (own, ours) = (percentile(cell, at), ours.and_then(|ours| percentile(ours, at)));
            let ratio = times(own.as_ref().map(ns), ours.as_ref().map(ns));
            own.map_or_else(none, |own| own.shown() + &ratio)
        });
        let ratio = times(delivered(cell), ours.and_then(delivered));
        let rate = delivered(cell).map_or_else(none, |rate| format::rate(rate) + &ratio);
        [common, transport(cell).unwrap_or_default(), p50, p99, rate]
    };
    peers(summary).into_iter().map(row).collect()
}

/// Other transports; empty where there is one only.
pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("peers", "Other transports");
    let mut table = Table::new(
        "The same scenario over other transports",
        &[
            "Scenario",
            "Transport",
            "p50#",
            "of DataHub's#",
            "p99#",
            "of DataHub's#",
            "Messages#",
            "of DataHub's#",
        ],
    );
    let peers = peers(summary);
    for alike in peers.chunk_by(|one, next| one.common == next.common) {
        let cells: Vec<&CellSummary<'_>> = alike.iter().map(|peer| peer.cell).collect();
        let names: Vec<String> = cells.iter().filter_map(|each| transport(each)).collect();
        let chart = chart(&alike[0].common, &names, &cells)?;
        section.figures.extend(chart.filter(|_| section.figures.len() < CHARTED));
    }
    for Peer { common, cell, ours } in &peers {
        let mut row = vec![Datum::text(common)];
        row.push(Datum::text(transport(cell).unwrap_or_default()));
        for (_, at) in QUANTILES {
            let ours = ours.and_then(|ours| percentile(ours, at));
            row.extend(timed(percentile(cell, at), ours));
        }
        row.extend(pair(delivered(cell), ours.and_then(delivered), format::rate));
        table.push(row);
    }
    let by = measured_by(peers.iter().map(|peer| peer.cell));
    if !table.is_empty() {
        let promised = promises(summary).html()?;
        section.say(format!(
            "The same messages between the same cores in the same run; what each transport promises differs. Ratios are \
             to DataHub's.{by}",
        ));
        section.tables.extend([table.html()?, promised]);
    }
    Ok(section)
}

/// Latency where it was timed, otherwise how much went through.
fn chart(
    common: &str,
    names: &[String],
    cells: &[&CellSummary<'_>],
) -> Result<Option<Drawn>, RenderError> {
    let of = |label: &str, value: &dyn Fn(&CellSummary<'_>) -> Option<f64>| Compared {
        label: label.to_owned(),
        values: cells.iter().map(|each| value(each).filter(|value| *value > 0.0)).collect(),
    };
    let latencies = QUANTILES.map(|(label, at)| of(label, &|each| quantile(each, at)));
    let timed = latencies[0].values.iter().flatten().count() > 1 && waits(cells);
    let rates = [of("messages each second, all consumers together", &delivered)];
    let (what, quantities): (Named, &[Compared]) = if timed {
        (("latency", format::nanos), &latencies)
    } else {
        (("messages each second", format::rate), &rates)
    };
    let title = format!("{common}: {} by transport", what.0);
    let Some(chart) = plot::compare(&title, what, names, quantities) else { return Ok(None) };
    let mut data = Table::new(title, &["Transport", "Figure", "Value#"]);
    for (each, (_, at)) in quantities.iter().zip(QUANTILES) {
        for ((name, cell), value) in names.iter().zip(cells).zip(&each.values) {
            let plain = || value.map(|value| Datum::number(what.1(value)));
            let told = if timed { percentile(cell, at).map(percentile_datum) } else { plain() };
            let told = told.unwrap_or_else(|| Datum::dim_number("–"));
            data.push(vec![Datum::text(name), Datum::text(&each.label), told]);
        }
    }
    let trials: usize = cells.iter().map(|each| each.judged.len()).sum();
    let by = if timed { measured_by(cells.iter().copied()) } else { String::new() };
    let caption = format!("Over {}.{by}", format::several(trials, "compared trial"));
    Drawn::of(&chart, caption, &data.folded("Data")).map(Some)
}

/// Whether one message waits for another: in a stream, latency is the depth of a queue.
fn waits(cells: &[&CellSummary<'_>]) -> bool {
    cells.iter().all(|each| each.cell.workload != Workload::Stream)
}

/// What each transport promises, once each: no figure of it stands without.
fn promises(summary: &Summary<'_>) -> Table {
    let columns =
        ["Transport", "Between", "Every message", "Copies#", "Consumers#", "Holds", "One end dies"];
    let mut table = Table::new("What each transport promises", &columns);
    let mut told: Vec<&TransportFacts> = vec![];
    for facts in summary.cells.iter().filter_map(|each| each.cell.transport.as_ref()) {
        if told.contains(&facts) {
            continue;
        }
        told.push(facts);
        let between = match facts.boundary {
            Boundary::Processes => "processes",
            Boundary::Threads => "threads, no process boundary",
        };
        let copies = facts.copies.map(|copies| Datum::number(copies.to_string()));
        table.push(vec![
            Datum::text(&facts.name),
            Datum::text(between),
            Datum::text(if facts.lossless { "delivered, in order" } else { "may be lost" }),
            copies.unwrap_or_else(|| Datum::dim_number("not known")),
            Datum::number(facts.consumers_max.to_string()),
            Datum::text(&facts.holds),
            Datum::text(&facts.death),
        ]);
    }
    table
}

/// What a checksum adds to each message; empty where none was varied.
pub(super) fn checksums(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("checksum", "What a checksum costs");
    let kind = |each: &CellSummary<'_>| {
        Some(each.cell.block.checksum.clone().unwrap_or_else(|| "none".to_owned()))
    };
    let axes: Vec<&str> = summary
        .cells
        .iter()
        .flat_map(|each| each.cell.axes.keys())
        .map(String::as_str)
        .filter(|name| name.contains("checksum"))
        .collect();
    let mut table = Table::new(
        "What a checksum costs",
        &[
            "Scenario",
            "Checksum",
            "Payload#",
            "Messages#",
            "One message#",
            "More than none#",
            "Share#",
        ],
    );
    for (common, cells) in rivals(summary, kind, &axes) {
        let plain = cells.iter().find(|each| each.cell.block.checksum.is_none());
        let plain = plain.and_then(|each| cost_ns(each));
        for each in &cells {
            let more = cost_ns(each).zip(plain).filter(|_| each.cell.block.checksum.is_some());
            let none = || Datum::dim_number("–");
            table.push(vec![
                Datum::text(&common),
                Datum::text(kind(each).unwrap_or_default()),
                Datum::number(format::bytes(each.cell.block.payload_bytes as f64)),
                delivered(each).map_or_else(none, |rate| Datum::number(format::rate(rate))),
                cost_ns(each).map_or_else(none, |ns| Datum::number(format::nanos(ns))),
                more.map_or_else(none, |(with, without)| {
                    let sign = if with < without { "−" } else { "+" };
                    Datum::number(format!("{sign}{}", format::nanos((with - without).abs())))
                }),
                more.map_or_else(none, |(with, without)| {
                    Datum::number(format!("{} %", format::signed((with / without - 1.0) * 100.0)))
                }),
            ]);
        }
    }
    let all = rivals(summary, kind, &axes);
    section.figures.extend(checksum_chart(&all, kind)?);
    if !table.is_empty() {
        section.say(
            "The mean time between two messages, with each checksum and without, medians over the compared trials.",
        );
        section.tables.push(table.html()?);
    }
    Ok(section)
}

/// The time of one message by kind of checksum, one line of dots for each setting.
fn checksum_chart(
    all: &Rivals<'_, '_>,
    kind: impl Fn(&CellSummary<'_>) -> Option<String>,
) -> Result<Option<Drawn>, RenderError> {
    let mut names: Vec<String> = vec![];
    for name in all.iter().flat_map(|(_, cells)| cells).filter_map(|each| kind(each)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let compared = |(common, cells): &(String, Vec<&CellSummary<'_>>)| Compared {
        label: common.clone(),
        values: names
            .iter()
            .map(|name| {
                cells
                    .iter()
                    .find(|each| kind(each).as_ref() == Some(name))
                    .and_then(|each| cost_ns(each))
            })
            .collect(),
    };
    let quantities: Vec<Compared> = all.iter().take(plot::INKS).map(compared).collect();
    let title = "one message by checksum";
    let what = ("time of one message", format::nanos as fn(f64) -> String);
    let Some(chart) = plot::compare(title, what, &names, &quantities) else { return Ok(None) };
    let mut data = Table::new(title, &["Setting", "Checksum", "One message#"]);
    for each in &quantities {
        for (name, value) in names.iter().zip(&each.values) {
            let value =
                value.map_or_else(|| Datum::dim_number("–"), |ns| Datum::number(format::nanos(ns)));
            data.push(vec![Datum::text(&each.label), Datum::text(name), value]);
        }
    }
    Drawn::of(&chart, "Medians over the compared trials.".to_owned(), &data.folded("Data"))
        .map(Some)
}

/// What an axis shows, and how it reads.
pub(super) type Named = (&'static str, fn(f64) -> String);

fn label(scenario: &str, rest: &str) -> String {
    if rest.is_empty() { scenario.to_owned() } else { format!("{scenario}, {rest}") }
}

fn timed(own: Option<Percentile>, ours: Option<Percentile>) -> [Datum; 2] {
    let ns = |percentile: Percentile| percentile.ns as f64;
    let [plain, ratio] = pair(own.map(ns), ours.map(ns), format::nanos);
    [own.map_or(plain, percentile_datum), ratio]
}

fn pair(value: Option<f64>, ours: Option<f64>, show: fn(f64) -> String) -> [Datum; 2] {
    let ratio = value.zip(ours).filter(|(_, ours)| *ours > 0.0);
    [
        value.map_or_else(|| Datum::dim_number("–"), |value| Datum::number(show(value))),
        ratio.map_or_else(
            || Datum::dim_number("–"),
            |(value, ours)| Datum::number(format!("{:.2} ×", value / ours)),
        ),
    ]
}

fn delivered(each: &CellSummary<'_>) -> Option<f64> {
    each.messages_per_s(Role::Consumer).filter(|rate| *rate > 0.0)
}

fn cost_ns(each: &CellSummary<'_>) -> Option<f64> {
    delivered(each).map(|rate| 1e9 / rate)
}

/// The latency of a cell over all its compared trials: what its consumers measured, or else its
/// producer; and who that is.
fn timing(each: &CellSummary<'_>) -> Option<Curve> {
    let mut curves = Curves::shown(&[each], Shown::LatencyOnly).curves;
    curves.retain(|curve| !curve.histogram.is_empty());
    let consumers = curves.iter().position(|curve| curve.role == Role::Consumer);
    (!curves.is_empty()).then(|| curves.swap_remove(consumers.unwrap_or(0)))
}

/// Who measured the latencies of these cells, in a sentence; empty where nobody did.
pub(super) fn measured_by<'c>(cells: impl IntoIterator<Item = &'c CellSummary<'c>>) -> String {
    let roles: BTreeSet<Role> =
        cells.into_iter().filter_map(|each| Some(timing(each)?.role)).collect();
    let by = |role: &Role| match role {
        Role::Producer => "the producer",
        Role::Consumer => "the consumers",
    };
    match roles.iter().map(by).collect::<Vec<_>>()[..] {
        [] => String::new(),
        [one] => format!(" Latency as {one} measured it."),
        _ => {
            " Latency as the consumers measured it, and the producer where they did not.".to_owned()
        }
    }
}

/// A percentile of the latency of a cell, over all its compared trials.
pub(super) fn percentile(each: &CellSummary<'_>, quantile: f64) -> Option<Percentile> {
    timing(each).map(|curve| Percentile::of(&curve.histogram, quantile))
}

/// Its value.
pub(super) fn quantile(each: &CellSummary<'_>, quantile: f64) -> Option<f64> {
    percentile(each, quantile).map(|percentile| percentile.ns as f64)
}
