//! Evicting a living consumer: it may be copying what the producer is about to overwrite.
//!
//! The producer retires the consumer's seat, fences, and only then writes; the consumer copies,
//! fences, and only then looks whether it still stands. If anything that it copied was written after
//! the eviction, it sees that it was evicted (F3). Both sides go word by word, so a copy that is not
//! believed is not undefined either.
//! The seat stays retired until its owner leaves or is proved dead: nobody else gets its bit, and an
//! owner that wakes up later touches nobody's. While the producer takes the seat's pins and registration
//! away the seat is BUSY and nobody may free it: they would be a newcomer's.
//! Somebody outside only marks a seat; the producer evicts its owner when it finds the mark in its way. So
//! the mark may be made twice, or by who dies at it.
//! Knows nothing of: clocks, tokens, who is too slow.
//! Edge: `E_MARK → E_CHECK`. Checked by: `models` (`eviction/…`).

use crate::heartbeat::{self, HeartbeatSlot};
use crate::memory::Memory;
use crate::ring::Ring;
use crate::sites::{
    E_CHECK, E_COPY, E_DONE, E_FILL, E_LEAVE, E_MARK, E_RETIRE, E_STANDS, E_UNPIN, X_LOOK,
};
use crate::slot::Reader;

/// Takes the consumer `reader` out of the producer's way, if the word of its seat is still `seen`: that
/// of an owner who is attached, or was evicted before. Only the producer calls this.
/// Says whether it was done.
pub fn evict<M: Memory>(
    mem: &M,
    ring: &Ring<'_, M::Word>,
    seat: &HeartbeatSlot<M::Word>,
    (reader, seen): (Reader, u64),
) -> bool {
    let Some(evicting) = heartbeat::evicting(seen) else { return false };
    // A seat that was given to somebody else meanwhile has another epoch.
    if mem.compare_exchange::<E_RETIRE>(&seat.word, seen, evicting).is_err() {
        return false;
    }
    // [mark] The retired seat before our first store to what it may copy. Partner: `E_CHECK`.
    mem.fence::<E_MARK>();
    for slot in ring.slots {
        if mem.load::<X_LOOK>(&slot.word) & reader.bit() != 0 {
            mem.fetch_and::<E_UNPIN>(&slot.word, !reader.bit());
        }
    }
    mem.fetch_and::<E_LEAVE>(&ring.registry.registry, !u64::from(reader.mask()));
    finish(mem, seat);
    true
}

/// Marks the owner of a seat as evicted, if the word of its seat is still `seen`: that of one who is
/// attached. The producer takes it out of the way when it stands there. Says whether it was done.
///
/// Where payloads are read in place, the owner may be reading one that is then overwritten: it is the
/// caller's to know that it is not.
pub fn mark<M: Memory>(mem: &M, seat: &HeartbeatSlot<M::Word>, seen: u64) -> bool {
    let Some(marked) = heartbeat::marked(seen) else { return false };
    mem.compare_exchange::<E_RETIRE>(&seat.word, seen, marked).is_ok()
}

/// Evicts the owner of a seat that [`mark`] has marked. Only the producer calls this. Says whether it
/// was one.
pub fn evict_marked<M: Memory>(
    mem: &M,
    ring: &Ring<'_, M::Word>,
    seat: &HeartbeatSlot<M::Word>,
    reader: Reader,
) -> bool {
    let seen = word(mem, seat);
    heartbeat::is_evicted(seen) && evict(mem, ring, seat, (reader, seen))
}

/// The seat may be freed again. Also called by who succeeds a producer that died while it evicted.
pub fn finish<M: Memory>(mem: &M, seat: &HeartbeatSlot<M::Word>) {
    // [done] What we took from the seat, before the next owner adds to it. Partner: `E_CLEAR`.
    mem.fetch_and::<E_DONE>(&seat.word, !heartbeat::BUSY);
}

/// The word of a seat, to be compared later.
pub fn word<M: Memory>(mem: &M, seat: &HeartbeatSlot<M::Word>) -> u64 {
    mem.load::<E_STANDS>(&seat.word)
}

/// Whether the seat still is what it was when `word` was read: asked after a copy, which may then be
/// believed.
pub fn stands<M: Memory>(mem: &M, seat: &HeartbeatSlot<M::Word>, word: u64) -> bool {
    // [check] Our copy before our look at the seat. Partner: `E_MARK`.
    mem.fence::<E_CHECK>();
    mem.load::<E_STANDS>(&seat.word) == word
}

/// Copies a payload out of `words`.
pub fn copy_out<M: Memory>(mem: &M, words: &[M::Word], bytes: &mut [u8]) {
    for (word, chunk) in words.iter().zip(bytes.chunks_mut(size_of::<u64>())) {
        chunk.copy_from_slice(&mem.load::<E_COPY>(word).to_le_bytes()[..chunk.len()]);
    }
}

/// Copies a payload into `words`; the last one is filled up with zeros.
pub fn copy_in<M: Memory>(mem: &M, words: &[M::Word], bytes: &[u8]) {
    for (word, chunk) in words.iter().zip(bytes.chunks(size_of::<u64>())) {
        let mut full = [0; size_of::<u64>()];
        full[..chunk.len()].copy_from_slice(chunk);
        mem.store::<E_FILL>(word, u64::from_le_bytes(full));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Shared, SharedWord};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_payload_is_copied_out_as_it_was_copied_in(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let words: Vec<SharedWord> = (0..5).map(|_| SharedWord::new(u64::MAX)).collect();
            copy_in(&Shared, &words, &bytes);
            let mut found = vec![0xaa; bytes.len()];
            copy_out(&Shared, &words, &mut found);
            prop_assert_eq!(found, bytes);
        }
    }
}
