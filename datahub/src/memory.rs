//! The memory trait: the only door to words that two processes share.
//!
//! Every operation names its **site** (`sites`), and the site's row in the table decides the
//! ordering. [`Shared`] reads the row as a constant, so the machine code is that of a hand-written
//! atomic; a model reads it at run time and may weaken it, crash before it or record it.
//! Knows nothing of: mappings, layouts, what a word means.

#![expect(clippy::disallowed_types, reason = "this is the door the lint sends everybody to")]
#![expect(clippy::disallowed_methods, reason = "this is the door the lint sends everybody to")]
#![expect(clippy::inline_always, reason = "a site must cost what the bare instruction costs")]
#![expect(
    unsafe_code,
    reason = "a memory that lies can break exclusion: who makes one vouches for it"
)]

#[cfg(test)]
pub(crate) mod interrupted;
pub mod observed;

use core::sync::atomic::{AtomicU64, Ordering, fence};

use crate::sites::{self, Kind};

/// A word in mapped memory.
pub type SharedWord = AtomicU64;

/// Operations on shared words. `SITE` is an index into [`sites::TABLE`].
///
/// All words are 64 bits: mixed-size access to one location is outside the memory model.
pub trait Memory {
    /// The word type: [`SharedWord`] in production, a simulated cell in a model.
    type Word;

    /// Reads `word`.
    fn load<const SITE: u16>(&self, word: &Self::Word) -> u64;

    /// Writes `value`.
    fn store<const SITE: u16>(&self, word: &Self::Word, value: u64);

    /// Replaces `current` by `new`. A failed exchange is a relaxed load of what was found.
    ///
    /// # Errors
    ///
    /// The value found, when it was not `current`.
    fn compare_exchange<const SITE: u16>(
        &self,
        word: &Self::Word,
        current: u64,
        new: u64,
    ) -> Result<u64, u64>;

    /// Sets `bits`, returns what stood there before.
    fn fetch_or<const SITE: u16>(&self, word: &Self::Word, bits: u64) -> u64;

    /// Keeps only `bits`, returns what stood there before.
    fn fetch_and<const SITE: u16>(&self, word: &Self::Word, bits: u64) -> u64;

    /// Adds `amount` (wrapping), returns what stood there before.
    fn fetch_add<const SITE: u16>(&self, word: &Self::Word, amount: u64) -> u64;

    /// Orders the operations around it.
    fn fence<const SITE: u16>(&self);
}

/// A memory whose words are the mapped ones: what handles accept.
///
/// Besides [`Shared`] this is how a harness interposes faults on the shipped source.
///
/// # Safety
///
/// Handles lend payloads by reference because the protocol keeps writer and readers apart, and the
/// protocol is only as good as its memory. Each operation must do to the word what its name says,
/// with at least the ordering of its site, and return what was found there; it may do more before
/// and after, or never return. One that lies on purpose must not be given to code whose references
/// somebody relies on.
pub unsafe trait MappedMemory: Memory<Word = SharedWord> + Clone {}

/// The production memory: nothing but the instruction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shared;

// SAFETY: every operation is the atomic instruction of its name, with the ordering of its site.
unsafe impl MappedMemory for Shared {}

/// The ordering of `site`, checked at compile time to be of the right kind.
const fn ordering(site: u16, kind: Kind) -> Ordering {
    let row = &sites::TABLE[site as usize];
    assert!(row.kind as u8 == kind as u8, "the site is used for another kind of operation");
    row.ordering
}

impl Memory for Shared {
    type Word = SharedWord;

    #[inline(always)]
    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        word.load(const { ordering(SITE, Kind::Load) })
    }

    #[inline(always)]
    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        word.store(value, const { ordering(SITE, Kind::Store) });
    }

    #[inline(always)]
    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        let success = const { ordering(SITE, Kind::Rmw) };
        word.compare_exchange(current, new, success, Ordering::Relaxed)
    }

    #[inline(always)]
    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        word.fetch_or(bits, const { ordering(SITE, Kind::Rmw) })
    }

    #[inline(always)]
    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        word.fetch_and(bits, const { ordering(SITE, Kind::Rmw) })
    }

    #[inline(always)]
    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        word.fetch_add(amount, const { ordering(SITE, Kind::Rmw) })
    }

    #[inline(always)]
    fn fence<const SITE: u16>(&self) {
        fence(const { ordering(SITE, Kind::Fence) });
    }
}
