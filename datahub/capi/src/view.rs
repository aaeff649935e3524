//! What observers read in a block: indices and counters, through a mapping of their own.
//!
//! A handle's own mapping is lent to the open slot; a second one reads beside it. Only the part in
//! front of the slots is mapped, and only atomics are read from it.

use core::sync::atomic::Ordering;
use std::fs::File;
use std::io;

use datahub::block::Block;
use datahub::cursor::AckLine;
use datahub::heartbeat::{self, HeartbeatSlot};
use datahub::layout;
use datahub::memory::{Shared, SharedWord};
use datahub::metrics::{self, ConsumerCounters, Metric, MetricsSection, Snapshot};
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::ring::ProducerLine;
use datahub::shm::Folder;
use datahub::wait::monotonic_ns;
use memmap2::{Advice, MmapOptions, MmapRaw};

use crate::failure::Failure;

/// Where C says that a block is: a path when the text has a slash, a name otherwise.
pub(crate) fn place(text: &str) -> Result<Place, Failure> {
    if text.contains('/') {
        return Ok(Place::File(text.into()));
    }
    Ok(Place::Named { folder: Folder::default(), name: name(text)? })
}

/// A block's name from C.
pub(crate) fn name(text: &str) -> Result<BlockName, Failure> {
    BlockName::new(text)
        .map_err(|error| Failure::argument(format!("'{text}' cannot be a block's name: {error}")))
}

/// The first `bytes` bytes, not inherited by a forked child and left out of core dumps.
fn map(file: &File, bytes: usize) -> io::Result<MmapRaw> {
    let map = MmapOptions::new().len(bytes).map_raw(file)?;
    map.advise(Advice::DontFork)?;
    map.advise(Advice::DontDump)?;
    Ok(map)
}

/// The front of a block, mapped.
#[derive(Debug)]
pub(crate) struct View {
    map: MmapRaw,
    counters: usize,
    consumers: usize,
    slots: u32,
}

impl View {
    /// The block that C calls `text`.
    pub(crate) fn open(text: &str) -> Result<Self, Failure> {
        let block =
            Block::open(&place(text)?.path()).map_err(|error| Failure::open(text, &error))?;
        Self::of(&block)
    }

    /// The block that a handle has mapped.
    pub(crate) fn of(block: &Block) -> Result<Self, Failure> {
        let (config, layout) = (&block.geometry().config, &block.geometry().layout);
        let map = map(block.file(), layout.slots).map_err(|error| Failure::system(&error))?;
        let consumers = config.consumers_max() as usize;
        Ok(Self { map, counters: layout.counters, consumers, slots: config.physical_slots() })
    }

    /// `T` at `offset`. For types made of atomics and reserved words only.
    fn at<T>(&self, offset: usize) -> &T {
        assert!(offset + size_of::<T>() <= self.map.len(), "offsets come from the layout");
        // SAFETY: inside the mapping, as asserted.
        let place = unsafe { self.map.as_ptr().add(offset) };
        assert!(place.addr().is_multiple_of(align_of::<T>()), "regions begin on lines");
        // SAFETY: inside the mapping and aligned, as asserted; all fields are atomics or never
        // written again; the mapping lives as long as `self`.
        unsafe { &*place.cast::<T>() }
    }

    fn counters(&self) -> &[ConsumerCounters<SharedWord>] {
        let end = self.counters + self.consumers * layout::LINE;
        assert!(end <= self.map.len(), "offsets come from the layout");
        let first: *const ConsumerCounters<SharedWord> = self.at(self.counters);
        // SAFETY: all of them lie inside the mapping, as asserted; otherwise as in `at`.
        unsafe { core::slice::from_raw_parts(first, self.consumers) }
    }

    fn section(&self) -> &MetricsSection<SharedWord> {
        self.at(layout::METRICS)
    }

    fn baseline(&self) -> &MetricsSection<SharedWord> {
        self.at(layout::BASELINE)
    }

    /// Physical slots.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    /// The metrics now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::take(&Shared, self.section(), self.baseline(), self.counters(), monotonic_ns())
    }

    /// Begins the metrics anew.
    pub(crate) fn reset(&self) {
        metrics::reset(&Shared, self.section(), self.baseline(), self.counters());
    }

    /// How many commits there were.
    pub(crate) fn commit_index(&self) -> u64 {
        // [commit index] Every commit below it. Partner: `W_COMMIT_INDEX`.
        self.at::<ProducerLine<SharedWord>>(layout::PRODUCER).commit_index.load(Ordering::Acquire)
    }

    /// The lowest cursor that the producer has seen.
    pub(crate) fn read_index(&self) -> u64 {
        // Only the producer stores it, for observers.
        self.at::<AckLine<SharedWord>>(layout::ACK).read_index.load(Ordering::Relaxed)
    }

    /// The producer's heartbeat.
    pub(crate) fn beat_producer(&self) {
        let now_ns = monotonic_ns();
        self.beat(layout::PRODUCER_HEARTBEAT, now_ns);
        metrics::set(&Shared, &self.section().words[Metric::LastHeartbeatNs as usize], now_ns);
    }

    /// The heartbeat of consumer `number`.
    pub(crate) fn beat_consumer(&self, number: u32) {
        self.beat(layout::HEARTBEATS + number as usize * layout::LINE, monotonic_ns());
    }

    fn beat(&self, offset: usize, now_ns: u64) {
        let seat = self.at::<HeartbeatSlot<SharedWord>>(offset);
        // An evicted consumer has no seat in which it could say so.
        let metric = if heartbeat::is_evicted(metrics::read(&Shared, &seat.word)) {
            Metric::HeartbeatsFailed
        } else {
            heartbeat::beat(&Shared, seat, now_ns);
            Metric::HeartbeatsSent
        };
        metrics::add(&Shared, &self.section().words[metric as usize], 1);
    }
}
