//! Shuttle: random interleavings. Every ordering is sequentially consistent here, so orderings
//! and races cannot fail; what can is the logic, in models too large to exhaust. The depth-first
//! scheduler exhausts the small ones.

mod recorder;

use core::panic::AssertUnwindSafe;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, ReplayScheduler, Scheduler,
};
use ::shuttle::sync::atomic::{AtomicU64, fence};
use ::shuttle::{Config, FailurePersistence, Runner, thread};
use report_schema::Coverage;

use self::recorder::{Decisions, Record, Recorder};
use super::{Engine, Failure, Findings, Limits};
use crate::bounds::SCHEDULES;
use crate::context::{Context, Setup};
use crate::memory::{Model, Raw, Update};
use crate::scenario::{self, Scenario};
use crate::trace::{END, Journal, SET_UP};
use crate::violation::from_payload;

/// Preemptions of a PCT schedule.
const PCT_DEPTH: usize = 3;

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Port;

impl Raw for Port {
    type Word = AtomicU64;
    type Cell = AtomicU64;

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

    fn cell(&self) -> AtomicU64 {
        AtomicU64::new(0)
    }

    fn put(&self, cell: &AtomicU64, value: u64) {
        cell.store(value, Ordering::SeqCst);
    }

    fn get(&self, cell: &AtomicU64) -> u64 {
        cell.load(Ordering::SeqCst)
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

/// Runs `scenario` under many schedules, or under the one that is asked for.
pub(crate) fn sample<S: Scenario>(
    engine: Engine,
    scenario: &S,
    setup: &Setup,
    limits: &Limits,
) -> Findings {
    let scheduler = match scheduler(engine, limits) {
        Ok(scheduler) => scheduler,
        Err(message) => {
            let failure = Some(Failure::of_model(message));
            return Findings { failure, ..Findings::default() };
        }
    };
    let record = Arc::new(Mutex::new(Record::default()));
    let recorder = Recorder { inner: scheduler, record: Arc::clone(&record) };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    config.max_time = Some(Duration::from_secs(limits.seconds));
    let tally = Arc::new(Mutex::new(Tally::default()));
    let setup = Setup { journal: Journal::recording(), ..setup.clone() };
    let journal = setup.journal.clone();
    let body = {
        let (scenario, tally) = (*scenario, Arc::clone(&tally));
        move || execute(&scenario, &setup, &tally)
    };
    let result = catch_unwind(AssertUnwindSafe(|| Runner::new(recorder, config).run(body)));
    let tally = open(&tally);
    let mut findings = Findings {
        executions: tally.executions,
        outcomes: tally.outcomes.clone(),
        ..Findings::default()
    };
    let record = open(&record);
    if let Err(payload) = result {
        findings.executions += 1;
        let violation = from_payload(&*payload);
        let replay = Some(record.now.text());
        findings.failure = Some(Failure { violation, steps: journal.told(), replay });
    } else if limits.replay.is_some() {
        findings.told = journal.told();
        findings.bound("one replayed execution".to_owned());
    } else if engine != Engine::ShuttleDfs {
        findings.coverage =
            Some(Coverage::Sampled { schedules: tally.executions, seed: limits.seed });
        findings.failure = too_few(tally.executions, limits);
    } else if record.exhausted && tally.executions < limits.executions {
        findings.coverage = Some(Coverage::Complete);
    } else if tally.executions < limits.executions {
        findings.cut(limits);
    } else {
        findings.bound(format!("the first {} schedules, depth first", tally.executions));
    }
    findings
}

/// The schedules that a sample is made of.
const fn wanted(limits: &Limits) -> u64 {
    if limits.executions == u64::MAX { SCHEDULES } else { limits.executions }
}

/// A sample that was cut short is none: it would look like a whole one.
fn too_few(executions: u64, limits: &Limits) -> Option<Failure> {
    let (wanted, seconds) = (wanted(limits), limits.seconds);
    (executions < wanted).then(|| {
        Failure::of_model(format!(
            "only {executions} of {wanted} schedules in {seconds} s; give it more --seconds"
        ))
    })
}

/// Who decides.
fn scheduler(engine: Engine, limits: &Limits) -> Result<Box<dyn Scheduler + Send>, String> {
    if let Some(text) = &limits.replay {
        let decisions = Decisions::parse(text).ok_or(format!("`{text}` is no schedule"))?;
        return Ok(Box::new(ReplayScheduler::new_from_schedule(decisions.schedule())));
    }
    let endless = limits.executions == u64::MAX;
    let count = usize::try_from(limits.executions).unwrap_or(usize::MAX);
    let sampled = usize::try_from(wanted(limits)).unwrap_or(usize::MAX);
    Ok(match engine {
        Engine::ShuttleDfs => Box::new(DfsScheduler::new((!endless).then_some(count), false)),
        Engine::ShuttlePct => {
            Box::new(PctScheduler::new_from_seed(limits.seed, PCT_DEPTH, sampled))
        }
        _ => Box::new(RandomScheduler::new_from_seed(limits.seed, sampled)),
    })
}

/// One execution.
fn execute<S: Scenario>(scenario: &S, setup: &Setup, tally: &Mutex<Tally>) {
    setup.journal.clear();
    let outside = Model::new(Port, Context::new(SET_UP, setup));
    let world = Arc::new(scenario::set_up(scenario, &outside));
    let roles: Vec<_> = (0..scenario.roles().len())
        .map(|index| {
            let (scenario, world, setup) = (*scenario, Arc::clone(&world), setup.clone());
            thread::spawn(move || {
                let context = Context::new(scenario.roles()[index], &setup);
                scenario::play(&scenario, index, &Model::new(Port, context), &world)
            })
        })
        .collect();
    let outcomes: Vec<_> = roles.into_iter().map(|role| role.join().unwrap_or_default()).collect();
    scenario::finish(scenario, &Model::new(Port, Context::new(END, setup)), &world);
    let mut tally = open(tally);
    tally.executions += 1;
    tally.outcomes.insert(outcomes.join(" | "));
}
