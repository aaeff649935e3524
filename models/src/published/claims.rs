//! Numbers given out before the slot is owned (F8), and taken back by counting down (F9).
//!
//! The cure gives a number out at the commit, when nothing can go wrong any more.

use crate::memory::{ModelMemory, Shareable};
use crate::published::sites::{
    R_COMMIT_INDEX, R_LABEL_ACQUIRE, R_LEAVE, R_VALUE, W_CLAIM, W_COMMIT_ADD, W_COMMIT_INDEX,
    W_COUNT, W_LABEL_RELEASE, W_NEXT, W_UNCLAIM, W_VALUE,
};
use crate::scenario::Scenario;
use crate::scenario::block::Seen;
use crate::trace::Name;
use crate::violation::{Promise, check};

const SLOTS: u64 = 2;

/// What the writer does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// It claims a number, then waits for readers in vain (F8).
    BeforeDraining,
    /// It holds two numbers, commits the later and gives the earlier up (F9).
    CountedDown,
    /// Nothing: numbers are given out at the commit.
    AtCommit,
}

#[derive(Debug)]
struct Slot<W> {
    readers: W,
    label: W,
    value: W,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W> {
    write_index: W,
    commit_index: W,
    slots: Vec<Slot<W>>,
}

impl<W> World<W> {
    fn slot(&self, sequence: u64) -> &Slot<W> {
        let index = usize::from(sequence % SLOTS == 1);
        &self.slots[index]
    }
}

impl Claims {
    fn fill<M: ModelMemory>(mem: &M, world: &World<M::Word>, sequence: u64, value: u64) {
        let slot = world.slot(sequence);
        mem.store::<W_VALUE>(&slot.value, value);
        mem.store::<W_LABEL_RELEASE>(&slot.label, sequence + 1);
    }

    /// Writes once, if nobody reads the slot.
    fn write<M: ModelMemory>(self, mem: &M, world: &World<M::Word>, value: u64) -> Option<u64> {
        let sequence = match self {
            Self::AtCommit => mem.load::<W_NEXT>(&world.write_index),
            _ => mem.fetch_add::<W_CLAIM>(&world.write_index, 1),
        };
        if mem.load::<W_COUNT>(&world.slot(sequence).readers) != 0 {
            return None;
        }
        Self::fill(mem, world, sequence, value);
        if self == Self::AtCommit {
            mem.fetch_add::<W_CLAIM>(&world.write_index, 1);
        }
        mem.fetch_add::<W_COMMIT_ADD>(&world.commit_index, 1);
        Some(sequence)
    }

    /// Opens two writes, commits the later, gives the earlier up, and writes once more.
    fn write_two<M: ModelMemory>(mem: &M, world: &World<M::Word>) {
        let claim = || mem.fetch_add::<W_CLAIM>(&world.write_index, 1);
        let (_earlier, later) = (claim(), claim());
        Self::fill(mem, world, later, 200);
        mem.store::<W_COMMIT_INDEX>(&world.commit_index, later + 1);
        mem.fetch_add::<W_UNCLAIM>(&world.write_index, u64::MAX);
        let next = claim();
        Self::fill(mem, world, next, 300);
        mem.store::<W_COMMIT_INDEX>(&world.commit_index, next + 1);
    }

    /// What is newest and what it says; `None` when its slot holds something else.
    fn newest<M: ModelMemory>(mem: &M, world: &World<M::Word>) -> (u64, Option<u64>) {
        let sequence = mem.load::<R_COMMIT_INDEX>(&world.commit_index).saturating_sub(1);
        let slot = world.slot(sequence);
        let holds = mem.load::<R_LABEL_ACQUIRE>(&slot.label) == sequence + 1;
        (sequence, holds.then(|| mem.load::<R_VALUE>(&slot.value)))
    }
}

impl Scenario for Claims {
    type World<W: Shareable, C: Shareable> = World<W>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "reader"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word> {
        let word = |name, index, value| mem.word(Name::numbered(name, index), value);
        // Two commits are there, and the reader is inside the older one.
        let slot = |index: u64| {
            let place = usize::from(index == 1);
            let inside = u64::from(index == 0 && *self != Self::CountedDown);
            Slot {
                readers: word("reader_count", place, inside),
                label: word("label", place, index + 1),
                value: word("value", place, index),
            }
        };
        World {
            write_index: word("write_index", 0, SLOTS),
            commit_index: word("commit_index", 0, SLOTS),
            slots: vec![slot(0), slot(1)],
        }
    }

    fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) -> String {
        let mut seen = Seen::default();
        match (index, self) {
            (0, Self::CountedDown) => Self::write_two(mem, world),
            (0, _) => {
                for value in 2..4 {
                    match self.write(mem, world, value) {
                        Some(sequence) => seen.number('w', sequence),
                        None => seen.mark("-"),
                    }
                }
            }
            (_, Self::CountedDown) => {
                let (first, again) = (Self::newest(mem, world), Self::newest(mem, world));
                if let ((one, Some(value)), (other, Some(later))) = (first, again) {
                    check(one != other || value == later, Promise::Labelled, || {
                        format!("{one} is {value} first and {later} afterwards")
                    });
                    seen.number('r', one);
                    seen.number('r', other);
                }
            }
            (..) => {
                mem.fetch_add::<R_LEAVE>(&world.slot(0).readers, u64::MAX);
                seen.mark("left");
            }
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word>) {
        let (newest, value) = Self::newest(mem, world);
        check(value.is_some(), Promise::Lossless, || {
            format!("{newest} counts as committed, and its slot holds another")
        });
    }
}
