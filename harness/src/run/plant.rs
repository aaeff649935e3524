//! Planted defects: the shipped protocol over a memory that lies at one site, or a worker that
//! misbehaves at one step. A run with one of them must be found guilty.
//!
//! Real runs are compiled for [`Honest`] alone and contain none of this.

mod fate;
mod memory;

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;

use clap::ValueEnum as _;
use datahub::block::Block;
use datahub::memory::{MappedMemory, Shared};
use datahub::producer::write_slot::{CommitError, WriteSlot};
use serde::{Deserialize, Serialize};

use super::payload::{Keyed, Stamp};
use super::transport::lying::is_general;
use super::wire::Task;
use super::words::Words;
use crate::scenario::model::transport::Carrier;
use crate::scenario::model::zone::{PRODUCER, ZoneSpec};
use crate::scenario::model::{self, Program};
use fate::Acts;
pub(crate) use memory::Planted;

/// A defect that a run is given on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
pub enum Plant {
    /// The producer takes a slot without waiting for its readers.
    SkipDrain,
    /// A reader trusts the label it looked for and does not compare what it entered.
    DropLabel,
    /// The producer commits first and writes the payload afterwards.
    PublishEarly,
    /// One payload byte flips between its checksum and its commit.
    CorruptByte,
    /// One commit never reaches the slot.
    LoseCommit,
    /// The producer writes half of a zone's value anew and leaves the rest.
    ZoneTorn,
    /// The producer leaves out every second write to a zone.
    ZoneStale,
    /// The first consumer hangs.
    #[value(hide = true)]
    Hang,
    /// The first consumer is killed by a signal while messages flow.
    #[value(hide = true)]
    Crash,
    /// The first consumer ends without a word.
    #[value(hide = true)]
    ExitEarly,
    /// The first consumer stays and reads nothing.
    #[value(hide = true)]
    StopReading,
    /// The first consumer says that it read one payload more than it did.
    #[value(hide = true)]
    LieCounts,
    /// Consumers that come late begin at the other end than they were asked to.
    #[value(hide = true)]
    JoinWrong,
    /// The first consumer leaves a named block behind.
    #[value(hide = true)]
    LeakSegment,
    /// The first consumer takes all memory that it can get.
    #[value(hide = true)]
    EatMemory,
}

impl fmt::Display for Plant {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl Plant {
    /// Whether it lies in the protocol's memory or in the act of publishing.
    pub(super) fn tampers(self) -> bool {
        matches!(
            self,
            Self::SkipDrain
                | Self::DropLabel
                | Self::PublishEarly
                | Self::CorruptByte
                | Self::LoseCommit
        )
    }

    /// Whether it lies in what is written to flexible zones.
    pub(super) fn is_about_zones(self) -> bool {
        matches!(self, Self::ZoneTorn | Self::ZoneStale)
    }

    /// Whether no other transport can have it.
    fn is_about_blocks(self) -> bool {
        let general = self.tampers() && is_general(self);
        !general && (self.tampers() || self.is_about_zones() || self == Self::JoinWrong)
    }

    fn victim(self) -> Victim {
        match self {
            Self::SkipDrain
            | Self::PublishEarly
            | Self::CorruptByte
            | Self::LoseCommit
            | Self::ZoneTorn
            | Self::ZoneStale => Victim::Producer,
            Self::DropLabel | Self::JoinWrong => Victim::AnyConsumer,
            _ => Victim::FirstConsumer,
        }
    }
}

/// Why this defect cannot be planted in this cell: it is about blocks and there is none, or whoever
/// should have it is a program that knows no planted defects.
pub(crate) fn unplantable(plant: Plant, cell: &model::Cell) -> Option<String> {
    let carrier = cell.block.transport;
    if plant.is_about_blocks() && carrier != Carrier::DataHub {
        let carrier = carrier.name();
        return Some(format!("the defect {plant} is about blocks, and messages go by {carrier}"));
    }
    let own = |zone: &ZoneSpec| zone.writer == PRODUCER;
    if plant.is_about_zones() && !cell.block.zones.iter().any(own) {
        let why = "the producer writes no zone of this block";
        return Some(format!("the defect {plant:?} cannot be planted: {why}"));
    }
    let mut readers = cell.consumers.iter().map(|group| group.program);
    let (who, foreign) = match plant.victim() {
        Victim::Producer => ("the producer", cell.producer.program == Program::C),
        Victim::AnyConsumer => ("every consumer", readers.all(|program| program == Program::C)),
        Victim::FirstConsumer => ("the first consumer", readers.next() == Some(Program::C)),
    };
    let own = carrier == Carrier::Program;
    let which = if own { "a program of the user's own" } else { "a program in C" };
    (own || foreign).then(|| {
        format!(
            "the defect {plant:?} cannot be planted: {who} is {which}, which knows none of them"
        )
    })
}

/// Who has a defect.
enum Victim {
    Producer,
    AnyConsumer,
    FirstConsumer,
}

/// How a worker touches blocks.
pub(super) trait Hands {
    /// The memory under the protocol.
    type Memory: MappedMemory;

    /// The memory for a handle.
    fn memory(&self) -> Self::Memory;

    /// Told of each block that this worker makes.
    ///
    /// # Errors
    ///
    /// When the block's file cannot be held open.
    fn made(&self, block: &Block) -> io::Result<()>;

