//! Recovery rules: what the living do with what the dead left behind.
//!
//! Death is proved by the kernel's token, which the caller holds in the dead one's place; so
//! every rule here has one executor at a time. Each is idempotent: it may be repeated, and the one
//! who executes it may die at any step. No rule touches a checksum (F28).
//! Knows nothing of: tokens, clocks, process ids.

use crate::config::ConsumerSync;
use crate::heartbeat::{self, HeartbeatSlot};
use crate::memory::Memory;
use crate::park::{self, ParkLine};
use crate::ring::writer::{Held, RingWriter};
use crate::ring::{Newest, Ring, Rules};
use crate::sequence::Sequence;
use crate::sites::{R_COMMIT_INDEX, R_LABEL, W_COMMIT_INDEX, W_LATEST};
use crate::sites::{X_LEAVE, X_RESET, X_SCAN, X_UNPIN};
use crate::slot::{Reader, SlotRWState, SlotState, SlotWord};

/// Clears everything that a dead consumer held. The caller holds the consumer's token.
///
/// The heartbeat slot is EMPTY afterwards. Exactly this consumer's bits are touched (F6, F27).
pub fn reap<M: Memory>(
    mem: &M,
    ring: &Ring<'_, M::Word>,
    (heartbeat, parked): (&HeartbeatSlot<M::Word>, &ParkLine<M::Word>),
    reader: Reader,
) {
    let epoch = heartbeat::retire(mem, heartbeat);
    for slot in ring.slots {
        // [unpin] Its last access, which the kernel ordered before us. Partner: `W_TAKE`.
        mem.fetch_and::<X_UNPIN>(&slot.word, !reader.bit());
    }
    mem.fetch_and::<X_LEAVE>(&ring.registry.registry, !u64::from(reader.mask()));
    park::awake(mem, parked, reader.number());
    heartbeat::free(mem, heartbeat, epoch);
}

/// Takes a ring over from a dead producer, or begins an empty one.
/// The caller holds the producer's token.
///
/// A half-written slot becomes FREE, a drained one COMMITTED again; a commit that was made but not
/// announced is announced. Sequences go on where they stopped.
pub fn resume<M: Memory>(
    mem: &M,
    ring: &Ring<'_, M::Word>,
    rules: Rules,
) -> RingWriter {
    let mut held = vec![Held::default(); ring.slots.len()].into_boxed_slice();
    let mut newest: Option<(Sequence, usize)> = None;
    for (index, slot) in ring.slots.iter().enumerate() {
        let generation = mem.load::<R_LABEL>(&slot.write_generation);
        let label = settle(mem, slot);
        held[index] = Held { end: label.map_or(0, |label| label + 1), generation };
        if let Some(label) = label.filter(|&label| newest.is_none_or(|(best, _)| label > best)) {
            newest = Some((label, index));
        }
    }
    let announced = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
    let commits = newest.map_or(0, |(label, _)| label + 1).max(announced).max(rules.first);
    mem.store::<W_COMMIT_INDEX>(&ring.producer.commit_index, commits);
    if let (ConsumerSync::LatestOnly, Some((label, index))) = (rules.sync, newest) {
        mem.store::<W_LATEST>(&ring.producer.latest, Newest::new(label, index).encode());
    }
    RingWriter::resume(rules, commits, held)
}

/// Puts one slot into a state of rest; returns the label of what it holds.
fn settle<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>) -> Option<Sequence> {
    // Readers come and go meanwhile: at most one exchange for each of their steps fails.
    for _ in 0..128 {
        let seen = SlotWord::from_bits(mem.load::<X_SCAN>(&slot.word));
        let rest = match seen.state() {
            SlotState::Free => return None,
            SlotState::Committed => return Some(mem.load::<R_LABEL>(&slot.sequence)),
            SlotState::Writing => SlotState::Free,
            SlotState::Draining => SlotState::Committed,
        };
        let rested = (seen.bits() & !0b11) | rest as u64;
        // A failed exchange looks again.
        let _found = mem.compare_exchange::<X_RESET>(&slot.word, seen.bits(), rested);
    }
    None
}
