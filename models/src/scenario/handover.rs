//! Handing over: the writer goes on in another ring while readers are anywhere in the old one.
//!
//! The kernel's tokens, and the name under which a block is found, are words here.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::cursor::{self, NotJoined};
use datahub::handover::{self, ArrivalLine};
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::{self, RingWriter};
use datahub::ring::{Fate, Ring, Rules};
use datahub::rules::resume;
use datahub::sequence::Sequence;
use datahub::slot::{self, Reader, known_readers};

use super::Scenario;
use super::block::{Block, Seen, quiet, verify, write_one};
use crate::litmus::sites::{LOAD_ACQUIRE, RMW_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

/// The first sequence of the new block: one payload is committed in the old one.
const FIRST: Sequence = 1;
/// The name leads to the new block.
const RENAMED: u64 = 1;
/// The writer's token is free.
const WRITER_DEAD: u64 = 2;
/// The reader's token is free.
const READER_DEAD: u64 = 4;

const ONE: &[&str] = &["writer", "reader"];
const TWO: &[&str] = &["writer", "reader", "reader 2"];
const HEIR: &[&str] = &["writer", "reader", "heir"];
const JOINER: &[&str] = &["writer", "reader", "joiner"];

/// Who is there besides writer and readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Third {
    /// Nobody.
    Nobody,
    /// Who takes over as soon as the writer is dead, while the reader goes on.
    Heir,
    /// Who joins meanwhile.
    Joiner,
}

/// A producer commits, hands over, and commits there.
#[derive(Debug, Clone, Copy)]
pub struct HandOver {
    /// The policy.
    pub sync: ConsumerSync,
    /// One reader or two.
    pub readers: usize,
    /// Whether the old block's one commit comes before the roles begin.
    pub before: bool,
    /// Writes in the new ring.
    pub after: u64,
    /// How often each reader looks.
    pub looks: u64,
    /// Whether seats are kept for the readers; without, the writer passes them.
    pub keeps_seats: bool,
    /// Who else is there.
    pub third: Third,
    /// Whether the successor does not get the name, so that all stays as it was.
    pub fails: bool,
}

/// A reader, and where it is.
#[derive(Debug)]
struct Follower {
    ring: RingReader,
    reader: Reader,
    moved: bool,
    /// What it must be given next; a joiner begins anywhere.
    due: Option<Sequence>,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    old: Block<W, C>,
    new: Block<W, C>,
    arrivals: ArrivalLine<W>,
    /// What the kernel knows: [`RENAMED`], [`WRITER_DEAD`], [`READER_DEAD`].
    kernel: W,
    writer: Mutex<Option<RingWriter>>,
    readers: Vec<Mutex<Option<Follower>>>,
}

impl HandOver {
    /// One gating reader, one commit on each side.
    pub const SMALL: Self = Self {
        sync: ConsumerSync::SequentialSync,
        readers: 1,
        before: false,
        after: 2,
        looks: 4,
        keeps_seats: true,
        third: Third::Nobody,
        fails: false,
    };

    const fn rules(&self, first: Sequence) -> Rules {
        Rules { sync: self.sync, overwrites: false, capacity: 1, slots: 2, first, attempts: 2 }
    }

    const fn joins(&self) -> bool {
        matches!(self.third, Third::Joiner)
    }

    const fn has_heir(&self) -> bool {
        matches!(self.third, Third::Heir)
    }

    /// Seats of either block.
    const fn seats(&self) -> usize {
        self.readers + if self.joins() { 1 } else { 0 }
    }

