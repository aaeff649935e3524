//! A consumer: one process that reads what the producer publishes.

pub mod attach;
mod copying;
pub mod follow;
pub mod read_slot;
pub mod slot_iterator;

use core::time::Duration;

use crate::aligned::AlignedBytes;
use crate::block::Block;
use crate::checksum;
use crate::config::BlockConfig;
use crate::memory::{MappedMemory, Shared, SharedWord};
use crate::metrics::{self, Metric, Snapshot};
use crate::place::Place;
use crate::pulse::Pulse;
use crate::ring::Fate;
use crate::ring::reader::{NotRead, RingReader, Taken};
use crate::sequence::Sequence;
use crate::shm::token::{Seat, Token};
use crate::slot::Reader;
use crate::wait::{LOOKS_AT_ONCE, Step, Timeout, WaitStrategy, Waiter, monotonic_ns, wake_all};
use crate::zone::{Zone, ZoneError};
use crate::{heartbeat, liveness, park, succession};
use read_slot::ReadSlot;

/// A consumer that only polls asks whether its producer lives once in so many looks.
const POLLS_PER_LOOK: u32 = 256;

/// Why there is nothing to read. Each is about this call only, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing new within the time.
    #[error("nothing new after {waited:?}")]
    TimedOut {
        /// How long the consumer waited.
        waited: Duration,
    },
    /// The producer came round. The next call goes on at `oldest`.
    #[error("the producer lapped this consumer: {missed} payloads are lost, {oldest} comes next")]
    Lapped {
        /// How many payloads this consumer missed.
        missed: u64,
        /// The sequence that comes next.
        oldest: Sequence,
    },
    /// The payload asked for by its sequence is no longer there.
    #[error("that payload is no longer there: the oldest is {oldest}")]
    Gone {
        /// The oldest sequence still promised.
        oldest: Sequence,
    },
    /// There is something new, and the producer came round each time this consumer tried to enter
    /// its slot. Trying again may succeed; more slots make it rarer.
    #[error("the producer overtook this consumer again and again for {waited:?}")]
    Contended {
        /// How long the consumer tried.
        waited: Duration,
    },
    /// Everything was read here, and the stream goes on in another block:
    /// [`follow`](Consumer::follow) leads there.
    #[error("the producer has handed the stream over to another block: follow it")]
    Moved,
    /// This consumer was too slow, or somebody took it for one that stands still and evicted it by force;
    /// the producer went on without it. Everything from `at` on is lost to it; drop it and attach again.
    #[error(
        "the producer went on without this consumer, which was too slow or evicted by force: {at} would have come next"
    )]
    Evicted {
        /// The sequence that it would have read next.
        at: Sequence,
    },
    /// The producer has ended the stream and everything was read.
    #[error("the producer has ended the stream")]
    Ended,
    /// The producer is dead. Another may take the block over.
    #[error("the producer is dead; nothing new after {waited:?}")]
    ProducerDead {
        /// How long the consumer waited.
        waited: Duration,
    },
    /// The checksum is wrong. The next call goes on behind it.
    #[error("the checksum of sequence {sequence} does not match its payload")]
    Checksum {
        /// Which payload.
        sequence: Sequence,
    },
    /// The shared words make no sense.
    #[error("the block is damaged: its words lead outside of it")]
    Damaged,
}

/// One reader of a block. One payload is open at a time; a process may hold several consumers.
#[derive(Debug)]
pub struct Consumer<M: MappedMemory = Shared> {
    mem: M,
    block: Block,
    ring_reader: RingReader,
    reader: Reader,
    wait: WaitStrategy,
    races: u64,
    pulse: Pulse,
    /// Looks that found nothing.
    polls: u32,
    process: u32,
    /// Whether payloads are handed out where they are, unpinned and unverified: the usual case.
    plain: bool,
    /// The word of this consumer's seat since it took it.
    seat_word: u64,
    /// The payload that is being read and its checksum record, in a block that evicts; otherwise empty.
    copy: AlignedBytes,
    /// The sequence that comes next, in a block that evicts: who was evicted is told it.
    due: Sequence,
    /// What this consumer was told when it was evicted.
    evicted_at: Option<Sequence>,
    /// Where the block was found.
    place: Place,
    // Dropped last: gives the seat back.
    _token: Token,
}

