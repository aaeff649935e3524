//! Waiting: until when, and how.
//!
//! A waiter looks once without asking the clock; the deadline begins with the first wait and is
//! never slept past. Who waits for room also backs off: it leaves the words of those it waits for alone
//! for ever longer, but never for more than a small part of the time that it has waited already.

#![expect(unsafe_code, reason = "the futex word is the low half of a shared word")]

mod backoff;

use core::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rustix::thread::futex;

use crate::config::BlockConfig;
use crate::memory::SharedWord;

/// How long an operation may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Looks once.
    Now,
    /// Gives up after this long.
    After(Duration),
    /// Waits until it succeeds, or until the other end is proved dead.
    Never,
}

impl Timeout {
    /// The C convention: 0 looks once, negative waits for ever.
    #[must_use]
    pub fn from_millis(millis: i32) -> Self {
        match u64::try_from(millis) {
            Ok(0) => Self::Now,
            Ok(millis) => Self::After(Duration::from_millis(millis)),
            Err(_) => Self::Never,
        }
    }
}

/// What a process does while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitStrategy {
    /// Keeps its core busy: lowest latency, one core a waiter.
    #[default]
    Spin,
    /// Spins briefly, then lets others run between two looks; a producer that waits for room for long
    /// also naps, up to a millisecond.
    Yield,
    /// Spins briefly, then sleeps in the kernel until woken. Needs a block that allows parking.
    Park,
}

impl WaitStrategy {
    /// What a block allows of it.
    pub(crate) fn within(self, config: &BlockConfig) -> Self {
        if self == Self::Park && !config.parks() { Self::Yield } else { self }
    }
}

/// What the waiter should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Look again.
    Look,
    /// Look again, and see whether the other end is alive.
    LookForDead,
    /// Announce, look once more, and [`sleep`](Waiter::sleep).
    Sleep,
    /// The deadline has passed.
    Expired,
}

/// Pauses between two readings of the clock while spinning.
const PAUSES_PER_CLOCK: u32 = 64;
/// Looks before a spinning waiter begins to spare its core.
pub(crate) const LOOKS_AT_ONCE: u32 = 32;
/// Looks before a yielding or parking waiter gives up its core.
const SPINS_FIRST: u32 = 128;
/// How often the other end's token is examined.
pub(crate) const LIVENESS_NS: u64 = 1_000_000;

/// Nanoseconds of the monotonic clock, which processes of one machine share.
#[must_use]
pub fn monotonic_ns() -> u64 {
    // CLOCK_MONOTONIC always exists; a clock that does not is one that stands still.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| Duration::from(time).as_nanos().try_into().unwrap_or(u64::MAX))
}

/// One wait, from the first failed look on.
#[derive(Debug)]
pub(crate) struct Waiter {
    timeout: Timeout,
    strategy: WaitStrategy,
    /// Whether looks become rarer the longer it lasts.
    backs_off: bool,
    looks: u32,
    /// Pauses since the last reading of the clock.
    pauses: u32,
    /// Readings of the clock.
    readings: u32,
    started_ns: Option<u64>,
    now_ns: u64,
    liveness_ns: u64,
    /// No sleep is longer.
    nap_ns: u64,
}

impl Waiter {
    pub(crate) fn new(timeout: Timeout, strategy: WaitStrategy) -> Self {
        Self {
            timeout,
            strategy,
            backs_off: false,
            looks: 0,
            pauses: 0,
            readings: 0,
            started_ns: None,
            now_ns: 0,
            liveness_ns: 0,
            nap_ns: 50 * LIVENESS_NS,
        }
    }

    /// The same, of who waits for room and so backs off.
    pub(crate) fn backing_off(timeout: Timeout, strategy: WaitStrategy) -> Self {
        Self { backs_off: true, ..Self::new(timeout, strategy) }
    }

    /// Passes a moment, in the way of the strategy.
    #[inline]
    pub(crate) fn step(&mut self) -> Step {
        if self.timeout == Timeout::Now {
            return Step::Expired;
        }
        self.looks = self.looks.wrapping_add(1);
        let spinning = self.strategy == WaitStrategy::Spin || self.looks < SPINS_FIRST;
        if spinning {
            let pauses = if self.backs_off { backoff::pauses(self.readings) } else { 1 };
            // What comes at once is met at once; the hint costs as much as half a line's way.
            if self.looks > LOOKS_AT_ONCE {
                (0..pauses).for_each(|_| core::hint::spin_loop());
            }
            self.pauses += pauses;
            if self.pauses < PAUSES_PER_CLOCK {
                return Step::Look;
            }
            self.pauses = 0;
        }
        self.consult_clock(spinning)
    }

