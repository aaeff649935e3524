//! What the survivors of one row found: everything in it must stay 0.

use crate::run::{Defect, Keyed};

/// The account of one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) torn: u64,
    pub(super) mislabelled: u64,
    pub(super) backward: u64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) stuck: u64,
    pub(super) leaked: u64,
    pub(super) blocked_ns_max: u64,
    /// The first violation in words.
    pub(super) example: Option<String>,
}

impl Ledger {
    pub(super) fn violations(&self) -> u64 {
        let contents = self.torn + self.mislabelled + self.backward;
        contents + self.lost + self.duplicated + self.stuck + self.leaked
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        self.example.get_or_insert_with(what);
    }

    pub(super) fn blocked(&mut self, ns: u64) {
        self.blocked_ns_max = self.blocked_ns_max.max(ns);
    }

    /// Everything that is wrong with it may be cited.
    pub(super) fn stuck(&mut self, what: String) {
        self.stuck += 1;
        self.note(|| what);
    }

    pub(super) fn torn(&mut self, what: String) {
        self.torn += 1;
        self.note(|| what);
    }

    pub(super) fn leaked(&mut self, what: String) {
        self.leaked += 1;
        self.note(|| what);
    }

    /// Checks one payload that was delivered as valid.
    pub(super) fn content(&mut self, keyed: &Keyed, payload: &[u8], label: u64) {
        match keyed.check(payload, label) {
            Ok(_) => {}
            Err(Defect::Torn) => {
                self.torn += 1;
                self.note(|| format!("sequence {label} was delivered as valid and is torn"));
            }
            Err(Defect::Mislabelled) => {
                self.mislabelled += 1;
                self.note(|| format!("what was delivered as sequence {label} is another one"));
            }
        }
    }

    /// Checks where a payload stands among those of one reader; returns what comes next. `gapless`: what is
    /// left out between two of them is lost.
    pub(super) fn order(&mut self, gapless: bool, next: u64, label: u64) -> u64 {
        if label + 1 == next {
            self.duplicated += 1;
            self.note(|| format!("sequence {label} was delivered twice"));
        } else if label < next {
            self.backward += 1;
            self.note(|| format!("sequence {label} was delivered after {}", next - 1));
        } else if label > next && gapless {
            self.lost += label - next;
            self.note(|| format!("{next} to {} were never delivered", label - 1));
        }
        next.max(label + 1)
    }

    /// Checks what a reader is told that it missed before `oldest`; returns what comes next.
    pub(super) fn lapped(
        &mut self,
        lossless: bool,
        next: u64,
        (missed, oldest): (u64, u64),
    ) -> u64 {
        let gap = oldest.saturating_sub(next);
        if lossless {
            self.lost += missed;
            self.note(|| format!("{missed} payloads were lost before {oldest}"));
        } else if gap > missed {
            self.lost += gap - missed;
            self.note(|| {
                format!("{gap} payloads before {oldest} were never delivered, and {missed} told of")
            });
        }
        next.max(oldest)
    }

    /// Checks the commits that the block announces against those that were acknowledged. The last ones,
    /// `at_once` or fewer, may have been made and not yet acknowledged.
    pub(super) fn commits(&mut self, announced: u64, acknowledged: u64, at_once: u64) {
        if announced < acknowledged {
            self.lost += acknowledged - announced;
            self.note(|| {
                format!("{acknowledged} commits were acknowledged, and {announced} are announced")
            });
        }
        if announced > acknowledged + at_once {
            self.duplicated += announced - acknowledged - at_once;
            self.note(|| {
                format!("{acknowledged} commits were acknowledged, but {announced} are announced")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Stamp;

    fn after(gapless: bool, labels: &[u64]) -> Ledger {
        let mut ledger = Ledger::default();
        labels.iter().fold(0, |next, label| ledger.order(gapless, next, *label));
        ledger
    }

    #[test]
    fn order_is_judged_by_what_was_promised() {
        assert_eq!(after(true, &[0, 1, 2]), Ledger::default());
        assert_eq!((after(true, &[0, 3]).lost, after(false, &[0, 3]).lost), (2, 0));
        let found = after(false, &[5, 5, 2]);
        assert_eq!((found.duplicated, found.backward), (1, 1));
        assert_eq!(found.example.as_deref(), Some("sequence 5 was delivered twice"));
    }

    #[test]
    fn a_gap_is_no_loss_as_far_as_it_is_told_of() {
        let of = |lossless, next, told| {
            let mut ledger = Ledger::default();
            (ledger.lapped(lossless, next, told), ledger.lost)
        };
        assert_eq!(of(false, 3, (4, 7)), (7, 0));
        // One payload was skipped before, and nobody said so.
        assert_eq!(of(false, 2, (4, 7)), (7, 1));
        assert_eq!(of(false, 8, (4, 7)), (8, 0));
        assert_eq!(of(true, 3, (4, 7)), (7, 4));
    }

    #[test]
    fn commits_are_neither_taken_back_nor_invented() {
        let of = |announced, acknowledged| {
            let mut ledger = Ledger::default();
            ledger.commits(announced, acknowledged, 1);
            (ledger.lost, ledger.duplicated)
        };
        assert_eq!((of(7, 7), of(8, 7)), ((0, 0), (0, 0)));
        assert_eq!((of(6, 7), of(9, 7)), ((1, 0), (0, 1)));
    }

    #[test]
    fn contents_are_compared_with_their_label() {
        let keyed = Keyed::new(3, true);
        let mut payload = [0; 64];
        keyed.fill(&mut payload, &Stamp { sequence: 4, intended_ns: 0, actual_ns: 0 });
        let mut ledger = Ledger::default();
        ledger.content(&keyed, &payload, 4);
        assert_eq!(ledger.violations(), 0);
        ledger.content(&keyed, &payload, 5);
        payload[40] ^= 1;
        ledger.content(&keyed, &payload, 4);
        assert_eq!((ledger.mislabelled, ledger.torn), (1, 1));
    }
}
