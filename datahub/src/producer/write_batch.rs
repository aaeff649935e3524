//! Several slots that are written and published together.

#![expect(unsafe_code, reason = "L3: a guard turns payloads into slices while it excludes others")]

use core::ops::Range;
use core::slice;

use super::write_slot::CommitError;
use super::{Producer, WriteError};
use crate::checksum;
use crate::config::ChecksumPolicy;
use crate::eviction;
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{ErrorCode, Metric};
use crate::sequence::Sequence;
use crate::wait::Timeout;

/// Why a batch could not be had. Block and slots are as before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Under latest-only only the newest payload counts: write that one alone.
    #[error("a latest-only block has no batches: write the newest payload alone")]
    LatestOnly,
    /// No slot, or more than the block has room for.
    #[error(
        "a batch of {slots} slots is out of range: use 1 to {most}, or make the block with `batches_of`"
    )]
    Size {
        /// What was asked.
        slots: usize,
        /// What the block has room for.
        most: usize,
    },
    /// The slots could not be had now.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Slots that only their holder sees, until all are committed at once. Dropping it aborts.
///
/// Consumers of a sequential block see the whole batch or nothing of it, also when the producer
/// dies in the middle. Observers that look at slots one by one may see later slots first.
#[derive(Debug)]
#[must_use = "a batch that is not committed is given up"]
pub struct WriteBatch<'a, M: MappedMemory = Shared> {
    producer: &'a mut Producer<M>,
    first_index: usize,
    count: usize,
    open: bool,
}

impl<M: MappedMemory> Producer<M> {
    /// Takes `slots` slots with consecutive sequences, or none, waiting as long as `timeout` allows.
    ///
    /// A block allows batches of one slot unless it was made with
    /// [`batches_of`](crate::config::BlockConfig::batches_of).
    ///
    /// # Errors
    ///
    /// [`BatchError`]; with [`Timeout::Now`] a time-out means "not at once".
    pub fn acquire_write_batch(
        &mut self,
        slots: usize,
        timeout: Timeout,
    ) -> Result<WriteBatch<'_, M>, BatchError> {
        let most = self.writer.batch_max();
        if most == 0 {
            return Err(BatchError::LatestOnly);
        }
        if slots == 0 || slots > most {
            return Err(BatchError::Size { slots, most });
        }
        let first_index = self.wait_for_slots(slots, timeout)?;
        Ok(WriteBatch { producer: self, first_index, count: slots, open: true })
    }
}

