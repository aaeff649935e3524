//! What was counted while messages moved: deliveries, and everything that must not happen.

use core::iter::Sum;
use core::ops::{Add, AddAssign};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counters of one role, or of several added together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Messages that the producer committed.
    pub committed: u64,
    /// Messages that a consumer took as valid.
    pub delivered: u64,
    /// Delivered as valid, but mixed from two writes.
    pub torn: u64,
    /// Labelled with one sequence, holding the payload of another.
    pub mislabelled: u64,
    /// Delivered with a sequence below one delivered before.
    pub backward: u64,
    /// Committed but never delivered, under a policy that promises delivery.
    pub lost: u64,
    /// Delivered twice to the same consumer.
    pub duplicated: u64,
    /// Payloads whose checksum did not match.
    pub checksum_failures: u64,
    /// Messages skipped because the producer came round, under a policy that allows it.
    pub lapped: u64,
    /// Calls that ended by their time limit.
    pub timeouts: u64,
}

impl Counts {
    /// Each counter with its field name, in the order of the fields.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 10] {
        [
            ("committed", self.committed),
            ("delivered", self.delivered),
            ("torn", self.torn),
            ("mislabelled", self.mislabelled),
            ("backward", self.backward),
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("checksum_failures", self.checksum_failures),
            ("lapped", self.lapped),
            ("timeouts", self.timeouts),
        ]
    }

    /// The sum of the counters that must be 0 in every run, whatever the policy:
    /// torn, mislabelled, backward, duplicated and checksum failures.
    #[must_use]
    pub const fn violations(&self) -> u64 {
        self.torn
            .saturating_add(self.mislabelled)
            .saturating_add(self.backward)
            .saturating_add(self.duplicated)
            .saturating_add(self.checksum_failures)
    }
}

/// Adds counter by counter; a counter that would overflow stays at its maximum.
impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            committed: self.committed.saturating_add(other.committed),
            delivered: self.delivered.saturating_add(other.delivered),
            torn: self.torn.saturating_add(other.torn),
            mislabelled: self.mislabelled.saturating_add(other.mislabelled),
            backward: self.backward.saturating_add(other.backward),
            lost: self.lost.saturating_add(other.lost),
            duplicated: self.duplicated.saturating_add(other.duplicated),
            checksum_failures: self.checksum_failures.saturating_add(other.checksum_failures),
            lapped: self.lapped.saturating_add(other.lapped),
            timeouts: self.timeouts.saturating_add(other.timeouts),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

impl<'a> Sum<&'a Counts> for Counts {
    fn sum<I: Iterator<Item = &'a Self>>(counts: I) -> Self {
        counts.copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_added_to_itself_only() {
        let one = Counts {
            committed: 1,
            delivered: 2,
            torn: 3,
            mislabelled: 4,
            backward: 5,
            lost: 6,
            duplicated: 7,
            checksum_failures: 8,
            lapped: 9,
            timeouts: 10,
        };
        let sum: Counts = [one, one].iter().sum();
        for ((name, value), (_, doubled)) in one.named().into_iter().zip(sum.named()) {
            assert_eq!(doubled, 2 * value, "{name}");
        }
    }

    #[test]
    fn a_full_counter_stays_full() {
        let full = Counts { lapped: u64::MAX, ..Counts::default() };
        assert_eq!((full + full).lapped, u64::MAX);
    }

    #[test]
    fn allowed_loss_is_no_violation() {
        let allowed = Counts { lapped: 9, timeouts: 9, lost: 9, ..Counts::default() };
        assert_eq!(allowed.violations(), 0);
        assert_eq!(Counts { torn: 1, duplicated: 2, ..allowed }.violations(), 3);
    }
}
