//! Waits that were felt: when a worker had to wait for the others, and for how long.
//!
//! Only in trials with faults: it costs two readings of the clock a message. What is kept of each fault
//! is the wait that it fell into and the longest that began soon afterwards: no number of other waits
//! pushes these out.

use datahub::wait::monotonic_ns;
use serde::{Deserialize, Serialize};

use super::words::Words;
use crate::plan::fault::FAULTS_MAX;

/// A survivor that begins to wait so soon after a fault waits because of it.
pub(crate) const SOON_NS: u64 = 20_000_000;
/// Shorter waits are the ordinary course of things.
const LEAST_NS: u64 = 50_000;

/// One wait, on the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stall {
    /// When it began.
    pub(crate) from_ns: u64,
    /// When it was over.
    pub(crate) to_ns: u64,
}

impl Stall {
    fn waited_ns(self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// What was felt of one fault.
#[derive(Debug, Clone, Copy)]
struct Felt {
    /// When it came.
    struck_ns: u64,
    /// The wait that it fell into.
    during: Option<Stall>,
    /// The longest that began soon afterwards.
    after: Option<Stall>,
}

impl Felt {
    fn note(&mut self, stall: Stall) {
        if stall.from_ns <= self.struck_ns {
            self.during = Some(stall);
        } else if self.after.is_none_or(|known| known.waited_ns() < stall.waited_ns()) {
            self.after = Some(stall);
        }
    }

    fn holds(&self, stall: Stall) -> bool {
        let soon_ns = self.struck_ns.saturating_add(SOON_NS);
        stall.from_ns <= soon_ns && stall.to_ns > self.struck_ns
    }
}

/// The waits of one worker.
#[derive(Debug, Default)]
pub(super) struct Stalls {
    on: bool,
    felt: Vec<Felt>,
    /// Waits that followed a fault and could not be kept.
    dropped: u64,
    longest_ns: u64,
}

impl Stalls {
    /// Notes waits, or nothing at all.
    pub(super) fn new(on: bool) -> Self {
        let felt = Vec::with_capacity(if on { FAULTS_MAX as usize } else { 0 });
        Self { on, felt, dropped: 0, longest_ns: 0 }
    }

    /// Whether waits are noted.
    pub(super) fn on(&self) -> bool {
        self.on
    }

    /// A wait may begin now.
    #[inline]
    pub(super) fn begin(&self) -> u64 {
        if self.on { monotonic_ns() } else { 0 }
    }

    /// It is over.
    #[inline]
    pub(super) fn end(&mut self, from_ns: u64, words: &Words) {
        if self.on {
            self.note(Stall { from_ns, to_ns: monotonic_ns() }, words.struck_ns());
        }
    }

    /// `struck_ns`: when the last fault came, 0 before the first one.
    fn note(&mut self, stall: Stall, struck_ns: u64) {
        let waited_ns = stall.waited_ns();
        self.longest_ns = self.longest_ns.max(waited_ns);
        if waited_ns < LEAST_NS || struck_ns == 0 {
            return;
        }
        if self.felt.last().is_none_or(|last| last.struck_ns < struck_ns) {
            let new = Felt { struck_ns, during: None, after: None };
            if !new.holds(stall) {
                return;
            }
            if self.felt.len() == FAULTS_MAX as usize {
                self.dropped += 1;
                return;
            }
            self.felt.push(new);
        }
        // Faults that came one soon after the other are felt together.
        for felt in self.felt.iter_mut().rev().take_while(|felt| felt.holds(stall)) {
            felt.note(stall);
        }
    }

    /// The waits that were felt of faults.
    pub(super) fn kept(&self) -> Vec<Stall> {
        let all = self.felt.iter().flat_map(|felt| felt.during.into_iter().chain(felt.after));
        let mut all: Vec<Stall> = all.collect();
        all.dedup();
        all
    }

    /// How many were felt of faults and not kept.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The longest wait; `None` where none is noted.
    pub(super) fn longest_ns(&self) -> Option<u64> {
        self.on.then_some(self.longest_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn stall(from_ns: u64, waited_ns: u64) -> Stall {
        Stall { from_ns, to_ns: from_ns + waited_ns }
    }

    #[test]
    fn short_waits_are_measured_and_only_long_ones_kept() {
        let mut stalls = Stalls::new(true);
        stalls.note(stall(10, LEAST_NS - 1), 5);
        assert_eq!((stalls.kept().len(), stalls.longest_ns()), (0, Some(LEAST_NS - 1)));
        stalls.note(stall(10, LEAST_NS), 5);
        assert_eq!((stalls.kept().len(), stalls.longest_ns()), (1, Some(LEAST_NS)));
    }

    #[test]
    fn nothing_is_noted_where_nobody_asked() {
        let mut stalls = Stalls::new(false);
        let from_ns = stalls.begin();
        stalls.end(from_ns, &Words::create(1).unwrap());
        assert_eq!((from_ns, stalls.longest_ns()), (0, None));
    }

    #[test]
    fn however_many_waits_come_before_a_fault_the_one_that_it_causes_is_kept() {
        let mut stalls = Stalls::new(true);
        for number in 0..30_000 {
            stalls.note(stall(1 + number * MS, 900_000), 0);
        }
        let struck_ns = 30_000 * MS;
        for number in 0..15 {
            stalls.note(stall(struck_ns + 1 + number * MS, 900_000), struck_ns);
        }
        let long = stall(struck_ns + 16 * MS, 5_000 * MS);
        stalls.note(long, struck_ns);
        for number in 0..30_000 {
            stalls.note(stall(long.to_ns + 1 + number * MS, 900_000), struck_ns);
        }
        assert_eq!((stalls.kept(), stalls.dropped()), (vec![long], 0));
    }

    #[test]
    fn each_fault_keeps_the_wait_that_it_fell_into_and_the_longest_soon_afterwards() {
        let mut stalls = Stalls::new(true);
        let (into, next) = (stall(MS, 9 * MS), stall(11 * MS, 3 * MS));
        for (wait, struck_ns) in [(into, 5 * MS), (stall(10 * MS, MS), 5 * MS), (next, 5 * MS)] {
            stalls.note(wait, struck_ns);
        }
        assert_eq!(stalls.kept(), [into, next]);
        // The second fault falls into a wait that the first one caused, and another follows both.
        let (both, after) = (stall(15 * MS, 4 * MS), stall(20 * MS, 8 * MS));
        stalls.note(both, 16 * MS);
        stalls.note(after, 16 * MS);
        assert_eq!(stalls.kept(), [into, after, both, after]);
        stalls.note(stall(60 * MS, 50 * MS), 16 * MS);
        assert_eq!(stalls.kept().len(), 4);
    }

    #[test]
    fn what_cannot_be_kept_is_counted() {
        let mut stalls = Stalls::new(true);
        for fault in 1..=u64::from(FAULTS_MAX) + 3 {
            stalls.note(stall(fault * 100 * MS + 1, MS), fault * 100 * MS);
        }
        assert_eq!((stalls.kept().len(), stalls.dropped()), (FAULTS_MAX as usize, 3));
    }
}
