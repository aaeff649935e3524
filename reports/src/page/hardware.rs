//! What a message costs the processor, or why nobody counted.

use report_schema::Role;

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::summary::{HardwareCost, Summary, uncounted};

/// Events with a column of their own, and its name.
const EVENTS: [(&str, &str); 5] = [
    ("cycles", "Cycles#"),
    ("instructions", "Instructions#"),
    ("cache-references", "Cache references#"),
    ("cache-misses", "Cache misses#"),
    ("branch-misses", "Branch misses#"),
];

/// Tables longer than this are folded away.
const SHOWN_ROWS: usize = 24;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("hardware", "What a message costs the processor");
    let mut columns = vec!["Cell", "End"];
    columns.extend(EVENTS.map(|(_, column)| column));
    columns.extend(["Instructions a cycle#", "Processes counted#"]);
    let mut table = Table::new("The processor's events per message", &columns);
    for each in &summary.cells {
        for (role, end) in [(Role::Producer, "producer"), (Role::Consumer, "consumers")] {
            if let Some(cost) = each.hardware(role) {
                let names = [Datum::text(&each.cell.id), Datum::text(end)];
                table.push(names.into_iter().chain(figures(&cost)).collect());
            }
        }
    }
    if table.is_empty() {
        return Ok(section);
    }
    section.say(
        "Events in user mode over the measured part of the compared trials, divided by the messages that went \
         through meanwhile. Waiting is included: who spins counts as busy.",
    );
    if let Some(reasons) = reasons(summary) {
        section.say(format!("Some processes were not counted: {reasons}."));
    }
    section.tables.push(table.folded_beyond(SHOWN_ROWS, "Each cell").html()?);
    Ok(section)
}

fn figures(cost: &HardwareCost<'_>) -> Vec<Datum> {
    let shown = |value: Option<f64>| match value {
        Some(value) => Datum::number(format::plain(value)),
        None => Datum::dim_number("not counted".to_owned()),
    };
    let each = EVENTS.map(|(name, _)| shown(cost.per_message.get(name).copied()));
    let scaled = match cost.scaled {
        0 => String::new(),
        some => format!(", {} scaled up", format::count(some as u64)),
    };
    let counted = format!("{}{scaled}", format::count(cost.processes as u64));
    each.into_iter().chain([shown(cost.per_cycle()), Datum::number(counted)]).collect()
}

/// Why processes were not counted; `None` where nothing is said of it.
fn reasons(summary: &Summary<'_>) -> Option<String> {
    let reasons: Vec<_> = uncounted(&summary.cells).into_iter().collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Where no process was counted at all: why, in one sentence.
pub(super) fn nowhere(summary: &Summary<'_>) -> Option<String> {
    let ends = [Role::Producer, Role::Consumer];
    let some =
        summary.cells.iter().any(|each| ends.iter().any(|end| each.hardware(*end).is_some()));
    let reasons = reasons(summary).filter(|_| !some)?;
    Some(format!("The processor's own counters (cycles, cache misses) say nothing: {reasons}."))
}
