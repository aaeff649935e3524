//! The worst that happened: the gravest violation, or else the greatest latency, with what was going
//! on around it and the command that looks at it again.

use report_schema::{CrashResult, HistoryRecord, Interval, Latency, ModelResult, Trial, Verdict};

use crate::format;
use crate::page::RenderError;
use crate::page::appendix::command_line;
use crate::page::figures::percentile_datum;
use crate::page::section::{Datum, Section, Table};
use crate::page::violation::{self, Violation};
use crate::summary::{CellSummary, Percentile, Summary};

/// Intervals shown on each side of the worst one.
const AROUND: usize = 3;
/// Steps of a failing execution that are shown without asking.
const STEPS: usize = 40;

/// Empty where nothing was measured and nothing went wrong.
pub(super) fn section(summary: &Summary<'_>) -> Result<Section, RenderError> {
    let mut section = Section::new("worst", "The worst event");
    let violations = violation::all(summary);
    if let Some((worst, others)) = violations.split_first() {
        match *worst {
            Violation::Trial(cell, trial) => of_trial(&mut section, summary, (cell, trial))?,
            Violation::Gate(cell) => {
                section.say(format!("The gravest violation: {}", summary.sentence));
                section.blocks.push(again(summary, cell));
            }
            Violation::Model(model) => of_model(&mut section, model)?,
            Violation::Kills(row) => of_kills(&mut section, row),
        }
        if !others.is_empty() {
            section.say(format!("Violated elsewhere, too: {}.", violation::counted(others)));
        }
        return Ok(section);
    }
    if summary.verdict == Some(Verdict::Correctness) {
        section.say(format!("The gravest violation: {}", summary.sentence));
        return Ok(section);
    }
    if summary.verdict == Some(Verdict::Broken) {
        broken(&mut section, summary);
    }
    latency(&mut section, summary)?;
    Ok(section)
}

