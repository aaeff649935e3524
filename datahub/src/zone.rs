//! Flexible zones: named regions beside the ring, used as their users agree.
//!
//! A zone is reached in two ways: as a struct of shared primitives, each sound between processes by
//! itself; or as bytes that are copied word by word. Nothing here lends plain data: one process would
//! write it while another reads.
//! Knows nothing of: slots, sequences.
//! Source: HEP-CORE-0002 flexible zones, whose access took no lock (F25).

#![expect(unsafe_code, reason = "L3: a zone becomes a struct of atomics, whose schema was checked")]

pub mod access;
pub mod cells;
pub mod double;
pub mod lock;
pub mod raw;
pub mod seqlock;
pub mod spinlock;
mod text;
pub mod word;

pub use access::{Zone, ZoneError};
pub use cells::{DoubleBuffer, SeqlockCell, Unstable, words_of};
pub use datahub_derive::ZoneSchema;
pub use lock::{LockError, LockGuard};
pub use seqlock::Busy;
pub use spinlock::RobustSpinlock;
pub use text::ZoneText;
pub use word::ZoneWord;

use crate::config::{BlockConfig, ConfigError, SchemaTag, ZoneConfig};
use crate::layout::LINE;
use crate::name::BlockName;
use crate::schema::blake2b_256;

/// A struct of shared primitives. Implement it with `#[derive(ZoneSchema)]`.
///
/// ```
/// use datahub::schema::Schema;
/// use datahub::zone::{RobustSpinlock, SeqlockCell, ZoneSchema, ZoneWord, words_of};
///
/// #[derive(Debug, Clone, Copy, Schema)]
/// #[repr(C)]
/// struct Gains {
///     values: [f32; 3],
///     channel: u32,
/// }
///
/// #[derive(Debug, ZoneSchema)]
/// #[repr(C)]
/// struct Controls {
///     lock: RobustSpinlock,
///     gains: SeqlockCell<Gains, { words_of::<Gains>() }>,
///     frames_dropped: [ZoneWord; 8],
/// }
/// ```
///
/// # Safety
///
/// The type has a fixed layout (`repr(C)`) and consists of atomics only, for which zeros are valid.
/// `SCHEMA_TEXT` names its layout.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shared primitive, so it cannot stand in a zone",
    label = "one process would write this while another reads it",
    note = "use ZoneWord, SeqlockCell, DoubleBuffer, RobustSpinlock, arrays of them, or structs with `#[derive(ZoneSchema)]` and `#[repr(C)]`"
)]
pub unsafe trait ZoneSchema: Send + Sync + 'static {
    /// The layout in words.
    const SCHEMA_TEXT: &'static str;

    /// BLAKE2b-256 of [`SCHEMA_TEXT`](Self::SCHEMA_TEXT).
    const SCHEMA_HASH: [u8; 32] = blake2b_256(Self::SCHEMA_TEXT.as_bytes());

    /// Whether the text stands in parentheses where the type is a field of another.
    #[doc(hidden)]
    const COMPOUND: bool = false;
}

// SAFETY: one atomic word; zero is valid.
unsafe impl ZoneSchema for ZoneWord {
    const SCHEMA_TEXT: &'static str = "word";
}

// SAFETY: atomic words and reserved zeros that nobody writes; zeros are a free lock.
unsafe impl ZoneSchema for RobustSpinlock {
    const SCHEMA_TEXT: &'static str = "spinlock";
}

// SAFETY: an array adds nothing to its elements.
unsafe impl<T: ZoneSchema, const N: usize> ZoneSchema for [T; N] {
    const SCHEMA_TEXT: &'static str = {
        let text: &'static ZoneText = &const { ZoneText::array::<T>(N) };
        text.as_str()
    };
}

impl BlockConfig {
    /// Adds a zone that holds a `T`, and says so in the header.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Zones`], [`ConfigError::ZoneName`]; [`ConfigError::Alignment`] for a type that
    /// needs more than a cache line; [`ConfigError::Schema`] for one whose layout has a name that
    /// nobody could read.
    pub fn zone_of<T: ZoneSchema>(self, name: &BlockName) -> Result<Self, ConfigError> {
        if align_of::<T>() > LINE {
            return Err(ConfigError::Alignment(align_of::<T>()));
        }
        let zone = ZoneConfig::new(name.clone(), size_of::<T>() as u64)?;
        let tag = SchemaTag::new(T::SCHEMA_HASH, T::SCHEMA_TEXT)?;
        self.with_zone(zone.with_schema(Some(tag)))
    }

    /// Adds a zone of `bytes` bytes whose use the header leaves open.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Zones`], [`ConfigError::ZoneName`], [`ConfigError::ZoneBytes`].
    pub fn zone_bytes(self, name: &BlockName, bytes: u64) -> Result<Self, ConfigError> {
        self.with_zone(ZoneConfig::new(name.clone(), bytes)?)
    }
}
