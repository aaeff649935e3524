//! The shipped memory over tables that are weaker than the shipped one, and compiled in as that one is.

#![expect(clippy::disallowed_methods, reason = "a memory is where the atomics are")]

use core::marker::PhantomData;
use core::sync::atomic::{Ordering, fence};

use datahub::memory::{Memory, SharedWord};
use datahub::sites::{
    Kind, P_FENCE, P_WAKE_FENCE, R_NEXT, TABLE, W_COMMIT, Z_SEQ_CHECK, Z_SEQ_END, Z_SEQ_LOOK,
    Z_SEQ_MARK,
};

/// What differs from the shipped table.
pub(super) trait Weaker: Copy + Send + Sync {
    /// Sites with another ordering; none: the fence is left out.
    const ROWS: &'static [(u16, Option<Ordering>)];
}

/// "I store, then look at yours", without the fences between.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoFences;

impl Weaker for NoFences {
    const ROWS: &'static [(u16, Option<Ordering>)] = &[(P_FENCE, None), (P_WAKE_FENCE, None)];
}

/// A commit that publishes nothing, and a look that takes nothing over.
#[derive(Debug, Clone, Copy)]
pub(super) struct RelaxedCommit;

impl Weaker for RelaxedCommit {
    const ROWS: &'static [(u16, Option<Ordering>)] =
        &[(W_COMMIT, Some(Ordering::Relaxed)), (R_NEXT, Some(Ordering::Relaxed))];
}

/// A counted value as published: without fences (F3).
#[derive(Debug, Clone, Copy)]
pub(super) struct RelaxedCount;

impl Weaker for RelaxedCount {
    const ROWS: &'static [(u16, Option<Ordering>)] = &[
        (Z_SEQ_MARK, None),
        (Z_SEQ_CHECK, None),
        (Z_SEQ_LOOK, Some(Ordering::Relaxed)),
        (Z_SEQ_END, Some(Ordering::Relaxed)),
    ];
}

/// The memory over the table of `T`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weakened<T>(PhantomData<T>);

impl<T> Weakened<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The ordering of `site` in the table of `T`.
const fn row<T: Weaker>(site: u16, kind: Kind) -> Option<Ordering> {
    let shipped = &TABLE[site as usize];
    assert!(shipped.kind as u8 == kind as u8, "the site is used for another kind of operation");
    let mut at = 0;
    while at < T::ROWS.len() {
        if T::ROWS[at].0 == site {
            return T::ROWS[at].1;
        }
        at += 1;
    }
    Some(shipped.ordering)
}

/// The same of an access, which cannot be left out.
const fn access<T: Weaker>(site: u16, kind: Kind) -> Ordering {
    match row::<T>(site, kind) {
        Some(ordering) => ordering,
        None => panic!("only a fence can be left out"),
    }
}

impl<T: Weaker> Memory for Weakened<T> {
    type Word = SharedWord;

    #[inline]
    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        word.load(const { access::<T>(SITE, Kind::Load) })
    }

    #[inline]
    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        word.store(value, const { access::<T>(SITE, Kind::Store) });
    }

    #[inline]
    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        let success = const { access::<T>(SITE, Kind::Rmw) };
        word.compare_exchange(current, new, success, Ordering::Relaxed)
    }

    #[inline]
    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        word.fetch_or(bits, const { access::<T>(SITE, Kind::Rmw) })
    }

    #[inline]
    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        word.fetch_and(bits, const { access::<T>(SITE, Kind::Rmw) })
    }

    #[inline]
    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        word.fetch_add(amount, const { access::<T>(SITE, Kind::Rmw) })
    }

    #[inline]
    fn fence<const SITE: u16>(&self) {
        if let Some(ordering) = const { row::<T>(SITE, Kind::Fence) } {
            fence(ordering);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_differs_from_the_shipped_one_where_it_says_so_and_nowhere_else() {
        assert_eq!(row::<NoFences>(P_FENCE, Kind::Fence), None);
        assert_eq!(row::<RelaxedCommit>(W_COMMIT, Kind::Store), Some(Ordering::Relaxed));
        for (site, shipped) in (0..).zip(TABLE.iter()) {
            let listed = |rows: &[(u16, Option<Ordering>)]| rows.iter().any(|row| row.0 == site);
            let same = |ordering| ordering == Some(shipped.ordering);
            assert!(listed(NoFences::ROWS) || same(row::<NoFences>(site, shipped.kind)));
            assert!(listed(RelaxedCommit::ROWS) || same(row::<RelaxedCommit>(site, shipped.kind)));
            assert!(listed(RelaxedCount::ROWS) || same(row::<RelaxedCount>(site, shipped.kind)));
        }
    }
}
