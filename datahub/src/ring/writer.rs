//! The producer's side of the ring: choose a slot, take it, commit or abort.

mod batch;

use super::{Fate, Newest, Ring, Rules};
use crate::config::ConsumerSync;
use crate::cursor::Gate;
use crate::memory::Memory;
use crate::sequence::Sequence;
use crate::sites::{W_BEGIN, W_CLOSED, W_COMMIT_INDEX, W_LATEST};
use crate::slot::{self, Refusal};

/// What the producer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// The ring is full; these consumers are slowest (one bit each).
    Full(u32),
    /// These readers are inside every slot that could be taken (one bit each).
    Readers(u32),
}

/// Why no slot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// `wait` gave up on this.
    Blocked(Blocked),
    /// A slot is WRITING although this writer holds none: recovery is due.
    Writing,
    /// The sequence has reached its end, after 2⁶⁴ − 1 commits.
    Exhausted,
}

/// What one physical slot holds, as the producer remembers it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    /// The sequence + 1; 0 when it holds nothing.
    pub(crate) end: u64,
    /// Its commits so far.
    pub(crate) generation: u64,
}

/// The producer's private state.
#[derive(Debug)]
pub struct RingWriter {
    rules: Rules,
    /// The sequence of the next commit: how many commits there were.
    next: Sequence,
    /// The slot to try first.
    at: usize,
    gate: Gate,
    held: Box<[Held]>,
    /// How many slots, from `at` on, were given out and neither committed nor given up yet.
    open: usize,
    /// Whether the slot at `at` is WRITING for `next` already: see [`prepare`](Self::prepare).
    ready: bool,
    /// Slots whose words made no sense when the ring was taken over, and hold nothing now.
    discarded: u32,
}