impl<M: MappedMemory> Consumer<M> {
    /// Takes the next payload, or under [`ConsumerSync::LatestOnly`](crate::config::ConsumerSync::LatestOnly) the newest one not yet read,
    /// waiting as long as `timeout` allows.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; with [`Timeout::Now`] a time-out means "not at once".
    // Inlined: as for the producer's commit.
    #[expect(clippy::inline_always, reason = "see above")]
    #[inline(always)]
    pub fn acquire_consume_slot(&mut self, timeout: Timeout) -> Result<ReadSlot<'_, M>, ReadError> {
        // What comes at once is met here, where nothing passes through memory.
        let mut looks = if timeout == Timeout::Now { 1 } else { LOOKS_AT_ONCE };
        let ring = self.block.ring();
        let taken = loop {
            match self.ring_reader.acquire(&self.mem, &ring) {
                Ok(taken) => break taken,
                Err(NotRead::Empty) if looks > 1 => looks -= 1,
                Err(why) => break self.wait_for_slot(why, timeout)?,
            }
        };
        self.admitted(taken)
    }

    fn look_once(&mut self) -> Result<Taken, NotRead> {
        self.ring_reader.acquire(&self.mem, &self.block.ring())
    }

    #[cold]
    fn wait_for_slot(&mut self, mut why: NotRead, timeout: Timeout) -> Result<Taken, ReadError> {
        let mut waiter = Waiter::new(timeout, self.wait);
        loop {
            self.give_up(why)?;
            let over = match waiter.step() {
                Step::Look => None,
                Step::Sleep => match self.sleep(&mut waiter) {
                    Ok(taken) => return Ok(taken),
                    Err(found) => {
                        self.give_up(found)?;
                        None
                    }
                },
                step => self.over(step, &waiter, why),
            };
            match (self.ring_reader.acquire(&self.mem, &self.block.ring()), over) {
                (Ok(taken), _) => return Ok(taken),
                (Err(found), Some(error)) => {
                    self.give_up(found)?;
                    return Err(self.nothing(error));
                }
                (Err(next), None) => why = next,
            }
        }
    }

    /// Whether `why` ends the call at once.
    fn give_up(&mut self, why: NotRead) -> Result<(), ReadError> {
        if !self.has_its_seat() {
            return Err(self.evicted(match why {
                // It has caught up already.
                NotRead::Lapped { missed, oldest } => oldest.saturating_sub(missed),
                _ => self.ring_reader.cursor(),
            }));
        }
        match why {
            NotRead::Empty | NotRead::Contended => Ok(()),
            NotRead::Lapped { missed, oldest } => {
                let word = &self.block.metrics().words[Metric::Lapped as usize];
                metrics::add(&self.mem, word, missed);
                Err(ReadError::Lapped { missed, oldest })
            }
            NotRead::Gone { oldest } => Err(ReadError::Gone { oldest }),
            NotRead::Corrupt => Err(ReadError::Damaged),
        }
    }

    /// Whether the wait is over, if this last look finds nothing either.
    fn over(&mut self, step: Step, wait: &Waiter, why: NotRead) -> Option<ReadError> {
        match wait.clock_ns() {
            Some(now_ns) if self.pulse.waits(now_ns) => self.beat_at(now_ns),
            None if self.pulse.counts() => self.look_at_clock(),
            _ => {}
        }
        if let Some(end) = end_of(self.fate()) {
            return Some(end);
        }
        let waited = wait.waited();
        // A token that cannot be examined is taken for a living producer's.
        if self.may_ask(waited) && !liveness::producer_lives(&self.block).unwrap_or(true) {
            let fate = succession::settled(&self.mem, &self.block, self.fate());
            return Some(end_of(fate).unwrap_or(ReadError::ProducerDead { waited }));
        }
        let expired = match why {
            NotRead::Contended => ReadError::Contended { waited },
            _ => ReadError::TimedOut { waited },
        };
        (step == Step::Expired).then_some(expired)
    }

    fn fate(&self) -> Fate {
        Fate::of(&self.mem, &self.block.ring())
    }

    /// Whether to ask the kernel about the producer: after a wait, and now and then while polling.
    fn may_ask(&mut self, waited: Duration) -> bool {
        self.polls = self.polls.wrapping_add(1);
        !waited.is_zero() || self.polls.is_multiple_of(POLLS_PER_LOOK)
    }

    #[cold]
    fn nothing(&self, error: ReadError) -> ReadError {
        self.count(Metric::ReaderNotReady, 1);
        if matches!(error, ReadError::TimedOut { waited } if !waited.is_zero()) {
            self.count(Metric::ReaderTimeouts, 1);
        }
        error
    }

    /// Announces, looks once more, and sleeps.
    fn sleep(&mut self, waiter: &mut Waiter) -> Result<Taken, NotRead> {
        let (mem, line) = (&self.mem, self.block.data_park());
        let signal = park::announce(mem, line, self.reader.number());
        let found = self.ring_reader.acquire(mem, &self.block.ring());
        let nothing = matches!(found, Err(NotRead::Empty | NotRead::Contended));
        if nothing && !self.fate().is_final() {
            waiter.sleep(&line.signal, signal);
        }
        park::awake(mem, line, self.reader.number());
        found
    }

    /// Takes the payload called `sequence`, without moving this consumer's place.
    ///
    /// # Errors
    ///
    /// [`ReadError::TimedOut`] when it is not there yet, [`ReadError::Gone`] when no more.
    pub fn acquire_sequence(
        &mut self,
        sequence: Sequence,
        timeout: Timeout,
    ) -> Result<ReadSlot<'_, M>, ReadError> {
        // Nobody wakes a sleeper for one sequence.
        let strategy =
            if self.wait == WaitStrategy::Park { WaitStrategy::Yield } else { self.wait };
        let mut waiter = Waiter::new(timeout, strategy);
        let mut over = None;
        loop {
            let ring = self.block.ring();
            let why = match self.ring_reader.acquire_sequence(&self.mem, &ring, sequence) {
                Ok(taken) => return self.admitted(taken),
                Err(why) => why,
            };
            self.give_up(why)?;
            if let Some(error) = over {
                return Err(self.nothing(error));
            }
            over = match waiter.step() {
                Step::Look | Step::Sleep => None,
                step => self.over(step, &waiter, why),
            };
        }
    }

    /// Checks what was admitted, and hands it out.
    #[inline]
    fn admitted(&mut self, taken: Taken) -> Result<ReadSlot<'_, M>, ReadError> {
        let fits = taken.admission.payload_bytes <= self.block.geometry().config.payload_bytes();
        if !(fits && self.plain && !taken.pinned && self.has_its_seat()) {
            self.vet(taken)?;
        }
        Ok(ReadSlot::new(self, taken))
    }

    /// What is done before a payload is handed out where it is not the plain case. An error leaves it.
    #[inline(never)]
    fn vet(&mut self, taken: Taken) -> Result<(), ReadError> {
        let limit = self.block.geometry().config.payload_bytes();
        if taken.admission.payload_bytes > limit {
            self.count(Metric::ValidationFailures, 1);
            self.ring_reader.release(&self.mem, &self.block.ring(), taken);
            return Err(ReadError::Damaged);
        }
        if !self.copy_out(&taken) {
            let next = self.ring_reader.cursor();
            self.ring_reader.give_back(&self.mem, &self.block.ring(), taken);
            return Err(self.evicted(next));
        }
        self.count_admission(&taken);
        let policy = self.config().checksum_policy();
        if !checksum::delivers(policy, || self.verifies(&taken)) {
            // Moves on behind it: no poison pill (F24).
            self.leave_slot(taken);
            return Err(ReadError::Checksum { sequence: taken.admission.sequence });
        }
        Ok(())
    }

    #[inline]
    fn count_admission(&mut self, taken: &Taken) {
        let readers = u64::from(taken.admission.readers);
        let peak = self.counter(Metric::ReaderPeak);
        if readers > metrics::read(&self.mem, peak) {
            metrics::set(&self.mem, peak, readers);
        }
        let races = self.ring_reader.races();
        if races != self.races {
            self.count(Metric::ReaderRaces, races - self.races);
            self.races = races;
        }
    }

    #[inline]
    fn counter(&self, metric: Metric) -> &SharedWord {
        self.block.counters(self.reader).word(metric)
    }

    #[inline]
    fn count(&self, metric: Metric, amount: u64) {
        metrics::count(&self.mem, self.counter(metric), amount);
    }

    /// Leaves a slot, wakes a producer that waits for room, counts.
    #[inline]
    fn leave_slot(&mut self, taken: Taken) {
        let bytes = taken.admission.payload_bytes;
        self.ring_reader.release(&self.mem, &self.block.ring(), taken);
        self.made_room();
        self.count(Metric::SlotsRead, 1);
        self.count(Metric::BytesRead, bytes);
        if self.pulse.counts() {
            self.look_at_clock();
        }
    }

    #[cold]
    fn look_at_clock(&mut self) {
        let now_ns = monotonic_ns();
        if self.pulse.beats(now_ns) {
            self.beat_at(now_ns);
        }
    }

    /// Wakes a producer that sleeps for room, if it can.
    #[inline]
    fn made_room(&self) {
        if self.block.geometry().config.parks() && park::ring(&self.mem, self.block.space_park()) {
            wake_all(&self.block.space_park().signal);
        }
    }

    /// Says that this consumer is there. Done by itself about four times a second while it reads or waits;
    /// call it in one that does something else for seconds.
    pub fn beat(&self) {
        self.beat_at(monotonic_ns());
    }

    fn beat_at(&self, now_ns: u64) {
        // An evicted one has no seat in which it could say so.
        let metric = if self.has_its_seat() {
            heartbeat::beat(&self.mem, self.block.heartbeat(self.reader), now_ns);
            Metric::HeartbeatsSent
        } else {
            Metric::HeartbeatsFailed
        };
        metrics::add(&self.mem, &self.block.metrics().words[metric as usize], 1);
    }

    /// How this consumer waits. A block without parking treats [`WaitStrategy::Park`] as yielding;
    /// returns what was chosen.
    pub fn set_wait(&mut self, wait: WaitStrategy) -> WaitStrategy {
        self.wait = wait.within(self.config());
        self.wait
    }

    /// The flexible zone called `name`.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Missing`] with the names there are.
    pub fn zone(&self, name: &str) -> Result<Zone<'_, M>, ZoneError> {
        // Also after an eviction: the seat stays this consumer's until it leaves, and so do its locks.
        let user = (Seat::Consumer(self.number()), heartbeat::epoch(self.seat_word));
        Zone::find(&self.mem, &self.block, user, name)
    }

    /// Shape and rules of the block.
    #[must_use]
    pub fn config(&self) -> &BlockConfig {
        &self.block.geometry().config
    }

    /// The mapped block.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// Which of the block's consumers this is, from 0.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.reader.number()
    }

    /// The next sequence to read; under latest-only, one more than the last one read.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        self.ring_reader.cursor()
    }

    /// The block's metrics now.
    #[must_use]
    pub fn metrics(&self) -> Snapshot {
        self.block.snapshot(&self.mem, monotonic_ns())
    }
}

/// The error that tells a final fate.
fn end_of(fate: Fate) -> Option<ReadError> {
    match fate {
        Fate::Ended => Some(ReadError::Ended),
        Fate::Moved => Some(ReadError::Moved),
        Fate::Open | Fate::Moving => None,
    }
}

impl<M: MappedMemory> Drop for Consumer<M> {
    /// Leaves the block: the producer no longer waits for this consumer.
    fn drop(&mut self) {
        if std::process::id() != self.process {
            return;
        }
        self.ring_reader.leave(&self.mem, &self.block.ring());
        liveness::clear(&self.mem, &self.block, self.reader);
        self.made_room();
    }
}
