//! Our own engine: every execution of a model, under every choice that C++20 allows without load
//! buffering, each one once. `cross` holds that against the axioms, on random programs.
//!
//! Roles are coroutines; `world` is the memory, `schedule` the search. A failing execution is
//! known by its decisions and replayed from them with a journal.
//! Refuses sequentially consistent accesses: their total order would need a search of its own, which
//! fences do not (`fences`).

#[cfg(test)]
mod cross;
mod fences;
mod flaw;
mod schedule;
mod view;
mod watch;
mod world;

use core::cell::RefCell;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::Ordering;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::sync::PoisonError;
use std::time::Instant;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use report_schema::Coverage;

use self::flaw::Flaw;
use self::schedule::{Decision, Schedule};
use self::world::{Answer, Choice, Operation, Refused, World};
use super::{Failure, Findings, Limits};
use crate::context::{Context, Setup};
use crate::memory::{Model, Raw, Update};
use crate::scenario::{self, Scenario};
use crate::trace::{END, Journal, SET_UP};
use crate::violation::{Promise, Violation, check, fail, from_payload};

const STACK_BYTES: usize = 64 << 10;

type Fibre = Coroutine<Answer, Operation, String, DefaultStack>;
type Shared = Rc<RefCell<World>>;

/// The memory as one role sees it. The set-up and the end have no yielder: nobody runs beside them.
struct Port<'y> {
    world: Shared,
    role: usize,
    yielder: Option<&'y Yielder<Answer, Operation>>,
}

fn judged<T>(result: Result<T, Refused>) -> T {
    result.unwrap_or_else(|refused| fail(Promise::Model, format!("explore refuses: {refused}")))
}

impl Port<'_> {
    fn perform(&self, operation: Operation) -> Answer {
        let mut choices: Vec<Choice> = Vec::new();
        let alone = self.yielder.is_none();
        if alone || matches!(operation, Operation::Store(..)) {
            self.world.borrow().choices(self.role, operation, 0, &mut choices);
            if let [only] = choices[..] {
                return judged(self.world.borrow_mut().apply(self.role, operation, only));
            }
        }
        match self.yielder {
            Some(yielder) => yielder.suspend(operation),
            None => fail(Promise::Model, "the set-up has a choice".to_owned()),
        }
    }

    fn accepted(ordering: Ordering) {
        check(ordering != Ordering::SeqCst, Promise::Model, || {
            "explore refuses: a sequentially consistent access; use a fence".to_owned()
        });
    }
}

impl Raw for Port<'_> {
    type Word = usize;
    type Cell = usize;

    fn at(&self, site: u16) {
        if let Some(watch) = self.world.borrow_mut().watch() {
            watch.at(self.role, site);
        }
    }

    fn word(&self, initial: u64) -> usize {
        judged(self.world.borrow_mut().word(self.role, initial))
    }

    fn load(&self, word: &usize, ordering: Ordering) -> u64 {
        Self::accepted(ordering);
        let (Ok(value) | Err(value)) = self.perform(Operation::Load(*word, ordering));
        value
    }

    fn store(&self, word: &usize, value: u64, ordering: Ordering) {
        Self::accepted(ordering);
        let _nothing = self.perform(Operation::Store(*word, value, ordering));
    }

    fn update(&self, word: &usize, update: Update, ordering: Ordering) -> u64 {
        Self::accepted(ordering);
        let (Ok(value) | Err(value)) = self.perform(Operation::Update(*word, update, ordering));
        value
    }

    fn exchange(&self, word: &usize, current: u64, new: u64, ordering: Ordering) -> Answer {
        Self::accepted(ordering);
        self.perform(Operation::Exchange(*word, current, new, ordering))
    }

    fn fence(&self, ordering: Ordering) {
        judged(self.world.borrow_mut().fence(self.role, ordering));
    }

    fn cell(&self) -> usize {
        self.world.borrow_mut().cell()
    }

    fn put(&self, cell: &usize, value: u64) {
        let result = self.world.borrow_mut().put(self.role, *cell, value);
        result.unwrap_or_else(|race| fail(Promise::Race, race));
    }

    fn get(&self, cell: &usize) -> u64 {
        let result = self.world.borrow_mut().get(self.role, *cell);
        result.unwrap_or_else(|race| fail(Promise::Race, race))
    }

    fn pause(&self) {}

    fn newest(&self, word: &usize) -> Option<u64> {
        self.world.borrow().newest(*word)
    }
}

