//! The read index as published: each consumer computes the minimum of all positions and stores it
//! (F20).

use crate::memory::{ModelMemory, Shareable};
use crate::published::sites::{M_MINIMUM, M_OTHER, M_OWN};
use crate::scenario::Scenario;
use crate::trace::Name;
use crate::violation::{Promise, check};

/// Two consumers release one payload each and recompute the minimum.
#[derive(Debug, Clone, Copy)]
pub struct Minimum;

/// What the roles share.
#[derive(Debug)]
pub struct World<W> {
    read_index: W,
    positions: [W; 2],
}

impl Scenario for Minimum {
    type World<W: Shareable, C: Shareable> = World<W>;

    fn roles(&self) -> &'static [&'static str] {
        &["consumer", "consumer 2"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word> {
        let zero = |name, index| mem.word(Name::numbered(name, index), 0);
        World {
            read_index: zero("read_index", 0),
            positions: [zero("position", 0), zero("position", 1)],
        }
    }

    fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) -> String {
        mem.store::<M_OWN>(&world.positions[index], 1);
        let lowest = mem.load::<M_OTHER>(&world.positions[1 - index]).min(1);
        mem.store::<M_MINIMUM>(&world.read_index, lowest);
        lowest.to_string()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word>) {
        let read_index = mem.load::<M_OTHER>(&world.read_index);
        check(read_index == 1, Promise::Progress, || {
            format!("both consumers are at 1, the read index stays at {read_index}")
        });
    }
}
