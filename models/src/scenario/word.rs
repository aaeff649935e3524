//! A shared word of a zone hands over what was done before it was written.
//!
//! The operations are those of `datahub::zone::word`, each at its site.

use datahub::sites::{Z_CHANGE, Z_LOAD, Z_STORE};

use super::Scenario;
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;

/// A payload goes through two hands, from a store or a change to a change and on to a load.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The first hand stores; otherwise it changes.
    pub stores: bool,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    word: W,
    /// What all see who see the first hand's change.
    early: C,
    /// What goes from hand to hand.
    handed: C,
}

impl Scenario for Word {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["first", "second", "third"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        World {
            word: mem.word(Name::numbered("word", 0), 0),
            early: mem.cell(Name::numbered("early", 0)),
            handed: mem.cell(Name::numbered("handed", 0)),
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let shared = &world.word;
        match index {
            0 => {
                mem.put(&world.early, 7);
                mem.put(&world.handed, 1);
                if self.stores {
                    mem.store::<Z_STORE>(shared, 1);
                } else {
                    mem.fetch_or::<Z_CHANGE>(shared, 1);
                }
                String::new()
            }
            1 => {
                if mem.compare_exchange::<Z_CHANGE>(shared, 1, 2).is_err() {
                    return "-".to_owned();
                }
                let found = mem.get(&world.handed);
                mem.put(&world.handed, found + 1);
                mem.fetch_add::<Z_CHANGE>(shared, 1);
                found.to_string()
            }
            _ => match mem.load::<Z_LOAD>(shared) {
                1 => mem.get(&world.early).to_string(),
                3 => mem.get(&world.handed).to_string(),
                _ => "-".to_owned(),
            },
        }
    }

    fn finish<M: ModelMemory>(&self, _: &M, _: &World<M::Word, M::Cell>) {}
}
