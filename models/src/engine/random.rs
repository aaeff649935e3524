//! Random litmus programs, for the tests that compare engines.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

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

/// The variable that gives a test another seed than its usual one.
const SEED: &str = "MODELS_SEED";

/// The same programs every time, and others with another seed.
pub(super) fn runner(cases: u32) -> TestRunner {
    let seed = std::env::var(SEED).ok().and_then(|text| text.parse().ok()).unwrap_or(1_u64);
    println!("{cases} programs of seed {seed}; {SEED} chooses another");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let (failure_persistence, max_shrink_iters) = (None, 500);
    let config = Config { cases, failure_persistence, max_shrink_iters, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn word() -> impl Strategy<Value = usize> {
    0..3_usize
}

fn access() -> impl Strategy<Value = Step> {
    let load = (word(), prop_oneof![Just(Relaxed), Just(Acquire)]);
    let store = (word(), 1..3_u64, prop_oneof![Just(Relaxed), Just(Release)]);
    let add = (word(), 1..3_u64, prop_oneof![Just(Relaxed), Just(AcqRel)]);
    let orderings = prop_oneof![Just(Relaxed), Just(Acquire), Just(Release), Just(AcqRel)];
    let exchange = (word(), 0..3_u64, 1..3_u64, orderings);
    prop_oneof![
        3 => load.prop_map(|(word, ordering)| Step::Load(word, ordering)),
        3 => store.prop_map(|(word, value, ordering)| Step::Store(word, value, ordering)),
        1 => add.prop_map(|(word, amount, ordering)| Step::Add(word, amount, ordering)),
        1 => exchange.prop_map(|(word, from, to, ordering)| Step::Exchange(word, from, to, ordering)),
    ]
}

fn fence() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Fence(Acquire)),
        1 => Just(Step::Fence(Release)),
        1 => Just(Step::Fence(AcqRel)),
        3 => Just(Step::Fence(SeqCst)),
    ]
}

/// Programs of every kind of access and fence.
pub(super) fn mixed() -> impl Strategy<Value = Threads> {
    let step = prop_oneof![4 => access(), 1 => fence()];
    programs(prop::collection::vec(step, 1..5), 3).prop_map(with_few_reads)
}

/// Programs that hand a payload over, or try to.
pub(super) fn handing_over() -> impl Strategy<Value = Threads> {
    let payload =
        prop_oneof![(1..3_u64).prop_map(Step::Put), Just(Step::Get), (0..3_u64).prop_map(Step::If)];
    let step = prop_oneof![3 => access(), 1 => fence(), 2 => payload];
    programs(prop::collection::vec(step, 1..6), 3).prop_map(with_few_reads)
}

/// Programs of relaxed accesses with strongest fences in the midst of their threads.
pub(super) fn through_fences() -> impl Strategy<Value = Threads> {
    let step = (word(), 1..3_u64, 0..5_u8).prop_map(|(word, value, kind)| match kind {
        0..2 => Step::Load(word, Relaxed),
        2..4 => Step::Store(word, value, Relaxed),
        _ => Step::Add(word, value, Relaxed),
    });
    let fenced = (prop::collection::vec(step, 2), prop::bool::weighted(0.7));
    let thread = fenced.prop_map(|(mut steps, fenced)| {
        if fenced {
            steps.insert(1, Step::Fence(SeqCst));
        }
        steps
    });
    prop::collection::vec(thread, 3).prop_map(with_few_reads)
}

/// Programs that pass a message through a third thread, with one more access somewhere.
pub(super) fn relayed() -> impl Strategy<Value = Threads> {
    let orderings = || prop_oneof![Just(Relaxed), Just(Acquire), Just(Release), Just(AcqRel)];
    let first = prop_oneof![Just(Relaxed), Just(Release)];
    let relay = (0..3_u8, orderings()).prop_map(|(kind, ordering)| match (kind, ordering) {
        (0, Relaxed | AcqRel) => Step::Add(1, 1, ordering),
        (1, Relaxed | Release) => Step::Store(1, 2, ordering),
        _ => Step::Exchange(1, 1, 2, ordering),
    });
    let last = prop_oneof![Just(Relaxed), Just(Acquire)];
    let more = (access(), 0..3_usize, 0..2_usize);
    (first, relay, last, more).prop_map(|(first, relay, last, (more, thread, at))| {
        let mut threads = vec![
            vec![Step::Store(0, 1, Relaxed), Step::Store(1, 1, first)],
            vec![relay],
            vec![Step::Load(1, last), Step::Load(0, Relaxed)],
        ];
        threads[thread].insert(at, more);
        threads
    })
}

/// Judging a program takes as long as its reads have combinations.
fn with_few_reads(mut threads: Threads) -> Threads {
    const READS: usize = 5;
    let mut reads = 0;
    for steps in &mut threads {
        steps.retain(|step| {
            let read =
                matches!(step, Step::Load(..) | Step::Add(..) | Step::Exchange(..) | Step::Get);
            reads += usize::from(read);
            !read || reads <= READS
        });
    }
    threads
}

/// A few hundred bytes a program: a program's threads live for ever.
pub(super) fn lasting(threads: impl AsRef<[Vec<Step>]>) -> Program {
    let threads: Vec<&'static [Step]> =
        threads.as_ref().iter().map(|steps| &*Vec::leak(steps.clone())).collect();
    Program { threads: Vec::leak(threads) }
}
