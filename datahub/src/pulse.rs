//! When a handle says that it is there: about four times a second while it is used, so that observers need
//! not know how often messages come.
//!
//! The clock is read once in so many uses: in each of them where messages are slow, in one of 128 where
//! they are fast, and by every wait anyway. A handle that waits for nothing and goes from fast to slow
//! may so be silent for 128 messages, once.
//! Knows nothing of: seats, shared words, who reads the clock.

/// Nanoseconds between two beats of a handle in use.
const BEAT_NS: u64 = 250_000_000;
/// Most uses between two looks at the clock.
const USES_MAX: u32 = 128;

/// When the next look at the clock and the next beat are due.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// Uses until the next look at the clock.
    left: u32,
    /// Uses from one look to the next.
    every: u32,
    looked_ns: u64,
    beat_ns: u64,
}

impl Pulse {
    /// Of a handle that has said at `now_ns` that it is there.
    pub(crate) const fn new(now_ns: u64) -> Self {
        Self { left: 1, every: 1, looked_ns: now_ns, beat_ns: now_ns }
    }

    /// Counts a use; says whether to look at the clock, and to ask [`beats`](Self::beats).
    #[inline]
    pub(crate) fn counts(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }

    /// It is `now_ns`, after as many uses as were to pass: whether to beat.
    pub(crate) fn beats(&mut self, now_ns: u64) -> bool {
        let passed_ns = now_ns.saturating_sub(self.looked_ns);
        if passed_ns < BEAT_NS / 4 {
            self.every = (2 * self.every).min(USES_MAX);
        } else if passed_ns > BEAT_NS / 2 {
            self.every = 1;
        }
        self.looks(now_ns)
    }

    /// A wait has lasted until `now_ns`: whether to beat. What comes next may be slow.
    pub(crate) fn waits(&mut self, now_ns: u64) -> bool {
        self.every = 1;
        self.looks(now_ns)
    }

    fn looks(&mut self, now_ns: u64) -> bool {
        (self.left, self.looked_ns) = (self.every, now_ns);
        let due = now_ns.saturating_sub(self.beat_ns) >= BEAT_NS;
        if due {
            self.beat_ns = now_ns;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    /// Looks at the clock and the longest silence, of so many uses that far apart.
    fn used(pulse: &mut Pulse, now_ns: &mut u64, (uses, apart_ns): (u64, u64)) -> (u64, u64) {
        let (mut looks, mut silence_ns) = (0, 0);
        for _ in 0..uses {
            *now_ns += apart_ns;
            silence_ns = silence_ns.max(*now_ns - pulse.beat_ns);
            if pulse.counts() {
                looks += 1;
                pulse.beats(*now_ns);
            }
        }
        (looks, silence_ns)
    }

    proptest! {
        // From ten million messages a second to two.
        #[test]
        fn a_handle_in_steady_use_beats_at_least_once_a_second(apart_ns in 100..SECOND / 2) {
            let (mut pulse, mut now_ns) = (Pulse::new(0), 0);
            let uses = (3 * SECOND / apart_ns).min(100_000);
            let (_, silence_ns) = used(&mut pulse, &mut now_ns, (uses, apart_ns));
            prop_assert!(silence_ns <= SECOND, "{silence_ns} ns");
        }
    }

    #[test]
    fn fast_messages_read_the_clock_once_in_128() {
        let (mut pulse, mut now_ns) = (Pulse::new(0), 0);
        let (looks, _) = used(&mut pulse, &mut now_ns, (128_000, 100));
        assert!(looks < 1_010, "{looks}");
    }

    #[test]
    fn who_becomes_slow_is_silent_for_128_messages_at_most_and_after_a_wait_for_none() {
        let (mut pulse, mut now_ns) = (Pulse::new(0), 0);
        used(&mut pulse, &mut now_ns, (10_000, 100));
        let frame_ns = SECOND / 30;
        let (_, silence_ns) = used(&mut pulse, &mut now_ns, (300, frame_ns));
        assert!(silence_ns <= 5 * SECOND, "{silence_ns}");
        used(&mut pulse, &mut now_ns, (10_000, 100));
        pulse.waits(now_ns);
        let (_, silence_ns) = used(&mut pulse, &mut now_ns, (300, frame_ns));
        assert!(silence_ns <= SECOND, "{silence_ns}");
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let mut pulse = Pulse::new(SECOND);
        assert!(!pulse.beats(0));
        assert!(!pulse.waits(0));
        assert!(pulse.beats(2 * SECOND));
    }
}
