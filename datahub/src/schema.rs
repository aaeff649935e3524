//! Schemas: types whose bytes two programs may share, and the text and hash that name their layout.
//!
//! A type with a schema has a fixed layout without padding, and every bit pattern is a value of it;
//! so bytes that another process wrote can be viewed as the type without trusting them. The hash
//! stands in the header of a block and is compared when a consumer attaches.
//! Knows nothing of: mappings, slots, who writes.
//! Source: HEP-CORE-0002 schema validation; padding and alignment, which it left open, are settled
//! here.

#![expect(unsafe_code, reason = "L3: bytes become values of a type for which any bytes will do")]

mod hash;
mod text;

pub use datahub_derive::Schema;
pub use hash::blake2b_256;
pub(crate) use text::{Element, element};
pub use text::{TEXT_BYTES_MAX, Text, as_text};

use crate::config::{BlockConfig, ConfigError, ConsumerSync, SchemaTag, SchemaTagError};
use crate::layout::LINE;

/// A type whose values are plain bytes of a known layout. Implement it with `#[derive(Schema)]`.
///
/// ```
/// use datahub::schema::Schema;
///
/// #[derive(Debug, Clone, Copy, Schema)]
/// #[repr(C)]
/// struct Sample {
///     time_ns: u64,
///     axes: [f32; 3],
///     sensor: u32,
/// }
///
/// assert_eq!(
///     Sample::SCHEMA_TEXT,
///     "Sample;time_ns:u64:0:8;axes:[f32;3]:8:12;sensor:u32:20:4;size:24;align:8"
/// );
/// ```
///
/// # Safety
///
/// The type has a fixed layout (`repr(C)`), no padding, no pointer, no reference and no interior
/// mutability, and every bit pattern of its size is a value of it. `SCHEMA_TEXT` names its layout.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, so it cannot stand in a shared block",
    label = "not a type that two programs can share",
    note = "use fixed-width integers, floats, arrays of them, or structs with `#[derive(Schema)]` and `#[repr(C)]`",
    note = "not bool, char, enums, pointers, references, usize or isize: not every bit pattern is a value of them on both sides"
)]
pub unsafe trait Schema: Copy + Send + Sync + 'static {
    /// The layout in words: name, fields with type, offset and size, and the size and alignment of
    /// all.
    const SCHEMA_TEXT: &'static str;

    /// BLAKE2b-256 of [`SCHEMA_TEXT`](Self::SCHEMA_TEXT).
    const SCHEMA_HASH: [u8; 32] = blake2b_256(Self::SCHEMA_TEXT.as_bytes());

    /// Whether the text stands in parentheses where the type is a field of another.
    #[doc(hidden)]
    const COMPOUND: bool = false;
}

macro_rules! plain {
    ($($name:ident)*) => { $(
        // SAFETY: a fixed-width number has no padding, and every bit pattern is a value of it.
        unsafe impl Schema for $name {
            const SCHEMA_TEXT: &'static str = stringify!($name);
        }
    )* };
}

plain! { u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 }

// SAFETY: an array adds no padding to its elements, which are plain bytes.
unsafe impl<T: Schema, const N: usize> Schema for [T; N] {
    const SCHEMA_TEXT: &'static str = {
        let text: &'static Text = &const { Text::array::<T>(N) };
        text.as_str()
    };
}

/// Why bytes cannot be viewed as a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Another number of bytes than a value has.
    #[error("{found} bytes cannot be a value of {wanted} bytes")]
    Bytes {
        /// Bytes there are.
        found: usize,
        /// Bytes of a value.
        wanted: usize,
    },
    /// The bytes do not begin where a value of the type can begin.
    #[error("a value that needs an alignment of {wanted} cannot begin here")]
    Alignment {
        /// The type's alignment.
        wanted: usize,
    },
    /// The block was made for another layout.
    #[error("the block holds {found}, not {expected}")]
    Schema {
        /// The layout asked for.
        expected: Box<str>,
        /// The layout of the block.
        found: Box<str>,
    },
}

