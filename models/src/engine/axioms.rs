//! What C++20 without load buffering allows, by its axioms: every way in which the reads of a small
//! program can meet its writes, kept when nothing forbids it. A judge of engines that runs nothing.
//!
//! The axioms are those of RC11 (Lahav et al., PLDI 2017) for programs without sequentially
//! consistent accesses, with the release sequences of C++20: program order and reads-from have no
//! circle; coherence; read-modify-writes are atomic; strongest fences have one order; an execution
//! with a data race makes the program one without meaning.
//! Knows nothing of: views, schedules, steps that follow each other.

mod execution;
mod relation;

use std::collections::BTreeSet;

use self::execution::Execution;
use self::relation::Relation;
use crate::litmus::program::Step;

/// Words of a program; the payload cell stands behind them.
const WORDS: usize = 3;
const CELL: usize = WORDS;
/// The thread of what everything begins with.
const START: usize = usize::MAX;

/// What may come of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ends {
    /// These registers, thread by thread.
    Registers(BTreeSet<String>),
    /// A data race.
    Race,
}

/// One access or fence.
#[derive(Debug, Clone)]
struct Event {
    thread: usize,
    step: Step,
    /// It happens if each of these events found this value; none: before any register there is 0.
    conditions: Vec<(Option<usize>, u64)>,
}

impl Event {
    /// The word or cell that it concerns.
    const fn place(&self) -> Option<usize> {
        match self.step {
            Step::Load(word, _)
            | Step::Store(word, ..)
            | Step::Add(word, ..)
            | Step::Exchange(word, ..) => Some(word),
            Step::Put(_) | Step::Get => Some(CELL),
            Step::Fence(_) | Step::If(_) => None,
        }
    }

    const fn reads(&self) -> bool {
        matches!(self.step, Step::Load(..) | Step::Add(..) | Step::Exchange(..) | Step::Get)
    }

    const fn may_write(&self) -> bool {
        !matches!(self.step, Step::Load(..) | Step::Get | Step::Fence(_) | Step::If(_))
    }

    /// What it writes after it found `found`.
    const fn writes(&self, found: Option<u64>) -> Option<u64> {
        match (self.step, found) {
            (Step::Store(_, value, _) | Step::Put(value), _) => Some(value),
            (Step::Add(_, amount, _), Some(found)) => Some(found.wrapping_add(amount)),
            (Step::Exchange(_, from, to, _), Some(found)) if found == from => Some(to),
            _ => None,
        }
    }
}

/// Everything that `threads` may do, after a first write to each place.
fn events(threads: &[Vec<Step>]) -> Vec<Event> {
    use core::sync::atomic::Ordering::Relaxed;
    let first = (0..WORDS).map(|word| Step::Store(word, 0, Relaxed)).chain([Step::Put(0)]);
    let begin = |step| Event { thread: START, step, conditions: Vec::new() };
    let mut events: Vec<_> = first.map(begin).collect();
    for (thread, steps) in threads.iter().enumerate() {
        let (mut last, mut conditions) = (None, Vec::new());
        for &step in steps {
            if let Step::If(value) = step {
                conditions.push((last, value));
                continue;
            }
            events.push(Event { thread, step, conditions: conditions.clone() });
            if events.last().is_some_and(Event::reads) {
                last = Some(events.len() - 1);
            }
        }
    }
    events
}

/// What comes before what in the text of the program.
fn program_order(events: &[Event]) -> Relation {
    let mut order = Relation::none(events.len());
    for (at, event) in events.iter().enumerate() {
        for (later, other) in events.iter().enumerate().skip(at + 1) {
            if other.thread != START && (event.thread == START || event.thread == other.thread) {
                order.relate(at, later);
            }
        }
    }
    order
}

/// What may come of `threads`.
pub(super) fn ends(threads: &[Vec<Step>]) -> Ends {
    let events = events(threads);
    let order = program_order(&events);
    let reads: Vec<_> = (0..events.len()).filter(|&at| events[at].reads()).collect();
    let sources = |read: usize| {
        let writes = (0..events.len()).filter(|&at| events[at].may_write() && at != read);
        writes.filter(|&at| events[at].place() == events[read].place()).collect::<Vec<_>>()
    };
    let sources: Vec<_> = reads.iter().map(|&read| sources(read)).collect();
    let mut chosen = vec![0; reads.len()];
    let mut ends = BTreeSet::new();
    loop {
        let pairs = reads.iter().zip(&sources).zip(&chosen);
        let from = pairs.map(|((&read, sources), &at)| (read, sources[at], at == 0)).collect();
        if let Some(execution) = Execution::of(&events, &order, from) {
            let registers = execution.registers(threads.len());
            let race = execution.race();
            if (race || !ends.contains(&registers)) && execution.is_consistent() {
                if race {
                    return Ends::Race;
                }
                ends.insert(registers);
            }
        }
        let Some(next) = (0..chosen.len()).find(|&at| chosen[at] + 1 < sources[at].len()) else {
            return Ends::Registers(ends);
        };
        chosen[..next].fill(0);
        chosen[next] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::litmus::{Allowed, suite};

    /// Programs whose every candidate can be tried: reads times places to read from.
    fn small(threads: &[Vec<Step>]) -> bool {
        threads.iter().flatten().count() <= 10
    }

    /// The suite was derived by hand, the axioms from the standard.
    #[test]
    fn the_axioms_give_every_row_of_the_litmus_suite() {
        let mut rows = 0;
        for test in suite::ALL.iter().filter(|test| !test.refused) {
            let threads: Vec<_> = test.program.threads.iter().map(|steps| steps.to_vec()).collect();
            if !small(&threads) {
                continue;
            }
            let expected = match test.allowed {
                Allowed::Race => Ends::Race,
                Allowed::Outcomes(rows) => {
                    Ends::Registers(rows.iter().map(|&row| row.to_owned()).collect())
                }
            };
            assert_eq!(ends(&threads), expected, "{}", test.name);
            rows += 1;
        }
        assert!(rows >= 30, "{rows}");
    }
}
