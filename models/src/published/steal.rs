//! A dead holder's lock taken by a plain store: whoever saw the death takes it (F12).
//!
//! The cure exchanges exactly the word that named the dead holder.

use crate::memory::{ModelMemory, Shareable};
use crate::published::sites::{L_LOOK, L_STEAL, L_TAKE, L_UNLOCK};
use crate::scenario::Scenario;
use crate::trace::Name;
use crate::violation::{Promise, check};

const DEAD: u64 = 9;

/// Two processes find a lock whose holder is dead.
#[derive(Debug, Clone, Copy)]
pub struct Steal {
    /// The lock is taken by an exchange (cures F12).
    pub exchanges: bool,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    lock: W,
    guarded: C,
}

impl Scenario for Steal {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["first", "second"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        World {
            lock: mem.word(Name::numbered("lock", 0), DEAD),
            guarded: mem.cell(Name::numbered("guarded", 0)),
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let own = 1 + u64::from(index == 1);
        if mem.load::<L_LOOK>(&world.lock) != DEAD {
            return "-".to_owned();
        }
        if !self.exchanges {
            mem.store::<L_STEAL>(&world.lock, own);
        } else if mem.compare_exchange::<L_TAKE>(&world.lock, DEAD, own).is_err() {
            return "late".to_owned();
        }
        let before = mem.get(&world.guarded);
        let holder = mem.load::<L_LOOK>(&world.lock);
        check(holder == own, Promise::Whole, || {
            format!("{own} works under the lock, which says that {holder} holds it")
        });
        mem.put(&world.guarded, before + 1);
        mem.store::<L_UNLOCK>(&world.lock, 0);
        "locked".to_owned()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let found = mem.load::<L_LOOK>(&world.lock);
        check(found == 0, Promise::Progress, || format!("the lock stays with {found}"));
    }
}
