//! Writing one payload in a closure.

use crate::memory::{MappedMemory, Shared};
use crate::producer::write_slot::{CommitError, WriteSlot};
use crate::producer::{Producer, WriteError};
use crate::schema::{Schema, ViewError};
use crate::sequence::Sequence;
use crate::wait::Timeout;
use crate::zone::{Zone, ZoneError};

/// Why nothing was published. The block is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteTransactionError<E> {
    /// No slot could be had.
    #[error(transparent)]
    Acquire(#[from] WriteError),
    /// The payload cannot be viewed as the type.
    #[error(transparent)]
    View(#[from] ViewError),
    /// More bytes than a payload has were to be published.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The closure refused.
    #[error("the transaction was given up: {0}")]
    Body(E),
}

/// The slot that a write transaction fills.
#[derive(Debug)]
pub struct WriteTransaction<'a, M: MappedMemory = Shared> {
    slot: WriteSlot<'a, M>,
    bytes: usize,
}

impl<M: MappedMemory> WriteTransaction<'_, M> {
    /// The sequence that the payload will have.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.slot.sequence()
    }

    /// The payload, whole. Holds what an earlier commit left there.
    #[must_use]
    pub fn payload(&mut self) -> &mut [u8] {
        self.slot.payload()
    }

    /// The payload as a value, which is then what will be published.
    ///
    /// # Errors
    ///
    /// [`ViewError`] when the block was made for another layout or has no room.
    pub fn typed<T: Schema>(&mut self) -> Result<&mut T, ViewError> {
        self.bytes = size_of::<T>();
        self.slot.typed()
    }

    /// The flexible zone called `name`. What is done to it stays, also when the transaction is given
    /// up.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Missing`].
    pub fn zone(&self, name: &str) -> Result<Zone<'_, M>, ZoneError> {
        self.slot.zone(name)
    }

    /// Publishes only the first `bytes` bytes; all of them unless this is called.
    /// A number that does not fit makes the commit fail.
    pub fn set_bytes(&mut self, bytes: usize) {
        self.bytes = bytes;
    }
}

/// Takes a slot, lets `body` fill it, and publishes it if `body` says `Ok`.
///
/// Returns what `body` returned. On `Err` and on a panic the slot is given up: nothing is
/// published, what was promised is still readable, and no sequence was spent.
///
/// ```
/// # use datahub::config::{BlockConfig, ConsumerSync};
/// # use datahub::producer::Producer;
/// # use datahub::shm::Folder;
/// # use datahub::transaction::{WriteTransactionError, with_write_transaction};
/// # use datahub::wait::Timeout;
/// # let config = BlockConfig::new(ConsumerSync::Sequential, 4, 8)?;
/// # let mut producer = Producer::create_unnamed(&Folder::default(), config)?;
/// let refused = with_write_transaction(&mut producer, Timeout::Now, |slot| {
///     slot.payload().fill(1);
///     Err::<(), _>("the sensor was saturated")
/// });
/// assert_eq!(refused, Err(WriteTransactionError::Body("the sensor was saturated")));
/// assert_eq!(producer.get_commit_index(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`WriteTransactionError`]; nothing was published.
pub fn with_write_transaction<M: MappedMemory, T, E>(
    producer: &mut Producer<M>,
    timeout: Timeout,
    body: impl FnOnce(&mut WriteTransaction<'_, M>) -> Result<T, E>,
) -> Result<T, WriteTransactionError<E>> {
    let bytes = usize::try_from(producer.config().payload_bytes()).unwrap_or(usize::MAX);
    let slot = producer.acquire_write_slot(timeout)?;
    let mut open = WriteTransaction { slot, bytes };
    // From here on everything but the commit below drops `open`, which gives the slot up.
    let value = body(&mut open).map_err(WriteTransactionError::Body)?;
    open.slot.commit(open.bytes)?;
    Ok(value)
}
