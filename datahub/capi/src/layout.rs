//! The layout of a segment in numbers that a C compiler can check.
//!
//! The numbers are `datahub::layout`'s, written out for the header and compared here, in the header
//! itself, and in the C tests. For tools that look into a segment; a program uses the functions.

use core::mem::offset_of;

use datahub::heartbeat::HeartbeatSlot;
use datahub::layout::{self, header};
use datahub::memory::SharedWord;

use crate::slot::SlotRWState;

/// Bytes of the header, which is written once.
pub const DATABLOCK_HEADER_BYTES: usize = 4096;
/// Where the header describes the flexible zones, 128 bytes each.
pub const DATABLOCK_OFFSET_ZONES: usize = 1024;
/// Where the header has the text of the slot's schema.
pub const DATABLOCK_OFFSET_SLOT_SCHEMA_TEXT: usize = 2048;
/// The producer's line: commit_index, latest.
pub const DATABLOCK_OFFSET_PRODUCER: usize = 4096;
/// The acknowledgement line: registry as honoured, read_index, closed.
pub const DATABLOCK_OFFSET_ACK: usize = 4160;
/// Who is registered.
pub const DATABLOCK_OFFSET_REGISTRY: usize = 4224;
/// Where consumers sleep.
pub const DATABLOCK_OFFSET_DATA_PARK: usize = 4288;
/// Where the producer sleeps.
pub const DATABLOCK_OFFSET_SPACE_PARK: usize = 4352;
/// The producer's heartbeat slot.
pub const DATABLOCK_OFFSET_PRODUCER_HEARTBEAT: usize = 4416;
/// The metrics section.
pub const DATABLOCK_OFFSET_METRICS: usize = 4480;
/// The counts at the last reset.
pub const DATABLOCK_OFFSET_METRICS_BASELINE: usize = 4736;
/// Whose seats are kept while they come from the predecessor.
pub const DATABLOCK_OFFSET_ARRIVALS: usize = 4992;
/// The consumers' heartbeat slots.
pub const DATABLOCK_OFFSET_HEARTBEATS: usize = 5120;
/// The consumers' cursors.
pub const DATABLOCK_OFFSET_CURSORS: usize = 7168;
/// Bytes of a slot's state.
pub const DATABLOCK_SLOT_STATE_BYTES: usize = 64;
/// Bytes of a heartbeat slot; the usual eight make 512.
pub const DATABLOCK_HEARTBEAT_BYTES: usize = 64;
/// Bytes of the metrics section.
pub const DATABLOCK_METRICS_BYTES: usize = 256;
/// From one cursor to the next.
pub const DATABLOCK_CURSOR_BYTES: usize = 128;
/// Bytes of a checksum record.
pub const DATABLOCK_CHECKSUM_RECORD_BYTES: usize = 64;
/// The version of the layout; blocks of another one are refused.
pub const DATABLOCK_LAYOUT_VERSION: usize = 1;

/// The first fields of a segment.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct DataBlockHeader {
    /// "DATAHUB1" as little-endian text; 0 until the block is complete.
    pub magic: u64,
    /// DATABLOCK_LAYOUT_VERSION.
    pub version: u32,
    /// 0x01020304 as the producer writes it.
    pub byte_order: u32,
    /// Hash of every offset and size of the layout.
    pub layout_hash: u64,
    /// Size of the whole segment.
    pub total_bytes: u64,
    /// Largest payload.
    pub payload_bytes: u64,
    /// Payloads promised.
    pub capacity: u32,
    /// Physical slots.
    pub physical_slots: u32,
    /// Consumers at once.
    pub max_consumers: u32,
    /// A DataBlockConsumerSync.
    pub consumer_sync: u32,
    /// A DataBlockOnFull.
    pub on_full: u32,
    /// A DataBlockChecksumAlgorithm.
    pub checksum_algorithm: u32,
    /// A DataBlockChecksumPolicy.
    pub checksum_policy: u32,
    /// 1 when waiters may sleep.
    pub parking: u32,
    /// First sequence of the block.
    pub first_sequence: u64,
    /// Drawn at creation, tells two blocks of one name apart.
    pub nonce: [u8; 16],
    /// Hash of the slot's schema; zero: none.
    pub slot_schema_hash: [u8; 32],
    /// Hash of the zones' schema; zero: none.
    pub zone_schema_hash: [u8; 32],
    /// Zero.
    pub capability: [u8; 64],
    /// How many flexible zones there are.
    pub zone_count: u32,
    /// Bytes of the text of the slot's schema; 0: none, or too long for the header.
    pub slot_schema_text_bytes: u32,
    /// The nonce of the stream's first block; a successor has its predecessor's.
    pub stream: [u8; 16],
    /// The predecessor's nonce; zero: none.
    pub predecessor: [u8; 16],
    /// The device of the predecessor's file.
    pub predecessor_device: u64,
    /// The number of the predecessor's file on its device.
    pub predecessor_file: u64,
    /// Nanoseconds after which a consumer in the way is evicted; 0: never.
    pub evict_after_ns: u64,
}

/// A heartbeat slot: one line, written by its owner.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct DataBlockHeartbeat {
    /// State in bits 0 and 1 (EMPTY, CLAIMING, LIVE, RETIRING), the number of claims above them;
    /// bit 62: the owner was evicted, bit 63: it is being evicted at this moment.
    pub word: u64,
    /// The owner's process id, as it saw itself.
    pub process: u64,
    /// When the owner attached, monotonic nanoseconds.
    pub since_ns: u64,
    /// The owner's last beat, monotonic nanoseconds.
    pub last_heartbeat_ns: u64,
    /// Zero.
    pub reserved: [u64; 4],
}

