//! DataHub's own block as a transport.
//!
//! Knows nothing of: loops, counts, what a refusal means for a trial.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use datahub::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, OnFull,
};
use datahub::consumer::{Consumer, ReadError};
use datahub::memory::MappedMemory;
use datahub::monitor::Monitor;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::{Timeout, WaitStrategy, monotonic_ns};

use super::{Inlet, Nothing, Outlet, Refusal, Transport, TransportError, room_timeout};
use crate::run::metrics::MetricsFile;
use crate::run::payload::{Keyed, Stamp};
use crate::run::plant::{Hands, Plant};
use crate::run::wire::{BlockTask, Full, Function, Reading, Sync, Task, Waiting};
use crate::run::zone::{self, Look, TroubledZone, ZoneTask, Zoned};

/// Blocks, touched by these hands.
#[derive(Debug)]
pub(in crate::run) struct Blocks<'a, H>(pub(in crate::run) &'a H);

/// A block's producer.
#[derive(Debug)]
pub(in crate::run) struct BlockOutlet<'a, H: Hands> {
    producer: Producer<H::Memory>,
    hands: &'a H,
    timeout: Timeout,
    /// Whether this end stamps each checksum itself.
    by_hand: bool,
}

/// A block's consumer.
#[derive(Debug)]
pub(in crate::run) struct BlockInlet<M: MappedMemory> {
    consumer: Consumer<M>,
    mem: M,
    /// Whether this end verifies each checksum itself.
    by_hand: bool,
    /// The sequence that it asks for by its number, where it does so.
    wanted: Option<u64>,
}

impl<'a, H: Hands> Transport for Blocks<'a, H> {
    type Outlet = BlockOutlet<'a, H>;
    type Inlet = BlockInlet<H::Memory>;

    fn make(&self, task: &Task) -> Result<Self::Outlet, TransportError> {
        let config = task.zones.iter().try_fold(config(&task.block)?, zone::add)?;
        let taken = task.fate.as_ref().and_then(|fate| fate.block.as_ref());
        let mut producer = match taken {
            Some(path) => Producer::take_over_with(self.0.memory(), path, &config)?,
            None => Producer::create_unnamed_with(self.0.memory(), &Folder::default(), config)?,
        };
        self.0.made(producer.block())?;
        producer.set_wait(strategy(task.wait));
        let timeout = Timeout::After(room_timeout(task));
        let by_hand = checked_by_hand(&task.block);
        Ok(BlockOutlet { producer, hands: self.0, timeout, by_hand })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<Self::Inlet, TransportError> {
        let place = Place::File(place.to_owned());
        let wrong = task.plant == Some(Plant::JoinWrong) && !task.stays.is_empty();
        let join = if task.join_latest == wrong { JoinAt::Oldest } else { JoinAt::Latest };
        let mut consumer = Consumer::attach_with(self.0.memory(), &place, join)?;
        consumer.set_wait(strategy(task.wait));
        let (mem, by_hand) = (self.0.memory(), checked_by_hand(&task.block));
        let kept = if task.join_latest { 1 } else { task.block.slots.into() };
        let in_line = task.reading == Reading::InLine;
        let wanted = in_line.then(|| consumer.get_commit_index().saturating_sub(kept));
        Ok(BlockInlet { consumer, mem, by_hand, wanted })
    }

    fn commits_at(&self, place: &Path) -> Option<u64> {
        let block = Monitor::open(&Place::File(place.to_owned())).ok()?;
        Some(block.snapshot(monotonic_ns()).commit_index)
    }
}

impl<H: Hands> Zoned for BlockOutlet<'_, H> {
    fn write_zone(&self, task: &ZoneTask, versions: [u64; 2]) -> Result<(), TroubledZone> {
        let zone = self.producer.zone(&task.name)?;
        zone::write((&zone, &self.hands.memory()), task, versions)
    }

    fn look_into_zone(&self, task: &ZoneTask) -> Result<Look, TroubledZone> {
        zone::look((&self.producer.zone(&task.name)?, &self.hands.memory()), task)
    }

    fn checksum_zone(&self, task: &ZoneTask, stamp: bool) -> Result<bool, TroubledZone> {
        Ok(zone::checksum(&self.producer.zone(&task.name)?, stamp))
    }
}

impl<M: MappedMemory> Zoned for BlockInlet<M> {
    fn write_zone(&self, task: &ZoneTask, versions: [u64; 2]) -> Result<(), TroubledZone> {
        zone::write((&self.consumer.zone(&task.name)?, &self.mem), task, versions)
    }

    fn look_into_zone(&self, task: &ZoneTask) -> Result<Look, TroubledZone> {
        zone::look((&self.consumer.zone(&task.name)?, &self.mem), task)
    }

    fn checksum_zone(&self, task: &ZoneTask, stamp: bool) -> Result<bool, TroubledZone> {
        Ok(zone::checksum(&self.consumer.zone(&task.name)?, stamp))
    }
}