/// How one execution ended.
enum End {
    /// Every role ran to its end.
    Done(String),
    /// It repeats another.
    Seen,
    /// A promise was broken.
    Failed(Violation),
}

/// Explores `scenario` until a failure, the end, or a limit.
pub(crate) fn explore<S: Scenario>(scenario: &S, setup: &Setup, limits: &Limits) -> Findings {
    explore_with(Flaw::None, scenario, setup, limits)
}

/// The same with a defect of the engine itself.
fn explore_with<S: Scenario>(flaw: Flaw, scenario: &S, setup: &Setup, limits: &Limits) -> Findings {
    let started = Instant::now();
    let mut findings = Findings::default();
    let mut stacks = Vec::new();
    if let Some(path) = &limits.replay {
        return replay(scenario, setup, limits, path);
    }
    let mut schedule = Schedule::new(limits.repeats).with_flaw(flaw);
    let mut outcomes = BTreeSet::new();
    loop {
        match execute(scenario, setup, &mut schedule, &mut stacks) {
            End::Done(outcome) => {
                findings.executions += 1;
                outcomes.insert(outcome);
            }
            End::Seen => findings.blocked += 1,
            End::Failed(violation) => {
                findings.executions += 1;
                findings.failure =
                    Some(retrace(scenario, setup, limits, (&schedule.path(), violation)));
                break;
            }
        }
        if !schedule.advance() {
            match limits.repeats {
                Some(repeats) if schedule.trimmed() => {
                    findings.bound(format!("{repeats} reads of one stale value in a row"));
                }
                _ => findings.coverage = Some(Coverage::Complete),
            }
            break;
        }
        let runs = findings.executions + findings.blocked;
        if runs >= limits.executions {
            findings.bound(format!("{runs} executions"));
            break;
        }
        if runs % 64 == 0 && started.elapsed().as_secs() >= limits.seconds {
            findings.cut(limits);
            break;
        }
    }
    findings.outcomes = outcomes;
    findings
}

/// The failing execution once more, with a journal.
fn retrace<S: Scenario>(
    scenario: &S,
    setup: &Setup,
    limits: &Limits,
    (path, violation): (&[usize], Violation),
) -> Failure {
    let text = path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    let again = replay(scenario, setup, limits, &text);
    match again.failure {
        Some(failure) if failure.violation.message == violation.message => failure,
        _ => {
            let message = format!("does not repeat itself: {}", violation.message);
            let violation = Violation { promise: Promise::Model, message };
            Failure { violation, steps: Vec::new(), replay: Some(text) }
        }
    }
}

/// The one execution that `path` describes.
fn replay<S: Scenario>(scenario: &S, setup: &Setup, limits: &Limits, path: &str) -> Findings {
    let mut findings = Findings::default();
    let steps: Result<Vec<usize>, _> =
        path.split('.').filter(|part| !part.is_empty()).map(str::parse).collect();
    let Ok(steps) = steps else {
        findings.failure = Some(Failure::of_model(format!("`{path}` is not a path")));
        return findings;
    };
    let setup = Setup { journal: Journal::recording(), ..setup.clone() };
    let mut schedule = Schedule::forced(steps, limits.repeats);
    let end = execute(scenario, &setup, &mut schedule, &mut Vec::new());
    findings.executions = 1;
    findings.bound("one replayed execution".to_owned());
    match end {
        _ if !schedule.followed() => {
            let message = format!("the execution ends before the path `{path}` does");
            findings.failure = Some(Failure::of_model(message));
        }
        End::Done(outcome) => {
            findings.outcomes.insert(outcome);
            findings.told = setup.journal.told();
        }
        End::Seen => findings.blocked = 1,
        End::Failed(violation) => {
            let steps = setup.journal.told();
            findings.failure = Some(Failure { violation, steps, replay: Some(path.to_owned()) });
        }
    }
    findings
}

