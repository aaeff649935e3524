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
use crate::sequence::{self, Sequence};
use crate::sites::{R_COMMIT_INDEX, R_LABEL, W_COMMIT_INDEX, W_LATEST};
use crate::sites::{X_GENERATION, X_LEAVE, X_LOOK, X_RESET, X_SCAN, X_UNPIN};
use crate::slot::{self, Reader, SlotRWState, SlotState, SlotWord};

/// Clears everything that a dead consumer held. The caller holds the consumer's token.
///
/// The heartbeat slot is EMPTY afterwards. Exactly this consumer's bits are touched (F6, F27).
/// Says whether it was done: not while the producer evicts the consumer.
pub fn reap<M: Memory>(
    mem: &M,
    ring: &Ring<'_, M::Word>,
    (heartbeat, parked): (&HeartbeatSlot<M::Word>, &ParkLine<M::Word>),
    reader: Reader,
) -> bool {
    let Some(epoch) = heartbeat::retire(mem, heartbeat) else { return false };
    for slot in ring.slots {
        if mem.load::<X_LOOK>(&slot.word) & reader.bit() != 0 {
            // [unpin] Its last access, which the kernel ordered before us. Partner: `W_TAKE`.
            mem.fetch_and::<X_UNPIN>(&slot.word, !reader.bit());
        }
    }
    mem.fetch_and::<X_LEAVE>(&ring.registry.registry, !u64::from(reader.mask()));
    park::awake(mem, parked, reader.number());
    heartbeat::free(mem, heartbeat, epoch);
    true
}

/// Takes a ring over from a dead producer, or begins an empty one.
/// The caller holds the producer's token.
///
/// A half-written slot becomes FREE, a drained one COMMITTED again. Commits that were made but not
/// announced are announced, as far as they follow one another: a batch is published from its last
/// slot to its first, so one that misses its first is given up as a whole. A slot whose label
/// cannot be right holds nothing afterwards and is counted. Sequences go on where they stopped.
pub fn resume<M: Memory>(mem: &M, ring: &Ring<'_, M::Word>, rules: Rules) -> RingWriter {
    let announced = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index).max(rules.first);
    let latest_possible = announced.saturating_add(rules.slots as u64);
    let (mut held, mut discarded) = (Vec::with_capacity(ring.slots.len()), 0);
    for (index, slot) in ring.slots.iter().enumerate() {
        let generation = mem.load::<X_GENERATION>(&slot.write_generation);
        let placed = |label| rules.sync == ConsumerSync::LatestOnly || rules.index(label) == index;
        let label = settle(mem, slot);
        let right =
            label.filter(|&label| placed(label) && (rules.first..latest_possible).contains(&label));
        if label.is_some() && right.is_none() {
            slot::abort(mem, slot, 0);
            discarded += 1;
        }
        held.push(Held { end: right.map_or(0, |label| label + 1), generation });
    }
    let mut commits = announced;
    while commits != Sequence::MAX && held.iter().any(|held| held.end == commits + 1) {
        commits += 1;
    }
    for (held, slot) in held.iter_mut().zip(ring.slots).filter(|(held, _)| held.end > commits) {
        slot::abort(mem, slot, held.end - 1);
        held.end = 0;
    }
    mem.store::<W_COMMIT_INDEX>(&ring.producer.commit_index, commits);
    let newest = held.iter().position(|held| held.end != 0 && held.end == commits);
    if let (ConsumerSync::LatestOnly, Some(index)) = (rules.sync, newest) {
        mem.store::<W_LATEST>(&ring.producer.latest, Newest::new(commits - 1, index).encode());
    }
    RingWriter::resume(rules, commits, held.into()).with_discarded(discarded)
}

/// Puts one slot into a state of rest; returns the label of what it holds.
fn settle<M: Memory>(mem: &M, slot: &SlotRWState<M::Word>) -> Option<Sequence> {
    // Readers come and go meanwhile: at most one exchange for each of their steps fails.
    for _ in 0..128 {
        let seen = SlotWord::from_bits(mem.load::<X_SCAN>(&slot.word));
        let rest = match seen.state() {
            SlotState::Free => return None,
            SlotState::Committed => {
                let label = mem.load::<R_LABEL>(&slot.sequence);
                // A word and a label that disagree name no commit.
                let agree = sequence::tag(label) == seen.tag();
                return Some(if agree { label } else { Sequence::MAX });
            }
            SlotState::Writing => SlotState::Free,
            SlotState::Draining => SlotState::Committed,
        };
        let rested = (seen.bits() & !0b11) | rest as u64;
        // A failed exchange looks again.
        let _found = mem.compare_exchange::<X_RESET>(&slot.word, seen.bits(), rested);
    }
    None
}
