//! Heartbeat slots: who is attached, and when they last said so.
//!
//! A slot has one owner, the process that holds the kernel's token for it; the words here only
//! tell others who that is. `EMPTY → CLAIMING → LIVE → RETIRING → EMPTY`; each claim raises the
//! epoch. The identity is written while CLAIMING and visible when LIVE, and the slot is cleaned
//! before it is EMPTY again (F22, F30b).
//! A late beat is a hint, never a proof of death (F30).
//! Knows nothing of: clocks, process ids, tokens.

use crate::layout;
use crate::memory::{Memory, SharedWord};
use crate::sites::{
    E_CLEAR, H_AGE, H_BEAT, H_CLAIM, H_FREE, H_IDENTITY, H_LIVE, H_LOOK, H_RETIRE, H_SCAN, H_WHO,
};

/// One heartbeat slot: one cache line.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct HeartbeatSlot<W> {
    /// State in bits 0–1, the number of claims so far above them, [`EVICTED`] and [`BUSY`] at the top.
    pub word: W,
    /// The owner's process id, as it saw itself.
    pub process: W,
    /// When the owner attached, monotonic nanoseconds.
    pub since_ns: W,
    /// The owner's last beat, monotonic nanoseconds.
    pub last_heartbeat_ns: W,
}

const _: () = assert!(size_of::<HeartbeatSlot<SharedWord>>() == layout::LINE);

/// The owner was evicted and has not left since: then the state is RETIRING.
pub const EVICTED: u64 = 1 << 62;
/// The producer is evicting the owner at this moment.
pub const BUSY: u64 = 1 << 63;

/// The state of a heartbeat slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupancy {
    /// Nobody's.
    Empty,
    /// The owner writes its identity.
    Claiming,
    /// The owner is attached.
    Live,
    /// Being cleaned, by its owner or after its death.
    Retiring,
}

impl Occupancy {
    const fn of(word: u64) -> Self {
        match word & 0b11 {
            0 => Self::Empty,
            1 => Self::Claiming,
            2 => Self::Live,
            _ => Self::Retiring,
        }
    }

    const fn in_epoch(self, epoch: u64) -> u64 {
        epoch << 2 | self as u64
    }
}

/// What a slot says about its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The process id it gave.
    pub process: u64,
    /// When it attached, monotonic nanoseconds.
    pub since_ns: u64,
    /// Its last beat, monotonic nanoseconds.
    pub last_heartbeat_ns: u64,
    /// Which claim of this slot it was.
    pub epoch: u64,
}

/// Claims the slot for `process` at `now_ns`. Only the holder of the slot's token calls this.
///
/// # Errors
///
/// The occupancy found, when it was not EMPTY: the former owner died here and must be reaped.
pub fn claim<M: Memory>(
    mem: &M,
    slot: &HeartbeatSlot<M::Word>,
    process: u64,
    now_ns: u64,
) -> Result<u64, Occupancy> {
    let seen = mem.load::<H_SCAN>(&slot.word);
    if Occupancy::of(seen) != Occupancy::Empty {
        return Err(Occupancy::of(seen));
    }
    let epoch = (seen >> 2) + 1;
    // [claim] What the former owner left, before ours. Partner: `H_FREE`.
    mem.compare_exchange::<H_CLAIM>(&slot.word, seen, Occupancy::Claiming.in_epoch(epoch))
        .map_err(Occupancy::of)?;
    mem.store::<H_IDENTITY>(&slot.process, process);
    mem.store::<H_IDENTITY>(&slot.since_ns, now_ns);
    mem.store::<H_IDENTITY>(&slot.last_heartbeat_ns, now_ns);
    // [live] The identity. Partner: `H_LOOK`.
    mem.store::<H_LIVE>(&slot.word, Occupancy::Live.in_epoch(epoch));
    Ok(epoch)
}

