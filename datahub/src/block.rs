//! A mapped block: the only place where bytes become references.
//!
//! The geometry was checked against the file's size when the block was opened and is private from
//! then on; no index from shared memory reaches a pointer without being compared with it.

#![expect(unsafe_code, reason = "L2: the pointer casts of the whole crate")]

pub mod header;

use core::ptr::NonNull;
use core::slice;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memmap2::MmapRaw;

use crate::heartbeat::HeartbeatSlot;
use crate::layout::{self, Layout};
use crate::memory::{MappedMemory, SharedWord};
use crate::metrics::{ConsumerCounters, MetricsSection, Snapshot};
use crate::park::ParkLine;
use crate::ring::{Ring, Rules};
use crate::shm;
use crate::slot::{Reader, SlotRWState};
use header::{Geometry, HeaderError};

/// A block mapped into this process.
#[derive(Debug)]
pub struct Block {
    base: NonNull<u8>,
    geometry: Geometry,
    file: File,
    // Owns the mapping that `base` points into.
    _map: MmapRaw,
}

// SAFETY: the mapping has no owner thread; all its words are atomics, and payload bytes are reached
// only through raw pointers under the protocol.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

/// Why a block cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is not a usable block.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The operating system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Block {
    /// Maps the block in the file at `path`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing is mapped.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::from_file(shm::open_file(path)?)
    }

    /// Maps the block in `file`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing is mapped.
    pub(crate) fn from_file(file: File) -> Result<Self, OpenError> {
        let length = file.metadata()?.len();
        // A private copy by `read`: a file cut short meanwhile gives an error, not SIGBUS.
        let mut copy = [0; layout::HEADER];
        let wanted = copy.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        file.read_exact_at(&mut copy[..wanted], 0)?;
        let geometry = header::parse(&copy[..wanted], length)?;
        Ok(Self::map(file, geometry)?)
    }

    /// Writes a complete, empty block into `file`, which has been reserved for it.
    pub(crate) fn format(file: File, geometry: Geometry) -> io::Result<Self> {
        file.write_all_at(&header::bytes(&geometry), 0)?;
        let block = Self::map(file, geometry)?;
        // The magic last (F18): a reader of an unfinished file sees none.
        block.file.write_all_at(&layout::MAGIC.to_le_bytes(), layout::header::MAGIC as u64)?;
        Ok(block)
    }

    fn map(file: File, geometry: Geometry) -> io::Result<Self> {
        let map = shm::map(&file, geometry.layout.total)?;
        let base = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { base, geometry, file, _map: map })
    }

    /// Shape, rules and layout.
    #[inline]
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The rules of the ring.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules::new(&self.geometry.config, self.geometry.first)
    }

    /// The file behind the mapping; its description holds no token.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    fn layout(&self) -> &Layout {
        &self.geometry.layout
    }

    /// `T` at `offset`. For types made of atomics and reserved words only.
    #[inline]
    fn at<T>(&self, offset: usize) -> &T {
        debug_assert!(offset.is_multiple_of(align_of::<T>()));
        debug_assert!(offset + size_of::<T>() <= self.layout().total);
        // SAFETY: the callers pass offsets from `layout`, which lie inside the mapping with room
        // for `T`; `total` bytes from `base` are mapped.
        let place = unsafe { self.base.add(offset) }.cast::<T>();
        // SAFETY: `place` is aligned, because every region begins on a line and `base` on a page;
        // all fields are atomics or never written again; the mapping lives as long as `self`.
        unsafe { place.as_ref() }
    }

    /// `count` of `T` from `offset` on.
    #[inline]
    fn slice_at<T>(&self, offset: usize, count: usize) -> &[T] {
        debug_assert!(offset + count * size_of::<T>() <= self.layout().total);
        let first: *const T = self.at::<T>(offset);
        // SAFETY: `layout` gives every region room for all its elements, whose number comes from
        // the private geometry; otherwise as in `at`.
        unsafe { slice::from_raw_parts(first, count) }
    }

    #[inline]
    fn slot_count(&self) -> usize {
        self.geometry.config.physical_slots() as usize
    }

    #[inline]
    fn consumer_count(&self) -> usize {
        self.geometry.config.consumers_max() as usize
    }

    /// The shared words of the ring.
    #[inline]
    pub(crate) fn ring(&self) -> Ring<'_, SharedWord> {
        Ring {
            producer: self.at(layout::PRODUCER),
            registry: self.at(layout::REGISTRY),
            ack: self.at(layout::ACK),
            cursors: self.slice_at(layout::CURSORS, self.consumer_count()),
            slots: self.slots(),
        }
    }

    #[inline]
    fn slots(&self) -> &[SlotRWState<SharedWord>] {
        self.slice_at(self.layout().slots, self.slot_count())
    }

    pub(crate) fn heartbeat(&self, reader: Reader) -> &HeartbeatSlot<SharedWord> {
        self.at(layout::HEARTBEATS + reader.number() as usize * layout::LINE)
    }

    pub(crate) fn producer_heartbeat(&self) -> &HeartbeatSlot<SharedWord> {
        self.at(layout::PRODUCER_HEARTBEAT)
    }

    pub(crate) fn metrics(&self) -> &MetricsSection<SharedWord> {
        self.at(layout::METRICS)
    }

    pub(crate) fn baseline(&self) -> &MetricsSection<SharedWord> {
        self.at(layout::BASELINE)
    }

    pub(crate) fn counters(&self, reader: Reader) -> &ConsumerCounters<SharedWord> {
        &self.all_counters()[reader.number() as usize]
    }

    pub(crate) fn all_counters(&self) -> &[ConsumerCounters<SharedWord>] {
        self.slice_at(self.layout().counters, self.consumer_count())
    }

    /// Where consumers sleep.
    pub(crate) fn data_park(&self) -> &ParkLine<SharedWord> {
        self.at(layout::DATA_PARK)
    }

    /// Where the producer sleeps.
    pub(crate) fn space_park(&self) -> &ParkLine<SharedWord> {
        self.at(layout::SPACE_PARK)
    }

    /// The block's metrics now.
    pub(crate) fn snapshot<M: MappedMemory>(&self, mem: &M, now_ns: u64) -> Snapshot {
        Snapshot::take(mem, self.metrics(), self.baseline(), self.all_counters(), now_ns)
    }

    /// The payload of a slot. Who may touch it, and when, is the protocol's to say.
    #[inline]
    pub(crate) fn payload(&self, slot: usize) -> NonNull<u8> {
        assert!(slot < self.slot_count(), "slot indices come from the ring, which bounds them");
        let offset = self.layout().ring + slot * self.layout().stride;
        // SAFETY: `slot` is below the number of slots, so the stride lies inside the mapping.
        unsafe { self.base.add(offset) }
    }

    /// The checksum record of a slot, under the same rules as its payload.
    #[inline]
    pub(crate) fn record(&self, slot: usize) -> NonNull<[u8; layout::RECORD]> {
        assert!(slot < self.slot_count(), "slot indices come from the ring, which bounds them");
        let offset = self.layout().records + slot * layout::RECORD;
        // SAFETY: `slot` is below the number of slots, so the record lies inside the mapping.
        unsafe { self.base.add(offset) }.cast()
    }
}
