//! Locking a [`RobustSpinlock`] through a handle, which knows who waits and who is dead.

use core::marker::PhantomData;
use core::time::Duration;
use std::io;

use super::access::Zone;
use super::spinlock::{Holder, LockWord, RobustSpinlock};
use crate::liveness;
use crate::memory::{MappedMemory, Shared};
use crate::shm::token::Seat;
use crate::wait::{Step, Timeout, WaitStrategy, Waiter};

/// Why a lock could not be had. It is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// A living holder kept it.
    #[error("the lock is held by {}, still after {waited:?}", seat_name(*.seat))]
    TimedOut {
        /// The holder's seat: 0 for the producer, 1 + its number for a consumer; none when the lock
        /// changed hands all the time.
        seat: Option<u32>,
        /// How long the caller waited.
        waited: Duration,
    },
    /// Whether the holder is alive could not be found out.
    #[error("cannot find out whether the lock's holder is alive")]
    System(#[from] io::Error),
}

fn seat_name(seat: Option<u32>) -> String {
    match seat {
        None => "one after another".to_owned(),
        Some(0) => "the producer".to_owned(),
        Some(seat) => format!("consumer {}", seat - 1),
    }
}

/// A held lock; dropping it unlocks once. Bound to its thread, which may lock again inside.
#[derive(Debug)]
#[must_use = "a lock that is not kept is free again at once"]
pub struct LockGuard<'a, M: MappedMemory = Shared> {
    mem: &'a M,
    lock: &'a RobustSpinlock,
    holder: Holder,
    recovered: bool,
    _of_this_thread: PhantomData<*const ()>,
}

impl<M: MappedMemory> LockGuard<'_, M> {
    /// Whether the holder before died: what the lock guards may be half-done.
    #[must_use]
    pub const fn recovered(&self) -> bool {
        self.recovered
    }
}

impl<M: MappedMemory> Drop for LockGuard<'_, M> {
    fn drop(&mut self) {
        // Fails only when this seat was taken for dead, and then the lock is another's.
        let _free = self.lock.unlock(self.mem, self.holder);
    }
}

impl<M: MappedMemory> Zone<'_, M> {
    /// Locks `lock`, which stands in this zone, waiting as long as `timeout` allows. A lock whose
    /// holder is dead is taken from it.
    ///
    /// # Errors
    ///
    /// [`LockError`].
    pub fn lock<'l>(
        &'l self,
        lock: &'l RobustSpinlock,
        timeout: Timeout,
    ) -> Result<LockGuard<'l, M>, LockError> {
        let holder = self.holder();
        let mut waiter = Waiter::new(timeout, WaitStrategy::Yield);
        loop {
            let found = match lock.try_lock(self.mem, holder) {
                Ok(()) => return Ok(self.guard(lock, holder, false)),
                Err(found) => found,
            };
            let step = waiter.step();
            if matches!(step, Step::LookForDead | Step::Expired) && self.is_dead(found)? {
                if lock.reclaim(self.mem, holder, found).is_ok() {
                    return Ok(self.guard(lock, holder, true));
                }
            } else if step == Step::Expired {
                return Err(LockError::TimedOut { seat: found.seat(), waited: waiter.waited() });
            }
        }
    }

    fn guard<'l>(
        &'l self,
        lock: &'l RobustSpinlock,
        holder: Holder,
        recovered: bool,
    ) -> LockGuard<'l, M> {
        LockGuard { mem: self.mem, lock, holder, recovered, _of_this_thread: PhantomData }
    }

    fn holder(&self) -> Holder {
        let (seat, epoch) = self.user;
        let seat = match seat {
            Seat::Producer => 0,
            Seat::Consumer(number) => 1 + number,
        };
        let thread = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
        Holder { seat, epoch, thread }
    }

    /// Whether the holder that `word` names is proved dead.
    fn is_dead(&self, word: LockWord) -> io::Result<bool> {
        let seat = match word.seat() {
            None => return Ok(false),
            Some(0) => Seat::Producer,
            Some(seat) => Seat::Consumer(seat - 1),
        };
        liveness::has_left(self.mem, self.block, seat, |epoch| word.is_of_epoch(epoch))
    }
}
