//! The sequential rings: every payload in order, cursors that hold the producer back, joining and
//! leaving under traffic, and the ring that overwrites instead.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::sequence::Sequence;
use datahub::sites::{R_COMMIT_INDEX, R_LABEL};
use datahub::slot::{self, Reader};

use super::Scenario;
use super::block::{Block, Seen, fill, quiet, verify, write_one};
use crate::memory::{ModelMemory, Shareable};
use crate::violation::{Promise, check, fail};

const ONE: &[&str] = &["writer", "reader"];
const TWO: &[&str] = &["writer", "reader", "reader 2"];

/// When the readers join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// Before the roles begin, and the producer has acknowledged it.
    Before,
    /// Under traffic, with the oldest payload.
    Oldest,
    /// Under traffic, with the newest payload.
    Newest,
    /// Under traffic, with the oldest payload, in the place of one that read them all and left.
    Again,
    /// The last one under traffic, with the oldest payload, beside others that were there before.
    Beside,
}

/// What the writer does besides its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// It gives a write up before them.
    Aborts,
    /// It ends the stream behind them.
    Closes,
}

/// A producer commits while readers take every payload.
#[derive(Debug, Clone, Copy)]
pub struct Sequential {
    /// Payloads that stay readable; the ring has one slot more.
    pub capacity: u64,
    /// One reader or two.
    pub readers: usize,
    /// Commits before the roles begin.
    pub before: u64,
    /// Writes of the writer.
    pub commits: u64,
    /// How often each reader looks.
    pub looks: u64,
    /// When the readers join.
    pub joins: Joins,
    /// Whether a full ring is written over.
    pub overwrites: bool,
    /// Whether the last reader leaves when it has looked.
    pub leaves: bool,
    /// What else the writer does.
    pub besides: Besides,
}

impl Sequential {
    /// Two slots, one payload readable, one reader that was there before.
    pub const SMALL: Self = Self {
        capacity: 1,
        readers: 1,
        before: 0,
        commits: 2,
        looks: 2,
        joins: Joins::Before,
        overwrites: false,
        leaves: false,
        besides: Besides::Nothing,
    };

    const fn rules(&self) -> Rules {
        let sync =
            if self.readers == 1 { ConsumerSync::Sequential } else { ConsumerSync::SequentialSync };
        #[expect(clippy::cast_possible_truncation, reason = "a handful of slots")]
        let slots = self.capacity as usize + 1;
        let Self { overwrites, capacity, .. } = *self;
        Rules { sync, overwrites, capacity, slots, first: 0, attempts: 2 }
    }

    fn write<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>, seen: &mut Seen) {
        let ring = world.block.ring();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.besides == Besides::Aborts {
            Self::give_up(mem, &world.block, &mut writer, seen);
        }
        for _ in 0..self.commits {
            write_one(mem, &world.block, &mut writer, (&mut *seen, Promise::Model));
        }
        if self.besides == Besides::Closes {
            writer.close(mem, &ring);
        }
    }

    /// Writes a payload and gives it up; nobody is asked to make room twice.
    fn give_up<M: ModelMemory>(
        mem: &M,
        block: &Block<M::Word, M::Cell>,
        writer: &mut RingWriter,
        seen: &mut Seen,
    ) {
        let sequence = writer.next();
        let Ok(index) = writer.acquire(mem, &block.ring(), |_| false) else {
            return seen.mark("-");
        };
        fill(mem, &block.payloads[index], sequence + 7);
        writer.abort(mem, &block.ring(), index);
        let burnt = writer.next() != sequence;
        check(!burnt, Promise::Abort, || format!("the abort burnt {sequence}"));
        seen.mark("abort");
    }

    fn read<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        reader: &mut RingReader,
        seen: &mut Seen,
    ) {
        let ring = world.block.ring();
        let mut last: Option<Sequence> = None;
        for _ in 0..self.looks {
            let ended = self.besides == Besides::Closes && reader.ended(mem, &ring);
            let wanted = reader.cursor();
            match reader.acquire(mem, &ring) {
                Ok(taken) => {
                    let sequence = taken.admission.sequence;
                    let next = sequence == wanted && last.is_none_or(|last| sequence > last);
                    check(next, Promise::Forward, || format!("wanted {wanted}, given {sequence}"));
                    let gap = last.is_some_and(|last| sequence != last + 1);
                    check(!gap || self.overwrites, Promise::Lossless, || {
                        format!("given {sequence} after {last:?}")
                    });
                    verify(mem, &world.block.payloads[taken.slot], sequence);
                    check(reader.validate(mem, &ring, &taken), Promise::Whole, || {
                        format!("{sequence} is not valid although the writer is kept out")
                    });
                    reader.release(mem, &ring, taken);
                    last = Some(sequence);
                    seen.number('r', sequence);
                }
                Err(NotRead::Lapped { missed, oldest }) => {
                    check(self.overwrites, Promise::Lossless, || {
                        format!("{missed} payloads below {oldest} are lost")
                    });
                    seen.number('l', missed);
                }
                Err(NotRead::Empty) => {
                    let total = self.before + self.commits;
                    let all = !ended || wanted == total || !self.everything_fits();
                    check(all, Promise::Lossless, || format!("ended at {wanted} of {total}"));
                    seen.mark("-");
                }
                Err(NotRead::Contended) => seen.mark("busy"),
                Err(wrong) => fail(Promise::Model, format!("the reader is told {wrong:?}")),
            }
        }
    }

    /// Whether the writer can never be blocked in this model.
    const fn everything_fits(&self) -> bool {
        self.before + self.commits <= self.capacity
    }

    fn join<M: ModelMemory>(
        &self,
        mem: &M,
        block: &Block<M::Word, M::Cell>,
        number: usize,
    ) -> RingReader {
        let at = if self.joins == Joins::Newest { JoinAt::Latest } else { JoinAt::Oldest };
        let reader = Reader::new(u32::try_from(number).unwrap_or(0));
        RingReader::join(mem, &block.ring(), self.rules(), reader, at)
            .unwrap_or_else(|refused| fail(Promise::Progress, format!("cannot join: {refused:?}")))
    }
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    writer: Mutex<RingWriter>,
    /// Readers that joined before, until their roles take them.
    readers: Vec<Mutex<Option<RingReader>>>,
}

