//! What `model` shows: a line as each run ends, a table, what was found, one last line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use models::replay::Replayed;
use models::{Engine, Found};
use report_schema::{Coverage, ModelKind, ModelResult, SuiteResult, Verdict};
use reports::format;
use reports::summary::{Kills, noticed};
use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::output::coloured;
use crate::table;

/// Every model and its question.
pub(super) fn list() -> String {
    let mut table = table::with_header(["model", "kind", "protocol", "question"]);
    for entry in models::catalogue::all() {
        table.add_row([entry.name, kind(entry.kind), entry.memory, entry.question]);
    }
    table::text(&table)
}

/// The same for programs.
pub(super) fn list_as_json() -> Value {
    let all = models::catalogue::all();
    let entries = all.iter().map(|entry| {
        json!({
            "name": entry.name,
            "kind": kind(entry.kind),
            "protocol": entry.memory,
            "question": entry.question,
        })
    });
    Value::Array(entries.collect())
}

const fn kind(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Protocol => "protocol",
        ModelKind::Mutant => "mutant",
        ModelKind::CrashPoint => "crash point",
        ModelKind::PublishedFlaw => "published flaw",
        ModelKind::Litmus => "litmus",
        ModelKind::PlantedDefect => "planted defect",
        ModelKind::SiteTable => "site table",
        ModelKind::Hardware => "hardware",
    }
}

/// How one run went.
pub(super) fn line(result: &ModelResult) -> String {
    if result.kind == ModelKind::Hardware {
        let (verdict, name) = (coloured(result.verdict), &result.scenario);
        let (counted, ms) = (result.outcomes.join("; "), result.elapsed_ms);
        return format!("{verdict} {name}, {}: {counted}, {ms} ms", result.memory);
    }
    format!(
        "{} {} {}: {}, {} executions, {} ms",
        coloured(result.verdict),
        result.engine,
        result.scenario,
        coverage(&result.coverage),
        result.executions,
        result.elapsed_ms
    )
}

/// Complete, bounded and sampled are never merged.
fn coverage(coverage: &Coverage) -> String {
    match coverage {
        Coverage::Complete => "complete".to_owned(),
        Coverage::Bounded { bound } => format!("bounded ({bound})"),
        Coverage::Sampled { schedules, seed } => format!("sampled ({schedules}, seed {seed})"),
    }
}

/// All that is shown of a result, but the last line; only the first `shown` notes, because what the
/// engines cannot see is always the same.
pub(super) fn body(result: &SuiteResult, shown: usize) -> String {
    let models = &result.models;
    let (shown, rest) = result.notes.split_at(shown.min(result.notes.len()));
    let table = table(models) + &pairs(models);
    table + &planted(models) + &findings(models) + &notes(shown) + &unseen(rest)
}

/// What engines cannot see is told in full where it stays.
fn unseen(spots: &[String]) -> String {
    if spots.is_empty() {
        return String::new();
    }
    let count = spots.len();
    let text = format!(
        "What no model shows, because an engine cannot see it: {count} notes at the end of the \
         report and in `notes` of result.json."
    );
    table::line(&text, ["", "  "])
}

/// Pairs of operations on real cores: a row each, those without fences beside those with them.
fn pairs(results: &[ModelResult]) -> String {
    let pairs: Vec<_> = results.iter().filter(|r| r.kind == ModelKind::Hardware).collect();
    if pairs.is_empty() {
        return String::new();
    }
    let mut table = table::with_header(["pair", "protocol", "forbidden outcomes", "verdict"]);
    for pair in pairs {
        let forbidden = pair.outcomes.join("; ").replace(" forbidden outcomes", "");
        table.add_row([
            pair.scenario.clone(),
            pair.memory.clone(),
            forbidden,
            pair.verdict.to_string(),
        ]);
    }
    let legend = "Without fences some must be seen, or the sample is blind; as shipped, none.";
    table::text(&table) + &table::line(legend, ["", "  "])
}

/// One row for each engine and kind.
pub(in crate::cli) fn table(results: &[ModelResult]) -> String {
    let mut groups: BTreeMap<(&str, &str), Vec<&ModelResult>> = BTreeMap::new();
    for result in results.iter().filter(|result| result.kind != ModelKind::Hardware) {
        groups.entry((kind(result.kind), &result.engine)).or_default().push(result);
    }
    if groups.is_empty() {
        return String::new();
    }
    let header = ["kind", "engine", "runs", "good", "complete", "bound", "sample", "executions"];
    let mut table = table::with_header(header);
    for ((kind, engine), group) in groups {
        let count = |holds: fn(&ModelResult) -> bool| {
            group.iter().filter(|result| holds(result)).count().to_string()
        };
        let executions: u64 =
            group.iter().map(|result| result.executions + result.executions_before).sum();
        table.add_row([
            kind.to_owned(),
            engine.to_owned(),
            group.len().to_string(),
            count(|result| result.verdict == Verdict::Pass),
            count(|result| result.coverage == Coverage::Complete),
            count(|result| matches!(result.coverage, Coverage::Bounded { .. })),
            count(|result| matches!(result.coverage, Coverage::Sampled { .. })),
            format::count(executions),
        ]);
    }
    let legend = "good: went as it must; complete: every execution was seen; bound: all of those \
                  within a bound; sample: some, at random.";
    table::text(&table) + &table::line(legend, ["", "  "])
}

