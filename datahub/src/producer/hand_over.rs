//! Handing the stream over to a larger block (decision 29).
//!
//! The successor is made complete and unseen; joining is frozen; everybody who is registered is kept a
//! seat of the same number; the successor takes the name in one step; and the old block says that the
//! stream has moved. Up to that step nothing has happened: whoever dies before leaves the old block
//! to go on, whoever dies behind leaves the new one.

use core::fmt;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{self, PathBuf};
use std::{fs::File, io};

use super::create::{CreateError, make};
use super::{Home, Producer};
use crate::block::Block;
use crate::config::{BlockConfig, ConsumerSync, OnFull};
use crate::memory::{MappedMemory, Shared};
use crate::ring::writer;
use crate::shm::token::Token;
use crate::slot::{Reader, Seats, known_readers};
use crate::{cursor, handover, heartbeat, liveness};

/// The hand-over did not happen, and nothing has changed: the producer goes on.
#[derive(Debug)]
pub struct HandOverError<M: MappedMemory = Shared> {
    /// The producer, as it was.
    pub producer: Box<Producer<M>>,
    /// Why.
    pub reason: HandOverReason,
}

impl<M: MappedMemory> fmt::Display for HandOverError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the block was not handed over: {}", self.reason)
    }
}

impl<M: MappedMemory + fmt::Debug> std::error::Error for HandOverError<M> {}

/// Why a block could not be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverReason {
    /// Consumers were promised something else.
    #[error("its consumers were promised {old:?}, the successor would be {new:?}")]
    Policy {
        /// Policy and rule of this block.
        old: (ConsumerSync, OnFull),
        /// Those asked for.
        new: (ConsumerSync, OnFull),
    },
    /// A payload of this block has no room there.
    #[error("its payloads have up to {old} bytes, the successor's only {new}")]
    PayloadBytes {
        /// The payload size of this block.
        old: u64,
        /// The one asked for.
        new: u64,
    },
    /// Consumers attached because of the layout that this block declares.
    #[error("its payloads are {old}, the successor's {new}")]
    Schema {
        /// The layout of this block.
        old: Box<str>,
        /// The one asked for.
        new: Box<str>,
    },
    /// A consumer's seat does not exist there.
    #[error("consumers sit in seats up to {seat}, the successor has only {seats}")]
    Seats {
        /// The highest seat that is taken, from 0.
        seat: u32,
        /// Seats of the successor.
        seats: u32,
    },
    /// Consumers have still to come from the block before this one.
    #[error("{} still to come from the block before this one", Seats(*consumers).did_not("has", "have"))]
    Unfinished {
        /// Which ones, one bit each.
        consumers: u32,
    },
    /// The name leads to another file: somebody has removed the block.
    #[error("the name no longer leads to this block")]
    NameLost,
    /// The path to the successor is too long to be written into this block.
    #[error("the path {} is too long: use a folder with a shorter one", .0.display())]
    Path(PathBuf),
    /// The successor could not be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The operating system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// A successor that nobody has seen yet.
struct Made {
    block: Block,
    token: Token,
    /// The file of the block before it.
    old: File,
}

impl<M: MappedMemory> Producer<M> {
    /// Goes on with the stream in a block of another shape, and moves the consumers there.
    ///
    /// The successor's first sequence is the next one. Each consumer reads this block to its end, is
    /// told [`ReadError::Moved`](crate::consumer::ReadError::Moved), and goes on with
    /// [`Consumer::follow`](crate::consumer::Consumer::follow): no sequence is lost and none comes twice. It
    /// keeps the number of its seat, and while it has not come it holds the producer back as its policy says.
    ///
    /// Payloads may become larger, not smaller; policy and schema stay. Flexible zones begin empty.
    /// Both blocks need memory until the last consumer has moved.
    ///
    /// A named successor takes the name. An unnamed one can be reached only as long as this process
    /// keeps it open: do not drop its producer before [`still_to_move`](Self::still_to_move) is 0, or who
    /// is late loses what was committed there (and is told so).
    ///
    /// # Errors
    ///
    /// [`HandOverError`] gives the producer back; nothing has changed.
    pub fn hand_over(mut self, config: BlockConfig) -> Result<Self, HandOverError<M>> {
        let moved = self.make_successor(config).and_then(|made| {
            self.move_to(&made)?;
            Ok(made)
        });
        match moved {
            Ok(made) => Ok(self.succeed(made)),
            Err(reason) => Err(HandOverError { producer: Box::new(self), reason }),
        }
    }

    /// Consumers that have not come yet from the block before this one, one bit each. Until this is 0
    /// there can be no further hand-over.
    #[must_use]
    pub fn still_to_move(&self) -> u32 {
        let (mem, arrivals) = (&self.mem, self.block.arrivals());
        let kept = handover::kept(mem, arrivals);
        if kept != 0 {
            liveness::reap_dead(mem, &self.block, kept);
        }
        let known = known_readers(self.config().consumers_max() as usize);
        let_predecessor_go((mem, &self.block));
        handover::kept(mem, arrivals) & known
    }

