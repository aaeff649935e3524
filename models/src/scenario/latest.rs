//! The latest-only ring: readers take the newest payload, nobody holds the producer back for long.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, fill, verify};
use crate::memory::{ModelMemory, Shareable};
use crate::violation::{Promise, check, fail};

const ONE: &[&str] = &["writer", "reader"];
const TWO: &[&str] = &["writer", "reader", "reader 2"];

/// A producer commits while readers ask for the newest payload.
#[derive(Debug, Clone, Copy)]
pub struct Latest {
    /// Payloads that stay readable.
    pub capacity: u64,
    /// Physical slots.
    pub slots: usize,
    /// One reader or two.
    pub readers: usize,
    /// Commits before the roles begin.
    pub before: u64,
    /// Writes of the writer.
    pub commits: u64,
    /// Reads of each reader.
    pub reads: u64,
    /// Whether every other write is given up.
    pub aborts: bool,
}

impl Latest {
    /// Two slots, of which one stays readable.
    pub const SMALL: Self =
        Self { capacity: 1, slots: 2, readers: 1, before: 1, commits: 1, reads: 1, aborts: false };

    const fn rules(&self) -> Rules {
        Rules {
            sync: ConsumerSync::LatestOnly,
            overwrites: false,
            capacity: self.capacity,
            first: 0,
            // Two readers that also try twice are more than an exhaustive engine can bear.
            attempts: if self.readers == 1 { 2 } else { 1 },
            slots: self.slots,
        }
    }

    fn write<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>, seen: &mut Seen) {
        let ring = world.block.ring();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for write in 0..self.commits {
            let mut looks = 0;
            let taken = writer.acquire(mem, &ring, |_| {
                mem.pause();
                looks += 1;
                looks < 2
            });
            let Ok(index) = taken else {
                seen.mark("-");
                let spare = self.slots as u64 > self.capacity + self.readers as u64;
                check(!spare, Promise::Progress, || {
                    "the producer waits for a reader although there are slots enough".to_owned()
                });
                continue;
            };
            let sequence = writer.next();
            fill(mem, &world.block.payloads[index], sequence);
            if self.aborts && write % 2 == 0 {
                writer.abort(mem, &ring, index);
                seen.mark("abort");
                let burnt = writer.next() != sequence;
                check(!burnt, Promise::Abort, || format!("the abort burnt {sequence}"));
            } else {
                seen.number('w', writer.commit(mem, &ring, index, 16));
            }
        }
    }

    /// Reads once; the next sequence this reader may be given, and what it saw.
    fn read<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        reader: &mut RingReader,
        seen: &mut Seen,
    ) {
        let ring = world.block.ring();
        let floor = reader.cursor();
        match reader.acquire(mem, &ring) {
            Ok(taken) => {
                let sequence = taken.admission.sequence;
                check(sequence >= floor, Promise::Forward, || {
                    format!("given {sequence} after {}", floor.saturating_sub(1))
                });
                let oldest = self.before.saturating_sub(1);
                check(sequence >= oldest, Promise::Forward, || {
                    format!("given {sequence}, although {oldest} was there before it began")
                });
                verify(mem, &world.block.payloads[taken.slot], sequence);
                check(reader.validate(mem, &ring, &taken), Promise::Whole, || {
                    format!("{sequence} is not valid although its reader is inside")
                });
                reader.release(mem, &ring, taken);
                seen.number('r', sequence);
            }
            Err(NotRead::Empty) => {
                let missed = self.before > 0 && floor == 0;
                check(!missed, Promise::Abort, || {
                    "nothing is readable although something was committed".to_owned()
                });
                seen.mark("-");
            }
            Err(NotRead::Contended) => {
                let retaken = self.before + self.commits > self.slots as u64;
                check(retaken, Promise::Progress, || {
                    "the newest payload cannot be entered although no slot is used twice".to_owned()
                });
                seen.mark("busy");
            }
            Err(wrong) => fail(Promise::Model, format!("latest-only says {wrong:?}")),
        }
    }
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    writer: Mutex<RingWriter>,
}

impl Scenario for Latest {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        if self.readers == 1 { ONE } else { TWO }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let block = Block::new(mem, self.slots, self.readers + 1);
        let world = World { block, writer: Mutex::new(RingWriter::new(self.rules())) };
        let filled = Self { commits: self.before, aborts: false, ..*self };
        filled.write(mem, &world, &mut Seen::default());
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
            let number = Reader::new(u32::try_from(index - 1).unwrap_or(0));
            let mut reader = joined(mem, &world.block, self.rules(), number);
            for _ in 0..self.reads {
                self.read(mem, world, &mut reader, &mut seen);
            }
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let ring = world.block.ring();
        let number = Reader::new(u32::try_from(self.readers).unwrap_or(0));
        let mut reader = joined(mem, &world.block, self.rules(), number);
        let committed = world.writer.lock().unwrap_or_else(PoisonError::into_inner).next();
        if let Some(newest) = committed.checked_sub(1) {
            let Ok(taken) = reader.acquire(mem, &ring) else {
                fail(Promise::Progress, "nothing can be read although all is quiet".to_owned());
            };
            let got = taken.admission.sequence;
            check(got == newest, Promise::Forward, || format!("the newest is {newest}, not {got}"));
            verify(mem, &world.block.payloads[taken.slot], newest);
            reader.release(mem, &ring, taken);
        }
        super::block::quiet(mem, &world.block);
        let mut more = Seen::default();
        Self { commits: 1, aborts: false, ..*self }.write(mem, world, &mut more);
        check(more.text() == format!("w{committed}"), Promise::Progress, || {
            "the producer cannot write although all is quiet".to_owned()
        });
    }
}

fn joined<M: ModelMemory>(
    mem: &M,
    block: &Block<M::Word, M::Cell>,
    rules: Rules,
    reader: Reader,
) -> RingReader {
    RingReader::join(mem, &block.ring(), rules, reader, JoinAt::Latest)
        .unwrap_or_else(|refused| fail(Promise::Progress, format!("cannot join: {refused:?}")))
}
