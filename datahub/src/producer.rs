//! The producer: one process that fills slots and publishes them.

pub mod create;
mod eviction;
pub mod hand_over;
pub mod write_batch;
pub mod write_slot;

use core::time::Duration;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use crate::aligned::AlignedBytes;
use crate::block::Block;
use crate::config::{BlockConfig, OnFull};
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{self, ErrorCode, Metric, Snapshot};
use crate::name::BlockName;
use crate::pulse::Pulse;
use crate::ring::writer::{Blocked, NotTaken, RingWriter};
use crate::sequence::Sequence;
use crate::shm::Folder;
use crate::shm::token::{Seat, Token};
use crate::slot::{Seats, known_readers};
use crate::wait::{LIVENESS_NS, Step, Timeout, WaitStrategy, Waiter, monotonic_ns, wake_all};
use crate::zone::{Zone, ZoneError};
use crate::{heartbeat, liveness, park};
use eviction::Patience;
use write_slot::WriteSlot;

/// The sleeper bit of the producer on its own park line.
const PRODUCER_BIT: u32 = 0;

/// Why no slot could be had for writing. Block and slots are as before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The ring is full and the block's rule is to say so.
    #[error("the ring is full: {} read sequence {oldest} yet", Seats(*slowest).did_not("has not", "have not"))]
    Full {
        /// The slowest consumers, one bit each.
        slowest: u32,
        /// The sequence that they would have to read.
        oldest: Sequence,
    },
    /// The ring stayed full.
    #[error("no room after {waited:?}: {} slowest", Seats(*slowest).did_not("is", "are"))]
    TimedOutFull {
        /// The slowest consumers, one bit each.
        slowest: u32,
        /// How long the producer waited.
        waited: Duration,
    },
    /// Readers stayed in the slots that could have been taken.
    #[error("no slot after {waited:?}: {} still reading", Seats(*readers).did_not("is", "are"))]
    TimedOutReaders {
        /// Who is inside, one bit each.
        readers: u32,
        /// How long the producer waited.
        waited: Duration,
    },
    /// A slot is being written although this producer holds none.
    #[error("a slot is WRITING that this producer does not hold: the block needs recovery")]
    Damaged,
    /// All sequence numbers are spent.
    #[error("the last of 2^64 sequence numbers has been used")]
    Exhausted,
}

/// The one writer of a block. One slot is open at a time.
#[derive(Debug)]
pub struct Producer<M: MappedMemory = Shared> {
    mem: M,
    block: Block,
    writer: RingWriter,
    wait: WaitStrategy,
    home: Home,
    epoch: u64,
    process: u32,
    pulse: Pulse,
    /// When the tokens of those who block were last examined, monotonic nanoseconds.
    looked_ns: u64,
    /// Who stands in the way for how long, in a block that evicts.
    patience: Option<Patience>,
    /// Whether a commit only publishes: nothing is stamped and nothing copied. The usual case.
    plain: bool,
    /// Payloads and checksum records before they are copied, in a block that evicts; otherwise empty.
    staging: AlignedBytes,
    /// Whether the stream goes on in another block, so that this one must not be ended.
    moved: bool,
    // Dropped last: gives the producer's seat back.
    _token: Token,
}

/// Where a block was made.
#[derive(Debug, Clone)]
struct Home {
    folder: Folder,
    /// `None` for an unnamed block.
    name: Option<BlockName>,
}