    /// What `Producer::hand_over` does; where it fails, the producer of the old block goes on.
    fn hand_over<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        old: &mut RingWriter,
    ) -> Option<RingWriter> {
        let (from, to) = (world.old.ring(), world.new.ring());
        old.rest(mem, &from);
        let readers = cursor::freeze(mem, from.registry) & known_readers(self.seats());
        let kept = if self.keeps_seats { readers } else { 0 };
        handover::keep_seats(mem, &to, &world.arrivals, (kept, old.next()));
        handover::begin_move(mem, &from);
        if self.fails {
            writer::begin(mem, &from);
            cursor::thaw(mem, from.registry);
            return None;
        }
        mem.fetch_or::<RMW_RELEASE>(&world.kernel, RENAMED);
        handover::finish_move(mem, &from);
        Some(resume(mem, &to, self.rules(old.next())))
    }

    /// Whether the stream has moved, as a reader finds out.
    fn has_moved<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>) -> bool {
        match Fate::of(mem, &world.old.ring()) {
            Fate::Moved => true,
            // Only death lets the name decide.
            Fate::Moving => {
                let known = mem.load::<LOAD_ACQUIRE>(&world.kernel);
                known & WRITER_DEAD != 0 && known & RENAMED != 0
            }
            _ => false,
        }
    }

    /// Looks once, or moves.
    fn look<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        follower: &mut Follower,
        seen: &mut Seen,
    ) {
        let block = if follower.moved { &world.new } else { &world.old };
        let moved = !follower.moved && Self::has_moved(mem, world);
        match follower.ring.acquire(mem, &block.ring()) {
            Ok(taken) => {
                let sequence = taken.admission.sequence;
                self.delivered(follower.due, sequence);
                verify(mem, &block.payloads[taken.slot], sequence);
                follower.ring.release(mem, &block.ring(), taken);
                follower.due = Some(sequence + 1);
                seen.number('r', sequence);
            }
            Err(NotRead::Empty | NotRead::Contended) if moved => {
                self.follow(mem, world, follower);
                seen.mark("moves");
            }
            Err(NotRead::Empty | NotRead::Contended) => seen.mark("-"),
            Err(wrong) => fail(Promise::Lossless, format!("the reader is told {wrong:?}")),
        }
    }

    /// G3, G4.
    fn delivered(&self, due: Option<Sequence>, sequence: Sequence) {
        let Some(due) = due else { return };
        check(sequence >= due, Promise::Forward, || format!("given {sequence} instead of {due}"));
        let gap = self.sync != ConsumerSync::LatestOnly && sequence != due;
        check(!gap, Promise::Lossless, || format!("wanted {due}, given {sequence}"));
    }

    /// What `Consumer::follow` does.
    fn follow<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        follower: &mut Follower,
    ) {
        let (from, to) = (world.old.ring(), world.new.ring());
        check(follower.ring.is_through(mem, &from), Promise::Lossless, || {
            format!("moved at {} with payloads left", follower.ring.cursor())
        });
        let kept = handover::is_kept(mem, &world.arrivals, follower.reader);
        check(kept || !self.keeps_seats, Promise::Lossless, || "the seat is not kept".to_owned());
        let at = (follower.reader, follower.ring.cursor());
        // The successor says where it begins, in a header that is written once.
        let rules = self.rules(FIRST);
        if self.sync != ConsumerSync::LatestOnly {
            check(at.1 == rules.first, Promise::Lossless, || {
                format!("at {} instead of {}", at.1, rules.first)
            });
        }
        let arrived = RingReader::arrive(mem, &to, rules, at);
        handover::arrive(mem, &world.arrivals, follower.reader);
        let mut left = core::mem::replace(&mut follower.ring, arrived);
        left.leave(mem, &from);
        follower.moved = true;
    }

    /// Somebody takes over from a writer that died.
    fn succeed<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> RingWriter {
        if mem.load::<LOAD_ACQUIRE>(&world.kernel) & RENAMED != 0 {
            handover::finish_move(mem, &world.old.ring());
            return resume(mem, &world.new.ring(), self.rules(FIRST));
        }
        let ring = world.old.ring();
        let heir = resume(mem, &ring, self.rules(0));
        writer::begin(mem, &ring);
        cursor::thaw(mem, ring.registry);
        heir
    }

    /// Takes over while the reader is anywhere, if the writer is found dead, and writes.
    fn inherit<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let mut seen = Seen::default();
        for _ in 0..2 {
            let known = mem.load::<LOAD_ACQUIRE>(&world.kernel);
            if known & WRITER_DEAD != 0 {
                let mut heir = self.succeed(mem, world);
                let block = if known & RENAMED != 0 { &world.new } else { &world.old };
                write_one(mem, block, &mut heir, (&mut seen, Promise::Progress));
                *world.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(heir);
                break;
            }
            mem.pause();
            seen.mark("-");
        }
        seen.text()
    }

    /// What `Consumer::attach` does beside a hand-over: whoever is too late for the old block goes to the
    /// new one, as soon as the name leads there.
    fn join<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        number: usize,
    ) -> Option<Follower> {
        let reader = Reader::new(u32::try_from(number).unwrap_or(0));
        let at = JoinAt::Oldest;
        let (moved, ring) =
            match RingReader::join(mem, &world.old.ring(), self.rules(0), reader, at) {
                Ok(ring) => (false, ring),
                Err(NotJoined::Moving)
                    if mem.load::<LOAD_ACQUIRE>(&world.kernel) & RENAMED != 0 =>
                {
                    let rules = self.rules(FIRST);
                    (true, RingReader::join(mem, &world.new.ring(), rules, reader, at).ok()?)
                }
                Err(NotJoined::Moving) => return None,
                Err(wrong) => fail(Promise::Progress, format!("the joiner is told {wrong:?}")),
            };
        Some(Follower { ring, reader, moved, due: None })
    }

    /// Clears the seats of a reader that died, in both blocks.
    fn bury<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>) {
        for ring in [world.old.ring(), world.new.ring()] {
            for slot in ring.slots {
                slot::release(mem, slot, Reader::new(0));
            }
            cursor::leave(mem, ring.registry, Reader::new(0));
        }
        handover::arrive(mem, &world.arrivals, Reader::new(0));
    }

    /// Everything is read that was committed; then the reader leaves.
    fn read_rest<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        (follower, end): (&mut Follower, Sequence),
    ) {
        let mut seen = Seen::default();
        for _ in 0..self.after + 7 {
            self.look(mem, world, follower, &mut seen);
        }
        // Who joined when nothing was left to read has read everything.
        let next = follower.due.unwrap_or_else(|| follower.ring.cursor());
        check(next == end, Promise::Lossless, || {
            format!("{next} of {end} were read although all is quiet")
        });
        follower.ring.leave(mem, &Self::here(world, follower.moved));
    }

    fn here<W, C>(world: &World<W, C>, moved: bool) -> Ring<'_, W> {
        if moved { world.new.ring() } else { world.old.ring() }
    }
}

