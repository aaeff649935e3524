//! Heartbeat slots: whoever is named as the owner of a claim is the one who made it.

use datahub::heartbeat::{self, HeartbeatSlot};

use super::Scenario;
use super::block::Seen;
use super::recovery::heartbeat_slot;
use crate::litmus::sites::{LOAD_RELAXED, STORE_RELAXED};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check};

/// One owner leaves, another comes, an observer looks.
#[derive(Debug, Clone, Copy)]
pub struct Claims {
    /// How often the observer looks.
    pub looks: u64,
}

/// The owner that claim number `epoch` belongs to in this model.
const fn owner_of(epoch: u64) -> u64 {
    10 + epoch
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W> {
    slot: HeartbeatSlot<W>,
    /// 1 when the first owner has claimed; relaxed, so that it orders nothing.
    begun: W,
}

impl Scenario for Claims {
    type World<W: Shareable, C: Shareable> = World<W>;

    fn roles(&self) -> &'static [&'static str] {
        &["first", "second", "observer"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word> {
        World { slot: heartbeat_slot(mem), begun: mem.word(Name::numbered("begun", 0), 0) }
    }

    fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) -> String {
        let mut seen = Seen::default();
        let slot = &world.slot;
        match index {
            0 => {
                let claimed = heartbeat::claim(mem, slot, owner_of(1), 1);
                check(claimed == Ok(1), Promise::Progress, || format!("first: {claimed:?}"));
                mem.store::<STORE_RELAXED>(&world.begun, 1);
                let epoch = heartbeat::retire(mem, slot).unwrap_or(0);
                heartbeat::free(mem, slot, epoch);
                seen.mark("leaves");
            }
            1 => {
                mem.pause();
                if mem.load::<LOAD_RELAXED>(&world.begun) == 0 {
                    return "waits".to_owned();
                }
                match heartbeat::claim(mem, slot, owner_of(2), 2) {
                    Ok(epoch) => {
                        check(epoch == 2, Promise::Labelled, || format!("claim {epoch} of 2"));
                        seen.mark("claims");
                    }
                    Err(_) => seen.mark("-"),
                }
            }
            _ => {
                for _ in 0..self.looks {
                    match heartbeat::owner(mem, slot) {
                        Some(owner) => {
                            let right = owner.process == owner_of(owner.epoch);
                            check(right, Promise::Labelled, || {
                                format!("claim {} is shown as {}", owner.epoch, owner.process)
                            });
                            seen.number('o', owner.process);
                        }
                        None => seen.mark("-"),
                    }
                }
            }
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, _: &M, _: &World<M::Word>) {}
}
