//! Waits that were felt: when a worker had to wait for the others, and for how long.
//!
//! Only in trials with faults: it costs two readings of the clock a message.

use datahub::wait::monotonic_ns;
use serde::{Deserialize, Serialize};

/// Shorter waits are the ordinary course of things.
const LEAST_NS: u64 = 50_000;
/// Waits that are kept.
const KEPT_MAX: usize = 8_192;

/// One wait, on the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stall {
    /// When it began.
    pub(crate) from_ns: u64,
    /// When it was over.
    pub(crate) to_ns: u64,
}

/// The waits of one worker.
#[derive(Debug, Default)]
pub(super) struct Stalls {
    on: bool,
    pub(super) kept: Vec<Stall>,
    longest_ns: u64,
}

impl Stalls {
    /// Notes waits, or nothing at all.
    pub(super) fn new(on: bool) -> Self {
        Self { on, kept: Vec::with_capacity(if on { KEPT_MAX } else { 0 }), longest_ns: 0 }
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
    pub(super) fn end(&mut self, from_ns: u64) {
        if self.on {
            self.note(Stall { from_ns, to_ns: monotonic_ns() });
        }
    }

    fn note(&mut self, stall: Stall) {
        let waited_ns = stall.to_ns.saturating_sub(stall.from_ns);
        self.longest_ns = self.longest_ns.max(waited_ns);
        if waited_ns >= LEAST_NS && self.kept.len() < KEPT_MAX {
            self.kept.push(stall);
        }
    }

    /// The longest wait; `None` where none is noted.
    pub(super) fn longest_ns(&self) -> Option<u64> {
        self.on.then_some(self.longest_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_waits_are_measured_and_only_long_ones_kept() {
        let mut stalls = Stalls::new(true);
        stalls.note(Stall { from_ns: 10, to_ns: 10 + LEAST_NS - 1 });
        assert_eq!((stalls.kept.len(), stalls.longest_ns()), (0, Some(LEAST_NS - 1)));
        stalls.note(Stall { from_ns: 10, to_ns: 10 + LEAST_NS });
        assert_eq!((stalls.kept.len(), stalls.longest_ns()), (1, Some(LEAST_NS)));
    }

    #[test]
    fn nothing_is_noted_where_nobody_asked() {
        let mut stalls = Stalls::new(false);
        let from_ns = stalls.begin();
        stalls.end(from_ns);
        assert_eq!((from_ns, stalls.longest_ns()), (0, None));
    }
}
