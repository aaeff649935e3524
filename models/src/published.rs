//! The slot protocol as HEP-CORE-0002 publishes it, flaws included, and the form that holds.
//!
//! One count of readers, a state, a generation, a lock. `closes_first` puts DRAINING before the
//! look at the count; `labels` stores beside the state which commit the slot holds.
//! Source: HEP-CORE-0002 §4.2.1 (writer), §4.2.2 (reader).

pub mod claims;
pub mod generation;
pub mod join;
pub mod minimum;
pub mod sites;
pub mod steal;

use std::sync::{Mutex, PoisonError};

use crate::litmus::sites::{LOAD_ACQUIRE, RMW_ACQREL, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::published::sites::{
    R_BACK_OFF, R_COMMIT_INDEX, R_COUNT, R_FENCE, R_GENERATION, R_LABEL, R_LEAVE, R_RECHECK,
    R_STATE, R_VALIDATE, W_COMMIT_INDEX, W_COMMITTED, W_COUNT, W_DRAINING, W_FENCE, W_GENERATION,
    W_LABEL, W_LOCK, W_RESTORE, W_STATE, W_UNLOCK, W_WRITING, W_WRITING_FENCE, X_COUNT,
};
use crate::scenario::Scenario;
use crate::scenario::block::{Payload, Seen, fill, payload, verify};
use crate::trace::Name;
use crate::violation::{Promise, check};

const FREE: u64 = 0;
const WRITING: u64 = 1;
const COMMITTED: u64 = 2;
const DRAINING: u64 = 3;
const OWNER: u64 = 1;

/// What somebody does about dead readers meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nobody does anything.
    Nobody,
    /// Sets every count to zero, as published, without knowing who is counted (F27).
    Resets,
    /// With a proof of death, takes back what bears the dead one's name: nothing, if readers are only
    /// counted (F6).
    ByName,
}

/// The bit of the reader where readers have names.
const READER: u64 = 1;

/// A producer goes round a ring of published slots; a reader takes the newest.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Slots.
    pub slots: usize,
    /// Commits before the roles begin.
    pub before: u64,
    /// Writes of the writer.
    pub commits: u64,
    /// Reads of the reader.
    pub reads: u64,
    /// DRAINING is stored before the count is examined (cures F1).
    pub closes_first: bool,
    /// What is done about dead readers.
    pub recovery: Recovery,
    /// A reader sets a bit of its own instead of counting itself (cures F6 and F27).
    pub named: bool,
    /// The slot says which commit it holds, and the reader compares (cures F4).
    pub labels: bool,
}

/// One published slot.
#[derive(Debug)]
pub struct Slot<W, C> {
    lock: W,
    readers: W,
    state: W,
    generation: W,
    label: W,
    payload: Payload<C>,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    commit_index: W,
    slots: Vec<Slot<W, C>>,
    next: Mutex<u64>,
    /// 1 when the reader is dead.
    dead: W,
}

