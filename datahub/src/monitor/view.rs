//! A block as an observer saw it: plain values, and what follows from them.

use std::path::PathBuf;

use crate::block::header::Geometry;
use crate::heartbeat::Owner;
use crate::metrics::Snapshot;
use crate::ring::Rules;
use crate::sequence::{self, Sequence};
use crate::slot::SlotState;

use super::process::ProcessState;

/// How an owner stands to its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It sits there, or nobody does.
    Usual,
    /// It was evicted and has not left since.
    Evicted,
    /// The seat is kept for it: it lives and has not come from the predecessor yet.
    Awaited,
}

/// One seat: the producer's, or a consumer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatView {
    /// Whether its token is held, or its owner came or went while it was looked at.
    pub alive: bool,
    /// Whether the seat is marked as taken, rightly or not.
    pub occupied: bool,
    /// How its owner stands to it.
    pub standing: Standing,
    /// How often the seat has been claimed.
    pub epoch: u64,
    /// Who says to sit there.
    pub owner: Option<Owner>,
    /// Time since its last beat.
    pub beat_age_ns: Option<u64>,
    /// What its process does, if it is alive and can be seen.
    pub process: Option<ProcessState>,
}

impl SeatView {
    /// Whether the owner died in this seat: the mark is there, the token is free.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.occupied && !self.alive
    }

    /// Whether the owner is alive and stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.alive && self.process == Some(ProcessState::Stopped)
    }

    /// The owner's process id, as it told.
    #[must_use]
    pub fn process_id(&self) -> Option<u64> {
        self.owner.map(|owner| owner.process)
    }
}

/// One consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerView {
    /// Which one, from 0.
    pub number: u32,
    /// Its seat.
    pub seat: SeatView,
    /// Whether it has joined the ring.
    pub registered: bool,
    /// Whether its cursor holds the producer back.
    pub gates: bool,
    /// The next sequence it will read; under latest-only, one more than the last one read.
    pub cursor: Sequence,
    /// Commits that it has not read.
    pub lag: u64,
    /// The slots it is inside.
    pub pins: Vec<usize>,
    /// Payloads it has read.
    pub slots_read: u64,
    /// Bytes it has read.
    pub bytes_read: u64,
}

impl ConsumerView {
    /// Whether something stands here whose owner is gone: a seat, a registration or a pin.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        !self.seat.alive
    }
}

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotView {
    /// Which one.
    pub index: usize,
    /// Its state.
    pub state: SlotState,
    /// The low bits of the sequence it holds or is being filled with.
    pub tag: u64,
    /// The sequence written beside it.
    pub label: Sequence,
    /// How many commits it has seen.
    pub generation: u64,
    /// Bytes in use.
    pub payload_bytes: u64,
    /// Who is inside, one bit each.
    pub readers: u32,
    /// Those of them who are dead.
    pub dead_readers: u32,
    /// Whether it changed while it was looked at; its fields may then belong to two moments.
    pub moving: bool,
}

impl SlotView {
    /// How many readers are inside.
    ///
    /// Source: HEP-CORE-0002 `reader_count`; here it is the number of bits, so it cannot disagree with them.
    #[must_use]
    pub const fn reader_count(&self) -> u32 {
        self.readers.count_ones()
    }

    /// Whether the producer has closed the slot and waits until the readers inside have left.
    ///
    /// Source: HEP-CORE-0002 `writer_waiting`; here it is the state DRAINING.
    #[must_use]
    pub const fn writer_waiting(&self) -> bool {
        matches!(self.state, SlotState::Draining)
    }

    /// The sequence it holds; `None` when it holds nothing, or its words contradict each other.
    #[must_use]
    pub fn sequence(&self) -> Option<Sequence> {
        let holds = matches!(self.state, SlotState::Committed | SlotState::Draining);
        (holds && sequence::tag(self.label) == self.tag).then_some(self.label)
    }
}

/// A block at one moment.
#[derive(Debug, Clone)]
pub struct BlockView {
    /// When it was looked at, monotonic nanoseconds.
    pub taken_ns: u64,
    /// Shape, layout, first sequence and nonce, as in the header.
    pub geometry: Geometry,
    /// The producer's seat.
    pub producer: SeatView,
    /// How many commits were announced.
    pub commit_index: u64,
    /// The lowest cursor that the producer has seen.
    pub read_index: u64,
    /// Whether the producer has ended the stream.
    pub ended: bool,
    /// Where the stream goes on, if it has been handed over.
    pub moved_to: Option<PathBuf>,
    /// Seats that are kept for consumers of the predecessor, one bit each.
    pub moving: u32,
    /// The slot that the shared words name as newest, unchecked; kept under latest-only.
    pub newest_slot: Option<usize>,
    /// Who has joined the ring, one bit each.
    pub registered: u32,
    /// Whether the producer has taken note of the last one who joined or left.
    pub acknowledged: bool,
    /// Who sits in a seat, and what remains of those who do no longer.
    pub consumers: Vec<ConsumerView>,
    /// The physical slots.
    pub slots: Vec<SlotView>,
    /// The counters since their last reset.
    pub metrics: Snapshot,
}

impl BlockView {
    /// Sets [`SlotView::dead_readers`] from the consumers.
    pub(crate) fn mark_dead(&mut self) {
        let dead = |c: &&ConsumerView| c.is_dead();
        let mask = self.consumers.iter().filter(dead).fold(0, |mask, c| mask | 1 << c.number);
        for slot in &mut self.slots {
            slot.dead_readers = slot.readers & mask;
        }
    }

    /// The rules of the ring.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules::new(&self.geometry.config, self.geometry.first)
    }

    /// The consumers that hold the producer back, slowest first.
    #[must_use]
    pub fn gating(&self) -> Vec<&ConsumerView> {
        let mut gating: Vec<_> = self.consumers.iter().filter(|c| c.gates).collect();
        gating.sort_by_key(|consumer| consumer.cursor);
        gating
    }

    /// Unread payloads that the producer may not overwrite; `None` when nobody holds it back.
    #[must_use]
    pub fn occupancy(&self) -> Option<u64> {
        let slowest = self.gating().first().map(|consumer| consumer.lag)?;
        Some(slowest.min(self.rules().capacity))
    }

    /// Whether the slowest consumer leaves the producer no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.occupancy() == Some(self.rules().capacity)
    }
}
