//! The header: written once by the producer, read once by everybody else, from a private copy.
//!
//! Nothing read here is trusted until the layout has been computed again from it and compared with
//! the size of the file (F18, F28). Numbers are little-endian whatever the machine.

mod extras;

use core::time::Duration;

use crate::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, OnFull,
};
use crate::layout::{self, Layout, header};
use crate::sequence::Sequence;

/// What a header says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Shape and rules.
    pub config: BlockConfig,
    /// Where everything stands.
    pub layout: Layout,
    /// The first sequence of the block.
    pub first: Sequence,
    /// Drawn at creation.
    pub nonce: [u8; 16],
    /// Where the stream comes from.
    pub origin: Origin,
}

/// Where the stream of a block comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The nonce of the stream's first block.
    pub stream: [u8; 16],
    /// The block that was handed over to this one.
    pub predecessor: Option<Predecessor>,
}

/// A block that was handed over to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predecessor {
    /// Its nonce.
    pub nonce: [u8; 16],
    /// The device of its file.
    pub device: u64,
    /// The number of its file there.
    pub file: u64,
}

/// Why a file is not a block that this process can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Too short for a header.
    #[error("the file has {found} bytes, too few for a block's header ({wanted})")]
    TooShort {
        /// Bytes in the file.
        found: u64,
        /// Bytes of a header.
        wanted: u64,
    },
    /// Another magic number.
    #[error("the file is not a DataHub block (its first bytes are {0:#018x})")]
    Magic(u64),
    /// Written on a machine with another byte order.
    #[error("the block was written with another byte order (mark {0:#010x})")]
    ByteOrder(u32),
    /// Made by another version.
    #[error(
        "the block has layout version {found}, this library reads version {wanted}: use the same release on both sides"
    )]
    Version {
        /// The block's.
        found: u32,
        /// Ours.
        wanted: u32,
    },
    /// Same version, other offsets: a build that should not exist.
    #[error(
        "the block's layout hash is {found:#018x}, ours {wanted:#018x}: the two builds place fields differently"
    )]
    LayoutHash {
        /// The block's.
        found: u64,
        /// Ours.
        wanted: u64,
    },
    /// A number that stands for no policy.
    #[error("the header field {field} holds {value}, which means nothing")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// The description of a zone makes no sense.
    #[error("the header describes zone {index} in a way that means nothing: {what}")]
    Zone {
        /// Which zone, from 0.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The schemas make no sense.
    #[error("the header's schemas mean nothing: {0}")]
    Schema(&'static str),
    /// A shape that no configuration can have.
    #[error("the header describes an impossible block: {0}")]
    Shape(#[from] ConfigError),
    /// The header's own total is not what its shape needs.
    #[error("the header says {found} bytes in all, its shape needs {wanted}")]
    Total {
        /// The header's.
        found: u64,
        /// Computed.
        wanted: u64,
    },
    /// The file is shorter than the block.
    #[error("the block is truncated: {wanted} bytes were made, {found} are there")]
    Truncated {
        /// Bytes in the file.
        found: u64,
        /// Bytes of the block.
        wanted: u64,
    },
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

/// Reads a header from a private copy. `file_bytes` is the size of the whole file.
///
/// # Errors
///
/// [`HeaderError`] names the field and both values.
pub fn parse(copy: &[u8], file_bytes: u64) -> Result<Geometry, HeaderError> {
    if copy.len() < layout::HEADER || file_bytes < layout::HEADER as u64 {
        let wanted = layout::HEADER as u64;
        return Err(HeaderError::TooShort { found: file_bytes.min(copy.len() as u64), wanted });
    }
    identify(copy)?;
    let config = shape(copy)?;
    let layout = Layout::of(&config)
        .ok_or(HeaderError::Field { field: "payload_bytes", value: config.payload_bytes() })?;
    let (found, wanted) = (u64_at(copy, header::TOTAL_BYTES), layout.total as u64);
    if found != wanted {
        return Err(HeaderError::Total { found, wanted });
    }
    if file_bytes < wanted {
        return Err(HeaderError::Truncated { found: file_bytes, wanted });
    }
    let (first, nonce) = (u64_at(copy, header::FIRST_SEQUENCE), nonce_at(copy, header::NONCE));
    Ok(Geometry { config, layout, first, nonce, origin: origin(copy) })
}

fn nonce_at(copy: &[u8], offset: usize) -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&copy[offset..offset + 16]);
    nonce
}

fn origin(copy: &[u8]) -> Origin {
    let nonce = nonce_at(copy, header::PREDECESSOR);
    let predecessor = (nonce != [0; 16]).then(|| Predecessor {
        nonce,
        device: u64_at(copy, header::PREDECESSOR_DEVICE),
        file: u64_at(copy, header::PREDECESSOR_FILE),
    });
    Origin { stream: nonce_at(copy, header::STREAM), predecessor }
}

fn identify(copy: &[u8]) -> Result<(), HeaderError> {
    let magic = u64_at(copy, header::MAGIC);
    if magic != layout::MAGIC {
        return Err(HeaderError::Magic(magic));
    }
    let mark = u32_at(copy, header::BYTE_ORDER);
    if mark != layout::BYTE_ORDER_MARK {
        return Err(HeaderError::ByteOrder(mark));
    }
    let (found, wanted) = (u32_at(copy, header::VERSION), layout::VERSION);
    if found != wanted {
        return Err(HeaderError::Version { found, wanted });
    }
    let (found, wanted) = (u64_at(copy, header::LAYOUT_HASH), layout::layout_hash());
    if found != wanted {
        return Err(HeaderError::LayoutHash { found, wanted });
    }
    Ok(())
}

fn shape(copy: &[u8]) -> Result<BlockConfig, HeaderError> {
    fn decoded<T>(
        copy: &[u8],
        (field, offset): (&'static str, usize),
        decode: impl Fn(u32) -> Option<T>,
    ) -> Result<T, HeaderError> {
        let value = u32_at(copy, offset);
        decode(value).ok_or(HeaderError::Field { field, value: value.into() })
    }
    let sync = decoded(copy, ("consumer_sync", header::CONSUMER_SYNC), ConsumerSync::decode)?;
    let on_full = decoded(copy, ("on_full", header::ON_FULL), OnFull::decode)?;
    let algorithm = decoded(
        copy,
        ("checksum_algorithm", header::CHECKSUM_ALGORITHM),
        ChecksumAlgorithm::decode,
    )?;
    let policy =
        decoded(copy, ("checksum_policy", header::CHECKSUM_POLICY), ChecksumPolicy::decode)?;
    let parking = decoded(copy, ("parking", header::PARKING), |value| match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })?;
    let capacity = u32_at(copy, header::CAPACITY);
    let config = BlockConfig::new(sync, capacity, u64_at(copy, header::PAYLOAD_BYTES))?
        .max_consumers(u32_at(copy, header::MAX_CONSUMERS))?
        .with_physical_slots(u32_at(copy, header::PHYSICAL_SLOTS))?;
    let after = Duration::from_nanos(u64_at(copy, header::EVICT_AFTER_NS));
    let config = match on_full {
        OnFull::Evict if sync != ConsumerSync::LatestOnly => config.evict_after(after)?,
        _ => config.on_full(on_full),
    };
    extras::read(copy, config.checksum(algorithm, policy).parking(parking))
}

/// The header's bytes, without the magic number, which is written last.
#[must_use]
pub fn bytes(geometry: &Geometry) -> [u8; layout::HEADER] {
    let mut header = [0; layout::HEADER];
    let config = &geometry.config;
    let mut put = |offset: usize, number: &[u8]| {
        header[offset..offset + number.len()].copy_from_slice(number);
    };
    put(header::BYTE_ORDER, &layout::BYTE_ORDER_MARK.to_le_bytes());
    put(header::VERSION, &layout::VERSION.to_le_bytes());
    put(header::LAYOUT_HASH, &layout::layout_hash().to_le_bytes());
    put(header::TOTAL_BYTES, &(geometry.layout.total as u64).to_le_bytes());
    put(header::PAYLOAD_BYTES, &config.payload_bytes().to_le_bytes());
    put(header::FIRST_SEQUENCE, &geometry.first.to_le_bytes());
    put(header::NONCE, &geometry.nonce);
    put(header::STREAM, &geometry.origin.stream);
    if let Some(predecessor) = geometry.origin.predecessor {
        put(header::PREDECESSOR, &predecessor.nonce);
        put(header::PREDECESSOR_DEVICE, &predecessor.device.to_le_bytes());
        put(header::PREDECESSOR_FILE, &predecessor.file.to_le_bytes());
    }
    put(header::EVICT_AFTER_NS, &config.evict_after_ns().to_le_bytes());
    for (offset, number) in [
        (header::CAPACITY, config.capacity()),
        (header::PHYSICAL_SLOTS, config.physical_slots()),
        (header::MAX_CONSUMERS, config.consumers_max()),
        (header::CONSUMER_SYNC, config.consumer_sync() as u32),
        (header::ON_FULL, config.when_full() as u32),
        (header::CHECKSUM_ALGORITHM, config.checksum_algorithm() as u32),
        (header::CHECKSUM_POLICY, config.checksum_policy() as u32),
        (header::PARKING, u32::from(config.parks())),
    ] {
        put(offset, &number.to_le_bytes());
    }
    extras::write(config, put);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complete() -> (Geometry, [u8; layout::HEADER]) {
        let config = BlockConfig::new(ConsumerSync::Sequential, 8, 1000).unwrap();
        let config = extras::tests::furnished(config);
        let layout = Layout::of(&config).unwrap();
        let predecessor = Some(Predecessor { nonce: [9; 16], device: 3, file: 4 });
        let origin = Origin { stream: [8; 16], predecessor };
        let geometry = Geometry { config, layout, first: 5, nonce: [7; 16], origin };
        let mut header = bytes(&geometry);
        header[..8].copy_from_slice(&layout::MAGIC.to_le_bytes());
        (geometry, header)
    }

    #[test]
    fn a_header_reads_as_it_was_written() {
        let (geometry, header) = complete();
        let total = geometry.layout.total as u64;
        assert_eq!(parse(&header, total), Ok(geometry));
    }

    #[test]
    fn a_header_without_its_magic_is_refused() {
        let (geometry, _) = complete();
        let total = geometry.layout.total as u64;
        assert_eq!(parse(&bytes(&geometry), total), Err(HeaderError::Magic(0)));
    }

    #[test]
    fn each_kind_of_damage_has_its_own_error() {
        let (geometry, header) = complete();
        let total = geometry.layout.total as u64;
        let damaged = |offset: usize, byte: u8| {
            let mut header = header;
            header[offset] = byte;
            parse(&header, total).unwrap_err()
        };
        assert!(matches!(
            damaged(header::VERSION, 9),
            HeaderError::Version { found: 9, wanted: 1 }
        ));
        assert!(matches!(damaged(header::BYTE_ORDER, 1), HeaderError::ByteOrder(_)));
        assert!(matches!(damaged(header::LAYOUT_HASH, 1), HeaderError::LayoutHash { .. }));
        assert!(matches!(damaged(header::CAPACITY, 0), HeaderError::Shape(_)));
        assert!(matches!(damaged(header::PAYLOAD_BYTES + 1, 99), HeaderError::Total { .. }));
        assert!(matches!(damaged(header::ON_FULL, 9), HeaderError::Field { field: "on_full", .. }));
        assert!(matches!(parse(&header, total - 1), Err(HeaderError::Truncated { .. })));
        assert!(matches!(parse(&header[..9], 9), Err(HeaderError::TooShort { .. })));
    }

    proptest! {
        // F18, F28: whatever another process wrote, an accepted layout lies inside the file.
        #[test]
        fn no_header_leads_outside_the_file(
            damage in prop::collection::vec((0..header::END, any::<u8>()), 1..6),
            file_bytes in 0..1_u64 << 40,
        ) {
            let (_, mut header) = complete();
            for (offset, byte) in damage {
                header[offset] = byte;
            }
            if let Ok(geometry) = parse(&header, file_bytes) {
                prop_assert!(geometry.layout.total as u64 <= file_bytes);
            }
        }
    }
}