    fn make_successor(&self, config: BlockConfig) -> Result<Made, HandOverReason> {
        fits(self.config(), &config)?;
        let consumers = self.still_to_move();
        if consumers != 0 {
            return Err(HandOverReason::Unfinished { consumers });
        }
        let Home { folder, name } = &self.home;
        let (block, token) = make(folder, config, self.writer.next(), Some(&self.block))?;
        let place = match name {
            // Consumers have another working folder.
            Some(name) => path::absolute(folder.file_of(name))?,
            None => format!("/proc/{}/fd/{}", self.process, block.file().as_raw_fd()).into(),
        };
        let bytes = place.as_os_str().as_bytes();
        if !handover::write_place(&self.mem, self.block.successor(), bytes) {
            return Err(HandOverReason::Path(place));
        }
        Ok(Made { block, token, old: self.block.file().try_clone()? })
    }

    /// Up to here nobody has noticed anything; behind this the stream has moved.
    fn move_to(&mut self, made: &Made) -> Result<(), HandOverReason> {
        self.writer.rest(&self.mem, &self.block.ring());
        let moved = self.keep_seats(&made.block).and_then(|()| self.give_name(made));
        let (mem, ring) = (&self.mem, self.block.ring());
        if moved.is_err() {
            writer::begin(mem, &ring);
            cursor::thaw(mem, ring.registry);
            return moved;
        }
        handover::finish_move(mem, &ring);
        self.moved = true;
        self.announce();
        Ok(())
    }

    /// Freezes joining and keeps a seat for each consumer that is there.
    fn keep_seats(&self, new: &Block) -> Result<(), HandOverReason> {
        let (mem, ring) = (&self.mem, self.block.ring());
        let known = known_readers(ring.cursors.len());
        liveness::reap_dead(mem, &self.block, cursor::freeze(mem, ring.registry) & known);
        let readers = cursor::freeze(mem, ring.registry) & known;
        let seats = new.geometry().config.consumers_max();
        let seat = readers.checked_ilog2().unwrap_or(0);
        if seat >= seats {
            return Err(HandOverReason::Seats { seat, seats });
        }
        handover::keep_seats(mem, &new.ring(), new.arrivals(), (readers, self.writer.next()));
        for reader in (0..seats.min(known.count_ones())).map(Reader::new) {
            let process = heartbeat::process(mem, self.block.heartbeat(reader));
            heartbeat::keep_for(mem, new.heartbeat(reader), process);
        }
        Ok(())
    }

    /// Gives the successor this block's name, if it has one: the step that decides.
    fn give_name(&self, made: &Made) -> Result<(), HandOverReason> {
        let Home { folder, name: Some(name) } = &self.home else { return Ok(()) };
        // If we die now, the name decides.
        handover::begin_move(&self.mem, &self.block.ring());
        let replaced = folder.replace(self.block.file(), made.block.file(), name)?;
        if replaced { Ok(()) } else { Err(HandOverReason::NameLost) }
    }

    /// The producer of the successor.
    fn succeed(self, made: Made) -> Self {
        let (mem, home, wait) = (self.mem.clone(), self.home.clone(), self.wait);
        *made.block.predecessor() = Some(made.old);
        // Gives the old block's token back; its name and its fate stay as they are.
        drop(self);
        let mut next = Self::begin(mem, (made.block, made.token), home);
        next.set_wait(wait);
        next
    }
}

/// Frees the block before this one when nobody has to come from there any more.
pub(super) fn let_predecessor_go<M: MappedMemory>((mem, block): (&M, &Block)) {
    if handover::kept(mem, block.arrivals()) == 0 {
        *block.predecessor() = None;
    }
}

/// Whether the consumers of a block may be moved to one like `new`.
fn fits(old: &BlockConfig, new: &BlockConfig) -> Result<(), HandOverReason> {
    let promise = |config: &BlockConfig| (config.consumer_sync(), config.when_full());
    let waits = |on_full| matches!(on_full, OnFull::Block | OnFull::Error);
    let ((sync, on_full), (new_sync, new_on_full)) = (promise(old), promise(new));
    // Whether the producer waits or gives up at once is its own affair.
    let same = on_full == new_on_full || waits(on_full) && waits(new_on_full);
    if sync != new_sync || !same {
        return Err(HandOverReason::Policy { old: promise(old), new: promise(new) });
    }
    let (bytes, new_bytes) = (old.payload_bytes(), new.payload_bytes());
    if new_bytes < bytes {
        return Err(HandOverReason::PayloadBytes { old: bytes, new: new_bytes });
    }
    let (schema, new_schema) = (old.schema(), new.schema());
    let kept = schema.is_none_or(|tag| new_schema.is_some_and(|new| new.hash() == tag.hash()));
    if !kept {
        let text = |tag: Option<&crate::config::SchemaTag>| {
            tag.map_or_else(|| "bytes of no declared layout".into(), |tag| tag.text().into())
        };
        return Err(HandOverReason::Schema { old: text(schema), new: text(new_schema) });
    }
    Ok(())
}
