//! How long who waits for room leaves the shared words alone: exponentially longer, up to a bound, and
//! never for more than a small part of the wait so far.
//!
//! Each look of a blocked producer takes every consumer's cursor out of its owner's cache.
//! Pure: counts and times are arguments.
//! Source: decision 67.

use super::{LIVENESS_NS, PAUSES_PER_CLOCK};

/// The part of the time waited that a nap may take.
const NAP_SHARE: u64 = 32;
/// Shorter naps are not worth a timer, which wakes so much later.
const NAP_LEAST_NS: u64 = 50_000;

/// Pauses of the processor before the next look, after so many readings of the clock, between two of which
/// lie [`PAUSES_PER_CLOCK`] pauses: doubles whenever the wait has doubled.
pub(super) const fn pauses(readings: u32) -> u32 {
    let doubled = match readings.checked_ilog2() {
        Some(doublings) => 1 << doublings,
        None => 1,
    };
    if doubled < PAUSES_PER_CLOCK { doubled } else { PAUSES_PER_CLOCK }
}

/// How long to sleep before the next look; `None`: let others run and look at once.
pub(super) fn nap_ns(waited_ns: u64) -> Option<u64> {
    let nap_ns = (waited_ns / NAP_SHARE).min(LIVENESS_NS);
    (nap_ns >= NAP_LEAST_NS).then_some(nap_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_are_a_small_part_of_those_before() {
        assert_eq!([0, 1, 2, 3, 4, 7, 8].map(pauses), [1, 1, 2, 2, 4, 4, 8]);
        assert_eq!([63, 64, u32::MAX].map(pauses), [32, 64, 64]);
        for readings in 1..10_000 {
            assert!(pauses(readings) * 64 <= readings * PAUSES_PER_CLOCK, "{readings}");
        }
    }

    #[test]
    fn naps_grow_with_the_wait_up_to_a_bound_and_are_a_small_part_of_it() {
        assert_eq!([0, 1_000_000, 1_599_999].map(nap_ns), [None; 3]);
        for doublings in 0..40 {
            let waited_ns = 1_600_000 << doublings;
            let nap = nap_ns(waited_ns);
            assert!(nap.is_some_and(|nap| nap <= waited_ns / 32 && nap <= LIVENESS_NS));
        }
    }
}
