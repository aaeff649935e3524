//! Where everything stands in a segment: the only place with byte numbers.
//!
//! ```text
//!     0  header      identity, geometry, zones, schemas; written once, magic last. Only where the
//!                    successor is, is written when there is one
//!  4096  producer    commit_index, latest
//!  4160  ack         acknowledged registry, read_index, how the stream ends here
//!  4224  registry    who is registered
//!  4288  data        where consumers sleep
//!  4352  space       where the producer sleeps
//!  4416  heartbeat   the producer's
//!  4480  metrics     256 bytes
//!  4736  baseline    256 bytes, the counts at the last reset
//!  4992  arrivals    whose seats are kept while they come from the predecessor
//!  5120  heartbeats  32 × 64
//!  7168  cursors     max_consumers × 128
//!        counters    max_consumers × 64
//!        slots       N × 64
//!        records     N × 64: checksum records
//!        zone records  zones × 64: checksum records
//!        zones       each rounded up to 64
//!        ring        N × stride, page-aligned; stride = payload rounded up to 64; a payload of at
//!                    most 32 bytes stands in the second half of its slot's own line instead
//! ```
//!
//! Every region begins on a line of its own; no two sides write one line on the hot path. The structs
//! live with their rules and assert their sizes against the numbers here.
//! Source: decisions 2, 12 and 25; sizes 64, 256 and 8 × 64 as in HEP-CORE-0002.

use crate::config::{BlockConfig, READERS_MAX, ZONES_MAX};

/// A cache line.
pub const LINE: usize = 64;
/// A page.
pub const PAGE: usize = 4096;
/// Bytes of the header that are written once.
pub const HEADER: usize = 4096;
/// The producer's line.
pub const PRODUCER: usize = 4096;
/// The acknowledgement line.
pub const ACK: usize = 4160;
/// The registry line.
pub const REGISTRY: usize = 4224;
/// Where consumers sleep.
pub const DATA_PARK: usize = 4288;
/// Where the producer sleeps.
pub const SPACE_PARK: usize = 4352;
/// The producer's heartbeat slot.
pub const PRODUCER_HEARTBEAT: usize = 4416;
/// The metrics section.
pub const METRICS: usize = 4480;
/// The metrics baseline.
pub const BASELINE: usize = 4736;
/// Whose seats are kept while they come from the predecessor.
pub const ARRIVALS: usize = 4992;
/// The consumers' heartbeat slots.
pub const HEARTBEATS: usize = 5120;
/// The consumers' cursors.
pub const CURSORS: usize = 7168;
/// Bytes of one cursor.
pub const CURSOR: usize = 128;
/// Bytes of the metrics section.
pub const METRICS_BYTES: usize = 256;
/// Bytes of one checksum record.
pub const RECORD: usize = 64;
/// Where in its slot's line a small payload stands: it crosses between cores together with the word.
pub const INLINE: usize = 32;
/// The largest payload that stands there.
pub const INLINE_BYTES: usize = LINE - INLINE;

/// Offsets of the header's fields, in the order of the file.
pub mod header {
    /// u64; 0 until the block is complete.
    pub const MAGIC: usize = 0;
    /// u32: layout version.
    pub const VERSION: usize = 8;
    /// u32: [`super::BYTE_ORDER_MARK`] as the producer writes it.
    pub const BYTE_ORDER: usize = 12;
    /// u64: hash of every offset and size in this file.
    pub const LAYOUT_HASH: usize = 16;
    /// u64: size of the whole segment.
    pub const TOTAL_BYTES: usize = 24;
    /// u64: largest payload.
    pub const PAYLOAD_BYTES: usize = 32;
    /// u32: payloads promised.
    pub const CAPACITY: usize = 40;
    /// u32: physical slots.
    pub const PHYSICAL_SLOTS: usize = 44;
    /// u32: consumers at once.
    pub const MAX_CONSUMERS: usize = 48;
    /// u32: consumer sync policy.
    pub const CONSUMER_SYNC: usize = 52;
    /// u32: what happens when full.
    pub const ON_FULL: usize = 56;
    /// u32: checksum algorithm.
    pub const CHECKSUM_ALGORITHM: usize = 60;
    /// u32: checksum policy.
    pub const CHECKSUM_POLICY: usize = 64;
    /// u32: 1 when waiters may sleep.
    pub const PARKING: usize = 68;
    /// u64: first sequence of the block.
    pub const FIRST_SEQUENCE: usize = 72;
    /// 16 bytes: drawn at creation, tells two blocks of one name apart.
    pub const NONCE: usize = 80;
    /// 32 bytes: hash of the slot's schema; zero: none.
    pub const SLOT_SCHEMA_HASH: usize = 96;
    /// 32 bytes: hash of the zones' schema; zero: none.
    pub const ZONE_SCHEMA_HASH: usize = 128;
    /// 64 bytes: the specification's capability token; zero, never a secret (F36).
    pub const CAPABILITY: usize = 160;
    /// u32: how many flexible zones there are.
    pub const ZONE_COUNT: usize = 224;
    /// u32: bytes of the text of the slot's schema; 0: none, or too long for the header.
    pub const SLOT_SCHEMA_TEXT_BYTES: usize = 228;
    /// 16 bytes: the nonce of the stream's first block; a successor has its predecessor's.
    pub const STREAM: usize = 232;
    /// 16 bytes: the predecessor's nonce; zero: none.
    pub const PREDECESSOR: usize = 248;
    /// u64: the device of the predecessor's file.
    pub const PREDECESSOR_DEVICE: usize = 264;
    /// u64: the number of the predecessor's file on its device.
    pub const PREDECESSOR_FILE: usize = 272;
    /// u64: nanoseconds after which a consumer in the way is evicted; 0: never.
    pub const EVICT_AFTER_NS: usize = 280;
    /// u64: bytes of the path at [`SUCCESSOR`]; written at a hand-over.
    pub const SUCCESSOR_BYTES: usize = 320;
    /// Up to 696 bytes: a path to the successor; written at a hand-over.
    pub const SUCCESSOR: usize = 328;
    /// Where the zones are described, 128 bytes each.
    pub const ZONES: usize = 1024;
    /// The text of the slot's schema, up to 2048 bytes.
    pub const SLOT_SCHEMA_TEXT: usize = 2048;
    /// End of the fields.
    pub const END: usize = 4096;
}

