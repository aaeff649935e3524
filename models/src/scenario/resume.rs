//! After a producer's death, at whatever step: a successor takes the ring over, or two contend for it,
//! while a consumer reads on.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::{RingWriter, begin};
use datahub::rules::resume;
use datahub::sequence::Sequence;
use datahub::slot::{self, Reader};

use super::Scenario;
use super::block::{Block, Seen, quiet, verify, write_one};
use crate::litmus::sites::{LOAD_ACQUIRE, RMW_ACQUIRE, RMW_RELEASE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

/// A producer writes twice, or dies before; a successor looks for its death and writes once.
#[derive(Debug, Clone, Copy)]
pub struct Resume {
    /// The policy.
    pub sync: ConsumerSync,
    /// Writes of the producer, if it lives that long.
    pub commits: u64,
    /// Whether the producer ends the stream when it goes; its successor takes that back.
    pub closes: bool,
    /// Whether the producer died in the middle of a write before, and two contend for its place.
    pub contended: bool,
    /// Whether who takes the token exchanges it; without, a token may have two holders.
    pub exchanges: bool,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    /// 1 when nobody holds it, 2 + n when role n does.
    token: W,
    writer: Mutex<Option<RingWriter>>,
    reader: Mutex<Option<RingReader>>,
}

impl Resume {
    /// A lossless ring whose producer writes twice.
    pub const PLAIN: Self = Self {
        sync: ConsumerSync::Sequential,
        commits: 2,
        closes: false,
        contended: false,
        exchanges: true,
    };

    const fn rules(&self) -> Rules {
        Rules { sync: self.sync, overwrites: false, capacity: 1, slots: 2, first: 0, attempts: 2 }
    }

    /// Takes the token, if nobody holds it.
    fn take<M: ModelMemory>(&self, mem: &M, token: &M::Word, holder: u64) -> bool {
        if mem.load::<LOAD_ACQUIRE>(token) != 1 {
            return false;
        }
        if !self.exchanges {
            mem.store::<STORE_RELEASE>(token, holder);
            return true;
        }
        mem.compare_exchange::<RMW_ACQUIRE>(token, 1, holder).is_ok()
    }

    /// Takes over as role `index`, if the producer is gone, and writes. Goes again when contended.
    fn succeed<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (index, seen): (usize, &mut Seen),
    ) -> bool {
        if !self.take(mem, &world.token, 2 + index as u64) {
            return false;
        }
        let mut writer = resume(mem, &world.block.ring(), self.rules());
        begin(mem, &world.block.ring());
        seen.number('s', writer.next());
        write_one(mem, &world.block, &mut writer, (seen, Promise::Progress));
        *world.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
        if self.contended {
            mem.store::<STORE_RELEASE>(&world.token, 1);
        }
        true
    }

    /// Reads once; `last` is what this reader was given before.
    fn read<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (reader, last): (&mut RingReader, &mut Option<Sequence>),
        seen: &mut Seen,
    ) {
        let ring = world.block.ring();
        match reader.acquire(mem, &ring) {
            Ok(taken) => {
                let sequence = taken.admission.sequence;
                let forward = last.is_none_or(|last| sequence > last);
                check(forward, Promise::Forward, || format!("given {sequence} after {last:?}"));
                let next = last.map_or(0, |last| last + 1);
                let gap = self.sync != ConsumerSync::LatestOnly && sequence != next;
                check(!gap, Promise::Lossless, || format!("wanted {next}, given {sequence}"));
                verify(mem, &world.block.payloads[taken.slot], sequence);
                reader.release(mem, &ring, taken);
                *last = Some(sequence);
                seen.number('r', sequence);
            }
            Err(NotRead::Empty | NotRead::Contended) => seen.mark("-"),
            Err(wrong) => fail(Promise::Lossless, format!("the consumer is told {wrong:?}")),
        }
    }
}

impl Scenario for Resume {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        if self.contended {
            &["rival", "successor", "reader"]
        } else {
            &["writer", "successor", "reader"]
        }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let block = Block::new(mem, 2, 1);
        let ring = block.ring();
        let reader = RingReader::join(mem, &ring, self.rules(), Reader::new(0), JoinAt::Oldest)
            .unwrap_or_else(|refused| fail(Promise::Model, format!("cannot join: {refused:?}")));
        let mut writer = RingWriter::new(self.rules());
        write_one(mem, &block, &mut writer, (&mut Seen::default(), Promise::Progress));
        if self.contended {
            // It dies in the middle of its next write; it may have taken that slot already.
            let _held = slot::take(mem, &ring.slots[1], writer.next());
        }
        World {
            token: mem.word(Name::numbered("token", 0), self.contended.into()),
            block,
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(Some(reader)),
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        match index {
            0 if !self.contended => {
                let writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(mut writer) = writer else {
                    fail(Promise::Model, "two producers".to_owned());
                };
                for _ in 0..self.commits {
                    write_one(mem, &world.block, &mut writer, (&mut seen, Promise::Progress));
                }
                if self.closes {
                    writer.close(mem, &world.block.ring());
                }
                mem.store::<STORE_RELEASE>(&world.token, 1);
            }
            0 | 1 => {
                for _ in 0..2 {
                    if self.succeed(mem, world, (index, &mut seen)) {
                        break;
                    }
                    mem.pause();
                    seen.mark("-");
                }
            }
            _ => {
                let reader = world.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(mut reader) = reader else {
                    fail(Promise::Model, "two readers".to_owned());
                };
                let mut last = None;
                for _ in 0..2 {
                    self.read(mem, world, (&mut reader, &mut last), &mut seen);
                }
                reader.leave(mem, &world.block.ring());
            }
        }
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        if index == 0 && !self.contended {
            return mem.store::<STORE_RELEASE>(&world.token, 1);
        }
        // What it found is of no interest: only a token that it held is given up.
        let _found = mem.compare_exchange::<RMW_RELEASE>(&world.token, 2 + index as u64, 1);
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let mut seen = Seen::default();
        let _late = self.succeed(mem, world, (self.roles().len(), &mut seen));
        quiet(mem, &world.block);
        let writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut writer) = writer else {
            fail(Promise::Progress, "nobody took over".to_owned());
        };
        let next = writer.next();
        write_one(mem, &world.block, &mut writer, (&mut seen, Promise::Progress));
        check(writer.next() == next + 1, Promise::Progress, || {
            "the successor cannot write although all is quiet".to_owned()
        });
        let ring = world.block.ring();
        let joined = RingReader::join(mem, &ring, self.rules(), Reader::new(0), JoinAt::Latest);
        let Ok(mut late) = joined else {
            fail(Promise::Progress, "nobody can join after recovery".to_owned());
        };
        let taken = late.acquire(mem, &ring);
        let got = taken.ok().map(|taken| taken.admission.sequence);
        check(got == Some(next), Promise::Forward, || format!("newest {next}, given {got:?}"));
        check(!late.ended(mem, &ring), Promise::Lossless, || {
            "the stream counts as ended although its successor goes on".to_owned()
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
    fn two_holders_of_one_token_are_found_out() {
        let careless = Resume { contended: true, exchanges: false, ..Resume::PLAIN };
        let found = careless.run(Engine::Explore, &Setup::default(), &Limits::default());
        let failure = found.failure.expect("two producers write at once");
        assert!(failure.violation.promise != Promise::Model, "{failure:?}");
    }
}
