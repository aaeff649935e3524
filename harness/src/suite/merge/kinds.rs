//! Runs of several kinds put together: scenarios, models and kills of one build on one machine.

use std::collections::BTreeMap;

use report_schema::{Made, Part, SuiteResult, Verdict};

use super::{MergeError, Piece, cells};
use crate::compare::differences;

/// Letters of the name of the whole at most: it becomes that of a folder.
const NAME_LETTERS: usize = 60;

/// Puts whole runs together: scenarios first, then models, then kills.
pub(super) fn together(mut pieces: Vec<Piece>) -> Result<SuiteResult, MergeError> {
    pieces.sort_by_key(|piece| rank(&piece.result));
    if pieces.is_empty() {
        return Err(MergeError {
            reasons: vec!["there is no run".to_owned()],
            only_missing: false,
        });
    }
    // Two and two: the first of them may not tell its build.
    let mut reasons: Vec<String> = vec![];
    for (index, piece) in pieces.iter().enumerate() {
        let found = pieces[..index].iter().map(|before| contradictions(before, piece));
        reasons.extend(found.into_iter().find(|found| !found.is_empty()).into_iter().flatten());
    }
    reasons.extend(twins(&pieces));
    if reasons.is_empty() {
        Ok(joined(&pieces))
    } else {
        Err(MergeError { reasons, only_missing: false })
    }
}

fn rank(result: &SuiteResult) -> u8 {
    let has = [!result.scenarios.is_empty(), !result.models.is_empty(), !result.crashes.is_empty()];
    (0..).zip(has).find_map(|(rank, has)| has.then_some(rank)).unwrap_or(u8::MAX)
}

/// Where a run was made from other sources, by another program or on another machine than the first.
fn contradictions(first: &Piece, other: &Piece) -> Vec<String> {
    let (a, b) = (&first.result, &other.result);
    let build = |result: &SuiteResult| result.made.as_ref().and_then(|made| made.build.clone());
    let commit = (a.commit != b.commit).then(|| ("commit", a.commit.clone(), b.commit.clone()));
    // An older document does not tell its build.
    let known = build(a).is_some() && build(b).is_some() && build(a) != build(b);
    let build = known.then(|| ("build", build(a), build(b)));
    let told = |fact: Option<String>| fact.unwrap_or_else(|| "unknown".to_owned());
    let facts = commit.into_iter().chain(build).map(|(what, a, b)| {
        format!("{}: its {what} is {}, {} has {}", other.file, told(b), first.file, told(a))
    });
    let machine = differences(&a.host, &b.host);
    let machine =
        machine.map(|how| format!("{}: another machine than {}: {how}", other.file, first.file));
    facts.chain(machine).collect()
}

/// What stands in several of the runs.
fn twins(pieces: &[Piece]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut reasons = vec![];
    for (index, piece) in pieces.iter().enumerate() {
        let models =
            piece.result.models.iter().map(|model| {
                format!("model {} ({}, {})", model.scenario, model.engine, model.memory)
            });
        let rows = piece.result.crashes.iter();
        let rows = rows.map(|row| format!("{} killed at {} ({})", row.victim, row.site, row.shape));
        let cells = cells(&piece.result).map(|cell| cell.id.clone());
        for name in cells.chain(models).chain(rows) {
            if let Some(other) = seen.get(&name).filter(|other| **other != index) {
                reasons.push(format!("{}: {name} is also in {}", piece.file, pieces[*other].file));
            }
            seen.insert(name, index);
        }
    }
    reasons
}

fn joined(pieces: &[Piece]) -> SuiteResult {
    let results = || pieces.iter().map(|piece| &piece.result);
    let mut whole = pieces[0].result.clone();
    let begin = results().map(|result| result.started_unix_ms).min().unwrap_or(0);
    whole.suite = name(&unique(results().map(|result| result.suite.as_str())));
    whole.profile = profile(pieces);
    whole.started_unix_ms = begin;
    // They ran one after the other, and what came between them is not theirs.
    whole.wall_ms = results().map(|result| result.wall_ms).sum();
    whole.made = made(pieces);
    whole.parts = results().flat_map(parts).collect();
    whole.planted = results().find_map(|result| result.planted.clone());
    whole.interrupted = results().any(|result| result.interrupted);
    whole.scenarios = vec![];
    whole.notes = vec![];
    for result in results() {
        let later_ms = result.started_unix_ms.saturating_sub(begin);
        let mut scenarios = result.scenarios.clone();
        let all = scenarios.iter_mut().flat_map(|scenario| &mut scenario.cells);
        for trial in all.flat_map(|cell| &mut cell.trials) {
            trial.started_ms = trial.started_ms.saturating_add(later_ms);
        }
        whole.scenarios.extend(scenarios);
        let suite = &result.suite;
        whole.notes.extend(result.notes.iter().map(|note| format!("{suite}: {note}")));
    }
    whole.models = results().flat_map(|result| result.models.clone()).collect();
    whole.crashes = results().flat_map(|result| result.crashes.clone()).collect();
    whole.comparisons = results().flat_map(|result| result.comparisons.clone()).collect();
    let worst = Verdict::worst(results().map(|result| result.verdict));
    whole.verdict = worst.unwrap_or(Verdict::Inconclusive);
    let idle = results().all(|result| result.exit_code == report_schema::EXIT_NOTHING_RAN);
    whole.exit_code =
        if idle { report_schema::EXIT_NOTHING_RAN } else { whole.verdict.exit_code() };
    whole
}

/// That of the scenarios, where there are some: with it they are run and judged again. Each part keeps
/// its own.
fn profile(pieces: &[Piece]) -> String {
    let of = |wanted: fn(&SuiteResult) -> bool| {
        let results = pieces.iter().map(|piece| &piece.result).filter(|result| wanted(result));
        unique(results.map(|result| result.profile.as_str())).join("+")
    };
    let scenarios = of(|result| !result.scenarios.is_empty());
    if scenarios.is_empty() { of(|_| true) } else { scenarios }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = vec![];
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn name(names: &[&str]) -> String {
    let name = names.join("+");
    if name.len() > NAME_LETTERS { "merged".to_owned() } else { name }
}

/// One program made them all; settings only where all have the same.
fn made(pieces: &[Piece]) -> Option<Made> {
    let mut all = pieces.iter().filter_map(|piece| piece.result.made.as_ref());
    let first = all.next()?;
    let mut made = first.clone();
    for other in all {
        if (&other.set, other.repeats) != (&first.set, first.repeats) {
            (made.set, made.repeats) = (BTreeMap::new(), None);
        }
        made.build = made.build.or_else(|| other.build.clone());
    }
    Some(made)
}

/// What is told of a run, or of those that it was put together from.
fn parts(result: &SuiteResult) -> Vec<Part> {
    if !result.parts.is_empty() {
        return result.parts.clone();
    }
    vec![Part {
        suite: result.suite.clone(),
        profile: result.profile.clone(),
        command: result.command.clone(),
        seed: result.seed,
        started_unix_ms: result.started_unix_ms,
        wall_ms: result.wall_ms,
        verdict: result.verdict,
    }]
}
