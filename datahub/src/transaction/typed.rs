//! Values in a closure: payloads of a type with a schema, in place.

use super::{ReadTransactionError, WriteTransactionError, read};
use crate::consumer::Consumer;
use crate::memory::MappedMemory;
use crate::producer::Producer;
use crate::schema::Schema;
use crate::wait::Timeout;

/// Lets `body` fill a value in place and publishes it if `body` says `Ok`. The value holds what an
/// earlier commit left there.
///
/// # Errors
///
/// [`WriteTransactionError`]; nothing was published. `View` when the block was made for another
/// layout or has no room; then `body` did not run.
pub fn with_typed_write<T: Schema, M: MappedMemory, R, E>(
    producer: &mut Producer<M>,
    timeout: Timeout,
    body: impl FnOnce(&mut T) -> Result<R, E>,
) -> Result<R, WriteTransactionError<E>> {
    let mut slot = producer.acquire_write_slot(timeout)?;
    // Dropping the slot gives it up: see `with_write_transaction`.
    let value = body(slot.typed()?).map_err(WriteTransactionError::Body)?;
    slot.commit(size_of::<T>())?;
    Ok(value)
}

/// Lets `body` read the next payload as a value, in place.
///
/// # Errors
///
/// [`ReadTransactionError`]. `View` when the block was made for another layout or the payload has
/// another length; then `body` did not run. The consumer goes on behind the payload.
pub fn with_typed_read<T: Schema, M: MappedMemory, R, E>(
    consumer: &mut Consumer<M>,
    timeout: Timeout,
    body: impl FnOnce(&T) -> Result<R, E>,
) -> Result<R, ReadTransactionError<E>> {
    let slot = consumer.acquire_consume_slot(timeout)?;
    let value = slot.typed()?;
    read::read(&slot, |_| body(value))
}
