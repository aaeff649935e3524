//! Loom: exhaustive up to what it models. The litmus suite lists what it does not see.
//!
//! Loom 0.7.3 notes one last access to a word: a load by anybody hides the loads before it, and a
//! store is then never tried before those. So each role leaves a mark of its own for its loads, which
//! nobody reads, and whoever writes touches the marks of the others: accesses to one mark never hide
//! each other. And a role that yields is not run again before another has made a step, so here nobody
//! yields: loops are bounded anyway. `cross` shows that both are needed, and that both are enough.

#[cfg(test)]
mod cross;

use core::panic::AssertUnwindSafe;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Failure, Findings, Limits};
use crate::bounds::within;
use crate::context::{Context, Setup};
use crate::memory::{Model, Raw, Update};
use crate::scenario::{self, Scenario};
use crate::trace::{END, Journal, SET_UP};
use crate::violation::from_payload;
use ::loom::cell::UnsafeCell;
use ::loom::model::Builder;
use ::loom::sync::atomic::{AtomicU64, fence};
use ::loom::{explore, stop_exploring, thread};

/// How often loom looks at its limits.
const CHECKPOINT: usize = 500;

/// The lock is free whenever it is asked for: loom runs one role at a time and does not switch
/// inside.
fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A payload word: loom watches the accesses to `watched`, the value stands beside it.
#[derive(Debug)]
struct Watched {
    watched: UnsafeCell<()>,
    value: u64,
}

/// How loom is driven: as it is, or so that its search finds everything.
#[derive(Debug, Clone, Copy)]
struct Drive {
    /// Loads leave marks.
    marks: bool,
    /// Whoever waits yields.
    yields: bool,
}

/// Loses nothing.
const DRIVE: Drive = Drive { marks: true, yields: false };

/// A shared word, and what loads of each role mark.
#[derive(Debug)]
struct Word {
    value: AtomicU64,
    marks: Vec<AtomicU64>,
}

/// The memory as one role sees it. The set-up and the end are nobody's: nobody runs beside them.
#[derive(Debug, Clone, Copy)]
struct Port {
    role: Option<usize>,
    roles: usize,
    drive: Drive,
}

impl Port {
    /// Touches marks of `word`, in one step with the operation before. The store is relaxed and is
    /// never read, so it orders nothing.
    fn touch(&self, word: &Word, wanted: impl Fn(usize, usize) -> bool) {
        let Some(role) = self.role.filter(|_| self.drive.marks) else { return };
        stop_exploring();
        for (other, mark) in word.marks.iter().enumerate() {
            if wanted(role, other) {
                mark.store(0, Ordering::Relaxed);
            }
        }
        explore();
    }

    fn looked(&self, word: &Word) {
        self.touch(word, |role, other| role == other);
    }

    fn wrote(&self, word: &Word) {
        self.touch(word, |role, other| role != other);
    }
}

impl Raw for Port {
    type Word = Word;
    type Cell = Mutex<Watched>;

    fn word(&self, initial: u64) -> Word {
        let roles = if self.drive.marks { self.roles } else { 0 };
        let marks = (0..roles).map(|_| AtomicU64::new(0)).collect();
        Word { value: AtomicU64::new(initial), marks }
    }

    fn load(&self, word: &Word, ordering: Ordering) -> u64 {
        let value = word.value.load(ordering);
        self.looked(word);
        value
    }

    fn store(&self, word: &Word, value: u64, ordering: Ordering) {
        word.value.store(value, ordering);
        self.wrote(word);
    }

    fn update(&self, word: &Word, update: Update, ordering: Ordering) -> u64 {
        let found = match update {
            Update::Add(amount) => word.value.fetch_add(amount, ordering),
            Update::Or(bits) => word.value.fetch_or(bits, ordering),
            Update::And(bits) => word.value.fetch_and(bits, ordering),
        };
        self.wrote(word);
        found
    }

    fn exchange(
        &self,
        word: &Word,
        current: u64,
        new: u64,
        ordering: Ordering,
    ) -> Result<u64, u64> {
        let result = word.value.compare_exchange(current, new, ordering, Ordering::Relaxed);
        self.wrote(word);
        result
    }

    fn fence(&self, ordering: Ordering) {
        fence(ordering);
    }

    fn cell(&self) -> Mutex<Watched> {
        Mutex::new(Watched { watched: UnsafeCell::new(()), value: 0 })
    }

    fn put(&self, cell: &Mutex<Watched>, value: u64) {
        let mut cell = open(cell);
        cell.watched.with_mut(|_| ());
        cell.value = value;
    }

