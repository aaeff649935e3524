//! What verbs that compare show and decide.

use std::fmt::Write as _;

use report_schema::{CellComparison, Comparison, Round, Side, Turn, Verdict};
use reports::format;

use crate::statistics::short;
use crate::table;

/// A comparison as a table, and why each figure is judged as it is.
pub(super) fn text(comparison: &Comparison) -> String {
    let mut table =
        table::with_header(["cell", "figure", "A", "B", "B/A", "p", "n", "dropped", "says"]);
    for cell in &comparison.cells {
        table.add_row(row(cell));
    }
    let (base, candidate) = (&comparison.base.name, &comparison.candidate.name);
    let mut text = format!("A: {base}\nB: {candidate}\n{}", table::text(&table));
    for cell in &comparison.cells {
        text.push_str(&judged(cell));
        text.push_str(&order(cell, comparison.seed));
    }
    for note in &comparison.notes {
        // A String takes every write.
        let _written = writeln!(text, "{note}");
    }
    text + &comparison.erred.iter().map(round).collect::<String>()
}

fn judged(cell: &CellComparison) -> String {
    let (change, reason) = (cell.change.as_str(), &cell.reason);
    format!("{change} {} {}: {reason}\n", cell.cell, cell.metric)
}

/// How the sides followed each other, block by block; nothing where they did not run in turns.
fn order(cell: &CellComparison, seed: u64) -> String {
    if cell.turns.is_empty() {
        return String::new();
    }
    let blocks = blocks(cell).map(|block| block.iter().map(letter).collect());
    let blocks: Vec<String> = blocks.collect();
    let name = &cell.cell;
    format!("order of {name}, seed {seed}: {} (small: left out)\n", blocks.join(" "))
}

/// One of many comparisons, with all that can be read afterwards.
fn round(round: &Round) -> String {
    let mut text = format!("comparison {}, seed {}:\n", round.number, round.seed);
    for cell in &round.cells {
        text.push_str(&judged(cell));
        for block in blocks(cell) {
            let trials: Vec<String> = block.iter().map(|turn| trial(turn, &cell.unit)).collect();
            let number = block[0].block.unwrap_or(0);
            let _written = writeln!(text, "  block {number}: {}", trials.join(", "));
        }
    }
    text
}

/// Neighbours in time.
fn blocks(cell: &CellComparison) -> impl Iterator<Item = &[Turn]> {
    cell.turns.chunk_by(|turn, next| turn.block == next.block)
}

/// Small where a trial was left out.
fn letter(turn: &Turn) -> char {
    let letter = if turn.side == Side::Base { 'A' } else { 'B' };
    if turn.compared { letter } else { letter.to_ascii_lowercase() }
}

/// Its side, its figure, and the cores: their class and the bare line before and after.
fn trial(turn: &Turn, unit: &str) -> String {
    let ns = |line: Option<u64>| line.map_or("?".to_owned(), |ns| ns.to_string());
    let figure = turn.value.map_or("-".to_owned(), |value| format::with_unit(value, unit));
    let (before, after) = (ns(turn.before_ns), ns(turn.after_ns));
    format!("{} {figure} ({} {before}/{after} ns)", letter(turn), turn.class.as_str())
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
        shown(&|e| short(e.p_value)),
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

#[cfg(test)]
mod tests {
    use report_schema::Placement;

    use super::*;

    #[test]
    fn a_trial_is_told_with_side_figure_and_cores_and_small_where_it_was_left_out() {
        let turn = Turn {
            side: Side::Candidate,
            block: Some(3),
            class: Placement::Changed,
            before_ns: Some(60),
            after_ns: None,
            value: Some(190_000.0),
            compared: false,
        };
        assert_eq!(trial(&turn, "/s"), "b 190 k/s (changed 60/? ns)");
        let kept = Turn { side: Side::Base, value: None, compared: true, ..turn };
        assert_eq!(trial(&kept, "/s"), "A - (changed 60/? ns)");
    }
}
