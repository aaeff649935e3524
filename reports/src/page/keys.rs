//! The key figures: every expectation that a scenario states, as value, bound and a small bar.

use report_schema::{GateResult, Verdict};

use crate::format;
use crate::summary::{CellSummary, Limit, Relation, Summary, sides};

/// Figures on the first screen at most: those that did not pass first, then times and rates.
const SHOWN: usize = 8;

/// One figure.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) scenario: String,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) bound: String,
    /// An SVG element that says nothing that the words do not.
    pub(super) bar: String,
    /// The name of a verdict.
    pub(super) tone: &'static str,
    pub(super) note: String,
}

/// One expectation with all cells that it judged.
struct Stated<'s, 'a> {
    scenario: &'a str,
    gates: Vec<(&'a GateResult, &'s CellSummary<'a>)>,
}

impl<'a> Stated<'_, 'a> {
    /// The gate that decides: the worst verdict, then the one nearest to its bound.
    fn worst(&self) -> Option<&'a GateResult> {
        let margin =
            |gate: &GateResult| Some(gate.value? / gate.bound.filter(|bound| *bound > 0.0)?);
        let nearness = |gate: &GateResult| match sides(&gate.check).map(|limit| limit.relation) {
            Some(Relation::AtLeast) => margin(gate).map(|margin| -margin),
            _ => margin(gate),
        };
        let gates = self.gates.iter().map(|(gate, _)| *gate);
        gates.max_by(|one, other| {
            let (near, nearer) = (nearness(one), nearness(other));
            one.verdict.cmp(&other.verdict).then(
                near.unwrap_or(f64::NEG_INFINITY).total_cmp(&nearer.unwrap_or(f64::NEG_INFINITY)),
            )
        })
    }
}

/// Whether a scenario file states it, rather than every scenario.
pub(super) fn stated(gate: &GateResult) -> bool {
    gate.line.is_some() && !gate.id.starts_with("implied:")
}

/// The figures for the first screen, and how many expectations have none there.
pub(super) fn keys(summary: &Summary<'_>) -> (Vec<Key>, usize) {
    let mut all: Vec<Stated<'_, '_>> = vec![];
    for each in &summary.cells {
        for gate in
            each.cell.gates.iter().filter(|gate| stated(gate) || gate.verdict != Verdict::Pass)
        {
            let same = |known: &&mut Stated<'_, '_>| {
                known.scenario == each.scenario.name
                    && known.gates.first().is_some_and(|(first, _)| first.id == gate.id)
            };
            match all.iter_mut().find(same) {
                Some(known) => known.gates.push((gate, each)),
                None => {
                    all.push(Stated { scenario: &each.scenario.name, gates: vec![(gate, each)] });
                }
            }
        }
    }
    let rank = |stated: &Stated<'_, '_>| {
        let worst = stated.worst();
        let failed = worst.map(|gate| gate.verdict).filter(|verdict| *verdict != Verdict::Pass);
        (failed, worst.is_some_and(|gate| !gate.unit.is_empty()))
    };
    all.sort_by_key(|stated| core::cmp::Reverse(rank(stated)));
    let mut keys = compared(summary);
    keys.extend(all.iter().filter_map(key));
    let left = keys.len().saturating_sub(SHOWN);
    keys.truncate(SHOWN);
    (keys, left)
}

/// What a comparison found comes first: it was the question.
fn compared(summary: &Summary<'_>) -> Vec<Key> {
    let cells = summary.suite.comparisons.iter().flat_map(|comparison| &comparison.cells);
    cells
        .map(|each| Key {
            scenario: each.cell.clone(),
            name: format!(
                "{}, B against A",
                Limit { figure: &each.metric, relation: Relation::Equal }.words()
            ),
            value: each.evidence.as_ref().map_or_else(
                || "no value".to_owned(),
                |evidence| format!("{} %", format::signed((evidence.ratio - 1.0) * 100.0)),
            ),
            bound: each.evidence.as_ref().map_or_else(String::new, |evidence| {
                let (low, high) = evidence.ratio_interval;
                let percent = |ratio: f64| format::signed((ratio - 1.0) * 100.0);
                format!("{} to {} %", percent(low), percent(high))
            }),
            bar: String::new(),
            tone: each.change.verdict().as_str(),
            note: each.change.as_str().to_owned(),
        })
        .collect()
}

