//! What stands in a payload: a keyed function of seed and sequence, so that any mixture is seen.
//!
//! From 32 bytes on: sequence, intended start, actual start, then words that depend on all three
//! and on the seed. Shorter payloads leave stamps out; below 16 bytes there is one keyed word.
//! Knows nothing of: blocks, processes, what a defect means for a verdict.

/// Between two neighbouring words of one payload; odd, so that no two of them are equal.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// Bytes of a word.
const WORD: usize = 8;
/// Bytes that are written at a time: half a line.
const RUN: usize = 4 * WORD;
/// Bytes that are written when only the head is.
const HEAD_BYTES: usize = 4 * WORD;
/// A lone word that decodes to a sequence this far from its label belongs to no sequence.
const FAR: u64 = 1 << 40;

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Which commit it is.
    pub(crate) sequence: u64,
    /// When it was due; 0: it is not timed.
    pub(crate) intended_ns: u64,
    /// When the producer got to it; 0: it is not timed.
    pub(crate) actual_ns: u64,
}

/// What is wrong with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Its words belong to different sequences, or to none.
    Torn,
    /// It is whole, and another one than its label says.
    Mislabelled,
}

/// Fills and checks payloads of one trial.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyed {
    seed: u64,
    /// Bytes from the start that are written and checked.
    reach: usize,
}

impl Keyed {
    /// Payloads under `seed`; `whole` ones, or only their heads.
    pub(crate) fn new(seed: u64, whole: bool) -> Self {
        Self { seed: mix(seed), reach: if whole { usize::MAX } else { HEAD_BYTES } }
    }

    /// Other payloads, which none of these is mistaken for.
    pub(crate) fn foreign(self) -> Self {
        Self { seed: mix(self.seed), ..self }
    }

    /// Writes the payload of `stamp`.
    #[inline]
    pub(crate) fn fill(&self, payload: &mut [u8], stamp: &Stamp) {
        let reach = payload.len().min(self.reach);
        let payload = &mut payload[..reach];
        // One word is all there is: what the latency of the bare protocol is measured with.
        if let Ok(alone) = <&mut [u8; WORD]>::try_from(&mut *payload) {
            *alone = (stamp.sequence ^ self.seed).to_le_bytes();
            return;
        }
        let head = Head::of(reach);
        let base = self.base(&head.stored(stamp));
        let words = [stamp.sequence, stamp.intended_ns, stamp.actual_ns];
        if head.words == 0 {
            let word = (stamp.sequence ^ self.seed).to_le_bytes();
            if let Some((first, body)) = payload.split_first_chunk_mut() {
                *first = word;
                return fill_body(body, base);
            }
            return payload.copy_from_slice(&word[..reach]);
        }
        let (front, body) = payload.split_at_mut(head.words * WORD);
        for (place, word) in front.chunks_exact_mut(WORD).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        fill_body(body, base);
    }

    /// The part of a payload that is written and checked.
    pub(crate) fn reached<'p>(&self, payload: &'p [u8]) -> &'p [u8] {
        &payload[..payload.len().min(self.reach)]
    }

    /// When the payload was due, without any check; 0 when it is not timed.
    #[inline]
    pub(crate) fn intended_ns(payload: &[u8]) -> u64 {
        if payload.len() < 3 * WORD { 0 } else { word_at(payload, 1) }
    }

    /// The sequence that a payload claims for itself, where nobody else labels it; `expected` where
    /// the claim cannot be one.
    #[inline]
    pub(crate) fn claim(&self, payload: &[u8], expected: u64) -> u64 {
        if payload.len() < WORD {
            return expected;
        }
        let lone = Head::of(payload.len().min(self.reach)).words == 0;
        let claimed = word_at(payload, 0) ^ if lone { self.seed } else { 0 };
        if claimed.abs_diff(expected) < FAR { claimed } else { expected }
    }

    /// Reads the payload that is labelled `label`.
    ///
    /// # Errors
    ///
    /// [`Defect`].
    #[inline]
    pub(crate) fn check(&self, payload: &[u8], label: u64) -> Result<Stamp, Defect> {
        let reach = payload.len().min(self.reach);
        let payload = &payload[..reach];
        let head = Head::of(reach);
        if head.words == 0 {
            return self.check_short(payload, label);
        }
        let mut stamp = Stamp { sequence: word_at(payload, 0), intended_ns: 0, actual_ns: 0 };
        if head.words > 1 {
            stamp.intended_ns = word_at(payload, 1);
        }
        if head.words > 2 {
            stamp.actual_ns = word_at(payload, 2);
        }
        if !body_matches(&payload[head.words * WORD..], self.base(&stamp)) {
            return Err(Defect::Torn);
        }
        if stamp.sequence == label { Ok(stamp) } else { Err(Defect::Mislabelled) }
    }

    /// Below two words the sequence itself is what is keyed.
    fn check_short(&self, payload: &[u8], label: u64) -> Result<Stamp, Defect> {
        let alone = payload.len().min(WORD);
        let sequence = self.seed
            ^ if alone == WORD {
                word_at(payload, 0)
            } else {
                // What a payload shorter than a word does not hold is taken from the label.
                let mut bytes = (label ^ self.seed).to_le_bytes();
                bytes[..alone].copy_from_slice(&payload[..alone]);
                u64::from_le_bytes(bytes)
            };
        let stamp = Stamp { sequence, intended_ns: 0, actual_ns: 0 };
        let body = &payload[alone..];
        let whole = body.is_empty() || body_matches(body, self.base(&stamp));
        if !whole || sequence.abs_diff(label) >= FAR && alone == WORD {
            return Err(Defect::Torn);
        }
        if sequence == label { Ok(stamp) } else { Err(Defect::Mislabelled) }
    }

    /// The first word of the body.
    #[inline]
    fn base(&self, stored: &Stamp) -> u64 {
        let timed = stored.intended_ns ^ stored.actual_ns.rotate_left(32);
        mix(mix(self.seed ^ stored.sequence).wrapping_add(timed))
    }
}

