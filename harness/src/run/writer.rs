//! The producing side of a worker: one message after the other, aborted ones in between.

use datahub::producer::WriteError;
use datahub::wait::monotonic_ns;

use super::log::SharedLog;
use super::pace::busy;
use super::payload::Keyed;
use super::stall::Stalls;
use super::transport::{Outlet, Refusal};
use super::wire::{Measured, Task};
use super::words::Words;
use super::zone::Zones;
use crate::history::Kind;

/// Progress is shown once in so many commits.
const SHOW_EVERY: u64 = 1024;

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
pub(super) struct Writer<'a> {
    words: &'a Words,
    keyed: Keyed,
    payload_bytes: u64,
    patience_ns: u64,
    abort_every: u64,
    /// Writes until the next one is aborted.
    until_abort: u64,
    /// When the present span ends.
    end_ns: u64,
    pub(super) committed: u64,
    pub(super) timeouts: u64,
    /// Refused because there was no room.
    pub(super) refusals: u64,
    role: usize,
    pub(super) stalls: Stalls,
    /// Where it writes down what it does.
    pub(super) log: Option<SharedLog>,
    /// The block's flexible zones, where there are some.
    zones: Option<Box<Zones>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(task: &Task, words: &'a Words) -> Self {
        let abort_every = task.abort_every.unwrap_or(u64::MAX);
        Self {
            words,
            keyed: Keyed::new(task.seed, task.whole),
            payload_bytes: task.block.payload_bytes,
            patience_ns: task.patience_ns,
            abort_every,
            until_abort: abort_every,
            end_ns: u64::MAX,
            committed: 0,
            timeouts: 0,
            refusals: 0,
            role: task.role,
            stalls: Stalls::new(task.fate.is_some()),
            log: None,
            zones: Zones::of(task),
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
    pub(super) fn put<O: Outlet>(
        &mut self,
        outlet: &mut O,
        intended_ns: u64,
        actual_ns: u64,
    ) -> Result<(), Halt> {
        self.until_abort -= 1;
        if self.until_abort == 0 {
            self.abort_one(outlet)?;
        }
        if self.stalls.on() {
            busy(self.words.slowed_ns(self.role));
        }
        if let Some(zones) = &mut self.zones {
            zones.beside(outlet, outlet.commits());
        }
        let mut blocked_since = None;
        let from_ns = self.stalls.begin();
        while let Err(refusal) = self.offer(outlet, (intended_ns, actual_ns)) {
            if let Err(halt) = self.blocked(refusal, &mut blocked_since) {
                self.stalls.end(from_ns, self.words);
                return Err(halt);
            }
        }
        self.stalls.end(from_ns, self.words);
        self.committed += 1;
        if self.committed.is_multiple_of(SHOW_EVERY) {
            self.words.report_progress(self.committed);
        }
        Ok(())
    }

    /// One try; what is about to be committed is written down first, where that is asked for.
    #[inline]
    fn offer<O: Outlet>(&mut self, outlet: &mut O, times: (u64, u64)) -> Result<(), Refusal> {
        outlet.put(&self.keyed, times, |stamp| {
            if let Some(log) = &self.log {
                let bytes = usize::try_from(self.payload_bytes).unwrap_or(0);
                log.borrow_mut().offered(&self.keyed, stamp, bytes);
            }
        })
    }

    /// Writes a payload that nobody may ever see, and gives it up.
    #[cold]
    fn abort_one<O: Outlet>(&mut self, outlet: &mut O) -> Result<(), Halt> {
        self.until_abort = self.abort_every;
        let mut blocked_since = None;
        while let Err(refusal) = outlet.abort(&self.keyed) {
            self.blocked(refusal, &mut blocked_since)?;
        }
        self.note(Kind::Aborted, outlet.commits());
        Ok(())
    }

    /// No room now. Says whether to try again.
    #[cold]
    fn blocked(&mut self, refusal: Refusal, since: &mut Option<u64>) -> Result<(), Halt> {
        match refusal {
            Refusal::NoRoom
            | Refusal::Block(
                WriteError::TimedOutFull { .. } | WriteError::TimedOutReaders { .. },
            ) => {
                self.timeouts += 1;
                self.note(Kind::Blocked, 0);
            }
            Refusal::Block(WriteError::Full { .. }) => {
                self.refusals += 1;
                rustix::thread::sched_yield();
            }
            Refusal::Trouble(why) => return Err(Halt::Trouble(why)),
            Refusal::Block(other) => {
                return Err(Halt::Trouble(format!("the producer cannot write: {other}")));
            }
        }
        let now = monotonic_ns();
        if self.is_over(now) {
            return Err(Halt::Over);
        }
        if now.saturating_sub(*since.get_or_insert(now)) > self.patience_ns {
            return Err(Halt::Trouble(format!("the producer gave up: {refusal}")));
        }
        Ok(())
    }

    /// Writes down what happened, where that is asked for.
    pub(super) fn note(&self, kind: Kind, sequence: u64) {
        if let Some(log) = &self.log {
            log.borrow_mut().note(kind, sequence, 0);
        }
    }

    /// Nothing more is written to the block's zones.
    pub(super) fn leave_zones<O: Outlet>(&mut self, outlet: &O) {
        if let Some(zones) = &mut self.zones {
            zones.end(outlet);
        }
    }

    /// What was done about the block's zones.
    pub(super) fn zones(&self) -> Option<&Zones> {
        self.zones.as_deref()
    }

    /// Where it tells what, and as whom.
    pub(super) fn voice(&self) -> (&'a Words, usize) {
        (self.words, self.role)
    }

    /// Says how far it came.
    pub(super) fn show(&self) {
        self.words.report_progress(self.committed);
    }
}
