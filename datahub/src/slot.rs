//! One slot's state machine: `FREE → WRITING → COMMITTED → (DRAINING) → WRITING → …`.
//!
//! Who writes what: the producer moves the state; reader *i* sets and clears only bit *i*, and sets
//! it only by an exchange that finds COMMITTED. So WRITING means that nobody reads (F1, F5), and a
//! dead reader's bit is cleared exactly (F6, F27). The label stands beside the word and is compared
//! after admission (F4).
//! Knows nothing of: mappings, clocks, process ids, which slot comes next.
//! Edges: `W_COMMIT → R_ADMIT`, `W_COMMIT → R_NEXT`, `R_RELEASE → W_TAKE`. Checked by: `models`.

use core::mem::offset_of;

use crate::config::READERS_MAX;
use crate::layout;
use crate::memory::{Memory, SharedWord};
use crate::sequence::{self, Sequence};
use crate::sites::{
    R_ADMIT, R_LABEL, R_LENGTH, R_NEXT, R_PEEK, R_RELEASE, R_VALIDATE, W_ABORT, W_CLOSE, W_COMMIT,
    W_DRAIN, W_GENERATION, W_LABEL, W_LENGTH, W_LOOK, W_REOPEN, W_TAKE, X_UNPIN,
};

/// The state of a slot. Values as in HEP-CORE-0002.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SlotState {
    /// Holds nothing.
    Free = 0,
    /// The producer fills it.
    Writing = 1,
    /// Holds a payload that readers may enter.
    Committed = 2,
    /// Holds a payload; readers may finish, none may enter.
    Draining = 3,
}

/// A slot's word: state in bits 0–1, one bit a reader in bits 2–33, a sequence tag in bits 34–63.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotWord(u64);

const STATE_MASK: u64 = 0b11;
/// COMMITTED and DRAINING differ in this bit only.
const CLOSED_BIT: u64 = 0b01;
const READER_SHIFT: u32 = 2;
const READER_MASK: u64 = (u32::MAX as u64) << READER_SHIFT;
const TAG_SHIFT: u32 = READER_SHIFT + READERS_MAX;

impl SlotWord {
    /// The word of a slot in `state`, without readers, tagged for `sequence`.
    #[must_use]
    pub const fn new(state: SlotState, sequence: Sequence) -> Self {
        Self((state as u64) | sequence::tag(sequence) << TAG_SHIFT)
    }

    /// Reads a word as another process left it: every bit pattern is some word.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The word as it is stored.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The state.
    #[must_use]
    pub const fn state(self) -> SlotState {
        match self.0 & STATE_MASK {
            0 => SlotState::Free,
            1 => SlotState::Writing,
            2 => SlotState::Committed,
            _ => SlotState::Draining,
        }
    }

    /// Whether the slot is in `state`: a comparison, where decoding becomes a jump through a table.
    const fn is(self, state: SlotState) -> bool {
        self.0 & STATE_MASK == state as u64
    }

    /// One bit for each consumer that is inside.
    #[must_use]
    pub const fn readers(self) -> u32 {
        ((self.0 & READER_MASK) >> READER_SHIFT) as u32
    }

    /// The low bits of the sequence it holds or is being filled with.
    #[must_use]
    pub const fn tag(self) -> u64 {
        self.0 >> TAG_SHIFT
    }
}

/// Which consumer reads: the number of its bit, below [`READERS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader(u32);

impl Reader {
    /// The reader with this number.
    ///
    /// # Panics
    ///
    /// When `number` is not below [`READERS_MAX`]: a broken invariant of ours, never input.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        assert!(number < READERS_MAX, "reader numbers come from the heartbeat slots");
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Its bit among [`SlotWord::readers`].
    #[must_use]
    pub const fn mask(self) -> u32 {
        1 << self.0
    }

    /// Its bit in the word as stored.
    pub(crate) const fn bit(self) -> u64 {
        1 << (READER_SHIFT + self.0)
    }
}

