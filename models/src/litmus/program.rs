//! A litmus program: a few straight threads over two or three words, and their registers.

use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::sites::{
    FENCE_ACQREL, FENCE_ACQUIRE, FENCE_RELEASE, FENCE_SEQCST, LOAD_ACQUIRE, LOAD_RELAXED,
    LOAD_SEQCST, RMW_ACQREL, RMW_ACQUIRE, RMW_RELAXED, RMW_RELEASE, STORE_RELAXED, STORE_RELEASE,
    STORE_SEQCST,
};
use crate::memory::{ModelMemory, Shareable};
use crate::scenario::Scenario;
use crate::scenario::block::Seen;
use crate::trace::Name;
use crate::violation::{Promise, fail};

/// One instruction. Words are `0..3`; every read gives a register.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Reads a word.
    Load(usize, Ordering),
    /// Writes a word.
    Store(usize, u64, Ordering),
    /// Adds to a word.
    Add(usize, u64, Ordering),
    /// Exchanges the second by the third; gives what was found.
    Exchange(usize, u64, u64, Ordering),
    /// A fence.
    Fence(Ordering),
    /// Goes on only if the last register is this.
    If(u64),
    /// Writes the payload cell.
    Put(u64),
    /// Reads the payload cell.
    Get,
}

/// Straight threads that run beside each other.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The threads.
    pub threads: &'static [&'static [Step]],
}

/// What the threads share.
#[derive(Debug)]
pub struct World<W, C> {
    words: [W; 3],
    cell: C,
}

impl Scenario for Program {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        const NAMES: &[&str] = &["T0", "T1", "T2", "T3"];
        &NAMES[..self.threads.len()]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let word = |index| mem.word(Name::numbered("x", index), 0);
        World { words: [word(0), word(1), word(2)], cell: mem.cell(Name::numbered("cell", 0)) }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        let mut last = 0;
        for step in self.threads[index] {
            let register = match *step {
                Step::If(value) if value != last => break,
                Step::If(_) => None,
                Step::Put(value) => {
                    mem.put(&world.cell, value);
                    None
                }
                Step::Get => Some(mem.get(&world.cell)),
                ref step => perform(mem, world, *step),
            };
            if let Some(value) = register {
                seen.mark(&value.to_string());
                last = value;
            }
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, _: &M, _: &World<M::Word, M::Cell>) {}
}

/// One shared operation; its register, if it has one.
fn perform<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>, step: Step) -> Option<u64> {
    let words = &world.words;
    let found = match step {
        Step::Load(x, Relaxed) => mem.load::<LOAD_RELAXED>(&words[x]),
        Step::Load(x, Acquire) => mem.load::<LOAD_ACQUIRE>(&words[x]),
        Step::Load(x, SeqCst) => mem.load::<LOAD_SEQCST>(&words[x]),
        Step::Add(x, by, Relaxed) => mem.fetch_add::<RMW_RELAXED>(&words[x], by),
        Step::Add(x, by, AcqRel) => mem.fetch_add::<RMW_ACQREL>(&words[x], by),
        Step::Exchange(x, from, to, ordering) => {
            let result = match ordering {
                Relaxed => mem.compare_exchange::<RMW_RELAXED>(&words[x], from, to),
                Acquire => mem.compare_exchange::<RMW_ACQUIRE>(&words[x], from, to),
                Release => mem.compare_exchange::<RMW_RELEASE>(&words[x], from, to),
                _ => mem.compare_exchange::<RMW_ACQREL>(&words[x], from, to),
            };
            let (Ok(found) | Err(found)) = result;
            found
        }
        other => {
            blind(mem, words, other);
            return None;
        }
    };
    Some(found)
}

/// An operation that reads nothing.
fn blind<M: ModelMemory>(mem: &M, words: &[M::Word; 3], step: Step) {
    match step {
        Step::Store(x, value, Relaxed) => mem.store::<STORE_RELAXED>(&words[x], value),
        Step::Store(x, value, Release) => mem.store::<STORE_RELEASE>(&words[x], value),
        Step::Store(x, value, SeqCst) => mem.store::<STORE_SEQCST>(&words[x], value),
        Step::Fence(Acquire) => mem.fence::<FENCE_ACQUIRE>(),
        Step::Fence(Release) => mem.fence::<FENCE_RELEASE>(),
        Step::Fence(AcqRel) => mem.fence::<FENCE_ACQREL>(),
        Step::Fence(SeqCst) => mem.fence::<FENCE_SEQCST>(),
        other => fail(Promise::Model, format!("no litmus site for {other:?}")),
    }
}
