//! Reading by copies, in a block that evicts: a copy is believed only if the seat still stands after it.
//!
//! Who reads in place can be evicted by force only, by somebody who knows that it is not reading. It looks
//! at its seat before each payload, and so reads nothing that was not kept for it.

use super::{Consumer, ReadError};
use crate::aligned::AlignedBytes;
use crate::eviction;
use crate::layout::RECORD;
use crate::memory::MappedMemory;
use crate::ring::reader::Taken;
use crate::sequence::Sequence;

/// Room for a payload and its checksum record, if the block evicts.
pub(super) fn room(evicts: bool, payload_bytes: u64) -> AlignedBytes {
    let bytes = usize::try_from(payload_bytes).unwrap_or(0) + RECORD;
    AlignedBytes::zeroed(if evicts { bytes } else { 0 })
}

impl<M: MappedMemory> Consumer<M> {
    /// Whether payloads are handed out as copies.
    #[inline]
    pub(super) fn copies(&self) -> bool {
        !self.copy.is_empty()
    }

    /// Whether nobody has evicted this consumer, as far as one look at its own seat tells.
    #[inline]
    pub(super) fn has_its_seat(&self) -> bool {
        eviction::word(&self.mem, self.block.heartbeat(self.reader)) == self.seat_word
    }

    /// The same, asked after a copy, which may then be believed.
    fn stands(&self) -> bool {
        eviction::stands(&self.mem, self.block.heartbeat(self.reader), self.seat_word)
    }

    /// The error that tells an evicted consumer so; always the same from the first time on. `next`: what
    /// it would have read next.
    #[cold]
    pub(super) fn evicted(&mut self, next: Sequence) -> ReadError {
        let due = if self.copies() { self.due } else { next };
        ReadError::Evicted { at: *self.evicted_at.get_or_insert(due) }
    }

    /// The last copy of a payload.
    pub(super) fn copied(&self) -> &[u8] {
        &self.copy[..self.copy.len().saturating_sub(RECORD)]
    }

    /// The checksum record that belongs to it.
    pub(super) fn copied_record(&self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record.copy_from_slice(&self.copy[self.copy.len() - RECORD..]);
        record
    }

    /// Copies what was taken, in a block that evicts. False: this consumer was evicted, and the copy
    /// may be anything, or what would be read in place overwritten. The length was checked.
    pub(super) fn copy_out(&mut self, taken: &Taken) -> bool {
        if !self.copies() {
            return self.has_its_seat();
        }
        let bytes = usize::try_from(taken.admission.payload_bytes).unwrap_or(0);
        let end = self.copy.len() - RECORD;
        let (payload, record) = self.copy.split_at_mut(end);
        let words = self.block.payload_words(taken.slot);
        eviction::copy_out(&self.mem, words, &mut payload[..bytes]);
        eviction::copy_out(&self.mem, self.block.record_words(taken.slot), record);
        let stands = self.stands();
        // A read by its sequence leaves the place as it is.
        if stands && taken.admission.sequence == self.ring_reader.cursor() {
            self.due = taken.admission.sequence.saturating_add(1);
        }
        stands
    }
}
