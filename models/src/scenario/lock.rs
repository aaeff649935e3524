//! A lock between processes: what is done under it is done by one at a time, also when its holder
//! dies and two want to take over (F12).

use datahub::zone::spinlock::{Holder, RobustSpinlock};

use super::Scenario;
use super::block::Seen;
use crate::litmus::sites::{LOAD_ACQUIRE, RMW_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check};

/// Two or three lock, and change what the lock guards.
#[derive(Debug, Clone, Copy)]
pub struct Lock {
    /// The holder died before the roles begin, and two want to take over.
    pub dead: bool,
    /// Each locks twice, one inside the other.
    pub twice: bool,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    lock: RobustSpinlock<W>,
    guarded: C,
    /// One bit for each holder that is dead.
    dead: W,
}

const fn holder(number: u32) -> Holder {
    Holder { seat: number, epoch: 1, thread: 40 + number }
}

impl Lock {
    /// Who role `index` is.
    fn own(self, index: usize) -> Holder {
        holder(u32::try_from(index).unwrap_or(0) + u32::from(self.dead))
    }

    /// Locks, also after the first holder's death; changes what is guarded; unlocks.
    fn work<M: ModelMemory>(
        self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        own: Holder,
    ) -> &'static str {
        let taken = match world.lock.try_lock(mem, own) {
            Ok(()) => "locked",
            Err(seen) => {
                let other = seen.seat().filter(|seat| *seat != own.seat);
                let dead = other
                    .is_some_and(|seat| mem.load::<LOAD_ACQUIRE>(&world.dead) >> seat & 1 == 1);
                if !dead || world.lock.reclaim(mem, own, seen).is_err() {
                    return "-";
                }
                "took over"
            }
        };
        let again = self.twice && world.lock.try_lock(mem, own).is_ok();
        check(again == self.twice, Promise::Progress, || "a holder locks itself out".to_owned());
        let before = mem.get(&world.guarded);
        if again {
            let free = world.lock.unlock(mem, own);
            check(free == Ok(false), Promise::Quiet, || format!("the inner unlock says {free:?}"));
        }
        mem.put(&world.guarded, before + 1);
        let free = world.lock.unlock(mem, own);
        check(free == Ok(true), Promise::Quiet, || format!("the unlock says {free:?}"));
        taken
    }
}

impl Scenario for Lock {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        if self.dead { &["heir", "heir 2"] } else { &["holder", "rival"] }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let zero = |name| mem.word(Name::numbered(name, 0), 0);
        let world = World {
            lock: RobustSpinlock::from_words(zero("lock"), zero("note"), zero("depth")),
            guarded: mem.cell(Name::numbered("guarded", 0)),
            dead: zero("dead"),
        };
        if self.dead {
            let taken = world.lock.try_lock(mem, holder(0));
            check(taken.is_ok(), Promise::Model, || "a new lock is not free".to_owned());
            mem.fetch_or::<RMW_RELEASE>(&world.dead, 1);
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
        for _ in 0..2 {
            seen.mark(self.work(mem, world, self.own(index)));
            mem.pause();
        }
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        mem.fetch_or::<RMW_RELEASE>(&world.dead, 1 << self.own(index).seat);
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let done = Self { dead: true, ..*self }.work(mem, world, holder(7));
        check(done != "-", Promise::Progress, || {
            "the lock cannot be taken although all is quiet".to_owned()
        });
    }
}
