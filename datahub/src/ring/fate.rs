//! How a stream ends in a block: not yet, for ever, or by going on in another block.

use super::Ring;
use crate::memory::Memory;
use crate::sites::R_CLOSED;

/// What a block says about its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// More may come.
    Open,
    /// Nothing will follow.
    Ended,
    /// The producer is about to hand over. If it dies now, the name of the block decides: it leads to
    /// the successor or it does not.
    Moving,
    /// The stream goes on in the successor.
    Moved,
}

impl Fate {
    /// What the ring says now. Look for payloads once more if that is final.
    pub fn of<M: Memory>(mem: &M, ring: &Ring<'_, M::Word>) -> Self {
        // [closed] Every commit before the end. Partners: `W_CLOSED`, `W_MOVED`.
        Self::decode(mem.load::<R_CLOSED>(&ring.ack.closed))
    }

    /// Reads the word. What no producer writes is an end.
    #[must_use]
    pub const fn decode(word: u64) -> Self {
        match word {
            0 => Self::Open,
            2 => Self::Moving,
            3 => Self::Moved,
            _ => Self::Ended,
        }
    }

    /// The word as it is stored.
    #[must_use]
    pub const fn encode(self) -> u64 {
        match self {
            Self::Open => 0,
            Self::Ended => 1,
            Self::Moving => 2,
            Self::Moved => 3,
        }
    }

    /// Whether nothing more will be committed in this block.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Ended | Self::Moved)
    }
}

#[cfg(test)]
mod tests {
    use super::Fate;

    #[test]
    fn a_fate_is_read_as_it_was_written_and_nonsense_is_an_end() {
        for fate in [Fate::Open, Fate::Ended, Fate::Moving, Fate::Moved] {
            assert_eq!(Fate::decode(fate.encode()), fate);
        }
        assert_eq!(Fate::decode(u64::MAX), Fate::Ended);
    }
}
