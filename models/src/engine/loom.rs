//! Loom: exhaustive up to what it models. The litmus suite lists what it does not see.

use core::panic::AssertUnwindSafe;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ::loom::cell::UnsafeCell;
use ::loom::model::Builder;
use ::loom::sync::atomic::{AtomicU64, fence};
use ::loom::thread;
use report_schema::Coverage;

use super::{Failure, Findings, Limits};
use crate::context::{Context, Setup};
use crate::memory::{Model, Raw, Update};
use crate::scenario::{self, Scenario};
use crate::trace::{END, Journal, SET_UP};
use crate::violation::from_payload;

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

struct Port;

impl Raw for Port {
    type Word = AtomicU64;
    type Cell = Mutex<Watched>;

    fn word(&self, initial: u64) -> AtomicU64 {
        AtomicU64::new(initial)
    }

    fn load(&self, word: &AtomicU64, ordering: Ordering) -> u64 {
        word.load(ordering)
    }

    fn store(&self, word: &AtomicU64, value: u64, ordering: Ordering) {
        word.store(value, ordering);
    }

    fn update(&self, word: &AtomicU64, update: Update, ordering: Ordering) -> u64 {
        match update {
            Update::Add(amount) => word.fetch_add(amount, ordering),
            Update::Or(bits) => word.fetch_or(bits, ordering),
            Update::And(bits) => word.fetch_and(bits, ordering),
        }
    }

    fn exchange(
        &self,
        word: &AtomicU64,
        current: u64,
        new: u64,
        ordering: Ordering,
    ) -> Result<u64, u64> {
        word.compare_exchange(current, new, ordering, Ordering::Relaxed)
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
        thread::yield_now();
    }

    fn newest(&self, _: &AtomicU64) -> Option<u64> {
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
    let Some(text) = &limits.replay else { return search(scenario, setup, limits, CHECKPOINT) };
    let mut findings = Findings::default();
    let Ok(wanted @ 1..) = text.parse::<u64>() else {
        findings.failure = Some(Failure::of_model(format!("`{text}` is no execution's number")));
        return findings;
    };
    let until = Limits { executions: wanted + 1, ..limits.clone() };
    findings = search(scenario, setup, &until, 1);
    let met = findings.executions;
    if met != wanted {
        let message = format!("there is no execution {wanted} here: the search ended with {met}");
        findings.failure = Some(Failure::of_model(message));
    }
    findings.executions = 1;
    findings.bound("one replayed execution".to_owned());
    findings
}

fn search<S: Scenario>(
    scenario: &S,
    setup: &Setup,
    limits: &Limits,
    checkpoint: usize,
) -> Findings {
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
        move || execute(&scenario, &setup, &tally)
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
        findings.bound(format!("{} s", limits.seconds));
    } else if tally.executions + checkpoint as u64 >= limits.executions {
        findings.bound(format!("{} executions", limits.executions));
    } else if let Some(preemptions) = limits.preemptions {
        findings.bound(format!("{preemptions} preemptions"));
    } else {
        findings.coverage = Some(Coverage::Complete);
    }
    if limits.replay.is_some() {
        findings.told = journal.told();
    }
    findings
}

/// One execution. The first role runs on the main thread: one thread less to interleave.
fn execute<S: Scenario>(scenario: &S, setup: &Setup, tally: &Mutex<Tally>) {
    setup.journal.clear();
    let outside = Model::new(Port, Context::new(SET_UP, setup));
    let world = Arc::new(scenario::set_up(scenario, &outside));
    let roles = scenario.roles();
    let others: Vec<_> = (1..roles.len())
        .map(|index| {
            let (scenario, world) = (*scenario, Arc::clone(&world));
            let context = Context::new(roles[index], setup);
            thread::spawn(move || {
                scenario::play(&scenario, index, &Model::new(Port, context), &world)
            })
        })
        .collect();
    let first = Model::new(Port, Context::new(roles[0], setup));
    let mut outcomes = vec![scenario::play(scenario, 0, &first, &world)];
    outcomes.extend(others.into_iter().map(|role| role.join().unwrap_or_default()));
    scenario::finish(scenario, &Model::new(Port, Context::new(END, setup)), &world);
    let mut tally = open(tally);
    tally.executions += 1;
    tally.outcomes.insert(outcomes.join(" | "));
}
