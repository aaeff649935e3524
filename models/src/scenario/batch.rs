//! Batches: a consumer sees all of one or nothing, also of one that follows an abort, and of one in the
//! middle of which the producer dies.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::{NotTaken, RingWriter};
use datahub::rules::resume;
use datahub::sites::R_COMMIT_INDEX;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, fill, quiet, verify};
use crate::litmus::sites::{LOAD_ACQUIRE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

/// Payloads of one batch.
const BATCH: usize = 2;
/// How long a consumer that finds nothing stands aside: as many steps as a batch takes.
const PAUSES: u32 = 24;

/// A producer writes batches of two; a consumer reads them.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Batches that the producer tries.
    pub batches: u64,
    /// How often the consumer looks.
    pub looks: u64,
    /// The first batch is given up.
    pub aborts: bool,
    /// The consumer asks for payloads by number, as soon as they count as committed.
    pub by_number: bool,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    writer: Mutex<RingWriter>,
    reader: Mutex<RingReader>,
    /// 1 when the producer is dead.
    dead: W,
}

impl Batch {
    const fn rules() -> Rules {
        let sync = ConsumerSync::Sequential;
        Rules { sync, overwrites: false, capacity: 2, slots: 4, first: 0, attempts: 2 }
    }

    /// Writes one batch, or gives it up.
    fn write<M: ModelMemory>(
        mem: &M,
        world: &World<M::Word, M::Cell>,
        gives_up: bool,
        seen: &mut Seen,
    ) {
        let ring = world.block.ring();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let first = writer.next();
        let mut looks = 0;
        let taken = writer.acquire_batch(mem, &ring, BATCH, |_| {
            mem.pause();
            looks += 1;
            looks < 2
        });
        let at = match taken {
            Ok(at) => at,
            Err(NotTaken::Blocked(_)) => return seen.mark("-"),
            Err(wrong) => fail(Promise::Model, format!("the writer is told {wrong:?}")),
        };
        for step in 0..BATCH {
            let index = (at + step) % Self::rules().slots;
            fill(mem, &world.block.payloads[index], first + step as u64);
        }
        if gives_up {
            writer.abort_batch(mem, &ring, BATCH);
            let burnt = writer.next() != first;
            check(!burnt, Promise::Abort, || format!("the abort burnt {first}"));
            seen.mark("abort");
        } else {
            let got = writer.commit_batch(mem, &ring, BATCH, |_| 16);
            check(got == first, Promise::Labelled, || format!("{got} instead of {first}"));
            seen.number('w', first);
        }
    }

    /// Reads the next payload; whether there was one.
    fn read<M: ModelMemory>(
        mem: &M,
        world: &World<M::Word, M::Cell>,
        reader: &mut RingReader,
    ) -> bool {
        let ring = world.block.ring();
        let wanted = reader.cursor();
        match reader.acquire(mem, &ring) {
            Ok(taken) => {
                let sequence = taken.admission.sequence;
                check(sequence == wanted, Promise::Forward, || {
                    format!("wanted {wanted}, given {sequence}")
                });
                verify(mem, &world.block.payloads[taken.slot], sequence);
                reader.release(mem, &ring, taken);
                true
            }
            Err(NotRead::Empty) => false,
            Err(wrong) => fail(Promise::Lossless, format!("the consumer is told {wrong:?}")),
        }
    }

    /// All of a batch or nothing, in order.
    fn read_batches<M: ModelMemory>(
        self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (reader, seen): (&mut RingReader, &mut Seen),
    ) {
        for _ in 0..self.looks {
            let first = reader.cursor();
            if !Self::read(mem, world, reader) {
                seen.mark("-");
                // Of schedules drawn step by step hardly one would let the producer come that far.
                (0..PAUSES).for_each(|_| mem.pause());
                continue;
            }
            for _ in 1..BATCH {
                check(Self::read(mem, world, reader), Promise::Whole, || {
                    format!("of the batch that begins with {first}, only a part is there")
                });
            }
            seen.number('r', first);
        }
    }

    /// The payloads that count as committed are there.
    fn read_by_number<M: ModelMemory>(
        self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (reader, seen): (&mut RingReader, &mut Seen),
    ) {
        let ring = world.block.ring();
        for _ in 0..self.looks {
            let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
            check(commits % BATCH as u64 == 0, Promise::Whole, || format!("{commits} commits"));
            // From the last on: it was stored first.
            for wanted in (commits.saturating_sub(BATCH as u64)..commits).rev() {
                match reader.acquire_sequence(mem, &ring, wanted) {
                    Ok(taken) => {
                        verify(mem, &world.block.payloads[taken.slot], wanted);
                        reader.release(mem, &ring, taken);
                        seen.number('r', wanted);
                    }
                    Err(NotRead::Contended) => seen.mark("busy"),
                    Err(other) => {
                        fail(Promise::Lossless, format!("{wanted} is committed, yet {other:?}"));
                    }
                }
            }
        }
    }
}

impl Scenario for Batch {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "reader"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let rules = Self::rules();
        let block = Block::new(mem, rules.slots, 1);
        let joined = RingReader::join(mem, &block.ring(), rules, Reader::new(0), JoinAt::Oldest);
        let reader = joined
            .unwrap_or_else(|refused| fail(Promise::Model, format!("cannot join: {refused:?}")));
        let dead = mem.word(Name::numbered("dead", 0), 0);
        World {
            block,
            writer: Mutex::new(RingWriter::new(rules)),
            reader: Mutex::new(reader),
            dead,
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        if index == 0 {
            for batch in 0..self.batches {
                Self::write(mem, world, self.aborts && batch == 0, &mut seen);
            }
            return seen.text();
        }
        let mut reader = world.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if self.by_number {
            self.read_by_number(mem, world, (&mut reader, &mut seen));
        } else {
            self.read_batches(mem, world, (&mut reader, &mut seen));
        }
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, _: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        mem.store::<STORE_RELEASE>(&world.dead, 1);
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let ring = world.block.ring();
        if mem.load::<LOAD_ACQUIRE>(&world.dead) == 1 {
            let heir = resume(mem, &ring, Self::rules());
            let whole = heir.next() % BATCH as u64 == 0;
            check(whole, Promise::Whole, || {
                format!("{} payloads are announced after the death", heir.next())
            });
            *world.writer.lock().unwrap_or_else(PoisonError::into_inner) = heir;
        }
        let mut reader = world.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        while Self::read(mem, world, &mut reader) {}
        check(reader.cursor() == commits, Promise::Lossless, || {
            format!("{} of {commits} can be read although all is quiet", reader.cursor())
        });
        reader.leave(mem, &ring);
        quiet(mem, &world.block);
        let mut more = Seen::default();
        Self::write(mem, world, false, &mut more);
        check(!more.has("-"), Promise::Progress, || {
            "no batch can be written although nobody is registered".to_owned()
        });
    }
}