impl<M: MappedMemory> Producer<M> {
    /// Takes a slot for the next sequence, waiting as long as `timeout` allows.
    ///
    /// No sequence is spent before the commit: dropping the slot changes nothing that was promised.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; with [`Timeout::Now`] a time-out means "not at once".
    // Inlined: as for [`WriteSlot::commit`].
    #[expect(clippy::inline_always, reason = "see above")]
    #[inline(always)]
    pub fn acquire_write_slot(&mut self, timeout: Timeout) -> Result<WriteSlot<'_, M>, WriteError> {
        let index = match self.writer.try_acquire(&self.mem, &self.block.ring()) {
            Some(index) => index,
            None => self.wait_for_slots(1, timeout)?,
        };
        Ok(WriteSlot::new(self, index))
    }

    /// Takes the next `count` slots; returns the first.
    #[cold]
    fn wait_for_slots(&mut self, count: usize, timeout: Timeout) -> Result<usize, WriteError> {
        let mut waiter = Waiter::backing_off(timeout, self.wait);
        let errs = self.block.geometry().config.when_full() == OnFull::Error;
        let (mem, block, next) = (&self.mem, &self.block, self.writer.next());
        let (patience, pulse) = (&mut self.patience, &mut self.pulse);
        let mut announced = None;
        let wait = |blocked| {
            if patience.as_mut().is_some_and(|patience| patience.ends((mem, block), next, blocked))
            {
                return true;
            }
            if let Some(patience) = patience.as_ref() {
                waiter.naps_at_most(patience.left_ns());
            }
            let goes_on = !(errs && matches!(blocked, Blocked::Full(_)));
            goes_on && pause((mem, block), (&mut waiter, pulse, &mut announced), blocked)
        };
        let taken = match count {
            1 => self.writer.acquire(mem, &block.ring(), wait),
            _ => self.writer.acquire_batch(mem, &block.ring(), count, wait),
        };
        if announced.is_some() {
            park::awake(mem, block.space_park(), PRODUCER_BIT);
        }
        let taken = match taken {
            // A short wait, or none, has not looked who of those who block is dead.
            Err(NotTaken::Blocked(Blocked::Full(who) | Blocked::Readers(who)))
                if self.bury(who) =>
            {
                let ring = self.block.ring();
                match count {
                    1 => self.writer.acquire(&self.mem, &ring, |_| false),
                    _ => self.writer.acquire_batch(&self.mem, &ring, count, |_| false),
                }
            }
            taken => taken,
        };
        match taken {
            Ok(index) => {
                self.blocked_for(&waiter);
                Ok(index)
            }
            Err(refused) => Err(self.refused(refused, &waiter, errs)),
        }
    }

    /// Clears the dead among these consumers, at most once a millisecond. Says whether any was.
    fn bury(&mut self, who: u32) -> bool {
        let now_ns = monotonic_ns();
        let due = now_ns.saturating_sub(self.looked_ns) >= LIVENESS_NS;
        if due {
            self.looked_ns = now_ns;
        }
        due && liveness::reap_dead(&self.mem, &self.block, who)
    }

    fn blocked_for(&self, waiter: &Waiter) {
        let blocked_ns = waiter.waited_ns();
        if blocked_ns != 0 {
            self.count(Metric::WriterBlockedNs, blocked_ns);
        }
    }

    #[cold]
    fn refused(&self, refused: NotTaken, wait: &Waiter, errs: bool) -> WriteError {
        self.blocked_for(wait);
        let waited = wait.waited();
        let error = match refused {
            NotTaken::Blocked(Blocked::Full(slowest)) if errs => {
                let capacity = u64::from(self.block.geometry().config.capacity());
                let oldest = self.writer.next().saturating_sub(capacity);
                WriteError::Full { slowest, oldest }
            }
            NotTaken::Blocked(Blocked::Full(slowest)) => {
                WriteError::TimedOutFull { slowest, waited }
            }
            NotTaken::Blocked(Blocked::Readers(readers)) => {
                WriteError::TimedOutReaders { readers, waited }
            }
            NotTaken::Writing => WriteError::Damaged,
            NotTaken::Exhausted => WriteError::Exhausted,
        };
        match error {
            // Looking once is not waiting.
            WriteError::TimedOutFull { .. } | WriteError::TimedOutReaders { .. } => {
                self.count(Metric::WriterTimeouts, u64::from(!waited.is_zero()));
            }
            WriteError::Full { .. } => self.record_error(Metric::AcquireErrors, ErrorCode::Full),
            WriteError::Damaged => {
                self.record_error(Metric::AcquireErrors, ErrorCode::SlotLocked);
            }
            WriteError::Exhausted => {
                self.record_error(Metric::AcquireErrors, ErrorCode::Exhausted);
            }
        }
        error
    }

    #[inline]
    fn count(&self, metric: Metric, amount: u64) {
        metrics::count(&self.mem, &self.block.metrics().words[metric as usize], amount);
    }

    fn record_error(&self, metric: Metric, code: ErrorCode) {
        let words = &self.block.metrics().words;
        self.count(metric, 1);
        let errors = metrics::read(&self.mem, &words[Metric::LastError as usize]) >> 32;
        let error = errors.wrapping_add(1) << 32 | u64::from(code as u32);
        metrics::set(&self.mem, &words[Metric::LastError as usize], error);
        metrics::set(&self.mem, &words[Metric::LastErrorNs as usize], monotonic_ns());
    }

    #[inline]
    fn publish(&mut self, index: usize, payload_bytes: usize) -> Sequence {
        let ring = self.block.ring();
        let sequence = self.writer.commit(&self.mem, &ring, index, payload_bytes as u64);
        self.announce();
        self.count(Metric::SlotsWritten, 1);
        self.count(Metric::BytesWritten, payload_bytes as u64);
        if self.pulse.counts() {
            self.look_at_clock();
        }
        sequence
    }

    #[cold]
    fn look_at_clock(&mut self) {
        let now_ns = monotonic_ns();
        if self.pulse.beats(now_ns) {
            beat((&self.mem, &self.block), now_ns);
        }
    }

    /// Wakes consumers that sleep, if there can be any.
    #[inline]
    fn announce(&mut self) {
        if self.block.geometry().config.parks() && park::ring(&self.mem, self.block.data_park()) {
            self.wake_consumers();
        }
    }

    /// Wakes who sleeps. Who announced it and is not there may be dead: or every later commit
    /// would call the kernel for nobody.
    #[cold]
    fn wake_consumers(&mut self) {
        let line = self.block.data_park();
        if wake_all(&line.signal) == 0 {
            let known = known_readers(self.config().consumers_max() as usize);
            let sleepers = park::sleepers(&self.mem, line);
            if sleepers & !u64::from(known) != 0 {
                park::clear_strays(&self.mem, line, known.into());
            }
            self.bury(u32::try_from(sleepers & u64::from(known)).unwrap_or(known));
        }
    }

    /// Says that this producer is there. Done by itself about four times a second while it commits or
    /// waits; call it in one that does something else for seconds.
    pub fn beat(&self) {
        beat((&self.mem, &self.block), monotonic_ns());
    }

    /// How this producer waits. A block without parking treats [`WaitStrategy::Park`] as yielding;
    /// returns what was chosen.
    pub fn set_wait(&mut self, wait: WaitStrategy) -> WaitStrategy {
        self.wait = wait.within(self.config());
        self.wait
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

    /// The flexible zone called `name`.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Missing`] with the names there are.
    pub fn zone(&self, name: &str) -> Result<Zone<'_, M>, ZoneError> {
        Zone::find(&self.mem, &self.block, (Seat::Producer, self.epoch), name)
    }

    /// How many commits there were: the sequence of the next one.
    #[must_use]
    pub fn commit_index(&self) -> u64 {
        self.writer.next()
    }

    /// How many commits there were; the newest sequence is one less (decision 1).
    ///
    /// Source: HEP-CORE-0002 `commit_index`.
    #[must_use]
    pub fn get_commit_index(&self) -> u64 {
        self.commit_index()
    }

    /// The sequence that the open or next slot will have. Equal to the commit index, because no
    /// sequence is spent before its commit.
    ///
    /// Source: HEP-CORE-0002 `write_index`.
    #[must_use]
    pub fn get_write_index(&self) -> u64 {
        self.commit_index()
    }

    /// The lowest cursor of the gated consumers when the producer last looked, which it does when
    /// the ring seems full. Under latest-only nobody gates and this stays at 0.
    ///
    /// Source: HEP-CORE-0002 `read_index`.
    #[must_use]
    pub fn get_read_index(&self) -> u64 {
        self.block.read_index(&self.mem)
    }

    /// A path through which other processes of this user can attach, as long as this one lives.
    /// The way to reach an unnamed block.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", self.process, self.block.file().as_raw_fd()).into()
    }

    /// The block's metrics now.
    #[must_use]
    pub fn metrics(&self) -> Snapshot {
        self.block.snapshot(&self.mem, monotonic_ns())
    }
}

