//! Parking in the other direction: a producer without room sleeps, and who makes room wakes it.
//!
//! The producer waits as `producer::pause` does: it announces itself, looks once more through its ring
//! writer, and sleeps at the next call. The consumer leaves the payload and rings, as the handle does.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::park::{ParkLine, announce, awake, ring};
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, RingReader, Taken};
use datahub::ring::writer::{NotTaken, RingWriter};
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, fill, verify, write_one};
use super::park::{Bed, park_line};
use crate::litmus::sites::{LOAD_ACQUIRE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

const BIT: u32 = 0;

/// A ring is full of what one consumer has taken and not yet left.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// The consumer keeps the producer out by a pin, not by its cursor.
    pub pinned: bool,
    /// The consumer leaves the ring, too.
    pub leaves: bool,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    line: ParkLine<W>,
    /// 1 when the consumer is dead: the producer wakes by its time-out and asks for its token.
    dead: W,
    bed: Bed<W>,
    writer: Mutex<RingWriter>,
    reader: Mutex<(RingReader, Option<Taken>)>,
}

impl Space {
    const fn rules(self) -> Rules {
        let sync = ConsumerSync::SequentialSync;
        let (capacity, slots) = (1, 2);
        Rules { sync, overwrites: self.pinned, capacity, slots, first: 0, attempts: 2 }
    }

    /// What the producer does when it has no room.
    fn wait<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut seen = Seen::default();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut announced, mut sleeps) = (None, false);
        let taken = writer.acquire(mem, &world.block.ring(), |_| {
            let Some(signal) = announced.take() else {
                announced = Some(announce(mem, &world.line, BIT));
                return true;
            };
            world.bed.sleep(mem, signal);
            sleeps = true;
            false
        });
        if announced.is_some() {
            awake(mem, &world.line, BIT);
        }
        match taken {
            Ok(index) => {
                fill(mem, &world.block.payloads[index], writer.next());
                seen.number('w', writer.commit(mem, &world.block.ring(), index, 16));
            }
            Err(NotTaken::Blocked(_)) if sleeps => seen.mark("sleeps"),
            Err(wrong) => fail(Promise::Progress, format!("the writer is told {wrong:?}")),
        }
        seen.text()
    }

    /// Reads to the end what was taken, leaves it, and rings.
    fn make_room<M: ModelMemory>(self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut reader = world.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (reader, taken) = &mut *reader;
        let Some(taken) = taken.take() else { fail(Promise::Model, "nothing taken".to_owned()) };
        verify(mem, &world.block.payloads[taken.slot], taken.admission.sequence);
        reader.release(mem, &world.block.ring(), taken);
        if self.leaves {
            reader.leave(mem, &world.block.ring());
        }
        (if ring(mem, &world.line) { "rang" } else { "nobody" }).to_owned()
    }
}

impl Scenario for Space {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "reader"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let rules = self.rules();
        let block = Block::new(mem, rules.slots, 1);
        let joined = RingReader::join(mem, &block.ring(), rules, Reader::new(0), JoinAt::Oldest);
        let mut reader = joined
            .unwrap_or_else(|refused| fail(Promise::Model, format!("cannot join: {refused:?}")));
        let mut writer = RingWriter::new(rules);
        let mut seen = Seen::default();
        write_one(mem, &block, &mut writer, (&mut seen, Promise::Model));
        let Ok(taken) = reader.acquire(mem, &block.ring()) else {
            fail(Promise::Model, "the first payload is not there".to_owned())
        };
        if self.pinned {
            write_one(mem, &block, &mut writer, (&mut seen, Promise::Model));
        }
        World {
            block,
            line: park_line(mem),
            dead: mem.word(Name::numbered("dead", 0), 0),
            bed: Bed::new(mem, 0),
            writer: Mutex::new(writer),
            reader: Mutex::new((reader, Some(taken))),
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        if index == 0 { Self::wait(mem, world) } else { self.make_room(mem, world) }
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        if index == 0 {
            world.bed.leave(mem);
        } else {
            mem.store::<STORE_RELEASE>(&world.dead, 1);
        }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        if mem.load::<LOAD_ACQUIRE>(&world.dead) == 1 {
            ring(mem, &world.line);
            return;
        }
        world.bed.is_left(mem, &world.line, "the producer");
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = Seen::default();
        if writer.next() == if self.pinned { 2 } else { 1 } {
            write_one(mem, &world.block, &mut writer, (&mut seen, Promise::Progress));
            check(!seen.has("-"), Promise::Progress, || {
                "there is room, and the producer cannot have it".to_owned()
            });
        }
    }
}
