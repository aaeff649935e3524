//! A value under a count that is odd while the value is written.
//!
//! One writer at a time, found out by the exchange that makes the count odd; any number of readers,
//! who write nothing and look again when the count has moved. A writer that dies in between leaves
//! the count odd: nobody reads a torn value, and whoever has proved the death writes over it.
//! Knows nothing of: what the words mean, clocks, who is alive.
//! Edges: `Z_SEQ_END → Z_SEQ_LOOK`, `Z_SEQ_MARK → Z_SEQ_CHECK`.
//! Source: HEP-CORE-0002 seqlock pattern, whose fences were missing (F3).

use crate::memory::{Memory, SharedWord};
use crate::sites::{
    Z_SEQ_AGAIN, Z_SEQ_BEGIN, Z_SEQ_CHECK, Z_SEQ_END, Z_SEQ_LOOK, Z_SEQ_MARK, Z_SEQ_PEEK,
    Z_SEQ_READ, Z_SEQ_WRITE,
};

/// `N` words that are read and written together.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct SeqlockWords<const N: usize, W = SharedWord> {
    /// Twice the number of writes, one more while one goes on.
    count: W,
    words: [W; N],
}

/// Somebody writes, or died writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another writer is writing, or died while it wrote")]
pub struct Busy;

impl<const N: usize, W: Default> Default for SeqlockWords<N, W> {
    fn default() -> Self {
        Self { count: W::default(), words: core::array::from_fn(|_| W::default()) }
    }
}

impl<const N: usize, W> SeqlockWords<N, W> {
    /// Made of these words, all zero.
    #[must_use]
    pub const fn from_words(count: W, words: [W; N]) -> Self {
        Self { count, words }
    }

    /// The value, if nobody wrote meanwhile: looks once. Zeros before the first write.
    pub fn try_read<M: Memory<Word = W>>(&self, mem: &M) -> Option<[u64; N]> {
        // [end] The whole value of this count. Partner: `Z_SEQ_END`.
        let before = mem.load::<Z_SEQ_LOOK>(&self.count);
        if before % 2 != 0 {
            return None;
        }
        let value = core::array::from_fn(|index| mem.load::<Z_SEQ_READ>(&self.words[index]));
        // [check] If a load above saw a store of the next write, the look below sees its odd count.
        // Partner: `Z_SEQ_MARK`.
        mem.fence::<Z_SEQ_CHECK>();
        (mem.load::<Z_SEQ_AGAIN>(&self.count) == before).then_some(value)
    }

    /// Writes the value.
    ///
    /// # Errors
    ///
    /// [`Busy`]; nothing was written.
    pub fn try_write<M: Memory<Word = W>>(&self, mem: &M, value: &[u64; N]) -> Result<(), Busy> {
        let count = mem.load::<Z_SEQ_PEEK>(&self.count);
        if count % 2 != 0 {
            return Err(Busy);
        }
        let odd = count.wrapping_add(1);
        // [begin] The former writer's stores come before ours. Partner: `Z_SEQ_END`.
        mem.compare_exchange::<Z_SEQ_BEGIN>(&self.count, count, odd).map_err(|_| Busy)?;
        self.fill(mem, odd, value);
        Ok(())
    }

    /// Writes the value, also over what a dead writer left. The caller has proved that every other
    /// writer is dead, or is the only one there is.
    pub fn write_over_dead<M: Memory<Word = W>>(&self, mem: &M, value: &[u64; N]) {
        let count = mem.load::<Z_SEQ_PEEK>(&self.count);
        let odd = count | 1;
        // A failed exchange shows a second writer, against the promise: whose value stays is open.
        let _found = mem.compare_exchange::<Z_SEQ_BEGIN>(&self.count, count, odd);
        self.fill(mem, odd, value);
    }

    fn fill<M: Memory<Word = W>>(&self, mem: &M, odd: u64, value: &[u64; N]) {
        // [mark] The odd count comes before the stores below. Partner: `Z_SEQ_CHECK`.
        mem.fence::<Z_SEQ_MARK>();
        for (word, &value) in self.words.iter().zip(value) {
            mem.store::<Z_SEQ_WRITE>(word, value);
        }
        // [end] The whole value. Partners: `Z_SEQ_LOOK`, `Z_SEQ_BEGIN`.
        mem.store::<Z_SEQ_END>(&self.count, odd.wrapping_add(1));
    }

    /// How many writes there were.
    pub fn writes<M: Memory<Word = W>>(&self, mem: &M) -> u64 {
        mem.load::<Z_SEQ_LOOK>(&self.count) / 2
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::memory::Shared;
    use crate::memory::interrupted::Interrupted;

    #[test]
    fn a_writer_that_dies_leaves_the_old_value_the_new_one_or_none() {
        let (old, new, last) = ([1, 2, 3], [4, 5, 6], [7, 8, 9]);
        let lived = (0..20).find(|&steps| {
            let cell = SeqlockWords::<3>::default();
            cell.try_write(&Shared, &old).unwrap();
            let dying = Interrupted::dying(steps);
            let lived = catch_unwind(AssertUnwindSafe(|| cell.try_write(&dying, &new))).is_ok();
            let found = cell.try_read(&Shared);
            assert!([Some(old), Some(new), None].contains(&found), "dead at {steps}: {found:?}");
            let wanted = if found.is_none() { Err(Busy) } else { Ok(()) };
            assert_eq!(cell.try_write(&Shared, &new), wanted, "dead at {steps}");
            cell.write_over_dead(&Shared, &last);
            assert_eq!(cell.try_read(&Shared), Some(last));
            assert_eq!(cell.try_write(&Shared, &new), Ok(()));
            lived
        });
        assert_eq!(lived, Some(7));
    }

    #[test]
    fn a_write_between_any_two_steps_of_a_read_is_noticed() {
        let (old, new) = ([1, 2, 3], [4, 5, 6]);
        let found: Vec<_> = (0..8)
            .map(|steps| {
                let cell = SeqlockWords::<3>::default();
                cell.try_write(&Shared, &old).unwrap();
                let write = || cell.try_write(&Shared, &new).unwrap();
                cell.try_read(&Interrupted::after(steps, &write))
            })
            .collect();
        // Before the first look, at each of the four steps that follow, before the last look, after.
        let torn = [None; 5];
        let wanted = [&[Some(new)][..], &torn[..], &[Some(old); 2][..]].concat();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_second_writer_at_any_step_is_told_or_comes_first() {
        for steps in 0..7 {
            let cell = SeqlockWords::<3>::default();
            let other = || {
                let told = cell.try_write(&Shared, &[7, 8, 9]);
                assert_eq!(told.is_ok(), steps < 2, "{steps}");
            };
            let told = cell.try_write(&Interrupted::after(steps, &other), &[1, 2, 3]);
            assert_eq!(told.is_ok(), steps != 1, "{steps}");
            let wanted = if steps == 1 { [7, 8, 9] } else { [1, 2, 3] };
            assert_eq!(cell.try_read(&Shared), Some(wanted));
        }
    }
}