/// What a trial counted, what its history shows, and what was going on.
fn of_trial(
    section: &mut Section,
    summary: &Summary<'_>,
    (cell, trial): (&CellSummary<'_>, &Trial),
) -> Result<(), RenderError> {
    let shown = violation::shown(trial);
    let told = shown.concat();
    let mut shown = shown.into_iter();
    let first = shown.next().unwrap_or_default();
    section.say(format!(
        "The gravest violation: {}, repeat {}: {first} The seed of the trial is {:#x}.",
        cell.cell.id, trial.repeat, trial.seed
    ));
    section.lead.extend(shown);
    section.say(around(trial, None));
    section.blocks.push(again(summary, cell));
    let Some(history) = &trial.history else {
        let ours = cell.cell.transport.as_ref().is_none_or(|carried| carried.name == "datahub");
        if ours {
            section.say(
                "No process wrote a history: with `--set record.history=ring:1M` the same command \
                 shows what each did around the first violation.",
            );
        }
        return Ok(());
    };
    if let Some(example) = history.examples.first().filter(|example| !told.contains(*example)) {
        section.say(format!("The first that the history shows: {example}."));
    }
    if !history.around.is_empty() {
        section.tables.push(records(&history.around).html()?);
    }
    Ok(())
}

/// What each process did before and after, in the order of time.
fn records(around: &[HistoryRecord]) -> Table {
    let columns = ["Time#", "Process", "Did", "Sequence#", "Detail#"];
    let mut table = Table::new("Around the first violation", &columns);
    for record in around {
        let detail = match (record.what.as_str(), record.detail) {
            ("offered" | "delivered", digest) => format!("bytes {:08x}", digest >> 32),
            (_, 0) => String::new(),
            (_, missed) => format::count(missed),
        };
        let sign = if record.offset_ns < 0 { '−' } else { '+' };
        let time = format!("{sign}{}", format::nanos(record.offset_ns.unsigned_abs() as f64));
        table.push(if record.violates {
            vec![
                Datum::bad_number("violated"),
                Datum::field(&record.role, "bad"),
                Datum::field(&record.what, "bad"),
                Datum::bad_number(format::count(record.sequence)),
                Datum::bad_number(detail),
            ]
        } else {
            vec![
                Datum::number(time),
                Datum::code(&record.role),
                Datum::text(&record.what),
                Datum::number(format::count(record.sequence)),
                Datum::dim_number(detail),
            ]
        });
    }
    table
}

/// The failing execution, or what was to fail and did not.
fn of_model(section: &mut Section, model: &ModelResult) -> Result<(), RenderError> {
    let name = format!("{} ({}, {})", model.scenario, model.engine, model.memory);
    section.blocks.push(model.replay.clone());
    let Some(found) = &model.counterexample else {
        let what = if model.expected_failure {
            "it must fail, and nobody noticed"
        } else {
            "it did not end as it must"
        };
        section.say(format!("The gravest violation: model {name}: {what}."));
        return Ok(());
    };
    section.say(format!("The gravest violation: model {name}: {}", found.english));
    section.say(format!("What failed: {}", found.message));
    let mut table = Table::new("The failing execution, step by step", &["Step#", "What was done"]);
    for (step, number) in found.steps.iter().zip(1_u64..) {
        table.push(vec![Datum::number(format::count(number)), Datum::code(step)]);
    }
    if !table.is_empty() {
        section.tables.push(table.folded_beyond(STEPS, "The failing execution").html()?);
    }
    Ok(())
}

fn of_kills(section: &mut Section, row: &CrashResult) {
    let found = violation::listed([
        ("torn", row.torn),
        ("mislabelled", row.mislabelled),
        ("backward", row.backward),
        ("lost", row.lost),
        ("duplicated", row.duplicated),
        ("stuck", row.stuck),
        ("leaked", row.leaked),
    ]);
    let found = if found.is_empty() { "it did not end as it must".to_owned() } else { found };
    let kills = format::several(usize::try_from(row.kills).unwrap_or(usize::MAX), "kill");
    section.say(format!(
        "The gravest violation: killing the {} at {} ({}): {found} in {kills}.",
        row.victim, row.site, row.shape
    ));
    section.lead.extend(row.example.clone());
    section.blocks.push(row.replay.clone());
}

/// What kept the run from running as it should.
fn broken(section: &mut Section, summary: &Summary<'_>) {
    let mut trials = summary
        .cells
        .iter()
        .flat_map(|each| each.cell.trials.iter().map(move |trial| (each, trial)));
    let told = trials.find_map(|(each, trial)| Some((each, trial, trial.broken.first()?)));
    match told {
        Some((each, trial, why)) => section.say(format!(
            "What broke the run: {}, repeat {}: {why}. The seed of the trial is {:#x}.",
            each.cell.id, trial.repeat, trial.seed
        )),
        None => section.say(format!("What broke the run: {}", summary.sentence)),
    }
    section.blocks.extend(told.map(|(each, _, _)| again(summary, each)));
}

/// The greatest latency, where nothing worse happened.
fn latency(section: &mut Section, summary: &Summary<'_>) -> Result<(), RenderError> {
    let Some((cell, trial, latency)) = slowest(summary) else { return Ok(()) };
    let place = latency.intervals.iter().position(|interval| interval.max_ns >= latency.max_ns);
    let when = place.map_or_else(String::new, |place| {
        format!(", in the interval from {}", format::millis(latency.intervals[place].start_ms))
    });
    let violated = match summary.verdict {
        Some(Verdict::Pass) => "No violation.",
        Some(Verdict::Performance) => "Nothing but speed was violated.",
        _ => "No violation was seen, which is no pass.",
    };
    section.say(format!(
        "{violated} The greatest latency of all compared trials: {} in {}, repeat {}{when} ({}).",
        format::nanos(latency.max_ns as f64),
        cell.cell.id,
        trial.repeat,
        latency.kind.describe()
    ));
    section.say(around(trial, place.map(|place| &latency.intervals[place])));
    if let Some(place) = place {
        section.tables.push(table(latency, place).html()?);
    }
    section.blocks.push(again(summary, cell));
    Ok(())
}

fn slowest<'s, 'a>(
    summary: &'s Summary<'a>,
) -> Option<(&'s CellSummary<'a>, &'a Trial, &'a Latency)> {
    let of_cell = |each: &'s CellSummary<'a>| {
        each.judged.iter().flat_map(move |trial| {
            let latencies = trial.roles.iter().filter_map(|role| role.latency.as_ref());
            latencies.map(move |latency| (each, *trial, latency))
        })
    };
    summary.cells.iter().flat_map(of_cell).max_by_key(|(_, _, latency)| latency.max_ns)
}

/// What else was going on in this trial, and whether a fault was in force at that time.
fn around(trial: &Trial, interval: Option<&Interval>) -> String {
    let known = |value: Option<u64>, name: &str| {
        value.map(|value| format!("{} {name}", format::count(value)))
    };
    let noise = [
        known(trial.noise.steal_ms, "ms stolen by the hypervisor"),
        known(trial.noise.involuntary_switches, "times taken off a core"),
        known(trial.noise.major_faults, "major page faults"),
    ];
    let noise: Vec<String> = noise.into_iter().flatten().collect();
    let during = |interval: &&Interval| {
        trial.faults.iter().find(|fault| {
            let end = fault.end_ms.unwrap_or(fault.start_ms).saturating_add(1_000);
            fault.missed.is_none() && (fault.start_ms..=end).contains(&interval.start_ms)
        })
    };
    let fault = interval.as_ref().and_then(during);
    let fault = fault.map_or_else(String::new, |fault| {
        format!(" A fault was in force or had just ended: {}.", fault.what)
    });
    let noise = if noise.is_empty() { "nothing is known".to_owned() } else { noise.join(", ") };
    format!("In this trial: {noise}.{fault}")
}

fn table(latency: &Latency, place: usize) -> Table {
    let mut table = Table::new("Around it", &["From#", "n#", "p50#", "p99#", "max#"]);
    let first = place.saturating_sub(AROUND);
    let shown = latency.intervals.iter().enumerate().skip(first).take(place - first + AROUND + 1);
    for (number, interval) in shown {
        let max = format::nanos(interval.max_ns as f64);
        table.push(vec![
            Datum::number(format::millis(interval.start_ms)),
            Datum::number(format::count(interval.n)),
            percentile_datum(Percentile::among(interval.n, 0.5, interval.p50_ns)),
            percentile_datum(Percentile::among(interval.n, 0.99, interval.p99_ns)),
            if number == place { Datum::bad_number(max) } else { Datum::number(max) },
        ]);
    }
    table
}

/// Options of a run that decide what happens in a trial; all others decide where results go or what
/// else runs.
const DECIDING: [&str; 5] = ["--profile", "--seed", "--set", "--plant", "--repeats"];

/// The command that runs this cell again as it ran: with the defect, the settings and the seed that it
/// was given. Without `--seed` the scenario's own seed gives the same trials.
fn again(summary: &Summary<'_>, cell: &CellSummary<'_>) -> String {
    let suite = summary.suite;
    let mut words = vec!["harness".to_owned(), "run".to_owned(), cell.scenario.file.clone()];
    let mut given = suite.command.iter();
    while let Some(word) = given.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if DECIDING.contains(&name) {
            let value = value.or_else(|| given.next().cloned());
            words.extend([name.to_owned()].into_iter().chain(value));
        }
    }
    if !words.iter().any(|word| word == "--profile") {
        words.extend(["--profile".to_owned(), suite.profile.clone()]);
    }
    let side = match cell.side() {
        Some('A') => "--base-set",
        _ => "--cand-set",
    };
    if cell.side().is_some() {
        let settings = suite.command.windows(2).filter(|pair| pair[0] == side);
        words.extend(settings.flat_map(|pair| ["--set".to_owned(), pair[1].clone()]));
    }
    let id = cell.cell.id.strip_suffix(" (A)").or(cell.cell.id.strip_suffix(" (B)"));
    words.extend(["-E".to_owned(), id.unwrap_or(&cell.cell.id).to_owned()]);
    command_line(&words)
}
