//! How sure it is: gates and comparisons that hold two sides against each other.

use report_schema::{
    CellComparison, Change, Comparison, ComparisonKind, Evidence, GateResult, Side,
};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Figure, Section, Table};
use crate::plot;
use crate::summary::{CellSummary, Summary};

/// Strips that are drawn at most; the worst gates come first.
const STRIPS: usize = 6;

/// Adds the evidence of every gate that has some.
pub(super) fn of_gates(
    section: &mut Section,
    gates: &[(&GateResult, &CellSummary<'_>)],
) -> Result<(), RenderError> {
    let with: Vec<(&GateResult, &str, &Evidence)> = gates
        .iter()
        .filter_map(|(gate, each)| Some((*gate, each.cell.id.as_str(), gate.evidence.as_ref()?)))
        .collect();
    if with.is_empty() {
        return Ok(());
    }
    let mut table = columns("Evidence", "Check", &["Against"]);
    for (gate, cell, evidence) in &with {
        let mut row = vec![Datum::code(&gate.check), Datum::text(*cell)];
        row.push(Datum::text(&evidence.baseline));
        row.extend(figures(evidence, &gate.unit));
        table.push(row);
    }
    section.tables.push(table.stacked().html()?);
    for (gate, cell, evidence) in with.into_iter().take(STRIPS) {
        let title = format!("{cell}: {}", gate.check);
        let unit = (gate.unit.as_str(), gate.bound);
        section.figures.extend(strip(&title, unit, (evidence, "this run"))?);
    }
    Ok(())
}

/// What was compared with what in this run; empty where nothing was.
pub(super) fn comparisons(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("comparisons", "Comparisons");
    for comparison in &summary.suite.comparisons {
        let title = title(comparison);
        section.say(format!(
            "{title}: {}. A difference counts below p = {} over everything asked ({}).",
            comparison.verdict,
            format::plain(comparison.alpha),
            comparison.correction
        ));
        section.lead.extend(comparison.notes.iter().cloned());
        section.tables.push(table(comparison, &title).stacked().html()?);
        for each in comparison.cells.iter().filter(|each| each.change != Change::NoDifference) {
            if let Some(evidence) =
                each.evidence.as_ref().filter(|_| section.figures.len() < STRIPS)
            {
                let title = format!("{}: {}", each.cell, each.metric);
                section.figures.extend(strip(
                    &title,
                    (&each.unit, None),
                    (evidence, &comparison.candidate.name),
                )?);
            }
        }
        section.tables.extend(erred(comparison)?);
    }
    Ok(section)
}

/// Of many comparisons, those that erred.
fn erred(comparison: &Comparison) -> Result<Option<String>, RenderError> {
    let mut table = columns("Comparisons that erred", "Figure", &["Number#", "Seed#", "Said"]);
    for round in &comparison.erred {
        for each in &round.cells {
            let mut row = vec![
                Datum::code(&each.metric),
                Datum::text(&each.cell),
                Datum::number(round.number.to_string()),
                Datum::number(round.seed.to_string()),
                Datum::said(each.change.as_str(), each.change.verdict()),
            ];
            row.extend(found(each));
            table.push(row);
        }
    }
    (!table.is_empty()).then(|| table.stacked().html()).transpose()
}

fn title(comparison: &Comparison) -> String {
    let (a, b) = (&comparison.base.name, &comparison.candidate.name);
    match comparison.kind {
        ComparisonKind::Builds | ComparisonKind::Variants => {
            format!("A {a} and B {b}, trials interleaved")
        }
        ComparisonKind::SelfTest => format!("{a} with itself, trials interleaved"),
        ComparisonKind::Runs => format!("Stored run A {a} and B {b}, not run together"),
    }
}

/// How often a comparison of a thing with itself finds a difference, where that was asked.
pub(super) fn false_alarms(comparison: &Comparison) -> Option<String> {
    let alarms = comparison.false_alarms.as_ref()?;
    let percent = |share: f64| format!("{} %", format::plain((share * 1000.0).round() / 10.0));
    Some(format!(
        "A thing compared with itself gave {} in {}: between {} and {} of comparisons ({} confidence), {} could not say.",
        format::several(usize::try_from(alarms.alarms).unwrap_or(usize::MAX), "false alarm"),
        format::several(usize::try_from(alarms.comparisons).unwrap_or(usize::MAX), "comparison"),
        percent(alarms.rate_interval.0),
        percent(alarms.rate_interval.1),
        percent(alarms.confidence),
        format::count(alarms.inconclusive)
    ))
}

fn columns(label: &str, first: &str, more: &[&str]) -> Table {
    let mut names = vec![first, "Cell"];
    names.extend(more);
    names.extend(["B / A#", "Interval#", "Difference#", "p, and needed#", "n A + B#"]);
    Table::new(label, &names)
}

fn table(comparison: &Comparison, title: &str) -> Table {
    let mut table = columns(title, "Figure", &["Said", "A#", "B#"]);
    for each in &comparison.cells {
        let median = |value: Option<f64>| {
            value.map_or_else(
                || Datum::dim_number("none"),
                |value| Datum::number(format::with_unit(value, &each.unit)),
            )
        };
        let mut row = vec![
            Datum::code(&each.metric),
            Datum::text(&each.cell),
            Datum::said(each.change.as_str(), each.change.verdict()),
            median(each.base_median),
            median(each.candidate_median),
        ];
        row.extend(found(each));
        table.push(row);
    }
    table
}

/// The last columns of a comparison, or why there are none.
fn found(each: &CellComparison) -> Vec<Datum> {
    match &each.evidence {
        Some(evidence) => figures(evidence, &each.unit).into(),
        None => vec![Datum::wide(format::signs(&each.reason))],
    }
}

/// The last columns of both tables.
fn figures(evidence: &Evidence, unit: &str) -> [Datum; 5] {
    let ratio = |value: f64| format!("{value:.3}");
    let (low, high) = evidence.ratio_interval;
    let steps = evidence.difference_quanta.map(|steps| format!(" ({steps:.1} clock steps)"));
    [
        Datum::number(ratio(evidence.ratio)),
        Datum::number(format!(
            "{}–{} ({} %)",
            ratio(low),
            ratio(high),
            format::plain((evidence.confidence * 1000.0).round() / 10.0)
        )),
        Datum::number(signed(evidence.difference, unit) + &steps.unwrap_or_default()),
        Datum::number(format!("{:.4}, < {:.4}", evidence.p_value, evidence.alpha)),
        Datum::number(format!(
            "{} + {}",
            evidence.count(Side::Base),
            evidence.count(Side::Candidate)
        )),
    ]
}

fn signed(value: f64, unit: &str) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", format::with_unit(value.abs(), unit))
}

/// How the figures of a unit are labelled on an axis.
fn axis(unit: &str) -> (&'static str, fn(f64) -> String) {
    match unit {
        "ns" => ("time", format::nanos),
        "messages/s" | "/s" => ("messages each second", format::rate),
        "bytes/s" | "B/s" => ("payload each second", format::byte_rate),
        _ => ("count", format::plain),
    }
}

fn strip(
    title: &str,
    (unit, bound): (&str, Option<f64>),
    (evidence, candidate): (&Evidence, &str),
) -> Result<Option<Figure>, RenderError> {
    let (label, format) = axis(unit);
    let Some(chart) = plot::strip(title, (label, format), (evidence, candidate), bound) else {
        return Ok(None);
    };
    let mut table = Table::new(title, &["Order#", "Side", "Block#", "Bare line#", "Value#"]);
    for (number, repeat) in (1..).zip(&evidence.repeats) {
        let side = if repeat.side == Side::Base { "A" } else { "B" };
        table.push(vec![
            Datum::number(u32::to_string(&number)),
            Datum::text(side),
            Datum::number(repeat.block.map_or_else(|| "–".to_owned(), |block| block.to_string())),
            Datum::number(repeat.line_ns.map_or_else(|| "–".to_owned(), |ns| format!("~{ns} ns"))),
            Datum::number(format(repeat.value)),
        ]);
    }
    let caption = format!(
        "n = {}. One dot a trial: a drift moves both sides, a difference only one. Ratio {:.3}, p = {:.4}.",
        format::several(evidence.repeats.len(), "repeat"),
        evidence.ratio,
        evidence.p_value
    );
    Figure::of(&chart, caption, &table.folded("Data")).map(Some)
}
