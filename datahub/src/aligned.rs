//! Private bytes that begin on a cache line, as payloads do in a block.
//!
//! What is copied out of a block can so be viewed as any type that could be viewed in it.
//! Knows nothing of: blocks, slots, what the bytes mean.

use core::ops::{Deref, DerefMut};

use crate::layout::LINE;

/// So many bytes, the first of which begins a line.
#[derive(Debug)]
pub(crate) struct AlignedBytes {
    /// Up to a line more than are used.
    room: Box<[u8]>,
    first: usize,
    bytes: usize,
}

impl AlignedBytes {
    /// `bytes` zeros; none take no memory.
    pub(crate) fn zeroed(bytes: usize) -> Self {
        let spare = if bytes == 0 { 0 } else { LINE - 1 };
        let room: Box<[u8]> = vec![0; bytes + spare].into();
        // The heap does not move what it gave out, so this stays true.
        let first = room.as_ptr().align_offset(LINE).min(spare);
        Self { room, first, bytes }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.room[self.first..self.first + self.bytes]
    }
}

impl DerefMut for AlignedBytes {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.room[self.first..self.first + self.bytes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_begins_a_line_and_has_its_bytes() {
        let many: Vec<AlignedBytes> = (0..300).map(AlignedBytes::zeroed).collect();
        for (bytes, mut buffer) in many.into_iter().enumerate() {
            assert_eq!(buffer.len(), bytes);
            assert!(bytes == 0 || buffer.as_ptr().addr().is_multiple_of(LINE), "{bytes}");
            buffer.fill(7);
            assert!(buffer.iter().all(|&byte| byte == 7));
        }
    }
}
