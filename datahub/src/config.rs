//! What a block is asked to be: checked once, here, and private afterwards.

mod schema_tag;
mod zone;

pub use schema_tag::{SchemaTag, SchemaTagError};
pub use zone::{ZONE_BYTES_MAX, ZONES_MAX, ZoneConfig};

use core::time::Duration;

use crate::name::BlockName;

/// Which payloads a consumer is shown, and who may hold the producer back.
///
/// Source: HEP-CORE-0002 consumer sync policy; values as stored in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ConsumerSync {
    /// The newest payload; older ones are skipped and nobody holds the producer back.
    LatestOnly = 0,
    /// Every payload in order, for exactly one consumer.
    Sequential = 1,
    /// Every payload in order, for each consumer; the slowest gates the producer.
    SequentialSync = 2,
}

impl ConsumerSync {
    pub(crate) const fn decode(value: u32) -> Option<Self> {
        match value {
            0 => Some(Self::LatestOnly),
            1 => Some(Self::Sequential),
            2 => Some(Self::SequentialSync),
            _ => None,
        }
    }
}

/// What the producer does when the sequential ring is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum OnFull {
    /// Wait for the slowest consumer, as long as the caller's time-out allows.
    Block = 0,
    /// Say [`Full`](crate::producer::WriteError::Full) at once.
    Error = 1,
    /// Write over the oldest; a consumer that was passed learns how many it missed.
    Overwrite = 2,
    /// Wait for a consumer so long, then go on without it: see [`BlockConfig::evict_after`].
    Evict = 3,
}

impl OnFull {
    pub(crate) const fn decode(value: u32) -> Option<Self> {
        match value {
            0 => Some(Self::Block),
            1 => Some(Self::Error),
            2 => Some(Self::Overwrite),
            3 => Some(Self::Evict),
            _ => None,
        }
    }
}

/// How a checksum is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ChecksumAlgorithm {
    /// XXH3, 64 bits: the default, and the fastest (`scenarios/throughput/checksum.toml` measures all three).
    Xxh3 = 1,
    /// CRC-32C (Castagnoli).
    Crc32c = 2,
    /// BLAKE2b, 256 bits: the specification's, and the slowest.
    Blake2b = 3,
}

impl ChecksumAlgorithm {
    pub(crate) const fn decode(value: u32) -> Option<Self> {
        match value {
            1 => Some(Self::Xxh3),
            2 => Some(Self::Crc32c),
            3 => Some(Self::Blake2b),
            _ => None,
        }
    }
}

/// Who sees to the checksum of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ChecksumPolicy {
    /// The users call `update_checksum_slot` and `verify_checksum_slot` themselves.
    Manual = 0,
    /// Stamped before every commit, verified at every read.
    Enforced = 1,
}

impl ChecksumPolicy {
    pub(crate) const fn decode(value: u32) -> Option<Self> {
        match value {
            0 => Some(Self::Manual),
            1 => Some(Self::Enforced),
            _ => None,
        }
    }
}

/// How many consumers one slot can tell apart.
pub const READERS_MAX: u32 = 32;
/// Most payloads a block may promise.
pub const CAPACITY_MAX: u32 = 1 << 16;
/// Longest patience of a producer that evicts.
pub const EVICT_AFTER_MAX: Duration = Duration::from_hours(1);
/// The patience of a producer that evicts when nobody says otherwise.
const EVICT_AFTER_NS_USUAL: u64 = 1_000_000_000;
/// Largest payload in bytes: 1 GiB.
pub const PAYLOAD_BYTES_MAX: u64 = 1 << 30;

