//! A lock between processes that survives its holder.
//!
//! The word names the holder by its seat in the block, the seat's epoch and the lock's tenure, which
//! grows with every acquisition. Whoever waits asks the kernel whether that seat's holder is dead, and
//! then exchanges exactly the word that named it: of several who do, one wins, and none of them can
//! take the lock from a later holder (F12). The state needs no initialisation but zeros (F31).
//! Who writes what: the holder alone writes note and depth. Knows nothing of: tokens, clocks.
//! Edge: `Z_LOCK_FREE → Z_LOCK_TAKE`.
//! Source: HEP-CORE-0002 shared spinlocks.

use crate::memory::{Memory, SharedWord};
use crate::sites::{
    Z_LOCK_FREE, Z_LOCK_LOOK, Z_LOCK_NOTE, Z_LOCK_OWN, Z_LOCK_RECLAIM, Z_LOCK_TAKE,
};

/// Who locks: a seat of the block, in one of its epochs, by one of its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// 0 for the producer, 1 + its number for a consumer.
    pub seat: u32,
    /// Which claim of the seat it is.
    pub epoch: u64,
    /// The thread, as the kernel numbers it.
    pub thread: u32,
}

const SEAT_BITS: u32 = 6;
const EPOCH_BITS: u32 = 26;
const SEAT_MASK: u64 = (1 << SEAT_BITS) - 1;
const EPOCH_MASK: u64 = (1 << EPOCH_BITS) - 1;
const TENURE_SHIFT: u32 = SEAT_BITS + EPOCH_BITS;

const _: () = assert!(crate::config::READERS_MAX as u64 + 1 < SEAT_MASK);

/// The lock's word: seat + 1 in the low 6 bits (0: free), 26 bits of its epoch, 32 of the tenure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockWord(u64);

impl LockWord {
    const fn held(self, holder: Holder) -> Self {
        let seat = (holder.seat as u64 + 1) & SEAT_MASK;
        let epoch = (holder.epoch & EPOCH_MASK) << SEAT_BITS;
        Self((self.tenure() as u64 + 1) << TENURE_SHIFT | epoch | seat)
    }

    const fn freed(self) -> Self {
        Self((self.tenure() as u64) << TENURE_SHIFT)
    }

    /// Which acquisition this is, modulo 2³².
    #[must_use]
    pub const fn tenure(self) -> u32 {
        (self.0 >> TENURE_SHIFT) as u32
    }

    /// The holder's seat; `None` when the lock is free.
    #[must_use]
    pub const fn seat(self) -> Option<u32> {
        let seat = (self.0 & SEAT_MASK) as u32;
        seat.checked_sub(1)
    }

    /// Whether the holder's claim of its seat was this one.
    #[must_use]
    pub const fn is_of_epoch(self, epoch: u64) -> bool {
        (self.0 >> SEAT_BITS) & EPOCH_MASK == epoch & EPOCH_MASK
    }

    fn names(self, holder: Holder) -> bool {
        self.seat() == Some(holder.seat) && self.is_of_epoch(holder.epoch)
    }

    /// What the holding thread notes, so that it knows itself again.
    const fn note(self, holder: Holder) -> u64 {
        (self.tenure() as u64) << 32 | holder.thread as u64
    }
}

/// The lock: one cache line of zeros when it is free and new.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct RobustSpinlock<W = SharedWord> {
    word: W,
    /// Tenure and thread of the holder.
    note: W,
    /// How often the holder has locked.
    depth: W,
    /// Shared like the rest of the line: whoever writes bytes into the zone may write here.
    reserved: [SharedWord; 5],
}

const _: () = assert!(size_of::<RobustSpinlock>() == crate::layout::LINE);

/// The lock was not this holder's any more: somebody had proved it dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lock is not held by this seat and thread")]
pub struct NotHeld;

impl<W> RobustSpinlock<W> {
    /// A free lock, made of these words, all zero.
    #[must_use]
    pub const fn from_words(word: W, note: W, depth: W) -> Self {
        Self { word, note, depth, reserved: [const { SharedWord::new(0) }; 5] }
    }

    /// Locks, or locks once more if this thread of this seat holds it: looks once.
    ///
    /// # Errors
    ///
    /// The word found, which names the holder; or a free one, when another was faster.
    pub fn try_lock<M: Memory<Word = W>>(&self, mem: &M, holder: Holder) -> Result<(), LockWord> {
        let seen = LockWord(mem.load::<Z_LOCK_LOOK>(&self.word));
        if self.is_own(mem, seen, holder) {
            let depth = mem.load::<Z_LOCK_OWN>(&self.depth);
            mem.store::<Z_LOCK_NOTE>(&self.depth, depth.saturating_add(1));
            return Ok(());
        }
        if seen.seat().is_some() {
            return Err(seen);
        }
        let held = seen.held(holder);
        // [lock] What was done under the lock before. Partner: `Z_LOCK_FREE`.
        mem.compare_exchange::<Z_LOCK_TAKE>(&self.word, seen.0, held.0).map_err(LockWord)?;
        self.enter(mem, held, holder);
        Ok(())
    }

    /// Takes the lock from the dead holder that `seen` names. The caller has proved that death after
    /// it saw the word.
    ///
    /// # Errors
    ///
    /// The word found, when somebody else was faster.
    pub fn reclaim<M: Memory<Word = W>>(
        &self,
        mem: &M,
        holder: Holder,
        seen: LockWord,
    ) -> Result<(), LockWord> {
        let held = seen.held(holder);
        mem.compare_exchange::<Z_LOCK_RECLAIM>(&self.word, seen.0, held.0).map_err(LockWord)?;
        self.enter(mem, held, holder);
        Ok(())
    }