/// The producer says that it is there.
fn beat<M: MappedMemory>((mem, block): (&M, &Block), now_ns: u64) {
    heartbeat::beat(mem, block.producer_heartbeat(), now_ns);
    let words = &block.metrics().words;
    metrics::set(mem, &words[Metric::LastHeartbeatNs as usize], now_ns);
    metrics::add(mem, &words[Metric::HeartbeatsSent as usize], 1);
    hand_over::let_predecessor_go((mem, block));
}

/// What the producer does while it is blocked. Says whether to look again.
///
/// `announced` is the signal to sleep on, once the producer has said that it will.
fn pause<M: MappedMemory>(
    (mem, block): (&M, &Block),
    (waiter, pulse, announced): (&mut Waiter, &mut Pulse, &mut Option<u32>),
    blocked: Blocked,
) -> bool {
    if let Some(signal) = announced.take() {
        // The look between the announcement and this sleep found nothing.
        waiter.sleep(&block.space_park().signal, signal);
        park::awake(mem, block.space_park(), PRODUCER_BIT);
        return true;
    }
    let (Blocked::Full(who) | Blocked::Readers(who)) = blocked;
    match waiter.step() {
        Step::Look => true,
        Step::Expired => false,
        Step::LookForDead => {
            if let Some(now_ns) = waiter.clock_ns().filter(|&now_ns| pulse.waits(now_ns)) {
                beat((mem, block), now_ns);
            }
            liveness::reap_dead(mem, block, who);
            true
        }
        Step::Sleep => {
            *announced = Some(park::announce(mem, block.space_park(), PRODUCER_BIT));
            true
        }
    }
}

impl<M: MappedMemory> Drop for Producer<M> {
    /// Ends the stream: consumers read what is left and are told. The name goes, if it is ours; while
    /// consumers have still to come from a predecessor it stays, and the last of them removes it.
    fn drop(&mut self) {
        if std::process::id() != self.process {
            return;
        }
        if !self.moved {
            self.writer.close(&self.mem, &self.block.ring());
            self.announce();
        }
        heartbeat::retire(&self.mem, self.block.producer_heartbeat());
        heartbeat::free(&self.mem, self.block.producer_heartbeat(), self.epoch);
        // Who has not come from the predecessor yet needs the name; the last of them removes it.
        let awaited = !self.moved && self.still_to_move() != 0;
        if let (Home { folder, name: Some(name) }, false) = (&self.home, self.moved || awaited) {
            // Nobody is left to tell; the next producer takes the name over.
            let _removed = folder.unlink(self.block.file(), name);
        }
    }
}
