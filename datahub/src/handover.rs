//! Handing a stream over to another block: the shared words of both.
//!
//! The producer freezes the registry of the old ring, so that who is registered is known for good;
//! keeps a seat for each of them in the new ring, with a cursor at its first sequence, so that it
//! cannot pass who has not come yet; and says in the old ring, after its last commit, that the stream
//! has moved. A consumer reads the old ring to its end, then takes its seat. A kept seat belongs to
//! who holds its token in the *old* block until he holds the one in the new.
//! Knows nothing of: mappings, tokens, names, where the successor is found.
//! Edge: `W_MOVED → R_CLOSED`. Checked by: `models` (`handover/…`).

use crate::cursor;
use crate::layout;
use crate::memory::{Memory, SharedWord};
use crate::ring::{Fate, Ring};
use crate::sequence::Sequence;
use crate::sites::{C_ARRIVE, G_KEEP, G_KEPT, R_WHERE, W_MOVED, W_MOVING, W_WHERE};
use crate::slot::Reader;

/// In a successor: who has not come yet.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct ArrivalLine<W> {
    /// One bit for each kept seat.
    pub kept: W,
}

const _: () = assert!(size_of::<ArrivalLine<SharedWord>>() == layout::LINE);

/// Keeps the seats of `readers` (one bit each) in a new ring that nobody has found yet.
pub fn keep_seats<M: Memory>(
    mem: &M,
    ring: &Ring<'_, M::Word>,
    line: &ArrivalLine<M::Word>,
    (readers, first): (u32, Sequence),
) {
    for (number, own) in (0..).zip(ring.cursors) {
        if readers & 1_u32.unbounded_shl(number) != 0 {
            cursor::publish(mem, own, first);
        }
    }
    mem.store::<G_KEEP>(&ring.registry.registry, readers.into());
    mem.store::<G_KEEP>(&line.kept, readers.into());
}

/// The seats that are kept, one bit each.
pub fn kept<M: Memory>(mem: &M, line: &ArrivalLine<M::Word>) -> u32 {
    seats(mem.load::<G_KEPT>(&line.kept))
}

/// Whether the seat of `reader` is kept.
pub fn is_kept<M: Memory>(mem: &M, line: &ArrivalLine<M::Word>, reader: Reader) -> bool {
    kept(mem, line) & reader.mask() != 0
}

/// The seat of `reader` is kept no longer: he has come, or will not. Only the holder of the seat's token
/// in the successor calls this. Returns the seats that are still kept.
pub fn arrive<M: Memory>(mem: &M, line: &ArrivalLine<M::Word>, reader: Reader) -> u32 {
    let before = mem.fetch_and::<C_ARRIVE>(&line.kept, !u64::from(reader.mask()));
    seats(before) & !reader.mask()
}

/// One bit for each seat that can be.
const fn seats(word: u64) -> u32 {
    (word & 0xffff_ffff) as u32
}

/// Writes where the successor will be found. Says whether there was room.
pub fn write_place<M: Memory>(
    mem: &M,
    (length, words): (&M::Word, &[M::Word]),
    place: &[u8],
) -> bool {
    if place.len() > words.len() * size_of::<u64>() {
        return false;
    }
    for (word, chunk) in words.iter().zip(place.chunks(size_of::<u64>())) {
        let mut full = [0; size_of::<u64>()];
        full[..chunk.len()].copy_from_slice(chunk);
        mem.store::<W_WHERE>(word, u64::from_le_bytes(full));
    }
    mem.store::<W_WHERE>(length, place.len() as u64);
    true
}

/// Reads where the successor is; cut off at the room there is.
pub fn read_place<M: Memory>(mem: &M, (length, words): (&M::Word, &[M::Word])) -> Vec<u8> {
    let length = usize::try_from(mem.load::<R_WHERE>(length)).unwrap_or(usize::MAX);
    let bytes = words.iter().flat_map(|word| mem.load::<R_WHERE>(word).to_le_bytes());
    bytes.take(length).collect()
}

/// Says that a hand-over has begun which the block's name decides.
pub fn begin_move<M: Memory>(mem: &M, ring: &Ring<'_, M::Word>) {
    mem.store::<W_MOVING>(&ring.ack.closed, Fate::Moving.encode());
}

/// Says that the stream has moved.
pub fn finish_move<M: Memory>(mem: &M, ring: &Ring<'_, M::Word>) {
    // [moved] Every commit before, and the successor. Partner: `R_CLOSED`.
    mem.store::<W_MOVED>(&ring.ack.closed, Fate::Moved.encode());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Shared;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_is_read_as_it_was_written(place in prop::collection::vec(any::<u8>(), 0..60)) {
            let words: Vec<SharedWord> = (0..6).map(|_| SharedWord::default()).collect();
            let length = SharedWord::default();
            let written = write_place(&Shared, (&length, &words), &place);
            prop_assert_eq!(written, place.len() <= 48);
            let wanted = if written { place } else { Vec::new() };
            prop_assert_eq!(read_place(&Shared, (&length, &words)), wanted);
        }

        // Lengths in shared memory are input.
        #[test]
        fn no_length_leads_outside_the_room(length in any::<u64>()) {
            let words: Vec<SharedWord> = (0..6).map(|_| SharedWord::default()).collect();
            let bytes = read_place(&Shared, (&SharedWord::new(length), &words)).len() as u64;
            prop_assert_eq!(bytes, length.min(48));
        }
    }
}
