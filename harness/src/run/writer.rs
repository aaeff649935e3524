//! The producing side of a worker: one message after the other, aborted ones in between.

use std::time::Duration;

use datahub::producer::{Producer, WriteError};
use datahub::wait::{Timeout, monotonic_ns};

use super::log::SharedLog;
use super::pace::busy;
use super::payload::{Keyed, Stamp};
use super::plant::Hands;
use super::stall::Stalls;
use super::wire::{Full, Measured, Task};
use super::words::Words;
use crate::history::Kind;

/// Progress is shown once in so many commits.
const SHOW_EVERY: u64 = 1024;
/// How long a write may take where the block's rule names no time.
const USUAL_TIMEOUT: Duration = Duration::from_millis(5);

/// Why no more is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// The span is over.
    Over,
    /// Something went wrong.
    Trouble(String),
}

/// Writes messages and counts them.
#[derive(Debug)]
pub(super) struct Writer<'a, H> {
    hands: &'a H,
    words: &'a Words,
    keyed: Keyed,
    timeout: Timeout,
    payload_bytes: u64,
    patience_ns: u64,
    abort_every: u64,
    /// Writes until the next one is aborted.
    until_abort: u64,
    /// When the present span ends.
    end_ns: u64,
    pub(super) committed: u64,
    pub(super) timeouts: u64,
    role: usize,
    pub(super) stalls: Stalls,
    /// Where it writes down what it does.
    pub(super) log: Option<SharedLog>,
}

impl<'a, H: Hands> Writer<'a, H> {
    pub(super) fn new(task: &Task, hands: &'a H, words: &'a Words) -> Self {
        let timeout = match task.block.on_full {
            Full::Block { timeout_ns } => Timeout::After(Duration::from_nanos(timeout_ns)),
            Full::Error | Full::Overwrite => Timeout::After(USUAL_TIMEOUT),
        };
        let abort_every = task.abort_every.unwrap_or(u64::MAX);
        Self {
            hands,
            words,
            keyed: Keyed::new(task.seed, task.whole),
            timeout,
            payload_bytes: task.block.payload_bytes,
            patience_ns: task.patience_ns,
            abort_every,
            until_abort: abort_every,
            end_ns: u64::MAX,
            committed: 0,
            timeouts: 0,
            role: task.role,
            stalls: Stalls::new(task.fate.is_some()),
            log: None,
        }
    }

    /// The present span ends at `end_ns`.
    pub(super) fn until(&mut self, end_ns: u64) {
        self.end_ns = end_ns;
    }

    #[inline]
    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        now_ns >= self.end_ns || self.words.stopped()
    }

    /// So many messages since `start_ns`.
    pub(super) fn measured(&self, messages: u64, start_ns: u64) -> Measured {
        let ns = monotonic_ns().saturating_sub(start_ns);
        Measured { messages, bytes: messages.saturating_mul(self.payload_bytes), ns }
    }

    /// Commits one message with these stamps.
    #[inline]
    pub(super) fn put(
        &mut self,
        producer: &mut Producer<H::Memory>,
        intended_ns: u64,
        actual_ns: u64,
    ) -> Result<(), Halt> {
        self.until_abort -= 1;
        if self.until_abort == 0 {
            self.abort_one(producer)?;
        }
        if self.stalls.on() {
            busy(self.words.slowed_ns(self.role));
        }
        let mut blocked_since = None;
        let from_ns = self.stalls.begin();
        loop {
            match producer.acquire_write_slot(self.timeout) {
                Ok(slot) => {
                    self.stalls.end(from_ns);
                    let stamp = Stamp { sequence: slot.sequence(), intended_ns, actual_ns };
                    if let Some(log) = &self.log {
                        let bytes = usize::try_from(self.payload_bytes).unwrap_or(0);
                        log.borrow_mut().offered(&self.keyed, &stamp, bytes);
                    }
                    let published = self.hands.publish(slot, &self.keyed, &stamp);
                    published.map_err(|error| Halt::Trouble(error.to_string()))?;
                    break;
                }
                Err(error) => {
                    if let Err(halt) = self.blocked(error, &mut blocked_since) {
                        self.stalls.end(from_ns);
                        return Err(halt);
                    }
                }
            }
        }
        self.committed += 1;
        if self.committed.is_multiple_of(SHOW_EVERY) {
            self.words.report_progress(self.committed);
        }
        Ok(())
    }

    /// Writes a payload that nobody may ever see, and gives it up.
    #[cold]
    fn abort_one(&mut self, producer: &mut Producer<H::Memory>) -> Result<(), Halt> {
        self.until_abort = self.abort_every;
        let mut blocked_since = None;
        loop {
            match producer.acquire_write_slot(self.timeout) {
                Ok(mut slot) => {
                    let stamp = Stamp { sequence: slot.sequence(), intended_ns: 0, actual_ns: 0 };
                    self.keyed.foreign().fill(slot.payload(), &stamp);
                    slot.abort();
                    self.note(Kind::Aborted, stamp.sequence);
                    return Ok(());
                }
                Err(error) => self.blocked(error, &mut blocked_since)?,
            }
        }
    }

    /// No slot now. Says whether to try again.
    #[cold]
    fn blocked(&mut self, error: WriteError, since: &mut Option<u64>) -> Result<(), Halt> {
        match error {
            WriteError::TimedOutFull { .. } | WriteError::TimedOutReaders { .. } => {
                self.timeouts += 1;
                self.note(Kind::Blocked, 0);
            }
            WriteError::Full { .. } => rustix::thread::sched_yield(),
            other => return Err(Halt::Trouble(format!("the producer cannot write: {other}"))),
        }
        let now = monotonic_ns();
        if self.is_over(now) {
            return Err(Halt::Over);
        }
        if now.saturating_sub(*since.get_or_insert(now)) > self.patience_ns {
            return Err(Halt::Trouble(format!("the producer gave up: {error}")));
        }
        Ok(())
    }

    /// Writes down what happened, where that is asked for.
    pub(super) fn note(&self, kind: Kind, sequence: u64) {
        if let Some(log) = &self.log {
            log.borrow_mut().note(kind, sequence, 0);
        }
    }

    /// Says how far it came.
    pub(super) fn show(&self) {
        self.words.report_progress(self.committed);
    }
}
