//! The configuration of a block as C writes it.
//!
//! Its first field is its size as the caller's compiler saw it, so fields can be added at the end:
//! what an older caller does not know keeps its default, what a newer caller sets beyond our last
//! field is refused unless it is zero.

use core::time::Duration;

use datahub::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, OnFull,
};

use crate::failure::Failure;
use crate::pointer;
use crate::status::DataBlockStatus;

/// Which payloads a consumer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataBlockConsumerSync {
    /// The newest payload; older ones are skipped and nobody holds the producer back.
    DatablockLatestOnly = 0,
    /// Every payload in order, for exactly one consumer.
    DatablockSequential = 1,
    /// Every payload in order, for each consumer; the slowest gates the producer.
    DatablockSequentialSync = 2,
}

/// What the producer does when a sequential ring is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataBlockOnFull {
    /// Wait for the slowest consumer, as long as the time-out allows.
    DatablockOnFullBlock = 0,
    /// Return DATABLOCK_FULL at once.
    DatablockOnFullError = 1,
    /// Write over the oldest; a consumer that was passed gets DATABLOCK_LAPPED.
    DatablockOnFullOverwrite = 2,
    /// Wait evict_after_us for the same consumer, then go on without it; it gets DATABLOCK_EVICTED.
    /// All reads and writes of such a block are copies. Not for latest-only.
    DatablockOnFullEvict = 3,
}

/// How a checksum is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataBlockChecksumAlgorithm {
    /// XXH3, 64 bits.
    DatablockXxh3 = 1,
    /// CRC-32C (Castagnoli).
    DatablockCrc32c = 2,
    /// BLAKE2b, 256 bits.
    DatablockBlake2b = 3,
}

/// Who sees to the checksum of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DataBlockChecksumPolicy {
    /// The users call datablock_update_checksum_slot and datablock_verify_checksum_slot.
    DatablockChecksumManual = 0,
    /// Stamped before every commit, verified at every read.
    DatablockChecksumEnforced = 1,
}

/// The shape and the rules of a block. Filled by datablock_config_init, then changed by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct DataBlockConfig {
    /// sizeof(DataBlockConfig) in the caller.
    pub size: u32,
    /// A DataBlockConsumerSync.
    pub consumer_sync: u32,
    /// Bytes of the largest payload: 1 to 2^30.
    pub payload_bytes: u64,
    /// Payloads that stay readable, also while the next one is written: 1 to 65536.
    pub capacity: u32,
    /// How many consumers can be attached at once: 1 to 32.
    pub max_consumers: u32,
    /// Slots in memory; 0 for the usual number.
    pub physical_slots: u32,
    /// A DataBlockOnFull.
    pub on_full: u32,
    /// A DataBlockChecksumAlgorithm.
    pub checksum_algorithm: u32,
    /// A DataBlockChecksumPolicy.
    pub checksum_policy: u32,
    /// 1 when waiters may sleep in the kernel, 0 when not.
    pub parking: u32,
    /// Microseconds of patience under DATABLOCK_ON_FULL_EVICT, up to one hour; 0 for one second.
    /// Otherwise 0.
    pub evict_after_us: u32,
}

const _: () = assert!(size_of::<DataBlockConfig>() == 48);

/// `size_of` as the field holds it.
#[expect(clippy::cast_possible_truncation, reason = "asserted to be small")]
const SIZE: u32 = size_of::<DataBlockConfig>() as u32;

/// Bytes up to the first field that a caller cannot do without.
const SIZE_MIN: usize = 24;

/// No caller's struct is larger.
const SIZE_MAX: usize = 4096;

const DEFAULT: DataBlockConfig = DataBlockConfig {
    size: SIZE,
    consumer_sync: DataBlockConsumerSync::DatablockLatestOnly as u32,
    payload_bytes: 4096,
    capacity: 1,
    max_consumers: 8,
    physical_slots: 0,
    on_full: DataBlockOnFull::DatablockOnFullBlock as u32,
    checksum_algorithm: DataBlockChecksumAlgorithm::DatablockXxh3 as u32,
    checksum_policy: DataBlockChecksumPolicy::DatablockChecksumManual as u32,
    parking: 0,
    evict_after_us: 0,
};