/// Consumers, one bit each, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats(pub u32);

impl Seats {
    /// "consumer 3 is" or "consumers 0, 2 are", with the verb given in both numbers.
    #[must_use]
    pub fn did_not(self, one: &str, many: &str) -> String {
        let seats = (0..READERS_MAX).filter(|seat| self.0 & (1 << seat) != 0);
        let seats: Vec<String> = seats.map(|seat| seat.to_string()).collect();
        match seats.as_slice() {
            [] => format!("consumers {many}"),
            [seat] => format!("consumer {seat} {one}"),
            seats => format!("consumers {} {many}", seats.join(", ")),
        }
    }
}

/// The shared record of one slot: one cache line. Its second half holds the payload, if that fits.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct SlotRWState<W> {
    /// State, readers and tag: see [`SlotWord`].
    pub word: W,
    /// The sequence that the slot holds, meaningful while COMMITTED or DRAINING.
    pub sequence: W,
    /// How many commits this slot has seen.
    pub write_generation: W,
    /// Bytes in use of the payload.
    pub payload_bytes: W,
}

const _: () = assert!(size_of::<SlotRWState<SharedWord>>() == layout::LINE);
const _: () = assert!(align_of::<SlotRWState<SharedWord>>() == layout::LINE);
const _: () = assert!(offset_of!(SlotRWState<SharedWord>, word) == 0);
const _: () = assert!(offset_of!(SlotRWState<SharedWord>, sequence) == 8);
const _: () = assert!(offset_of!(SlotRWState<SharedWord>, write_generation) == 16);
const _: () = assert!(offset_of!(SlotRWState<SharedWord>, payload_bytes) == 24);
const _: () =
    assert!(layout::INLINE >= 32 && layout::INLINE_BYTES == layout::LINE - layout::INLINE);

/// Why the writer cannot have the slot now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// These readers are inside (one bit each); the slot is as before.
    Readers(u32),
    /// Somebody is writing it: a call out of order, or a death that nobody has recovered from.
    Writing,
}

/// Takes the slot for `sequence` if nobody reads it: looks once.
///
/// # Errors
///
/// [`Refusal`], and the slot is as before.
pub fn take<M: Memory>(
    mem: &M,
    slot: &SlotRWState<M::Word>,
    sequence: Sequence,
) -> Result<(), Refusal> {
    take_from(mem, slot, SlotWord(mem.load::<W_LOOK>(&slot.word)), sequence)
}

/// Exchanges `seen`, if it has no readers, for WRITING.
fn take_from<M: Memory>(
    mem: &M,
    slot: &SlotRWState<M::Word>,
    seen: SlotWord,
    sequence: Sequence,
) -> Result<(), Refusal> {
    if seen.is(SlotState::Writing) {
        return Err(Refusal::Writing);
    }
    // Nobody is ever inside a FREE slot, whatever its bits say.
    if seen.readers() != 0 && !seen.is(SlotState::Free) {
        return Err(Refusal::Readers(seen.readers()));
    }
    let writing = SlotWord::new(SlotState::Writing, sequence);
    // [take] The readers' last accesses come before our first store. Partner: `R_RELEASE`.
    match mem.compare_exchange::<W_TAKE>(&slot.word, seen.bits(), writing.bits()) {
        Ok(_) => Ok(()),
        Err(found) => Err(Refusal::Readers(SlotWord(found).readers())),
    }
}

