//! Results put together: the shards of a run, and runs of different kinds; or every reason why not.
//!
//! Pure. What contradicts itself is always refused; what is missing only unless the caller says
//! that he knows, and then the verdict is never better than inconclusive.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use report_schema::{CellResult, Made, ScenarioResult, Shard, SuiteResult, Verdict};

use super::NOT_RUN;
use crate::plan::shard::Part;

/// Why results cannot be put together: one line for each reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these results do not belong together:\n{}", reasons.join("\n"))]
pub struct MergeError {
    /// Every reason, with the names of the files.
    pub reasons: Vec<String>,
    /// Nothing contradicts itself: only cells are missing, and `partial` would take what is there.
    pub only_missing: bool,
}

/// One result and the file it was read from.
#[derive(Debug, Clone)]
pub struct Piece {
    /// For messages.
    pub file: String,
    /// What it says.
    pub result: SuiteResult,
}

/// Puts results together: shards in the order of the whole plan, and what they make with runs of
/// other kinds. With `partial`, missing cells are named in the result instead of being refused.
///
/// # Errors
///
/// [`MergeError`]: no result at all; shards of another suite, profile, seed, commit, plan or
/// settings, a cell that comes twice or does not belong to its shard, and, without `partial`, cells
/// that are missing; whole runs of another commit, build or machine, or of the same things.
pub fn merge(pieces: Vec<Piece>, partial: bool) -> Result<SuiteResult, MergeError> {
    let (shards, mut wholes): (Vec<Piece>, Vec<Piece>) =
        pieces.into_iter().partition(|piece| piece.result.shard.is_some());
    if wholes.is_empty() {
        return one_run(shards, partial);
    }
    if let Some(shard) = shards.first() {
        let suite = shard.result.suite.clone();
        let of_it = |piece: &&Piece| piece.result.suite == suite;
        let told =
            |piece: &Piece| format!("{}: it is no shard, but a whole run of {suite}", piece.file);
        let reasons: Vec<String> = wholes.iter().filter(of_it).map(told).collect();
        if !reasons.is_empty() {
            return Err(MergeError { reasons, only_missing: false });
        }
        let file = format!("the shards of {suite}");
        wholes.push(Piece { file, result: one_run(shards, partial)? });
    }
    kinds::together(wholes)
}

/// Shards of one run.
fn one_run(mut pieces: Vec<Piece>, partial: bool) -> Result<SuiteResult, MergeError> {
    pieces.sort_by_key(|piece| piece.result.shard.as_ref().map(|shard| shard.index));
    let Some(first) = pieces.first() else {
        let reasons = vec!["there is no result".to_owned()];
        return Err(MergeError { reasons, only_missing: false });
    };
    let mut reasons: Vec<String> =
        pieces.iter().skip(1).flat_map(|piece| differences(first, piece)).collect();
    reasons.extend(pieces.iter().flat_map(strangers));
    reasons.extend(twins(&pieces));
    let missing = missing(&pieces);
    let only_missing = reasons.is_empty();
    if !partial {
        reasons.extend(missing.iter().cloned());
    }
    if !reasons.is_empty() {
        return Err(MergeError { reasons, only_missing });
    }
    Ok(together(&pieces, missing))
}

/// Where a shard belongs to another run than the first one.
fn differences(first: &Piece, other: &Piece) -> Vec<String> {
    let text = |value: &Option<String>| value.as_deref().unwrap_or("unknown").to_owned();
    let plan = |shard: &Option<Shard>| match shard {
        Some(shard) => format!("{} shards of {} cells", shard.count, shard.cells.len()),
        None => "no shard".to_owned(),
    };
    let (a, b) = (&first.result, &other.result);
    let facts = [
        ("suite", a.suite.clone(), b.suite.clone()),
        ("profile", a.profile.clone(), b.profile.clone()),
        ("seed", a.seed.to_string(), b.seed.to_string()),
        ("commit", text(&a.commit), text(&b.commit)),
        ("plan", plan(&a.shard), plan(&b.shard)),
        ("settings", settings(a), settings(b)),
        ("share of the baseline's false alarms", share(a.shard.as_ref()), share(b.shard.as_ref())),
    ];
    let differ = facts.into_iter().filter(|(_, a, b)| a != b);
    let mut reasons: Vec<String> = differ
        .map(|(what, a, b)| format!("{}: its {what} is {b}, {} has {a}", other.file, first.file))
        .collect();
    let cells = |shard: &Option<Shard>| shard.as_ref().map(|shard| shard.cells.clone());
    if reasons.is_empty() && cells(&a.shard) != cells(&b.shard) {
        reasons
            .push(format!("{}: the cells of its plan are not those of {}", other.file, first.file));
    }
    reasons
}

