//! Looking at a block without touching it: who is attached, who is alive, what the slots hold.
//!
//! An observer holds no token, takes no seat and writes no byte; so what it sees of a block under
//! traffic is a moment's view, and the words that moved while it looked are marked as moving. What it
//! says about deaths is exact: a seat counts as dead only if its token was free and its claim stayed
//! the same from before the look at the slots to after it.
//! Every loop is bounded by the private geometry.

pub mod age;
pub mod damage;
pub mod health;
pub mod process;
pub mod rest;
pub mod view;

use std::path::PathBuf;

use crate::block::{Block, OpenError};
use crate::heartbeat::{self, HeartbeatSlot, Owner};
use crate::memory::{Shared, SharedWord};
use crate::metrics::{self, Metric};
use crate::place::Place;
use crate::ring::{Fate, Newest};
use crate::shm::token::{Seat, is_held};
use crate::slot::{Reader, SlotRWState, SlotWord};
use crate::{handover, liveness, succession};
use view::{BlockView, ConsumerView, SeatView, SlotView, Standing};

/// A block that is looked at.
#[derive(Debug)]
pub struct Monitor {
    block: Block,
}

/// How often a slot is looked at until it stands still.
const LOOKS: u32 = 4;
/// The bits of a heartbeat word that say EMPTY when none is set; the claims are counted above them.
const OCCUPANCY: u64 = 0b11;

/// What a seat shows at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Glance {
    held: bool,
    word: u64,
}

impl Monitor {
    /// Opens the block at `place` to look at it.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when there is no usable block.
    pub fn open(place: &Place) -> Result<Self, OpenError> {
        Ok(Self { block: Block::open(&place.path())? })
    }

    /// The mapped block.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// The block at this moment. `now_ns`: nanoseconds of the monotonic clock, for ages.
    #[must_use]
    pub fn snapshot(&self, now_ns: u64) -> BlockView {
        let before = self.glances();
        let ring = self.block.ring();
        let cursors: Vec<u64> =
            ring.cursors.iter().map(|line| metrics::read(&Shared, &line.cursor)).collect();
        let slots: Vec<SlotView> = ring.slots.iter().enumerate().map(look).collect();
        let registry = metrics::read(&Shared, &ring.registry.registry);
        let newest = Newest::decode(metrics::read(&Shared, &ring.producer.latest));
        // After labels and cursors, so that what they say was announced is announced here too.
        let commit_index = metrics::read(&Shared, &ring.producer.commit_index);
        let after = self.glances();

        let seat_view = |seat, at: usize| self.seat(seat, (before[at], after[at]), now_ns);
        let mut view = BlockView {
            taken_ns: now_ns,
            geometry: self.block.geometry().clone(),
            producer: seat_view(Seat::Producer, 0),
            commit_index,
            read_index: metrics::read(&Shared, &ring.ack.read_index),
            ended: Fate::of(&Shared, &ring) == Fate::Ended,
            moved_to: self.moved_to(),
            moving: handover::kept(&Shared, self.block.arrivals()),
            newest_slot: newest.map(|newest| newest.slot),
            // The high half counts joins.
            registered: u32::try_from(registry & u64::from(u32::MAX)).unwrap_or(0),
            acknowledged: metrics::read(&Shared, &ring.ack.ack) == registry,
            consumers: Vec::new(),
            slots,
            metrics: self.block.snapshot(&Shared, now_ns),
        };
        for (number, cursor) in (0..).zip(cursors) {
            let seat = seat_view(Seat::Consumer(number), number as usize + 1);
            view.consumers.extend(self.consumer(&view, (number, cursor), seat));
        }
        view.mark_dead();
        view
    }

    /// The producer's seat, then the consumers'.
    fn glances(&self) -> Vec<Glance> {
        let seats = self.block.geometry().config.consumers_max();
        let consumers = (0..seats).map(Seat::Consumer);
        core::iter::once(Seat::Producer).chain(consumers).map(|seat| self.glance(seat)).collect()
    }

