//! Checksum records: what a slot held when it was stamped.
//!
//! A record covers sequence, length and payload, and all its 64 bytes are compared, so a flip
//! anywhere in payload or record shows. Only bytes in use are hashed, not the stride.
//! A checksum guards against accidents; whoever can write the segment can also restamp it.
//! Source: decision 13.

use crate::config::{ChecksumAlgorithm, ChecksumPolicy};
use crate::layout::RECORD;
use crate::sequence::Sequence;

/// A record as it is stored.
pub type Record = [u8; RECORD];

const LENGTH_AT: usize = 8;
const ALGORITHM_AT: usize = 16;
const HASH_AT: usize = 24;
const HASH_BYTES: usize = 32;

/// The record of `payload` as commit `sequence`.
#[must_use]
pub fn record(algorithm: ChecksumAlgorithm, sequence: Sequence, payload: &[u8]) -> Record {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&sequence.to_le_bytes());
    record[LENGTH_AT..LENGTH_AT + 8].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    record[ALGORITHM_AT..ALGORITHM_AT + 4].copy_from_slice(&(algorithm as u32).to_le_bytes());
    let (head, tail) = record.split_at_mut(HASH_AT);
    hash(algorithm, head, payload, &mut tail[..HASH_BYTES]);
    record
}

/// Hashes `head` (sequence, length and algorithm) and `payload`.
fn hash(algorithm: ChecksumAlgorithm, head: &[u8], payload: &[u8], out: &mut [u8]) {
    match algorithm {
        ChecksumAlgorithm::Xxh3 => {
            // One pass over the payload: the head becomes the seed.
            let seed = xxhash_rust::xxh3::xxh3_64(head);
            let hash = xxhash_rust::xxh3::xxh3_64_with_seed(payload, seed);
            out[..8].copy_from_slice(&hash.to_le_bytes());
        }
        ChecksumAlgorithm::Crc32c => {
            let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
            digest.update(head);
            digest.update(payload);
            out[..8].copy_from_slice(&digest.finalize().to_le_bytes());
        }
        ChecksumAlgorithm::Blake2b => {
            let mut state = blake2b_simd::Params::new().hash_length(HASH_BYTES).to_state();
            out.copy_from_slice(state.update(head).update(payload).finalize().as_bytes());
        }
    }
}

/// The hash that stands in a record, filled up with zeros.
#[must_use]
pub fn hash_in(record: &Record) -> [u8; HASH_BYTES] {
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(&record[HASH_AT..HASH_AT + HASH_BYTES]);
    hash
}

/// Whether `found` is the record of `payload` as commit `sequence`.
#[must_use]
pub fn matches(
    algorithm: ChecksumAlgorithm,
    sequence: Sequence,
    payload: &[u8],
    found: &Record,
) -> bool {
    record(algorithm, sequence, payload) == *found
}

/// Whether a payload is handed out under `policy`. `verifies` says whether it matches its record, and is
/// asked where that decides.
#[inline]
pub fn delivers(policy: ChecksumPolicy, verifies: impl FnOnce() -> bool) -> bool {
    policy != ChecksumPolicy::Enforced || verifies()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALGORITHMS: [ChecksumAlgorithm; 3] =
        [ChecksumAlgorithm::Xxh3, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Blake2b];

    #[test]
    fn every_flip_of_a_bit_shows() {
        let mut payload: Vec<u8> = (0..=255).cycle().take(300).collect();
        for algorithm in ALGORITHMS {
            let mut found = record(algorithm, 41, &payload);
            for bit in 0..payload.len() * 8 {
                payload[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    !matches(algorithm, 41, &payload, &found),
                    "{algorithm:?}, payload bit {bit}"
                );
                payload[bit / 8] ^= 1 << (bit % 8);
            }
            for bit in 0..RECORD * 8 {
                found[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    !matches(algorithm, 41, &payload, &found),
                    "{algorithm:?}, record bit {bit}"
                );
                found[bit / 8] ^= 1 << (bit % 8);
            }
            assert!(matches(algorithm, 41, &payload, &found));
        }
    }

    #[test]
    fn the_same_bytes_under_another_label_or_length_do_not_match() {
        for algorithm in ALGORITHMS {
            let found = record(algorithm, 7, &[0; 64]);
            assert!(!matches(algorithm, 8, &[0; 64], &found));
            assert!(!matches(algorithm, 7, &[0; 63], &found));
        }
    }

    #[test]
    fn crc32c_is_the_castagnoli_polynomial() {
        let mut out = [0; 32];
        hash(ChecksumAlgorithm::Crc32c, b"", b"123456789", &mut out);
        assert_eq!(out[..4], 0xe306_9283_u32.to_le_bytes());
    }
}
