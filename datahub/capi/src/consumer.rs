//! The consumer's handle, built like the producer's.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;

use datahub::consumer::read_slot::ReadSlot;
use datahub::consumer::{Consumer, ReadError};
use datahub::ring::reader::JoinAt;
use datahub::wait::Timeout;

use crate::failure::{Failure, report};
use crate::index::decode_wait;
use crate::pointer::{self, Out};
use crate::process::Home;
use crate::producer::FORKED;
use crate::status::DataBlockStatus;
use crate::view::{self, View};

/// Where a consumer joins a sequential block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataBlockJoin {
    /// At the oldest payload that is still readable.
    DatablockJoinOldest = 0,
    /// At the newest payload, or the first one to come.
    DatablockJoinLatest = 1,
}

/// A consumer: one reader of a block. One slot is open at a time. A handle is not thread-safe and
/// belongs to the process that made it.
#[derive(Debug)]
pub struct DataBlockConsumer {
    open: Option<ReadSlot<'static>>,
    // From a box; freed by `drop`, after the guard.
    consumer: NonNull<Consumer>,
    number: u32,
    view: View,
    home: Home,
}

/// A slot that is open for reading.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct DataBlockReadSlot {
    /// What was committed; NULL when the call failed.
    pub payload: *const c_void,
    /// Bytes in use; 0 when the call failed.
    pub payload_bytes: u64,
    /// Which commit it is. After LAPPED: which comes next, or the oldest one there is. After
    /// CHECKSUM: which is wrong. After EVICTED: which would have come next.
    pub sequence: u64,
    /// After LAPPED: how many payloads were lost. Otherwise 0.
    pub missed_slots: u64,
}

impl DataBlockConsumer {
    fn check_home(&self) -> Result<(), Failure> {
        if self.home.is_here() { Ok(()) } else { Err(Failure::order(FORKED)) }
    }

    pub(crate) fn view(&self) -> Result<&View, Failure> {
        self.check_home()?;
        Ok(&self.view)
    }

    /// The consumer itself, while no slot is open.
    fn idle(&mut self) -> Result<&'static mut Consumer, Failure> {
        self.check_home()?;
        if self.open.is_some() {
            return Err(Failure::order("a slot is open for reading: release it first"));
        }
        // SAFETY: the box lives until `drop`. No guard borrows it (checked above), and each
        // reference made here ends with the call or becomes the guard in `open`.
        Ok(unsafe { self.consumer.as_mut() })
    }

    fn opened(&mut self) -> Result<&ReadSlot<'static>, Failure> {
        self.check_home()?;
        let none = || Failure::order("no slot is open for reading: acquire one first");
        self.open.as_ref().ok_or_else(none)
    }
}

impl Drop for DataBlockConsumer {
    fn drop(&mut self) {
        self.open = None;
        // SAFETY: made from a box in `attach`, freed only here; the guard that borrowed it is gone.
        drop(unsafe { Box::from_raw(self.consumer.as_ptr()) });
    }
}

/// Attaches to a block. `place`: its name, or a path (a text with a slash, for instance of
/// datablock_producer_path). `join`: a DataBlockJoin. NOT_FOUND, NOT_PERMITTED, INCOMPATIBLE;
/// CONSUMERS_FULL: all seats have living owners; LOCKED: a sequential block has its one consumer.
/// consumer_out: NULL after each of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_attach(
    place: *const c_char,
    join: u32,
    consumer_out: *mut *mut DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { Out::handle(consumer_out, "consumer_out") }?;
        // SAFETY: as above.
        let place = view::place(unsafe { pointer::text(place, "place") }?)?;
        out.put(Box::into_raw(Box::new(attach(place, join)?)));
        Ok(())
    })
}

fn attach(place: datahub::place::Place, join: u32) -> Result<DataBlockConsumer, Failure> {
    let join = match join {
        0 => JoinAt::Oldest,
        1 => JoinAt::Latest,
        other => {
            let message = format!("join is {other}, which means nothing: use a DataBlockJoin");
            return Err(Failure::argument(message));
        }
    };
    let home = Home::here().map_err(|error| Failure::system(&error))?;
    let consumer = Consumer::attach(place, join)?;
    let (view, number) = (View::of(consumer.block())?, consumer.number());
    let consumer = NonNull::from(Box::leak(Box::new(consumer)));
    Ok(DataBlockConsumer { open: None, consumer, number, view, home })
}

/// Leaves the block and frees the handle. An open slot is released. NULL is allowed.
/// INVALID_STATE in a child of the process that made it: nothing is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_detach(
    consumer: *mut DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        if consumer.is_null() {
            return Ok(());
        }
        // SAFETY: the caller's contract.
        unsafe { pointer::exclusive(consumer, "consumer") }?.check_home()?;
        // SAFETY: made from a box in `attach`; the caller does not use it again.
        drop(unsafe { Box::from_raw(consumer) });
        Ok(())
    })
}