/// Closes the slot to new readers, waits until those inside have left, and takes it.
///
/// `wait` is called with the readers still inside, before the slot is closed and then each time
/// it is looked at; it says whether to go on. So a writer that does not wait closes nothing.
///
/// # Errors
///
/// [`Refusal`]: `wait` gave up. The payload is as before and readers may enter again.
///
/// Source: HEP-CORE-0002 §4.2.1 drains before it closes, which tears (F1); we close first.
pub fn drain<M: Memory>(
    mem: &M,
    slot: &SlotRWState<M::Word>,
    sequence: Sequence,
    mut wait: impl FnMut(u32) -> bool,
) -> Result<(), Refusal> {
    match take(mem, slot, sequence) {
        Err(Refusal::Readers(readers)) if wait(readers) => close(mem, slot),
        decided => return decided,
    }
    loop {
        let seen = SlotWord(mem.load::<W_DRAIN>(&slot.word));
        match take_from(mem, slot, seen, sequence) {
            Err(Refusal::Readers(readers)) if wait(readers) => {}
            Err(refusal) => {
                reopen(mem, slot);
                return Err(refusal);
            }
            Ok(()) => return Ok(()),
        }
    }
}

/// COMMITTED → DRAINING. Only for a slot that was refused because of readers: a FREE one never is.
pub fn close<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>) {
    mem.fetch_or::<W_CLOSE>(&slot.word, CLOSED_BIT);
}

/// DRAINING → COMMITTED: the writer gave up, the payload is untouched.
pub fn reopen<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>) {
    mem.fetch_and::<W_REOPEN>(&slot.word, !CLOSED_BIT);
}

/// Publishes what the writer wrote. `generation` is this slot's commits so far.
pub fn commit<M: Memory>(
    mem: &M,
    slot: &SlotRWState<M::Word>,
    sequence: Sequence,
    payload_bytes: u64,
    generation: u64,
) {
    mem.store::<W_LABEL>(&slot.sequence, sequence);
    mem.store::<W_LENGTH>(&slot.payload_bytes, payload_bytes);
    mem.store::<W_GENERATION>(&slot.write_generation, generation);
    let committed = SlotWord::new(SlotState::Committed, sequence);
    // [commit] publishes payload, label and length. Partners: `R_ADMIT`, `R_NEXT`.
    mem.store::<W_COMMIT>(&slot.word, committed.bits());
}

/// Gives the slot up: it holds nothing, and no sequence was spent.
pub fn abort<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>, sequence: Sequence) {
    let free = SlotWord::new(SlotState::Free, sequence);
    mem.store::<W_ABORT>(&slot.word, free.bits());
}

/// What a reader was admitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The label: which commit this is.
    pub sequence: Sequence,
    /// Bytes in use, as found in shared memory: bound it before use.
    pub payload_bytes: u64,
    /// How many readers were inside, this one included.
    pub readers: u32,
}

/// Why a reader was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The slot is FREE, WRITING or DRAINING.
    NotCommitted,
    /// It holds another commit than the one looked for.
    OtherCommit,
    /// Other readers came and went so fast that this one gave up: try again.
    Contended,
}

/// Enters the slot, if it is COMMITTED and its tag is `tag`.
///
/// One successful exchange is the whole admission: it returns the state it was admitted under.
/// The caller compares the label: a tag is only its low bits.
///
/// # Errors
///
/// [`NotAdmitted`]: this reader is not inside.
pub fn admit<M: Memory>(
    mem: &M,
    slot: &SlotRWState<M::Word>,
    reader: Reader,
    tag: u64,
) -> Result<Admission, NotAdmitted> {
    let mut seen = SlotWord(mem.load::<R_PEEK>(&slot.word));
    // Every other reader can come between us once on its way in and once on its way out.
    for _ in 0..2 * READERS_MAX {
        if seen.state() != SlotState::Committed {
            return Err(NotAdmitted::NotCommitted);
        }
        if seen.tag() != tag {
            return Err(NotAdmitted::OtherCommit);
        }
        let entered = seen.bits() | reader.bit();
        // [admit] Payload and label of this commit. Partner: `W_COMMIT`.
        match mem.compare_exchange::<R_ADMIT>(&slot.word, seen.bits(), entered) {
            Ok(_) => return Ok(admission(mem, slot, SlotWord(entered).readers().count_ones())),
            Err(found) => seen = SlotWord(found),
        }
    }
    Err(NotAdmitted::Contended)
}

