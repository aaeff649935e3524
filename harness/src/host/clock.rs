//! The measuring clock: its smallest step and what one reading costs.

use nix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;

/// What the clock can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The smallest step it was seen to make.
    pub quantum_ns: u64,
    /// The mean time between two readings, one after the other.
    pub cost_ns: u64,
}

const READINGS: usize = 50_000;

/// Reads the monotonic clock 50,000 times; `None` if it did not move.
#[must_use]
pub fn measure() -> Option<Clock> {
    let mut last = now()?;
    let first = last;
    let mut steps = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let next = now()?;
        steps.push(next.saturating_sub(last));
        last = next;
    }
    let cost_ns = last.saturating_sub(first) / READINGS as u64;
    quantum(&steps).map(|quantum_ns| Clock { quantum_ns, cost_ns })
}

fn now() -> Option<u64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).ok()?;
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    let rest = u64::try_from(time.tv_nsec()).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(rest)
}

/// The distance between step lengths that occur often.
///
/// Lengths one nanosecond apart are one length, rounded; a clock that shows many of those in a row
/// does resolve a nanosecond.
fn quantum(steps: &[u64]) -> Option<u64> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for step in steps.iter().filter(|step| **step > 0) {
        *counts.entry(*step).or_default() += 1;
    }
    let often = (steps.len() / 200).max(1);
    let common: Vec<(u64, usize)> =
        counts.iter().map(|(s, n)| (*s, *n)).filter(|(_, n)| *n >= often).collect();
    let mut clusters: Vec<Vec<(u64, usize)>> = vec![];
    for item in common {
        match clusters.last_mut() {
            Some(cluster) if cluster.last().is_some_and(|last| item.0 - last.0 == 1) => {
                cluster.push(item);
            }
            _ => clusters.push(vec![item]),
        }
    }
    if clusters.iter().any(|cluster| cluster.len() >= 4) {
        return Some(1);
    }
    let peak = |cluster: &Vec<(u64, usize)>| cluster.iter().max_by_key(|item| item.1).map(|i| i.0);
    let peaks: Vec<u64> = clusters.iter().filter_map(peak).collect();
    let gap = peaks.windows(2).map(|pair| pair[1] - pair[0]).min();
    gap.or_else(|| counts.keys().next().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_tens_has_a_quantum_of_ten() {
        let steps: Vec<u64> = [20, 30, 20, 40, 30, 20].repeat(100);
        assert_eq!(quantum(&steps), Some(10));
    }

    #[test]
    fn rounding_by_one_does_not_hide_the_quantum() {
        let steps: Vec<u64> = [20, 20, 30, 30, 31, 21, 40].repeat(100);
        assert_eq!(quantum(&steps), Some(10));
    }

    #[test]
    fn a_fine_clock_has_a_quantum_of_one() {
        let steps: Vec<u64> = [21, 22, 23, 24, 25].repeat(100);
        assert_eq!(quantum(&steps), Some(1));
    }

    #[test]
    fn a_coarse_clock_shows_its_only_step() {
        let mut steps = vec![0; 999];
        steps.push(4_000_000);
        assert_eq!(quantum(&steps), Some(4_000_000));
        assert_eq!(quantum(&[0; 10]), None);
    }
}
