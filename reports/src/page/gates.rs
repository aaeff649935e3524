//! Every expectation with its value, its bound and the line that states it.

use report_schema::{GateResult, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::evidence;
use crate::page::section::{Datum, Section, Table};
use crate::summary::{CellSummary, Summary};

/// Passed gates beyond this number are folded away, so that the failed ones are seen.
const SHOWN_PASSES: usize = 12;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("gates", "Gates");
    let gates = summary.gates();
    let all = gates.clone();
    let (passed, others): (Vec<_>, Vec<_>) =
        gates.into_iter().partition(|(gate, _)| gate.verdict == Verdict::Pass);
    if !others.is_empty() {
        section.tables.push(table("Gates that did not pass", &others).stacked().html()?);
    }
    if !passed.is_empty() {
        let table = table("Gates that passed", &passed);
        let line = format!("{} passed", format::several(passed.len(), "gate"));
        let table = if passed.len() > SHOWN_PASSES { table.folded(line) } else { table };
        section.tables.push(table.html()?);
    }
    evidence::of_gates(&mut section, &all)?;
    Ok(section)
}

fn table(label: &str, gates: &[(&GateResult, &CellSummary<'_>)]) -> Table {
    let mut table =
        Table::new(label, &["Check", "Verdict", "Value#", "Bound#", "Why", "Cell", "Stated in"]);
    for (gate, summary) in gates {
        table.push(vec![
            Datum::code(&gate.check),
            Datum::verdict(gate.verdict),
            quantity(gate.value, &gate.unit),
            quantity(gate.bound, &gate.unit),
            Datum::wide(&gate.reason),
            Datum::text(&summary.cell.id),
            Datum::code(place(gate)),
        ]);
    }
    table
}

fn quantity(value: Option<f64>, unit: &str) -> Datum {
    value.map_or_else(
        || Datum::dim_number("none"),
        |value| Datum::number(format::with_unit(value, unit)),
    )
}

/// Where the expectation is stated.
pub(crate) fn place(gate: &GateResult) -> String {
    gate.line.map_or_else(|| "every scenario".to_owned(), |line| format!("{}:{line}", gate.file))
}
