//! Parking: what a sleeper waits for and the sleeper never miss each other.
//!
//! Consumers sleep as `Consumer::sleep` does: they announce themselves, look through their ring reader
//! and at the stream's fate, and sleep on the signal that they saw. The producer does one thing that
//! ends their wait, and rings. `space` has the other direction.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::handover;
use datahub::park::{ParkLine, announce, awake, ring};
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::ring::{Fate, Rules};
use datahub::sites::P_SIGNAL;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, verify, write_one};
use crate::litmus::sites::{LOAD_ACQUIRE, LOAD_RELAXED, STORE_RELAXED, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

/// What ends the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakes {
    /// A commit.
    Commit,
    /// The end of the stream.
    End,
    /// The stream goes on in another block.
    Move,
}

/// A waker does one thing and looks for sleepers; sleepers announce themselves and look again.
#[derive(Debug, Clone, Copy)]
pub struct Park {
    /// One sleeper or two.
    pub sleepers: usize,
    /// How the sleepers look.
    pub sync: ConsumerSync,
    /// What they wait for.
    pub wakes: Wakes,
}

/// Where a role sleeps, as the kernel would know it.
#[derive(Debug)]
pub(super) struct Bed<W>(W);

impl<W> Bed<W> {
    pub(super) fn new<M: ModelMemory<Word = W>>(mem: &M, number: usize) -> Self {
        Self(mem.word(Name::numbered("sleeps", number), 0))
    }

    /// Sleeps on `signal`.
    pub(super) fn sleep<M: ModelMemory<Word = W>>(&self, mem: &M, signal: u32) {
        mem.store::<STORE_RELAXED>(&self.0, u64::from(signal) + 1);
    }

    /// Sleeps no more.
    pub(super) fn leave<M: ModelMemory<Word = W>>(&self, mem: &M) {
        mem.store::<STORE_RELAXED>(&self.0, 0);
    }

    /// The kernel compares the signal when it puts a role to sleep, and wakes all at a ring: so whoever
    /// sleeps on the signal as it is when all is quiet sleeps for ever.
    pub(super) fn is_left<M: ModelMemory<Word = W>>(&self, mem: &M, line: &ParkLine<W>, who: &str) {
        let signal = mem.load::<P_SIGNAL>(&line.signal);
        let on = mem.load::<LOAD_RELAXED>(&self.0);
        check(on != signal + 1, Promise::Progress, || {
            format!("{who} sleeps although what it waits for is there")
        });
    }
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    line: ParkLine<W>,
    /// 1 when the waker is dead: its sleepers wake by their time-outs and ask for its token.
    dead: W,
    beds: Vec<Bed<W>>,
    writer: Mutex<RingWriter>,
    readers: Vec<Mutex<RingReader>>,
}

/// A parking place over simulated words.
pub(super) fn park_line<M: ModelMemory>(mem: &M) -> ParkLine<M::Word> {
    let word = |name| mem.word(Name::numbered(name, 0), 0);
    ParkLine { sleepers: word("sleepers"), signal: word("signal") }
}

const fn bit(number: usize) -> u32 {
    if number == 0 { 0 } else { 1 }
}

impl Park {
    const fn rules(&self) -> Rules {
        let (capacity, slots) = (1, 3);
        Rules { sync: self.sync, overwrites: false, capacity, slots, first: 0, attempts: 2 }
    }

    /// Does what the sleepers wait for.
    fn wake<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut seen = Seen::default();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match self.wakes {
            Wakes::Commit => {
                write_one(mem, &world.block, &mut writer, (&mut seen, Promise::Progress));
            }
            Wakes::End => writer.close(mem, &world.block.ring()),
            Wakes::Move => {
                handover::begin_move(mem, &world.block.ring());
                handover::finish_move(mem, &world.block.ring());
            }
        }
        seen.mark(if ring(mem, &world.line) { "rang" } else { "nobody" });
        seen.text()
    }

    /// Announces, looks once more, and sleeps.
    fn sleep<M: ModelMemory>(
        mem: &M,
        world: &World<M::Word, M::Cell>,
        number: usize,
    ) -> &'static str {
        let mut reader = world.readers[number].lock().unwrap_or_else(PoisonError::into_inner);
        let ring = world.block.ring();
        let signal = announce(mem, &world.line, bit(number));
        match reader.acquire(mem, &ring) {
            Err(NotRead::Empty | NotRead::Contended) => {
                if !Fate::of(mem, &ring).is_final() {
                    world.beds[number].sleep(mem, signal);
                    return "sleeps";
                }
            }
            Ok(taken) => {
                verify(mem, &world.block.payloads[taken.slot], taken.admission.sequence);
                reader.release(mem, &ring, taken);
            }
            Err(wrong) => fail(Promise::Lossless, format!("the sleeper is told {wrong:?}")),
        }
        awake(mem, &world.line, bit(number));
        "saw"
    }
}

impl Scenario for Park {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        if self.sleepers == 1 { &["waker", "sleeper"] } else { &["waker", "sleeper", "sleeper 2"] }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let rules = self.rules();
        let block = Block::new(mem, rules.slots, self.sleepers);
        let join = |number| {
            let reader = Reader::new(bit(number));
            let joined = RingReader::join(mem, &block.ring(), rules, reader, JoinAt::Oldest);
            Mutex::new(joined.unwrap_or_else(|refused| {
                fail(Promise::Model, format!("cannot join: {refused:?}"))
            }))
        };
        let readers = (0..self.sleepers).map(join).collect();
        World {
            block,
            line: park_line(mem),
            dead: mem.word(Name::numbered("dead", 0), 0),
            beds: (0..self.sleepers).map(|number| Bed::new(mem, number)).collect(),
            writer: Mutex::new(RingWriter::new(rules)),
            readers,
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        match index.checked_sub(1) {
            None => self.wake(mem, world),
            Some(number) => Self::sleep(mem, world, number).to_owned(),
        }
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        match index.checked_sub(1) {
            None => mem.store::<STORE_RELEASE>(&world.dead, 1),
            // It sleeps no more; what `reap` does about its bit.
            Some(number) => {
                world.beds[number].leave(mem);
                awake(mem, &world.line, bit(number));
            }
        }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        if mem.load::<LOAD_ACQUIRE>(&world.dead) == 1 {
            ring(mem, &world.line);
        }
        for (number, bed) in world.beds.iter().enumerate() {
            bed.is_left(mem, &world.line, &format!("sleeper {number}"));
        }
    }
}
