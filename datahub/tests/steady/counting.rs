//! A memory that counts what is dear.

#![expect(unsafe_code, reason = "a memory that handles accept vouches for itself")]

use std::cell::Cell;
use std::rc::Rc;

use datahub::memory::{MappedMemory, Memory, Shared, SharedWord};

/// The real memory, counting read-modify-writes and fences.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counting {
    exchanges: Rc<Cell<u64>>,
    fences: Rc<Cell<u64>>,
}

impl Counting {
    pub(crate) fn exchanges(&self) -> u64 {
        self.exchanges.get()
    }

    pub(crate) fn fences(&self) -> u64 {
        self.fences.get()
    }

    pub(crate) fn forget(&self) {
        self.exchanges.set(0);
        self.fences.set(0);
    }

    fn exchange(&self) {
        self.exchanges.set(self.exchanges.get() + 1);
    }
}

// SAFETY: every operation is that of `Shared`.
unsafe impl MappedMemory for Counting {}

impl Memory for Counting {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        Shared.load::<SITE>(word)
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.exchange();
        Shared.compare_exchange::<SITE>(word, current, new)
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.exchange();
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.exchange();
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        self.exchange();
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.fences.set(self.fences.get() + 1);
        Shared.fence::<SITE>();
    }
}