/// Fills `config` with the defaults: latest-only, one payload of 4096 bytes, eight consumers, XXH3
/// by hand, no parking. `size` is sizeof(DataBlockConfig), so that older and newer callers work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_config_init(
    config: *mut DataBlockConfig,
    size: usize,
) -> DataBlockStatus {
    crate::failure::report(|| {
        // SAFETY: the caller's contract; `Out` only checks here, `size` bytes are written below.
        let _checked = unsafe { pointer::Out::new(config, "config") }?;
        let size_field = checked_size(size)?;
        let known = size.min(size_of::<DataBlockConfig>());
        let default = DataBlockConfig { size: size_field, ..DEFAULT };
        // SAFETY: the caller has `size` bytes there.
        unsafe { config.cast::<u8>().write_bytes(0, size) };
        // SAFETY: `known` is within both structs, which do not overlap.
        unsafe { core::ptr::from_ref(&default).cast::<u8>().copy_to(config.cast(), known) };
        Ok(())
    })
}

fn checked_size(size: usize) -> Result<u32, Failure> {
    u32::try_from(size).ok().filter(|_| (SIZE_MIN..=SIZE_MAX).contains(&size)).ok_or_else(|| {
        Failure::argument(format!("{size} cannot be the size of a DataBlockConfig: pass sizeof"))
    })
}

/// Reads a configuration of any release.
///
/// # Safety
///
/// `config` is NULL, misaligned, or leads to as many bytes as its first field says.
pub(crate) unsafe fn read(config: *const DataBlockConfig) -> Result<BlockConfig, Failure> {
    // SAFETY: the caller's contract; the first field is there in every release.
    let &size = unsafe { pointer::shared(config.cast::<u32>(), "config") }?;
    checked_size(size as usize)?;
    let size = size as usize;
    let mut known = DEFAULT;
    let ours = size.min(size_of::<DataBlockConfig>());
    // SAFETY: `ours` is within both structs; every pattern of bytes is a valid one.
    unsafe { config.cast::<u8>().copy_to(core::ptr::from_mut(&mut known).cast(), ours) };
    // SAFETY: `ours <= size`, and the caller has `size` bytes there.
    let beyond = unsafe { config.cast::<u8>().add(ours) };
    // SAFETY: as above; bytes are always initialised by `datablock_config_init` or the caller.
    let beyond = unsafe { core::slice::from_raw_parts(beyond, size - ours) };
    if beyond.iter().any(|&byte| byte != 0) {
        return Err(Failure::argument(
            "the configuration sets fields that this library does not know: use a newer libdatahub",
        ));
    }
    decode(&known)
}

fn decode(config: &DataBlockConfig) -> Result<BlockConfig, Failure> {
    let sync = one_of(
        "consumer_sync",
        config.consumer_sync,
        &[ConsumerSync::LatestOnly, ConsumerSync::Sequential, ConsumerSync::SequentialSync],
    )?;
    let on_full = one_of(
        "on_full",
        config.on_full,
        &[OnFull::Block, OnFull::Error, OnFull::Overwrite, OnFull::Evict],
    )?;
    let algorithm = one_of(
        "checksum_algorithm - 1",
        config.checksum_algorithm.wrapping_sub(1),
        &[ChecksumAlgorithm::Xxh3, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Blake2b],
    )?;
    let policy = one_of(
        "checksum_policy",
        config.checksum_policy,
        &[ChecksumPolicy::Manual, ChecksumPolicy::Enforced],
    )?;
    let parking = one_of("parking", config.parking, &[false, true])?;
    let shaped = shape(sync, config).map_err(|error| Failure::argument(error.to_string()))?;
    let shaped = patient(shaped, on_full, config.evict_after_us)?;
    Ok(shaped.checksum(algorithm, policy).parking(parking))
}

