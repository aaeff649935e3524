//! What the model checkers found, with each counterexample as numbered steps.

use report_schema::{Coverage, ModelKind, ModelResult, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::section::{Datum, Example, Section, Table};
use crate::summary::{Kill, Kills, Summary, noticed};

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
    let mut models = filled(Section::new("models", "Models"), MODELS, summary)?;
    let blind = blind_spots(summary);
    if !blind.is_empty() {
        models.tables.push(blind.html()?);
    }
    Ok([models, filled(Section::new("mutants", "Mutants"), MUTANTS, summary)?])
}

/// What stands between an engine and what it does not see.
const CANNOT: &str = " cannot see ";

/// Whether a note of the run speaks of what an engine does not see.
pub(super) fn blind(note: &str) -> bool {
    note.split_once(CANNOT).is_some_and(|(engine, _)| !engine.contains(' '))
}

/// What each engine does not see, a line each: nobody should believe more than was looked at.
fn blind_spots(summary: &Summary<'_>) -> Table {
    let mut table =
        Table::new("Blind spots of the engines", &["What an engine cannot see, whatever it says"]);
    for note in summary.suite.notes.iter().filter(|note| blind(note)) {
        table.push(vec![Datum::wide(note)]);
    }
    table
}

fn filled(
    mut section: Section,
    kinds: Kinds,
    summary: &Summary<'_>,
) -> Result<Section, RenderError> {
    let models = &summary.suite.models;
    let columns = [
        "What was run",
        "Ended as they must#",
        "Searched completely#",
        "Within a bound#",
        "Sampled#",
    ];
    let mut kinds_table = Table::new("Models by kind, and how much was seen", &columns);
    for &(kind, title) in kinds {
        let mut of_kind: Vec<&ModelResult> =
            models.iter().filter(|model| model.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        if matches!(kind, ModelKind::Mutant | ModelKind::PlantedDefect) {
            kills(&mut section, title, &Kills::of(models, kind), models)?;
            continue;
        }
        of_kind.sort_by_key(|model| core::cmp::Reverse(model.verdict));
        let passed = of_kind.iter().filter(|model| model.verdict == Verdict::Pass).count();
        kinds_table.push(kind_row(title, passed, &of_kind));
        let long = of_kind.len() > SHOWN_MODELS;
        let (open, folded) =
            of_kind.split_at(if long { of_kind.len() - passed } else { of_kind.len() });
        if !open.is_empty() {
            section.tables.push(table(title, open, models).html()?);
        }
        if !folded.is_empty() {
            let line = format!("{title}: {} passed", folded.len());
            section.tables.push(table(title, folded, models).folded(line).html()?);
        }
    }
    if !kinds_table.is_empty() {
        section.tables.insert(0, kinds_table.html()?);
    }
    let shown = models.iter().filter(|model| kinds.iter().any(|(kind, _)| *kind == model.kind));
    section.examples = shown.filter_map(|model| example(model, models)).collect();
    section.examples.sort_by_key(|example| !example.open);
    if !section.examples.is_empty() {
        let all = section.examples.len();
        let unwanted = section.examples.iter().filter(|example| example.open).count();
        section.examples_title = match unwanted {
            0 => format!(
                "{}, each found where it had to be, step by step",
                format::several(all, "counterexample")
            ),
            _ => format!(
                "{} of {} should not exist",
                unwanted,
                format::several(all, "counterexample")
            ),
        };
    }
    Ok(section)
}

/// How many of one kind ended as they must; what was seen completely, in part and by chance is never
/// added.
fn kind_row(title: &str, passed: usize, of_kind: &[&ModelResult]) -> Vec<Datum> {
    let seen = |kind: fn(&Coverage) -> bool| {
        let number = of_kind.iter().filter(|model| kind(&model.coverage)).count();
        let text = format::count(number as u64);
        if number == 0 { Datum::dim_number(text) } else { Datum::number(text) }
    };
    let ended = format!("{passed} of {}", of_kind.len());
    vec![
        Datum::text(title),
        if passed == of_kind.len() { Datum::number(ended) } else { Datum::bad_number(ended) },
        seen(|coverage| matches!(coverage, Coverage::Complete)),
        seen(|coverage| matches!(coverage, Coverage::Bounded { .. })),
        seen(|coverage| matches!(coverage, Coverage::Sampled { .. })),
    ]
}

/// The anchor of a model's counterexample: models have no name that is one by itself.
fn anchor(model: &ModelResult, models: &[ModelResult]) -> Option<String> {
    model.counterexample.as_ref()?;
    let place = models.iter().position(|each| core::ptr::eq(each, model))?;
    Some(format!("example-{place}"))
}

/// Says how many were noticed by whom. Survivors are in the open; the table is folded away if it is
/// long and all others were noticed.
fn kills(
    section: &mut Section,
    title: &str,
    kills: &Kills<'_>,
    models: &[ModelResult],
) -> Result<(), RenderError> {
    let (noticed, all, each) = (kills.noticed(), kills.rows.len(), kills.by_engine());
    let survivors: Vec<&Kill<'_>> = kills.rows.iter().filter(|row| !row.noticed()).collect();
    let excused = survivors.iter().filter(|row| excuse(row.runs[0]).is_some()).count();
    let kept = match excused {
        0 => String::new(),
        1 => ". One survives for a written reason".to_owned(),
        some => format!(". {some} survive for written reasons"),
    };
    section.say(format!("{title}: {noticed} of {all} noticed ({each}){kept}."));
    let executions_before =
        |row: &Kill<'_>| row.runs.iter().flatten().map(|run| run.executions_before).sum::<u64>();
    let before: u64 = kills.rows.iter().map(executions_before).sum();
    if before > 0 {
        section.say(format!(
            "Counts are executions of the model that is named; {} of models before it noticed nothing.",
            format::count(before)
        ));
    }
    if !survivors.is_empty() {
        let mut table = Table::new(format!("{title} that survive"), &[title, "Why", "In model"]);
        for row in survivors {
            let why = excuse(row.runs[0]).map(|why| why.trim_start_matches("survives: "));
            table.push(vec![
                Datum::code(weakened(row.what)),
                why.map_or_else(
                    || Datum::bad("nobody noticed, and nobody has said why"),
                    Datum::wide,
                ),
                Datum::text(row.model().unwrap_or_default()),
            ]);
        }
        section.tables.push(table.stacked().html()?);
    }
    let table = killed(title, kills, models);
    let table = if all > SHOWN_KILLS { table.folded(format!("{title}: all {all}")) } else { table };
    section.tables.push(table.html()?);
    Ok(())
}

/// What was done to the protocol: `W_TAKE made Relaxed`, or the defect's name.
fn weakened(what: &str) -> String {
    what.split_once('=')
        .map_or_else(|| what.to_owned(), |(site, ordering)| format!("{site} made {ordering}"))
}

/// What was weakened or planted, and after how many executions each engine noticed.
fn killed(title: &str, kills: &Kills<'_>, models: &[ModelResult]) -> Table {
    let engines: Vec<_> = kills.engines.iter().map(|engine| format!("{engine}#")).collect();
    let first = if kills.rows.iter().any(|row| row.what.contains('=')) {
        "What was weakened"
    } else {
        "What was done"
    };
    let mut columns = vec![first, "What goes wrong then", "In model"];
    columns.extend(engines.iter().map(String::as_str));
    let mut table = Table::new(title, &columns);
    for row in &kills.rows {
        let nobody = || Datum::bad("nobody noticed");
        let what = Datum::code(weakened(row.what));
        let linked = row.runs.iter().flatten().find_map(|run| anchor(run, models));
        let mut data = vec![
            match linked {
                Some(id) => what.leading_to(id),
                None => what,
            },
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

fn table(title: &str, shown: &[&ModelResult], models: &[ModelResult]) -> Table {
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
    for model in shown {
        let executions = format::count(model.executions);
        table.push(vec![
            match anchor(model, models) {
                Some(id) => Datum::text(&model.scenario).leading_to(id),
                None => Datum::text(&model.scenario),
            },
            Datum::verdict(model.verdict),
            Datum::text(format!("{} {}", model.engine, model.engine_version)),
            Datum::text(&model.memory),
            Datum::text(if model.expected_failure { "fail" } else { "hold" }),
            Datum::text(seen(&model.coverage)),
            if model.executions == 0 {
                Datum::bad_number(executions)
            } else {
                Datum::number(executions)
            },
            Datum::number(format::count(model.blocked)),
            Datum::number(format::count(model.outcomes.len() as u64)),
            Datum::number(took(model.elapsed_ms)),
        ]);
    }
    table
}

fn seen(coverage: &Coverage) -> String {
    match coverage {
        Coverage::Complete => "all executions".to_owned(),
        Coverage::Bounded { bound } => format!("all within {bound}"),
        Coverage::Sampled { schedules, seed } => {
            format!("{} random schedules, seed {seed}", format::count(*schedules))
        }
    }
}

/// How long a search took; the document counts whole milliseconds.
fn took(ms: u64) -> String {
    if ms == 0 { "< 1 ms".to_owned() } else { format::millis(ms) }
}

fn example(model: &ModelResult, models: &[ModelResult]) -> Option<Example> {
    let found = model.counterexample.as_ref()?;
    let memory = model.memory.split_once(' ').map_or(model.memory.as_str(), |(_, what)| what);
    let unwanted = if model.expected_failure { "" } else { "COUNTEREXAMPLE: " };
    Some(Example {
        id: anchor(model, models)?,
        title: format!("{unwanted}{}, {} ({}).", model.scenario, weakened(memory), model.engine),
        open: !model.expected_failure,
        english: found.english.clone(),
        message: found.message.clone(),
        steps: found.steps.clone(),
        replay: model.replay.clone(),
    })
}
