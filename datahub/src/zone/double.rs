//! Two buffers, of which one is complete at every moment.
//!
//! One writer at a time fills the buffer that is not given out and then flips; a reader takes the one
//! that is, and looks again only if the writer flipped meanwhile. Unlike under a seqlock, readers
//! never wait for a writer: one that stopped or died half-way leaves the other buffer whole.
//! Knows nothing of: what the words mean, clocks, who is alive.
//! Edges: `Z_TWO_FLIP → Z_TWO_LOOK`, `Z_TWO_MARK → Z_TWO_CHECK`.
//! Source: HEP-CORE-0002 double-buffer pattern.

use super::seqlock::Busy;
use crate::memory::{Memory, SharedWord};
use crate::sites::{
    Z_TWO_AGAIN, Z_TWO_BEGIN, Z_TWO_CHECK, Z_TWO_FLIP, Z_TWO_LOOK, Z_TWO_MARK, Z_TWO_PEEK,
    Z_TWO_READ, Z_TWO_WRITE,
};

/// Two times `N` words.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct DoubleWords<const N: usize, W = SharedWord> {
    /// Twice the number of flips, one more while the other buffer is written.
    count: W,
    buffers: [[W; N]; 2],
}

impl<const N: usize, W: Default> Default for DoubleWords<N, W> {
    fn default() -> Self {
        let buffer = || core::array::from_fn(|_| W::default());
        Self { count: W::default(), buffers: [buffer(), buffer()] }
    }
}

/// Which buffer is complete under a count.
const fn complete(count: u64) -> usize {
    ((count / 2) % 2) as usize
}

impl<const N: usize, W> DoubleWords<N, W> {
    /// Made of these words, all zero.
    #[must_use]
    pub const fn from_words(count: W, buffers: [[W; N]; 2]) -> Self {
        Self { count, buffers }
    }

    /// The newest value, if the writer did not flip meanwhile: looks once. Zeros before the first
    /// write.
    pub fn try_read<M: Memory<Word = W>>(&self, mem: &M) -> Option<[u64; N]> {
        // [flip] The whole buffer. Partner: `Z_TWO_FLIP`.
        let before = mem.load::<Z_TWO_LOOK>(&self.count);
        let buffer = &self.buffers[complete(before)];
        let value = core::array::from_fn(|index| mem.load::<Z_TWO_READ>(&buffer[index]));
        // [check] If a load above saw a store of a later round, the look below sees the flip before
        // it. Partner: `Z_TWO_MARK`.
        mem.fence::<Z_TWO_CHECK>();
        (mem.load::<Z_TWO_AGAIN>(&self.count) / 2 == before / 2).then_some(value)
    }

    /// Writes the other buffer and gives it out.
    ///
    /// # Errors
    ///
    /// [`Busy`]; nothing was written.
    pub fn try_write<M: Memory<Word = W>>(&self, mem: &M, value: &[u64; N]) -> Result<(), Busy> {
        let count = mem.load::<Z_TWO_PEEK>(&self.count);
        if count % 2 != 0 {
            return Err(Busy);
        }
        let odd = count.wrapping_add(1);
        // [begin] The former writer's stores come before ours. Partner: `Z_TWO_FLIP`.
        mem.compare_exchange::<Z_TWO_BEGIN>(&self.count, count, odd).map_err(|_| Busy)?;
        self.fill(mem, odd, value);
        Ok(())
    }

    /// Writes the value, also over what a dead writer left. The caller has proved that every other
    /// writer is dead, or is the only one there is.
    pub fn write_over_dead<M: Memory<Word = W>>(&self, mem: &M, value: &[u64; N]) {
        let count = mem.load::<Z_TWO_PEEK>(&self.count);
        let odd = count | 1;
        // A failed exchange shows a second writer, against the promise: whose value stays is open.
        let _found = mem.compare_exchange::<Z_TWO_BEGIN>(&self.count, count, odd);
        self.fill(mem, odd, value);
    }

    fn fill<M: Memory<Word = W>>(&self, mem: &M, odd: u64, value: &[u64; N]) {
        // [mark] The last flip comes before the stores below. Partner: `Z_TWO_CHECK`.
        mem.fence::<Z_TWO_MARK>();
        for (word, &value) in self.buffers[1 - complete(odd)].iter().zip(value) {
            mem.store::<Z_TWO_WRITE>(word, value);
        }
        // [flip] The whole buffer. Partners: `Z_TWO_LOOK`, `Z_TWO_BEGIN`.
        mem.store::<Z_TWO_FLIP>(&self.count, odd.wrapping_add(1));
    }

    /// How many writes there were.
    pub fn writes<M: Memory<Word = W>>(&self, mem: &M) -> u64 {
        mem.load::<Z_TWO_LOOK>(&self.count) / 2
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::memory::Shared;
    use crate::memory::interrupted::Interrupted;

    #[test]
    fn a_writer_that_dies_leaves_the_old_value_or_the_new_one() {
        for former in [vec![], vec![[1, 1, 1]], vec![[1, 1, 1], [2, 2, 2]]] {
            let (new, last) = ([4, 5, 6], [7, 8, 9]);
            let lived = (0..20).find(|&steps| {
                let cell = DoubleWords::<3>::default();
                for value in &former {
                    cell.try_write(&Shared, value).unwrap();
                }
                let old = former.last().copied().unwrap_or_default();
                let dying = Interrupted::dying(steps);
                let lived = catch_unwind(AssertUnwindSafe(|| cell.try_write(&dying, &new))).is_ok();
                let found = cell.try_read(&Shared);
                assert_eq!(found, Some(if lived { new } else { old }), "dead at {steps}");
                cell.write_over_dead(&Shared, &last);
                assert_eq!(cell.try_read(&Shared), Some(last), "dead at {steps}");
                assert_eq!(cell.try_write(&Shared, &new), Ok(()));
                lived
            });
            assert_eq!(lived, Some(7));
        }
    }

    #[test]
    fn a_reader_that_is_passed_once_or_twice_gets_a_whole_value_or_none() {
        for flips in 1..4 {
            for steps in 0..8 {
                let cell = DoubleWords::<3>::default();
                cell.try_write(&Shared, &[1, 1, 1]).unwrap();
                let write = || {
                    (2..2 + flips).for_each(|n| cell.try_write(&Shared, &[n, n, n]).unwrap());
                };
                let found = cell.try_read(&Interrupted::after(steps, &write));
                let wanted = match steps {
                    0 => Some([1 + flips; 3]),
                    1..6 => None,
                    _ => Some([1; 3]),
                };
                assert_eq!(found, wanted, "{flips} flips before step {steps}");
            }
        }
    }

    #[test]
    fn a_reader_is_not_disturbed_by_a_writer_that_stopped_half_way() {
        for steps in 0..6 {
            let cell = DoubleWords::<3>::default();
            cell.try_write(&Shared, &[1, 1, 1]).unwrap();
            let write = || {
                let half = || _ = cell.try_write(&Interrupted::dying(4), &[2, 2, 2]);
                assert!(catch_unwind(AssertUnwindSafe(half)).is_err());
            };
            let found = cell.try_read(&Interrupted::after(steps, &write));
            assert_eq!(found, Some([1; 3]), "stopped before step {steps}");
        }
    }
}
