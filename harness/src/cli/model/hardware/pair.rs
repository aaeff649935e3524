//! Two pieces of code that run at once on two cores, and what they must not see of each other.

use datahub::memory::{Memory, SharedWord};
use datahub::park::{ParkLine, announce, ring};
use datahub::sites::{
    P_FENCE, P_WAKE_FENCE, R_COMMIT_INDEX, W_COMMIT_INDEX, Z_SEQ_READ, Z_SEQ_WRITE,
};
use datahub::slot::{self, SlotRWState};
use datahub::zone::seqlock::SeqlockWords;

/// Words of a payload that can be torn.
const WORDS: usize = 32;
/// Words of a counted value.
const COUNTED: usize = 6;

/// A word on a line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Line(pub(super) SharedWord);

/// What two sides share in one round.
#[derive(Debug, Default)]
pub(super) struct Round {
    first: Line,
    second: Line,
    park: ParkLine<SharedWord>,
    slot: SlotRWState<SharedWord>,
    payload: [SharedWord; WORDS],
    counted: SeqlockWords<COUNTED>,
}

/// Two pieces of code that run at once; each says what it saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    /// "I store, then look at yours", both ways: a writer that closes a slot and a reader that enters.
    Dekker,
    /// The same with a payload, which each side touches if it saw nobody.
    Tear,
    /// A producer that publishes and looks for sleepers, a consumer that announces itself and looks.
    Park,
    /// A producer that commits, a consumer that looks at the slot and its label.
    Commit,
    /// A writer of a counted value, and a reader.
    Counted,
}

impl Pair {
    pub(super) const ALL: [Self; 5] =
        [Self::Dekker, Self::Tear, Self::Park, Self::Commit, Self::Counted];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Dekker => "hardware/dekker",
            Self::Tear => "hardware/tear",
            Self::Park => "hardware/park",
            Self::Commit => "hardware/commit",
            Self::Counted => "hardware/counted",
        }
    }

    pub(super) const fn english(self) -> &'static str {
        match self {
            Self::Dekker => "Each side stores and looks before its store has reached the other.",
            Self::Tear => "Writer and reader miss each other, and the reader gets a torn payload.",
            Self::Park => "The producer sees no sleeper, the sleeper nothing new: it sleeps on.",
            Self::Commit => "The commit is seen before the label that belongs to it.",
            Self::Counted => "Two equal counts stand around a value that is half of one write.",
        }
    }

    /// How it is weakened.
    pub(super) const fn weaker(self) -> &'static str {
        match self {
            Self::Dekker | Self::Tear | Self::Park | Self::Counted => "without fences",
            Self::Commit => "with a relaxed commit",
        }
    }

    /// Why this kind of processor cannot show what the weakened form does wrong, if it cannot.
    pub(super) const fn hidden(self) -> Option<&'static str> {
        let in_order = cfg!(target_arch = "x86_64");
        match self {
            Self::Commit | Self::Counted if in_order => {
                Some("x86-64 keeps stores in order, and loads")
            }
            _ => None,
        }
    }

    /// What `side` does in a round; whether it saw the other, or what it saw is whole.
    pub(super) fn play<M: Memory<Word = SharedWord>>(
        self,
        mem: &M,
        round: &Round,
        side: usize,
    ) -> bool {
        let Round { first, second, park, slot, payload, counted } = round;
        match (self, side) {
            (Self::Dekker | Self::Tear, 0) => {
                mem.store::<W_COMMIT_INDEX>(&first.0, 1);
                mem.fence::<P_WAKE_FENCE>();
                let saw = mem.load::<R_COMMIT_INDEX>(&second.0) != 0;
                if self == Self::Tear && !saw {
                    for word in payload {
                        mem.store::<Z_SEQ_WRITE>(word, 1);
                    }
                }
                saw
            }
            (Self::Dekker | Self::Tear, _) => {
                mem.store::<W_COMMIT_INDEX>(&second.0, 1);
                mem.fence::<P_FENCE>();
                let saw = mem.load::<R_COMMIT_INDEX>(&first.0) != 0;
                if self == Self::Tear {
                    return saw
                        || is_whole(payload.each_ref().map(|word| mem.load::<Z_SEQ_READ>(word)));
                }
                saw
            }
            (Self::Park, 0) => {
                mem.store::<W_COMMIT_INDEX>(&first.0, 1);
                ring(mem, park)
            }
            (Self::Park, _) => {
                let _signal = announce(mem, park, 0);
                mem.load::<R_COMMIT_INDEX>(&first.0) != 0
            }
            (Self::Commit, 0) => {
                slot::commit(mem, slot, 5, 16, 1);
                true
            }
            // Seeing nothing is right; seeing the commit without its label is not.
            (Self::Commit, _) => match slot::look(mem, slot, 5) {
                Ok(admission) => admission.payload_bytes == 16,
                Err(seen) => seen.tag() != 5,
            },
            (Self::Counted, 0) => counted.try_write(mem, &[1; COUNTED]).is_ok(),
            (Self::Counted, _) => counted.try_read(mem).is_none_or(is_whole),
        }
    }

    /// Whether what the two saw cannot be.
    pub(super) const fn forbidden(self, first: bool, second: bool) -> bool {
        match self {
            Self::Dekker | Self::Park => !first && !second,
            Self::Tear | Self::Commit | Self::Counted => !second,
        }
    }
}

/// Whether all words are of one write.
fn is_whole<const N: usize>(words: [u64; N]) -> bool {
    words.iter().all(|&word| word == words[0])
}

#[cfg(test)]
mod tests {
    use datahub::memory::Shared;

    use super::*;

    #[test]
    fn both_sides_see_each_other_when_they_run_one_after_the_other() {
        for pair in [Pair::Dekker, Pair::Park] {
            let round = Round::default();
            let first = pair.play(&Shared, &round, 0);
            let second = pair.play(&Shared, &round, 1);
            assert!(!first && second && !pair.forbidden(first, second));
        }
        for pair in [Pair::Tear, Pair::Commit, Pair::Counted] {
            let round = Round::default();
            assert!(pair.play(&Shared, &round, 1), "{pair:?}");
            pair.play(&Shared, &round, 0);
            assert!(pair.play(&Shared, &round, 1), "{pair:?}");
            assert!(pair.forbidden(true, false), "{pair:?}");
        }
    }

    #[test]
    fn half_a_payload_is_torn() {
        assert!(is_whole([1, 1, 1]) && !is_whole([1, 1, 0]));
    }
}