/// Views `bytes` as a value.
///
/// # Errors
///
/// [`ViewError::Bytes`], [`ViewError::Alignment`].
pub fn view<T: Schema>(bytes: &[u8]) -> Result<&T, ViewError> {
    let place = bytes.as_ptr().cast::<T>();
    fits::<T>(bytes.len(), place.is_aligned())?;
    // SAFETY: as many bytes as a value has, aligned (both checked above); every bit pattern is a
    // value of a type with a schema; the borrow of the bytes lives as long as the reference.
    Ok(unsafe { &*place })
}

/// Views `bytes` as a value that can be changed.
///
/// # Errors
///
/// [`ViewError::Bytes`], [`ViewError::Alignment`].
pub fn view_mut<T: Schema>(bytes: &mut [u8]) -> Result<&mut T, ViewError> {
    let place = bytes.as_mut_ptr().cast::<T>();
    fits::<T>(bytes.len(), place.is_aligned())?;
    // SAFETY: as in `view`, and the bytes are borrowed for us alone; a type with a schema has no
    // padding, so every value leaves all of the bytes initialised.
    Ok(unsafe { &mut *place })
}

/// The bytes of a value.
#[must_use]
pub fn bytes_of<T: Schema>(value: &T) -> &[u8] {
    let first = core::ptr::from_ref(value).cast::<u8>();
    // SAFETY: a type with a schema has no padding, so all its bytes are initialised, and no
    // interior mutability, so they stay as they are while they are borrowed.
    unsafe { core::slice::from_raw_parts(first, size_of::<T>()) }
}

/// A copy of the value that begins in `bytes`, which may have more; `None` when they are too few.
pub(crate) fn copied<T: Schema>(bytes: &[u8]) -> Option<T> {
    let place = bytes.get(..size_of::<T>())?.as_ptr().cast::<T>();
    // SAFETY: as many bytes as a value has, wherever they begin; every bit pattern is a value.
    Some(unsafe { place.read_unaligned() })
}

fn fits<T>(found: usize, aligned: bool) -> Result<(), ViewError> {
    let (wanted, alignment) = (size_of::<T>(), align_of::<T>());
    if found != wanted {
        return Err(ViewError::Bytes { found, wanted });
    }
    if !aligned {
        return Err(ViewError::Alignment { wanted: alignment });
    }
    Ok(())
}

/// The schema of `T` as a block carries it.
///
/// # Errors
///
/// [`SchemaTagError`]: `T` got its schema by hand, and nobody could read it in a header.
pub fn tag_of<T: Schema>() -> Result<SchemaTag, SchemaTagError> {
    SchemaTag::new(T::SCHEMA_HASH, T::SCHEMA_TEXT)
}

/// Whether a block that carries `found` holds values of `T`. A block that carries none holds
/// whatever fits.
///
/// # Errors
///
/// [`ViewError::Schema`] with both layouts.
#[inline]
pub(crate) fn expect<T: Schema>(found: Option<&SchemaTag>) -> Result<(), ViewError> {
    match found {
        Some(found) if found.hash() != &T::SCHEMA_HASH => Err(other::<T>(found)),
        _ => Ok(()),
    }
}

#[cold]
fn other<T: Schema>(found: &SchemaTag) -> ViewError {
    ViewError::Schema { expected: T::SCHEMA_TEXT.into(), found: found.text().into() }
}

impl BlockConfig {
    /// A block that keeps `capacity` values of `T` readable and says so in its header.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]; [`ConfigError::Alignment`] for a type that needs more than a cache line.
    pub fn of<T: Schema>(consumer_sync: ConsumerSync, capacity: u32) -> Result<Self, ConfigError> {
        Self::new(consumer_sync, capacity, size_of::<T>() as u64)?.slot_schema::<T>()
    }