/// Runs one execution the way `schedule` says.
fn execute<S: Scenario>(
    scenario: &S,
    setup: &Setup,
    schedule: &mut Schedule,
    stacks: &mut Vec<DefaultStack>,
) -> End {
    schedule.begin();
    let mut fibres: Vec<Option<Fibre>> = vec![None];
    let run = AssertUnwindSafe(|| play(scenario, setup, schedule, (&mut fibres, stacks)));
    let end = match catch_unwind(run) {
        Ok(end) => end,
        Err(payload) => End::Failed(from_payload(&*payload)),
    };
    for mut fibre in fibres.into_iter().flatten() {
        fibre.force_unwind();
        stacks.push(fibre.into_stack());
    }
    end
}

fn play<S: Scenario>(
    scenario: &S,
    setup: &Setup,
    schedule: &mut Schedule,
    (fibres, stacks): (&mut Vec<Option<Fibre>>, &mut Vec<DefaultStack>),
) -> End {
    let flawed = World::new(schedule.repeats()).with_flaw(schedule.flaw());
    let memory: Shared = Rc::new(RefCell::new(flawed.watched(setup.watch.is_some())));
    let outside = |name| {
        let port = Port { world: Rc::clone(&memory), role: 0, yielder: None };
        Model::new(port, Context::new(name, setup))
    };
    let world = Rc::new(scenario::set_up(scenario, &outside(SET_UP)));
    for (index, &name) in scenario.roles().iter().enumerate() {
        let role = judged(memory.borrow_mut().spawn());
        let (memory, world, context) =
            (Rc::clone(&memory), Rc::clone(&world), Context::new(name, setup));
        let scenario = *scenario;
        let stack = stacks.pop().unwrap_or_else(new_stack);
        fibres.push(Some(Coroutine::with_stack(stack, move |yielder, _| {
            let port = Port { world: memory, role, yielder: Some(yielder) };
            scenario::play(&scenario, index, &Model::new(port, context), &world)
        })));
    }
    let mut outcomes = vec![String::new(); fibres.len()];
    let mut pending = vec![None; fibres.len()];
    for role in 1..fibres.len() {
        pending[role] = resume(&mut fibres[role], Ok(0), &mut outcomes[role]);
    }
    while pending.iter().any(Option::is_some) {
        let decision = schedule.decide(&pending, &memory.borrow());
        let (role, choice) = match decision {
            Decision::Go(role, choice) => (role, choice),
            Decision::Seen => {
                schedule.note(memory.borrow().trimmed());
                report(setup, &mut memory.borrow_mut());
                return End::Seen;
            }
            Decision::Diverged => {
                fail(Promise::Model, "the model does not repeat itself".to_owned())
            }
        };
        let Some(operation) = pending[role] else { continue };
        let answer = judged(memory.borrow_mut().apply(role, operation, choice));
        pending[role] = resume(&mut fibres[role], answer, &mut outcomes[role]);
    }
    schedule.note(memory.borrow().trimmed());
    report(setup, &mut memory.borrow_mut());
    memory.borrow_mut().join();
    scenario::finish(scenario, &outside(END), &world);
    End::Done(outcomes[1..].join(" | "))
}

/// Hands over who met whom.
fn report(setup: &Setup, world: &mut World) {
    if let (Some(meetings), Some(watch)) = (&setup.watch, world.watch()) {
        let mut meetings = meetings.lock().unwrap_or_else(PoisonError::into_inner);
        meetings.ran.append(&mut watch.meetings.ran);
        meetings.edges.append(&mut watch.meetings.edges);
    }
}

/// Lets one role run to its next operation; notes its outcome when it is done.
fn resume(fibre: &mut Option<Fibre>, answer: Answer, outcome: &mut String) -> Option<Operation> {
    match fibre.as_mut()?.resume(answer) {
        CoroutineResult::Yield(operation) => Some(operation),
        CoroutineResult::Return(text) => {
            *outcome = text;
            None
        }
    }
}

fn new_stack() -> DefaultStack {
    DefaultStack::new(STACK_BYTES)
        .unwrap_or_else(|error| fail(Promise::Model, format!("no stack for a role: {error}")))
}
