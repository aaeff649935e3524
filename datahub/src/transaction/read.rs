//! Reading one payload in a closure.

use crate::consumer::read_slot::ReadSlot;
use crate::consumer::slot_iterator::SlotIterator;
use crate::consumer::{Consumer, ReadError};
use crate::memory::MappedMemory;
use crate::schema::ViewError;
use crate::sequence::Sequence;
use crate::wait::Timeout;

/// Why a read gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadTransactionError<E> {
    /// Nothing could be read; the closure did not run.
    #[error(transparent)]
    Acquire(#[from] ReadError),
    /// The payload cannot be viewed as the type; the closure did not run.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The slot was taken away while the closure read: a recovery by force. Its value was dropped.
    #[error("sequence {sequence} was taken away while it was read")]
    Invalid {
        /// Which payload.
        sequence: Sequence,
    },
    /// The closure refused.
    #[error("the payload was refused: {0}")]
    Body(E),
}

/// Lets `body` read the payload called `sequence`, if it is still there. The place of the consumer
/// stays.
///
/// # Errors
///
/// [`ReadTransactionError`].
pub fn with_read_transaction<M: MappedMemory, T, E>(
    consumer: &mut Consumer<M>,
    sequence: Sequence,
    timeout: Timeout,
    body: impl FnOnce(&ReadSlot<'_, M>) -> Result<T, E>,
) -> Result<T, ReadTransactionError<E>> {
    read(&consumer.acquire_sequence(sequence, timeout)?, body)
}

/// Lets `body` read the next payload. The iterator goes on behind it whatever `body` says.
///
/// # Errors
///
/// [`ReadTransactionError`].
pub fn with_next_slot<M: MappedMemory, T, E>(
    slots: &mut SlotIterator<'_, M>,
    timeout: Timeout,
    body: impl FnOnce(&ReadSlot<'_, M>) -> Result<T, E>,
) -> Result<T, ReadTransactionError<E>> {
    read(&slots.try_next(timeout)?, body)
}

/// Runs `body` and checks that the slot was there until it ended.
pub(super) fn read<M: MappedMemory, T, E>(
    slot: &ReadSlot<'_, M>,
    body: impl FnOnce(&ReadSlot<'_, M>) -> Result<T, E>,
) -> Result<T, ReadTransactionError<E>> {
    let answer = body(slot);
    if !slot.validate() {
        return Err(ReadTransactionError::Invalid { sequence: slot.sequence() });
    }
    answer.map_err(ReadTransactionError::Body)
}
