//! Eviction: the producer goes on without a reader that may be copying what is overwritten.
//!
//! Payloads are words here, as they are in a block that evicts: a torn copy may be made, and must not
//! be believed.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::eviction;
use datahub::heartbeat::{self, HeartbeatSlot};
use datahub::park::ParkLine;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::rules::{reap, resume};
use datahub::sequence::Sequence;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, quiet};
use super::recovery::heartbeat_slot;
use crate::litmus::sites::{LOAD_ACQUIRE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

const OWNER: u64 = 11;
const NEWCOMER: u64 = 12;
const SEAT: Reader = Reader::new(0);

/// A producer that does not wait for long, and a reader that copies.
#[derive(Debug, Clone, Copy)]
pub struct Evict {
    /// Whether somebody wants the seat of the evicted one.
    pub newcomer: bool,
    /// Whether somebody outside marks the reader; then only that makes the producer go on without it.
    pub outsider: bool,
    /// Whether the reader joins when a payload is there already, so that it pins what it reads.
    pub late: bool,
    /// Writes of the writer.
    pub commits: u64,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    /// Two words a slot, so that a payload can be torn.
    payloads: Vec<[W; 2]>,
    seat: HeartbeatSlot<W>,
    parked: ParkLine<W>,
    writer: Mutex<RingWriter>,
    /// Whether the producer waits for a mark.
    outsider: bool,
    reader: Mutex<Option<RingReader>>,
    /// 1 when the producer is dead.
    dead: W,
}

/// What is written for `sequence`.
fn content(sequence: Sequence) -> [u8; 16] {
    let half = (100 + sequence).to_le_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half);
    bytes[8..].copy_from_slice(&half);
    bytes
}

impl Evict {
    /// One writer and one reader.
    pub const PLAIN: Self = Self { newcomer: false, outsider: false, late: false, commits: 1 };

    const fn rules() -> Rules {
        let sync = ConsumerSync::Sequential;
        Rules { sync, overwrites: false, capacity: 1, slots: 2, first: 0, attempts: 2 }
    }

    /// Writes; who is still in the way at the second look is evicted.
    fn write<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>, commits: u64) -> String {
        let ring = world.block.ring();
        let mut seen = Seen::default();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..commits {
            let (mut looks, mut evicted) = (0, false);
            let noted = eviction::word(mem, &world.seat);
            let taken = writer.acquire(mem, &ring, |_| {
                mem.pause();
                looks += 1;
                if world.outsider {
                    evicted |= eviction::evict_marked(mem, &ring, &world.seat, SEAT);
                } else if looks == 2 {
                    evicted = eviction::evict(mem, &ring, &world.seat, (SEAT, noted));
                }
                looks < 4
            });
            if evicted {
                seen.mark("evicts");
            }
            let Ok(index) = taken else {
                seen.mark("-");
                continue;
            };
            eviction::copy_in(mem, &world.payloads[index], &content(writer.next()));
            seen.number('w', writer.commit(mem, &ring, index, 16));
        }
        seen.text()
    }

    /// Copies once. False: evicted.
    fn read<M: ModelMemory>(
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (reader, claim): (&mut RingReader, u64),
        seen: &mut Seen,
    ) -> bool {
        let ring = world.block.ring();
        let wanted = reader.cursor();
        let taken = match reader.acquire(mem, &ring) {
            Ok(taken) => taken,
            Err(found) => {
                let stands = eviction::stands(mem, &world.seat, claim);
                if !stands {
                    seen.mark("evicted");
                    return false;
                }
                let lossless = matches!(found, NotRead::Empty);
                check(lossless, Promise::Lossless, || format!("a standing reader: {found:?}"));
                seen.mark("-");
                return true;
            }
        };
        let sequence = taken.admission.sequence;
        let mut bytes = [0; 16];
        eviction::copy_out(mem, &world.payloads[taken.slot], &mut bytes);
        let stands = eviction::stands(mem, &world.seat, claim);
        if stands {
            check(sequence == wanted, Promise::Forward, || format!("{sequence}, not {wanted}"));
            check(bytes == content(sequence), Promise::Whole, || {
                format!("delivered as {sequence}: {bytes:?}")
            });
            seen.number('r', sequence);
        } else {
            seen.mark("evicted");
        }
        reader.release(mem, &ring, taken);
        stands
    }

    /// Reads until it is evicted or has looked twice, or once if somebody wants its seat; then leaves.
    fn consume<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut seen = Seen::default();
        let reader = world.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut reader) = reader else { fail(Promise::Model, "two readers".to_owned()) };
        let claim = heartbeat::live(1);
        let looks = if self.newcomer { 1 } else { 2 };
        let stands = (0..looks).all(|_| Self::read(mem, world, (&mut reader, claim), &mut seen));
        if self.newcomer || !stands {
            reader.leave(mem, &world.block.ring());
            let own = (&world.seat, &world.parked);
            seen.mark(if reap(mem, &world.block.ring(), own, SEAT) { "leaves" } else { "goes" });
        } else {
            *world.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
        }
        seen.text()
    }

    /// Takes the seat, if it is free, and reads.
    fn arrive<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>) -> String {
        mem.pause();
        let Ok(epoch) = heartbeat::claim(mem, &world.seat, NEWCOMER, 1) else {
            return "-".to_owned();
        };
        let (ring, mut seen) = (world.block.ring(), Seen::default());
        seen.mark("claims");
        let joined = RingReader::join(mem, &ring, Self::rules(), SEAT, JoinAt::Latest);
        let Ok(mut reader) = joined else { return "refused".to_owned() };
        Self::read(mem, world, (&mut reader, heartbeat::live(epoch)), &mut seen);
        *world.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
        seen.text()
    }
}

