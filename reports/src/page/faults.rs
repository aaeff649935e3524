//! What went wrong on purpose, and what became of those who lived on: the faults of scenarios, and
//! the processes that were killed at the sites of the protocol.

use std::collections::{BTreeMap, BTreeSet};

use report_schema::{CrashResult, FaultWindow, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::summary::Summary;

/// Rows beyond this number are folded away.
const SHOWN_ROWS: usize = 24;

pub(super) fn sections(summary: &Summary<'_>) -> Result<[Section; 2], RenderError> {
    Ok([faults(summary)?, crashes(summary)?])
}

/// One fault of one cell, over all its trials.
#[derive(Default)]
struct Sum<'a> {
    came: u64,
    missed: Vec<&'a str>,
    blocked: Vec<u64>,
    who: Option<&'a str>,
}

impl<'a> Sum<'a> {
    fn add(&mut self, fault: &'a FaultWindow) {
        if let Some(why) = &fault.missed {
            self.missed.push(why);
            return;
        }
        self.came += 1;
        if let Some(ns) = fault.blocked_ns {
            if self.blocked.iter().all(|known| *known < ns) {
                self.who = fault.blocked.as_deref();
            }
            self.blocked.push(ns);
        }
    }

    fn at(&self, share: f64) -> Datum {
        let mut sorted = self.blocked.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length"
        )]
        let place = (sorted.len() as f64 * share).ceil() as usize;
        match sorted.get(place.saturating_sub(1)) {
            Some(ns) => Datum::number(format::nanos(*ns as f64)),
            None => Datum::dim_number("-"),
        }
    }
}

fn faults(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("faults", "Faults");
    let mut rows: BTreeMap<(usize, &str), Sum<'_>> = BTreeMap::new();
    for (number, each) in summary.cells.iter().enumerate() {
        for fault in each.cell.trials.iter().flat_map(|trial| &trial.faults) {
            rows.entry((number, &fault.name)).or_default().add(fault);
        }
    }
    if rows.is_empty() {
        return Ok(section);
    }
    section.say(
        "What went wrong on purpose. Blocked: from the fault until the survivor that waited longest went on, over the faults \
         that kept somebody waiting.",
    );
    let mut table = Table::new(
        "Faults",
        &["Cell", "Fault", "Came#", "Missed#", "Blocked p50#", "p99#", "max#", "Who waited"],
    );
    for ((number, name), sum) in &rows {
        let missed = sum.missed.len().to_string();
        table.push(vec![
            Datum::text(summary.cells.get(*number).map_or("?", |each| each.cell.id.as_str())),
            Datum::text(*name),
            Datum::number(format::count(sum.came)),
            if sum.missed.is_empty() { Datum::dim_number(missed) } else { Datum::number(missed) },
            sum.at(0.5),
            sum.at(0.99),
            sum.at(1.0),
            Datum::text(sum.who.unwrap_or("-")),
        ]);
    }
    section.tables.push(table.folded_beyond(SHOWN_ROWS, "Each fault").html()?);
    section.tables.push(log(summary).folded("Each fault with its time").html()?);
    Ok(section)
}

/// Every fault as it came, so that a trial can be understood from its course.
fn log(summary: &Summary<'_>) -> Table {
    let mut table = Table::new(
        "Course",
        &["Cell", "Repeat#", "Planned#", "Came#", "What", "Blocked#", "Who", "Missed because"],
    );
    for each in &summary.cells {
        for trial in &each.cell.trials {
            for fault in &trial.faults {
                let came = fault.missed.is_none().then(|| format::millis(fault.start_ms));
                let blocked = fault.blocked_ns.map(|ns| format::nanos(ns as f64));
                table.push(vec![
                    Datum::text(&each.cell.id),
                    Datum::number(trial.repeat.to_string()),
                    Datum::number(format::nanos(fault.planned_ns as f64)),
                    Datum::number(came.unwrap_or_else(|| "-".to_owned())),
                    Datum::text(&fault.what),
                    Datum::number(blocked.unwrap_or_else(|| "-".to_owned())),
                    Datum::text(fault.blocked.as_deref().unwrap_or("-")),
                    Datum::text(fault.missed.as_deref().unwrap_or("-")),
                ]);
            }
        }
    }
    table
}