impl Scenario for Sequential {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        if self.readers == 1 { ONE } else { TWO }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let block = Block::new(mem, self.rules().slots, self.readers);
        let writer = Mutex::new(RingWriter::new(self.rules()));
        let readers = (0..self.readers).map(|number| {
            let before = match self.joins {
                Joins::Before => true,
                Joins::Beside => number + 1 < self.readers,
                _ => false,
            };
            Mutex::new(before.then(|| self.join(mem, &block, number)))
        });
        let readers = readers.collect();
        let world = World { block, writer, readers };
        let mut tenant = (self.joins == Joins::Again).then(|| self.join(mem, &world.block, 0));
        let once = Self { commits: 1, looks: 1, besides: Besides::Nothing, ..*self };
        for _ in 0..self.before {
            once.write(mem, &world, &mut Seen::default());
            if let Some(tenant) = &mut tenant {
                once.read(mem, &world, tenant, &mut Seen::default());
            }
        }
        if let Some(mut tenant) = tenant {
            tenant.leave(mem, &world.block.ring());
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
        let Some(number) = index.checked_sub(1) else {
            self.write(mem, world, &mut seen);
            return seen.text();
        };
        let before = world.readers[number].lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut reader = before.unwrap_or_else(|| self.join(mem, &world.block, number));
        self.read(mem, world, &mut reader, &mut seen);
        if self.leaves && index == self.readers {
            reader.leave(mem, &world.block.ring());
            seen.mark("left");
        }
        *world.readers[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let ring = world.block.ring();
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        for (number, reader) in world.readers.iter().enumerate() {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(reader) = reader.as_mut() else { continue };
            if self.leaves && number + 1 == self.readers {
                continue;
            }
            let left = commits.saturating_sub(reader.cursor());
            let rest = Self { looks: left + 1, besides: Besides::Nothing, ..*self };
            let mut seen = Seen::default();
            rest.read(mem, world, reader, &mut seen);
            check(reader.cursor() == commits, Promise::Lossless, || {
                format!("{} of {commits} can be read although all is quiet", reader.cursor())
            });
            reader.leave(mem, &ring);
        }
        quiet(mem, &world.block);
        if let Some(newest) = commits.checked_sub(1) {
            let record = &ring.slots[self.rules().index(newest)];
            let label = mem.load::<R_LABEL>(&record.sequence);
            check(label == newest, Promise::Labelled, || format!("{newest} is labelled {label}"));
            check(slot::look(mem, record, newest).is_ok(), Promise::Progress, || {
                format!("{newest} cannot be looked at although all is quiet")
            });
        }
        let mut more = Seen::default();
        Self { commits: self.capacity + 1, besides: Besides::Nothing, ..*self }
            .write(mem, world, &mut more);
        check(!more.has("-"), Promise::Progress, || {
            "the producer cannot write although nobody is registered".to_owned()
        });
    }
}