/// Looks whether the slot holds `sequence`, for a reader whose cursor keeps the writer out.
///
/// # Errors
///
/// The word found, when it does not.
#[inline]
pub fn look<M: Memory>(
    mem: &M,
    slot: &SlotRWState<M::Word>,
    sequence: Sequence,
) -> Result<Admission, SlotWord> {
    // [next] Payload and label of this commit. Partner: `W_COMMIT`.
    let seen = SlotWord(mem.load::<R_NEXT>(&slot.word));
    if seen.tag() != sequence::tag(sequence) || !seen.is(SlotState::Committed) {
        return Err(seen);
    }
    let admission = admission(mem, slot, 1);
    if admission.sequence == sequence { Ok(admission) } else { Err(seen) }
}

fn admission<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>, readers: u32) -> Admission {
    Admission {
        sequence: mem.load::<R_LABEL>(&slot.sequence),
        payload_bytes: mem.load::<R_LENGTH>(&slot.payload_bytes),
        readers,
    }
}

/// Whether the slot still holds `sequence`, and nobody writes it (F3). Always so while the reader
/// is inside; a check of ours on ourselves and on recovery.
pub fn validate<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>, sequence: Sequence) -> bool {
    let seen = SlotWord(mem.load::<R_VALIDATE>(&slot.word));
    let readable = matches!(seen.state(), SlotState::Committed | SlotState::Draining);
    readable
        && seen.tag() == sequence::tag(sequence)
        && mem.load::<R_LABEL>(&slot.sequence) == sequence
}

/// Whether the slot looks as if it held `sequence`; admission decides.
pub fn seems_to_hold<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>, sequence: Sequence) -> bool {
    let seen = SlotWord(mem.load::<R_PEEK>(&slot.word));
    seen.state() == SlotState::Committed
        && seen.tag() == sequence::tag(sequence)
        && mem.load::<R_LABEL>(&slot.sequence) == sequence
}

/// Clears bits that belong to no reader: another process wrote nonsense.
pub fn clear_strays<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>, known: u32) {
    mem.fetch_and::<X_UNPIN>(&slot.word, !(u64::from(!known) << READER_SHIFT));
}

/// The readers that `seats` seats can have, one bit each.
#[must_use]
pub const fn known_readers(seats: usize) -> u32 {
    if seats >= READERS_MAX as usize { u32::MAX } else { (1 << seats) - 1 }
}

/// Leaves the slot. Returns whether this reader was inside.
pub fn release<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>, reader: Reader) -> bool {
    // [release] The reader's last access to the payload. Partner: `W_TAKE`.
    mem.fetch_and::<R_RELEASE>(&slot.word, !reader.bit()) & reader.bit() != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Shared;

    #[test]
    fn a_reader_inside_keeps_the_writer_out_and_its_payload_readable() {
        let (slot, reader) = (SlotRWState::default(), Reader::new(3));
        take(&Shared, &slot, 7).unwrap();
        assert_eq!(admit(&Shared, &slot, reader, 7), Err(NotAdmitted::NotCommitted));
        commit(&Shared, &slot, 7, 48, 1);
        assert_eq!(admit(&Shared, &slot, reader, 8), Err(NotAdmitted::OtherCommit));
        let admission = admit(&Shared, &slot, reader, 7).unwrap();
        assert_eq!((admission.sequence, admission.payload_bytes, admission.readers), (7, 48, 1));
        let mut looks = 0;
        let drained = drain(&Shared, &slot, 8, |inside| {
            looks += 1;
            assert_eq!(inside, reader.mask());
            looks < 3
        });
        assert_eq!(drained, Err(Refusal::Readers(reader.mask())));
        assert!(look(&Shared, &slot, 7).is_ok());
        assert!(release(&Shared, &slot, reader));
        assert!(!release(&Shared, &slot, reader));
        assert_eq!(drain(&Shared, &slot, 8, |_| false), Ok(()));
        abort(&Shared, &slot, 8);
        assert_eq!(take(&Shared, &slot, 8), Ok(()));
    }
}