/// Why a configuration cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Capacity 0 or above [`CAPACITY_MAX`].
    #[error("capacity {0} is out of range: use 1 to {CAPACITY_MAX}")]
    Capacity(u32),
    /// Payload of 0 bytes or above [`PAYLOAD_BYTES_MAX`].
    #[error("payload of {0} bytes is out of range: use 1 to {PAYLOAD_BYTES_MAX}")]
    PayloadBytes(u64),
    /// No consumer or more than a slot can tell apart.
    #[error("{0} consumers are out of range: use 1 to {READERS_MAX}")]
    MaxConsumers(u32),
    /// Fewer physical slots than payloads promised, or more than can be addressed.
    #[error(
        "{slots} physical slots cannot keep {capacity} payloads readable: use {least} to {most}"
    )]
    PhysicalSlots {
        /// What was asked.
        slots: u32,
        /// Payloads promised.
        capacity: u32,
        /// Fewest that work.
        least: u32,
        /// Most that can be addressed.
        most: u32,
    },
    /// A batch of no slot, of more than the capacity, or under latest-only.
    #[error("batches of {slots} slots are out of range: use 1 to {most}")]
    Batch {
        /// What was asked.
        slots: u32,
        /// The capacity of a sequential block; 0 under latest-only, which has no batches.
        most: u32,
    },
    /// A patience that no clock can measure, or one where nobody is waited for.
    #[error(
        "consumers of a {sync:?} block cannot be evicted after {after:?}: use a sequential policy and 1 µs to 1 h"
    )]
    EvictAfter {
        /// What was asked.
        after: Duration,
        /// The policy of the block.
        sync: ConsumerSync,
    },
    /// A payload has no room for a value of the schema.
    #[error("a value of {value_bytes} bytes does not fit a payload of {payload_bytes}")]
    SchemaBytes {
        /// Bytes of a value.
        value_bytes: u64,
        /// Bytes of a payload.
        payload_bytes: u64,
    },
    /// A layout whose name nobody could read in a header.
    #[error(transparent)]
    Schema(#[from] SchemaTagError),
    /// A type that needs more than a cache line.
    #[error("slots and zones begin on lines of 64 bytes, the type needs an alignment of {0}")]
    Alignment(usize),
    /// More zones than the header can name.
    #[error("a block has at most {ZONES_MAX} zones, not {0}")]
    Zones(usize),
    /// Two zones of one name.
    #[error("two zones are called '{0}'")]
    ZoneName(BlockName),
    /// A zone of 0 bytes or above [`ZONE_BYTES_MAX`].
    #[error("a zone of {0} bytes is out of range: use 1 to {ZONE_BYTES_MAX}")]
    ZoneBytes(u64),
}

/// The shape and the rules of a block.
///
/// ```
/// use datahub::config::{BlockConfig, ConsumerSync};
///
/// let config = BlockConfig::new(ConsumerSync::Sequential, 64, 4096)?;
/// assert_eq!(config.physical_slots(), 65);
/// # Ok::<(), datahub::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockConfig {
    consumer_sync: ConsumerSync,
    capacity: u32,
    payload_bytes: u64,
    physical_slots: u32,
    max_consumers: u32,
    on_full: OnFull,
    evict_after_ns: u64,
    checksum_algorithm: ChecksumAlgorithm,
    checksum_policy: ChecksumPolicy,
    parking: bool,
    slot_schema: Option<SchemaTag>,
    zones: Vec<ZoneConfig>,
}

/// Most physical slots: room for every capacity, and for every reader or the largest batch.
pub(crate) const PHYSICAL_SLOTS_MAX: u32 = 2 * CAPACITY_MAX;