/// Among how many figures of the whole a shard has divided the rate of false alarms.
fn share(shard: Option<&Shard>) -> String {
    let against = shard.and_then(|shard| shard.against);
    against.map_or_else(|| "none".to_owned(), |figures| format!("1/{figures} a figure"))
}

/// What a run was made with beside its files, as one types it.
fn settings(result: &SuiteResult) -> String {
    let Made { set, repeats, .. } = result.made.clone().unwrap_or_default();
    let set = set.into_iter().map(|(key, value)| format!("--set {key}={value}"));
    let repeats = repeats.map(|repeats| format!("--repeats {repeats}"));
    let plant = result.planted.as_ref().map(|plant| format!("--plant {plant}"));
    let all: Vec<String> = set.chain(repeats).chain(plant).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(" ") }
}

/// Cells that do not belong to the shard they stand in.
fn strangers(piece: &Piece) -> Vec<String> {
    let Some(shard) = &piece.result.shard else { return vec![] };
    if shard.index == 0 || shard.index > shard.count {
        return vec![format!("{}: there is no shard {}/{}", piece.file, shard.index, shard.count)];
    }
    let part = Part { index: shard.index, count: shard.count };
    let own: BTreeSet<&str> = owned(shard, part).collect();
    let foreign = cells(&piece.result).filter(|cell| !own.contains(cell.id.as_str()));
    foreign
        .map(|cell| format!("{}: {} is not a cell of shard {}", piece.file, cell.id, shard.index))
        .collect()
}

/// The ids of one part.
fn owned(shard: &Shard, part: Part) -> impl Iterator<Item = &str> {
    let numbered = shard.cells.iter().enumerate();
    numbered.filter(move |(place, _)| part.holds(*place)).map(|(_, id)| id.as_str())
}

fn cells(result: &SuiteResult) -> impl Iterator<Item = &CellResult> {
    result.scenarios.iter().flat_map(|scenario| &scenario.cells)
}

/// Cells that several shards have.
fn twins(pieces: &[Piece]) -> Vec<String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut reasons = vec![];
    for piece in pieces {
        for cell in cells(&piece.result) {
            if let Some(other) = seen.insert(&cell.id, &piece.file) {
                reasons.push(format!("{}: {} is also in {other}", piece.file, cell.id));
            }
        }
    }
    reasons
}

/// One line for each shard of which cells are missing, or have not one trial.
fn missing(pieces: &[Piece]) -> Vec<String> {
    let Some(shard) = pieces.first().and_then(|piece| piece.result.shard.as_ref()) else {
        return vec![];
    };
    // One that cannot run there has a reason; one that nobody came to has only what was known before.
    let refused = |cell: &CellResult| cell.degraded.iter().any(|why| why.starts_with(NOT_RUN));
    let ran = |cell: &&CellResult| !cell.trials.is_empty() || refused(cell);
    let there: BTreeSet<&str> = pieces
        .iter()
        .flat_map(|piece| cells(&piece.result).filter(ran))
        .map(|cell| cell.id.as_str())
        .collect();
    let of_part = |index| {
        let lost = owned(shard, Part { index, count: shard.count });
        let lost: Vec<&str> = lost.filter(|id| !there.contains(id)).collect();
        let example = lost.first()?;
        Some(format!(
            "shard {index}/{} is missing or not finished: {} did not run, for instance {example}",
            shard.count,
            reports::format::several(lost.len(), "cell")
        ))
    };
    (1..=shard.count).filter_map(of_part).collect()
}

