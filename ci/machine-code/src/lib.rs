//! The same work twice: by the shipped protocol over its memory trait, and by hand. `ci/codegen`
//! compiles both and compares the instructions: sites cost nothing.
//!
//! Each pair is `shipped_x` and `by_hand_x`; one that must differ is `shipped_x` and `wrong_x`.

#![forbid(unsafe_code)]
#![expect(clippy::cast_possible_truncation, reason = "the low half of a word is what is meant")]
#![expect(
    clippy::disallowed_methods,
    reason = "the point is to do by hand what is refused elsewhere"
)]

pub mod listing;

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::fence;

use datahub::cursor::{self, CursorLine};
use datahub::memory::{Shared, SharedWord};
use datahub::park::{self, ParkLine};
use datahub::slot::{self, Reader, Refusal, SlotRWState};

type Slot = SlotRWState<SharedWord>;

const STATE: u64 = 0b11;
const FREE: u64 = 0;
const WRITING: u64 = 1;
const COMMITTED: u64 = 2;
const TAG_SHIFT: u32 = 34;

/// Takes a slot.
///
/// # Errors
///
/// Why not.
#[inline(never)]
pub fn shipped_take(slot: &Slot, sequence: u64) -> Result<(), Refusal> {
    slot::take(&Shared, slot, sequence)
}

/// The same by hand.
///
/// # Errors
///
/// Why not.
#[inline(never)]
pub fn by_hand_take(slot: &Slot, sequence: u64) -> Result<(), Refusal> {
    let seen = slot.word.load(Relaxed);
    let (state, readers) = (seen & STATE, (seen >> 2) as u32);
    if state == WRITING {
        return Err(Refusal::Writing);
    }
    if readers != 0 && state != FREE {
        return Err(Refusal::Readers(readers));
    }
    let writing = WRITING | sequence << TAG_SHIFT;
    match slot.word.compare_exchange(seen, writing, Acquire, Relaxed) {
        Ok(_) => Ok(()),
        Err(found) => Err(Refusal::Readers((found >> 2) as u32)),
    }
}

/// Publishes a slot.
#[inline(never)]
pub fn shipped_commit(slot: &Slot, sequence: u64, bytes: u64, generation: u64) {
    slot::commit(&Shared, slot, sequence, bytes, generation);
}

/// The same by hand.
#[inline(never)]
pub fn by_hand_commit(slot: &Slot, sequence: u64, bytes: u64, generation: u64) {
    slot.sequence.store(sequence, Relaxed);
    slot.payload_bytes.store(bytes, Relaxed);
    slot.write_generation.store(generation, Relaxed);
    slot.word.store(COMMITTED | (sequence & ((1 << 30) - 1)) << TAG_SHIFT, Release);
}

/// A commit with a needless strongest store: the comparison must see it.
#[inline(never)]
pub fn wrong_commit(slot: &Slot, sequence: u64, bytes: u64, generation: u64) {
    slot.sequence.store(sequence, Relaxed);
    slot.payload_bytes.store(bytes, Relaxed);
    slot.write_generation.store(generation, Relaxed);
    slot.word.store(COMMITTED | (sequence & ((1 << 30) - 1)) << TAG_SHIFT, SeqCst);
}

/// Leaves a slot.
#[inline(never)]
#[must_use]
pub fn shipped_release(slot: &Slot, reader: Reader) -> bool {
    slot::release(&Shared, slot, reader)
}

/// The same by hand.
#[inline(never)]
#[must_use]
pub fn by_hand_release(slot: &Slot, reader: Reader) -> bool {
    let bit = 1_u64 << (2 + reader.number());
    slot.word.fetch_and(!bit, Release) & bit != 0
}

/// Enters a slot as a reader that pins does.
#[inline(never)]
#[must_use]
pub fn shipped_admit(slot: &Slot, reader: Reader, tag: u64) -> u64 {
    let admitted = slot::admit(&Shared, slot, reader, tag);
    admitted.map_or(u64::MAX, |admission| admission.sequence ^ admission.payload_bytes)
}

/// The same by hand.
#[inline(never)]
#[must_use]
pub fn by_hand_admit(slot: &Slot, reader: Reader, tag: u64) -> u64 {
    let mut seen = slot.word.load(Relaxed);
    let bit = 1_u64 << (2 + reader.number());
    for _ in 0..64 {
        if seen & STATE != COMMITTED || seen >> TAG_SHIFT != tag {
            return u64::MAX;
        }
        match slot.word.compare_exchange(seen, seen | bit, Acquire, Relaxed) {
            Ok(_) => return slot.sequence.load(Relaxed) ^ slot.payload_bytes.load(Relaxed),
            Err(found) => seen = found,
        }
    }
    u64::MAX
}

/// Looks at a slot as a gated reader does.
#[inline(never)]
#[must_use]
pub fn shipped_look(slot: &Slot, sequence: u64) -> u64 {
    slot::look(&Shared, slot, sequence).map_or(u64::MAX, |admission| admission.payload_bytes)
}

/// The same by hand.
#[inline(never)]
#[must_use]
pub fn by_hand_look(slot: &Slot, sequence: u64) -> u64 {
    let seen = slot.word.load(Acquire);
    if seen >> TAG_SHIFT != sequence & ((1 << 30) - 1) || seen & STATE != COMMITTED {
        return u64::MAX;
    }
    let (label, bytes) = (slot.sequence.load(Relaxed), slot.payload_bytes.load(Relaxed));
    if label == sequence { bytes } else { u64::MAX }
}

/// Publishes a cursor.
#[inline(never)]
pub fn shipped_cursor(line: &CursorLine<SharedWord>, cursor: u64) {
    cursor::publish(&Shared, line, cursor);
}

/// The same by hand.
#[inline(never)]
pub fn by_hand_cursor(line: &CursorLine<SharedWord>, cursor: u64) {
    line.cursor.store(cursor, Release);
}

/// Looks for sleepers.
#[inline(never)]
#[must_use]
pub fn shipped_ring(line: &ParkLine<SharedWord>) -> bool {
    park::ring(&Shared, line)
}

/// The same by hand.
#[inline(never)]
#[must_use]
pub fn by_hand_ring(line: &ParkLine<SharedWord>) -> bool {
    fence(SeqCst);
    let anyone = line.sleepers.load(Relaxed) != 0;
    if anyone {
        line.signal.fetch_add(1, Relaxed);
    }
    anyone
}

/// The same without its fence: the comparison must see it.
#[inline(never)]
#[must_use]
pub fn wrong_ring(line: &ParkLine<SharedWord>) -> bool {
    let anyone = line.sleepers.load(Relaxed) != 0;
    if anyone {
        line.signal.fetch_add(1, Relaxed);
    }
    anyone
}
