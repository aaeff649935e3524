//! Every expectation with its value, its bound and the line that states it.

use report_schema::{GateResult, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Section, Table};
use crate::page::{evidence, keys};
use crate::summary::{CellSummary, Summary};

/// Beyond this number of stated expectations one line each stands for all of its cells.
const SHOWN_STATED: usize = 12;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("gates", "Gates");
    let gates = summary.gates();
    let all = gates.clone();
    let (passed, others): (Vec<_>, Vec<_>) =
        gates.into_iter().partition(|(gate, _)| gate.verdict == Verdict::Pass);
    let (stated, implied): (Vec<_>, Vec<_>) =
        passed.into_iter().partition(|(gate, _)| keys::stated(gate));
    if !others.is_empty() {
        section.tables.push(table("Gates that did not pass", &others).stacked().html()?);
    }
    if stated.len() > SHOWN_STATED {
        section.tables.push(by_expectation(&stated).stacked().html()?);
        let line = format!("{} in each cell", format::several(stated.len(), "stated expectation"));
        section.tables.push(table("Stated expectations that held", &stated).folded(line).html()?);
    } else if !stated.is_empty() {
        section.tables.push(table("Stated expectations that held", &stated).stacked().html()?);
    }
    if !implied.is_empty() {
        let line = format!(
            "{} that every scenario implies: all passed",
            format::several(implied.len(), "gate")
        );
        let table = table("Implied gates that passed", &implied).folded(line);
        section.tables.push(table.html()?);
    }
    evidence::of_gates(&mut section, &all)?;
    Ok(section)
}

/// One line for each expectation: the least and the greatest value over the cells that it judged.
fn by_expectation(gates: &[(&GateResult, &CellSummary<'_>)]) -> Table {
    let columns = ["Check", "Scenario", "Cells#", "Values#", "Bound#", "Stated in"];
    let mut table = Table::new("Stated expectations that held", &columns);
    let mut seen: Vec<(&str, &str)> = vec![];
    for (gate, summary) in gates {
        let key = (summary.scenario.name.as_str(), gate.id.as_str());
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let same: Vec<&GateResult> = gates
            .iter()
            .filter(|(other, cell)| (cell.scenario.name.as_str(), other.id.as_str()) == key)
            .map(|(gate, _)| *gate)
            .collect();
        table.push(vec![
            Datum::code(&gate.check),
            Datum::text(&summary.scenario.name),
            Datum::number(format::count(same.len() as u64)),
            Datum::number(range(same.iter().filter_map(|gate| gate.value), &gate.unit)),
            Datum::number(range(same.iter().filter_map(|gate| gate.bound), &gate.unit)),
            Datum::code(place(gate)),
        ]);
    }
    table
}

/// The least and the greatest, or the one that all are.
fn range(values: impl Iterator<Item = f64>, unit: &str) -> String {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let show = |value| format::with_unit(value, unit);
    match (low <= high, show(low), show(high)) {
        (false, _, _) => "none".to_owned(),
        (true, low, high) if low == high => low,
        (true, low, high) => format!("{low} to {high}"),
    }
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
        Datum::wide(format::signs(&keys::because(gate))),
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
