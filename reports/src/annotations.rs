//! What did not pass as workflow commands of GitHub Actions, each at the line that states it.

use std::collections::BTreeMap;

use report_schema::{Comparison, GateResult, INTERRUPTED_NOTE, SuiteResult, Verdict};

use crate::format;
use crate::summary::Summary;

/// Cells that one annotation names at most.
const NAMED_CELLS: usize = 5;

/// One line for each expectation, model, row of kills and compared figure that did not pass, and for a
/// run that is worse than all of these, worst first: the page shows only the first ones.
///
/// An expectation that fails in several cells has one line.
#[must_use]
pub fn github(suite: &SuiteResult) -> String {
    let mut notes = gates(suite);
    for model in suite.models.iter().filter(|model| model.verdict != Verdict::Pass) {
        let why = model.counterexample.as_ref().map_or("did not end as it must", |c| &c.english);
        let text = format!("{why}; again: {}", model.replay);
        let title = format!("model {} ({})", model.scenario, model.engine);
        notes.push((model.verdict, command(model.verdict, None, &title, &text)));
    }
    for row in suite.crashes.iter().filter(|row| row.verdict != Verdict::Pass) {
        let why = row.example.as_deref().or(row.unreached.as_deref()).unwrap_or("no reason given");
        let text = format!("{}: {why}; again: {}", row.shape, row.replay);
        let title = format!("{} killed at {}", row.victim, row.site);
        notes.push((row.verdict, command(row.verdict, None, &title, &text)));
    }
    notes.extend(suite.comparisons.iter().flat_map(compared));
    if suite.interrupted {
        let verdict = Verdict::Inconclusive;
        notes.push((verdict, command(verdict, None, "interrupted", INTERRUPTED_NOTE)));
    }
    let summary = Summary::of(suite);
    notes.extend(summary.doubts.iter().map(|doubt| {
        (doubt.verdict, command(doubt.verdict, None, "the file contradicts itself", &doubt.text))
    }));
    notes.extend(summary.whole.iter().map(|whole| {
        let title = format!("{}: the run as a whole", whole.verdict);
        (whole.verdict, command(whole.verdict, None, &title, &whole.text))
    }));
    if summary.verdict.is_none() {
        let verdict = Verdict::Inconclusive;
        notes.push((verdict, command(verdict, None, "nothing ran", &summary.sentence)));
    }
    notes.sort_by_key(|(verdict, _)| core::cmp::Reverse(*verdict));
    notes.into_iter().map(|(_, line)| line).collect()
}

/// The place and name of an expectation.
type Stated<'a> = (Verdict, &'a str, Option<u32>, &'a str);

fn gates(suite: &SuiteResult) -> Vec<(Verdict, String)> {
    let mut failed: BTreeMap<Stated<'_>, Vec<(&GateResult, &str)>> = BTreeMap::new();
    for cell in suite.scenarios.iter().flat_map(|scenario| &scenario.cells) {
        for gate in cell.gates.iter().filter(|gate| gate.verdict != Verdict::Pass) {
            let stated = (gate.verdict, gate.file.as_str(), gate.line, gate.id.as_str());
            failed.entry(stated).or_default().push((gate, &cell.id));
        }
    }
    let note = |((verdict, file, line, id), found): (Stated<'_>, Vec<(&GateResult, &str)>)| {
        let said = found.iter().take(NAMED_CELLS).map(|(gate, cell)| said(gate, cell));
        let mut text = said.collect::<Vec<_>>().join("\n");
        if found.len() > NAMED_CELLS {
            let more = format::several(found.len() - NAMED_CELLS, "more cell");
            text.extend(["\nand ", &more]);
        }
        let place = line.map(|line| (file, line));
        let check = found.first().map_or("", |(gate, _)| &gate.check);
        let title = format!("{verdict}: {id}: {check}");
        (verdict, command(verdict, place, &title, &text))
    };
    failed.into_iter().map(note).collect()
}

fn compared(comparison: &Comparison) -> impl Iterator<Item = (Verdict, String)> {
    let (base, candidate) = (&comparison.base.name, &comparison.candidate.name);
    let failed = comparison.cells.iter().filter(|each| each.change.verdict() != Verdict::Pass);
    failed.map(move |each| {
        let verdict = each.change.verdict();
        let title = format!("{}: {} of {}", each.change.as_str(), each.metric, each.cell);
        let text = format!("{candidate} against {base}: {}", each.reason);
        (verdict, command(verdict, None, &title, &text))
    })
}

fn said(gate: &GateResult, cell: &str) -> String {
    let quantity = |value: Option<f64>| {
        value.map_or_else(|| "none".to_owned(), |value| format::with_unit(value, &gate.unit))
    };
    format!(
        "{cell}: {} (value {}, bound {})",
        gate.reason,
        quantity(gate.value),
        quantity(gate.bound)
    )
}

/// `::error file=…,line=…,title=…::…`; what is only undecided is a warning.
fn command(verdict: Verdict, place: Option<(&str, u32)>, title: &str, text: &str) -> String {
    let level = if verdict == Verdict::Inconclusive { "warning" } else { "error" };
    let place = place.map(|(file, line)| format!("file={},line={line},", property(file)));
    format!("::{level} {}title={}::{}\n", place.unwrap_or_default(), property(title), data(text))
}

/// Text after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property, which commas and colons would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_property_or_a_line_is_escaped() {
        let line = command(Verdict::Correctness, Some(("a,b:c.toml", 7)), "x: 9%", "one\r\ntwo::");
        assert_eq!(line, "::error file=a%2Cb%3Ac.toml,line=7,title=x%3A 9%25::one%0D%0Atwo::\n");
        assert!(command(Verdict::Inconclusive, None, "t", "m").starts_with("::warning title=t::m"));
    }
}