fn crashes(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("crashes", "Kills at the sites of the protocol");
    let rows = &summary.suite.crashes;
    if rows.is_empty() {
        return Ok(section);
    }
    let was_reached = |row: &&CrashResult| row.kills > 0 || row.unreached.is_none();
    let reached: Vec<&CrashResult> = rows.iter().filter(was_reached).collect();
    let kills: u64 = reached.iter().map(|row| row.kills).sum();
    let violations: u64 = reached.iter().map(|row| row.violations()).sum();
    let worst = reached.iter().map(|row| row.blocked_ns_max).max().unwrap_or(0);
    section.say(format!(
        "{} processes were killed, each right before one operation on shared memory, in {} combinations of victim, site and \
         block. Violations: {}. The longest that a survivor was blocked: {}.",
        format::count(kills),
        format::count(reached.len() as u64),
        format::count(violations),
        format::nanos(worst as f64)
    ));
    section.tables.push(by_victim(&reached).html()?);
    let harmed = |row: &&CrashResult| matches!(row.verdict, Verdict::Correctness | Verdict::Broken);
    let (bad, good): (Vec<&CrashResult>, Vec<&CrashResult>) = reached.into_iter().partition(harmed);
    if !bad.is_empty() {
        section.tables.push(matrix("Kills that somebody did not survive", &bad).html()?);
    }
    if !good.is_empty() {
        let table = harmless("Fault matrix", &good);
        section.tables.push(table.folded_beyond(SHOWN_ROWS, "Each victim, site and block").html()?);
    }
    let mut unreached =
        Table::new("Sites that were not reached", &["Victim", "Site", "Block", "Why"]);
    for row in rows {
        if let Some(why) = &row.unreached {
            unreached.push(vec![
                Datum::text(&row.victim),
                Datum::code(&row.site),
                Datum::text(&row.shape),
                Datum::wide(why),
            ]);
        }
    }
    if !unreached.is_empty() {
        section
            .tables
            .push(unreached.folded("Sites that were not reached, or too rarely, and why").html()?);
    }
    Ok(section)
}

/// One row for each kind of victim: everything about it in one line.
fn by_victim(rows: &[&CrashResult]) -> Table {
    let columns = ["Victim", "Sites#", "Blocks#", "Kills#", "Violations#", "Blocked, max#"];
    let mut table = Table::new("Kills by victim", &columns);
    let victims: BTreeSet<&str> = rows.iter().map(|row| row.victim.as_str()).collect();
    for victim in victims {
        let own = || rows.iter().filter(|row| row.victim == victim);
        let sites: BTreeSet<&str> = own().map(|row| row.site.as_str()).collect();
        let blocks: BTreeSet<&str> = own().map(|row| row.shape.as_str()).collect();
        let violations: u64 = own().map(|row| row.violations()).sum();
        let blocked_ns = own().map(|row| row.blocked_ns_max).max().unwrap_or(0);
        table.push(vec![
            Datum::text(victim),
            Datum::number(format::count(sites.len() as u64)),
            Datum::number(format::count(blocks.len() as u64)),
            Datum::number(format::count(own().map(|row| row.kills).sum())),
            match violations {
                0 => Datum::dim_number("0"),
                some => Datum::bad_number(format::count(some)),
            },
            Datum::number(format::nanos(blocked_ns as f64)),
        ]);
    }
    table
}

/// Rows without a violation: one figure says so.
fn harmless(title: &str, rows: &[&CrashResult]) -> Table {
    let columns = ["Victim", "Site", "Block", "Kills#", "Violations#", "Blocked, max#", "Verdict"];
    let mut table = Table::new(title, &columns);
    for row in rows {
        let violations = row.violations();
        table.push(vec![
            Datum::text(&row.victim),
            Datum::code(&row.site),
            Datum::wide(&row.shape),
            Datum::number(format::count(row.kills)),
            match violations {
                0 => Datum::dim_number("0"),
                _ => Datum::bad_number(format::count(violations)),
            },
            Datum::number(format::nanos(row.blocked_ns_max as f64)),
            Datum::verdict(row.verdict),
        ]);
    }
    table
}

/// Each kind of violation for itself.
fn matrix(title: &str, rows: &[&CrashResult]) -> Table {
    let mut table = Table::new(
        title,
        &[
            "Victim",
            "Site",
            "Block",
            "Kills#",
            "Torn#",
            "Mislabelled#",
            "Backward#",
            "Lost#",
            "Duplicated#",
            "Stuck#",
            "Leaked#",
            "Blocked, max#",
            "Verdict",
        ],
    );
    for row in rows {
        let counts = [
            row.torn,
            row.mislabelled,
            row.backward,
            row.lost,
            row.duplicated,
            row.stuck,
            row.leaked,
        ];
        let mut cells = vec![
            Datum::text(&row.victim),
            Datum::code(&row.site),
            Datum::text(&row.shape),
            Datum::number(format::count(row.kills)),
        ];
        cells.extend(counts.map(|count| match count {
            0 => Datum::dim_number("0"),
            _ => Datum::bad_number(format::count(count)),
        }));
        cells.push(Datum::number(format::nanos(row.blocked_ns_max as f64)));
        cells.push(Datum::verdict(row.verdict));
        table.push(cells);
    }
    table
}
