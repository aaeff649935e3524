//! This engine against two judges that share nothing with it. And the other way round: each defect
//! of the engine is noticed by the axioms, and by the interleavings or the litmus suite.
//!
//! One judge are the axioms of C++20 (`engine/axioms`), on programs of any kind. The other one are all
//! interleavings of small programs, one operation at a time, on one memory; it is asked of two
//! fragments, those in which C++20 without load buffering is sequentially consistent, whatever the
//! orderings say:
//! - read-modify-writes only. Each reads the one before it in modification order, so that order is
//!   one of read-from edges, and program order with read-from has no cycle (no load buffering): any
//!   order that extends both is an interleaving that gives the same registers.
//! - any relaxed accesses with a sequentially consistent fence between any two of one thread.

use core::sync::atomic::Ordering::{AcqRel, Relaxed, SeqCst};
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::explore_with;
use super::flaw::Flaw;
use crate::context::Setup;
use crate::engine::axioms::{Ends, ends};
use crate::engine::random::{
    Threads, handing_over, lasting, mixed, programs, relayed, runner, through_fences,
};
use crate::engine::{Engine, Findings, Limits};
use crate::litmus::program::Step;
use crate::litmus::{Allowed, Litmus, suite};
use crate::violation::Promise;

/// Programs of each fragment that has but interleavings.
const PROGRAMS: u32 = 10_000;
/// Programs of each kind that the axioms judge.
const JUDGED: u32 = 8_000;
/// Programs until a defect must have been noticed.
const ENOUGH: u32 = 3_000;

fn exchanges() -> impl Strategy<Value = Threads> {
    let step = (0..3_usize, 1..4_u64, any::<bool>()).prop_map(|(word, amount, strong)| {
        Step::Add(word, amount, if strong { AcqRel } else { Relaxed })
    });
    programs(prop::collection::vec(step, 1..4), 2)
}

fn fenced() -> impl Strategy<Value = Threads> {
    let step = (0..2_usize, 1..3_u64, 0..3_u8).prop_map(|(word, value, kind)| match kind {
        0 => Step::Load(word, Relaxed),
        1 => Step::Store(word, value, Relaxed),
        _ => Step::Add(word, value, Relaxed),
    });
    let thread = prop::collection::vec(step, 1..4).prop_map(|steps| {
        let fenced = steps.into_iter().flat_map(|step| [Step::Fence(SeqCst), step]);
        fenced.skip(1).collect::<Vec<_>>()
    });
    programs(thread, 3)
}

/// Where the payload cell stands, behind the words.
const CELL: usize = 3;

/// Every outcome of every interleaving.
fn interleaved(threads: &[Vec<Step>]) -> BTreeSet<String> {
    let mut outcomes = BTreeSet::new();
    let registers = vec![Vec::new(); threads.len()];
    interleave(threads, (vec![0; threads.len()], [0; CELL + 1], registers), &mut outcomes);
    outcomes
}

