//! What was measured, and whether it can be believed: machine, noise, rates, latencies, faults, peers.

use report_schema::{Role, Workload};

use super::{safe, table};
use crate::format;
use crate::page::{fault_rows, machine, peer_rows, placements, quiet};
use crate::summary::{CellSummary, Curves, IN_BRACKETS, Percentile, Shown, Summary};

/// The machine, its noise, and which trials are compared, a line each.
pub(super) fn belief(summary: &Summary<'_>) -> String {
    let mut lines = vec![format!("{}.", machine(&summary.suite.host))];
    if !summary.cells.is_empty() {
        lines.extend([quiet(summary), placements(summary)]);
    }
    let paragraphs = lines.iter().flat_map(|line| ["\n".to_owned(), safe(line), "\n".to_owned()]);
    paragraphs.collect()
}

/// Faults, latencies, rates and other transports.
pub(super) fn tables(summary: &Summary<'_>) -> String {
    [faults(summary), latencies(summary), rates(summary), peers(summary)].concat()
}

fn faults(summary: &Summary<'_>) -> String {
    let rows: Vec<_> =
        fault_rows(summary).iter().map(|row| row.each_ref().map(|t| safe(t))).collect();
    let head = ["Cell", "What went wrong", "Struck", "Missed", "All went on", "Longest wait"];
    table("Faults", head, &rows)
}

fn latencies(summary: &Summary<'_>) -> String {
    let mut rows = Vec::new();
    for cell in &summary.cells {
        for curve in Curves::shown(&[cell], Shown::LatencyOnly).curves {
            let at = |quantile| Percentile::of(&curve.histogram, quantile).shown();
            rows.push([
                safe(&cell.cell.id),
                format::count(curve.histogram.len()),
                at(0.5),
                at(0.99),
                at(0.999),
                format::nanos(curve.histogram.max() as f64),
                cell.class.as_str().to_owned(),
            ]);
        }
    }
    let bracketed = rows.iter().flatten().any(|text| text.starts_with('('));
    let note = if bracketed { format!("\n{IN_BRACKETS}\n") } else { String::new() };
    table("Latency", ["Cell", "n", "p50", "p99", "p99.9", "max", "Cores"], &rows) + &note
}

/// Rates of what flows as fast as it can, or as fast as its bound allows.
fn rates(summary: &Summary<'_>) -> String {
    let streams =
        |each: &&CellSummary<'_>| matches!(each.cell.workload, Workload::Stream | Workload::Search);
    let row = |each: &CellSummary<'_>| {
        let committed = each.messages_per_s(Role::Producer);
        let rate = committed.filter(|rate| *rate > 0.0)?;
        let sustained = match (each.cell.workload, each.sustained_hz()) {
            (Workload::Search, Some(rate)) => format::rate(rate),
            (Workload::Search, None) => "none".to_owned(),
            _ => String::new(),
        };
        Some([
            safe(&each.cell.id),
            format::rate(rate),
            each.bytes_per_s(Role::Producer).map_or_else(String::new, format::byte_rate),
            sustained,
            format::count(each.judged.len() as u64),
            each.class.as_str().to_owned(),
        ])
    };
    let rows: Vec<_> = summary.cells.iter().filter(streams).filter_map(row).collect();
    let head = ["Cell", "Messages", "Payload", "Sustained", "Trials", "Cores"];
    table("Rates", head, &rows)
}

fn peers(summary: &Summary<'_>) -> String {
    let rows: Vec<_> =
        peer_rows(summary).iter().map(|row| row.each_ref().map(|t| safe(t))).collect();
    let head = ["Scenario", "Transport", "p50 (of ours)", "p99 (of ours)", "Messages (of ours)"];
    table("Other transports", head, &rows)
}