impl BlockConfig {
    /// A block that keeps `capacity` payloads of up to `payload_bytes` readable.
    ///
    /// Eight consumers, no automatic checksum (XXH3 by hand), no parking, and the producer waits
    /// when a sequential ring is full. A latest-only block gets as many spare slots as it has
    /// consumers, so that no reader, not even a stopped one, ever holds the producer back.
    ///
    /// A few slots are enough for the shortest way through. For throughput of larger payloads a ring
    /// may be larger than the second-level caches together: what the reader has read then left its
    /// cache before the producer writes there again, and nothing is fetched from core to core twice
    /// (`scenarios/throughput/depth.toml` measures it).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the value and its range.
    pub fn new(
        consumer_sync: ConsumerSync,
        capacity: u32,
        payload_bytes: u64,
    ) -> Result<Self, ConfigError> {
        if capacity == 0 || capacity > CAPACITY_MAX {
            return Err(ConfigError::Capacity(capacity));
        }
        if payload_bytes == 0 || payload_bytes > PAYLOAD_BYTES_MAX {
            return Err(ConfigError::PayloadBytes(payload_bytes));
        }
        let mut config = Self {
            consumer_sync,
            capacity,
            payload_bytes,
            physical_slots: 0,
            max_consumers: 8,
            on_full: OnFull::Block,
            evict_after_ns: 0,
            checksum_algorithm: ChecksumAlgorithm::Xxh3,
            checksum_policy: ChecksumPolicy::Manual,
            parking: false,
            slot_schema: None,
            zones: Vec::new(),
        };
        config.physical_slots = config.usual_slots();
        Ok(config)
    }

    /// Slots when nobody says otherwise: decisions 2 and 3.
    const fn usual_slots(&self) -> u32 {
        match self.consumer_sync {
            ConsumerSync::LatestOnly => self.capacity + self.max_consumers + 1,
            ConsumerSync::Sequential | ConsumerSync::SequentialSync => self.capacity + 1,
        }
    }

    /// Room for `count` consumers, 1 to 32.
    ///
    /// # Errors
    ///
    /// [`ConfigError::MaxConsumers`].
    pub fn max_consumers(mut self, count: u32) -> Result<Self, ConfigError> {
        if count == 0 || count > READERS_MAX {
            return Err(ConfigError::MaxConsumers(count));
        }
        let usual = self.physical_slots == self.usual_slots();
        self.max_consumers = count;
        if usual {
            self.physical_slots = self.usual_slots();
        }
        Ok(self)
    }

    /// Exactly `slots` physical slots. Fewer than capacity + consumers + 1 save memory in a
    /// latest-only block; the producer may then have to wait for readers. More than capacity + 1
    /// make room for batches in a sequential block.
    ///
    /// # Errors
    ///
    /// [`ConfigError::PhysicalSlots`] below capacity + 1.
    pub fn with_physical_slots(mut self, slots: u32) -> Result<Self, ConfigError> {
        let least = self.capacity + 1;
        if slots < least || slots > PHYSICAL_SLOTS_MAX {
            let (capacity, most) = (self.capacity, PHYSICAL_SLOTS_MAX);
            return Err(ConfigError::PhysicalSlots { slots, capacity, least, most });
        }
        self.physical_slots = slots;
        Ok(self)
    }

    /// Room for batches of up to `slots` slots: as many payloads can be written at once while
    /// `capacity` others stay readable. Costs `slots` − 1 more slots of memory.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Batch`] for 0, more than the capacity, or a latest-only block.
    pub fn batches_of(self, slots: u32) -> Result<Self, ConfigError> {
        let latest = matches!(self.consumer_sync, ConsumerSync::LatestOnly);
        let most = if latest { 0 } else { self.capacity };
        if slots == 0 || slots > most {
            return Err(ConfigError::Batch { slots, most });
        }
        let physical = self.capacity + slots;
        self.with_physical_slots(physical)
    }

    /// What the producer does when a sequential ring is full. Latest-only is never full.
    /// [`OnFull::Evict`] this way has the patience of 1 s; under latest-only it means nothing.
    #[must_use]
    pub fn on_full(mut self, on_full: OnFull) -> Self {
        let evicts = matches!(on_full, OnFull::Evict);
        self.evict_after_ns = if evicts { EVICT_AFTER_NS_USUAL } else { 0 };
        self.on_full = on_full;
        self
    }