fn interleave(
    threads: &[Vec<Step>],
    (at, words, registers): (Vec<usize>, [u64; CELL + 1], Vec<Vec<u64>>),
    outcomes: &mut BTreeSet<String>,
) {
    let mut done = true;
    for (thread, steps) in threads.iter().enumerate() {
        let Some(step) = steps.get(at[thread]) else { continue };
        done = false;
        let (mut at, mut words, mut registers) = (at.clone(), words, registers.clone());
        at[thread] += 1;
        match *step {
            Step::Load(word, _) => registers[thread].push(words[word]),
            Step::Store(word, value, _) => words[word] = value,
            Step::Add(word, amount, _) => {
                registers[thread].push(words[word]);
                words[word] += amount;
            }
            Step::Exchange(word, from, to, _) => {
                registers[thread].push(words[word]);
                words[word] = if words[word] == from { to } else { words[word] };
            }
            Step::Put(value) => words[CELL] = value,
            Step::Get => registers[thread].push(words[CELL]),
            Step::If(value) if registers[thread].last() != Some(&value) => at[thread] = steps.len(),
            // Concern nobody else: they need not be interleaved.
            Step::Fence(_) | Step::If(_) => {
                return interleave(threads, (at, words, registers), outcomes);
            }
        }
        interleave(threads, (at, words, registers), outcomes);
    }
    if done {
        let shown = registers.iter().map(|registers| {
            registers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        outcomes.insert(shown.collect::<Vec<_>>().join(" | "));
    }
}

fn explored(flaw: Flaw, threads: &[Vec<Step>]) -> Findings {
    explore_with(flaw, &lasting(threads), &Setup::default(), &Limits::default())
}

/// How a program ends under the engine; the axioms would say it in the same words.
fn ended(flaw: Flaw, threads: &[Vec<Step>]) -> Result<Ends, String> {
    let found = explored(flaw, threads);
    match found.failure.map(|failure| failure.violation) {
        None => Ok(Ends::Registers(found.outcomes)),
        Some(violation) if violation.promise == Promise::Race => Ok(Ends::Race),
        Some(violation) => Err(violation.message),
    }
}

/// Programs of one kind, judged by the axioms.
fn hold(flaw: Flaw, programs: impl Strategy<Value = Threads>, most: u32) -> Result<(), String> {
    let same = |threads: Threads| {
        prop_assert_eq!(ended(flaw, &threads), Ok(ends(&threads)));
        Ok(())
    };
    runner(most).run(&programs, same).map_err(|error| error.to_string())
}

/// Programs of every kind, judged by the axioms.
fn judge(flaw: Flaw, most: u32) -> Result<(), String> {
    hold(flaw, mixed(), most)?;
    hold(flaw, handing_over(), most)?;
    hold(flaw, relayed(), most)?;
    hold(flaw, through_fences(), most)
}

fn compare(flaw: Flaw, programs: u32) -> Result<(), String> {
    let same = |threads: Threads| {
        let found = explored(flaw, &threads);
        prop_assert!(found.failure.is_none(), "{:?}", found.failure);
        prop_assert_eq!(found.outcomes, interleaved(&threads));
        Ok(())
    };
    runner(programs).run(&exchanges(), same).map_err(|error| error.to_string())?;
    runner(programs).run(&fenced(), same).map_err(|error| error.to_string())
}

fn judged(flaw: Flaw, test: &Litmus) -> Result<(), String> {
    let found = explore_with(flaw, &test.program, &Setup::default(), &Limits::default());
    test.judge(Engine::Explore, &found)
}

/// What is written down for engines with one memory is what such a memory gives.
#[test]
fn every_litmus_row_of_one_memory_is_what_interleavings_give() {
    for test in suite::ALL {
        let threads: Vec<_> = test.program.threads.iter().map(|steps| steps.to_vec()).collect();
        let shown: BTreeSet<_> = test.in_one_memory().into_iter().map(str::to_owned).collect();
        assert_eq!(shown, interleaved(&threads), "{}", test.name);
    }
}

/// A row with an outcome too few or too many is noticed, whichever it is.
#[test]
fn every_wrong_litmus_row_is_noticed() {
    let mut rows = 0;
    for test in suite::ALL.iter().filter(|test| !test.refused) {
        let Allowed::Outcomes(allowed) = test.allowed else { continue };
        let found = explore_with(Flaw::None, &test.program, &Setup::default(), &Limits::default());
        let judged = |outcomes: Vec<&'static str>| {
            let wrong = Litmus { allowed: Allowed::Outcomes(outcomes.leak()), ..*test };
            wrong.judge(Engine::Explore, &found)
        };
        assert_eq!(judged(allowed.to_vec()), Ok(()));
        for row in 0..allowed.len() {
            let fewer = [&allowed[..row], &allowed[row + 1..]].concat();
            assert!(judged(fewer).is_err(), "{} without {}", test.name, allowed[row]);
            rows += 1;
        }
        assert!(judged([allowed, &["9 | 9"]].concat()).is_err(), "{}", test.name);
    }
    assert!(rows > 100, "{rows}");
}

#[test]
fn random_programs_end_as_their_interleavings_do() {
    assert_eq!(compare(Flaw::None, PROGRAMS), Ok(()));
}

#[test]
fn random_programs_end_as_the_axioms_say() {
    assert_eq!(judge(Flaw::None, JUDGED), Ok(()));
}

const FLAWS: &[Flaw] = &[
    Flaw::NoStaleReads,
    Flaw::ForgetCoherence,
    Flaw::EveryLoadAcquires,
    Flaw::ForgetReleaseSequences,
    Flaw::SplitExchanges,
    Flaw::StoresGoLast,
    Flaw::IgnoreFences,
    Flaw::FencesSynchronise,
    Flaw::ForgetReads,
    Flaw::DropMessageWake,
    Flaw::FencesInStepOrder,
    Flaw::ForgetFenceOrder,
];

#[test]
fn every_defect_of_the_engine_is_noticed_by_the_axioms() {
    for &flaw in FLAWS {
        assert!(judge(flaw, JUDGED).is_err(), "{flaw:?} goes unnoticed");
    }
}

#[test]
fn every_defect_of_the_engine_is_noticed_without_them() {
    for &flaw in FLAWS {
        let noticed = suite::ALL.iter().find(|test| judged(flaw, test).is_err());
        let seen = noticed.is_some() || compare(flaw, ENOUGH).is_err();
        assert!(seen, "{flaw:?} goes unnoticed");
    }
    assert!(suite::ALL.iter().all(|test| judged(Flaw::None, test).is_ok()));
}
