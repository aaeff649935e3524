//! What the model checkers found, with each counterexample as numbered steps.

use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Example, Section, Table};
use crate::summary::Summary;

const KINDS: [(ModelKind, &str); 8] = [
    (ModelKind::Protocol, "Protocol"),
    (ModelKind::Mutant, "Ordering mutants"),
    (ModelKind::PlantedDefect, "Planted defects"),
    (ModelKind::CrashPoint, "Crash points"),
    (ModelKind::PublishedFlaw, "Published flaws"),
    (ModelKind::Litmus, "Litmus tests of the engines"),
    (ModelKind::SiteTable, "The table of sites"),
    (ModelKind::Hardware, "Real cores"),
];

/// Tables of passed models longer than this are folded away.
const SHOWN_MODELS: usize = 16;

pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("models", "Models");
    let models = &summary.suite.models;
    if models.is_empty() {
        section.say("For information: no model was checked in this run.");
        return Ok(section);
    }
    for (kind, title) in KINDS {
        let mut of_kind: Vec<&ModelResult> =
            models.iter().filter(|model| model.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        of_kind.sort_by_key(|model| core::cmp::Reverse(model.verdict));
        let passed = of_kind.iter().filter(|model| model.verdict == Verdict::Pass).count();
        section.say(format!("{title}: {} of {} ended as they must.", passed, of_kind.len()));
        let long = of_kind.len() > SHOWN_MODELS;
        let (open, folded) =
            of_kind.split_at(if long { of_kind.len() - passed } else { of_kind.len() });
        if !open.is_empty() {
            section.tables.push(table(title, open).html()?);
        }
        if !folded.is_empty() {
            let line = format!("{title}: {} passed", folded.len());
            section.tables.push(table(title, folded).folded(line).html()?);
        }
    }
    section.examples = models.iter().filter_map(example).collect();
    Ok(section)
}

/// What was planted, and who noticed it where, after how many executions.
fn planted(title: &str, models: &[&ModelResult]) -> Table {
    let columns = [title, "What it does", "Caught by", "In model", "Executions#", "Took#"];
    let mut table = Table::new(title, &columns);
    for model in models {
        let found = model.counterexample.as_ref();
        table.push(vec![
            Datum::text(model.memory.trim_start_matches("planted ")),
            Datum::text(found.map_or("nobody noticed", |found| &found.english)),
            match model.verdict {
                Verdict::Pass => Datum::text(&model.engine),
                other => Datum::verdict(other),
            },
            Datum::text(&model.scenario),
            Datum::number(format::count(model.executions)),
            Datum::number(format::millis(model.elapsed_ms)),
        ]);
    }
    table
}

fn table(title: &str, models: &[&ModelResult]) -> Table {
    if models.iter().all(|model| model.kind == ModelKind::PlantedDefect) {
        return planted(title, models);
    }
    let mut table = Table::new(
        title,
        &[
            title,
            "Verdict",
            "Engine",
            "Variant",
            "Must",
            "Seen",
            "Executions#",
            "Outcomes#",
            "Took#",
        ],
    );
    for model in models {
        let executions = format::count(model.executions);
        table.push(vec![
            Datum::text(&model.scenario),
            Datum::verdict(model.verdict),
            Datum::text(format!("{} {}", model.engine, model.engine_version)),
            Datum::text(&model.memory),
            Datum::text(if model.expected_failure { "fail" } else { "hold" }),
            Datum::text(coverage(&model.coverage)),
            if model.executions == 0 {
                Datum::bad_number(executions)
            } else {
                Datum::number(executions)
            },
            Datum::number(format::count(model.outcomes.len() as u64)),
            Datum::number(format::millis(model.elapsed_ms)),
        ]);
    }
    table
}

fn coverage(coverage: &Coverage) -> String {
    match coverage {
        Coverage::Complete => "all executions".to_owned(),
        Coverage::Bounded { bound } => format!("all within {bound}"),
        Coverage::Sampled { schedules, seed } => {
            format!("{} random schedules, seed {seed}", format::count(*schedules))
        }
    }
}

fn example(model: &ModelResult) -> Option<Example> {
    let found = model.counterexample.as_ref()?;
    let wanted = if model.expected_failure { "wanted counterexample" } else { "COUNTEREXAMPLE" };
    Some(Example {
        title: format!("{}, {} ({}): {wanted}", model.scenario, model.memory, model.engine),
        english: found.english.clone(),
        message: found.message.clone(),
        steps: found.steps.clone(),
        replay: model.replay.clone(),
    })
}
