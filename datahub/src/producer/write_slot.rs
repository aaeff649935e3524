//! A slot that is being written.

#![expect(
    unsafe_code,
    reason = "L3: a guard turns the payload into a slice while it excludes others"
)]

use core::slice;

use super::Producer;
use crate::checksum;
use crate::config::ChecksumPolicy;
use crate::eviction;
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{ErrorCode, Metric};
use crate::schema::{self, Schema, ViewError};
use crate::sequence::Sequence;
use crate::zone::{Zone, ZoneError};

/// Why a commit was refused. The slot was given up; nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// More bytes than a payload has.
    #[error("{bytes} bytes do not fit a payload of {limit}")]
    TooLong {
        /// Bytes asked.
        bytes: usize,
        /// Bytes there are.
        limit: usize,
    },
    /// Not one length for each slot of the batch.
    #[error("{given} lengths for a batch of {slots} slots")]
    Lengths {
        /// Lengths given.
        given: usize,
        /// Slots of the batch.
        slots: usize,
    },
}

/// A slot that only its holder sees, until it commits. Dropping it aborts: the ring is as before.
#[derive(Debug)]
#[must_use = "a slot that is not committed is given up"]
pub struct WriteSlot<'a, M: MappedMemory = Shared> {
    producer: &'a mut Producer<M>,
    index: usize,
    open: bool,
}

impl<'a, M: MappedMemory> WriteSlot<'a, M> {
    #[inline]
    pub(super) fn new(producer: &'a mut Producer<M>, index: usize) -> Self {
        Self { producer, index, open: true }
    }

    /// The sequence that the commit will have.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.producer.writer.next()
    }

    /// The physical slot.
    #[must_use]
    pub fn slot_index(&self) -> usize {
        self.index
    }

    /// The flexible zone called `name`, while the slot is open.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Missing`].
    pub fn zone(&self, name: &str) -> Result<Zone<'_, M>, ZoneError> {
        self.producer.zone(name)
    }

    /// The payload, whole. Holds what an earlier commit left there. In a block that evicts it is a
    /// private copy, which the commit copies into the block.
    ///
    /// Write it from its first byte to its last. The lines are still in the reader's cache and come
    /// one by one; stores that go back and forth between two lines wait for both.
    #[inline]
    #[must_use]
    pub fn payload(&mut self) -> &mut [u8] {
        let bytes = self.limit();
        if !self.producer.staging.is_empty() {
            return &mut self.producer.staging[..bytes];
        }
        let first = self.producer.block.payload(self.index).as_ptr();
        // SAFETY: the slot is WRITING since `acquire`, so no reader is admitted and none is inside,
        // and gated consumers are not at this sequence yet; this guard is the only writer, because
        // it borrows the one producer; the stride of the slot has `bytes` bytes, all initialised,
        // inside the mapping, which outlives the borrow.
        unsafe { slice::from_raw_parts_mut(first, bytes) }
    }

    fn limit(&self) -> usize {
        usize::try_from(self.producer.config().payload_bytes()).unwrap_or(usize::MAX)
    }

    /// The first bytes of the payload as a value. Publish it with `commit(size_of::<T>())`.
    ///
    /// # Errors
    ///
    /// [`ViewError`] when the block was made for another layout or has no room.
    pub fn typed<T: Schema>(&mut self) -> Result<&mut T, ViewError> {
        schema::expect::<T>(self.producer.config().schema())?;
        let payload = self.payload();
        let (found, wanted) = (payload.len(), size_of::<T>());
        schema::view_mut(payload.get_mut(..wanted).ok_or(ViewError::Bytes { found, wanted })?)
    }

    /// Stamps the checksum record over the first `bytes` bytes. Done by the commit under
    /// [`ChecksumPolicy::Enforced`].
    ///
    /// # Errors
    ///
    /// [`CommitError::TooLong`]; the record is as before.
    pub fn update_checksum_slot(&mut self, bytes: usize) -> Result<(), CommitError> {
        let (sequence, algorithm) = (self.sequence(), self.producer.config().checksum_algorithm());
        let limit = self.limit();
        let payload = self.payload().get(..bytes).ok_or(CommitError::TooLong { bytes, limit })?;
        let record = checksum::record(algorithm, sequence, payload);
        if !self.producer.staging.is_empty() {
            let words = self.producer.block.record_words(self.index);
            eviction::copy_in(&self.producer.mem, words, &record);
            return Ok(());
        }
        let place = self.producer.block.record(self.index);
        // SAFETY: as for the payload: until the commit this guard alone touches the slot's record;
        // the record lies inside the mapping and has no alignment of its own.
        unsafe { place.write(record) };
        Ok(())
    }

    /// Publishes the first `bytes` bytes; returns their sequence.
    ///
    /// # Errors
    ///
    /// [`CommitError::TooLong`]; the slot is given up.
    // Inlined: a result that is handed over in memory waits for the stores of the payload.
    #[expect(clippy::inline_always, reason = "see above")]
    #[inline(always)]
    pub fn commit(mut self, bytes: usize) -> Result<Sequence, CommitError> {
        if bytes > self.limit() || !self.producer.plain {
            self.finish(bytes)?;
        }
        self.open = false;
        Ok(self.producer.publish(self.index, bytes))
    }

    /// What a commit does beside publishing where it is not the plain case.
    #[inline(never)]
    fn finish(&mut self, bytes: usize) -> Result<(), CommitError> {
        let limit = self.limit();
        if bytes > limit {
            self.producer.record_error(Metric::CommitErrors, ErrorCode::CommitTooLong);
            return Err(CommitError::TooLong { bytes, limit });
        }
        if self.producer.config().checksum_policy() == ChecksumPolicy::Enforced {
            self.update_checksum_slot(bytes)?;
        }
        if let Some(staged) = self.producer.staging.get(..bytes) {
            let words = self.producer.block.payload_words(self.index);
            eviction::copy_in(&self.producer.mem, words, staged);
        }
        Ok(())
    }

    /// Gives the slot up. What was promised is still readable, and no sequence was spent.
    pub fn abort(self) {}
}

impl<M: MappedMemory> Drop for WriteSlot<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if self.open {
            let producer = &mut *self.producer;
            producer.writer.abort(&producer.mem, &producer.block.ring(), self.index);
        }
    }
}