/// Opens the next payload, or under latest-only the newest one not yet read. timeout_ms: 0 looks
/// once, negative waits until the producer ends or dies. NOT_READY (0 only), TIMEOUT, LAPPED,
/// ENDED, MOVED (see datablock_follow), EVICTED, PRODUCER_DEAD, CHECKSUM, DAMAGED, CONTENDED (overtaken
/// again and again); INVALID_STATE: a slot is open. `slot_out` is filled in each case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_acquire_consume_slot(
    consumer: *mut DataBlockConsumer,
    timeout_ms: i32,
    slot_out: *mut DataBlockReadSlot,
) -> DataBlockStatus {
    let timeout = Timeout::from_millis(timeout_ms);
    report(|| {
        // SAFETY: the caller's contract.
        unsafe { open(consumer, slot_out, |consumer| consumer.acquire_consume_slot(timeout)) }
    })
}

/// Opens the payload called `sequence`, without moving this consumer's place. Otherwise as
/// datablock_acquire_consume_slot; NOT_READY and TIMEOUT: it is not there yet, LAPPED: no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_acquire_sequence(
    consumer: *mut DataBlockConsumer,
    sequence: u64,
    timeout_ms: i32,
    slot_out: *mut DataBlockReadSlot,
) -> DataBlockStatus {
    let timeout = Timeout::from_millis(timeout_ms);
    report(|| {
        // SAFETY: the caller's contract.
        unsafe { open(consumer, slot_out, |consumer| consumer.acquire_sequence(sequence, timeout)) }
    })
}

/// # Safety
///
/// Both pointers are NULL, misaligned, or lead to a handle and room for the result.
unsafe fn open(
    consumer: *mut DataBlockConsumer,
    slot_out: *mut DataBlockReadSlot,
    acquire: impl FnOnce(&'static mut Consumer) -> Result<ReadSlot<'static>, ReadError>,
) -> Result<(), Failure> {
    // SAFETY: the caller's contract.
    let out = unsafe { Out::new(slot_out, "slot_out") }?;
    let nothing = DataBlockReadSlot {
        payload: core::ptr::null(),
        payload_bytes: 0,
        sequence: 0,
        missed_slots: 0,
    };
    out.put(nothing);
    // SAFETY: as above.
    let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
    match acquire(handle.idle()?) {
        Ok(slot) => {
            let (payload, sequence) = (slot.payload(), slot.sequence());
            let payload_bytes = payload.len() as u64;
            let payload = payload.as_ptr().cast();
            out.put(DataBlockReadSlot { payload, payload_bytes, sequence, ..nothing });
            handle.open = Some(slot);
            Ok(())
        }
        Err(error) => {
            out.put(match error {
                ReadError::Lapped { missed, oldest } => {
                    DataBlockReadSlot { sequence: oldest, missed_slots: missed, ..nothing }
                }
                ReadError::Gone { oldest } => DataBlockReadSlot { sequence: oldest, ..nothing },
                ReadError::Checksum { sequence } => DataBlockReadSlot { sequence, ..nothing },
                ReadError::Evicted { at } => DataBlockReadSlot { sequence: at, ..nothing },
                _ => nothing,
            });
            Err(error.into())
        }
    }
}

/// Goes on in the block that the stream was handed over to, with the first sequence that was not read yet.
/// timeout_ms bounds the wait for the seat there. INVALID_STATE: the stream has not moved, something is
/// left to read, or a slot is open. NOT_FOUND: the block is gone. EVICTED: the seat was given away.
/// TIMEOUT; SYSTEM. After each of them the consumer is where it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_follow(
    consumer: *mut DataBlockConsumer,
    timeout_ms: i32,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
        let moved = handle.idle()?;
        moved.follow(Timeout::from_millis(timeout_ms))?;
        let (view, number) = (View::of(moved.block())?, moved.number());
        (handle.view, handle.number) = (view, number);
        Ok(())
    })
}

/// Closes the open slot; its payload must not be touched afterwards. INVALID_STATE: none is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_release_consume_slot(
    consumer: *mut DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
        handle.opened()?;
        handle.open = None;
        Ok(())
    })
}

/// Whether the open slot still holds what was acquired: always so, unless somebody recovered by
/// force under a living reader, which is DAMAGED. INVALID_STATE: no slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_validate_slot(
    consumer: *mut DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
        if handle.opened()?.validate() {
            return Ok(());
        }
        let message = "the open slot was taken away by a forced recovery: do not use its payload";
        Err(Failure::new(DataBlockStatus::DatablockDamaged, message))
    })
}

/// Compares the open payload with its checksum; acquiring does so by itself under
/// DATABLOCK_CHECKSUM_ENFORCED. CHECKSUM: they differ. INVALID_STATE: no slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_verify_checksum_slot(
    consumer: *mut DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
        let slot = handle.opened()?;
        if slot.verify_checksum_slot() {
            return Ok(());
        }
        Err(ReadError::Checksum { sequence: slot.sequence() }.into())
    })
}

/// How this consumer waits: a DataBlockWait. ERROR: another number. INVALID_STATE: a slot is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_set_wait(
    consumer: *mut DataBlockConsumer,
    wait: u32,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
        // In a block without parking another one is chosen: documented.
        let _chosen = handle.idle()?.set_wait(decode_wait(wait)?);
        Ok(())
    })
}

/// Says that this consumer is there. Done by itself about four times a second while it reads or waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_heartbeat(
    consumer: *mut DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let handle = unsafe { pointer::exclusive(consumer, "consumer") }?;
        handle.view()?.beat_consumer(handle.number);
        Ok(())
    })
}
