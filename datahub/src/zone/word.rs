//! One shared word: a counter, a flag, a handle, whatever its users agree on.
//!
//! Who writes what: anybody, anything. What was done before a write is seen by whoever reads it.
//! Knows nothing of: mappings, what the word means.

use crate::memory::{Memory, SharedWord};
use crate::sites::{Z_CHANGE, Z_LOAD, Z_STORE};

/// A word that any process may read and change at any time.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct ZoneWord<W = SharedWord>(W);

impl<W> ZoneWord<W> {
    /// Reads it, and with it everything its writer did before.
    pub fn load<M: Memory<Word = W>>(&self, mem: &M) -> u64 {
        // [word] What the writer did before. Partners: `Z_STORE`, `Z_CHANGE`.
        mem.load::<Z_LOAD>(&self.0)
    }

    /// Writes it after everything that was done before.
    pub fn store<M: Memory<Word = W>>(&self, mem: &M, value: u64) {
        // [word] What was done before. Partners: `Z_LOAD`, `Z_CHANGE`.
        mem.store::<Z_STORE>(&self.0, value);
    }

    /// Adds to it (wrapping); returns what stood there before.
    pub fn add<M: Memory<Word = W>>(&self, mem: &M, amount: u64) -> u64 {
        // [word] What was done before, both ways. Partners: `Z_LOAD`, `Z_STORE`, `Z_CHANGE`.
        mem.fetch_add::<Z_CHANGE>(&self.0, amount)
    }

    /// Sets bits; returns what stood there before.
    pub fn set_bits<M: Memory<Word = W>>(&self, mem: &M, bits: u64) -> u64 {
        mem.fetch_or::<Z_CHANGE>(&self.0, bits)
    }

    /// Keeps only these bits; returns what stood there before.
    pub fn keep_bits<M: Memory<Word = W>>(&self, mem: &M, bits: u64) -> u64 {
        mem.fetch_and::<Z_CHANGE>(&self.0, bits)
    }

    /// Replaces `current` by `new`.
    ///
    /// # Errors
    ///
    /// The value found, when it was not `current`.
    pub fn exchange<M: Memory<Word = W>>(
        &self,
        mem: &M,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        mem.compare_exchange::<Z_CHANGE>(&self.0, current, new)
    }
}