/// How long each engine took, over everything that it was asked.
pub(super) fn times(found: &Found) -> Vec<String> {
    let each = found.took.iter().filter(|(_, took_ms)| *took_ms > 0);
    let line = |(engine, took_ms): &(Engine, u64)| {
        let runs = found.results.iter().filter(|result| result.engine == engine.name()).count();
        format!("{engine} took {:.1} s for {runs} runs.", *took_ms as f64 / 1000.0)
    };
    each.map(line).collect()
}

/// How many mutants and planted defects were noticed, by any engine and by each.
pub(super) fn kills(results: &[ModelResult]) -> Vec<String> {
    let kinds = [(ModelKind::Mutant, "mutants"), (ModelKind::PlantedDefect, "planted defects")];
    let each = kinds.into_iter().map(|(kind, name)| (Kills::of(results, kind), name));
    let lines = each.filter(|(kills, _)| !kills.rows.is_empty()).map(|(kills, name)| {
        let (noticed, all, engines) = (kills.noticed(), kills.rows.len(), kills.by_engine());
        format!("{noticed} of {all} {name} were noticed: {engines}.")
    });
    lines.collect()
}

/// Each planted defect, and after how many executions of that model each engine noticed it.
fn planted(results: &[ModelResult]) -> String {
    let kills = Kills::of(results, ModelKind::PlantedDefect);
    if kills.rows.is_empty() {
        return String::new();
    }
    let mut table = table::with_header(
        ["planted defect", "noticed in model, after executions of it:"]
            .into_iter()
            .chain(kills.engines.iter().copied()),
    );
    for row in &kills.rows {
        let count = |run: Option<&ModelResult>| match run {
            Some(run) if noticed(run) => run.executions.to_string(),
            Some(_) => "missed".to_owned(),
            None => "not asked".to_owned(),
        };
        let name = [row.what.to_owned(), row.model().unwrap_or_default().to_owned()];
        table.add_row(name.into_iter().chain(row.runs.iter().copied().map(count)));
    }
    table::text(&table)
}

/// What else is to be known.
fn notes(notes: &[String]) -> String {
    notes.iter().flat_map(|note| [note.as_str(), "\n"]).collect()
}

/// The counterexamples: in one sentence where one was expected, in steps where not.
pub(in crate::cli) fn findings(results: &[ModelResult]) -> String {
    let mut text = String::new();
    // A String takes every write.
    for result in results {
        let (verdict, engine, name) = (result.verdict, &result.engine, &result.scenario);
        match &result.counterexample {
            Some(found) if verdict == Verdict::Pass && result.kind == ModelKind::PublishedFlaw => {
                let _written = writeln!(
                    text,
                    "rejected {name} ({engine}, {} executions): {}",
                    result.executions, found.english
                );
            }
            Some(found) if verdict != Verdict::Pass => {
                let _written = writeln!(
                    text,
                    "{} {name} ({engine}): {}\n  {}",
                    coloured(verdict),
                    found.message,
                    found.english
                );
                for (number, step) in (1..).zip(&found.steps) {
                    let first = format!("  {number:>3}  ");
                    text.push_str(&table::line(step, [&first, "         "]));
                }
                let _written = writeln!(text, "  again: {}", result.replay);
            }
            None if verdict != Verdict::Pass => {
                let why = if result.expected_failure {
                    "was not rejected, and had to be"
                } else {
                    "came to no result"
                };
                let verdict = coloured(verdict);
                let _written =
                    writeln!(text, "{verdict} {name} ({engine}) {why}; again: {}", result.replay);
            }
            _ => {}
        }
    }
    text
}

/// One execution, step by step, and what it means.
pub(in crate::cli) fn execution(replayed: &Replayed) -> String {
    let result = &replayed.result;
    let mut text = String::new();
    // A String takes every write.
    let _written = writeln!(text, "{} ({}, {})", result.scenario, result.memory, result.engine);
    for (number, step) in (1..).zip(&replayed.steps) {
        let first = format!("  {number:>3}  ");
        text.push_str(&table::line(&step.to_string(), [&first, "         "]));
    }
    let verdict = coloured(result.verdict);
    let _written = match &result.counterexample {
        Some(found) => writeln!(text, "{verdict}: {}\n  {}", found.message, found.english),
        None if result.expected_failure => {
            writeln!(text, "{verdict}: this execution ends well, and had to fail")
        }
        None => writeln!(text, "{verdict}: ends well with {}", result.outcomes.join("; ")),
    };
    text
}

/// The verdict in words.
pub(super) fn last_line(results: &[ModelResult], exit: Exit) -> String {
    let good = results.iter().filter(|result| result.verdict == Verdict::Pass).count();
    let all = results.len();
    let worst = Verdict::worst(results.iter().map(|result| result.verdict));
    match (exit, worst) {
        (Exit::Interrupted, _) => {
            format!("interrupted: {good} of the {all} runs that had ended went as they must")
        }
        (Exit::Pass, _) => format!("pass: {good} of {all} runs went as they must"),
        (_, Some(worst)) => {
            format!("{worst}: {} of {all} runs did not go as they must", all - good)
        }
        (_, None) => "inconclusive: nothing ran".to_owned(),
    }
}