/// Offsets in the description of one zone.
pub mod zone {
    /// u64: bytes in use.
    pub const BYTES: usize = 0;
    /// u64: bytes of its name.
    pub const NAME_BYTES: usize = 8;
    /// Up to 64 bytes: its name.
    pub const NAME: usize = 16;
    /// 32 bytes: hash of its schema; zero: none.
    pub const SCHEMA_HASH: usize = 80;
    /// Bytes of one description.
    pub const END: usize = 128;
}

/// "DATAHUB" and the layout's generation, as little-endian text.
pub const MAGIC: u64 = u64::from_le_bytes(*b"DATAHUB1");
/// Version of the layout. Blocks of another version are refused.
pub const VERSION: u32 = 1;
/// Reads differently in another byte order.
pub const BYTE_ORDER_MARK: u32 = 0x0102_0304;

const _: () = assert!(usize::BITS == 64, "blocks are shared between 64-bit processes");
const _: () = assert!(HEARTBEATS + READERS_MAX as usize * LINE <= CURSORS);
const _: () = assert!(BASELINE + METRICS_BYTES <= ARRIVALS && METRICS + METRICS_BYTES == BASELINE);
const _: () = assert!(ARRIVALS + LINE <= HEARTBEATS);
const _: () = assert!(header::SUCCESSOR_BYTES + 8 == header::SUCCESSOR);
const _: () = assert!(header::END <= HEADER && HEADER == PRODUCER);
const _: () = assert!(header::ZONES + ZONES_MAX * zone::END <= header::SLOT_SCHEMA_TEXT);
const _: () = assert!(crate::name::NAME_CHARS_MAX <= zone::SCHEMA_HASH - zone::NAME);

/// Where the regions of one block stand, in bytes from the start of its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The consumers' counters.
    pub counters: usize,
    /// Slot records.
    pub slots: usize,
    /// Checksum records.
    pub records: usize,
    /// Checksum records of the zones.
    pub zone_records: usize,
    /// The zones, in the order of the configuration; what follows the last is `None`.
    pub zones: [Option<usize>; ZONES_MAX],
    /// Payloads.
    pub ring: usize,
    /// From one payload to the next.
    pub stride: usize,
    /// The whole segment.
    pub total: usize,
}

impl Layout {
    /// The layout of a block. `None` when it does not fit in an address space.
    #[must_use]
    pub fn of(config: &BlockConfig) -> Option<Self> {
        let count = usize::try_from(config.physical_slots()).ok()?;
        let consumers = usize::try_from(config.consumers_max()).ok()?;
        let payload = usize::try_from(config.payload_bytes()).ok()?;
        let counters = CURSORS.checked_add(consumers.checked_mul(CURSOR)?)?;
        let slots = counters.checked_add(consumers.checked_mul(LINE)?)?;
        let records = slots.checked_add(count.checked_mul(LINE)?)?;
        let zone_records = records.checked_add(count.checked_mul(RECORD)?)?;
        let mut end = zone_records.checked_add(config.zones().len().checked_mul(RECORD)?)?;
        let mut zones = [None; ZONES_MAX];
        for (place, zone) in zones.iter_mut().zip(config.zones()) {
            *place = Some(end);
            let bytes = usize::try_from(zone.bytes()).ok()?.checked_next_multiple_of(LINE)?;
            end = end.checked_add(bytes)?;
        }
        let inline = payload <= INLINE_BYTES;
        let ring = if inline { slots + INLINE } else { end.checked_next_multiple_of(PAGE)? };
        let stride = payload.checked_next_multiple_of(LINE)?;
        let end = if inline { end } else { ring.checked_add(count.checked_mul(stride)?)? };
        let total = end.checked_next_multiple_of(PAGE)?;
        Some(Self { counters, slots, records, zone_records, zones, ring, stride, total })
    }
}

