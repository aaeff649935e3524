//! What did not pass, where it is stated, and why; one line where several have one reason.

use report_schema::{CellResult, GateResult, INTERRUPTED_NOTE, SuiteResult, Verdict};
use reports::format;
use reports::summary::{Drift, drifts};

use super::cells;
use crate::cli::output::coloured;
use crate::suite::NOT_RUN;

/// Cells that are named where one reason holds for many.
const NAMED: usize = 3;

/// Everything that somebody should read before he believes the table.
pub(in crate::cli) fn findings(result: &SuiteResult) -> String {
    let mut lines = idle(result);
    let mut degraded: Vec<(&str, Vec<&str>)> = vec![];
    for cell in cells(result).filter(|cell| !cell.trials.is_empty()) {
        let failed: Vec<&GateResult> =
            cell.gates.iter().filter(|gate| gate.verdict != Verdict::Pass).collect();
        let alike = failed.chunk_by(|a, b| (a.verdict, &a.reason) == (b.verdict, &b.reason));
        lines.extend(alike.map(|gates| finding(cell, gates)));
        for reason in &cell.degraded {
            note(&mut degraded, reason, &cell.id);
        }
        if cell.dropped.trials > 0 {
            let (id, dropped) = (&cell.id, format::several(cell.dropped.trials as usize, "trial"));
            lines.push(format!("dropped {id}: {dropped} moved between cores\n"));
        }
    }
    let degraded = degraded.into_iter();
    lines.extend(degraded.map(|(why, cells)| format!("degraded {}: {why}\n", named(&cells))));
    lines.extend(drifts(result).iter().map(drifted));
    lines.extend(result.notes.iter().map(|note| format!("{note}\n")));
    lines.concat()
}

/// Cells of which nothing ran: a line for each reason.
fn idle(result: &SuiteResult) -> Vec<String> {
    let interrupted =
        result.interrupted || result.notes.iter().any(|note| note == INTERRUPTED_NOTE);
    let mut reasons: Vec<(&str, Vec<&str>)> = vec![];
    let mut worst = vec![];
    for cell in cells(result).filter(|cell| cell.trials.is_empty()) {
        let why = cell.degraded.iter().find(|reason| reason.starts_with(NOT_RUN));
        let why = match why {
            Some(why) => why.as_str(),
            None if interrupted => "not run before the interrupt",
            None => "no trial ran",
        };
        note(&mut reasons, why, &cell.id);
        worst.push(cell.verdict);
    }
    let verdict = coloured(Verdict::worst(worst).unwrap_or(Verdict::Inconclusive));
    let line = |(why, cells): (&str, Vec<&str>)| format!("{verdict} {}: {why}\n", named(&cells));
    reasons.into_iter().map(line).collect()
}

fn note<'a>(reasons: &mut Vec<(&'a str, Vec<&'a str>)>, reason: &'a str, cell: &'a str) {
    match reasons.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, cells)) => cells.push(cell),
        None => reasons.push((reason, vec![cell])),
    }
}

/// A few names, and how many more there are.
fn named(cells: &[&str]) -> String {
    match cells.len().saturating_sub(NAMED) {
        0 => cells.join(", "),
        more => format!("{} and {more} more", cells[..NAMED].join(", ")),
    }
}

/// How a trial of a soak run ended beside how it began.
fn drifted(drift: &Drift<'_>) -> String {
    let Drift { cell, repeat, role, slices, p99_ns, .. } = drift;
    let [first, last] = [p99_ns.first, p99_ns.last].map(format::nanos);
    format!(
        "drift {cell} #{repeat} {role}: {drift}; p99 {first} in the first third, {last} in the last \
         ({} each)\n",
        format::several(*slices, "slice")
    )
}

fn finding(cell: &CellResult, gates: &[&GateResult]) -> String {
    let [gate, ..] = gates else { return String::new() };
    let place = match gate.line {
        Some(line) => format!("{}:{line}", gate.file),
        None => gate.file.clone(),
    };
    let figures = match (gate.value, gate.bound) {
        (Some(value), Some(bound)) if gate.verdict == Verdict::Performance => format!(
            ": {} against {}",
            format::with_unit(value, &gate.unit),
            format::with_unit(bound, &gate.unit)
        ),
        _ => String::new(),
    };
    let more = match gates.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let (verdict, id, cell) = (coloured(gate.verdict), &gate.id, &cell.id);
    format!("{verdict} {place} [{id}{more}] {cell}: {}{figures}\n", gate.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::cell;

    const GOLDEN: &str = include_str!("../../../../../reports/schema/tests/golden/result-1.json");

    fn nothing_ran(degraded: &[&str], notes: &[&str]) -> String {
        let mut result: SuiteResult = serde_json::from_str(GOLDEN).unwrap();
        result.scenarios.truncate(1);
        result.notes = notes.iter().map(|note| (*note).to_owned()).collect();
        result.scenarios[0].cells = (0..9).map(|number| cell(&format!("c{number}"))).collect();
        for cell in &mut result.scenarios[0].cells {
            cell.verdict = Verdict::Inconclusive;
            cell.degraded = degraded.iter().map(|why| (*why).to_owned()).collect();
        }
        anstream::adapter::strip_str(&findings(&result)).to_string()
    }

    #[test]
    fn what_keeps_many_cells_from_running_is_said_once() {
        let said = nothing_ran(&["not run: there is no C compiler"], &[]);
        assert_eq!(said, "inconclusive c0, c1, c2 and 6 more: not run: there is no C compiler\n");
        let said = nothing_ran(&["one core only"], &[INTERRUPTED_NOTE]);
        let wanted = "inconclusive c0, c1, c2 and 6 more: not run before the interrupt\n";
        assert_eq!(said, format!("{wanted}{INTERRUPTED_NOTE}\n"));
    }
}