impl Scenario for HandOver {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        match self.readers {
            _ if self.has_heir() => HEIR,
            _ if self.joins() => JOINER,
            1 => ONE,
            _ => TWO,
        }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let zero = |name| mem.word(Name::numbered(name, 0), 0);
        let old = Block::new(mem, 2, self.seats());
        let join = |number| {
            let reader = Reader::new(number);
            let ring = RingReader::join(mem, &old.ring(), self.rules(0), reader, JoinAt::Oldest)
                .unwrap_or_else(|wrong| fail(Promise::Model, format!("cannot join: {wrong:?}")));
            Mutex::new(Some(Follower { ring, reader, moved: false, due: Some(0) }))
        };
        let mut readers: Vec<_> = (0..).take(self.readers).map(join).collect();
        readers.resize_with(self.seats(), Mutex::default);
        let mut writer = RingWriter::new(self.rules(0));
        if self.before {
            write_one(mem, &old, &mut writer, (&mut Seen::default(), Promise::Progress));
        }
        World {
            old,
            new: Block::new(mem, 2, self.seats()),
            arrivals: ArrivalLine { kept: zero("kept") },
            kernel: zero("kernel"),
            writer: Mutex::new(Some(writer)),
            readers,
        }
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        let Some(number) = index.checked_sub(1) else {
            let writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(mut writer) = writer else { fail(Promise::Model, "two writers".to_owned()) };
            if !self.before {
                write_one(mem, &world.old, &mut writer, (&mut seen, Promise::Progress));
            }
            let moved = self.hand_over(mem, world, &mut writer);
            let (block, mut writer) = match moved {
                Some(moved) => (&world.new, moved),
                None => (&world.old, writer),
            };
            seen.mark(if self.fails { "stays" } else { "hands over" });
            for _ in 0..self.after {
                write_one(mem, block, &mut writer, (&mut seen, Promise::Progress));
            }
            *world.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
            return seen.text();
        };
        if self.has_heir() && number == 1 {
            return self.inherit(mem, world);
        }
        let taken = world.readers[number].lock().unwrap_or_else(PoisonError::into_inner).take();
        let joined = taken.or_else(|| self.join(mem, world, number));
        let Some(mut follower) = joined else { return "is sent on".to_owned() };
        // Who joins reads when all is quiet: beside the others there is but the joining.
        let looks = if number < self.readers { self.looks } else { 0 };
        for _ in 0..looks {
            self.look(mem, world, &mut follower, &mut seen);
        }
        if looks == 0 {
            seen.mark(if follower.moved { "joins the new block" } else { "joins" });
        }
        *world.readers[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(follower);
        seen.text()
    }

    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        match index {
            0 => mem.fetch_or::<RMW_RELEASE>(&world.kernel, WRITER_DEAD),
            // Nobody waits for an heir that died; the next one does the same again.
            2 if self.has_heir() => 0,
            _ => mem.fetch_or::<RMW_RELEASE>(&world.kernel, READER_DEAD),
        };
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        let known = mem.load::<LOAD_ACQUIRE>(&world.kernel);
        if known & READER_DEAD != 0 {
            Self::bury(mem, world);
        }
        let lived = world.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut writer = lived.unwrap_or_else(|| self.succeed(mem, world));
        let moved = known & RENAMED != 0;
        for follower in &world.readers {
            let mut follower = follower.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(follower) = follower.as_mut() {
                self.read_rest(mem, world, (follower, writer.next()));
            }
        }
        // A successor that nobody found went with the one who made it.
        let kept = moved && handover::kept(mem, &world.arrivals) != 0;
        check(!kept, Promise::Quiet, || {
            "a seat is still kept although everybody has come".to_owned()
        });
        let block = if moved { &world.new } else { &world.old };
        let next = writer.next();
        for _ in 0..2 {
            write_one(mem, block, &mut writer, (&mut Seen::default(), Promise::Progress));
        }
        check(writer.next() == next + 2, Promise::Progress, || {
            "the producer cannot write although nobody is registered".to_owned()
        });
        quiet(mem, &world.new);
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
    fn a_hand_over_that_keeps_no_seats_is_found_to_lose_payloads() {
        let careless = HandOver { keeps_seats: false, before: true, ..HandOver::SMALL };
        let found = careless.run(Engine::Explore, &Setup::default(), &Limits::default());
        let failure = found.failure.expect("payloads are lost");
        assert_eq!(failure.violation.promise, Promise::Lossless, "{failure:?}");
    }
}
