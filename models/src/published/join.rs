//! A joiner that takes its place first and says afterwards where it reads (F22).
//!
//! The shipped gate is modelled by `sequential/join-oldest` and `sequential/join-again`.

use crate::memory::{ModelMemory, Shareable};
use crate::published::sites::{
    J_COMMIT_INDEX, J_POSITION, J_REGISTER, M_JOINED, M_OTHER, R_COMMIT_INDEX, W_COMMIT_INDEX,
};
use crate::scenario::Scenario;
use crate::scenario::block::{Payload, Seen, fill, payload, verify};
use crate::trace::Name;
use crate::violation::{Promise, check};

const SLOTS: usize = 3;
const CAPACITY: u64 = 2;
const BEFORE: u64 = 2;

/// A producer goes on while a consumer joins in the place of one that had read everything.
#[derive(Debug, Clone, Copy)]
pub struct Join;

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    commit_index: W,
    registered: W,
    position: W,
    payloads: Vec<Payload<C>>,
}

impl<W, C> World<W, C> {
    fn payload(&self, sequence: u64) -> &Payload<C> {
        #[expect(clippy::cast_possible_truncation, reason = "a handful of slots")]
        let index = sequence as usize % SLOTS;
        &self.payloads[index]
    }
}

impl Scenario for Join {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "joiner"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let number = |name, value| mem.word(Name::numbered(name, 0), value);
        let world = World {
            commit_index: number("commit_index", BEFORE),
            registered: number("registered", 0),
            position: number("position", BEFORE),
            payloads: (0..SLOTS).map(|index| payload(mem, index)).collect(),
        };
        for sequence in 0..BEFORE {
            fill(mem, world.payload(sequence), sequence);
        }
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
            for next in BEFORE..BEFORE + 2 {
                let gated = mem.load::<M_JOINED>(&world.registered) == 1;
                let lowest = if gated { mem.load::<M_OTHER>(&world.position) } else { next };
                if next >= lowest + CAPACITY {
                    seen.mark("-");
                    break;
                }
                fill(mem, world.payload(next), next);
                mem.store::<W_COMMIT_INDEX>(&world.commit_index, next + 1);
                seen.number('w', next);
            }
            return seen.text();
        }
        let registered = mem.compare_exchange::<J_REGISTER>(&world.registered, 0, 1);
        check(registered.is_ok(), Promise::Model, || "the place is taken".to_owned());
        let oldest = mem.load::<J_COMMIT_INDEX>(&world.commit_index).saturating_sub(CAPACITY);
        mem.store::<J_POSITION>(&world.position, oldest);
        verify(mem, world.payload(oldest), oldest);
        seen.number('r', oldest);
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let commits = mem.load::<R_COMMIT_INDEX>(&world.commit_index);
        check(commits >= BEFORE, Promise::Forward, || format!("{commits} commits"));
    }
}
