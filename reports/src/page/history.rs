//! What the independent checker says of the histories that the processes wrote.

use report_schema::HistoryCheck;

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::summary::Summary;

/// Rows shown before the table is folded.
const ROWS: usize = 24;
/// Violations told in words, of all trials together.
const TOLD: usize = 12;
/// What must hold of every history, in words.
pub(super) const GUARANTEES: [(&str, &str); 7] = [
    ("G1", "no payload is mixed from two writes"),
    ("G2", "a payload is the one that its label says"),
    ("G3", "a consumer's sequences never go back"),
    ("G4", "nothing that was promised is lost"),
    ("G5", "nobody stays blocked"),
    ("G6", "an aborted write burns no sequence"),
    ("G7", "who takes a dead producer's place goes on where it stopped"),
];

/// Empty where no process wrote a history.
pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("history", "What the independent checker found");
    let mut columns = vec!["Cell", "Repeat#", "Records#", "Overwritten#"];
    let names = GUARANTEES.map(|(name, _)| format!("{name}#"));
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new("Violations by guarantee", &columns);
    let mut told =
        Table::new("The first violations", &["Cell", "Repeat#", "What the history shows"]);
    let (mut records, mut wrong, mut files) = (0_u64, 0_u64, vec![]);
    for each in &summary.cells {
        for trial in &each.cell.trials {
            let Some(history) = &trial.history else { continue };
            records = records.saturating_add(history.records);
            wrong = wrong.saturating_add(history.violations.values().sum());
            files.extend(&history.file);
            let repeat = trial.repeat.to_string();
            table.push(row(&each.cell.id, &repeat, history));
            for example in &history.examples {
                let cell = Datum::code(&each.cell.id);
                told.push(vec![cell, Datum::number(&repeat), Datum::bad(example)]);
            }
        }
    }
    if table.is_empty() {
        return Ok(section);
    }
    let guarantees = GUARANTEES.map(|(name, what)| format!("{name}: {what}"));
    section.say(format!(
        "Each process wrote down what it did; a checker that shares nothing with their own checks read \
         {} records and found {wrong} violations. {}.",
        format::count(records),
        guarantees.join("; ")
    ));
    if let Some(first) = files.first() {
        let kept = format::several(files.len(), "history").replace("historys", "histories");
        section.say(format!("{kept} kept, as {first}: `harness check-history` reads them again."));
    }
    section.tables.push(table.folded_beyond(ROWS, "Trials").html()?);
    if !told.is_empty() {
        section.tables.push(told.folded_beyond(TOLD, "The first violations").html()?);
    }
    Ok(section)
}

fn row(cell: &str, repeat: &str, history: &HistoryCheck) -> Vec<Datum> {
    let violations = |name: &str| match history.violations.get(name).copied().unwrap_or(0) {
        0 => Datum::dim_number("0"),
        some => Datum::bad_number(format::count(some)),
    };
    let head = [
        Datum::code(cell),
        Datum::number(repeat),
        Datum::number(format::count(history.records)),
        Datum::number(format::count(history.overwritten)),
    ];
    head.into_iter().chain(GUARANTEES.map(|(name, _)| violations(name))).collect()
}
