//! How long a writer waits for a slot that the caller maps: spin, then yield, then sleep a little
//! longer each time. The deadline begins with the first wait and is never slept past.

use core::time::Duration;

use datahub::wait::{Timeout, monotonic_ns};
use rustix::thread::{Timespec, nanosleep, sched_yield};

/// Looks before the first yield.
const SPINS: u32 = 128;
/// Looks before the first sleep.
const YIELDS: u32 = 1024;
const SLEEP_NS_MIN: u64 = 1_000;
const SLEEP_NS_MAX: u64 = 1_000_000;

/// One wait.
#[derive(Debug)]
pub(crate) struct Patience {
    timeout: Timeout,
    looks: u32,
    sleep_ns: u64,
    started_ns: Option<u64>,
}

impl Patience {
    pub(crate) fn new(timeout: Timeout) -> Self {
        Self { timeout, looks: 0, sleep_ns: SLEEP_NS_MIN, started_ns: None }
    }

    /// Passes a moment. Says whether to look again.
    pub(crate) fn goes_on(&mut self) -> bool {
        if self.timeout == Timeout::Now {
            return false;
        }
        self.looks = self.looks.saturating_add(1);
        if self.looks < SPINS {
            core::hint::spin_loop();
            return true;
        }
        let now_ns = monotonic_ns();
        let waited_ns = now_ns.saturating_sub(*self.started_ns.get_or_insert(now_ns));
        let limit_ns = match self.timeout {
            Timeout::Now => 0,
            Timeout::After(limit) => limit.as_nanos().try_into().unwrap_or(u64::MAX),
            Timeout::Never => u64::MAX,
        };
        if waited_ns >= limit_ns {
            return false;
        }
        if self.looks < YIELDS {
            sched_yield();
        } else {
            self.sleep(limit_ns - waited_ns);
        }
        true
    }

    fn sleep(&mut self, left_ns: u64) {
        let pause = Duration::from_nanos(self.sleep_ns.min(left_ns));
        self.sleep_ns = (self.sleep_ns * 2).min(SLEEP_NS_MAX);
        let pause = Timespec {
            tv_sec: pause.as_secs().cast_signed(),
            tv_nsec: pause.subsec_nanos().into(),
        };
        // Interrupted or not: the caller looks again.
        let _rest = nanosleep(&pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_when_its_time_is_over_and_not_before() {
        assert!(!Patience::new(Timeout::Now).goes_on());
        let limit = Duration::from_millis(5);
        let mut patience = Patience::new(Timeout::After(limit));
        let before_ns = monotonic_ns();
        while patience.goes_on() {}
        assert!(monotonic_ns() - before_ns >= 5_000_000);
    }
}
