//! The glue between one raw slot and the protocol of `datahub::slot`, which is used unchanged.
//!
//! A raw slot stands outside a block, so no token says who writes: its length word, which it does
//! not need, holds the writer's thread instead, taken by an exchange and given back with release.
//! Edges: `[lock] ↔ [unlock]`; all others in `datahub::slot`.

use core::cell::Cell;
use core::sync::atomic::Ordering;

use datahub::config::READERS_MAX;
use datahub::memory::{Shared, SharedWord};
use datahub::slot::{self, NotAdmitted, Reader, Refusal, SlotState, SlotWord};
use datahub::wait::Timeout;

use super::SlotRWState;
use crate::patience::Patience;
use crate::process;
use crate::status::SlotAcquireResult::{
    self, SlotAcquireInvalidState, SlotAcquireLocked, SlotAcquireNotReady, SlotAcquireOk,
    SlotAcquireTimeout,
};

pub(super) type Words = slot::SlotRWState<SharedWord>;

const _: () = assert!(size_of::<SlotRWState>() == size_of::<Words>());
const _: () = assert!(align_of::<SlotRWState>() == align_of::<Words>());

/// # Safety
///
/// `state` is NULL, misaligned, or leads to 64 mapped bytes that only `slot_rw_*` touches.
pub(super) unsafe fn words<'a>(state: *const SlotRWState) -> Option<&'a Words> {
    if state.is_null() || !state.is_aligned() {
        return None;
    }
    // SAFETY: neither NULL nor misaligned; the sizes agree (asserted above); all that is ever
    // written are the atomic words; the rest is the caller's contract.
    Some(unsafe { &*state.cast::<Words>() })
}

/// The word that holds the writer's thread, 0 for nobody.
fn lock(slot: &Words) -> &SharedWord {
    &slot.payload_bytes
}

fn held_by(slot: &Words) -> u64 {
    // Only its holder puts a thread's own number there or takes it away.
    lock(slot).load(Ordering::Relaxed)
}

fn unlock(slot: &Words) {
    // [unlock] The slot's word and generation. Partner: `[lock]`.
    lock(slot).store(0, Ordering::Release);
}

fn generation(slot: &Words) -> u64 {
    // Only the holder of the lock stores it.
    slot.write_generation.load(Ordering::Relaxed)
}

pub(super) fn word(slot: &Words) -> SlotWord {
    // A look: the exchange after it decides, or the caller holds the lock or its own bit.
    SlotWord::from_bits(slot.word.load(Ordering::Relaxed))
}

/// Releases that this thread may still call after its commits, by the slot's address. More than
/// these and the oldest is forgotten.
const OWED: usize = 16;

thread_local! {
    static RELEASES: Cell<[usize; OWED]> = const { Cell::new([0; OWED]) };
}

fn owe_release(slot: &Words) {
    let _kept = RELEASES.try_with(|releases| {
        let mut list = releases.get();
        list.rotate_right(1);
        list[0] = core::ptr::from_ref(slot).addr();
        releases.set(list);
    });
}

/// Whether a release was owed. It no longer is.
fn settle_release(slot: &Words) -> bool {
    let settle = |releases: &Cell<[usize; OWED]>| {
        let (mut list, address) = (releases.get(), core::ptr::from_ref(slot).addr());
        let found = list.iter_mut().find(|owed| **owed == address).map(|owed| *owed = 0);
        releases.set(list);
        found.is_some()
    };
    RELEASES.try_with(settle).unwrap_or(false)
}

/// Takes the slot for this thread.
pub(super) fn acquire_write(slot: &Words, timeout: Timeout) -> SlotAcquireResult {
    let thread = process::thread();
    let mut patience = Patience::new(timeout);
    // [lock] What the writer before us stored. Partner: `[unlock]`.
    while let Err(holder) =
        lock(slot).compare_exchange(0, thread, Ordering::Acquire, Ordering::Relaxed)
    {
        if holder == thread {
            return SlotAcquireInvalidState;
        }
        if !patience.goes_on() {
            return SlotAcquireLocked;
        }
    }
    settle_release(slot);
    let next = generation(slot).wrapping_add(1);
    match slot::drain(&Shared, slot, next, |_readers| patience.goes_on()) {
        Ok(()) => SlotAcquireOk,
        Err(refusal) => {
            unlock(slot);
            if refusal == Refusal::Writing { SlotAcquireInvalidState } else { SlotAcquireTimeout }
        }
    }
}

/// Publishes what this thread wrote.
pub(super) fn commit(slot: &Words) -> SlotAcquireResult {
    let thread = process::thread();
    if held_by(slot) != thread || word(slot).state() != SlotState::Writing {
        return SlotAcquireInvalidState;
    }
    let next = generation(slot).wrapping_add(1);
    slot::commit(&Shared, slot, next, thread, next);
    unlock(slot);
    owe_release(slot);
    SlotAcquireOk
}

/// Ends this thread's writing.
pub(super) fn release_write(slot: &Words) -> SlotAcquireResult {
    if held_by(slot) == process::thread() {
        slot::abort(&Shared, slot, generation(slot));
        unlock(slot);
        return SlotAcquireOk;
    }
    if settle_release(slot) { SlotAcquireOk } else { SlotAcquireInvalidState }
}

/// Empties the slot, which nobody else uses.
pub(super) fn init(slot: &Words) {
    // Nobody else uses the slot, so no order is needed.
    for word in [&slot.word, &slot.sequence, &slot.write_generation, &slot.payload_bytes] {
        word.store(0, Ordering::Relaxed);
    }
    settle_release(slot);
}

/// Enters the slot; returns the generation.
pub(super) fn acquire_read(slot: &Words, reader: Reader) -> Result<u64, SlotAcquireResult> {
    if word(slot).readers() & reader.mask() != 0 {
        return Err(SlotAcquireInvalidState);
    }
    // A commit may come between the look and the entry; so many in a row count as "not now".
    for _ in 0..READERS_MAX {
        match slot::admit(&Shared, slot, reader, word(slot).tag()) {
            Ok(admission) => return Ok(admission.sequence),
            Err(NotAdmitted::OtherCommit) => {}
            Err(NotAdmitted::NotCommitted | NotAdmitted::Contended) => break,
        }
    }
    Err(SlotAcquireNotReady)
}

/// Whether the slot holds this commit.
pub(super) fn holds(slot: &Words, generation: u64) -> bool {
    slot::validate(&Shared, slot, generation)
}

/// Leaves the slot.
pub(super) fn release_read(slot: &Words, reader: Reader) -> SlotAcquireResult {
    if slot::release(&Shared, slot, reader) { SlotAcquireOk } else { SlotAcquireInvalidState }
}
