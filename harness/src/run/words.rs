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
use report_schema::Counts;

use super::latency::Glimpse;

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
/// Not 0: the producer is dead, and nobody will take its place.
const GONE: usize = 7;
/// When the last fault came.
const STRUCK_NS: usize = 8;
/// The words that all share; those of each role follow.
const SHARED: usize = 9;

/// How much slower a role is to be, in nanoseconds a message.
const SLOW_NS: usize = 0;
/// When a role killed itself at a site.
const DIED_NS: usize = 1;
/// How many payloads a producer has spoilt, as it was asked to.
const SPOILT: usize = 2;
/// What a consumer has counted so far: it may be killed before it can say so.
const ACCOUNT: usize = 3;
/// While the warm-up lasts until figures hold still: of a consumer, its latest level; of the producer,
/// the number of the interval.
const LEVEL: usize = ACCOUNT + 8;
/// The slice of a role's latencies that ended last: its number from 1, then its figures.
const SLICE: usize = LEVEL + 1;
/// Words of one role.
const OF_ROLE: usize = SLICE + 6;

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
    /// New words for so many roles, all 0, without a name.
    pub(super) fn create(roles: usize) -> io::Result<Self> {
        WordMap::create(&Folder::default(), SHARED + roles * OF_ROLE).map(Self)
    }

    /// The harness's words.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let words = WordMap::open(path)?;
        if words.len() < SHARED {
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

/// What the roles of a trial with faults tell and are told. `role` is a place in the plan.
impl Words {
    fn of(&self, role: usize, word: usize) -> usize {
        let place = SHARED + role * OF_ROLE + word;
        assert!(place < self.0.len(), "role {role} has no words");
        place
    }

    /// The producer is dead, and nobody will take its place.
    pub(super) fn orphan(&self) {
        self.0.publish(GONE, 1);
    }

    pub(super) fn orphaned(&self) -> bool {
        self.0.read(GONE) != 0
    }

    /// A fault comes now. Said before it does anything: whoever waits because of it knows.
    pub(super) fn strike(&self, now_ns: u64) {
        // Two who strike at once strike at the same time: either will do.
        if self.struck_ns() < now_ns {
            self.0.publish(STRUCK_NS, now_ns);
        }
    }

    /// When the last fault came; 0: none did yet.
    #[inline]
    pub(super) fn struck_ns(&self) -> u64 {
        self.0.read(STRUCK_NS)
    }

    pub(super) fn slow_down(&self, role: usize, by_ns: u64) {
        self.0.publish(self.of(role, SLOW_NS), by_ns);
    }

    #[inline]
    pub(super) fn slowed_ns(&self, role: usize) -> u64 {
        self.0.read(self.of(role, SLOW_NS))
    }

    /// The role is about to kill itself; 0: it is not.
    pub(super) fn dies(&self, role: usize, now_ns: u64) {
        self.strike(now_ns);
        self.0.publish(self.of(role, DIED_NS), now_ns);
    }

    pub(super) fn died_ns(&self, role: usize) -> Option<u64> {
        Some(self.0.read(self.of(role, DIED_NS))).filter(|ns| *ns != 0)
    }

    /// The role has spoilt one more payload.
    pub(super) fn spoil(&self, role: usize) {
        self.0.add(self.of(role, SPOILT), 1);
    }

    pub(super) fn spoilt(&self, role: usize) -> u64 {
        self.0.read(self.of(role, SPOILT))
    }

    /// Leaves the role's counts where they outlive it.
    pub(super) fn account(&self, role: usize, counts: &Counts) {
        for (place, value) in told(counts).into_iter().enumerate() {
            self.0.publish(self.of(role, ACCOUNT + place), value);
        }
    }

    /// Takes what the role left, and leaves nothing to its next life.
    pub(super) fn settle(&self, role: usize) -> Counts {
        let read = |place| self.0.read(self.of(role, ACCOUNT + place));
        let counts = Counts {
            delivered: read(0),
            torn: read(1),
            mislabelled: read(2),
            backward: read(3),
            lost: read(4),
            duplicated: read(5),
            checksum_failures: read(6),
            lapped: read(7),
            ..Counts::default()
        };
        self.account(role, &Counts::default());
        counts
    }
}

/// What is told while the warm-up lasts until figures hold still.
impl Words {
    /// The producer begins its next interval.
    pub(super) fn enter_interval(&self, number: u64) {
        self.0.publish(self.of(0, LEVEL), number);
    }

    #[inline]
    pub(super) fn interval(&self) -> u64 {
        self.0.read(self.of(0, LEVEL))
    }

    /// A consumer's typical latency in the interval that is over.
    pub(super) fn tell_level(&self, role: usize, level_ns: u64) {
        self.0.publish(self.of(role, LEVEL), level_ns);
    }

    /// The highest level that consumers have told since it was last taken.
    pub(super) fn take_level(&self) -> Option<u64> {
        let roles = (self.0.len() - SHARED) / OF_ROLE;
        let levels = (1..roles).map(|role| {
            let level_ns = self.0.read(self.of(role, LEVEL));
            // A level that is told in between is lost, which only lengthens the warm-up.
            self.0.publish(self.of(role, LEVEL), 0);
            level_ns
        });
        levels.max().filter(|level_ns| *level_ns != 0)
    }
}

/// What is told of latencies while messages flow.
impl Words {
    /// A slice of the role's latencies has ended.
    pub(super) fn tell_slice(&self, role: usize, glimpse: &Glimpse) {
        let number = self.0.read(self.of(role, SLICE));
        let Glimpse { start_ms, n, p50_ns, p99_ns, max_ns } = *glimpse;
        for (place, value) in (1..).zip([start_ms, n, p50_ns, p99_ns, max_ns]) {
            self.0.publish(self.of(role, SLICE + place), value);
        }
        self.0.publish(self.of(role, SLICE), number + 1);
    }

    /// The slice that ended last and its number, if it is a later one than `known`. Slices last far
    /// longer than a look; one that ends meanwhile is looked at next time.
    pub(super) fn slice(&self, role: usize, known: u64) -> Option<(u64, Glimpse)> {
        let number = self.0.read(self.of(role, SLICE));
        let read = |place| self.0.read(self.of(role, SLICE + place));
        let [start_ms, n, p50_ns, p99_ns, max_ns] = [1, 2, 3, 4, 5].map(read);
        let whole = self.0.read(self.of(role, SLICE)) == number;
        let glimpse = Glimpse { start_ms, n, p50_ns, p99_ns, max_ns };
        (whole && number > known).then_some((number, glimpse))
    }
}

/// The counters of a consumer, in the order of their words.
fn told(counts: &Counts) -> [u64; 8] {
    let Counts { delivered, torn, mislabelled, backward, lost, duplicated, .. } = *counts;
    [
        delivered,
        torn,
        mislabelled,
        backward,
        lost,
        duplicated,
        counts.checksum_failures,
        counts.lapped,
    ]
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
        let words = Words::create(1).unwrap();
        assert!(!words.wait_for(Phase::Before, monotonic_ns() + 5_000_000));
        words.enter(Phase::Run);
        assert!(words.wait_for(Phase::Before, 0));
    }

    #[test]
    fn another_process_sees_what_was_begun() {
        let words = Words::create(1).unwrap();
        let other = Words::open(&words.path()).unwrap();
        assert_eq!(other.begun(), None);
        words.begin(0, 77);
        assert_eq!(other.begun(), Some((0, 77)));
        assert!(!other.stopped());
        words.stop();
        assert!(other.stopped());
    }

    #[test]
    fn the_last_fault_is_known_to_all() {
        let words = Words::create(2).unwrap();
        let other = Words::open(&words.path()).unwrap();
        assert_eq!(other.struck_ns(), 0);
        words.strike(70);
        other.dies(1, 90);
        words.dies(1, 0);
        words.strike(80);
        assert_eq!(words.struck_ns(), 90);
    }

    #[test]
    fn a_slice_is_seen_once() {
        let words = Words::create(2).unwrap();
        assert_eq!(words.slice(1, 0), None);
        let glimpse = Glimpse { start_ms: 5, n: 4, p50_ns: 3, p99_ns: 2, max_ns: 1 };
        words.tell_slice(1, &glimpse);
        assert_eq!(words.slice(1, 0), Some((1, glimpse)));
        assert_eq!((words.slice(1, 1), words.slice(0, 0)), (None, None));
    }

    #[test]
    fn the_counts_of_the_dead_are_settled_once() {
        let words = Words::create(2).unwrap();
        let counts = Counts { delivered: 9, torn: 1, lapped: 3, ..Counts::default() };
        words.account(1, &counts);
        assert_eq!(words.settle(0), Counts::default());
        assert_eq!(words.settle(1), counts);
        assert_eq!(words.settle(1), Counts::default());
    }
}