    fn glance(&self, seat: Seat) -> Glance {
        // A token that cannot be examined is taken for a living owner's.
        let held = is_held(self.block.file(), seat).unwrap_or(true);
        Glance { held, word: metrics::read(&Shared, &self.heartbeat(seat).word) }
    }

    fn heartbeat(&self, seat: Seat) -> &HeartbeatSlot<SharedWord> {
        match seat {
            Seat::Producer => self.block.producer_heartbeat(),
            Seat::Consumer(number) => self.block.heartbeat(Reader::new(number)),
        }
    }

    fn seat(&self, seat: Seat, (before, after): (Glance, Glance), now_ns: u64) -> SeatView {
        // Whoever comes or goes under our eyes is alive.
        let awaited = self.is_awaited(seat);
        let alive = before.held || after.held || awaited || before.word != after.word;
        let standing = if awaited {
            Standing::Awaited
        } else if heartbeat::is_evicted(after.word) {
            Standing::Evicted
        } else {
            Standing::Usual
        };
        let owner: Option<Owner> = heartbeat::owner(&Shared, self.heartbeat(seat));
        SeatView {
            alive,
            occupied: after.word & OCCUPANCY != 0,
            standing,
            epoch: heartbeat::epoch(after.word),
            beat_age_ns: owner.map(|owner| now_ns.saturating_sub(owner.last_heartbeat_ns)),
            process: owner.filter(|_| alive).and_then(|owner| process::state(owner.process)),
            owner,
        }
    }

    /// Whether the seat is kept for a living consumer that has not come from the predecessor yet.
    fn is_awaited(&self, seat: Seat) -> bool {
        let Seat::Consumer(number) = seat else { return false };
        // Who cannot be examined is taken for alive.
        liveness::is_awaited(&Shared, &self.block, Reader::new(number)).unwrap_or(true)
    }

    /// Where the stream goes on, if it does.
    fn moved_to(&self) -> Option<PathBuf> {
        let moved = succession::fate(&Shared, &self.block) == Fate::Moved;
        moved.then(|| succession::path(&Shared, &self.block))
    }

    /// The consumer in a seat; `None` when there is nobody and nothing.
    fn consumer(
        &self,
        view: &BlockView,
        (number, cursor): (u32, u64),
        seat: SeatView,
    ) -> Option<ConsumerView> {
        let reader = Reader::new(number);
        let registered = view.registered & reader.mask() != 0;
        let inside = |slot: &&SlotView| slot.readers & reader.mask() != 0;
        let pins: Vec<usize> = view.slots.iter().filter(inside).map(|slot| slot.index).collect();
        if !seat.alive && !seat.occupied && !registered && pins.is_empty() {
            return None;
        }
        let counters = self.block.counters(reader);
        Some(ConsumerView {
            number,
            seat,
            registered,
            gates: registered && self.block.rules().gates(),
            cursor,
            lag: view.commit_index.saturating_sub(cursor.max(view.geometry.first)),
            pins,
            slots_read: metrics::read(&Shared, counters.word(Metric::SlotsRead)),
            bytes_read: metrics::read(&Shared, counters.word(Metric::BytesRead)),
        })
    }
}

/// Looks at a slot until it stands still, a few times at most.
fn look((index, slot): (usize, &SlotRWState<SharedWord>)) -> SlotView {
    let mut word = metrics::read(&Shared, &slot.word);
    let mut moving = true;
    let mut fields = [0; 3];
    for _ in 0..LOOKS {
        let words = [&slot.sequence, &slot.write_generation, &slot.payload_bytes];
        fields = words.map(|field| metrics::read(&Shared, field));
        let again = metrics::read(&Shared, &slot.word);
        moving = again != word;
        word = again;
        if !moving {
            break;
        }
    }
    let (seen, [label, generation, payload_bytes]) = (SlotWord::from_bits(word), fields);
    SlotView {
        index,
        state: seen.state(),
        tag: seen.tag(),
        label,
        generation,
        payload_bytes,
        readers: seen.readers(),
        dead_readers: 0,
        moving,
    }
}
