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
    for alike in gates.chunk_by(same) {
        table.push(row(alike));
    }
    table
}

/// Whether one reason speaks for both: what did not run need not be said for each expectation.
fn same(a: &(&GateResult, &CellSummary<'_>), b: &(&GateResult, &CellSummary<'_>)) -> bool {
    let of = |(gate, summary): &(&GateResult, &CellSummary<'_>)| {
        (gate.verdict, gate.reason.clone(), summary.cell.id.clone())
    };
    a.0.verdict == Verdict::Inconclusive && of(a) == of(b)
}

fn row(alike: &[(&GateResult, &CellSummary<'_>)]) -> Vec<Datum> {
    let (gate, summary) = alike[0];
    let (check, bound, place) = match alike.len() {
        1 => (gate.check.clone(), gate.bound, place(gate)),
        count => {
            (format!("{} and {} more", gate.check, count - 1), None, summary.scenario.file.clone())
        }
    };
    vec![
        Datum::code(check),
        Datum::verdict(gate.verdict),
        quantity(gate.value, &gate.unit),
        quantity(bound, &gate.unit),
        Datum::wide(&gate.reason),
        Datum::text(&summary.cell.id),
        Datum::code(place),
    ]
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
