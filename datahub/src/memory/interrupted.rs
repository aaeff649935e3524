//! For tests: something happens before one operation, for instance a death.

use core::cell::Cell;
use std::panic::resume_unwind;

use super::{Memory, Shared, SharedWord};

/// The production memory, in which something happens before one operation.
pub(crate) struct Interrupted<'a> {
    left: Cell<u32>,
    act: &'a dyn Fn(),
}

impl<'a> Interrupted<'a> {
    /// `act` happens when `steps` operations are done.
    pub(crate) fn after(steps: u32, act: &'a dyn Fn()) -> Self {
        Self { left: Cell::new(steps), act }
    }

    /// Its user dies when `steps` operations are done, as if its process were killed there.
    pub(crate) fn dying(steps: u32) -> Interrupted<'static> {
        Interrupted::after(steps, &|| resume_unwind(Box::new("dead")))
    }

    fn step(&self) {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        if left == 0 {
            (self.act)();
        }
    }
}

impl Memory for Interrupted<'_> {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        self.step();
        Shared.load::<SITE>(word)
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        self.step();
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.step();
        Shared.compare_exchange::<SITE>(word, current, new)
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.step();
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.step();
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        self.step();
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.step();
        Shared.fence::<SITE>();
    }
}
