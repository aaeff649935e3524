//! What must be zero, and whether the block's own metrics agree with what the harness counted.

use std::collections::BTreeMap;

use report_schema::Counts;

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::page::violation::wrong;
use crate::summary::Summary;

/// Counters that may be anything; all others must be zero.
const FREE: [&str; 4] = ["committed", "delivered", "lapped", "timeouts"];

/// Tables longer than this are folded away behind their totals.
const SHOWN_CELLS: usize = 6;

pub(super) fn sections(summary: &Summary<'_>) -> Result<[Section; 3], RenderError> {
    Ok([counters(summary)?, zones(summary)?, metrics(summary)?])
}

fn counters(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("counters", "Correctness counters");
    if summary.cells.is_empty() {
        return Ok(section);
    }
    section.say(
        "All trials, compared or not. Torn, mislabelled, backward, lost, duplicated and checksum failures must be 0; \
         lapped and timeouts depend on the policy.",
    );
    let total: Counts = summary.cells.iter().map(|each| &each.counts).sum();
    let mut table = columns("Correctness counters");
    for each in &summary.cells {
        table.push(row(&each.cell.id, &each.counts));
    }
    if summary.cells.len() > 1 {
        table.push(row("all cells", &total));
    }
    if summary.cells.len() > SHOWN_CELLS {
        let mut totals = columns("Correctness counters of all cells");
        totals.push(row("all cells", &total));
        for each in
            summary.cells.iter().filter(|each| each.counts.violations() > 0 || each.counts.lost > 0)
        {
            totals.push(row(&each.cell.id, &each.counts));
        }
        section.tables.push(totals.html()?);
        table = table.folded("Each cell");
    }
    section.tables.push(table.html()?);
    Ok(section)
}

fn columns(label: &str) -> Table {
    let names = Counts::default().named().map(|(name, _)| format!("{}#", name.replace('_', " ")));
    let mut columns = vec!["Cell"];
    columns.extend(names.iter().map(String::as_str));
    Table::new(label, &columns)
}

fn row(label: &str, counts: &Counts) -> Vec<Datum> {
    let numbers = counts.named().map(|(name, value)| {
        let text = format::count(value);
        match (value, FREE.contains(&name)) {
            (0, _) => Datum::dim_number(text),
            (_, true) => Datum::number(text),
            (_, false) => Datum::bad_number(text),
        }
    });
    [Datum::text(label)].into_iter().chain(numbers).collect()
}

/// What each process did about each flexible zone, all trials of a cell together.
fn zones(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("zones", "Flexible zones");
    let mut table = Table::new(
        "What processes did about flexible zones, and what they found",
        &["Cell", "Zone", "Process", "Writes#", "Looks#", "Found busy#", "Wrong#"],
    );
    for each in &summary.cells {
        let mut rows: BTreeMap<(&str, &str), [u64; 4]> = BTreeMap::new();
        for account in each.cell.trials.iter().flat_map(|trial| &trial.zones) {
            let sums = rows.entry((&account.zone, &account.role)).or_default();
            let of_trial = [account.writes, account.looks, account.busy, wrong(account)];
            for (sum, value) in sums.iter_mut().zip(of_trial) {
                *sum = sum.saturating_add(value);
            }
        }
        for ((zone, role), [writes, looks, busy, wrong]) in rows {
            let names = [Datum::text(&each.cell.id), Datum::code(zone), Datum::text(role)];
            let numbers = [writes, looks, busy].map(|count| Datum::number(format::count(count)));
            let wrong = match wrong {
                0 => Datum::dim_number("0".to_owned()),
                some => Datum::bad_number(format::count(some)),
            };
            table.push(names.into_iter().chain(numbers).chain([wrong]).collect());
        }
    }
    if !table.is_empty() {
        section.say(
            "One process writes a zone beside its messages, the others look into it. A look that finds \
             the writer at it tries again later; one that finds parts of two writes, an older value than \
             before, or an older one than its message promised, is wrong.",
        );
        section.tables.push(table.html()?);
    }
    Ok(section)
}

fn metrics(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("metrics", "The block's own metrics");
    let trials = || {
        summary
            .cells
            .iter()
            .flat_map(|each| each.cell.trials.iter().map(move |trial| (each, trial)))
    };
    let with_metrics = trials().filter(|(_, trial)| !trial.metrics.is_empty()).count();
    if with_metrics > 0 {
        let disagreeing = trials().filter(|(_, trial)| !trial.mismatches.is_empty()).count();
        section.say(format!(
            "In {} of {} the block's metrics agree with what the harness counted.",
            format::count((trials().count() - disagreeing) as u64),
            format::several(trials().count(), "trial")
        ));
    }
    let mut mismatches = Table::new("Disagreements", &["Cell", "Repeat#", "Disagreement"]);
    for (each, trial) in trials() {
        for mismatch in &trial.mismatches {
            let repeat = Datum::number(trial.repeat.to_string());
            mismatches.push(vec![Datum::text(&each.cell.id), repeat, Datum::bad(mismatch)]);
        }
    }
    if !mismatches.is_empty() {
        section.tables.push(mismatches.html()?);
    }
    if with_metrics > 0 {
        section.tables.push(totals(summary).folded("Each metric").html()?);
    }
    Ok(section)
}

/// Each metric with its least and greatest value in a trial: a sum would be wrong for a peak.
fn totals(summary: &Summary<'_>) -> Table {
    let mut ranges: BTreeMap<&str, (u64, u64, usize)> = BTreeMap::new();
    for trial in summary.cells.iter().flat_map(|each| &each.cell.trials) {
        for (name, value) in &trial.metrics {
            let (least, most, seen) = ranges.entry(name).or_insert((*value, *value, 0));
            *least = (*least).min(*value);
            *most = (*most).max(*value);
            *seen += 1;
        }
    }
    let mut table = Table::new(
        "The block's metrics",
        &["Metric", "Least in a trial#", "Greatest in a trial#", "Trials#"],
    );
    for (name, (least, most, seen)) in ranges {
        table.push(vec![
            Datum::code(name),
            Datum::number(format::count(least)),
            Datum::number(format::count(most)),
            Datum::number(format::count(seen as u64)),
        ]);
    }
    table
}
