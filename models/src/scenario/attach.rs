//! Creation and attaching: whoever finds a block finds all of it, also while its producer writes already.
//!
//! The name under which the file system shows the block is a word here; a header is cells, because it is
//! written once and read as plain bytes.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::heartbeat::{self, HeartbeatSlot};
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, quiet, verify, write_one};
use super::recovery::heartbeat_slot;
use crate::litmus::sites::{LOAD_ACQUIRE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

/// What the header says.
const HEADER: u64 = 64;
const OWNER: u64 = 11;

/// A producer makes a block, gives it its name, and writes; a consumer looks for the name and attaches.
#[derive(Debug, Clone, Copy)]
pub struct Attach {
    /// Whether the name is given when the block is complete; without, a half-made block can be found.
    pub complete_first: bool,
    /// Writes after that.
    pub commits: u64,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    /// 1 when the name leads to the block.
    name: W,
    header: [C; 2],
    block: Block<W, C>,
    seat: HeartbeatSlot<W>,
    writer: Mutex<RingWriter>,
    reader: Mutex<Option<RingReader>>,
}

impl Attach {
    /// One write.
    pub const SMALL: Self = Self { complete_first: true, commits: 1 };

    const fn rules() -> Rules {
        let sync = ConsumerSync::SequentialSync;
        Rules { sync, overwrites: false, capacity: 1, slots: 2, first: 0, attempts: 2 }
    }

    /// What `Producer::create` does, and the first writes.
    fn create<M: ModelMemory>(self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut seen = Seen::default();
        if !self.complete_first {
            mem.store::<STORE_RELEASE>(&world.name, 1);
        }
        for cell in &world.header {
            mem.put(cell, HEADER);
        }
        if self.complete_first {
            mem.store::<STORE_RELEASE>(&world.name, 1);
        }
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..self.commits {
            write_one(mem, &world.block, &mut writer, (&mut seen, Promise::Progress));
        }
        seen.text()
    }

    /// What `Consumer::attach` does, and a look.
    fn attach<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut seen = Seen::default();
        if mem.load::<LOAD_ACQUIRE>(&world.name) == 0 {
            return "nothing".to_owned();
        }
        for cell in &world.header {
            let found = mem.get(cell);
            check(found == HEADER, Promise::Whole, || format!("the header says {found}"));
        }
        let claimed = heartbeat::claim(mem, &world.seat, OWNER, 1);
        check(claimed == Ok(1), Promise::Progress, || format!("a free seat is {claimed:?}"));
        let (ring, rules) = (world.block.ring(), Self::rules());
        let joined = RingReader::join(mem, &ring, rules, Reader::new(0), JoinAt::Oldest);
        let Ok(mut reader) = joined else {
            fail(Promise::Progress, "nobody is there, yet nobody can join".to_owned());
        };
        Self::read(mem, world, (&mut reader, &mut seen));
        *world.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
        seen.text()
    }

    /// Looks once.
    fn read<M: ModelMemory>(
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (reader, seen): (&mut RingReader, &mut Seen),
    ) {
        match reader.acquire(mem, &world.block.ring()) {
            Ok(taken) => {
                let sequence = taken.admission.sequence;
                verify(mem, &world.block.payloads[taken.slot], sequence);
                reader.release(mem, &world.block.ring(), taken);
                seen.number('r', sequence);
            }
            Err(NotRead::Empty) => seen.mark("-"),
            Err(wrong) => fail(Promise::Lossless, format!("the consumer is told {wrong:?}")),
        }
    }
}

impl Scenario for Attach {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["producer", "consumer"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        World {
            name: mem.word(Name::numbered("name", 0), 0),
            header: [mem.cell(Name::numbered("header", 0)), mem.cell(Name::numbered("header", 1))],
            block: Block::new(mem, 2, 1),
            seat: heartbeat_slot(mem),
            writer: Mutex::new(RingWriter::new(Self::rules())),
            reader: Mutex::default(),
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        if index == 0 { self.create(mem, world) } else { Self::attach(mem, world) }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let ring = world.block.ring();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let attached = world.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut reader) = attached {
            for _ in reader.cursor()..writer.next() {
                Self::read(mem, world, (&mut reader, &mut Seen::default()));
            }
            check(reader.cursor() == writer.next(), Promise::Lossless, || {
                format!("{} of {} can be read", reader.cursor(), writer.next())
            });
            reader.leave(mem, &ring);
        }
        quiet(mem, &world.block);
        let next = writer.next();
        for _ in 0..2 {
            write_one(mem, &world.block, &mut writer, (&mut Seen::default(), Promise::Progress));
        }
        check(writer.next() == next + 2, Promise::Progress, || {
            "the producer cannot write although nobody is registered".to_owned()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Setup;
    use crate::engine::{Engine, Limits};
    use crate::scenario::Runnable;

    // The checker is tested by what it must reject.
    #[test]
    fn a_name_that_is_given_too_early_is_found_out() {
        let early = Attach { complete_first: false, ..Attach::SMALL };
        let found = early.run(Engine::Explore, &Setup::default(), &Limits::default());
        let failure = found.failure.expect("a half-made block is found");
        assert_eq!(failure.violation.promise, Promise::Race, "{failure:?}");
    }
}
