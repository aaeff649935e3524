//! Loom against the explorer on random programs, and loom as it is against loom as we drive it.
//!
//! The fragment leaves out what loom is known not to model (see the litmus suite): refused exchanges,
//! fences, stores beside read-modify-writes, and more stores to a word than it remembers.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{CHECKPOINT, DRIVE, Drive, How, search};
use crate::context::Setup;
use crate::engine::random::{lasting, programs};
use crate::engine::{Engine, Limits, run};
use crate::litmus::program::Step;
use crate::litmus::suite;
use crate::scenario::Scenario;
use crate::scenario::slot::Slots;

/// Random programs.
const PROGRAMS: u32 = 300;

/// One word is stored to, the other is added to.
fn step() -> impl Strategy<Value = Step> {
    let kinds = (any::<bool>(), any::<bool>(), any::<bool>(), 1..3_u64);
    kinds.prop_map(|(adds, loads, strong, value)| match (adds, loads) {
        (_, true) => Step::Load(adds.into(), if strong { Acquire } else { Relaxed }),
        (true, false) => Step::Add(1, value, if strong { AcqRel } else { Relaxed }),
        (false, false) => Step::Store(0, value, if strong { Release } else { Relaxed }),
    })
}

fn ends<S: Scenario>(drive: Drive, scenario: &S) -> BTreeSet<String> {
    let how = How { checkpoint: CHECKPOINT, drive };
    let found = search(scenario, &Setup::default(), &Limits::default(), how);
    assert!(found.failure.is_none(), "{:?}", found.failure);
    found.outcomes
}

fn explored<S: Scenario>(scenario: &S) -> BTreeSet<String> {
    run(Engine::Explore, scenario, &Setup::default(), &Limits::default()).outcomes
}

/// The same programs every time.
fn compare(drive: Drive) -> Result<(), String> {
    let config = Config { cases: PROGRAMS, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let all = programs(prop::collection::vec(step(), 1..4), 2);
    let same = |threads| {
        let program = lasting(threads);
        prop_assert_eq!(ends(drive, &program), explored(&program));
        Ok(())
    };
    TestRunner::new_with_rng(config, rng).run(&all, same).map_err(|error| error.to_string())
}

#[test]
fn random_programs_end_as_the_explorer_says() {
    assert_eq!(compare(DRIVE), Ok(()));
}

#[test]
fn without_marks_a_load_hides_an_earlier_one_from_a_store() {
    let bare = Drive { marks: false, ..DRIVE };
    let hidden = suite::ALL.iter().find(|test| test.name == "litmus/search/load-then-store");
    let program = hidden.unwrap().program;
    let lost: Vec<_> = ends(DRIVE, &program).difference(&ends(bare, &program)).cloned().collect();
    assert_eq!(lost, ["1 | 0"]);
    assert!(compare(bare).is_err());
}

#[test]
fn a_role_that_yields_lets_another_step_and_an_end_is_lost() {
    let model = Slots { aborts: true, reads: 2, ..Slots::PLAIN };
    let all = ends(DRIVE, &model);
    assert_eq!(all, explored(&model));
    let yielding = ends(Drive { yields: true, ..DRIVE }, &model);
    let lost: Vec<_> = all.difference(&yielding).cloned().collect();
    assert_eq!(lost, ["- - | r0 -"]);
}
