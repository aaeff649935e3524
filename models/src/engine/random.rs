//! Random litmus programs, for the tests that compare engines.

use proptest::prelude::*;

use crate::litmus::program::{Program, Step};

/// The steps of each thread.
pub(super) type Threads = Vec<Vec<Step>>;

/// Two threads, or three of at most `short` steps.
pub(super) fn programs(
    thread: impl Strategy<Value = Vec<Step>>,
    short: usize,
) -> impl Strategy<Value = Threads> {
    prop::collection::vec(thread, 2..4).prop_map(move |mut threads| {
        if threads.len() == 3 {
            for steps in &mut threads {
                steps.truncate(short);
            }
        }
        threads
    })
}

/// A few hundred bytes a program: a program's threads live for ever.
pub(super) fn lasting(threads: impl AsRef<[Vec<Step>]>) -> Program {
    let threads: Vec<&'static [Step]> =
        threads.as_ref().iter().map(|steps| &*Vec::leak(steps.clone())).collect();
    Program { threads: Vec::leak(threads) }
}
