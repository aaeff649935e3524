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
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::handover::ArrivalLine;
use crate::heartbeat::HeartbeatSlot;
use crate::layout::{self, Layout};
use crate::memory::{MappedMemory, SharedWord};
use crate::metrics::{self, ConsumerCounters, MetricsSection, Snapshot};
use crate::park::ParkLine;
use crate::ring::{Ring, Rules};
use crate::shm::{self, Mapping};
use crate::slot::{Reader, SlotRWState};
use header::{Geometry, HeaderError};

/// A block mapped into this process.
#[derive(Debug)]
pub struct Block {
    base: NonNull<u8>,
    geometry: Geometry,
    file: File,
    /// The file of the block before this one, for who has handed that one over, until all have come.
    predecessor: Mutex<Option<File>>,
    // Owns the mapping that `base` points into.
    _map: Mapping,
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
    /// The file belongs to somebody else, or others may write it.
    #[error(
        "the file belongs to user {user} with mode {mode:o}; a block belongs to its user alone (mode 600)"
    )]
    Stranger {
        /// Whose it is.
        user: u32,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl OpenError {
    /// Whether the file was once a block of this layout and is one no longer.
    pub(crate) fn is_damage(&self) -> bool {
        use HeaderError::{ByteOrder, LayoutHash, Magic, TooShort, Version};
        let other = matches!(
            self,
            Self::Header(
                Magic(_) | TooShort { .. } | Version { .. } | ByteOrder(_) | LayoutHash { .. }
            )
        );
        matches!(self, Self::Header(_)) && !other
    }
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
        if let Some((user, mode)) = shm::stranger(&file)? {
            return Err(OpenError::Stranger { user, mode });
        }
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
        let map = Mapping::new(&file, geometry.layout.total)?;
        let base = map.base().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let predecessor = Mutex::default();
        Ok(Self { base, geometry, file, predecessor, _map: map })
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

    /// `offset` bytes from the start, as the place of a `T`. Offsets come from `layout`.
    #[inline]
    fn place<T>(&self, offset: usize) -> NonNull<T> {
        debug_assert!(offset.is_multiple_of(align_of::<T>()));
        debug_assert!(offset + size_of::<T>() <= self.layout().total);
        // SAFETY: the callers pass offsets of regions, which lie inside the mapping's `total` bytes.
        unsafe { self.base.add(offset) }.cast()
    }

    /// `T` at `offset`. For types made of atomics only.
    #[inline]
    fn at<T>(&self, offset: usize) -> &T {
        // SAFETY: the place lies inside the mapping, with room for `T`; it is aligned, because every
        // region begins on a line and `base` on a page; all fields are atomics, and every bit
        // pattern is a value of theirs; the mapping lives as long as `self`.
        unsafe { self.place::<T>(offset).as_ref() }
    }

    /// `count` of `T` from `offset` on.
    #[inline]
    fn slice_at<T>(&self, offset: usize, count: usize) -> &[T] {
        debug_assert!(offset + count * size_of::<T>() <= self.layout().total);
        let first = self.place::<T>(offset).as_ptr();
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

    /// The lowest cursor that the producer has seen, for observers.
    pub(crate) fn read_index<M: MappedMemory>(&self, mem: &M) -> u64 {
        metrics::read(mem, &self.ring().ack.read_index)
    }

    #[inline]
    fn slots(&self) -> &[SlotRWState<SharedWord>] {
        self.slice_at(self.layout().slots, self.slot_count())
    }

    /// How the stream ends here, for observers and for those who end it in a dead producer's place.
    pub(crate) fn closed(&self) -> &SharedWord {
        &self.ring().ack.closed
    }

    /// Whose seats are kept while they come from the predecessor.
    pub(crate) fn arrivals(&self) -> &ArrivalLine<SharedWord> {
        self.at(layout::ARRIVALS)
    }

    /// Where the successor is: the length of its path, and the path.
    pub(crate) fn successor(&self) -> (&SharedWord, &[SharedWord]) {
        let bytes = layout::header::ZONES - layout::header::SUCCESSOR;
        let words = self.slice_at(layout::header::SUCCESSOR, bytes / size_of::<SharedWord>());
        (self.at(layout::header::SUCCESSOR_BYTES), words)
    }

    /// The file of the block before this one, if this process has handed that one over and somebody
    /// has still to come from there. It keeps that block's memory.
    pub(crate) fn predecessor(&self) -> MutexGuard<'_, Option<File>> {
        self.predecessor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A consumer looks at its own before each payload.
    #[inline]
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

    /// The payload of a slot as words, for copies in a block that evicts.
    pub(crate) fn payload_words(&self, slot: usize) -> &[SharedWord] {
        assert!(slot < self.slot_count(), "slot indices come from the ring, which bounds them");
        let bytes = usize::try_from(self.geometry.config.payload_bytes()).unwrap_or(usize::MAX);
        let offset = self.layout().ring + slot * self.layout().stride;
        self.slice_at(offset, bytes.div_ceil(size_of::<SharedWord>()))
    }

    /// The checksum record of a slot as words, for copies in a block that evicts.
    pub(crate) fn record_words(&self, slot: usize) -> &[SharedWord] {
        assert!(slot < self.slot_count(), "slot indices come from the ring, which bounds them");
        let offset = self.layout().records + slot * layout::RECORD;
        self.slice_at(offset, layout::RECORD / size_of::<SharedWord>())
    }

    /// Where a zone begins, and how many bytes its users have; `None` when there is no such zone.
    pub(crate) fn zone(&self, index: usize) -> Option<(NonNull<u8>, usize)> {
        let zone = self.geometry.config.zones().get(index)?;
        let offset = (*self.layout().zones.get(index)?)?;
        let bytes = usize::try_from(zone.bytes()).ok()?;
        // SAFETY: `layout` gave the zone, and nothing else, `bytes` bytes at `offset`, inside of the
        // mapping and on a line of its own.
        Some((unsafe { self.base.add(offset) }, bytes))
    }

    /// A zone as words; the last one may be larger than the zone.
    pub(crate) fn zone_words(&self, index: usize) -> &[SharedWord] {
        let offset = self.layout().zones.get(index).copied().flatten();
        let (Some(offset), Some((_, bytes))) = (offset, self.zone(index)) else { return &[] };
        self.slice_at(offset, bytes.div_ceil(size_of::<SharedWord>()))
    }

    /// The checksum record of a zone as words; none when there is no such zone.
    pub(crate) fn zone_record(&self, index: usize) -> &[SharedWord] {
        if index >= self.geometry.config.zones().len() {
            return &[];
        }
        let offset = self.layout().zone_records + index * layout::RECORD;
        self.slice_at(offset, layout::RECORD / size_of::<SharedWord>())
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