fn key(stated: &Stated<'_, '_>) -> Option<Key> {
    let gate = stated.worst()?;
    let limit = sides(&gate.check);
    let relation = limit.map_or(Relation::Equal, |limit| limit.relation);
    let quantity = |value: f64| format::with_unit(value, &gate.unit);
    let note = match stated.gates.len() {
        1 => because(gate).replacen("so in ", "over ", 1),
        cells => format!("worst of {cells} cells"),
    };
    let timed = timed(stated).map_or_else(String::new, |timed| format!("; {timed}"));
    Some(Key {
        scenario: stated.scenario.to_owned(),
        name: limit.map_or_else(|| gate.check.clone(), |limit: Limit<'_>| limit.words()),
        value: gate.value.map_or_else(|| "no value".to_owned(), quantity),
        bound: gate
            .bound
            .map_or_else(String::new, |bound| format!("{} {}", relation.sign(), quantity(bound))),
        bar: gate
            .value
            .zip(gate.bound)
            .map_or_else(String::new, |(value, bound)| bar(value, bound, relation)),
        tone: gate.verdict.as_str(),
        note: note + &timed,
    })
}

/// What a latency is in this workload; `None` for any other figure.
fn timed(stated: &Stated<'_, '_>) -> Option<&'static str> {
    let (gate, summary) = stated.gates.first()?;
    let figure = sides(&gate.check)?.figure;
    figure.ends_with("(latency)").then(|| summary.cell.workload.latency_kind().describe())
}

/// Why it said so, without repeating what it is and what was found.
pub(super) fn because(gate: &GateResult) -> String {
    let rest = gate.reason.strip_prefix(&gate.check).and_then(|rest| rest.split_once(" ("));
    let inner = rest.and_then(|(_, rest)| rest.trim_end_matches('.').strip_suffix(')'));
    inner.map_or_else(|| gate.reason.clone(), str::to_owned)
}

/// A bar as long as the value, with a tick at the bound and the forbidden side shaded.
fn bar(value: f64, bound: f64, relation: Relation) -> String {
    const WIDTH: f64 = 160.0;
    let most = value.max(bound);
    if !most.is_finite() || most <= 0.0 || value < 0.0 || bound <= 0.0 {
        return String::new();
    }
    let place = |figure: f64| figure / (most * 1.12) * WIDTH;
    let (end, tick) = (place(value).max(1.0), place(bound));
    let (from, width) = match relation {
        Relation::AtMost => (tick, WIDTH - tick),
        Relation::AtLeast => (0.0, tick),
        Relation::Equal => (0.0, 0.0),
    };
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 160 12\" aria-hidden=\"true\">\
         <rect y=\"2\" width=\"160\" height=\"8\" fill=\"var(--grid)\"/>\
         <rect x=\"{from:.1}\" y=\"2\" width=\"{width:.1}\" height=\"8\" fill=\"var(--rule)\"/>\
         <rect y=\"4\" width=\"{end:.1}\" height=\"4\" fill=\"currentColor\"/>\
         <rect x=\"{:.1}\" width=\"2\" height=\"12\" fill=\"var(--ink)\"/></svg>",
        tick - 1.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_at_its_value_and_its_tick_stands_at_the_bound() {
        let drawn = bar(90.0, 120.0, Relation::AtMost);
        assert!(drawn.contains("width=\"107.1\"") && drawn.contains("x=\"141.9\""), "{drawn}");
        for (value, bound) in [(f64::NAN, f64::NAN), (0.0, 0.0), (-1.0, 5.0), (1.0, f64::INFINITY)]
        {
            assert_eq!(bar(value, bound, Relation::AtLeast), "");
        }
    }
}
