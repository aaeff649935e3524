//! Everything that must not have happened, the gravest first: what trials counted and what their
//! histories, zones and survivors show, gates, models, kills. Checked by: `tests/worst.rs`.

use report_schema::{CrashResult, ModelResult, Trial, Verdict, ZoneAccount};

use crate::format;
use crate::page::history::GUARANTEES;
use crate::summary::{CellSummary, Summary};

/// Sentences of one trial at most.
const TOLD: usize = 8;

/// One thing that must not have happened.
#[derive(Debug, Clone, Copy)]
pub(super) enum Violation<'s, 'a> {
    /// A trial that counted it, or shows it.
    Trial(&'s CellSummary<'a>, &'a Trial),
    /// An expectation that no trial explains.
    Gate(&'s CellSummary<'a>),
    /// A model that did not end as it must.
    Model(&'a ModelResult),
    /// Somebody was killed, and others were harmed.
    Kills(&'a CrashResult),
}

/// All of them, the gravest first, in the order in which the verdict looks for its reason.
pub(super) fn all<'s, 'a>(summary: &'s Summary<'a>) -> Vec<Violation<'s, 'a>> {
    let of_cell =
        |each: &'s CellSummary<'a>| each.cell.trials.iter().map(move |trial| (each, trial));
    let mut trials: Vec<_> = summary
        .cells
        .iter()
        .flat_map(of_cell)
        .filter(|(_, trial)| gravity(trial) != Gravity::default())
        .collect();
    trials.sort_by_key(|(_, trial)| core::cmp::Reverse(gravity(trial)));
    let shown = |cell: &CellSummary<'a>| {
        trials.iter().any(|(other, _)| core::ptr::eq(other.cell, cell.cell))
    };
    let wrong = |cell: &&CellSummary<'a>| {
        let gates = cell.cell.gates.iter();
        gates.filter(|gate| gate.verdict == Verdict::Correctness).count() > 0
    };
    let gates = summary.cells.iter().filter(wrong).filter(|cell| !shown(cell));
    let gates: Vec<_> = gates.map(Violation::Gate).collect();
    let models = summary.suite.models.iter();
    let models = models.filter(|model| model.verdict == Verdict::Correctness);
    let kills = summary.suite.crashes.iter();
    let kills = kills.filter(|row| row.verdict == Verdict::Correctness || row.violations() > 0);
    let trials = trials.into_iter().map(|(each, trial)| Violation::Trial(each, trial));
    trials
        .chain(gates)
        .chain(models.map(Violation::Model))
        .chain(kills.map(Violation::Kills))
        .collect()
}

/// How many there are of each kind, in words: `2 trials, 1 model`.
pub(super) fn counted(violations: &[Violation<'_, '_>]) -> String {
    let count =
        |kind: fn(&Violation<'_, '_>) -> bool| violations.iter().filter(|v| kind(v)).count();
    let kinds = [
        (count(|one| matches!(one, Violation::Trial(..))), "trial"),
        (count(|one| matches!(one, Violation::Gate(_))), "cell"),
        (count(|one| matches!(one, Violation::Model(_))), "model"),
        (count(|one| matches!(one, Violation::Kills(_))), "kind of kill"),
    ];
    let some = kinds.into_iter().filter(|(number, _)| *number > 0);
    let words: Vec<String> = some.map(|(number, noun)| format::several(number, noun)).collect();
    words.join(", ").replace("kind of kills", "kinds of kills")
}

/// What was found in a trial, the gravest first: so trials are compared.
type Gravity = [u64; 16];

fn gravity(trial: &Trial) -> Gravity {
    let counts = &trial.counts;
    let violations = trial.history.as_ref().map(|history| &history.violations);
    let of = |name: &str| violations.and_then(|all| all.get(name)).copied().unwrap_or(0);
    let [g1, g2, g3, g4, g5, g6, g7] = GUARANTEES.map(|(name, _)| of(name));
    [
        counts.torn,
        counts.mislabelled,
        counts.lost,
        counts.duplicated,
        counts.backward,
        counts.checksum_failures,
        g1,
        g2,
        g4,
        g3,
        g7,
        g6,
        trial.zones.iter().map(wrong).fold(0, u64::saturating_add),
        g5,
        trial.stuck.len() as u64,
        trial.mismatches.len() as u64,
    ]
}

/// Looks into a zone that found what must not be.
pub(super) fn wrong(account: &ZoneAccount) -> u64 {
    defects(account).into_iter().map(|(_, number)| number).fold(0, u64::saturating_add)
}

fn defects(account: &ZoneAccount) -> [(&'static str, u64); 5] {
    [
        ("torn", account.torn),
        ("backward", account.backward),
        ("stale", account.stale),
        ("unfinished", account.unfinished),
        ("of wrong checksum", account.checksum_failures),
    ]
}

/// What was counted, as words: `2 torn, 1 lost`; empty where nothing was.
pub(super) fn listed(counts: impl IntoIterator<Item = (&'static str, u64)>) -> String {
    let some = counts.into_iter().filter(|(_, number)| *number > 0);
    let words: Vec<String> = some
        .map(|(name, number)| format!("{} {}", format::count(number), name.replace('_', " ")))
        .collect();
    words.join(", ")
}

/// Words of the harness as a sentence.
fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let text: String = first.chain(letters).collect();
    if text.ends_with('.') { text } else { text + "." }
}

/// What a trial shows, a sentence each, the gravest first.
pub(super) fn shown(trial: &Trial) -> Vec<String> {
    let counts = trial
        .counts
        .named()
        .into_iter()
        .filter(|(name, _)| !["committed", "delivered", "lapped", "timeouts"].contains(name));
    let counted = listed(counts);
    let mut told = vec![];
    if !counted.is_empty() {
        let delivered = format::count(trial.counts.delivered);
        told.push(format!("{counted} of {delivered} messages delivered."));
    }
    for (name, promise) in GUARANTEES {
        let history = trial.history.as_ref();
        let number = history.and_then(|history| history.violations.get(name)).copied();
        if let Some(number) = number.filter(|number| *number > 0) {
            let times = format::several(usize::try_from(number).unwrap_or(usize::MAX), "violation");
            told.push(format!("The history shows {times} of {name}: {promise}."));
        }
    }
    for account in trial.zones.iter().filter(|account| wrong(account) > 0) {
        let (zone, role) = (&account.zone, &account.role);
        told.push(format!("{role} found zone {zone} wrong: {}.", listed(defects(account))));
    }
    told.extend(trial.stuck.iter().chain(&trial.mismatches).map(|what| sentence(what)));
    let more = told.len().saturating_sub(TOLD);
    if more > 0 {
        told.truncate(TOLD);
        told.push(format!("And {} more.", format::count(more as u64)));
    }
    told
}
