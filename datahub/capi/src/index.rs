//! The indices of a block, and how a handle waits.

use datahub::wait::WaitStrategy;

use crate::consumer::DataBlockConsumer;
use crate::failure::{Failure, report};
use crate::pointer::{self, Out};
use crate::producer::DataBlockProducer;
use crate::status::DataBlockStatus;
use crate::view::View;

/// What a process does while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataBlockWait {
    /// Keeps its core busy: lowest latency, one core a waiter. The default.
    DatablockWaitSpin = 0,
    /// Spins briefly, then lets others run between two looks; a producer that waits for room for long
    /// also naps, up to a millisecond.
    DatablockWaitYield = 1,
    /// Spins briefly, then sleeps in the kernel until woken. Yields in a block without parking.
    DatablockWaitPark = 2,
}

pub(crate) fn decode_wait(wait: u32) -> Result<WaitStrategy, Failure> {
    match wait {
        0 => Ok(WaitStrategy::Spin),
        1 => Ok(WaitStrategy::Yield),
        2 => Ok(WaitStrategy::Park),
        other => {
            let message = format!("wait is {other}, which means nothing: use a DataBlockWait");
            Err(Failure::argument(message))
        }
    }
}

/// # Safety
///
/// `producer` is NULL, misaligned, or a handle.
pub(crate) unsafe fn producers_view<'a>(
    producer: *const DataBlockProducer,
) -> Result<&'a View, Failure> {
    // SAFETY: the caller's contract.
    unsafe { pointer::shared(producer, "producer") }?.view()
}

/// # Safety
///
/// `consumer` is NULL, misaligned, or a handle.
pub(crate) unsafe fn consumers_view<'a>(
    consumer: *const DataBlockConsumer,
) -> Result<&'a View, Failure> {
    // SAFETY: the caller's contract.
    unsafe { pointer::shared(consumer, "consumer") }?.view()
}

fn put(
    index_out: *mut u64,
    view: Result<&View, Failure>,
    index: fn(&View) -> u64,
) -> Result<(), Failure> {
    // SAFETY: the callers' contract.
    let out = unsafe { Out::new(index_out, "index_out") }?;
    out.put(index(view?));
    Ok(())
}

/// # Safety
///
/// `producer` is NULL, misaligned, or a handle; `index_out` likewise, or room for a number.
unsafe fn producers(
    producer: *const DataBlockProducer,
    index_out: *mut u64,
    index: fn(&View) -> u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    report(|| put(index_out, unsafe { producers_view(producer) }, index))
}

/// # Safety
///
/// `consumer` is NULL, misaligned, or a handle; `index_out` likewise, or room for a number.
unsafe fn consumers(
    consumer: *const DataBlockConsumer,
    index_out: *mut u64,
    index: fn(&View) -> u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    report(|| put(index_out, unsafe { consumers_view(consumer) }, index))
}

/// How many commits there were. 0: nothing yet; otherwise the newest sequence is one less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_get_commit_index(
    producer: *const DataBlockProducer,
    index_out: *mut u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    unsafe { producers(producer, index_out, View::commit_index) }
}

/// The sequence that the next commit will have, also while its slot is open: none is burnt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_get_write_index(
    producer: *const DataBlockProducer,
    index_out: *mut u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    unsafe { producers(producer, index_out, View::commit_index) }
}

/// What all sequential consumers have read, as the producer last saw it: every sequence below.
/// Stays 0 under latest-only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_get_read_index(
    producer: *const DataBlockProducer,
    index_out: *mut u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    unsafe { producers(producer, index_out, View::read_index) }
}

/// As datablock_producer_get_commit_index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_get_commit_index(
    consumer: *const DataBlockConsumer,
    index_out: *mut u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    unsafe { consumers(consumer, index_out, View::commit_index) }
}

/// As datablock_producer_get_write_index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_get_write_index(
    consumer: *const DataBlockConsumer,
    index_out: *mut u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    unsafe { consumers(consumer, index_out, View::commit_index) }
}

/// As datablock_producer_get_read_index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_get_read_index(
    consumer: *const DataBlockConsumer,
    index_out: *mut u64,
) -> DataBlockStatus {
    // SAFETY: the caller's contract.
    unsafe { consumers(consumer, index_out, View::read_index) }
}
