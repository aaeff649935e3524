//! Sequence numbers: how many commits came before this one.
//!
//! A sequence is a `u64`, starts at 0, is never reused and never wraps in practice (at 10⁹ commits
//! a second it lasts 584 years). Source: decision 1 of `ARCHITECTURE.md`; HEP-CORE-0002 `slot_id`.

/// The number of a commit.
pub type Sequence = u64;

/// How many low bits of a sequence travel inside a slot's word.
pub const TAG_BITS: u32 = 30;

/// The low bits of `sequence`, as the slot's word carries them.
#[must_use]
pub const fn tag(sequence: Sequence) -> u64 {
    sequence & ((1 << TAG_BITS) - 1)
}

/// How far `tag` lies ahead of the tag of `sequence`: negative when it is older.
///
/// Right as long as the two are less than 2²⁹ commits apart.
#[must_use]
pub const fn tag_ahead(tag: u64, sequence: Sequence) -> i64 {
    let shift = 64 - TAG_BITS;
    let difference = tag.wrapping_sub(sequence) << shift;
    difference.cast_signed() >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_compare_across_their_wrap() {
        let wrap = 1 << TAG_BITS;
        for sequence in [0, 1, wrap - 2, wrap - 1, wrap, wrap + 1, 7 * wrap, u64::MAX - 3] {
            assert_eq!(tag_ahead(tag(sequence), sequence), 0);
            assert_eq!(tag_ahead(tag(sequence + 3), sequence), 3);
            assert_eq!(tag_ahead(tag(sequence.wrapping_sub(2)), sequence), -2);
        }
    }
}
