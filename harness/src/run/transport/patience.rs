//! Waiting at a transport that has no waiting of its own.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use datahub::wait::monotonic_ns;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::run::wire::Waiting;

/// Looks between two readings of the clock while polling.
const LOOKS: u32 = 64;
/// Looks before one that yields gives its core away.
const FIRST: u32 = 128;

/// One wait, as its role waits. The clock is first asked when it has lasted a while.
#[derive(Debug)]
pub(super) struct Patience {
    waiting: Waiting,
    time: Duration,
    until_ns: Option<u64>,
    looks: u32,
}

impl Patience {
    pub(super) fn new(waiting: Waiting, time: Duration) -> Self {
        Self { waiting, time, until_ns: None, looks: 0 }
    }

    /// Waits a little; says whether to look again. Who parks sleeps until `what` can be done to the
    /// descriptor.
    #[inline]
    pub(super) fn again(&mut self, descriptor: Option<(BorrowedFd<'_>, PollFlags)>) -> bool {
        self.again_or(|left| match descriptor {
            Some((descriptor, what)) => {
                // Ready, interrupted or over: the caller looks again.
                let _ready = ppoll(
                    &mut [PollFd::new(descriptor, what)],
                    Some(TimeSpec::from_duration(left)),
                    None,
                );
            }
            None => rustix::thread::sched_yield(),
        })
    }

    /// The same; who parks does so by `park`, for so long at most.
    #[inline]
    pub(super) fn again_or(&mut self, park: impl FnOnce(Duration)) -> bool {
        self.looks = self.looks.wrapping_add(1);
        let polls = match self.waiting {
            Waiting::Spin => true,
            Waiting::Yield => self.looks < FIRST,
            Waiting::Park => false,
        };
        if polls && !self.looks.is_multiple_of(LOOKS) {
            std::hint::spin_loop();
            return true;
        }
        self.rest(polls, park)
    }

    #[cold]
    fn rest(&mut self, polls: bool, park: impl FnOnce(Duration)) -> bool {
        let now = monotonic_ns();
        let time_ns = u64::try_from(self.time.as_nanos()).unwrap_or(u64::MAX);
        let until_ns = *self.until_ns.get_or_insert(now.saturating_add(time_ns));
        let left = Duration::from_nanos(until_ns.saturating_sub(now));
        if left.is_zero() {
            return false;
        }
        match self.waiting {
            Waiting::Park => park(left),
            _ if polls => std::hint::spin_loop(),
            _ => rustix::thread::sched_yield(),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_waiting_comes_to_an_end() {
        for waiting in [Waiting::Spin, Waiting::Yield, Waiting::Park] {
            let (mut patience, mut looks) = (Patience::new(waiting, Duration::from_millis(2)), 0);
            let start = monotonic_ns();
            while patience.again(None) {
                looks += 1;
            }
            assert!(looks > 0 && monotonic_ns() - start >= 2_000_000, "{waiting:?}");
        }
    }
}
