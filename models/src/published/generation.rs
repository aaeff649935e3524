//! Reading without being counted: copy, then compare the generation before and after (F3).
//!
//! As published the generation moves at commit only, so a write in progress goes unnoticed. The
//! cure counts twice: odd while a write is in progress, even when it is done, with fences that
//! keep the copy between the two looks.

use crate::memory::{ModelMemory, Shareable};
use crate::published::sites::{
    G_AFTER, G_BEFORE, G_COPY, G_COPY_FENCE, G_DONE, G_FILL, G_FILL_FENCE, G_OPEN,
};
use crate::scenario::Scenario;
use crate::scenario::block::Seen;
use crate::trace::Name;
use crate::violation::{Promise, check};

/// A writer overwrites one payload of two words while a reader copies it.
#[derive(Debug, Clone, Copy)]
pub struct Generation {
    /// The generation is odd while a write is in progress (cures F3).
    pub odd_even: bool,
    /// Writes of the writer.
    pub commits: u64,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W> {
    generation: W,
    payload: [W; 2],
}

impl Scenario for Generation {
    type World<W: Shareable, C: Shareable> = World<W>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "reader"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word> {
        let zero = |name, index| mem.word(Name::numbered(name, index), 0);
        World {
            generation: zero("write_generation", 0),
            payload: [zero("payload", 0), zero("payload", 1)],
        }
    }

    fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word>) -> String {
        let mut seen = Seen::default();
        if index == 0 {
            for commit in 1..=self.commits {
                let done = if self.odd_even { 2 * commit } else { commit };
                if self.odd_even {
                    mem.store::<G_OPEN>(&world.generation, done - 1);
                    mem.fence::<G_FILL_FENCE>();
                }
                for word in &world.payload {
                    mem.store::<G_FILL>(word, commit);
                }
                mem.store::<G_DONE>(&world.generation, done);
            }
            return seen.text();
        }
        let before = mem.load::<G_BEFORE>(&world.generation);
        let [first, second] = world.payload.each_ref().map(|word| mem.load::<G_COPY>(word));
        if self.odd_even {
            mem.fence::<G_COPY_FENCE>();
        }
        let after = mem.load::<G_AFTER>(&world.generation);
        let in_progress = self.odd_even && before % 2 == 1;
        if before == after && !in_progress {
            check(first == second, Promise::Whole, || {
                format!("torn: {first} and {second}, both under generation {before}")
            });
            seen.number('r', first);
        } else {
            seen.mark("-");
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, _: &M, _: &World<M::Word>) {}
}