    fn get(&self, cell: &Mutex<Watched>) -> u64 {
        let cell = open(cell);
        cell.watched.with(|_| ());
        cell.value
    }

    fn pause(&self) {
        if self.drive.yields {
            thread::yield_now();
        }
    }

    fn newest(&self, _: &Word) -> Option<u64> {
        None
    }
}

/// What the executions leave behind.
#[derive(Debug, Default)]
struct Tally {
    executions: u64,
    outcomes: BTreeSet<String>,
}

/// Runs `scenario` until a failure, the end, or a limit.
///
/// An execution is named by its number: the search is the same every time, so that a replay goes
/// through it again and stops there.
pub(crate) fn check<S: Scenario>(scenario: &S, setup: &Setup, limits: &Limits) -> Findings {
    let how = How { checkpoint: CHECKPOINT, drive: DRIVE };
    let Some(text) = &limits.replay else { return search(scenario, setup, limits, how) };
    let mut findings = Findings::default();
    let Ok(wanted @ 1..) = text.parse::<u64>() else {
        findings.failure = Some(Failure::of_model(format!("`{text}` is no execution's number")));
        return findings;
    };
    let until = Limits { executions: wanted + 1, ..limits.clone() };
    findings = search(scenario, setup, &until, How { checkpoint: 1, ..how });
    let met = findings.executions;
    if met != wanted {
        let message = format!("there is no execution {wanted} here: the search ended with {met}");
        findings.failure = Some(Failure::of_model(message));
    }
    findings.executions = 1;
    findings.bound("one replayed execution".to_owned());
    findings
}

/// How a search goes.
#[derive(Debug, Clone, Copy)]
struct How {
    /// Loom looks at its limits after so many executions.
    checkpoint: usize,
    drive: Drive,
}

fn search<S: Scenario>(scenario: &S, setup: &Setup, limits: &Limits, how: How) -> Findings {
    let How { checkpoint, drive } = how;
    let started = Instant::now();
    let longest = Duration::from_secs(limits.seconds);
    let mut builder = Builder::new();
    builder.preemption_bound = limits.preemptions;
    builder.max_branches = 10_000;
    builder.checkpoint_interval = checkpoint;
    builder.max_duration = Some(longest);
    builder.max_permutations = usize::try_from(limits.executions).ok();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let setup = Setup { journal: Journal::recording(), ..setup.clone() };
    let journal = setup.journal.clone();
    let body = {
        let (scenario, tally) = (*scenario, Arc::clone(&tally));
        move || execute(&scenario, &setup, (&tally, drive))
    };
    let result = catch_unwind(AssertUnwindSafe(|| builder.check(body)));
    let tally = open(&tally);
    let mut findings = Findings {
        executions: tally.executions,
        outcomes: tally.outcomes.clone(),
        ..Findings::default()
    };
    if let Err(payload) = result {
        findings.executions += 1;
        let violation = from_payload(&*payload);
        let replay = Some(findings.executions.to_string());
        findings.failure = Some(Failure { violation, steps: journal.told(), replay });
    } else if started.elapsed() >= longest {
        findings.cut(limits);
    } else {
        // Loom looks at its limits now and then only, and stops a little before or behind them.
        let reached = tally.executions.saturating_add(checkpoint as u64);
        findings.coverage = Some(within(limits, reached));
    }
    if limits.replay.is_some() {
        findings.told = journal.told();
    }
    findings
}

/// One execution. The first role runs on the main thread: one thread less to interleave.
fn execute<S: Scenario>(scenario: &S, setup: &Setup, (tally, drive): (&Mutex<Tally>, Drive)) {
    setup.journal.clear();
    let roles = scenario.roles();
    let port = |role| Port { role, roles: roles.len(), drive };
    let outside = Model::new(port(None), Context::new(SET_UP, setup));
    let world = Arc::new(scenario::set_up(scenario, &outside));
    let others: Vec<_> = (1..roles.len())
        .map(|index| {
            let (scenario, world) = (*scenario, Arc::clone(&world));
            let memory = Model::new(port(Some(index)), Context::new(roles[index], setup));
            thread::spawn(move || scenario::play(&scenario, index, &memory, &world))
        })
        .collect();
    let first = Model::new(port(Some(0)), Context::new(roles[0], setup));
    let mut outcomes = vec![scenario::play(scenario, 0, &first, &world)];
    outcomes.extend(others.into_iter().map(|role| role.join().unwrap_or_default()));
    scenario::finish(scenario, &Model::new(port(None), Context::new(END, setup)), &world);
    let mut tally = open(tally);
    tally.executions += 1;
    tally.outcomes.insert(outcomes.join(" | "));
}
