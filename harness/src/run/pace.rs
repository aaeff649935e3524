//! When messages are due: computed from the seed, never from what happened so far.

use std::time::Duration;

use datahub::wait::monotonic_ns;

use super::payload::mix;
use super::wire::{Pace, Waiting};
use super::words::nap;

const SECOND_NS: u64 = 1_000_000_000;
/// A producer that may sleep does so while more than this is left, and polls the rest.
const POLL_NS: u64 = 200_000;
/// It never sleeps longer than this at once, so that it can be stopped.
const NAP_MAX_NS: u64 = 100_000_000;

/// How messages are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    /// Evenly, so many a second.
    Even { rate_hz: u64 },
    /// At random, so many a second on the average.
    Poisson { rate_hz: u64, seed: u64 },
    /// `size` at once, again and again.
    Burst { size: u64, every_ns: u64 },
}

impl Spacing {
    /// The spacing of a pace that has one.
    pub(super) fn of(pace: Pace, seed: u64) -> Option<Self> {
        match pace {
            Pace::PingPong | Pace::Stream => None,
            Pace::Open { rate_hz, poisson: true } => Some(Self::Poisson { rate_hz, seed }),
            Pace::Open { rate_hz, poisson: false } => Some(Self::Even { rate_hz }),
            Pace::Burst { size, every_ns } => Some(Self::Burst { size, every_ns }),
        }
    }
}

/// Intended starts, in nanoseconds from the beginning of a span.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    spacing: Spacing,
    count: u64,
    due_ns: f64,
}

impl Schedule {
    pub(super) fn new(spacing: Spacing) -> Self {
        Self { spacing, count: 0, due_ns: 0.0 }
    }

    /// When the next message is due.
    #[inline]
    pub(super) fn next_ns(&mut self) -> u64 {
        self.count += 1;
        let before = self.count - 1;
        match self.spacing {
            Spacing::Even { rate_hz } => {
                let due = u128::from(before) * u128::from(SECOND_NS);
                u64::try_from(due / u128::from(rate_hz.max(1))).unwrap_or(u64::MAX)
            }
            Spacing::Poisson { rate_hz, seed } => self.poisson_ns(rate_hz.max(1), seed),
            Spacing::Burst { size, every_ns } => (before / size.max(1)).saturating_mul(every_ns),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive time; casts from floats saturate"
    )]
    fn poisson_ns(&mut self, rate_hz: u64, seed: u64) -> u64 {
        let now = self.due_ns as u64;
        // 53 random bits, made into a number above 0 and at most 1.
        let random = mix(seed ^ self.count) >> 11;
        let uniform = (random as f64 + 1.0) / (1_u64 << 53) as f64;
        self.due_ns += -uniform.ln() * SECOND_NS as f64 / rate_hz as f64;
        now
    }
}

/// Waits until `due_ns` has come; returns the time then.
#[inline]
pub(super) fn wait_until(due_ns: u64, waiting: Waiting) -> u64 {
    loop {
        let now = monotonic_ns();
        if now >= due_ns {
            return now;
        }
        match waiting {
            Waiting::Yield => rustix::thread::sched_yield(),
            Waiting::Park if due_ns - now > POLL_NS + 1_000_000 => {
                nap(Duration::from_nanos((due_ns - now - POLL_NS).min(NAP_MAX_NS)));
            }
            Waiting::Spin | Waiting::Park => std::hint::spin_loop(),
        }
    }
}

/// Keeps the core busy.
pub(crate) fn busy(time_ns: u64) {
    let end = monotonic_ns().saturating_add(time_ns);
    while monotonic_ns() < end {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_starts_do_not_drift() {
        let mut schedule = Schedule::new(Spacing::Even { rate_hz: 3 });
        let starts: Vec<u64> = (0..4).map(|_| schedule.next_ns()).collect();
        assert_eq!(starts, [0, 333_333_333, 666_666_666, 1_000_000_000]);
    }

    #[test]
    fn all_messages_of_a_burst_are_due_at_its_start() {
        let mut schedule = Schedule::new(Spacing::Burst { size: 3, every_ns: 70 });
        let starts: Vec<u64> = (0..7).map(|_| schedule.next_ns()).collect();
        assert_eq!(starts, [0, 0, 0, 70, 70, 70, 140]);
    }

    #[test]
    fn random_starts_have_the_asked_mean_and_depend_on_the_seed_only() {
        let starts = |seed| {
            let mut schedule = Schedule::new(Spacing::Poisson { rate_hz: 1_000_000, seed });
            (0..100_000).map(|_| schedule.next_ns()).collect::<Vec<_>>()
        };
        let first = starts(1);
        assert_eq!(first, starts(1));
        assert_ne!(first, starts(2));
        assert!(first.is_sorted());
        let mean_ns = *first.last().unwrap() as f64 / 100_000.0;
        assert!((990.0..1010.0).contains(&mean_ns), "{mean_ns}");
        // An exponential gap is longer than its mean in 1/e of all cases.
        let long = first.windows(2).filter(|pair| pair[1] - pair[0] > 1_000).count();
        assert!((36_000..37_500).contains(&long), "{long}");
    }
}
