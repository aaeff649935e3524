//! What carries the messages of a trial: a DataHub block, or something that it is held against.
//!
//! Loops, pace, checks and histograms know the two ends below and nothing of what lies between them.
//! Everything is generic and static: no message passes through a pointer to a function.
//! What each transport promises, and what it cannot do, stands in `scenario/model/transport.rs`.

pub(super) mod bare;
pub(super) mod block;
pub(super) mod bytes;
pub(super) mod crossbeam;
#[cfg(feature = "peers")]
pub(super) mod iceoryx2;
pub(super) mod lying;
mod patience;
pub(super) mod rtrb;
pub(super) mod threads;
#[cfg(feature = "peers")]
pub(super) mod zeromq;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use datahub::config::ConfigError;
use datahub::consumer::ReadError;
use datahub::consumer::attach::AttachError;
use datahub::producer::WriteError;
use datahub::producer::create::CreateError;

use super::metrics::MetricsFile;
use super::payload::{Keyed, Stamp};
use super::wire::{Full, Task};
use super::zone::{TroubledZone, Zoned};

/// A kind of transport: makes both of its ends.
pub(super) trait Transport {
    /// Its producing end.
    type Outlet: Outlet;
    /// Its consuming end.
    type Inlet: Inlet;

    /// Makes the producing end.
    ///
    /// # Errors
    ///
    /// [`TransportError`].
    fn make(&self, task: &Task) -> Result<Self::Outlet, TransportError>;

    /// Attaches a consuming end to the producing end at `place`.
    ///
    /// # Errors
    ///
    /// [`TransportError`].
    fn attach(&self, task: &Task, place: &Path) -> Result<Self::Inlet, TransportError>;

    /// Commits so far at `place`, asked without joining; `None` where nobody can ask.
    fn commits_at(&self, _place: &Path) -> Option<u64> {
        None
    }
}

/// The producing end. Dropped, it ends the stream.
pub(super) trait Outlet: Zoned {
    /// Where consumers find it.
    fn place(&self) -> PathBuf;

    /// How many messages it has committed: the next one's sequence.
    fn commits(&self) -> u64;

    /// Fills the next message under its sequence and these times, and commits it. After
    /// [`Refusal::NoRoom`] the same message may be tried again, with its first times, which are the
    /// intended and the actual one. `offered` is told once, before anybody can see the message.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    fn put(
        &mut self,
        keyed: &Keyed,
        times: (u64, u64),
        offered: impl FnOnce(&Stamp),
    ) -> Result<(), Refusal>;

    /// Writes a message that nobody may ever see, and gives it up.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; always, where the transport cannot do that.
    fn abort(&mut self, _keyed: &Keyed) -> Result<(), Refusal> {
        Err(Refusal::Trouble("this transport cannot give up a message".to_owned()))
    }

    /// The counters that it keeps for itself; `None` where it keeps none.
    ///
    /// # Errors
    ///
    /// When they cannot be held open.
    fn metrics(&self) -> io::Result<Option<MetricsFile>> {
        Ok(None)
    }
}

/// The consuming end.
pub(super) trait Inlet: Zoned {
    /// Waits for the next message, at most so long, and shows its label and its bytes.
    ///
    /// # Errors
    ///
    /// [`Nothing`]; nothing was shown then.
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing>;

    /// Commits so far, as this end knows.
    fn commits(&self) -> u64;

    /// The sequence with which it would go on.
    fn next_sequence(&self) -> u64;

    /// Holds open what it reads, for whoever is to come back when the producer has gone; `None` where
    /// nobody can.
    fn hold(&self) -> Option<File> {
        None
    }
}

/// Why a message was not committed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The block has no slot.
    #[error("{0}")]
    Block(#[from] WriteError),
    /// There was no room within the time that the scenario allows.
    #[error("there was no room in time")]
    NoRoom,
    /// It never will.
    #[error("{0}")]
    Trouble(String),
}

/// Why no message was shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Nothing {
    /// The block says so.
    #[error("{0}")]
    Block(#[from] ReadError),
    /// None came in time.
    #[error("no message came in time")]
    NotYet,
    /// The producer has ended the stream.
    #[error("the stream has ended")]
    Ended,
    /// None ever will.
    #[error("{0}")]
    Trouble(String),
}

/// Why there is no end.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    #[error("the block cannot be configured: {0}")]
    Config(#[from] ConfigError),
    #[error("the block cannot be made: {0}")]
    Create(#[from] CreateError),
    #[error("the block cannot be attached: {0}")]
    Attach(#[from] AttachError),
    #[error("the block's zones cannot be made: {0}")]
    Zone(#[from] TroubledZone),
    #[error("the transport cannot be set up: {0}")]
    Kernel(#[from] io::Error),
}

/// How long a write may take where the scenario names no time.
const USUAL_TIMEOUT: Duration = Duration::from_millis(5);

/// How long a write waits for room.
fn room_timeout(task: &Task) -> Duration {
    match task.block.on_full {
        Full::Block { timeout_ns } => Duration::from_nanos(timeout_ns),
        Full::Error | Full::Overwrite => USUAL_TIMEOUT,
        // Whoever stands in the way is evicted meanwhile.
        Full::Evict { after_ns } => {
            Duration::from_nanos(after_ns).saturating_mul(4).max(USUAL_TIMEOUT)
        }
    }
}

/// Labels for messages to which the transport gives none: what they say of themselves.
#[derive(Debug)]
struct Labels {
    keyed: Keyed,
    /// The next one's, if nothing is lost.
    expected: u64,
}

impl Labels {
    fn of(task: &Task) -> Self {
        Self { keyed: Keyed::new(task.seed, task.whole), expected: 0 }
    }

    #[inline]
    fn next(&mut self, message: &[u8]) -> u64 {
        let label = self.keyed.claim(message, self.expected);
        self.expected = label.saturating_add(1);
        label
    }
}