/// How many stamps a payload of some length has room for, beside at least one word of body.
#[derive(Debug, Clone, Copy)]
struct Head {
    words: usize,
}

impl Head {
    #[inline]
    fn of(bytes: usize) -> Self {
        Self { words: (bytes / WORD).saturating_sub(1).min(3) }
    }

    /// The stamp as far as it is stored.
    #[inline]
    fn stored(self, stamp: &Stamp) -> Stamp {
        Stamp {
            sequence: stamp.sequence,
            intended_ns: if self.words > 1 { stamp.intended_ns } else { 0 },
            actual_ns: if self.words > 2 { stamp.actual_ns } else { 0 },
        }
    }
}

#[inline]
fn word_at(payload: &[u8], index: usize) -> u64 {
    let mut word = [0; WORD];
    word.copy_from_slice(&payload[index * WORD..(index + 1) * WORD]);
    u64::from_le_bytes(word)
}

/// Writes the words that follow from `base`, in ascending order. The odd ones come first, so that in
/// payloads of whole lines no store lies across two of them: a line that another core holds is then
/// fetched once, and not once for each of its neighbours.
#[inline]
fn fill_body(body: &mut [u8], base: u64) {
    let (words, rest) = body.split_at_mut(body.len() / WORD * WORD);
    let (odd, runs) = words.split_at_mut(words.len() % RUN);
    let mut value = base;
    for place in odd.chunks_exact_mut(WORD) {
        place.copy_from_slice(&value.to_le_bytes());
        value = value.wrapping_add(STEP);
    }
    for place in runs.as_chunks_mut::<RUN>().0 {
        *place = run_from(value);
        value = value.wrapping_add(STEP.wrapping_mul((RUN / WORD) as u64));
    }
    // Whole words are the rule: what is left over must cost them nothing.
    if !rest.is_empty() {
        rest.copy_from_slice(&value.to_le_bytes()[..rest.len()]);
    }
}

/// As many words as are written at a time.
#[inline]
fn run_from(value: u64) -> [u8; RUN] {
    let mut run = [0; RUN];
    for (step, place) in (0..).zip(run.as_chunks_mut::<WORD>().0) {
        *place = value.wrapping_add(STEP.wrapping_mul(step)).to_le_bytes();
    }
    run
}

#[inline]
fn body_matches(body: &[u8], base: u64) -> bool {
    let (words, rest) = body.split_at(body.len() / WORD * WORD);
    let (odd, runs) = words.split_at(words.len() % RUN);
    let mut value = base;
    let mut difference = 0;
    for word in odd.as_chunks::<WORD>().0 {
        difference |= u64::from_le_bytes(*word) ^ value;
        value = value.wrapping_add(STEP);
    }
    for run in runs.as_chunks::<RUN>().0 {
        for (step, word) in (0..).zip(run.as_chunks::<WORD>().0) {
            difference |= u64::from_le_bytes(*word) ^ value.wrapping_add(STEP.wrapping_mul(step));
        }
        value = value.wrapping_add(STEP.wrapping_mul((RUN / WORD) as u64));
    }
    difference == 0 && (rest.is_empty() || *rest == value.to_le_bytes()[..rest.len()])
}

