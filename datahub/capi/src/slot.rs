//! One slot that the caller maps: `slot_rw_*`.
//!
//! A generation is the number of the commit in this slot, from 1.
//! Knows nothing of: blocks, tokens, payloads. Checked by: `tests/c/slots.c`.

mod raw;

use datahub::config::READERS_MAX;
use datahub::slot::{Reader, SlotState};
use datahub::wait::Timeout;

use crate::failure::report_slot;
use crate::status::SlotAcquireResult::{self, SlotAcquireError, SlotAcquireOk};

/// One slot's state, in memory that the caller owns and shares: 64 bytes, on a multiple of 64.
/// All bytes zero is a slot that holds nothing. Its insides are private.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct SlotRWState {
    opaque: [u64; 8],
}

/// Makes the slot hold nothing, whatever stood there. Only while nobody else uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_init(state: *mut SlotRWState) -> SlotAcquireResult {
    report_slot(|| {
        // SAFETY: the caller's contract.
        let Some(slot) = (unsafe { raw::words(state) }) else { return SlotAcquireError };
        raw::init(slot);
        SlotAcquireOk
    })
}

/// Takes the slot for writing: keeps new readers out, and waits until those inside have left.
///
/// timeout_ms: 0 tries once, negative waits for ever. TIMEOUT: readers stayed. LOCKED: a writer
/// stayed. INVALID_STATE: this thread is writing the slot. After each of them the slot is as
/// before. The thread that acquires is the one that commits and releases. A raw slot cannot tell
/// that a writer has died; use a block where that matters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_acquire_write(
    state: *mut SlotRWState,
    timeout_ms: i32,
) -> SlotAcquireResult {
    report_slot(|| {
        // SAFETY: the caller's contract.
        let Some(slot) = (unsafe { raw::words(state) }) else { return SlotAcquireError };
        raw::acquire_write(slot, Timeout::from_millis(timeout_ms))
    })
}

/// Publishes what was written: readers may enter. Ends the writing; slot_rw_release_write may
/// follow. INVALID_STATE: this thread is not writing the slot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_commit(state: *mut SlotRWState) -> SlotAcquireResult {
    report_slot(|| {
        // SAFETY: the caller's contract.
        let Some(slot) = (unsafe { raw::words(state) }) else { return SlotAcquireError };
        raw::commit(slot)
    })
}

/// After slot_rw_commit: succeeds, and changes nothing. Without a commit: gives the writing up, and
/// the slot holds nothing. INVALID_STATE: this thread neither writes the slot nor has just
/// committed it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_release_write(state: *mut SlotRWState) -> SlotAcquireResult {
    report_slot(|| {
        // SAFETY: the caller's contract.
        let Some(slot) = (unsafe { raw::words(state) }) else { return SlotAcquireError };
        raw::release_write(slot)
    })
}

/// Enters the slot for reading; never waits. Until slot_rw_release_read no writer touches it.
///
/// reader: 0 to 31; each concurrent reader has a number of its own. generation_out: which commit
/// it is, for slot_rw_validate_read. NOT_READY: nothing committed to enter now. INVALID_STATE: this
/// reader is inside already. ERROR also for a reader above 31.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_acquire_read(
    state: *mut SlotRWState,
    reader: u32,
    generation_out: *mut u64,
) -> SlotAcquireResult {
    report_slot(|| {
        // SAFETY: the caller's contract.
        let Some(slot) = (unsafe { raw::words(state) }) else { return SlotAcquireError };
        if reader >= READERS_MAX || generation_out.is_null() || !generation_out.is_aligned() {
            return SlotAcquireError;
        }
        match raw::acquire_read(slot, Reader::new(reader)) {
            Ok(generation) => {
                // SAFETY: neither NULL nor misaligned; the room is the caller's contract.
                unsafe { generation_out.write(generation) };
                SlotAcquireOk
            }
            Err(result) => result,
        }
    })
}

/// Whether the slot still holds this commit: always so between slot_rw_acquire_read and
/// slot_rw_release_read, unless somebody called slot_rw_init meanwhile. False for a NULL state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_validate_read(state: *const SlotRWState, generation: u64) -> bool {
    // SAFETY: the caller's contract.
    let Some(slot) = (unsafe { raw::words(state) }) else { return false };
    raw::holds(slot, generation)
}

/// Leaves the slot. INVALID_STATE: this reader was not inside.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_release_read(
    state: *mut SlotRWState,
    reader: u32,
) -> SlotAcquireResult {
    report_slot(|| {
        // SAFETY: the caller's contract.
        let Some(slot) = (unsafe { raw::words(state) }) else { return SlotAcquireError };
        if reader >= READERS_MAX {
            return SlotAcquireError;
        }
        raw::release_read(slot, Reader::new(reader))
    })
}

/// The state that an observer sees: 0 FREE, 1 WRITING, 2 COMMITTED, 3 DRAINING. FREE for a NULL state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_slot_state(state: *const SlotRWState) -> u32 {
    // SAFETY: the caller's contract.
    let Some(slot) = (unsafe { raw::words(state) }) else { return 0 };
    raw::word(slot).state() as u32
}

/// How many readers are inside, as an observer sees it. 0 for a NULL state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_reader_count(state: *const SlotRWState) -> u32 {
    // SAFETY: the caller's contract.
    let Some(slot) = (unsafe { raw::words(state) }) else { return 0 };
    raw::word(slot).readers().count_ones()
}

/// Whether a writer keeps new readers out and waits until those inside have left, as an observer sees it.
/// False for a NULL state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_rw_writer_waiting(state: *const SlotRWState) -> bool {
    // SAFETY: the caller's contract.
    let Some(slot) = (unsafe { raw::words(state) }) else { return false };
    raw::word(slot).state() == SlotState::Draining
}