impl Published {
    fn slot<'w, W, C>(&self, world: &'w World<W, C>, sequence: u64) -> &'w Slot<W, C> {
        #[expect(clippy::cast_possible_truncation, reason = "a handful of slots")]
        let index = sequence as usize % self.slots;
        &world.slots[index]
    }

    /// Writes once; whether it did.
    fn write<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        sequence: u64,
    ) -> bool {
        let slot = self.slot(world, sequence);
        if mem.compare_exchange::<W_LOCK>(&slot.lock, 0, OWNER).is_err() {
            return false;
        }
        let held = mem.load::<W_STATE>(&slot.state);
        let closes = self.closes_first && held == COMMITTED;
        if closes {
            mem.store::<W_DRAINING>(&slot.state, DRAINING);
        }
        let mut looks = 0;
        loop {
            mem.fence::<W_FENCE>();
            if mem.load::<W_COUNT>(&slot.readers) == 0 {
                break;
            }
            looks += 1;
            if looks == 2 {
                if closes {
                    mem.store::<W_RESTORE>(&slot.state, COMMITTED);
                }
                mem.store::<W_UNLOCK>(&slot.lock, 0);
                return false;
            }
            mem.pause();
        }
        mem.store::<W_WRITING>(&slot.state, WRITING);
        mem.fence::<W_WRITING_FENCE>();
        fill(mem, &slot.payload, sequence);
        if self.labels {
            mem.store::<W_LABEL>(&slot.label, sequence);
        }
        mem.fetch_add::<W_GENERATION>(&slot.generation, 1);
        mem.store::<W_COMMITTED>(&slot.state, COMMITTED);
        mem.store::<W_COMMIT_INDEX>(&world.commit_index, sequence + 1);
        mem.store::<W_UNLOCK>(&slot.lock, 0);
        true
    }

    /// Takes the dead reader out, if its death is proved and it can be found.
    fn recover<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> &'static str {
        match self.recovery {
            Recovery::Resets => {
                world.slots.iter().for_each(|slot| mem.store::<X_COUNT>(&slot.readers, 0));
                "resets"
            }
            Recovery::ByName if mem.load::<LOAD_ACQUIRE>(&world.dead) == 1 => {
                for slot in world.slots.iter().filter(|_| self.named) {
                    mem.fetch_and::<RMW_ACQREL>(&slot.readers, !READER);
                }
                "takes out"
            }
            Recovery::ByName | Recovery::Nobody => "-",
        }
    }

    /// Reads the newest; its number.
    fn read<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> Option<u64> {
        let sequence = mem.load::<R_COMMIT_INDEX>(&world.commit_index).checked_sub(1)?;
        let slot = self.slot(world, sequence);
        if mem.load::<R_STATE>(&slot.state) != COMMITTED {
            return None;
        }
        mem.fetch_add::<R_COUNT>(&slot.readers, 1);
        mem.fence::<R_FENCE>();
        let one_less = u64::MAX;
        if mem.load::<R_RECHECK>(&slot.state) != COMMITTED {
            mem.fetch_add::<R_BACK_OFF>(&slot.readers, one_less);
            return None;
        }
        let generation = mem.load::<R_GENERATION>(&slot.generation);
        let other = self.labels && mem.load::<R_LABEL>(&slot.label) != sequence;
        if !other {
            verify(mem, &slot.payload, sequence);
        }
        let valid = mem.load::<R_VALIDATE>(&slot.generation) == generation;
        mem.fetch_add::<R_LEAVE>(&slot.readers, one_less);
        (valid && !other).then_some(sequence)
    }
}

impl Scenario for Published {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        match self.recovery {
            Recovery::Nobody => &["writer", "reader"],
            _ => &["writer", "reader", "recovery"],
        }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let zero = |name, index| mem.word(Name::numbered(name, index), 0);
        let slots = (0..self.slots).map(|index| Slot {
            lock: zero("write_lock", index),
            readers: zero("reader_count", index),
            state: mem.word(Name::state(index), FREE),
            generation: zero("write_generation", index),
            label: zero("label", index),
            payload: payload(mem, index),
        });
        let slots = slots.collect();
        let (commit_index, dead) = (zero("commit_index", 0), zero("dead", 0));
        let world = World { commit_index, slots, next: Mutex::new(0), dead };
        for sequence in 0..self.before {
            self.write(mem, &world, sequence);
        }
        *world.next.lock().unwrap_or_else(PoisonError::into_inner) = self.before;
        world
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        if index == 0 {
            let mut next = world.next.lock().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..self.commits {
                if self.write(mem, world, *next) {
                    seen.number('w', *next);
                    *next += 1;
                } else {
                    seen.mark("-");
                }
            }
            return seen.text();
        }
        if index == 2 {
            return self.recover(mem, world).to_owned();
        }
        let mut last = 0;
        for _ in 0..self.reads {
            match self.read(mem, world) {
                Some(sequence) => {
                    check(sequence >= last, Promise::Forward, || {
                        format!("given {sequence} after {last}")
                    });
                    last = sequence;
                    seen.number('r', sequence);
                }
                None => seen.mark("-"),
            }
        }
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        if index == 1 {
            mem.store::<STORE_RELEASE>(&world.dead, 1);
        }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        if self.recovery == Recovery::ByName {
            self.recover(mem, world);
        }
        for (index, slot) in world.slots.iter().enumerate() {
            let readers = mem.load::<W_COUNT>(&slot.readers);
            check(readers == 0, Promise::Quiet, || {
                format!("slot {index} counts {readers} readers")
            });
        }
        let next = *world.next.lock().unwrap_or_else(PoisonError::into_inner);
        check(self.write(mem, world, next), Promise::Progress, || {
            "the producer cannot write although all is quiet".to_owned()
        });
        check(self.read(mem, world) == Some(next), Promise::Progress, || {
            "the newest cannot be read although all is quiet".to_owned()
        });
    }
}
