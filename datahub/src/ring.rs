//! The ring: which slot comes next, and what is newest.
//!
//! `writer` and `reader` hold one side's private state each; the shared words are borrowed for
//! the call. Sequential policies place sequence *s* in slot *s* mod slots; latest-only takes any
//! slot that is neither pinned nor among the newest (decisions 2 to 4).
//! Knows nothing of: mappings, clocks, payload bytes.

mod fate;
pub mod reader;
pub mod writer;

pub use fate::Fate;

use crate::config::{BlockConfig, ConsumerSync, OnFull};
use crate::cursor::{AckLine, CursorLine, RegistryLine};
use crate::layout;
use crate::memory::SharedWord;
use crate::sequence::Sequence;
use crate::slot::SlotRWState;

/// What only the producer writes, at every commit.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct ProducerLine<W> {
    /// How many commits there were; the newest sequence is one less (F19).
    pub commit_index: W,
    /// Where the newest commit is: see [`Newest`]. Kept under latest-only.
    pub latest: W,
}

const _: () = assert!(size_of::<ProducerLine<SharedWord>>() == layout::LINE);

/// The shared words of a ring, borrowed.
#[derive(Debug)]
pub struct Ring<'a, W> {
    /// The producer's line.
    pub producer: &'a ProducerLine<W>,
    /// Who is registered.
    pub registry: &'a RegistryLine<W>,
    /// What the producer says about the gate.
    pub ack: &'a AckLine<W>,
    /// One cursor for each possible consumer.
    pub cursors: &'a [CursorLine<W>],
    /// The physical slots.
    pub slots: &'a [SlotRWState<W>],
}

impl<W> Clone for Ring<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Ring<'_, W> {}

/// The rules that both sides follow, from the block's private geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Which payloads a consumer is shown.
    pub sync: ConsumerSync,
    /// Whether a sequential ring is written over when it is full.
    pub overwrites: bool,
    /// Payloads that stay readable.
    pub capacity: u64,
    /// Physical slots.
    pub slots: usize,
    /// The block's first sequence: nothing older was ever promised.
    pub first: Sequence,
    /// A latest-only reader that was overtaken this often says so instead of trying on.
    pub attempts: u32,
}

impl Rules {
    /// The rules of a block that begins at `first`.
    #[must_use]
    pub const fn new(config: &BlockConfig, first: Sequence) -> Self {
        Self {
            sync: config.consumer_sync(),
            overwrites: matches!(config.when_full(), OnFull::Overwrite),
            capacity: config.capacity() as u64,
            slots: config.physical_slots() as usize,
            first,
            attempts: 16,
        }
    }

    /// Whether registered cursors hold the producer back.
    #[must_use]
    pub fn gates(&self) -> bool {
        self.sync != ConsumerSync::LatestOnly && !self.overwrites
    }

    /// The slot of `sequence` under a sequential policy.
    #[must_use]
    pub const fn index(&self, sequence: Sequence) -> usize {
        to_index(sequence % self.slots as u64)
    }

    /// The oldest sequence still promised after `commits` commits.
    #[must_use]
    pub fn oldest(&self, commits: u64) -> Sequence {
        commits.saturating_sub(self.capacity).max(self.first)
    }
}

/// A number below 2³² as an index.
#[expect(clippy::cast_possible_truncation, reason = "shared blocks need 64 bits: see `layout`")]
const fn to_index(number: u64) -> usize {
    number as usize
}

/// The newest commit in one word: slot + 1 in the low 20 bits (0: nothing yet), and the low
/// 44 bits of its sequence, which tell two commits apart unless 2⁴⁴ lie between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The slot, not yet checked against the geometry.
    pub slot: usize,
    label: u64,
}

const SLOT_BITS: u32 = 20;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
const LABEL_MASK: u64 = u64::MAX >> SLOT_BITS;

const _: () = assert!((crate::config::PHYSICAL_SLOTS_MAX as u64) < SLOT_MASK);

impl Newest {
    /// `sequence` stands in `slot`.
    #[must_use]
    pub const fn new(sequence: Sequence, slot: usize) -> Self {
        Self { slot, label: sequence & LABEL_MASK }
    }

    /// Reads the word; `None` before the first commit.
    #[must_use]
    pub const fn decode(word: u64) -> Option<Self> {
        match word & SLOT_MASK {
            0 => None,
            slot => Some(Self { slot: to_index(slot) - 1, label: word >> SLOT_BITS }),
        }
    }

    /// The word as it is stored.
    #[must_use]
    pub const fn encode(self) -> u64 {
        self.label << SLOT_BITS | (self.slot as u64 + 1)
    }

    /// Whether it names `sequence`.
    #[must_use]
    pub const fn names(self, sequence: Sequence) -> bool {
        self.label == sequence & LABEL_MASK
    }

    /// The tag that the slot's word must carry.
    #[must_use]
    pub const fn tag(self) -> u64 {
        crate::sequence::tag(self.label)
    }
}
