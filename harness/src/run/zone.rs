//! Flexible zones of the block under test: what is written there, and what a look into one finds.
//!
//! Who writes what: one role writes each zone; everybody else looks. A value's words all follow
//! from its version and the trial's seed, so a value made of two writes is told from a whole one.
//! Knows nothing of: messages, loops, reports.

mod tend;

use std::array;

use datahub::config::{BlockConfig, ConfigError};
use datahub::memory::MappedMemory;
use datahub::name::{BlockName, NameError};
use datahub::zone::{DoubleBuffer, SeqlockCell, Zone, ZoneError, ZoneSchema};
use serde::{Deserialize, Serialize};

use super::payload::mix;
use crate::scenario::model::zone::ZoneKind;
pub(super) use tend::Zones;

/// From one word of a value to the next.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// One zone, as a worker knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ZoneTask {
    pub(crate) name: String,
    pub(crate) kind: ZoneKind,
    pub(crate) words: usize,
    pub(crate) every: u64,
    /// Who writes it.
    pub(crate) by: By,
    /// Its checksum is stamped at the end.
    pub(crate) stamped: bool,
    /// What its values are made from.
    pub(crate) seed: u64,
}

/// Who writes a zone, as the worker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum By {
    /// This worker.
    Me,
    /// The producer, who is another.
    Producer,
    /// Another consumer.
    Consumer,
}

/// Why a zone cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TroubledZone {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Zone(#[from] ZoneError),
    #[error("no value of a zone has {0} words")]
    Words(usize),
    #[error("this transport has no zones")]
    None,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// No whole value could be read: its writer was at it.
    Busy,
    /// The value of this write; 0: nothing was written yet.
    Version(u64),
    /// The words belong to more than one write.
    Torn,
}

/// An end of a transport that has zones.
pub(super) trait Zoned {
    /// Writes the value of `versions`, which are the same one, unless a defect is planted.
    ///
    /// # Errors
    ///
    /// [`TroubledZone`].
    fn write_zone(&self, _zone: &ZoneTask, _versions: [u64; 2]) -> Result<(), TroubledZone> {
        Err(TroubledZone::None)
    }

    /// Looks once.
    ///
    /// # Errors
    ///
    /// [`TroubledZone`].
    fn look_into_zone(&self, _zone: &ZoneTask) -> Result<Look, TroubledZone> {
        Err(TroubledZone::None)
    }

    /// Stamps the zone's checksum (`true`), or says whether it fits.
    ///
    /// # Errors
    ///
    /// [`TroubledZone`].
    fn checksum_zone(&self, _zone: &ZoneTask, _stamp: bool) -> Result<bool, TroubledZone> {
        Err(TroubledZone::None)
    }
}

/// A primitive that holds a value.
trait Value<M>: ZoneSchema {
    fn put(&self, mem: &M, word: impl Fn(usize) -> u64);
    fn get(&self, mem: &M, seed: u64) -> Look;
}

macro_rules! value {
    ($name:ident) => {
        impl<M: MappedMemory, const N: usize> Value<M> for $name<[u64; N], N> {
            fn put(&self, mem: &M, word: impl Fn(usize) -> u64) {
                // There is one writer; what a dead one began is overwritten.
                self.write_over_dead(mem, &array::from_fn(word));
            }

            fn get(&self, mem: &M, seed: u64) -> Look {
                self.try_read(mem).map_or(Look::Busy, |words| judge(&words, seed))
            }
        }
    };
}

value!(SeqlockCell);
value!(DoubleBuffer);

/// Calls a function for the type that the task's kind and size name.
macro_rules! of_type {
    ($task:expr, $function:ident ( $($argument:expr),* )) => {
        match ($task.kind, $task.words) {
            (ZoneKind::Seqlock, 8) => $function::<SeqlockCell<[u64; 8], 8>, _>($($argument),*),
            (ZoneKind::Seqlock, 32) => $function::<SeqlockCell<[u64; 32], 32>, _>($($argument),*),
            (ZoneKind::Seqlock, 128) => $function::<SeqlockCell<[u64; 128], 128>, _>($($argument),*),
            (ZoneKind::Seqlock, 512) => $function::<SeqlockCell<[u64; 512], 512>, _>($($argument),*),
            (ZoneKind::Double, 8) => $function::<DoubleBuffer<[u64; 8], 8>, _>($($argument),*),
            (ZoneKind::Double, 32) => $function::<DoubleBuffer<[u64; 32], 32>, _>($($argument),*),
            (ZoneKind::Double, 128) => $function::<DoubleBuffer<[u64; 128], 128>, _>($($argument),*),
            (ZoneKind::Double, 512) => $function::<DoubleBuffer<[u64; 512], 512>, _>($($argument),*),
            (_, words) => Err(TroubledZone::Words(words)),
        }
    };
}

