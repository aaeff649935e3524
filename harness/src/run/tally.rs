//! One consumer's account of what it was given: order, labels, contents.
//!
//! Knows nothing of: blocks, time, what a count means for a verdict.

use report_schema::Counts;

use super::payload::{Defect, Stamp};

/// What the block promised its consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Promise {
    /// Everything, in order.
    Everything,
    /// Everything, or word that something was missed.
    Announced,
    /// The newest.
    Newest,
}

/// Counts of one consumer.
#[derive(Debug)]
pub(super) struct Tally {
    promise: Promise,
    /// Counted so far.
    pub(super) counts: Counts,
    /// Bytes delivered.
    pub(super) bytes: u64,
    /// The sequence that comes next.
    next: u64,
    /// Missed, as the block said, since the last delivery.
    announced: u64,
    /// Missed, as the block said, in all.
    pub(super) told: u64,
    /// Missed without a word, although one was promised.
    pub(super) silent: u64,
    /// Joined while messages flowed: what it is promised begins with its first payload.
    late: bool,
    /// That payload, once it has come.
    pub(super) first: Option<u64>,
}

impl Tally {
    pub(super) fn new(promise: Promise) -> Self {
        let counts = Counts::default();
        let (bytes, next, announced, told, silent) = (0, 0, 0, 0, 0);
        Self { promise, counts, bytes, next, announced, told, silent, late: false, first: None }
    }

    /// It joins while messages flow: nothing before its first payload was promised.
    pub(super) fn join_late(&mut self) {
        self.late = true;
        self.first = None;
    }

    /// One more than the last sequence delivered.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// A payload of `bytes` bytes, labelled `label`, was delivered as valid.
    #[inline]
    pub(super) fn delivered(&mut self, label: u64, bytes: usize, found: &Result<Stamp, Defect>) {
        self.counts.delivered += 1;
        self.bytes += bytes as u64;
        match found {
            Ok(_) => {}
            Err(Defect::Torn) => self.counts.torn += 1,
            Err(Defect::Mislabelled) => self.counts.mislabelled += 1,
        }
        self.order(label);
    }

    /// The block itself found a payload's checksum wrong.
    pub(super) fn spoiled(&mut self, label: u64) {
        self.counts.checksum_failures += 1;
        self.order(label);
    }

    /// The block said that so many were missed.
    pub(super) fn missed(&mut self, count: u64) {
        self.announced = self.announced.saturating_add(count);
        self.told += count;
    }

    /// The block went on without this consumer, which joins again: all that it missed is said by that.
    pub(super) fn evicted(&mut self) {
        self.announced = u64::MAX;
    }

    #[inline]
    fn order(&mut self, label: u64) {
        if label == self.next && !self.late {
            self.next += 1;
            return;
        }
        self.out_of_order(label);
    }

    #[cold]
    fn out_of_order(&mut self, label: u64) {
        if std::mem::take(&mut self.late) {
            self.next = label.saturating_add(1);
            self.announced = 0;
            self.first = Some(label);
            return;
        }
        if label < self.next {
            if label + 1 == self.next {
                self.counts.duplicated += 1;
            } else {
                self.counts.backward += 1;
            }
            return;
        }
        let gap = label - self.next;
        self.next = label.saturating_add(1);
        match self.promise {
            Promise::Everything => self.counts.lost += gap,
            Promise::Newest => self.counts.lapped += gap,
            Promise::Announced => {
                self.counts.lapped += gap;
                self.silent += gap.saturating_sub(self.announced);
            }
        }
        self.announced = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Result<Stamp, Defect> = Ok(Stamp { sequence: 0, intended_ns: 0, actual_ns: 0 });

    #[test]
    fn whoever_was_evicted_has_been_told_of_all_that_it_missed() {
        let mut tally = after(Promise::Announced, &[0, 1]);
        tally.evicted();
        tally.missed(3);
        tally.delivered(90, 8, &GOOD);
        tally.delivered(95, 8, &GOOD);
        assert_eq!((tally.counts.lapped, tally.silent, tally.told), (92, 4, 3));
    }

    fn after(promise: Promise, labels: &[u64]) -> Tally {
        let mut tally = Tally::new(promise);
        for label in labels {
            tally.delivered(*label, 8, &GOOD);
        }
        tally
    }

    #[test]
    fn labels_in_order_are_no_violation() {
        let tally = after(Promise::Everything, &[0, 1, 2]);
        assert_eq!(tally.counts, Counts { delivered: 3, ..Counts::default() });
        assert_eq!((tally.next(), tally.bytes), (3, 24));
    }

    #[test]
    fn a_gap_is_lost_where_everything_was_promised_and_lapped_elsewhere() {
        assert_eq!(after(Promise::Everything, &[1, 5]).counts.lost, 4);
        assert_eq!(after(Promise::Newest, &[1, 5]).counts.lapped, 4);
    }

    #[test]
    fn who_joins_late_is_promised_everything_from_its_first_payload_on() {
        let mut tally = Tally::new(Promise::Everything);
        tally.join_late();
        for label in [40, 41, 43] {
            tally.delivered(label, 8, &GOOD);
        }
        assert_eq!((tally.counts.lost, tally.first, tally.next()), (1, Some(40), 44));
        let mut tally = Tally::new(Promise::Everything);
        tally.join_late();
        for label in [0, 2] {
            tally.delivered(label, 8, &GOOD);
        }
        assert_eq!(tally.counts.lost, 1);
    }

    #[test]
    fn the_same_again_is_duplicated_and_an_older_one_is_backward() {
        let counts = after(Promise::Newest, &[7, 7, 3, 8]).counts;
        assert_eq!((counts.duplicated, counts.backward, counts.lapped), (1, 1, 7));
    }

    #[test]
    fn defects_are_counted_by_their_kind() {
        let mut tally = after(Promise::Everything, &[0]);
        tally.delivered(1, 8, &Err(Defect::Torn));
        tally.delivered(2, 8, &Err(Defect::Mislabelled));
        tally.spoiled(3);
        let counts = tally.counts;
        assert_eq!((counts.torn, counts.mislabelled, counts.checksum_failures), (1, 1, 1));
        assert_eq!((counts.delivered, counts.lost), (3, 0));
    }

    #[test]
    fn a_gap_larger_than_what_was_announced_is_silent() {
        let mut tally = after(Promise::Announced, &[0]);
        tally.missed(4);
        tally.delivered(5, 8, &GOOD);
        assert_eq!((tally.counts.lapped, tally.silent), (4, 0));
        tally.missed(1);
        tally.delivered(8, 8, &GOOD);
        assert_eq!((tally.counts.lapped, tally.silent), (6, 1));
    }
}
