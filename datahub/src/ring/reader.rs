//! A consumer's side of the ring: find the next payload, enter its slot, leave it.

pub mod arrive;
pub mod seek;

use super::{Fate, Newest, Ring, Rules};
use crate::config::ConsumerSync;
use crate::cursor::{self, Joined, NotJoined};
use crate::memory::Memory;
use crate::sequence::{self, Sequence};
use crate::sites::{R_COMMIT_INDEX, R_LATEST};
use crate::slot::{self, Admission, Reader, SlotWord};

/// Where a joining consumer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinAt {
    /// With the oldest payload still promised.
    Oldest,
    /// With the newest payload, or the first one to come.
    Latest,
}

/// A payload that the consumer may read until it releases it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The physical slot.
    pub slot: usize,
    /// Label and length.
    pub admission: Admission,
    /// Whether this reader's bit is set for it.
    pub pinned: bool,
    /// Whether releasing it moves the cursor.
    advances: bool,
}

/// Why there is nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRead {
    /// Nothing new now.
    Empty,
    /// The producer came round again and again while this reader tried to enter.
    Contended,
    /// The producer passed this consumer; `oldest` comes next.
    Lapped {
        /// How many payloads are lost to this consumer.
        missed: u64,
        /// The sequence that will be read next.
        oldest: Sequence,
    },
    /// The payload asked for by its sequence is no longer there; the oldest that is, is `oldest`.
    Gone {
        /// The oldest sequence still promised.
        oldest: Sequence,
    },
    /// The shared words name a slot that does not exist.
    Corrupt,
}

/// How a consumer keeps the producer out of what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// By a pin, on the newest payload only.
    Latest,
    /// By a pin, because nobody holds the producer back.
    Overwritten,
    /// By pins, the last of which stays until the next is set: not yet acknowledged.
    Joining(Joined),
    /// By its cursor.
    Gated,
}

/// A consumer's private state.
#[derive(Debug)]
pub struct RingReader {
    rules: Rules,
    reader: Reader,
    mode: Mode,
    /// The next sequence to read; under latest-only, one more than the last one read.
    cursor: Sequence,
    /// The slot of `cursor` under a sequential policy.
    at: usize,
    /// Whether nothing was delivered yet, so that nothing can be missed.
    fresh: bool,
    /// A pin kept from the last read until the next, while joining.
    anchor: Option<usize>,
    /// The slot whose pin was given out and not yet given back.
    inside: Option<usize>,
    /// How often the producer was met on the way in.
    races: u64,
}

impl RingReader {
    /// Joins the ring.
    ///
    /// # Errors
    ///
    /// [`NotJoined::Occupied`] when the policy admits one consumer and has one (F23).
    pub fn join<M: Memory>(
        mem: &M,
        ring: &Ring<'_, M::Word>,
        rules: Rules,
        reader: Reader,
        at: JoinAt,
    ) -> Result<Self, NotJoined> {
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        let cursor = match at {
            _ if rules.sync == ConsumerSync::LatestOnly => 0,
            JoinAt::Oldest => rules.oldest(commits),
            JoinAt::Latest => commits.saturating_sub(1).max(rules.first),
        };
        // Bits of seats that do not exist are nobody's.
        let alone = (rules.sync == ConsumerSync::Sequential)
            .then(|| slot::known_readers(ring.cursors.len()));
        let own = &ring.cursors[reader.number() as usize];
        let joined = cursor::join(mem, ring.registry, own, (reader, cursor), alone)?;
        let mode = match rules.sync {
            ConsumerSync::LatestOnly => Mode::Latest,
            _ if rules.overwrites => Mode::Overwritten,
            _ => Mode::Joining(joined),
        };
        let at = rules.index(cursor);
        let (fresh, anchor, inside) = (true, None, None);
        let mut joined = Self { rules, reader, mode, cursor, at, fresh, anchor, inside, races: 0 };
        joined.catch_up(mem, ring);
        Ok(joined)
    }