/// A bijection of 64 bits in which each bit of the input moves half of the output's.
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(STEP);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_nobody_labels_says_its_sequence_itself_unless_it_is_torn() {
        for bytes in [8, 9, 16, 24, 64] {
            let keyed = Keyed::new(3, true);
            let mut payload = vec![0; bytes];
            keyed.fill(&mut payload, &Stamp { sequence: 9, intended_ns: 0, actual_ns: 0 });
            assert_eq!(keyed.claim(&payload, 4), 9, "{bytes}");
            payload[7] ^= 0x80;
            assert_eq!(keyed.claim(&payload, 4), 4, "{bytes}");
            assert_eq!(keyed.check(&payload, 4), Err(Defect::Torn), "{bytes}");
        }
    }
    use proptest::prelude::*;

    fn stamp(sequence: u64) -> Stamp {
        Stamp { sequence, intended_ns: 1_000 + sequence, actual_ns: 2_000 + sequence }
    }

    fn filled(keyed: &Keyed, bytes: usize, sequence: u64) -> Vec<u8> {
        let mut payload = vec![0xA5; bytes];
        keyed.fill(&mut payload, &stamp(sequence));
        payload
    }

    #[test]
    fn every_stamp_that_has_room_comes_back() {
        let keyed = Keyed::new(7, true);
        let of = |bytes| keyed.check(&filled(&keyed, bytes, 9), 9);
        assert_eq!(of(1024), Ok(stamp(9)));
        assert_eq!(of(32), Ok(stamp(9)));
        assert_eq!(of(24), Ok(Stamp { actual_ns: 0, ..stamp(9) }));
        assert_eq!(of(16), Ok(Stamp { intended_ns: 0, actual_ns: 0, ..stamp(9) }));
        assert_eq!(of(8), Ok(Stamp { intended_ns: 0, actual_ns: 0, ..stamp(9) }));
        assert_eq!(of(3).map(|stamp| stamp.sequence), Ok(9));
    }

    #[test]
    fn a_whole_payload_under_another_label_is_mislabelled() {
        let keyed = Keyed::new(7, true);
        for bytes in [1, 8, 13, 16, 24, 32, 100, 4096] {
            let found = keyed.check(&filled(&keyed, bytes, 9), 10);
            assert_eq!(found, Err(Defect::Mislabelled), "{bytes} bytes");
        }
    }

    #[test]
    fn memory_that_was_never_written_is_torn() {
        let keyed = Keyed::new(7, true);
        for bytes in [8, 16, 24, 32, 1000] {
            assert_eq!(keyed.check(&vec![0; bytes], 0), Err(Defect::Torn), "{bytes} bytes");
        }
    }

    #[test]
    fn the_payload_of_an_aborted_write_is_never_taken_for_a_good_one() {
        let keyed = Keyed::new(7, true);
        for bytes in [8, 16, 24, 32, 1000] {
            let found = keyed.check(&filled(&keyed.foreign(), bytes, 9), 9);
            assert_eq!(found, Err(Defect::Torn), "{bytes} bytes");
        }
    }

    #[test]
    fn a_head_alone_leaves_the_rest_as_it_was() {
        let keyed = Keyed::new(7, false);
        let mut payload = filled(&keyed, 100, 9);
        assert!(payload[HEAD_BYTES..].iter().all(|byte| *byte == 0xA5));
        payload[50] = 0;
        assert_eq!(keyed.check(&payload, 9), Ok(stamp(9)));
        payload[30] ^= 1;
        assert_eq!(keyed.check(&payload, 9), Err(Defect::Torn));
    }

    proptest! {
        #[test]
        fn what_was_filled_checks(seed: u64, sequence in 0..u64::MAX / 2, bytes in 1..300_usize) {
            let keyed = Keyed::new(seed, true);
            let payload = filled(&keyed, bytes, sequence);
            prop_assert_eq!(keyed.check(&payload, sequence).map(|s| s.sequence), Ok(sequence));
        }

        #[test]
        fn no_mixture_of_two_payloads_passes(
            seed: u64, first in 0..1_000_000_u64, ahead in 1..1_000_u64,
            bytes in 16..600_usize, cut in 1..599_usize,
        ) {
            let cut = cut % (bytes - 1) + 1;
            let keyed = Keyed::new(seed, true);
            let (old, new) = (filled(&keyed, bytes, first), filled(&keyed, bytes, first + ahead));
            let mixed = [&new[..cut], &old[cut..]].concat();
            // The old payload is there only where both are equal by chance of their bytes.
            if mixed != old && mixed != new {
                prop_assert!(keyed.check(&mixed, first).is_err());
                prop_assert!(keyed.check(&mixed, first + ahead).is_err());
            }
        }

        #[test]
        fn one_wrong_bit_is_seen(
            seed: u64, sequence in 0..1_000_000_u64, bytes in 8..600_usize, bit in 0..4800_usize,
        ) {
            let keyed = Keyed::new(seed, true);
            let mut payload = filled(&keyed, bytes, sequence);
            let bit = bit % (bytes * 8);
            payload[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(keyed.check(&payload, sequence).is_err());
        }

        #[test]
        fn no_bytes_panic(seed: u64, payload: Vec<u8>, label: u64) {
            let _checked = Keyed::new(seed, true).check(&payload, label);
        }
    }
}