/// One result out of shards that fit together.
fn together(pieces: &[Piece], missing: Vec<String>) -> SuiteResult {
    let results = || pieces.iter().map(|piece| &piece.result);
    let mut whole = pieces[0].result.clone();
    let begin = results().map(|result| result.started_unix_ms).min().unwrap_or(0);
    let ends = results().map(|result| result.started_unix_ms.saturating_add(result.wall_ms));
    whole.started_unix_ms = begin;
    whole.wall_ms = ends.max().unwrap_or(begin).saturating_sub(begin);
    let places = whole.shard.take().map(|shard| shard.cells).unwrap_or_default();
    whole.scenarios = scenarios(pieces, begin, &places);
    whole.comparisons = results().flat_map(|result| result.comparisons.clone()).collect();
    whole.command = without_shard(&whole.command);
    whole.interrupted = results().any(|result| result.interrupted);
    whole.notes = notes(pieces);
    let gap = (!missing.is_empty()).then_some(Verdict::Inconclusive);
    whole.notes.extend(missing);
    let verdicts = results().map(|result| result.verdict).chain(gap);
    whole.verdict = Verdict::worst(verdicts).unwrap_or(Verdict::Inconclusive);
    let ran = cells(&whole).any(|cell| !cell.trials.is_empty());
    whole.exit_code = if ran { whole.verdict.exit_code() } else { report_schema::EXIT_NOTHING_RAN };
    whole
}

/// Scenarios and their cells in the order of the whole plan; trials count from its beginning.
fn scenarios(pieces: &[Piece], begin: u64, places: &[String]) -> Vec<ScenarioResult> {
    let place = |cell: &CellResult| places.iter().position(|id| *id == cell.id);
    let mut all: Vec<ScenarioResult> = vec![];
    for result in pieces.iter().map(|piece| &piece.result) {
        let later_ms = result.started_unix_ms.saturating_sub(begin);
        for scenario in &result.scenarios {
            let mut scenario = scenario.clone();
            for trial in scenario.cells.iter_mut().flat_map(|cell| &mut cell.trials) {
                trial.started_ms = trial.started_ms.saturating_add(later_ms);
            }
            match all.iter_mut().find(|known| known.name == scenario.name) {
                Some(known) => known.cells.append(&mut scenario.cells),
                None => all.push(scenario),
            }
        }
    }
    for scenario in &mut all {
        scenario.cells.sort_by_key(place);
        let verdict = Verdict::worst(scenario.cells.iter().map(|cell| cell.verdict));
        scenario.verdict = verdict.unwrap_or(Verdict::Inconclusive);
    }
    all.sort_by_key(|scenario| scenario.cells.first().and_then(place));
    all
}

/// What each shard had to say, and whether their machines are of one kind.
fn notes(pieces: &[Piece]) -> Vec<String> {
    let mut notes: Vec<String> = vec![];
    for piece in pieces {
        let index = piece.result.shard.as_ref().map_or(0, |shard| shard.index);
        notes.extend(piece.result.notes.iter().map(|note| format!("Shard {index}: {note}")));
    }
    let kinds: BTreeSet<(Option<&str>, Option<&str>)> = pieces
        .iter()
        .map(|piece| &piece.result.host)
        .map(|host| (host.cpu_model.as_deref(), host.kernel.as_deref()))
        .collect();
    if kinds.len() > 1 {
        let kinds = kinds.iter().map(|(cpu, kernel)| {
            format!(
                "{}, {}",
                cpu.unwrap_or("unknown processor"),
                kernel.unwrap_or("unknown kernel")
            )
        });
        let kinds = kinds.collect::<Vec<_>>().join("; ");
        notes.push(format!(
            "The shards ran on different machines, so figures of different cells do not compare: {kinds}."
        ));
    }
    notes
}

/// The command that runs the whole.
fn without_shard(command: &[String]) -> Vec<String> {
    let mut words = command.iter();
    let mut whole = vec![];
    while let Some(word) = words.next() {
        if word == "--shard" {
            words.next();
        } else if !word.starts_with("--shard=") {
            whole.push(word.clone());
        }
    }
    whole
}

#[cfg(test)]
mod tests;
