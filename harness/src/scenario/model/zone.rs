//! Flexible zones of the block under test: what stands in each, who writes it, and how often.

use crate::units::Bytes;

/// The writer of a zone that names none.
pub const PRODUCER: &str = "producer";

/// One `[[block.zone]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSpec {
    /// Its name, unique in the block.
    pub name: String,
    /// Bytes of its value: one of [`SIZES`].
    pub size: Bytes,
    /// The shared primitive that holds the value.
    pub kind: ZoneKind,
    /// Who writes it: the producer, or a consumer; everybody else looks into it.
    pub writer: String,
    /// It is written once in so many messages, and looked into as often.
    pub every: u64,
    /// The producer stamps its checksum at the end, and everybody compares.
    pub checksum: bool,
}

/// Values that a zone of a scenario can have: shared primitives have their size in their type.
pub const SIZES: [Bytes; 4] = [Bytes(64), Bytes(256), Bytes(1 << 10), Bytes(4 << 10)];

/// The shared primitive in a zone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub enum ZoneKind {
    /// Whole values; who looks while it is written looks again.
    #[default]
    Seqlock,
    /// Whole values; the last one can be read while the next is written.
    Double,
}

impl ZoneKind {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seqlock => "seqlock",
            Self::Double => "double",
        }
    }
}