impl<M: MappedMemory> WriteBatch<'_, M> {
    /// How many slots there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch has at least one slot")]
    pub fn len(&self) -> usize {
        self.count
    }

    /// The sequence that slot `step` will have.
    #[must_use]
    pub fn sequence(&self, step: usize) -> Sequence {
        self.producer.writer.next().saturating_add(step as u64)
    }

    /// The payload of slot `step`, whole; `None` behind the last. Holds what an earlier commit left.
    #[must_use]
    pub fn payload(&mut self, step: usize) -> Option<&mut [u8]> {
        if step >= self.count {
            return None;
        }
        let bytes = self.limit();
        if !self.producer.staging.is_empty() {
            let from = step * self.stride();
            return self.producer.staging.get_mut(from..from + bytes);
        }
        let first = self.producer.block.payload(self.slot_index(step)).as_ptr();
        // SAFETY: slot `step` of the batch is WRITING since it was acquired, so no reader is
        // admitted and none is inside; this guard is the only writer, because it borrows the one
        // producer; the stride has `bytes` bytes, all initialised, inside the mapping, which
        // outlives the borrow.
        Some(unsafe { slice::from_raw_parts_mut(first, bytes) })
    }

    /// The physical slot of `step`: slots follow one another and go round.
    fn slot_index(&self, step: usize) -> usize {
        let slots = self.producer.config().physical_slots() as usize;
        (self.first_index + step) % slots
    }

    fn limit(&self) -> usize {
        usize::try_from(self.producer.config().payload_bytes()).unwrap_or(usize::MAX)
    }

    /// From one staged payload to the next.
    fn stride(&self) -> usize {
        self.producer.block.geometry().layout.stride
    }

    /// Publishes the first `bytes` bytes of every slot; returns their sequences.
    ///
    /// # Errors
    ///
    /// [`CommitError::TooLong`]; the batch is given up.
    pub fn commit(self, bytes: usize) -> Result<Range<Sequence>, CommitError> {
        self.commit_by(|_| bytes)
    }

    /// As [`commit`](Self::commit), with a length for each slot.
    ///
    /// # Errors
    ///
    /// [`CommitError`]; the batch is given up.
    pub fn commit_each(self, bytes: &[usize]) -> Result<Range<Sequence>, CommitError> {
        if bytes.len() != self.count {
            self.producer.record_error(Metric::CommitErrors, ErrorCode::CommitTooLong);
            return Err(CommitError::Lengths { given: bytes.len(), slots: self.count });
        }
        self.commit_by(|step| bytes[step])
    }

    fn commit_by(mut self, bytes: impl Fn(usize) -> usize) -> Result<Range<Sequence>, CommitError> {
        let limit = self.limit();
        if let Some(bytes) = (0..self.count).map(&bytes).find(|&bytes| bytes > limit) {
            self.producer.record_error(Metric::CommitErrors, ErrorCode::CommitTooLong);
            return Err(CommitError::TooLong { bytes, limit });
        }
        if self.producer.config().checksum_policy() == ChecksumPolicy::Enforced {
            (0..self.count).for_each(|step| self.stamp(step, bytes(step)));
        }
        for step in 0..self.count {
            let words = self.producer.block.payload_words(self.slot_index(step));
            let from = step * self.stride();
            if let Some(staged) = self.producer.staging.get(from..from + bytes(step)) {
                eviction::copy_in(&self.producer.mem, words, staged);
            }
        }
        self.open = false;
        Ok(self.producer.publish_batch(self.count, bytes))
    }

    /// Stamps the checksum record of slot `step`.
    fn stamp(&mut self, step: usize, bytes: usize) {
        let (sequence, index) = (self.sequence(step), self.slot_index(step));
        let algorithm = self.producer.config().checksum_algorithm();
        let payload = self.payload(step).and_then(|payload| payload.get(..bytes));
        let record = checksum::record(algorithm, sequence, payload.unwrap_or_default());
        if !self.producer.staging.is_empty() {
            let words = self.producer.block.record_words(index);
            eviction::copy_in(&self.producer.mem, words, &record);
            return;
        }
        let place = self.producer.block.record(index);
        // SAFETY: as for the payload: until the commit this guard alone touches the slot's record;
        // the record lies inside the mapping and has no alignment of its own.
        unsafe { place.write(record) };
    }

    /// Gives the slots up. What was promised is still readable, and no sequence was spent.
    pub fn abort(self) {}
}

impl<M: MappedMemory> Producer<M> {
    fn publish_batch(&mut self, count: usize, bytes: impl Fn(usize) -> usize) -> Range<Sequence> {
        let ring = self.block.ring();
        let length = |step| bytes(step) as u64;
        let first = self.writer.commit_batch(&self.mem, &ring, count, length);
        self.announce();
        let next = self.writer.next();
        self.count(Metric::SlotsWritten, count as u64);
        self.count(Metric::BytesWritten, (0..count).map(length).sum());
        if self.pulse.counts() {
            self.look_at_clock();
        }
        first..next
    }
}

impl<M: MappedMemory> Drop for WriteBatch<'_, M> {
    fn drop(&mut self) {
        if self.open {
            let producer = &mut *self.producer;
            producer.writer.abort_batch(&producer.mem, &producer.block.ring(), self.count);
        }
    }
}
