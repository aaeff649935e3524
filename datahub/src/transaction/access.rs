//! Bytes in a closure that cannot refuse.

use core::convert::Infallible;

use super::{ReadTransactionError, WriteTransactionError, read, with_write_transaction};
use crate::consumer::Consumer;
use crate::memory::MappedMemory;
use crate::producer::Producer;
use crate::sequence::Sequence;
use crate::wait::Timeout;

/// Lets `body` fill a payload and publishes as many bytes as it returns. A panic gives the slot up.
///
/// # Errors
///
/// [`WriteTransactionError`]; nothing was published.
pub fn with_write_access<M: MappedMemory>(
    producer: &mut Producer<M>,
    timeout: Timeout,
    body: impl FnOnce(&mut [u8]) -> usize,
) -> Result<Sequence, WriteTransactionError<Infallible>> {
    with_write_transaction(producer, timeout, |slot| {
        let bytes = body(slot.payload());
        slot.set_bytes(bytes);
        Ok(slot.sequence())
    })
}

/// Lets `body` read the next payload.
///
/// # Errors
///
/// [`ReadTransactionError`].
pub fn with_read_access<M: MappedMemory, T>(
    consumer: &mut Consumer<M>,
    timeout: Timeout,
    body: impl FnOnce(&[u8]) -> T,
) -> Result<T, ReadTransactionError<Infallible>> {
    read::read(&consumer.acquire_consume_slot(timeout)?, |slot| Ok(body(slot)))
}
