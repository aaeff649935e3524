//! Parking: a publication and a sleeper never miss each other.

use datahub::park::{ParkLine, announce, awake, ring};
use datahub::sites::{P_SIGNAL, R_COMMIT_INDEX, W_COMMIT_INDEX};

use super::Scenario;
use super::block::Seen;
use crate::litmus::sites::{LOAD_ACQUIRE, STORE_RELAXED, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check};

/// A waker publishes once and looks for sleepers; sleepers announce themselves and look again.
#[derive(Debug, Clone, Copy)]
pub struct Park {
    /// One sleeper or two.
    pub sleepers: usize,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W> {
    line: ParkLine<W>,
    published: W,
    /// 1 when the waker is dead: its sleepers wake by their time-outs and ask for its token.
    dead: W,
    /// What each sleeper sleeps on, plus 1; 0 when it does not sleep.
    sleeps: Vec<W>,
}

impl Scenario for Park {
    type World<W: Shareable, C: Shareable> = World<W>;

    fn roles(&self) -> &'static [&'static str] {
        if self.sleepers == 1 { &["waker", "sleeper"] } else { &["waker", "sleeper", "sleeper 2"] }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word> {
        let word = |name, index| mem.word(Name::numbered(name, index), 0);
        World {
            line: ParkLine { sleepers: word("sleepers", 0), signal: word("signal", 0) },
            published: word("published", 0),
            dead: word("dead", 0),
            sleeps: (0..self.sleepers).map(|index| word("sleeps", index)).collect(),
        }
    }

    fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) -> String {
        let mut seen = Seen::default();
        let Some(number) = index.checked_sub(1) else {
            mem.store::<W_COMMIT_INDEX>(&world.published, 1);
            seen.mark(if ring(mem, &world.line) { "rang" } else { "nobody" });
            return seen.text();
        };
        let bit = u32::try_from(number).unwrap_or(0);
        let signal = announce(mem, &world.line, bit);
        if mem.load::<R_COMMIT_INDEX>(&world.published) == 1 {
            awake(mem, &world.line, bit);
            seen.mark("saw");
        } else {
            mem.store::<W_COMMIT_INDEX>(&world.sleeps[number], u64::from(signal) + 1);
            seen.mark("sleeps");
        }
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) {
        match index.checked_sub(1) {
            None => mem.store::<STORE_RELEASE>(&world.dead, 1),
            // It sleeps no more; what `reap` does about its bit.
            Some(number) => {
                mem.store::<STORE_RELAXED>(&world.sleeps[number], 0);
                awake(mem, &world.line, u32::try_from(number).unwrap_or(0));
            }
        }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word>) {
        if mem.load::<LOAD_ACQUIRE>(&world.dead) == 1 {
            ring(mem, &world.line);
        }
        // The kernel compares the signal when it puts a role to sleep, and wakes all at a ring: so
        // whoever sleeps on the signal as it is now sleeps for ever.
        let signal = mem.load::<P_SIGNAL>(&world.line.signal);
        for (number, sleeps) in world.sleeps.iter().enumerate() {
            let on = mem.load::<R_COMMIT_INDEX>(sleeps);
            check(on != signal + 1, Promise::Progress, || {
                format!("sleeper {number} sleeps although something was published")
            });
        }
    }
}
