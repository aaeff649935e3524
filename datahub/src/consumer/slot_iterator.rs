//! Going through a block's payloads, and going to another place in them.

use super::read_slot::ReadSlot;
use super::{Consumer, ReadError};
use crate::memory::{MappedMemory, Shared};
use crate::ring::reader::seek::NotSought;
use crate::sequence::Sequence;
use crate::wait::Timeout;

/// How often one call follows the stream.
const MOVES_MAX: u32 = 16;

/// Why a consumer stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeekError {
    /// That sequence comes later than the next one.
    #[error("sequence {wanted} is not made yet: {next} comes next")]
    Ahead {
        /// Where to.
        wanted: Sequence,
        /// The sequence of the next commit.
        next: Sequence,
    },
    /// This consumer cannot go back so far. A gated one cannot go back at all.
    #[error(
        "sequence {wanted} lies behind this consumer, which can go to {oldest} and later; read single earlier payloads with `acquire_sequence`"
    )]
    Behind {
        /// Where to.
        wanted: Sequence,
        /// The earliest place it can go to.
        oldest: Sequence,
    },
}

/// Goes through payloads, one open at a time. Borrowed from a [`Consumer`], whose place it shares.
///
/// ```
/// # use datahub::config::{BlockConfig, ConsumerSync};
/// # use datahub::consumer::{Consumer, ReadError};
/// # use datahub::place::Place;
/// # use datahub::producer::Producer;
/// # use datahub::ring::reader::JoinAt;
/// # use datahub::shm::Folder;
/// # use datahub::wait::Timeout;
/// # let config = BlockConfig::new(ConsumerSync::Sequential, 4, 8)?;
/// # let mut producer = Producer::create_unnamed(&Folder::default(), config)?;
/// # let mut consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest)?;
/// # producer.acquire_write_slot(Timeout::Now)?.commit(8)?;
/// # drop(producer);
/// let mut slots = consumer.slots();
/// loop {
///     match slots.try_next(Timeout::Never) {
///         Ok(slot) => println!("{}: {} bytes", slot.sequence(), slot.len()),
///         Err(ReadError::Ended) => break,
///         Err(error) => return Err(error.into()),
///     }
/// }
/// assert_eq!(slots.last_sequence(), Some(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SlotIterator<'a, M: MappedMemory = Shared> {
    consumer: &'a mut Consumer<M>,
    last: Option<Sequence>,
}

impl<M: MappedMemory> SlotIterator<'_, M> {
    /// The next payload, waiting as long as `timeout` allows. Follows the stream when it is handed over
    /// to another block; if that fails, the error is [`ReadError::Moved`], and
    /// [`Consumer::follow`] says why.
    ///
    /// # Errors
    ///
    /// [`ReadError`], as from [`Consumer::acquire_consume_slot`].
    pub fn try_next(&mut self, timeout: Timeout) -> Result<ReadSlot<'_, M>, ReadError> {
        let mut moves = 0;
        let taken = loop {
            let why = match self.consumer.look_once() {
                Ok(taken) => break taken,
                Err(why) => why,
            };
            match self.consumer.wait_for_slot(why, timeout) {
                Ok(taken) => break taken,
                // A stream that moves all the time is followed so often and no more.
                Err(ReadError::Moved) if moves < MOVES_MAX => moves += 1,
                Err(error) => return Err(error),
            }
            if self.consumer.follow(timeout).is_err() {
                return Err(ReadError::Moved);
            }
        };
        let slot = self.consumer.admitted(taken)?;
        self.last = Some(slot.sequence());
        Ok(slot)
    }

    /// As [`Consumer::seek_latest`].
    pub fn seek_latest(&mut self) -> Sequence {
        self.consumer.seek_latest()
    }

    /// As [`Consumer::seek_to`].
    ///
    /// # Errors
    ///
    /// [`SeekError`]; the place stays.
    pub fn seek_to(&mut self, sequence: Sequence) -> Result<(), SeekError> {
        self.consumer.seek_to(sequence)
    }

    /// The sequence of the last payload that this iterator gave out, if any.
    #[must_use]
    pub const fn last_sequence(&self) -> Option<Sequence> {
        self.last
    }
}

impl<M: MappedMemory> Consumer<M> {
    /// An iterator from this consumer's place on.
    pub fn slots(&mut self) -> SlotIterator<'_, M> {
        SlotIterator { consumer: self, last: None }
    }

    /// Makes `sequence` the next one to read. Under latest-only it is the lowest that will be shown:
    /// a newer payload comes instead, and the newest can be had once more by going back to it.
    ///
    /// What is jumped over counts as read: it no longer holds the producer back.
    ///
    /// # Errors
    ///
    /// [`SeekError`]; the place stays.
    pub fn seek_to(&mut self, sequence: Sequence) -> Result<(), SeekError> {
        let sought = self.ring_reader.seek_to(&self.mem, &self.block.ring(), sequence);
        sought.map_err(|why| match why {
            NotSought::Ahead { next } => SeekError::Ahead { wanted: sequence, next },
            NotSought::Behind { oldest } => SeekError::Behind { wanted: sequence, oldest },
        })?;
        self.due = sequence;
        self.made_room();
        Ok(())
    }

    /// Makes the newest payload the next one to read, or the first to come when that was read
    /// already. Returns the sequence that comes next.
    pub fn seek_latest(&mut self) -> Sequence {
        let next = self.ring_reader.seek_latest(&self.mem, &self.block.ring());
        self.due = next;
        self.made_room();
        next
    }

    /// How many commits there were; the newest sequence is one less (decision 1).
    ///
    /// Source: HEP-CORE-0002 `commit_index`.
    #[must_use]
    pub fn get_commit_index(&self) -> u64 {
        self.ring_reader.commit_index(&self.mem, &self.block.ring())
    }

    /// The sequence that the producer's open or next slot will have. Equal to the commit index,
    /// because no sequence is spent before its commit.
    ///
    /// Source: HEP-CORE-0002 `write_index`.
    #[must_use]
    pub fn get_write_index(&self) -> u64 {
        self.get_commit_index()
    }

    /// The lowest cursor of the gated consumers when the producer last looked, which it does when
    /// the ring seems full. Under latest-only nobody gates and this stays at 0.
    ///
    /// Source: HEP-CORE-0002 `read_index`.
    #[must_use]
    pub fn get_read_index(&self) -> u64 {
        self.block.read_index(&self.mem)
    }
}
