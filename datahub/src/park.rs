//! Sleeping without losing a wake-up, and publishing without a system call when nobody sleeps.
//!
//! The sleeper sets its bit, fences, looks again, then sleeps on `signal`. The waker publishes,
//! fences, looks for bits, and only then raises `signal` and calls the kernel. One of the two
//! always sees the other. Knows nothing of: futexes, clocks, what is waited for.
//! Edge: `P_FENCE ↔ P_WAKE_FENCE`.

use crate::layout;
use crate::memory::{Memory, SharedWord};
use crate::sites::{P_ANYONE, P_AWAKE, P_FENCE, P_RING, P_SIGNAL, P_SLEEP, P_WAKE_FENCE};

/// Where one side sleeps.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct ParkLine<W> {
    /// One bit for each sleeper, so that a dead one's is cleared exactly.
    pub sleepers: W,
    /// Raised at every wake-up; the kernel compares its low half.
    pub signal: W,
}

const _: () = assert!(size_of::<ParkLine<SharedWord>>() == layout::LINE);

/// Announces that sleeper `bit` is about to sleep; returns the signal to sleep on.
/// Look at what is waited for once more before sleeping.
pub fn announce<M: Memory>(mem: &M, line: &ParkLine<M::Word>, bit: u32) -> u32 {
    mem.fetch_or::<P_SLEEP>(&line.sleepers, 1 << bit);
    // [sleep] Our bit before our second look. Partner: `P_WAKE_FENCE`.
    mem.fence::<P_FENCE>();
    (mem.load::<P_SIGNAL>(&line.signal) & 0xffff_ffff) as u32
}

/// Takes the announcement back.
pub fn awake<M: Memory>(mem: &M, line: &ParkLine<M::Word>, bit: u32) {
    mem.fetch_and::<P_AWAKE>(&line.sleepers, !(1 << bit));
}

/// Who sleeps or is about to, one bit each.
pub fn sleepers<M: Memory>(mem: &M, line: &ParkLine<M::Word>) -> u64 {
    mem.load::<P_ANYONE>(&line.sleepers)
}

/// Takes back what a sleeper announced that does not exist.
pub fn clear_strays<M: Memory>(mem: &M, line: &ParkLine<M::Word>, known: u64) {
    mem.fetch_and::<P_AWAKE>(&line.sleepers, known);
}

/// After publishing: whether somebody sleeps. If so the signal is raised and the caller must wake.
pub fn ring<M: Memory>(mem: &M, line: &ParkLine<M::Word>) -> bool {
    // [wake] Our publication before our look at the sleepers. Partner: `P_FENCE`.
    mem.fence::<P_WAKE_FENCE>();
    let anyone = mem.load::<P_ANYONE>(&line.sleepers) != 0;
    if anyone {
        mem.fetch_add::<P_RING>(&line.signal, 1);
    }
    anyone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Shared;

    #[test]
    fn a_signal_is_raised_for_whoever_has_announced_itself_and_for_nobody_else() {
        let line = ParkLine::default();
        assert!(!ring(&Shared, &line));
        let signal = announce(&Shared, &line, 2);
        assert_eq!(sleepers(&Shared, &line), 1 << 2);
        assert!(ring(&Shared, &line));
        assert_eq!(announce(&Shared, &line, 4), signal + 1);
        awake(&Shared, &line, 2);
        clear_strays(&Shared, &line, !(1 << 4));
        assert!(!ring(&Shared, &line));
    }
}