impl RingWriter {
    /// A writer of an empty ring.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self::resume(rules, rules.first, vec![Held::default(); rules.slots].into())
    }

    /// A writer that goes on where `held` ends.
    pub(crate) fn resume(rules: Rules, next: Sequence, held: Box<[Held]>) -> Self {
        let at = match rules.sync {
            ConsumerSync::LatestOnly => 0,
            ConsumerSync::Sequential | ConsumerSync::SequentialSync => rules.index(next),
        };
        Self { rules, next, at, gate: Gate::closed(), held, open: 0, ready: false, discarded: 0 }
    }

    /// The same, after so many slots had to be discarded.
    pub(crate) fn with_discarded(mut self, discarded: u32) -> Self {
        self.discarded = discarded;
        self
    }

    /// Slots whose words made no sense when the ring was taken over, and hold nothing now.
    #[must_use]
    pub const fn discarded(&self) -> u32 {
        self.discarded
    }

    /// The sequence of the next commit.
    #[inline]
    #[must_use]
    pub const fn next(&self) -> Sequence {
        self.next
    }

    /// Takes the slot that is next in turn, if that takes no waiting: the usual case.
    #[inline]
    pub fn try_acquire<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) -> Option<usize> {
        let open = match self.rules.sync {
            ConsumerSync::LatestOnly => self.may_overwrite(self.at),
            _ => !self.rules.gates() || self.gate.admits(self.next),
        };
        if !open || self.open != 0 || self.next == Sequence::MAX {
            return None;
        }
        if !self.ready && slot::take(mem, &ring.slots[self.at], self.next).is_err() {
            return None;
        }
        (self.ready, self.open) = (false, 1);
        Some(self.at)
    }

    /// Takes the next slot of a sequential ring ahead of time, if nobody pins it.
    ///
    /// It is the spare one: what it held is no longer promised, whatever the gate says. Taken now,
    /// while consumers are busy with the commit before, its line crosses once a message and not
    /// twice: a consumer that waits for the next commit looks at a word that only the commit changes.
    #[inline]
    pub(super) fn prepare<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        if self.rules.sync != ConsumerSync::LatestOnly && self.next != Sequence::MAX {
            self.ready = slot::take(mem, &ring.slots[self.at], self.next).is_ok();
        }
    }

    /// Whether the slot holds none of the newest payloads.
    #[inline]
    fn may_overwrite(&self, index: usize) -> bool {
        let end = self.held[index].end;
        end == 0 || self.next - end >= self.rules.capacity
    }

    /// Takes a slot for the next sequence. No sequence is spent before the commit (F8, F9).
    ///
    /// `wait` is told what blocks and says whether to look again.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]; ring and slots are as before.
    pub fn acquire<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        wait: impl FnMut(Blocked) -> bool,
    ) -> Result<usize, NotTaken> {
        if self.next == Sequence::MAX {
            return Err(NotTaken::Exhausted);
        }
        self.give_up_forgotten(mem, ring);
        let taken = match self.rules.sync {
            ConsumerSync::LatestOnly => self.acquire_any(mem, ring, wait),
            _ => self.acquire_run(mem, ring, 1, wait),
        };
        self.open = usize::from(taken.is_ok());
        taken
    }

    /// Gives up slots whose guard was forgotten.
    fn give_up_forgotten<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        self.abort_batch(mem, ring, self.open);
    }

    /// Returns when the gate admits `last`.
    fn pass_gate<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        last: Sequence,
        wait: &mut impl FnMut(Blocked) -> bool,
    ) -> Result<(), NotTaken> {
        while self.rules.gates() && !self.gate.admits(last) {
            let slowest = self.refresh(mem, ring);
            let full = Blocked::Full(slowest);
            if !self.gate.admits(last) && !wait(full) {
                return Err(NotTaken::Blocked(full));
            }
        }
        Ok(())
    }

    fn refresh<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) -> u32 {
        let lines = (ring.registry, ring.ack);
        self.gate.refresh(mem, lines, ring.cursors, (self.next, self.rules.capacity))
    }

    /// Latest-only: any slot that nobody reads and that is not among the newest.
    fn acquire_any<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        mut wait: impl FnMut(Blocked) -> bool,
    ) -> Result<usize, NotTaken> {
        let mut closed = None;
        let taken = loop {
            let (inside, oldest) = match self.try_all(mem, ring) {
                Ok(index) => break Ok(index),
                Err(Some(refused)) => refused,
                Err(None) => break Err(NotTaken::Writing),
            };
            let readers = Blocked::Readers(inside);
            if !wait(readers) {
                break Err(NotTaken::Blocked(readers));
            }
            // New readers are kept out of one slot, so that they cannot follow one another for ever.
            if closed.is_none() {
                slot::close(mem, &ring.slots[oldest]);
                closed = Some(oldest);
            }
        };
        match closed {
            Some(index) if taken != Ok(index) => slot::reopen(mem, &ring.slots[index]),
            _ => {}
        }
        taken
    }

    /// Tries every slot that may be overwritten, oldest first as a rule. Failing that, says who is
    /// inside and which slot was tried first; `None` when a slot is WRITING.
    fn try_all<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
    ) -> Result<usize, Option<(u32, usize)>> {
        let (mut inside, mut oldest) = (0, None);
        let known = slot::known_readers(ring.cursors.len());
        for step in 0..self.rules.slots {
            let index = wrapped(self.at + step, self.rules.slots);
            if !self.may_overwrite(index) {
                continue;
            }
            match slot::take(mem, &ring.slots[index], self.next) {
                Ok(()) => {
                    self.at = index;
                    return Ok(index);
                }
                Err(Refusal::Readers(readers)) => {
                    if readers & !known != 0 {
                        slot::clear_strays(mem, &ring.slots[index], known);
                    }
                    inside |= readers & known;
                    oldest.get_or_insert(index);
                }
                Err(Refusal::Writing) => return Err(None),
            }
        }
        // With capacity + 1 slots at least one is always a candidate.
        Err(oldest.map(|index| (inside, index)))
    }

    /// Publishes what was written to the slot that [`acquire`](Self::acquire) returned.
    #[inline]
    pub fn commit<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        index: usize,
        payload_bytes: u64,
    ) -> Sequence {
        let sequence = self.next;
        self.next += 1;
        self.open = 0;
        let held = &mut self.held[index];
        *held = Held { end: self.next, generation: held.generation.wrapping_add(1) };
        slot::commit(mem, &ring.slots[index], sequence, payload_bytes, held.generation);
        // [commit index] Every slot word up to here. Partner: `R_COMMIT_INDEX`.
        mem.store::<W_COMMIT_INDEX>(&ring.producer.commit_index, self.next);
        if self.rules.sync == ConsumerSync::LatestOnly {
            // [latest] The slot word just stored. Partner: `R_LATEST`.
            let newest = Newest::new(sequence, index);
            mem.store::<W_LATEST>(&ring.producer.latest, newest.encode());
        }
        self.at = wrapped(index + 1, self.rules.slots);
        self.prepare(mem, ring);
        sequence
    }

    /// Gives the slot up. What was promised is still there (F10), and no sequence was spent.
    pub fn abort<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>, index: usize) {
        self.open = 0;
        self.held[index].end = 0;
        slot::abort(mem, &ring.slots[index], self.next);
    }

    /// Says that nothing will follow.
    pub fn close<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        self.rest(mem, ring);
        end(mem, ring);
    }

    /// Gives up every slot that was given out or taken ahead of time.
    pub fn rest<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        self.give_up_forgotten(mem, ring);
        if core::mem::take(&mut self.ready) {
            slot::abort(mem, &ring.slots[self.at], self.next);
        }
    }
}

/// Says that nothing will follow.
pub fn end<M: Memory>(mem: &M, ring: &Ring<'_, M::Word>) {
    // [closed] Every commit before. Partner: `R_CLOSED`.
    mem.store::<W_CLOSED>(&ring.ack.closed, Fate::Ended.encode());
}

/// Takes back that nothing will follow: a new producer begins.
pub fn begin<M: Memory>(mem: &M, ring: &Ring<'_, M::Word>) {
    mem.store::<W_BEGIN>(&ring.ack.closed, Fate::Open.encode());
}

/// `index` modulo `slots`, for an index that has gone round at most once.
#[inline]
const fn wrapped(index: usize, slots: usize) -> usize {
    if index < slots { index } else { index - slots }
}
