//! Reading by copies, in a block that evicts: a copy is believed only if the seat still stands after it.

use super::Consumer;
use crate::aligned::AlignedBytes;
use crate::eviction;
use crate::layout::RECORD;
use crate::memory::MappedMemory;
use crate::ring::reader::Taken;

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

    /// Whether the producer has not evicted this consumer.
    pub(super) fn stands(&self) -> bool {
        let seat = self.block.heartbeat(self.reader);
        !self.copies() || eviction::stands(&self.mem, seat, self.seat_word)
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
    /// may be anything. The length was checked.
    pub(super) fn copy_out(&mut self, taken: &Taken) -> bool {
        if !self.copies() {
            return true;
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
