//! What the model checkers found, with each counterexample as numbered steps.

use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Example, Section, Table};
use crate::summary::{Kills, Summary, noticed};

type Kinds = &'static [(ModelKind, &'static str)];

/// What must hold, and what shows that the engines can be believed.
const MODELS: Kinds = &[
    (ModelKind::Protocol, "Protocol"),
    (ModelKind::CrashPoint, "Crash points"),
    (ModelKind::PublishedFlaw, "Published flaws"),
    (ModelKind::Litmus, "Litmus tests of the engines"),
    (ModelKind::SiteTable, "The table of sites"),
    (ModelKind::Hardware, "Real cores"),
];

/// What was made worse on purpose, and must be noticed.
const MUTANTS: Kinds =
    &[(ModelKind::Mutant, "Ordering mutants"), (ModelKind::PlantedDefect, "Planted defects")];

/// Tables of kills longer than this are folded away, unless somebody escaped.
const SHOWN_KILLS: usize = 32;
/// Tables of passed models longer than this are folded away.
const SHOWN_MODELS: usize = 16;

pub(super) fn sections(summary: &Summary<'_>) -> Result<[Section; 2], RenderError> {
    let models = Section::new("models", "Models");
    let mutants = Section::new("mutants", "Mutants");
    Ok([filled(models, MODELS, summary)?, filled(mutants, MUTANTS, summary)?])
}

fn filled(
    mut section: Section,
    kinds: Kinds,
    summary: &Summary<'_>,
) -> Result<Section, RenderError> {
    let models = &summary.suite.models;
    for &(kind, title) in kinds {
        let mut of_kind: Vec<&ModelResult> =
            models.iter().filter(|model| model.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        if matches!(kind, ModelKind::Mutant | ModelKind::PlantedDefect) {
            kills(&mut section, title, &Kills::of(models, kind))?;
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
    let shown = models.iter().filter(|model| kinds.iter().any(|(kind, _)| *kind == model.kind));
    section.examples = shown.filter_map(example).collect();
    Ok(section)
}

/// Says how many were noticed by whom. The table is folded away if it is long and all of them were.
fn kills(section: &mut Section, title: &str, kills: &Kills<'_>) -> Result<(), RenderError> {
    let (noticed, all, each) = (kills.noticed(), kills.rows.len(), kills.by_engine());
    let excused = kills.rows.iter().filter(|row| !row.noticed());
    let excused = excused.filter(|row| excuse(row.runs[0]).is_some()).count();
    let kept = if excused == 0 { String::new() } else { format!("; {excused} stay for a reason") };
    section.say(format!("{title}: {noticed} of {all} noticed ({each}){kept}."));
    let before: u64 = kills
        .rows
        .iter()
        .flat_map(|row| row.runs.iter().flatten())
        .map(|run| run.executions_before)
        .sum();
    if before > 0 {
        section.say(format!(
            "Counts are executions of the model that is named; {} of models before it noticed nothing.",
            format::count(before)
        ));
    }
    let table = killed(title, kills);
    let fold = all > SHOWN_KILLS && noticed + excused == all;
    let table = if fold { table.folded(format!("{title}: all {all}")) } else { table };
    section.tables.push(table.html()?);
    Ok(())
}

/// What was weakened or planted, and after how many executions each engine noticed.
fn killed(title: &str, kills: &Kills<'_>) -> Table {
    let engines: Vec<_> = kills.engines.iter().map(|engine| format!("{engine}#")).collect();
    let mut columns = vec![title, "What it does", "In model"];
    columns.extend(engines.iter().map(String::as_str));
    let mut table = Table::new(title, &columns);
    for row in &kills.rows {
        let nobody = || Datum::bad("nobody noticed");
        let mut data = vec![
            Datum::text(row.what),
            row.english().or_else(|| excuse(row.runs[0])).map_or_else(nobody, Datum::wide),
            Datum::text(row.model().unwrap_or_default()),
        ];
        data.extend(row.runs.iter().map(|run| count(*run)));
        table.push(data);
    }
    table
}

/// Why nobody needs to notice.
fn excuse(run: Option<&ModelResult>) -> Option<&str> {
    let run = run.filter(|run| run.verdict == Verdict::Pass)?;
    run.outcomes.first().map(String::as_str)
}

/// After how many executions an engine noticed.
fn count(run: Option<&ModelResult>) -> Datum {
    match run {
        None => Datum::dim_number("not asked"),
        Some(run) if noticed(run) => Datum::number(format::count(run.executions)),
        Some(run) => match excuse(Some(run)) {
            Some(why) => Datum::text(why),
            None => Datum::verdict(run.verdict),
        },
    }
}

fn table(title: &str, models: &[&ModelResult]) -> Table {
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
            "Blocked#",
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
            Datum::number(format::count(model.blocked)),
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
        open: !model.expected_failure,
        english: found.english.clone(),
        message: found.message.clone(),
        steps: found.steps.clone(),
        replay: model.replay.clone(),
    })
}