    /// A joiner that was slow registered behind payloads that are gone: the producer must not wait
    /// for those.
    fn catch_up<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        let oldest = self.rules.oldest(commits);
        if self.mode != Mode::Latest && self.cursor < oldest {
            self.seek(mem, ring, oldest);
        }
    }

    /// Leaves the ring. What it was reading must have been released.
    pub fn leave<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        self.leave_forgotten(mem, ring);
        self.drop_anchor(mem, ring);
        cursor::leave(mem, ring.registry, self.reader);
    }

    /// The next sequence to read.
    #[must_use]
    pub const fn cursor(&self) -> Sequence {
        self.cursor
    }

    /// How often the producer was met on the way in.
    #[must_use]
    pub const fn races(&self) -> u64 {
        self.races
    }

    /// Takes the next payload, or under latest-only the newest one not yet read: looks once.
    ///
    /// # Errors
    ///
    /// [`NotRead`]; this consumer holds nothing.
    #[inline]
    pub fn acquire<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
    ) -> Result<Taken, NotRead> {
        if self.mode == Mode::Gated {
            return match slot::look(mem, &ring.slots[self.at], self.cursor) {
                Ok(admission) => Ok(self.next_is(admission, false)),
                Err(seen) => self.missing(mem, ring, seen),
            };
        }
        self.acquire_pinned(mem, ring)
    }

    #[inline(never)]
    fn acquire_pinned<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
    ) -> Result<Taken, NotRead> {
        self.leave_forgotten(mem, ring);
        match self.mode {
            Mode::Latest => return self.acquire_latest(mem, ring),
            // [ack] The producer honours the cursor: no more pins. Partner: `G_ACK`.
            Mode::Joining(joined) if cursor::acknowledged(mem, ring.ack, joined) => {
                self.drop_anchor(mem, ring);
                self.mode = Mode::Gated;
                return self.acquire(mem, ring);
            }
            _ => {}
        }
        if self.anchor == Some(self.at) {
            // Only a nonsensical commit index leads back here; two pins are one bit.
            self.drop_anchor(mem, ring);
        }
        let slot = &ring.slots[self.at];
        match slot::admit(mem, slot, self.reader, sequence::tag(self.cursor)) {
            Ok(admission) if admission.sequence == self.cursor => {
                self.drop_anchor(mem, ring);
                self.inside = Some(self.at);
                Ok(self.next_is(admission, true))
            }
            Ok(_) => {
                slot::release(mem, slot, self.reader);
                self.races += 1;
                self.passed(mem, ring)
            }
            Err(_) => self.passed(mem, ring),
        }
    }

    #[inline]
    fn next_is(&mut self, admission: Admission, pinned: bool) -> Taken {
        self.fresh = false;
        Taken { slot: self.at, admission, pinned, advances: true }
    }

    /// The slot of the cursor does not hold it: nothing there yet, or passed?
    #[cold]
    fn missing<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        seen: SlotWord,
    ) -> Result<Taken, NotRead> {
        if sequence::tag_ahead(seen.tag(), self.cursor) <= 0 {
            return Err(NotRead::Empty);
        }
        self.passed(mem, ring)
    }

    /// Compares the cursor with what is still promised, and catches up.
    #[cold]
    fn passed<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) -> Result<Taken, NotRead> {
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        let oldest = self.rules.oldest(commits);
        if self.cursor >= oldest {
            return Err(NotRead::Empty);
        }
        let missed = oldest - self.cursor;
        self.seek(mem, ring, oldest);
        // A lossless ring that has delivered nothing yet owes nothing: the consumer joins later.
        let joins = self.fresh && self.mode != Mode::Overwritten;
        if joins { Err(NotRead::Empty) } else { Err(NotRead::Lapped { missed, oldest }) }
    }

    fn seek<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>, cursor: Sequence) {
        self.cursor = cursor;
        self.at = self.rules.index(cursor);
        cursor::publish(mem, &ring.cursors[self.reader.number() as usize], cursor);
    }

    fn acquire_latest<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
    ) -> Result<Taken, NotRead> {
        for _ in 0..self.rules.attempts {
            // [latest] The slot word it names. Partner: `W_LATEST`.
            let Some(newest) = Newest::decode(mem.load::<R_LATEST>(&ring.producer.latest)) else {
                return Err(NotRead::Empty);
            };
            if self.cursor != 0 && newest.names(self.cursor - 1) {
                return Err(NotRead::Empty);
            }
            let Some(slot) = ring.slots.get(newest.slot) else {
                return Err(NotRead::Corrupt);
            };
            match slot::admit(mem, slot, self.reader, newest.tag()) {
                Ok(admission)
                    if newest.names(admission.sequence) && admission.sequence >= self.cursor =>
                {
                    let slot = newest.slot;
                    self.inside = Some(slot);
                    return Ok(Taken { slot, admission, pinned: true, advances: true });
                }
                Ok(_) => _ = slot::release(mem, slot, self.reader),
                Err(_) => {}
            }
            self.races += 1;
        }
        Err(NotRead::Contended)
    }

    /// Takes the payload called `sequence` if it is still there. Does not move the cursor (F23).
    ///
    /// # Errors
    ///
    /// [`NotRead::Empty`] when it is not there yet, [`NotRead::Gone`] when no more.
    pub fn acquire_sequence<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        wanted: Sequence,
    ) -> Result<Taken, NotRead> {
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        if wanted >= commits {
            return Err(NotRead::Empty);
        }
        self.leave_forgotten(mem, ring);
        let gone = NotRead::Gone { oldest: self.rules.oldest(commits) };
        let place = match self.rules.sync {
            ConsumerSync::LatestOnly => {
                ring.slots.iter().position(|slot| slot::seems_to_hold(mem, slot, wanted))
            }
            ConsumerSync::Sequential | ConsumerSync::SequentialSync => {
                Some(self.rules.index(wanted))
            }
        };
        let Some(place) = place else { return Err(gone) };
        let slot = &ring.slots[place];
        if self.anchor == Some(place) {
            // The anchor's bit is this reader's bit: it is inside already.
            let admission = slot::look(mem, slot, wanted).map_err(|_| gone)?;
            return Ok(Taken { slot: place, admission, pinned: false, advances: false });
        }
        match slot::admit(mem, slot, self.reader, sequence::tag(wanted)) {
            Ok(admission) if admission.sequence == wanted => {
                self.inside = Some(place);
                Ok(Taken { slot: place, admission, pinned: true, advances: false })
            }
            Ok(_) => {
                slot::release(mem, slot, self.reader);
                Err(gone)
            }
            Err(slot::NotAdmitted::Contended) => Err(NotRead::Contended),
            Err(_) => Err(gone),
        }
    }

    /// Whether the slot still holds what was taken.
    pub fn validate<M: Memory>(&self, mem: &M, ring: &Ring<'_, M::Word>, taken: &Taken) -> bool {
        slot::validate(mem, &ring.slots[taken.slot], taken.admission.sequence)
    }

    /// Leaves a payload that was not read: it comes next again.
    pub fn give_back<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>, taken: Taken) {
        self.release(mem, ring, Taken { advances: false, ..taken });
    }

    /// Leaves the payload; the next one comes next.
    #[inline]
    pub fn release<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>, taken: Taken) {
        if taken.advances {
            // The last sequence of all is never committed.
            self.cursor = taken.admission.sequence.saturating_add(1);
            if self.mode != Mode::Latest {
                self.at = if self.at + 1 == self.rules.slots { 0 } else { self.at + 1 };
            }
            let own = &ring.cursors[self.reader.number() as usize];
            cursor::publish(mem, own, self.cursor);
        }
        if !taken.pinned {
            return;
        }
        self.inside = None;
        if taken.advances && matches!(self.mode, Mode::Joining(_)) {
            // Until the producer honours the cursor, this pin stands for it: the producer cannot
            // come past the slot, and so neither past those that follow it.
            self.anchor = Some(taken.slot);
        } else {
            slot::release(mem, &ring.slots[taken.slot], self.reader);
        }
    }

    /// Gives back a pin whose guard was forgotten.
    fn leave_forgotten<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        if let Some(slot) = self.inside.take() {
            slot::release(mem, &ring.slots[slot], self.reader);
        }
    }

    fn drop_anchor<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) {
        if let Some(slot) = self.anchor.take() {
            slot::release(mem, &ring.slots[slot], self.reader);
        }
    }

    /// Whether the producer has ended the stream. Look for payloads once more after a yes.
    pub fn ended<M: Memory>(&self, mem: &M, ring: &Ring<'_, M::Word>) -> bool {
        Fate::of(mem, ring) == Fate::Ended
    }
}
