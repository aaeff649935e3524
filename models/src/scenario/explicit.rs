//! Reading by number: a payload that counts as committed is found, or has been overwritten.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, fill, quiet, verify};
use crate::memory::{ModelMemory, Shareable};
use crate::violation::{Promise, check, fail};

/// A producer commits while a reader asks for the last payload there will be, by its number.
#[derive(Debug, Clone, Copy)]
pub struct Explicit {
    /// The policy; a sequential ring is written over, so that nobody is waited for.
    pub sync: ConsumerSync,
    /// Commits before the roles begin.
    pub before: u64,
    /// Writes of the writer.
    pub commits: u64,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    writer: Mutex<RingWriter>,
}

impl Explicit {
    const fn rules(&self) -> Rules {
        Rules { sync: self.sync, overwrites: true, capacity: 1, slots: 2, first: 0, attempts: 1 }
    }

    fn write<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>, seen: &mut Seen) {
        let ring = world.block.ring();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..self.commits {
            let Ok(index) = writer.acquire(mem, &ring, |_| false) else {
                fail(Promise::Progress, "the producer is held back by nobody".to_owned());
            };
            fill(mem, &world.block.payloads[index], writer.next());
            seen.number('w', writer.commit(mem, &ring, index, 16));
        }
    }

    /// Asks for the last payload that this model commits; whether it was there.
    fn read<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> bool {
        let ring = world.block.ring();
        let wanted = self.before + self.commits - 1;
        let joined = RingReader::join(mem, &ring, self.rules(), Reader::new(0), JoinAt::Latest);
        let Ok(mut reader) = joined else {
            fail(Promise::Progress, "the only consumer cannot join".to_owned());
        };
        let found = match reader.acquire_sequence(mem, &ring, wanted) {
            Ok(taken) => {
                let got = taken.admission.sequence;
                check(got == wanted, Promise::Labelled, || format!("wanted {wanted}, given {got}"));
                verify(mem, &world.block.payloads[taken.slot], wanted);
                reader.release(mem, &ring, taken);
                true
            }
            Err(NotRead::Empty) => false,
            Err(other) => {
                fail(Promise::Lossless, format!("{wanted} is committed, yet it is {other:?}"));
            }
        };
        reader.leave(mem, &ring);
        found
    }
}

impl Scenario for Explicit {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "reader"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let writer = Mutex::new(RingWriter::new(self.rules()));
        let world = World { block: Block::new(mem, self.rules().slots, 1), writer };
        Self { commits: self.before, ..*self }.write(mem, &world, &mut Seen::default());
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
            self.write(mem, world, &mut seen);
        } else {
            seen.mark(if self.read(mem, world) { "found" } else { "-" });
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        check(self.read(mem, world), Promise::Progress, || {
            "the newest cannot be found although all is quiet".to_owned()
        });
        quiet(mem, &world.block);
    }
}