impl<H: Hands> Outlet for BlockOutlet<'_, H> {
    fn place(&self) -> PathBuf {
        self.producer.path()
    }

    fn commits(&self) -> u64 {
        self.producer.commit_index()
    }

    #[inline]
    fn put(
        &mut self,
        keyed: &Keyed,
        (intended_ns, actual_ns): (u64, u64),
        offered: impl FnOnce(&Stamp),
    ) -> Result<(), Refusal> {
        let slot = self.producer.acquire_write_slot(self.timeout)?;
        let stamp = Stamp { sequence: slot.sequence(), intended_ns, actual_ns };
        offered(&stamp);
        let published = self.hands.publish(slot, (keyed, &stamp), self.by_hand);
        published.map_err(|error| Refusal::Trouble(error.to_string()))
    }

    fn abort(&mut self, keyed: &Keyed) -> Result<(), Refusal> {
        let mut slot = self.producer.acquire_write_slot(self.timeout)?;
        let stamp = Stamp { sequence: slot.sequence(), intended_ns: 0, actual_ns: 0 };
        keyed.foreign().fill(slot.payload(), &stamp);
        slot.abort();
        Ok(())
    }

    fn metrics(&self) -> io::Result<Option<MetricsFile>> {
        MetricsFile::open(&self.producer).map(Some)
    }
}

impl<M: MappedMemory> Inlet for BlockInlet<M> {
    #[inline]
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        if self.by_hand || self.wanted.is_some() {
            return self.take_otherwise(Timeout::After(timeout), see);
        }
        let slot = self.consumer.acquire_consume_slot(Timeout::After(timeout))?;
        Ok(see(slot.sequence(), slot.payload()))
    }

    fn commits(&self) -> u64 {
        self.consumer.get_commit_index()
    }

    fn next_sequence(&self) -> u64 {
        self.wanted.unwrap_or_else(|| self.consumer.next_sequence())
    }

    fn hold(&self) -> Option<File> {
        self.consumer.block().file().try_clone().ok()
    }
}

impl<M: MappedMemory> BlockInlet<M> {
    /// Takes a message where its checksum is this end's business, or the message is asked for by its
    /// sequence.
    // Apart from the usual case, whose slot need not pass through memory.
    #[inline(never)]
    fn take_otherwise<R>(
        &mut self,
        timeout: Timeout,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        let taken = match self.wanted {
            Some(sequence) => self.consumer.acquire_sequence(sequence, timeout),
            None => self.consumer.acquire_consume_slot(timeout),
        };
        if let Some(wanted) = &mut self.wanted {
            *wanted = match &taken {
                Ok(slot) => slot.sequence() + 1,
                Err(ReadError::Checksum { sequence }) => sequence + 1,
                // What is gone stays so, whatever was the oldest when that was looked up.
                Err(ReadError::Gone { oldest }) => *oldest.max(&(*wanted + 1)),
                Err(_) => *wanted,
            };
        }
        let slot = taken?;
        let sequence = slot.sequence();
        if self.by_hand && !slot.verify_checksum_slot() {
            return Err(ReadError::Checksum { sequence }.into());
        }
        Ok(see(sequence, slot.payload()))
    }
}

/// Whether whoever uses this block sees to its checksums.
fn checked_by_hand(block: &BlockTask) -> bool {
    block.checksum.is_some_and(|checksum| !checksum.enforced)
}

/// How handles wait.
fn strategy(waiting: Waiting) -> WaitStrategy {
    match waiting {
        Waiting::Spin => WaitStrategy::Spin,
        Waiting::Yield => WaitStrategy::Yield,
        Waiting::Park => WaitStrategy::Park,
    }
}

fn config(task: &BlockTask) -> Result<BlockConfig, ConfigError> {
    let sync = match task.sync {
        Sync::Latest => ConsumerSync::LatestOnly,
        Sync::One => ConsumerSync::Sequential,
        Sync::All => ConsumerSync::SequentialSync,
    };
    let on_full = match task.on_full {
        Full::Block { .. } => OnFull::Block,
        Full::Error => OnFull::Error,
        Full::Overwrite => OnFull::Overwrite,
        Full::Evict { .. } => OnFull::Evict,
    };
    let config = BlockConfig::new(sync, task.slots, task.payload_bytes)?
        .max_consumers(task.max_consumers)?
        .with_physical_slots(task.physical_slots)?
        .on_full(on_full)
        .parking(task.notify);
    let config = match task.on_full {
        Full::Evict { after_ns } => config.evict_after(Duration::from_nanos(after_ns))?,
        _ => config,
    };
    let Some(checksum) = task.checksum else { return Ok(config) };
    let algorithm = match checksum.function {
        Function::Xxh3 => ChecksumAlgorithm::Xxh3,
        Function::Crc32c => ChecksumAlgorithm::Crc32c,
        Function::Blake2b => ChecksumAlgorithm::Blake2b,
    };
    let policy = if checksum.enforced { ChecksumPolicy::Enforced } else { ChecksumPolicy::Manual };
    Ok(config.checksum(algorithm, policy))
}
