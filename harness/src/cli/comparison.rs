//! What verbs that compare show and decide.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use report_schema::{CellComparison, Comparison, Side, Verdict};
use reports::format;

/// A comparison as a table, and why each figure is judged as it is.
pub(super) fn text(comparison: &Comparison) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["cell", "figure", "A", "B", "B/A", "p", "n", "dropped", "says"]);
    for cell in &comparison.cells {
        table.add_row(row(cell));
    }
    let (base, candidate) = (&comparison.base.name, &comparison.candidate.name);
    let mut text = format!("A: {base}\nB: {candidate}\n{table}\n");
    for cell in &comparison.cells {
        let (change, reason) = (cell.change.as_str(), &cell.reason);
        // A String takes every write.
        let _written = writeln!(text, "{change} {} {}: {reason}", cell.cell, cell.metric);
    }
    for note in &comparison.notes {
        let _written = writeln!(text, "{note}");
    }
    text
}

fn row(cell: &CellComparison) -> [String; 9] {
    let figure = |value: Option<f64>| {
        value.map_or("-".to_owned(), |value| format::with_unit(value, &cell.unit))
    };
    let evidence = cell.evidence.as_ref();
    let shown =
        |part: &dyn Fn(&report_schema::Evidence) -> String| evidence.map_or("-".to_owned(), part);
    [
        cell.cell.clone(),
        cell.metric.clone(),
        figure(cell.base_median),
        figure(cell.candidate_median),
        shown(&|e| {
            let (low, high) = e.ratio_interval;
            format!("{:.3} ({low:.3} … {high:.3})", e.ratio)
        }),
        shown(&|e| format!("{:.1e}", e.p_value)),
        shown(&|e| format!("{} + {}", e.count(Side::Base), e.count(Side::Candidate))),
        format!("{} + {}", cell.base_dropped, cell.candidate_dropped),
        cell.change.as_str().to_owned(),
    ]
}

/// The worst of all figures; none at all is never a pass.
pub(super) fn verdict(cells: &[CellComparison]) -> Verdict {
    let worst = Verdict::worst(cells.iter().map(|cell| cell.change.verdict()));
    worst.unwrap_or(Verdict::Inconclusive)
}

/// How the rate of false alarms is kept over so many figures.
pub(super) fn correction(figures: usize) -> String {
    match figures {
        0 | 1 => "none is needed for one figure".to_owned(),
        _ => format!("Bonferroni: the p value that counts is divided by {figures} figures"),
    }
}