/// Writes into an EMPTY slot that nobody has found yet whom it is kept for.
pub fn keep_for<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>, process: u64) {
    mem.store::<H_IDENTITY>(&slot.process, process);
}

/// The process that the slot names, whatever its state.
pub fn process<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>) -> u64 {
    mem.load::<H_WHO>(&slot.process)
}

/// Whether a slot with this word has an owner who is attached.
#[must_use]
pub const fn is_live(word: u64) -> bool {
    matches!(Occupancy::of(word), Occupancy::Live)
}

/// Whether the owner of a slot with this word was evicted and has not left since.
#[must_use]
pub const fn is_evicted(word: u64) -> bool {
    word & EVICTED != 0
}

/// The word of a slot whose owner is attached by the claim `epoch`.
#[must_use]
pub const fn live(epoch: u64) -> u64 {
    Occupancy::Live.in_epoch(epoch)
}

/// How often a slot with this word has been claimed.
#[must_use]
pub const fn epoch(word: u64) -> u64 {
    (word & !(EVICTED | BUSY)) >> 2
}

/// The word of the same claim while the producer evicts its owner; `None` when there is nobody.
pub(crate) const fn evicting(word: u64) -> Option<u64> {
    if is_live(word) || is_evicted(word) && word & BUSY == 0 {
        return Some(word | Occupancy::Retiring as u64 | EVICTED | BUSY);
    }
    None
}

/// The word of the same claim after somebody outside has marked its owner as evicted; `None` when nobody
/// is attached.
pub(crate) const fn marked(word: u64) -> Option<u64> {
    if is_live(word) { Some(word | Occupancy::Retiring as u64 | EVICTED) } else { None }
}

/// Says that the owner is there.
pub fn beat<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>, now_ns: u64) {
    mem.store::<H_BEAT>(&slot.last_heartbeat_ns, now_ns);
}

/// The owner, if the slot is LIVE and stays with it while it is read.
pub fn owner<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>) -> Option<Owner> {
    let word = mem.load::<H_LOOK>(&slot.word);
    let owner = Owner {
        // [who] A successor's identity shows its claim. Partner: `H_IDENTITY`.
        process: mem.load::<H_WHO>(&slot.process),
        since_ns: mem.load::<H_WHO>(&slot.since_ns),
        last_heartbeat_ns: mem.load::<H_AGE>(&slot.last_heartbeat_ns),
        epoch: word >> 2,
    };
    let unchanged = mem.load::<H_LOOK>(&slot.word) == word;
    (Occupancy::of(word) == Occupancy::Live && unchanged).then_some(owner)
}

/// Whether the slot is anybody's, alive or dead.
pub fn occupied<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>) -> bool {
    Occupancy::of(mem.load::<H_SCAN>(&slot.word)) != Occupancy::Empty
}

/// Marks the slot as being cleaned, whatever its owner was doing; returns the epoch to free.
/// Only the holder of the slot's token calls this. `None`: the producer is evicting the owner, and the
/// slot must be left alone until it has.
pub fn retire<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>) -> Option<u64> {
    let before = mem.fetch_or::<H_RETIRE>(&slot.word, Occupancy::Retiring as u64);
    let epoch = epoch(before);
    if !is_evicted(before) {
        // From now on no eviction of this claim can begin.
        return Some(epoch);
    }
    if before & BUSY != 0 {
        return None;
    }
    let retiring = Occupancy::Retiring.in_epoch(epoch);
    // [clear] What the eviction took from the seat. Partner: `E_DONE`.
    mem.compare_exchange::<E_CLEAR>(&slot.word, before, retiring).ok().map(|_| epoch)
}

/// Makes the slot EMPTY after it has been cleaned.
pub fn free<M: Memory>(mem: &M, slot: &HeartbeatSlot<M::Word>, epoch: u64) {
    // [free] The clean-up. Partner: `H_CLAIM`.
    mem.store::<H_FREE>(&slot.word, Occupancy::Empty.in_epoch(epoch));
}