/// Adds the zone to the block that is to be made.
pub(super) fn add(config: BlockConfig, zone: &ZoneTask) -> Result<BlockConfig, TroubledZone> {
    let name = BlockName::new(&zone.name)?;
    of_type!(zone, add_as(config, &name))
}

fn add_as<T: ZoneSchema, E: From<ConfigError>>(
    config: BlockConfig,
    name: &BlockName,
) -> Result<BlockConfig, E> {
    Ok(config.zone_of::<T>(name)?)
}

/// Writes a value whose first half is of one version and whose second half is of the other.
pub(super) fn write<M: MappedMemory>(
    (zone, mem): (&Zone<'_, M>, &M),
    task: &ZoneTask,
    versions: [u64; 2],
) -> Result<(), TroubledZone> {
    let word = |index: usize| {
        let version = versions[usize::from(2 * index >= task.words)];
        word(task.seed, version, index)
    };
    of_type!(task, write_as(zone, mem, word))
}

fn write_as<T: Value<M>, M: MappedMemory>(
    zone: &Zone<'_, M>,
    mem: &M,
    word: impl Fn(usize) -> u64,
) -> Result<(), TroubledZone> {
    Ok(zone.with_access::<T, _>(|value| value.put(mem, word))?)
}

/// Looks once.
pub(super) fn look<M: MappedMemory>(
    (zone, mem): (&Zone<'_, M>, &M),
    task: &ZoneTask,
) -> Result<Look, TroubledZone> {
    of_type!(task, look_as(zone, mem, task.seed))
}

fn look_as<T: Value<M>, M: MappedMemory>(
    zone: &Zone<'_, M>,
    mem: &M,
    seed: u64,
) -> Result<Look, TroubledZone> {
    Ok(zone.with_access::<T, _>(|value| value.get(mem, seed))?)
}

/// Stamps the zone's checksum, or says whether it fits.
pub(super) fn checksum<M: MappedMemory>(zone: &Zone<'_, M>, stamp: bool) -> bool {
    if stamp {
        // The record is what counts.
        let _hash = zone.compute_flexible_zone_checksum();
        return true;
    }
    zone.verify_flexible_zone_checksum()
}

/// The first word is the version; the others follow from it.
fn word(seed: u64, version: u64, index: usize) -> u64 {
    let base = mix(seed ^ mix(version));
    if index == 0 { version } else { base.wrapping_add(STEP.wrapping_mul(index as u64)) }
}

fn judge(words: &[u64], seed: u64) -> Look {
    let version = words.first().copied().unwrap_or(0);
    if version == 0 && words.iter().all(|found| *found == 0) {
        return Look::Version(0);
    }
    let whole = (0..).zip(words).all(|(index, found)| *found == word(seed, version, index));
    if whole { Look::Version(version) } else { Look::Torn }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(versions: [u64; 2]) -> Vec<u64> {
        (0..8).map(|index| word(9, versions[usize::from(index >= 4)], index)).collect()
    }

    #[test]
    fn a_value_of_two_writes_is_told_from_a_whole_one() {
        assert_eq!(judge(&[0; 8], 9), Look::Version(0));
        assert_eq!(judge(&value([5, 5]), 9), Look::Version(5));
        assert_eq!(judge(&value([5, 6]), 9), Look::Torn);
        assert_eq!(judge(&value([0, 0]), 9), Look::Version(0));
        assert_eq!(judge(&value([5, 5]), 8), Look::Torn);
        for index in 0..8 {
            let mut words = value([5, 5]);
            words[index] ^= 1;
            assert_eq!(judge(&words, 9), Look::Torn, "{index}");
        }
    }
}
