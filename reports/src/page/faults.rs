//! What went wrong on purpose in scenarios, and what became of those who lived on.

use std::collections::{BTreeMap, BTreeSet};

use report_schema::{FaultWindow, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::summary::Summary;

/// Rows beyond this number are folded away.
const SHOWN_ROWS: usize = 24;

/// Fewer events than this have no median worth telling.
const MEDIAN: usize = 5;

/// One fault of one cell, over all its trials.
#[derive(Default)]
struct Sum<'a> {
    what: &'a str,
    struck: u64,
    missed: Vec<&'a str>,
    blocked: Vec<u64>,
    who: Option<&'a str>,
    stuck: usize,
    unwatched: usize,
}

impl<'a> Sum<'a> {
    fn add(&mut self, fault: &'a FaultWindow) {
        self.what = &fault.what;
        if let Some(why) = &fault.missed {
            self.missed.push(why);
            return;
        }
        self.struck += 1;
        if let Some(ns) = fault.blocked_ns {
            if self.blocked.iter().all(|known| *known < ns) {
                self.who = fault.blocked.as_deref();
            }
            self.blocked.push(ns);
        }
    }

    /// The middle one, where there are enough to have one.
    fn median(&self) -> Datum {
        let mut sorted = self.blocked.clone();
        sorted.sort_unstable();
        match sorted.get(sorted.len() / 2).filter(|_| sorted.len() >= MEDIAN) {
            Some(ns) => Datum::number(format::nanos(*ns as f64)),
            None => Datum::dim_number("–"),
        }
    }

    fn longest(&self) -> Datum {
        self.blocked
            .iter()
            .max()
            .map_or_else(|| Datum::dim_number("–"), |ns| Datum::number(format::nanos(*ns as f64)))
    }

    /// Whether everybody went on, as a field of the page and in words.
    fn recovered(&self) -> (Datum, String) {
        match (self.struck, self.stuck) {
            (0, _) => (Datum::text("–"), "–".to_owned()),
            (_, 0) if self.unwatched > 0 => {
                (Datum::said("unknown", Verdict::Inconclusive), "unknown".to_owned())
            }
            (_, 0) => (Datum::said("yes", Verdict::Pass), "yes".to_owned()),
            (_, some) => {
                let told = format!("no: {some} stayed blocked");
                (Datum::bad(&told), told)
            }
        }
    }

    /// How often it missed, and why the first time.
    fn missed(&self) -> String {
        match self.missed.first() {
            None => "0".to_owned(),
            Some(why) => format!("{}: {why}", self.missed.len()),
        }
    }
}

/// Each fault of each cell in words: cell, what went wrong, how often it struck and missed, whether
/// all went on, the longest wait.
pub(crate) fn fault_rows(summary: &Summary<'_>) -> Vec<[String; 6]> {
    let row = |((number, _), sum): ((usize, &str), Sum<'_>)| {
        let longest = sum.blocked.iter().max().map(|ns| format::nanos(*ns as f64));
        [
            summary.cells.get(number).map_or_else(String::new, |each| each.cell.id.clone()),
            sum.what.to_owned(),
            format::count(sum.struck),
            sum.missed(),
            sum.recovered().1,
            longest.unwrap_or_else(|| "–".to_owned()),
        ]
    };
    sums(summary).into_iter().map(row).collect()
}

/// Each fault of each cell, over all its trials.
fn sums<'a>(summary: &Summary<'a>) -> BTreeMap<(usize, &'a str), Sum<'a>> {
    let mut rows: BTreeMap<(usize, &str), Sum<'_>> = BTreeMap::new();
    for (number, each) in summary.cells.iter().enumerate() {
        for trial in &each.cell.trials {
            for fault in &trial.faults {
                rows.entry((number, &fault.name)).or_default().add(fault);
            }
            let names: BTreeSet<&str> =
                trial.faults.iter().map(|fault| fault.name.as_str()).collect();
            for name in names {
                let sum = rows.entry((number, name)).or_default();
                sum.stuck += trial.stuck.len();
                sum.unwatched += trial.unwatched.len();
            }
        }
    }
    rows
}

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("faults", "Faults of scenarios");
    let rows = sums(summary);
    if rows.is_empty() {
        return Ok(section);
    }
    let struck: u64 = rows.values().map(|sum| sum.struck).sum();
    let missed: usize = rows.values().map(|sum| sum.missed.len()).sum();
    section.say(format!(
        "What went wrong on purpose: {} struck, {missed} missed. Waited: from the fault until the process that had to wait \
         longest went on.",
        format::several(usize::try_from(struck).unwrap_or(usize::MAX), "fault")
    ));
    let columns = [
        "Cell",
        "What went wrong",
        "Struck#",
        "Missed#",
        "All went on",
        "Waited, median#",
        "Longest#",
        "Who waited",
    ];
    let mut table = Table::new("Faults", &columns);
    for ((number, _), sum) in &rows {
        let missed = sum.missed.len().to_string();
        table.push(vec![
            Datum::text(summary.cells.get(*number).map_or("?", |each| each.cell.id.as_str())),
            Datum::wide(sum.what),
            Datum::number(format::count(sum.struck)),
            if sum.missed.is_empty() { Datum::dim_number(missed) } else { Datum::number(missed) },
            sum.recovered().0,
            sum.median(),
            sum.longest(),
            Datum::text(sum.who.unwrap_or("–")),
        ]);
    }
    section.tables.push(table.folded_beyond(SHOWN_ROWS, "Each fault").html()?);
    section.tables.push(log(summary).folded("Each fault with its time").html()?);
    Ok(section)
}

/// Every fault as it came, so that a trial can be understood from its course.
fn log(summary: &Summary<'_>) -> Table {
    let mut table = Table::new(
        "Every fault as it came",
        &["Cell", "Repeat#", "Planned#", "Struck#", "What", "Waited#", "Who", "Missed because"],
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
                    Datum::number(came.unwrap_or_else(|| "–".to_owned())),
                    Datum::text(&fault.what),
                    Datum::number(blocked.unwrap_or_else(|| "–".to_owned())),
                    Datum::text(fault.blocked.as_deref().unwrap_or("–")),
                    Datum::text(fault.missed.as_deref().unwrap_or("–")),
                ]);
            }
        }
    }
    table
}
