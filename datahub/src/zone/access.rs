//! A zone in the hands of a producer or a consumer.

use std::borrow::Cow;

use super::{ZoneSchema, raw};
use crate::block::Block;
use crate::checksum;
use crate::config::ZoneConfig;
use crate::layout::{LINE, RECORD};
use crate::memory::{MappedMemory, Shared, SharedWord};
use crate::shm::token::Seat;

/// Why a zone cannot be used so. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// The block has no zone of this name.
    #[error("the block has no zone called '{name}', only: {}", names(.there))]
    Missing {
        /// What was asked for.
        name: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The zone holds something else.
    #[error("zone '{zone}' holds {found}, not {expected}")]
    Schema {
        /// The zone.
        zone: String,
        /// The layout asked for.
        expected: Box<str>,
        /// The layout of the zone.
        found: Box<str>,
    },
    /// The type is larger than the zone, or needs a larger alignment than a cache line.
    #[error(
        "a type of {bytes} bytes, aligned to {alignment}, does not fit zone '{zone}' of {room} bytes, aligned to 64"
    )]
    Room {
        /// The zone.
        zone: String,
        /// Bytes of the type.
        bytes: usize,
        /// Alignment of the type.
        alignment: usize,
        /// Bytes of the zone.
        room: usize,
    },
    /// The bytes lie partly outside.
    #[error("bytes {offset} to {end} lie outside of zone '{zone}' of {room} bytes")]
    Range {
        /// The zone.
        zone: String,
        /// The first byte.
        offset: usize,
        /// The byte after the last.
        end: usize,
        /// Bytes of the zone.
        room: usize,
    },
    /// Bytes are written in whole words.
    #[error(
        "writes begin at a multiple of 8 ({offset} is not one) and end at one, or at the end of the zone"
    )]
    Words {
        /// The first byte.
        offset: usize,
    },
    /// The zone holds primitives, which bytes would break.
    #[error("zone '{zone}' holds shared primitives: use them instead of writing bytes")]
    Typed {
        /// The zone.
        zone: String,
    },
}

fn names(there: &[String]) -> Cow<'_, str> {
    if there.is_empty() { "none at all".into() } else { there.join(", ").into() }
}

/// A zone, borrowed from a handle of its block.
#[derive(Debug)]
pub struct Zone<'a, M: MappedMemory = Shared> {
    pub(super) mem: &'a M,
    pub(super) block: &'a Block,
    /// Whose handle it is: his seat, and which claim of the seat it is.
    pub(super) user: (Seat, u64),
    index: usize,
    config: &'a ZoneConfig,
}

impl<'a, M: MappedMemory> Zone<'a, M> {
    /// The zone called `name`, used by `user`.
    pub(crate) fn find(
        mem: &'a M,
        block: &'a Block,
        user: (Seat, u64),
        name: &str,
    ) -> Result<Self, ZoneError> {
        let zones = block.geometry().config.zones();
        let found = zones.iter().enumerate().find(|(_, zone)| zone.name().as_str() == name);
        let (index, config) = found.ok_or_else(|| ZoneError::Missing {
            name: name.to_owned(),
            there: zones.iter().map(|zone| zone.name().to_string()).collect(),
        })?;
        Ok(Self { mem, block, user, index, config })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.config.name().as_str()
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.block.zone(self.index).map_or(0, |(_, bytes)| bytes)
    }

    fn words(&self) -> &'a [SharedWord] {
        self.block.zone_words(self.index)
    }

    /// Lends the zone as a `T` to `body`; all of `T`'s members are sound between processes.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Schema`] when the zone was made for another type, [`ZoneError::Room`] when a
    /// zone without a type has no room for this one.
    pub fn with_access<T: ZoneSchema, R>(
        &self,
        body: impl FnOnce(&T) -> R,
    ) -> Result<R, ZoneError> {
        let zone = || self.name().to_owned();
        if let Some(found) = self.config.schema().filter(|found| found.hash() != &T::SCHEMA_HASH) {
            let (expected, found) = (T::SCHEMA_TEXT.into(), found.text().into());
            return Err(ZoneError::Schema { zone: zone(), expected, found });
        }
        let (bytes, alignment) = (size_of::<T>(), align_of::<T>());
        let place = self.block.zone(self.index).filter(|&(_, room)| bytes <= room);
        let Some((place, _)) = place.filter(|_| alignment <= LINE) else {
            return Err(ZoneError::Room { zone: zone(), bytes, alignment, room: self.bytes() });
        };
        let place = place.cast::<T>();
        // SAFETY: the zone has at least the bytes of `T` (checked above) and begins on a line, which
        // is alignment enough (checked above); a type with a zone schema consists of atomics for
        // which any bits are valid, so whoever writes meanwhile does no harm; the mapping outlives
        // the borrow of the block.
        Ok(body(unsafe { place.as_ref() }))
    }

    /// Copies bytes from `offset` on into `out`, word by word. Whoever writes meanwhile may leave a
    /// mixture.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Range`].
    pub fn read_bytes(&self, offset: usize, out: &mut [u8]) -> Result<(), ZoneError> {
        self.inside(offset, out.len())?;
        raw::read(self.mem, self.words(), offset, out);
        Ok(())
    }

    /// Copies `bytes` into the zone from `offset` on, word by word. Not for zones with a type.
    ///
    /// # Errors
    ///
    /// [`ZoneError::Typed`], [`ZoneError::Range`], [`ZoneError::Words`].
    pub fn write_bytes(&self, offset: usize, bytes: &[u8]) -> Result<(), ZoneError> {
        if self.config.schema().is_some() {
            return Err(ZoneError::Typed { zone: self.name().to_owned() });
        }
        let end = self.inside(offset, bytes.len())?;
        let whole = end.is_multiple_of(raw::WORD) || end == self.bytes();
        if !offset.is_multiple_of(raw::WORD) || !whole {
            return Err(ZoneError::Words { offset });
        }
        raw::write(self.mem, self.words(), offset / raw::WORD, bytes);
        Ok(())
    }

    /// The byte after `length` bytes from `offset` on, if all of them are there.
    fn inside(&self, offset: usize, length: usize) -> Result<usize, ZoneError> {
        let (end, room) = (offset.saturating_add(length), self.bytes());
        if end <= room {
            return Ok(end);
        }
        Err(ZoneError::Range { zone: self.name().to_owned(), offset, end, room })
    }

    /// Stamps the zone's checksum record over what stands there now; returns the hash. Nothing does
    /// this by itself: a zone may change at any moment, and only its users know when it rests (F25).
    #[must_use = "the hash, for who wants to keep it; the record is stamped all the same"]
    pub fn compute_flexible_zone_checksum(&self) -> [u8; 32] {
        let record = self.record_now();
        raw::write(self.mem, self.block.zone_record(self.index), 0, &record);
        checksum::hash_in(&record)
    }

    /// Whether the zone is as it was when its checksum was last computed. `false` also when it
    /// never was, or while somebody writes.
    #[must_use]
    pub fn verify_flexible_zone_checksum(&self) -> bool {
        let mut found = [0; RECORD];
        raw::read(self.mem, self.block.zone_record(self.index), 0, &mut found);
        found == self.record_now()
    }

    fn record_now(&self) -> checksum::Record {
        let mut bytes = vec![0; self.bytes()];
        raw::read(self.mem, self.words(), 0, &mut bytes);
        let algorithm = self.block.geometry().config.checksum_algorithm();
        // The zone's place stands for a sequence: two zones of equal bytes have different records.
        checksum::record(algorithm, self.index as u64, &bytes)
    }
}
