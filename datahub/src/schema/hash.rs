//! BLAKE2b-256 at compile time, for the hash of a schema's text.
//!
//! The hash of a type is a constant of the type, and no crate computes this one in a constant.
//! Source: RFC 7693. Checked against the `blake2b_simd` crate, which reads it at run time.

const BLOCK: usize = 128;
const ROUNDS: usize = 12;

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

const SIGMA: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Which words of the state each of the eight mixings of a round takes.
const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// BLAKE2b with 32 bytes of output and no key.
#[must_use]
pub const fn blake2b_256(input: &[u8]) -> [u8; 32] {
    let mut state = IV;
    state[0] ^= 0x0101_0020;
    let mut at = 0;
    while input.len() - at > BLOCK {
        state = compress(state, &words(input, at), (at + BLOCK) as u64, false);
        at += BLOCK;
    }
    state = compress(state, &words(input, at), input.len() as u64, true);
    let mut out = [0; 32];
    let mut byte = 0;
    while byte < out.len() {
        out[byte] = state[byte / 8].to_le_bytes()[byte % 8];
        byte += 1;
    }
    out
}

/// The block of `input` at `at`, filled up with zeros.
const fn words(input: &[u8], at: usize) -> [u64; 16] {
    let mut words = [0; 16];
    let mut byte = 0;
    while byte < BLOCK && at + byte < input.len() {
        words[byte / 8] |= (input[at + byte] as u64) << (8 * (byte % 8));
        byte += 1;
    }
    words
}

const fn compress(mut state: [u64; 8], block: &[u64; 16], counted: u64, last: bool) -> [u64; 8] {
    let mut mix = [0; 16];
    let mut at = 0;
    while at < 8 {
        mix[at] = state[at];
        mix[at + 8] = IV[at];
        at += 1;
    }
    mix[12] ^= counted;
    if last {
        mix[14] = !mix[14];
    }
    let mut round = 0;
    while round < ROUNDS {
        let order = &SIGMA[round % SIGMA.len()];
        let mut step = 0;
        while step < MIXED.len() {
            let (one, other) = (order[2 * step] as usize, order[2 * step + 1] as usize);
            mix = mixed(mix, MIXED[step], (block[one], block[other]));
            step += 1;
        }
        round += 1;
    }
    at = 0;
    while at < 8 {
        state[at] ^= mix[at] ^ mix[at + 8];
        at += 1;
    }
    state
}

/// The function G: four words of the state and two of the block.
const fn mixed(mut mix: [u64; 16], at: [usize; 4], (one, other): (u64, u64)) -> [u64; 16] {
    mix[at[0]] = mix[at[0]].wrapping_add(mix[at[1]]).wrapping_add(one);
    mix[at[3]] = (mix[at[3]] ^ mix[at[0]]).rotate_right(32);
    mix[at[2]] = mix[at[2]].wrapping_add(mix[at[3]]);
    mix[at[1]] = (mix[at[1]] ^ mix[at[2]]).rotate_right(24);
    mix[at[0]] = mix[at[0]].wrapping_add(mix[at[1]]).wrapping_add(other);
    mix[at[3]] = (mix[at[3]] ^ mix[at[0]]).rotate_right(16);
    mix[at[2]] = mix[at[2]].wrapping_add(mix[at[3]]);
    mix[at[1]] = (mix[at[1]] ^ mix[at[2]]).rotate_right(63);
    mix
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(input: &[u8]) -> Vec<u8> {
        blake2b_simd::Params::new().hash_length(32).hash(input).as_bytes().to_vec()
    }

    #[test]
    fn the_edges_of_blocks_are_hashed_as_the_reference_does() {
        for length in [0, 1, 127, 128, 129, 255, 256, 257, 384, 1000] {
            let input = vec![0x5a; length];
            assert_eq!(blake2b_256(&input).to_vec(), reference(&input), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_hashed_as_the_reference_does(
            input in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            prop_assert_eq!(blake2b_256(&input).to_vec(), reference(&input));
        }
    }
}
