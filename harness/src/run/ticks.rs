//! A clock that is cheap to read, for intervals within one process.
//!
//! The processor's own counter where it runs evenly, which costs a third of the kernel's clock and
//! is held against that clock when the process starts; the kernel's clock elsewhere. Its readings
//! mean nothing to another process.

use quanta::Clock;

/// The counter.
#[derive(Debug)]
pub(super) struct Ticks(Clock);

/// One reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick(u64);

impl Ticks {
    /// Compares the counter with the kernel's clock, once in a process: takes up to 200 ms.
    pub(super) fn new() -> Self {
        Self(Clock::new())
    }

    /// Reads the counter.
    #[inline]
    pub(super) fn now(&self) -> Tick {
        Tick(self.0.raw())
    }

    /// The nanoseconds from `earlier` to `later`; 0 when they are the other way round.
    #[inline]
    pub(super) fn between_ns(&self, earlier: Tick, later: Tick) -> u64 {
        self.0.delta_as_nanos(earlier.0, later.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::words::nap;
    use datahub::wait::monotonic_ns;
    use std::time::Duration;

    #[test]
    fn an_interval_is_as_long_as_by_the_kernels_clock() {
        let ticks = Ticks::new();
        let (outer, first) = (monotonic_ns(), ticks.now());
        let inner = monotonic_ns();
        nap(Duration::from_millis(200));
        let (inner, last) = (monotonic_ns() - inner, ticks.now());
        let outer = monotonic_ns() - outer;
        let found = ticks.between_ns(first, last);
        // One in a thousand is far more than the two may drift apart, far less than a wrong scale.
        assert!(found >= inner - inner / 1000, "{found} {inner}");
        assert!(found <= outer + outer / 1000, "{found} {outer}");
    }

    #[test]
    fn an_interval_that_goes_back_is_empty() {
        let ticks = Ticks::new();
        let first = ticks.now();
        assert_eq!(ticks.between_ns(ticks.now(), first), 0);
    }
}