    #[cold]
    fn consult_clock(&mut self, spinning: bool) -> Step {
        self.now_ns = monotonic_ns();
        self.readings = self.readings.saturating_add(1);
        let started = *self.started_ns.get_or_insert(self.now_ns);
        if self.now_ns.saturating_sub(started) >= self.limit_ns() {
            return Step::Expired;
        }
        if self.liveness_ns == 0 {
            self.liveness_ns = started;
        }
        if self.now_ns.saturating_sub(self.liveness_ns) >= LIVENESS_NS {
            self.liveness_ns = self.now_ns;
            return Step::LookForDead;
        }
        match self.strategy {
            _ if spinning => Step::Look,
            WaitStrategy::Park => Step::Sleep,
            WaitStrategy::Yield | WaitStrategy::Spin => {
                self.stand_aside(self.now_ns.saturating_sub(started));
                Step::Look
            }
        }
    }

    /// Lets others run: whoever wants to, or, after a wait that makes a nap small, everybody for a while.
    fn stand_aside(&self, waited_ns: u64) {
        match backoff::nap_ns(waited_ns).filter(|_| self.backs_off) {
            Some(nap_ns) => {
                let left_ns = self.limit_ns().saturating_sub(waited_ns);
                let nap = Duration::from_nanos(nap_ns.min(left_ns).min(self.nap_ns));
                sleep(nap);
            }
            None => rustix::thread::sched_yield(),
        }
    }

    fn limit_ns(&self) -> u64 {
        match self.timeout {
            Timeout::Now => 0,
            Timeout::After(limit) => limit.as_nanos().try_into().unwrap_or(u64::MAX),
            Timeout::Never => u64::MAX,
        }
    }

    /// Sleeps until the signal is no longer `expected`, at most until the deadline or the next look
    /// at the other end's token.
    pub(crate) fn sleep(&mut self, signal: &SharedWord, expected: u32) {
        let started = self.started_ns.unwrap_or(self.now_ns);
        let left = self.limit_ns().saturating_sub(self.now_ns.saturating_sub(started));
        let pause = Duration::from_nanos(left.min(self.nap_ns));
        let limit = timespec(pause);
        // Woken, changed meanwhile, interrupted, out of time: each time the caller looks again.
        let _why = futex::wait(low_half(signal), futex::Flags::empty(), expected, Some(&limit));
    }

    /// The last reading of the clock, monotonic nanoseconds; `None` before the first.
    pub(crate) fn clock_ns(&self) -> Option<u64> {
        self.started_ns.map(|_| self.now_ns)
    }

    /// Sleeps no longer than this at a time.
    pub(crate) fn naps_at_most(&mut self, nap_ns: u64) {
        self.nap_ns = nap_ns.min(50 * LIVENESS_NS);
    }

    /// As [`waited_ns`](Self::waited_ns).
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited_ns())
    }

    /// How long this wait has lasted, in nanoseconds; 0 when the clock was never asked.
    pub(crate) fn waited_ns(&self) -> u64 {
        self.started_ns.map_or(0, |started| monotonic_ns().saturating_sub(started))
    }
}

/// Sleeps for so long; shorter when a signal comes.
pub(crate) fn sleep(pause: Duration) {
    // Interrupted: the caller looks again, as after the whole pause.
    let _left = rustix::thread::nanosleep(&timespec(pause));
}

fn timespec(pause: Duration) -> rustix::thread::Timespec {
    rustix::thread::Timespec {
        tv_sec: pause.as_secs().cast_signed(),
        tv_nsec: pause.subsec_nanos().into(),
    }
}

/// Wakes everybody who sleeps on the signal; says how many there were.
pub(crate) fn wake_all(signal: &SharedWord) -> usize {
    // Fails only for a bad address, which a mapped word is not.
    futex::wake(low_half(signal), futex::Flags::empty(), i32::MAX as u32).unwrap_or(0)
}

/// The half that the kernel compares. Not private: the sleepers are other processes.
fn low_half(word: &SharedWord) -> &futex_word::Half {
    const _: () = assert!(cfg!(target_endian = "little"), "the low half is the first half");
    // SAFETY: a u64 atomic is at least as large and as aligned as a u32 atomic; only the kernel
    // reads through this reference, nobody writes through it.
    unsafe { &*core::ptr::from_ref(word).cast::<futex_word::Half>() }
}

mod futex_word {
    #![expect(clippy::disallowed_types, reason = "the kernel's futex takes 32 bits")]
    /// What the kernel compares.
    pub(super) type Half = core::sync::atomic::AtomicU32;
}