    /// The producer of a full sequential ring waits `after` for the same consumer, 1 µs to 1 h, then
    /// goes on without it; the consumer learns it by
    /// [`ReadError::Evicted`](crate::consumer::ReadError::Evicted). In such a block all reads and
    /// writes are copies, because the evicted one may be reading what is overwritten.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EvictAfter`], also under latest-only, where nobody is waited for.
    pub fn evict_after(mut self, after: Duration) -> Result<Self, ConfigError> {
        let sync = self.consumer_sync;
        let bounds = Duration::from_micros(1)..=EVICT_AFTER_MAX;
        if sync == ConsumerSync::LatestOnly || !bounds.contains(&after) {
            return Err(ConfigError::EvictAfter { after, sync });
        }
        self.on_full = OnFull::Evict;
        // At most an hour: it fits.
        self.evict_after_ns = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        Ok(self)
    }

    /// How long the producer waits for the same consumer before it goes on without it;
    /// `None` when it never does.
    #[must_use]
    pub const fn patience(&self) -> Option<Duration> {
        match (self.on_full, self.consumer_sync) {
            (OnFull::Evict, ConsumerSync::Sequential | ConsumerSync::SequentialSync) => {
                Some(Duration::from_nanos(self.evict_after_ns))
            }
            _ => None,
        }
    }

    /// How slots are checked, and by whom.
    #[must_use]
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm, policy: ChecksumPolicy) -> Self {
        self.checksum_algorithm = algorithm;
        self.checksum_policy = policy;
        self
    }

    /// Says in the header which layout payloads have; see
    /// [`slot_schema`](Self::slot_schema) for types.
    #[must_use]
    pub fn with_slot_schema(mut self, schema: Option<SchemaTag>) -> Self {
        self.slot_schema = schema;
        self
    }

    /// Adds a flexible zone.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Zones`] when there are [`ZONES_MAX`] already, [`ConfigError::ZoneName`] when
    /// one has the name.
    pub fn with_zone(mut self, zone: ZoneConfig) -> Result<Self, ConfigError> {
        if self.zones.len() >= ZONES_MAX {
            return Err(ConfigError::Zones(self.zones.len() + 1));
        }
        if self.zones.iter().any(|other| other.name() == zone.name()) {
            return Err(ConfigError::ZoneName(zone.name().clone()));
        }
        self.zones.push(zone);
        Ok(self)
    }

    /// Which layout payloads have, if the block says.
    #[must_use]
    pub const fn schema(&self) -> Option<&SchemaTag> {
        self.slot_schema.as_ref()
    }

    /// The flexible zones.
    #[must_use]
    pub fn zones(&self) -> &[ZoneConfig] {
        &self.zones
    }

    /// Allows waiters to sleep in the kernel. Costs the other side one fence a message.
    #[must_use]
    pub fn parking(mut self, allowed: bool) -> Self {
        self.parking = allowed;
        self
    }
}

macro_rules! getters {
    ($( $(#[doc = $doc:literal])+ $name:ident -> $type:ty = $field:ident; )*) => {
        impl BlockConfig { $(
            $(#[doc = $doc])+ #[must_use] pub const fn $name(&self) -> $type { self.$field }
        )* }
    };
}

getters! {
    /// Which payloads a consumer is shown.
    consumer_sync -> ConsumerSync = consumer_sync;
    /// Payloads that stay readable, also while the next one is written.
    capacity -> u32 = capacity;
    /// Bytes of the largest payload.
    payload_bytes -> u64 = payload_bytes;
    /// Slots in memory.
    physical_slots -> u32 = physical_slots;
    /// How many consumers can be attached at once.
    consumers_max -> u32 = max_consumers;
    /// What happens when the ring is full.
    when_full -> OnFull = on_full;
    /// Nanoseconds that the producer waits for the same consumer under [`OnFull::Evict`]; otherwise 0.
    evict_after_ns -> u64 = evict_after_ns;
    /// How slots are checked.
    checksum_algorithm -> ChecksumAlgorithm = checksum_algorithm;
    /// Who checks.
    checksum_policy -> ChecksumPolicy = checksum_policy;
    /// Whether waiters may sleep in the kernel.
    parks -> bool = parking;
}