fn patient(
    config: BlockConfig,
    on_full: OnFull,
    evict_after_us: u32,
) -> Result<BlockConfig, Failure> {
    match (on_full, evict_after_us) {
        (OnFull::Evict, after_us) => {
            let after_us = if after_us == 0 { 1_000_000 } else { after_us };
            let patient = config.evict_after(Duration::from_micros(after_us.into()));
            patient.map_err(|error| Failure::argument(error.to_string()))
        }
        (_, 0) => Ok(config.on_full(on_full)),
        (_, after_us) => Err(Failure::argument(format!(
            "config.evict_after_us is {after_us}, but config.on_full does not say EVICT: use 0"
        ))),
    }
}

fn shape(sync: ConsumerSync, config: &DataBlockConfig) -> Result<BlockConfig, ConfigError> {
    let shaped = BlockConfig::new(sync, config.capacity, config.payload_bytes)?
        .max_consumers(config.max_consumers)?;
    match config.physical_slots {
        0 => Ok(shaped),
        slots => shaped.with_physical_slots(slots),
    }
}

/// The meaning of a number that counts through `meanings`.
fn one_of<T: Copy>(field: &str, value: u32, meanings: &[T]) -> Result<T, Failure> {
    meanings.get(value as usize).copied().ok_or_else(|| {
        let most = meanings.len() - 1;
        Failure::argument(format!(
            "config.{field} is {value}, which means nothing: use 0 to {most}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct of a release that knows 16 bytes more.
    #[repr(C)]
    struct Newer {
        known: DataBlockConfig,
        unknown: [u64; 2],
    }

    fn init(size: usize) -> (Newer, DataBlockStatus) {
        let mut config = Newer { known: DEFAULT, unknown: [7; 2] };
        config.known.capacity = 77;
        // SAFETY: there is room for all sizes that these tests pass.
        let status = unsafe { datablock_config_init(&raw mut config.known, size) };
        (config, status)
    }

    fn read_again(config: &Newer) -> Result<BlockConfig, Failure> {
        // SAFETY: the struct is as large as its first field says.
        unsafe { read(&raw const config.known) }
    }

    #[test]
    fn the_defaults_make_a_block() {
        let (config, status) = init(size_of::<DataBlockConfig>());
        assert_eq!(
            (status, config.known, config.unknown),
            (DataBlockStatus::DatablockOk, DEFAULT, [7; 2])
        );
        assert_eq!(read_again(&config).unwrap().physical_slots(), 10);
    }

    #[test]
    fn an_older_caller_keeps_the_defaults_of_what_it_does_not_know() {
        let (mut config, _) = init(24);
        assert_eq!(config.known.size, 24);
        config.known.on_full = 9;
        config.known.parking = 9;
        assert!(!read_again(&config).unwrap().parks());
    }

    #[test]
    fn a_newer_caller_is_refused_only_if_it_uses_what_is_new() {
        let (mut config, _) = init(size_of::<Newer>());
        assert_eq!(config.unknown, [0; 2]);
        assert!(read_again(&config).is_ok());
        config.unknown[1] = 1;
        assert_eq!(read_again(&config).unwrap_err().status(), DataBlockStatus::DatablockError);
    }

    #[test]
    fn no_size_leads_outside_the_struct() {
        for size in [0, 3, 23, 4097, usize::MAX] {
            assert_eq!(init(size).1, DataBlockStatus::DatablockError, "{size}");
        }
    }

    #[test]
    fn every_field_out_of_range_is_named() {
        type Damage = fn(&mut DataBlockConfig);
        let damages: [(&str, Damage); 10] = [
            ("consumer_sync", |config| config.consumer_sync = 3),
            ("on_full", |config| config.on_full = 4),
            ("checksum_algorithm", |config| config.checksum_algorithm = 0),
            ("checksum_policy", |config| config.checksum_policy = 2),
            ("parking", |config| config.parking = 2),
            ("evict_after_us", |config| config.evict_after_us = 1),
            ("LatestOnly", |config| config.on_full = 3),
            ("capacity", |config| config.capacity = 0),
            ("consumers", |config| config.max_consumers = 33),
            ("physical slots", |config| config.physical_slots = 1),
        ];
        for (field, damage) in damages {
            let mut config = DEFAULT;
            damage(&mut config);
            let message = decode(&config).unwrap_err().to_string();
            assert!(message.contains(field), "{field}: {message}");
        }
    }
}
