//! What a flexible zone is asked to be.

use super::{ConfigError, SchemaTag};
use crate::name::BlockName;

/// Most zones of one block.
pub const ZONES_MAX: usize = 8;
/// Largest zone in bytes: 1 GiB.
pub const ZONE_BYTES_MAX: u64 = 1 << 30;

/// A flexible zone: a named region beside the ring, used as its users agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneConfig {
    name: BlockName,
    bytes: u64,
    schema: Option<SchemaTag>,
}

impl ZoneConfig {
    /// A zone of `bytes` bytes. Zones are named like blocks, each once in a block.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ZoneBytes`] for 0 or more than [`ZONE_BYTES_MAX`].
    pub fn new(name: BlockName, bytes: u64) -> Result<Self, ConfigError> {
        if bytes == 0 || bytes > ZONE_BYTES_MAX {
            return Err(ConfigError::ZoneBytes(bytes));
        }
        Ok(Self { name, bytes, schema: None })
    }

    /// The zone's type, which has the zone's size.
    #[must_use]
    pub(crate) fn with_schema(mut self, schema: Option<SchemaTag>) -> Self {
        self.schema = schema;
        self
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &BlockName {
        &self.name
    }

    /// Bytes in use; the region is rounded up to whole lines.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The type that stands in it, if it has one.
    #[must_use]
    pub const fn schema(&self) -> Option<&SchemaTag> {
        self.schema.as_ref()
    }
}