const _: () = {
    assert!(DATABLOCK_HEADER_BYTES == layout::HEADER);
    assert!(DATABLOCK_OFFSET_ZONES == header::ZONES);
    assert!(DATABLOCK_OFFSET_SLOT_SCHEMA_TEXT == header::SLOT_SCHEMA_TEXT);
    assert!(DATABLOCK_OFFSET_PRODUCER == layout::PRODUCER);
    assert!(DATABLOCK_OFFSET_ACK == layout::ACK);
    assert!(DATABLOCK_OFFSET_REGISTRY == layout::REGISTRY);
    assert!(DATABLOCK_OFFSET_DATA_PARK == layout::DATA_PARK);
    assert!(DATABLOCK_OFFSET_SPACE_PARK == layout::SPACE_PARK);
    assert!(DATABLOCK_OFFSET_PRODUCER_HEARTBEAT == layout::PRODUCER_HEARTBEAT);
    assert!(DATABLOCK_OFFSET_METRICS == layout::METRICS);
    assert!(DATABLOCK_OFFSET_METRICS_BASELINE == layout::BASELINE);
    assert!(DATABLOCK_OFFSET_ARRIVALS == layout::ARRIVALS);
    assert!(DATABLOCK_OFFSET_HEARTBEATS == layout::HEARTBEATS);
    assert!(DATABLOCK_OFFSET_CURSORS == layout::CURSORS);
    assert!(DATABLOCK_SLOT_STATE_BYTES == size_of::<SlotRWState>());
    assert!(DATABLOCK_HEARTBEAT_BYTES == size_of::<DataBlockHeartbeat>());
    assert!(DATABLOCK_METRICS_BYTES == layout::METRICS_BYTES);
    assert!(DATABLOCK_CURSOR_BYTES == layout::CURSOR);
    assert!(DATABLOCK_CHECKSUM_RECORD_BYTES == layout::RECORD);
    assert!(DATABLOCK_LAYOUT_VERSION == layout::VERSION as usize);
};

const _: () = {
    assert!(offset_of!(DataBlockHeader, magic) == header::MAGIC);
    assert!(offset_of!(DataBlockHeader, version) == header::VERSION);
    assert!(offset_of!(DataBlockHeader, byte_order) == header::BYTE_ORDER);
    assert!(offset_of!(DataBlockHeader, layout_hash) == header::LAYOUT_HASH);
    assert!(offset_of!(DataBlockHeader, total_bytes) == header::TOTAL_BYTES);
    assert!(offset_of!(DataBlockHeader, payload_bytes) == header::PAYLOAD_BYTES);
    assert!(offset_of!(DataBlockHeader, capacity) == header::CAPACITY);
    assert!(offset_of!(DataBlockHeader, physical_slots) == header::PHYSICAL_SLOTS);
    assert!(offset_of!(DataBlockHeader, max_consumers) == header::MAX_CONSUMERS);
    assert!(offset_of!(DataBlockHeader, consumer_sync) == header::CONSUMER_SYNC);
    assert!(offset_of!(DataBlockHeader, on_full) == header::ON_FULL);
    assert!(offset_of!(DataBlockHeader, checksum_algorithm) == header::CHECKSUM_ALGORITHM);
    assert!(offset_of!(DataBlockHeader, checksum_policy) == header::CHECKSUM_POLICY);
    assert!(offset_of!(DataBlockHeader, parking) == header::PARKING);
    assert!(offset_of!(DataBlockHeader, first_sequence) == header::FIRST_SEQUENCE);
    assert!(offset_of!(DataBlockHeader, nonce) == header::NONCE);
    assert!(offset_of!(DataBlockHeader, slot_schema_hash) == header::SLOT_SCHEMA_HASH);
    assert!(offset_of!(DataBlockHeader, zone_schema_hash) == header::ZONE_SCHEMA_HASH);
    assert!(offset_of!(DataBlockHeader, capability) == header::CAPABILITY);
    assert!(offset_of!(DataBlockHeader, zone_count) == header::ZONE_COUNT);
    assert!(offset_of!(DataBlockHeader, slot_schema_text_bytes) == header::SLOT_SCHEMA_TEXT_BYTES);
    assert!(offset_of!(DataBlockHeader, stream) == header::STREAM);
    assert!(offset_of!(DataBlockHeader, predecessor) == header::PREDECESSOR);
    assert!(offset_of!(DataBlockHeader, predecessor_device) == header::PREDECESSOR_DEVICE);
    assert!(offset_of!(DataBlockHeader, predecessor_file) == header::PREDECESSOR_FILE);
    assert!(offset_of!(DataBlockHeader, evict_after_ns) == header::EVICT_AFTER_NS);
    assert!(size_of::<DataBlockHeader>() <= header::SUCCESSOR_BYTES);
};

const _: () = {
    type Ours = HeartbeatSlot<SharedWord>;
    assert!(size_of::<DataBlockHeartbeat>() == size_of::<Ours>());
    assert!(offset_of!(DataBlockHeartbeat, process) == offset_of!(Ours, process));
    assert!(offset_of!(DataBlockHeartbeat, since_ns) == offset_of!(Ours, since_ns));
    assert!(
        offset_of!(DataBlockHeartbeat, last_heartbeat_ns) == offset_of!(Ours, last_heartbeat_ns)
    );
};
