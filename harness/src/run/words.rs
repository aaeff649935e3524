//! The words that the harness shares with its workers: phases, the stop flag, progress, and the
//! bare line on which the machine is calibrated.
//!
//! Only the harness moves the phase. Who waits for it looks, sleeps briefly, and gives up at its
//! deadline.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use datahub::shm::Folder;
use datahub::shm::words::WordMap;
use datahub::wait::monotonic_ns;
use nix::poll::{PollTimeout, poll};

/// Where the trial stands.
const PHASE: usize = 0;
/// Not 0: end early.
const STOP: usize = 1;
/// Commits so far, now and then.
const PROGRESS: usize = 2;
/// When the measured part began.
const START_NS: usize = 3;
/// The first measured sequence + 1.
const FROM: usize = 4;
/// The initiator's word of the bare line.
pub(super) const PING: usize = 5;
/// The other end's.
pub(super) const PONG: usize = 6;
const COUNT: usize = 7;

/// How long a waiting worker sleeps between two looks.
const NAP: Duration = Duration::from_millis(1);
/// Looks before the first nap.
const LOOKS: u32 = 2_000;

/// What happens in a trial, in this order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(crate) enum Phase {
    /// Blocks are made and attached.
    SetUp = 0,
    /// The bare line is timed.
    Before = 1,
    /// Messages flow.
    Run = 2,
    /// The bare line is timed again.
    After = 3,
}

impl Phase {
    /// What comes next.
    pub(super) fn next(self) -> Self {
        match self {
            Self::SetUp => Self::Before,
            Self::Before => Self::Run,
            Self::Run | Self::After => Self::After,
        }
    }

    /// In a word, for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::SetUp => "setting up",
            Self::Before | Self::After => "calibrating",
            Self::Run => "running",
        }
    }
}

/// The shared words of one trial.
#[derive(Debug)]
pub(super) struct Words(pub(super) WordMap);

impl Words {
    /// New words, all 0, without a name.
    pub(super) fn create() -> io::Result<Self> {
        WordMap::create(&Folder::default(), COUNT).map(Self)
    }

    /// The harness's words.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let words = WordMap::open(path)?;
        if words.len() < COUNT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too few shared words"));
        }
        Ok(Self(words))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path()
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.0.publish(PHASE, phase as u64);
    }

    /// Waits until the harness enters `phase`. Says whether it did before `deadline_ns`.
    pub(super) fn wait_for(&self, phase: Phase, deadline_ns: u64) -> bool {
        let mut looks = 0;
        while self.0.read(PHASE) < phase as u64 {
            looks += 1;
            if looks < LOOKS {
                std::hint::spin_loop();
            } else if monotonic_ns() >= deadline_ns {
                return false;
            } else {
                nap(NAP);
            }
        }
        true
    }

    pub(super) fn stop(&self) {
        self.0.publish(STOP, 1);
    }

    #[inline]
    pub(super) fn stopped(&self) -> bool {
        self.0.read(STOP) != 0
    }

    #[inline]
    pub(super) fn report_progress(&self, commits: u64) {
        self.0.publish(PROGRESS, commits);
    }

    pub(super) fn progress(&self) -> u64 {
        self.0.read(PROGRESS)
    }

    /// The measured part begins with sequence `first`, which is not committed yet.
    pub(super) fn begin(&self, first: u64, now_ns: u64) {
        self.0.publish(START_NS, now_ns);
        self.0.publish(FROM, first + 1);
    }

    /// The first measured sequence and when the measured part began; `None` before that.
    #[inline]
    pub(super) fn begun(&self) -> Option<(u64, u64)> {
        let first = self.0.read(FROM).checked_sub(1)?;
        Some((first, self.0.read(START_NS)))
    }
}

/// Sleeps.
pub(super) fn nap(time: Duration) {
    let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO);
    // Interrupted or not: the caller looks again.
    let _woken = poll(&mut [], timeout);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_never_comes_is_given_up() {
        let words = Words::create().unwrap();
        assert!(!words.wait_for(Phase::Before, monotonic_ns() + 5_000_000));
        words.enter(Phase::Run);
        assert!(words.wait_for(Phase::Before, 0));
    }

    #[test]
    fn another_process_sees_what_was_begun() {
        let words = Words::create().unwrap();
        let other = Words::open(&words.path()).unwrap();
        assert_eq!(other.begun(), None);
        words.begin(0, 77);
        assert_eq!(other.begun(), Some((0, 77)));
        assert!(!other.stopped());
        words.stop();
        assert!(other.stopped());
    }
}