impl Scenario for Evict {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        match (self.newcomer, self.outsider) {
            (true, _) => &["writer", "reader", "newcomer"],
            (_, true) => &["writer", "reader", "outsider"],
            _ => &["writer", "reader"],
        }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let zero = |name| mem.word(Name::numbered(name, 0), 0);
        let payload = |index| {
            let word = || mem.word(Name::numbered("payload", index), 0);
            [word(), word()]
        };
        let world = World {
            block: Block::new(mem, 2, 1),
            payloads: (0..2).map(payload).collect(),
            seat: heartbeat_slot(mem),
            parked: ParkLine { sleepers: zero("sleepers"), signal: zero("signal") },
            writer: Mutex::new(RingWriter::new(Self::rules())),
            reader: Mutex::default(),
            outsider: self.outsider,
            dead: zero("dead"),
        };
        let claimed = heartbeat::claim(mem, &world.seat, OWNER, 1);
        check(claimed == Ok(1), Promise::Model, || "an empty seat is refused".to_owned());
        if self.late {
            Self::write(mem, &world, 1);
        }
        let ring = world.block.ring();
        let joined = RingReader::join(mem, &ring, Self::rules(), SEAT, JoinAt::Oldest);
        *world.reader.lock().unwrap_or_else(PoisonError::into_inner) = joined.ok();
        if !self.late {
            Self::write(mem, &world, 1);
        }
        world
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        match index {
            0 => Self::write(mem, world, self.commits),
            1 => self.consume(mem, world),
            // As force does it: of the claim that was seen to stand still.
            _ if self.outsider => {
                let marked = eviction::mark(mem, &world.seat, heartbeat::live(1));
                if marked { "marks" } else { "-" }.to_owned()
            }
            _ => Self::arrive(mem, world),
        }
    }

    /// Whoever else is dead is found by its seat.
    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        if index == 0 {
            mem.store::<STORE_RELEASE>(&world.dead, 1);
        }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        if mem.load::<LOAD_ACQUIRE>(&world.dead) == 1 {
            // What `Producer::take_over` does, and recovery before it clears any consumer's seat.
            let heir = resume(mem, &world.block.ring(), Self::rules());
            eviction::finish(mem, &world.seat);
            *world.writer.lock().unwrap_or_else(PoisonError::into_inner) = heir;
        }
        let reader = world.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let claim = eviction::word(mem, &world.seat);
        if let Some(mut reader) = reader {
            // Whoever stands has lost nothing.
            if heartbeat::is_live(claim) {
                let mut seen = Seen::default();
                for _ in 0..3 {
                    Self::read(mem, world, (&mut reader, claim), &mut seen);
                }
                let writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
                check(reader.cursor() == writer.next(), Promise::Lossless, || {
                    format!("{} of {} can be read", reader.cursor(), writer.next())
                });
            }
            reader.leave(mem, &world.block.ring());
        }
        // Its owner is gone: whoever looks next clears the seat.
        let cleared = reap(mem, &world.block.ring(), (&world.seat, &world.parked), SEAT);
        check(cleared, Promise::Progress, || "the seat is busy for ever".to_owned());
        quiet(mem, &world.block);
        let written = Self::write(mem, world, 2);
        check(!written.contains('-'), Promise::Progress, || {
            format!("the producer cannot go on although nobody is there: {written}")
        });
    }
}