    fn enter<M: Memory<Word = W>>(&self, mem: &M, held: LockWord, holder: Holder) {
        mem.store::<Z_LOCK_NOTE>(&self.depth, 1);
        mem.store::<Z_LOCK_NOTE>(&self.note, held.note(holder));
    }

    /// Whether this thread holds the lock. Nobody else ever writes a note of this tenure and thread.
    fn is_own<M: Memory<Word = W>>(&self, mem: &M, seen: LockWord, holder: Holder) -> bool {
        seen.names(holder) && mem.load::<Z_LOCK_OWN>(&self.note) == seen.note(holder)
    }

    /// Unlocks once; says whether the lock is free now.
    ///
    /// # Errors
    ///
    /// [`NotHeld`]; the lock is as before.
    pub fn unlock<M: Memory<Word = W>>(&self, mem: &M, holder: Holder) -> Result<bool, NotHeld> {
        let seen = LockWord(mem.load::<Z_LOCK_LOOK>(&self.word));
        if !self.is_own(mem, seen, holder) {
            return Err(NotHeld);
        }
        let depth = mem.load::<Z_LOCK_OWN>(&self.depth);
        if depth > 1 {
            mem.store::<Z_LOCK_NOTE>(&self.depth, depth - 1);
            return Ok(false);
        }
        // [unlock] What was done under the lock. Partner: `Z_LOCK_TAKE`.
        let freed = mem.compare_exchange::<Z_LOCK_FREE>(&self.word, seen.0, seen.freed().0);
        freed.map(|_| true).map_err(|_| NotHeld)
    }

    /// Who holds the lock now, as far as one look tells.
    pub fn look<M: Memory<Word = W>>(&self, mem: &M) -> LockWord {
        LockWord(mem.load::<Z_LOCK_LOOK>(&self.word))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::memory::Shared;
    use crate::memory::interrupted::Interrupted;
    use proptest::prelude::*;

    const ONE: Holder = Holder { seat: 0, epoch: 1, thread: 11 };
    const OTHER: Holder = Holder { seat: 32, epoch: 9, thread: 22 };

    #[test]
    fn a_holder_that_dies_at_any_step_is_replaced_by_one_other() {
        for depth in 1..3 {
            let lived = (0..40).find(|&steps| {
                let lock = RobustSpinlock::<SharedWord>::default();
                let dying = Interrupted::dying(steps);
                let whole = AssertUnwindSafe(|| {
                    (0..depth).for_each(|_| lock.try_lock(&dying, ONE).unwrap());
                    (0..depth).for_each(|_| _ = lock.unlock(&dying, ONE).unwrap());
                });
                let lived = catch_unwind(whole).is_ok();
                if let Err(seen) = lock.try_lock(&Shared, OTHER) {
                    assert!(!lived && seen.seat() == Some(0) && seen.is_of_epoch(1));
                    lock.reclaim(&Shared, OTHER, seen).unwrap();
                    // F12: the same proof does not take the lock from the one who reclaimed it.
                    let late = lock.reclaim(&Shared, ONE, seen).unwrap_err();
                    assert_eq!(late.seat(), Some(32));
                    assert_eq!(lock.unlock(&Shared, ONE), Err(NotHeld));
                }
                assert_eq!(lock.look(&Shared).seat(), Some(32), "dead at {steps}");
                assert_eq!(lock.unlock(&Shared, OTHER), Ok(true));
                assert_eq!(lock.look(&Shared).seat(), None);
                lived
            });
            assert!(lived.is_some());
        }
    }

    #[test]
    fn an_old_word_never_takes_a_lock_that_the_same_holder_has_again() {
        let lock = RobustSpinlock::<SharedWord>::default();
        lock.try_lock(&Shared, ONE).unwrap();
        let seen = lock.look(&Shared);
        lock.unlock(&Shared, ONE).unwrap();
        lock.try_lock(&Shared, ONE).unwrap();
        assert!(lock.reclaim(&Shared, OTHER, seen).is_err());
    }

    #[test]
    fn another_thread_epoch_or_seat_is_another_holder() {
        let lock = RobustSpinlock::<SharedWord>::default();
        lock.try_lock(&Shared, ONE).unwrap();
        let others =
            [Holder { thread: 12, ..ONE }, Holder { epoch: 2, ..ONE }, Holder { seat: 1, ..ONE }];
        for other in others {
            assert!(lock.try_lock(&Shared, other).is_err(), "{other:?}");
            assert_eq!(lock.unlock(&Shared, other), Err(NotHeld), "{other:?}");
        }
        assert_eq!(lock.unlock(&Shared, ONE), Ok(true));
        assert_eq!(lock.unlock(&Shared, ONE), Err(NotHeld));
    }

    proptest! {
        // Whatever another process wrote there, the word is some word and the lock some lock.
        #[test]
        fn every_bit_pattern_is_a_lock(word: u64, note: u64, depth: u64) {
            let [word, note, depth] = [word, note, depth].map(SharedWord::from);
            let lock = RobustSpinlock::from_words(word, note, depth);
            let _unlocked = lock.unlock(&Shared, ONE);
            if let Err(seen) = lock.try_lock(&Shared, ONE) {
                prop_assert!(seen.seat().is_some_and(|seat| seat < 64));
                lock.reclaim(&Shared, ONE, seen).unwrap();
            }
            while lock.unlock(&Shared, ONE) == Ok(false) {
                lock.depth.store(1, core::sync::atomic::Ordering::Relaxed);
            }
            prop_assert_eq!(lock.look(&Shared).seat(), None);
        }
    }
}