    /// Says in the header that payloads are values of `T`; consumers that attach with
    /// [`attach_typed`](crate::consumer::Consumer::attach_typed) are refused when theirs differ.
    ///
    /// # Errors
    ///
    /// [`ConfigError::SchemaBytes`] when a payload has no room for a value,
    /// [`ConfigError::Alignment`] when a slot does not begin where a value can,
    /// [`ConfigError::Schema`] when the layout has a name that nobody could read.
    pub fn slot_schema<T: Schema>(self) -> Result<Self, ConfigError> {
        let (value_bytes, payload_bytes) = (size_of::<T>() as u64, self.payload_bytes());
        if value_bytes > payload_bytes {
            return Err(ConfigError::SchemaBytes { value_bytes, payload_bytes });
        }
        if align_of::<T>() > LINE {
            return Err(ConfigError::Alignment(align_of::<T>()));
        }
        Ok(self.with_slot_schema(Some(tag_of::<T>()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Schema)]
    #[repr(C)]
    struct Pose {
        place: [f64; 3],
        heading: f32,
        flags: u32,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Schema)]
    #[repr(C)]
    #[schema(name = "Track")]
    struct Renamed {
        id: u16,
        kinds: [u8; 6],
        path: [Pose; 2],
    }

    const POSE: &str = "Pose;place:[f64;3]:0:24;heading:f32:24:4;flags:u32:28:4;size:32;align:8";

    #[test]
    fn a_nested_type_is_written_out() {
        assert_eq!(Pose::SCHEMA_TEXT, POSE);
        let track =
            format!("Track;id:u16:0:2;kinds:[u8;6]:2:6;path:[({POSE});2]:8:64;size:72;align:8");
        assert_eq!(Renamed::SCHEMA_TEXT, track);
        let hash = blake2b_simd::Params::new().hash_length(32).hash(track.as_bytes());
        assert_eq!(&Renamed::SCHEMA_HASH, hash.as_bytes());
    }

    #[test]
    fn bytes_become_the_value_and_the_value_the_same_bytes() {
        let pose = Pose { place: [1.0, -2.0, 0.5], heading: 3.25, flags: 7 };
        let mut words = [0_u64; 4];
        let bytes = view_mut::<[u8; 32]>(bytes_of_mut(&mut words)).unwrap();
        bytes.copy_from_slice(bytes_of(&pose));
        assert_eq!(view::<Pose>(bytes), Ok(&pose));
        view_mut::<Pose>(bytes).unwrap().flags = 8;
        assert_eq!(view::<Pose>(bytes).unwrap().flags, 8);
    }

    fn bytes_of_mut(words: &mut [u64; 4]) -> &mut [u8] {
        // SAFETY: numbers have no padding, and any bytes are numbers.
        unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), 32) }
    }

    #[test]
    fn too_few_too_many_and_misplaced_bytes_are_refused() {
        let words = [0_u64; 5];
        let bytes = bytes_of(&words);
        assert_eq!(view::<Pose>(&bytes[..31]), Err(ViewError::Bytes { found: 31, wanted: 32 }));
        assert_eq!(view::<Pose>(&bytes[..33]), Err(ViewError::Bytes { found: 33, wanted: 32 }));
        assert_eq!(view::<Pose>(&bytes[4..36]), Err(ViewError::Alignment { wanted: 8 }));
    }

    #[test]
    fn a_renamed_retyped_moved_or_added_field_is_another_schema() {
        let mut hashes = vec![Pose::SCHEMA_HASH];
        macro_rules! other {
            ($($field:ident: $type:ty),*) => {{
                #[derive(Clone, Copy, Schema)]
                #[repr(C)]
                struct Pose { $($field: $type),* }
                hashes.push(Pose::SCHEMA_HASH);
            }};
        }
        other!(place: [f64; 3], heading: f32, marks: u32);
        other!(place: [f64; 3], heading: f32, flags: i32);
        other!(place: [f64; 3], flags: u32, heading: f32);
        other!(place: [f64; 3], heading: f32, flags: u32, more: u64);
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 5);
    }

    /// A schema by hand, with a name that would make blocks nobody can attach to.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    struct Messwert(u64);

    // SAFETY: a number.
    unsafe impl Schema for Messwert {
        const SCHEMA_TEXT: &'static str = "Größe;0:u64:0:8;size:8;align:8";
    }

    #[test]
    fn a_schema_that_no_header_can_hold_makes_no_block() {
        let refused = BlockConfig::of::<Messwert>(ConsumerSync::Sequential, 4).unwrap_err();
        assert_eq!(refused, ConfigError::Schema(SchemaTagError::Letter { found: 'ö' }));
        assert!(refused.to_string().contains("plain ASCII"), "{refused}");
    }
}