    /// Fills the slot and commits it. `by_hand`: its checksum is the worker's business.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    fn publish(
        &self,
        slot: WriteSlot<'_, Self::Memory>,
        content: (&Keyed, &Stamp),
        by_hand: bool,
    ) -> Result<(), CommitError>;
}

/// What real runs use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Honest;

impl Hands for Honest {
    type Memory = Shared;

    #[inline]
    fn memory(&self) -> Shared {
        Shared
    }

    fn made(&self, _block: &Block) -> io::Result<()> {
        Ok(())
    }

    #[inline]
    fn publish(
        &self,
        mut slot: WriteSlot<'_, Shared>,
        (keyed, stamp): (&Keyed, &Stamp),
        by_hand: bool,
    ) -> Result<(), CommitError> {
        let payload = slot.payload();
        keyed.fill(payload, stamp);
        let bytes = payload.len();
        if by_hand {
            return commit_stamped(slot, bytes);
        }
        slot.commit(bytes).map(drop)
    }
}

/// Stamps the checksum and commits.
// Takes the slot along: one that is only lent would pass through memory in the usual case, too.
#[inline(never)]
fn commit_stamped<M: MappedMemory>(
    mut slot: WriteSlot<'_, M>,
    bytes: usize,
) -> Result<(), CommitError> {
    slot.update_checksum_slot(bytes)?;
    slot.commit(bytes).map(drop)
}

/// Payload bytes by the back door.
#[derive(Debug)]
struct Door {
    file: File,
    ring: u64,
    stride: u64,
}

impl Door {
    fn open(block: &Block) -> io::Result<Self> {
        let layout = &block.geometry().layout;
        let file = block.file().try_clone()?;
        Ok(Self { file, ring: layout.ring as u64, stride: layout.stride as u64 })
    }

    fn write(&self, slot: usize, bytes: &[u8]) {
        // A defect that cannot be planted leaves a good run, which the caller notices.
        let _written = self.file.write_all_at(bytes, self.ring + slot as u64 * self.stride);
    }

    /// Flips one bit of the slot's first byte.
    fn flip(&self, slot: usize) {
        let mut byte = [0];
        if self.file.read_exact_at(&mut byte, self.ring + slot as u64 * self.stride).is_ok() {
            self.write(slot, &[byte[0] ^ 1]);
        }
    }
}

/// What the lying memory and the tampering hands know together.
#[derive(Debug)]
struct Knowledge {
    /// What the worker does to itself.
    acts: Acts,
    /// The newest commit, as the reader was told.
    newest: Cell<u64>,
    /// How often the lie could have been told.
    occasions: Cell<u64>,
    /// The slot being written.
    slot: Cell<usize>,
    door: OnceCell<Door>,
}

impl Knowledge {
    fn new(acts: Acts) -> Self {
        let (newest, occasions, slot) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { acts, newest, occasions, slot, door: OnceCell::new() }
    }

    /// Counts an occasion; says whether it is one of each `every`.
    fn due(&self, every: u64) -> bool {
        self.occasions.set(self.occasions.get() + 1);
        self.occasions.get().is_multiple_of(every)
    }
}

/// What runs with a planted defect use, and workers that do something to themselves.
#[derive(Debug)]
pub(super) struct Tampering {
    plant: Option<Plant>,
    knowledge: Rc<Knowledge>,
}

impl Tampering {
    /// Hands for this task; `None` when honest ones will do.
    pub(super) fn new(task: &Task, words: &Rc<Words>) -> Option<Self> {
        let plant = task.plant.filter(|plant| plant.tampers());
        let acts = |fate: &super::wire::Fate| {
            !(fate.deaths.is_empty() && fate.spoils.is_empty() && fate.fills.is_empty())
        };
        if plant.is_none() && !task.fate.as_ref().is_some_and(acts) {
            return None;
        }
        let knowledge = Knowledge::new(Acts::new(task, words));
        Some(Self { plant, knowledge: Rc::new(knowledge) })
    }
}

impl Hands for Tampering {
    type Memory = Planted;

    fn memory(&self) -> Planted {
        Planted::new(self.plant, Rc::clone(&self.knowledge))
    }

    fn made(&self, block: &Block) -> io::Result<()> {
        // A second block of the same worker is left alone.
        let _first = self.knowledge.door.set(Door::open(block)?);
        Ok(())
    }

    fn publish(
        &self,
        mut slot: WriteSlot<'_, Planted>,
        (keyed, stamp): (&Keyed, &Stamp),
        by_hand: bool,
    ) -> Result<(), CommitError> {
        let commit = |slot, bytes| {
            if by_hand {
                commit_stamped(slot, bytes)
            } else {
                WriteSlot::commit(slot, bytes).map(drop)
            }
        };
        let (index, bytes) = (slot.slot_index(), slot.payload().len());
        self.knowledge.slot.set(index);
        self.knowledge.acts.hoards();
        if self.plant != Some(Plant::PublishEarly) {
            keyed.fill(slot.payload(), stamp);
            return commit(slot, bytes);
        }
        let mut payload = vec![0; bytes];
        keyed.fill(&mut payload, stamp);
        commit(slot, bytes)?;
        if let Some(door) = self.knowledge.door.get() {
            door.write(index, &payload);
        }
        Ok(())
    }
}
