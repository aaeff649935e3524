//! Following a stream into the block that it was handed over to (decision 29).

use core::time::Duration;
use std::io;

use super::Consumer;
use super::attach::{AttachError, TakenSeat};
use crate::block::{Block, OpenError};
use crate::memory::MappedMemory;
use crate::place::Place;
use crate::ring::Fate;
use crate::ring::reader::{JoinAt, RingReader};
use crate::sequence::Sequence;
use crate::shm::Folder;
use crate::shm::token::{Seat, Token};
use crate::succession::{self, Successor};
use crate::wait::{Step, Timeout, WaitStrategy, Waiter, monotonic_ns};
use crate::{handover, heartbeat};

/// Why a consumer stays in the block where it is. It can go on reading there, and try again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The stream has not moved.
    #[error("the producer has not handed the stream over")]
    NotMoved,
    /// There is something left to read.
    #[error("sequences {next} to {end} (not included) are still to be read before the move")]
    Unread {
        /// The next one.
        next: Sequence,
        /// How many commits there were.
        end: u64,
    },
    /// The successor is not there any more: it has ended, and who made it is gone. What was committed
    /// there is lost to this consumer.
    #[error("the block that the stream goes on in cannot be reached: {reason}")]
    Gone {
        /// Why.
        reason: OpenError,
    },
    /// The seat that was kept was given away: the consumer seemed dead to somebody in another process
    /// namespace, was evicted, or the stream has moved on once more without it. What it missed is lost
    /// to it; attach anew.
    #[error("seat {seat} is no longer kept for this consumer: attach anew")]
    SeatLost {
        /// Its number.
        seat: u32,
    },
    /// Somebody held the kept seat's token, to see who is there: trying again will succeed.
    #[error("the seat was busy for {waited:?}")]
    TimedOut {
        /// How long the consumer waited.
        waited: Duration,
    },
    /// No seat was kept, and none could be had.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The operating system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl<M: MappedMemory> Consumer<M> {
    /// Goes on in the block that the stream was handed over to, with the first sequence that was not
    /// read yet; a latest-only consumer with the newest. Call it after
    /// [`ReadError::Moved`](super::ReadError::Moved); [`SlotIterator`](super::slot_iterator::SlotIterator) does so by itself.
    ///
    /// `timeout` bounds the wait for the seat, which somebody may be looking at.
    ///
    /// # Errors
    ///
    /// [`FollowError`]; the consumer stays where it is.
    pub fn follow(&mut self, timeout: Timeout) -> Result<(), FollowError> {
        let ring = self.block.ring();
        if succession::fate(&self.mem, &self.block) != Fate::Moved {
            return Err(FollowError::NotMoved);
        }
        if !self.ring_reader.is_through(&self.mem, &ring) {
            let end = self.ring_reader.commit_index(&self.mem, &ring);
            return Err(FollowError::Unread { next: self.ring_reader.cursor(), end });
        }
        let gone = |reason| FollowError::Gone { reason };
        let next = succession::open(&self.mem, &self.block).map_err(gone)?;
        let place = match &self.place {
            Place::Named { .. } => self.place.clone(),
            Place::File(_) => Place::File(next.path.clone()),
        };
        let wait = self.wait;
        let arrived = match self.take_kept_seat(&next, timeout)? {
            Some(token) => self.arrive(next, place, token),
            None => self.attach_freely(next.block, &place)?,
        };
        // Leaves the old block and gives its seat back.
        *self = arrived;
        self.set_wait(wait);
        Ok(())
    }

    /// The token of the seat that is kept for this consumer; `None` when none is, and it may do without.
    fn take_kept_seat(
        &self,
        next: &Successor,
        timeout: Timeout,
    ) -> Result<Option<Token>, FollowError> {
        let (arrivals, seat) = (next.block.arrivals(), self.reader.number());
        let direct = succession::is_direct(&self.block, &next.block);
        let mut waiter = Waiter::new(timeout, WaitStrategy::Yield);
        while direct && handover::is_kept(&self.mem, arrivals, self.reader) {
            match Token::take(next.block.file(), Seat::Consumer(seat))? {
                Some(token) if handover::is_kept(&self.mem, arrivals, self.reader) => {
                    return Ok(Some(token));
                }
                Some(_) => break,
                None if waiter.step() == Step::Expired => {
                    return Err(FollowError::TimedOut { waited: waiter.waited() });
                }
                None => {}
            }
        }
        // Who was promised every payload cannot go on behind a gap.
        let gates = self.block.rules().gates();
        if gates { Err(FollowError::SeatLost { seat }) } else { Ok(None) }
    }

    /// Takes the kept seat, whose token is ours.
    fn arrive(&self, next: Successor, place: Place, token: Token) -> Self {
        let (mem, reader, Successor { block, path }) = (self.mem.clone(), self.reader, next);
        let seat = block.heartbeat(reader);
        // Nobody has sat there: it was kept. If its words say otherwise, they are made to agree.
        let claim = || heartbeat::claim(&mem, seat, self.process.into(), monotonic_ns());
        let epoch = claim().unwrap_or_else(|_| {
            let epoch = heartbeat::retire(&mem, seat).unwrap_or(0);
            heartbeat::free(&mem, seat, epoch);
            claim().unwrap_or(epoch)
        });
        let at = (reader, self.ring_reader.cursor());
        let ring_reader = RingReader::arrive(&mem, &block.ring(), block.rules(), at);
        if handover::arrive(&mem, block.arrivals(), reader) == 0 {
            last_one_in(&mem, &block, &path);
        }
        Self::seated(mem, (block, place), TakenSeat { reader, token, epoch }, ring_reader)
    }

    /// Takes any seat: nobody waits for this consumer.
    fn attach_freely(&self, next: Block, place: &Place) -> Result<Self, FollowError> {
        let mut fresh = Self::attach_block(self.mem.clone(), next, place, JoinAt::Oldest)?;
        // Goes on where it was, so that it is told what it missed.
        let at = (fresh.reader, self.ring_reader.cursor());
        let ring = fresh.block.ring();
        fresh.ring_reader = RingReader::arrive(&fresh.mem, &ring, fresh.block.rules(), at);
        Ok(fresh)
    }
}

/// The producer of a stream that has ended keeps the name for who has not come yet: the last of them
/// removes it.
fn last_one_in<M: MappedMemory>(mem: &M, block: &Block, path: &std::path::Path) {
    let ended = || Fate::of(mem, &block.ring()) == Fate::Ended;
    let Some((folder, name)) = Folder::of_file(path).filter(|_| ended()) else { return };
    // With the producer's token in hand, nobody takes the name over meanwhile.
    if let Ok(Some(_token)) = Token::take(block.file(), Seat::Producer)
        && ended()
    {
        // A name that stays is what a dead producer leaves too.
        let _removed = folder.unlink(block.file(), &name);
    }
}