/// A number that changes whenever an offset or a size in this file does.
#[must_use]
pub const fn layout_hash() -> u64 {
    let numbers = [
        LINE,
        HEADER,
        PRODUCER,
        ACK,
        REGISTRY,
        DATA_PARK,
        SPACE_PARK,
        PRODUCER_HEARTBEAT,
        METRICS,
        BASELINE,
        ARRIVALS,
        HEARTBEATS,
        CURSORS,
        CURSOR,
        RECORD,
        PAGE,
        METRICS_BYTES,
        INLINE,
        READERS_MAX as usize,
        ZONES_MAX,
        header::MAGIC,
        header::VERSION,
        header::BYTE_ORDER,
        header::LAYOUT_HASH,
        header::TOTAL_BYTES,
        header::PAYLOAD_BYTES,
        header::CAPACITY,
        header::PHYSICAL_SLOTS,
        header::MAX_CONSUMERS,
        header::CONSUMER_SYNC,
        header::ON_FULL,
        header::CHECKSUM_ALGORITHM,
        header::CHECKSUM_POLICY,
        header::PARKING,
        header::FIRST_SEQUENCE,
        header::NONCE,
        header::SLOT_SCHEMA_HASH,
        header::ZONE_SCHEMA_HASH,
        header::CAPABILITY,
        header::ZONE_COUNT,
        header::SLOT_SCHEMA_TEXT_BYTES,
        header::STREAM,
        header::PREDECESSOR,
        header::PREDECESSOR_DEVICE,
        header::PREDECESSOR_FILE,
        header::EVICT_AFTER_NS,
        header::SUCCESSOR_BYTES,
        header::SUCCESSOR,
        header::ZONES,
        header::SLOT_SCHEMA_TEXT,
        header::END,
        zone::BYTES,
        zone::NAME_BYTES,
        zone::NAME,
        zone::SCHEMA_HASH,
        zone::END,
    ];
    // FNV-1a over the numbers: it need only notice a change.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < numbers.len() {
        hash = (hash ^ numbers[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConsumerSync, ZoneConfig};
    use crate::name::BlockName;
    use proptest::prelude::*;

    #[test]
    fn the_offsets_are_these_numbers() {
        let config = BlockConfig::new(ConsumerSync::Sequential, 4, 100).unwrap();
        let layout = Layout::of(&config).unwrap();
        let wanted = Layout {
            counters: 8192,
            slots: 8704,
            records: 9024,
            zone_records: 9344,
            zones: [None; ZONES_MAX],
            ring: 12288,
            stride: 128,
            total: 16384,
        };
        assert_eq!(layout, wanted);
    }

    // Another number means another layout: then `VERSION` must change too, or blocks of the last
    // release are misread instead of refused.
    #[test]
    fn version_1_has_this_hash() {
        assert_eq!((VERSION, layout_hash()), (1, 15_897_299_444_874_726_413));
    }

    proptest! {
        #[test]
        fn regions_never_overlap(
            capacity in 1..=65536_u32,
            payload in 1..=1_u64 << 30,
            consumers in 1..=32_u32,
            zones in prop::collection::vec(1..=1_u64 << 30, 0..=8),
        ) {
            let sync = ConsumerSync::SequentialSync;
            let mut config = BlockConfig::new(sync, capacity, payload).unwrap();
            for (number, &bytes) in zones.iter().enumerate() {
                let name = BlockName::new(&format!("z{number}")).unwrap();
                config = config.with_zone(ZoneConfig::new(name, bytes).unwrap()).unwrap();
            }
            let config = config.max_consumers(consumers).unwrap();
            let layout = Layout::of(&config).unwrap();
            let count = config.physical_slots() as usize;
            let mut regions = vec![
                (CURSORS, consumers as usize * CURSOR),
                (layout.counters, consumers as usize * LINE),
                (layout.slots, count * LINE),
                (layout.records, count * RECORD),
                (layout.zone_records, zones.len() * RECORD),
            ];
            regions.extend(layout.zones.iter().zip(&zones).map(|(place, &bytes)| {
                (place.unwrap(), usize::try_from(bytes).unwrap())
            }));
            if payload > INLINE_BYTES as u64 {
                regions.push((layout.ring, count * layout.stride));
            } else {
                prop_assert_eq!(layout.ring, layout.slots + INLINE);
                prop_assert_eq!(layout.stride, LINE);
            }
            regions.push((layout.total, 0));
            for pair in regions.windows(2) {
                prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0);
                prop_assert_eq!(pair[1].0 % LINE, 0);
            }
            prop_assert!(layout.stride as u64 >= payload && layout.stride.is_multiple_of(LINE));
            prop_assert_eq!(layout.zones.iter().flatten().count(), zones.len());
        }
    }
}
