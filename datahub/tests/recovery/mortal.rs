//! A memory whose owner dies at a chosen site.

use std::cell::Cell;
use std::rc::Rc;

use datahub::memory::{MappedMemory, Memory, Shared, SharedWord};
use nix::sys::signal::{Signal, raise};

/// Ends its process by SIGKILL the third time that it comes to a site.
#[derive(Debug, Clone)]
pub(super) struct Mortal {
    pub(super) site: u16,
    pub(super) visits: Rc<Cell<u32>>,
}

impl Mortal {
    fn comes_to<const SITE: u16>(&self) {
        if SITE == self.site {
            self.visits.set(self.visits.get() + 1);
            if self.visits.get() == 3 {
                raise(Signal::SIGKILL).unwrap();
            }
        }
    }
}

// SAFETY: every operation that returns is that of `Shared`.
unsafe impl MappedMemory for Mortal {}

impl Memory for Mortal {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        self.comes_to::<SITE>();
        Shared.load::<SITE>(word)
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        self.comes_to::<SITE>();
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.comes_to::<SITE>();
        Shared.compare_exchange::<SITE>(word, current, new)
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.comes_to::<SITE>();
        Shared.fence::<SITE>();
    }
}
