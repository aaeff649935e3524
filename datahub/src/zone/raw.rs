//! Bytes of a zone, copied word by word, so that no copy is undefined whoever writes meanwhile.
//!
//! A copy may mix two states of the zone; whoever cannot have that uses one of the primitives.
//! Knows nothing of: mappings, what the bytes mean.

use crate::memory::Memory;
use crate::sites::{Z_RAW_READ, Z_RAW_WRITE};

/// Bytes of one word.
pub(super) const WORD: usize = size_of::<u64>();

/// Copies bytes from `offset` on out of `words`. What lies behind the last word is left as it is.
pub fn read<M: Memory>(mem: &M, words: &[M::Word], offset: usize, out: &mut [u8]) {
    let (mut index, mut skip) = (offset / WORD, offset % WORD);
    let mut rest = out;
    while let (Some(word), false) = (words.get(index), rest.is_empty()) {
        let bytes = mem.load::<Z_RAW_READ>(word).to_le_bytes();
        let count = rest.len().min(WORD - skip);
        let (part, behind) = rest.split_at_mut(count);
        part.copy_from_slice(&bytes[skip..skip + count]);
        (rest, index, skip) = (behind, index + 1, 0);
    }
}

/// Copies `bytes` into `words`, beginning with the word `first`. The last word is filled up with
/// zeros. What has no room is left out.
pub fn write<M: Memory>(mem: &M, words: &[M::Word], first: usize, bytes: &[u8]) {
    let places = words.get(first..).unwrap_or_default();
    for (word, chunk) in places.iter().zip(bytes.chunks(WORD)) {
        let mut full = [0; WORD];
        full[..chunk.len()].copy_from_slice(chunk);
        mem.store::<Z_RAW_WRITE>(word, u64::from_le_bytes(full));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Shared, SharedWord};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_from_any_offset(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            first in 0..4_usize,
            offset in 0..120_usize,
            length in 0..120_usize,
        ) {
            let words: Vec<SharedWord> = (0..12).map(|_| SharedWord::default()).collect();
            let mut wanted = [0; 96];
            write(&Shared, &words, first, &bytes);
            let room = &mut wanted[first * WORD..];
            let count = bytes.len().min(room.len());
            room[..count].copy_from_slice(&bytes[..count]);
            let mut found = vec![0xaa; length];
            read(&Shared, &words, offset, &mut found);
            for (at, &byte) in found.iter().enumerate() {
                prop_assert_eq!(byte, wanted.get(offset + at).copied().unwrap_or(0xaa));
            }
        }
    }
}
