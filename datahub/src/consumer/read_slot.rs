//! A payload that is being read.

#![expect(
    unsafe_code,
    reason = "L3: a guard turns the payload into a slice while it excludes the writer"
)]

use core::ops::Deref;
use core::slice;

use super::Consumer;
use crate::checksum;
use crate::memory::{MappedMemory, Shared};
use crate::metrics::Metric;
use crate::ring::reader::Taken;
use crate::schema::{self, Schema, ViewError};
use crate::sequence::Sequence;
use crate::zone::{Zone, ZoneError};

/// A payload in place, or a copy of it in a block that evicts. The producer does not touch it before this
/// is dropped.
#[derive(Debug)]
pub struct ReadSlot<'a, M: MappedMemory = Shared> {
    consumer: &'a mut Consumer<M>,
    taken: Taken,
}

impl<'a, M: MappedMemory> ReadSlot<'a, M> {
    #[inline]
    pub(super) fn new(consumer: &'a mut Consumer<M>, taken: Taken) -> Self {
        Self { consumer, taken }
    }

    /// Which commit this is.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.taken.admission.sequence
    }

    /// The physical slot.
    #[must_use]
    pub fn slot_index(&self) -> usize {
        self.taken.slot
    }

    /// The flexible zone called `name`, while the slot is open.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Missing`].
    pub fn zone(&self, name: &str) -> Result<Zone<'_, M>, ZoneError> {
        self.consumer.zone(name)
    }

    /// The bytes in use.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.consumer.payload_of(&self.taken)
    }

    /// The payload as a value, in place.
    ///
    /// # Errors
    ///
    /// [`ViewError`] when the block was made for another layout, or the payload has not exactly the
    /// bytes of a value.
    pub fn typed<T: Schema>(&self) -> Result<&T, ViewError> {
        schema::expect::<T>(self.consumer.config().schema())?;
        schema::view(self.payload())
    }

    /// Whether the slot still holds what was admitted. Always so, unless somebody evicted this consumer by
    /// force and was wrong about what it reads; counted when it is not. A copy stays what it is.
    #[must_use]
    pub fn validate(&self) -> bool {
        if self.consumer.copies() {
            return true;
        }
        let Consumer { mem, block, ring_reader, .. } = &*self.consumer;
        let valid = ring_reader.validate(mem, &block.ring(), &self.taken);
        if !valid {
            self.consumer.count(Metric::ValidationFailures, 1);
        }
        valid
    }

    /// Compares the payload with its checksum record; counts a mismatch. Done before the payload
    /// is handed out under [`ChecksumPolicy::Enforced`](crate::config::ChecksumPolicy::Enforced).
    #[must_use]
    pub fn verify_checksum_slot(&self) -> bool {
        self.consumer.verifies(&self.taken)
    }

    /// Leaves the payload, as dropping does.
    pub fn release(self) {}
}

impl<M: MappedMemory> Consumer<M> {
    /// The bytes in use of what was taken and not yet left.
    #[inline]
    fn payload_of(&self, taken: &Taken) -> &[u8] {
        let bytes = usize::try_from(taken.admission.payload_bytes).unwrap_or(0);
        if self.copies() {
            return &self.copied()[..bytes];
        }
        let first = self.block.payload(taken.slot).as_ptr();
        // SAFETY: `bytes` is at most the payload size, checked in `admitted`, and the slot lies
        // inside the mapping, which outlives the borrow. The slot was COMMITTED when this reader
        // was admitted, and its pin, its cursor or its anchor keeps the writer out until it leaves,
        // which needs this consumer exclusively; it had its seat since, and who evicts it by force
        // vouches that nothing it was lent is read any more.
        unsafe { slice::from_raw_parts(first, bytes) }
    }

    /// Compares what was taken with its checksum record; counts a mismatch.
    pub(super) fn verifies(&self, taken: &Taken) -> bool {
        let found = if self.copies() {
            self.copied_record()
        } else {
            let place = self.block.record(taken.slot);
            // SAFETY: the record lies inside the mapping, has no alignment of its own, and is under
            // the same protection as the payload.
            unsafe { place.read() }
        };
        let (algorithm, sequence) = (self.config().checksum_algorithm(), taken.admission.sequence);
        let matches = checksum::matches(algorithm, sequence, self.payload_of(taken), &found);
        if !matches {
            self.count(Metric::ChecksumFailures, 1);
        }
        matches
    }
}

impl<M: MappedMemory> Deref for ReadSlot<'_, M> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.payload()
    }
}

impl<M: MappedMemory> Drop for ReadSlot<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.consumer.leave_slot(self.taken);
    }
}
