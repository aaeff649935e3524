//! Attaching to a block.

use std::io;

use core::time::Duration;

use super::{Consumer, copying};
use crate::block::header::HeaderError;
use crate::block::{Block, OpenError};
use crate::config::ChecksumPolicy;
use crate::cursor::NotJoined;
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{self, Metric};
use crate::place::Place;
use crate::pulse::Pulse;
use crate::ring::Fate;
use crate::ring::reader::{JoinAt, RingReader};
use crate::schema::Schema;
use crate::shm::token::{Seat, Token};
use crate::slot::Reader;
use crate::wait::{Step, Timeout, WaitStrategy, Waiter, monotonic_ns};
use crate::{handover, heartbeat, liveness, succession};

/// How long a newcomer waits for a hand-over, which takes a few system calls.
const MOVING: Duration = Duration::from_millis(100);
/// How many hand-overs a newcomer follows.
const MOVES_MAX: u32 = 16;

/// Why a consumer could not attach. The block is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// There is no such block.
    #[error("there is no block at {place}: is its producer running?")]
    NotFound {
        /// Where it was looked for.
        place: String,
    },
    /// The block belongs to another user.
    #[error("the block at {place} is not this user's: {reason}")]
    NotPermitted {
        /// Where it is.
        place: String,
        /// Whose it is.
        reason: OpenError,
    },
    /// The file is not a block that this process can use.
    #[error("the block at {place} cannot be used: {reason}")]
    Unusable {
        /// Where it is.
        place: String,
        /// What is wrong.
        reason: HeaderError,
    },
    /// Every seat has a living owner.
    #[error("all {seats} consumer seats are taken, by processes {}", list(.holders))]
    ConsumerSlotsFull {
        /// How many seats the block has.
        seats: u32,
        /// The owners' process ids, as they told.
        holders: Vec<u64>,
    },
    /// A [`Sequential`](crate::config::ConsumerSync::Sequential) block has its one consumer.
    #[error("the block admits one consumer and has it: seat {}{}", .seat, process_of(*.process))]
    Occupied {
        /// The seat of that consumer.
        seat: u32,
        /// Its process, as it told.
        process: Option<u64>,
    },
    /// The producer is handing the block over to another one, or died while it did.
    #[error(
        "the block at {place} is being handed over: try again; if its producer is dead, recover it"
    )]
    Moving {
        /// Where the block is.
        place: String,
    },
    /// Consumers joined and left all the time.
    #[error("other consumers join and leave all the time; try again")]
    Contended,
    /// The payloads have another layout than the one asked for.
    #[error("the block at {place} holds {found}, not {expected}")]
    Schema {
        /// Where the block is.
        place: String,
        /// The layout asked for.
        expected: Box<str>,
        /// The layout of the block.
        found: Box<str>,
    },
    /// The operating system refused.
    #[error("cannot attach to {place}")]
    System {
        /// Where it is.
        place: String,
        /// Why.
        source: io::Error,
    },
}

fn list(processes: &[u64]) -> String {
    processes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn process_of(process: Option<u64>) -> String {
    process.map(|id| format!(", process {id}")).unwrap_or_default()
}

impl Consumer<Shared> {
    /// Attaches to a block and joins it at `join`.
    ///
    /// # Errors
    ///
    /// [`AttachError`]; seats of dead consumers are cleared before a block counts as full.
    pub fn attach(place: impl Into<Place>, join: JoinAt) -> Result<Self, AttachError> {
        Self::attach_with(Shared, &place.into(), join)
    }

    /// As [`attach`](Self::attach), to a block whose payloads are values of `T` and which says so.
    ///
    /// # Errors
    ///
    /// [`AttachError::Schema`] names both layouts; the block counts the refusal.
    pub fn attach_typed<T: Schema>(
        place: impl Into<Place>,
        join: JoinAt,
    ) -> Result<Self, AttachError> {
        Self::attach_typed_with::<T>(Shared, &place.into(), join)
    }
}

impl<M: MappedMemory> Consumer<M> {
    /// As [`Consumer::attach`], over another memory.
    ///
    /// # Errors
    ///
    /// [`AttachError`].
    #[expect(clippy::needless_pass_by_value, reason = "a consumer keeps its memory")]
    pub fn attach_with(mem: M, place: &Place, join: JoinAt) -> Result<Self, AttachError> {
        attach(&mem, place, join, |_, _| Ok(()))
    }

    /// As [`Consumer::attach_typed`], over another memory.
    ///
    /// # Errors
    ///
    /// [`AttachError`].
    #[expect(clippy::needless_pass_by_value, reason = "a consumer keeps its memory")]
    pub fn attach_typed_with<T: Schema>(
        mem: M,
        place: &Place,
        join: JoinAt,
    ) -> Result<Self, AttachError> {
        attach(&mem, place, join, |block, place| {
            let found = match block.geometry().config.schema() {
                Some(found) if found.hash() == &T::SCHEMA_HASH => return Ok(()),
                found => found.map_or("bytes of no declared layout".into(), |found| found.text()),
            };
            metrics::add(&mem, &block.metrics().words[Metric::SchemaMismatches as usize], 1);
            let (expected, found) = (T::SCHEMA_TEXT.into(), found.into());
            Err(AttachError::Schema { place: show(place), expected, found })
        })
    }

    pub(super) fn attach_block(
        mem: M,
        block: Block,
        place: &Place,
        join: JoinAt,
    ) -> Result<Self, AttachError> {
        let system = |source| AttachError::System { place: show(place), source };
        let seat = take_seat(&mem, &block).map_err(system)?.ok_or_else(|| {
            let seats = block.geometry().config.consumers_max();
            let owner = |seat| heartbeat::owner(&mem, block.heartbeat(Reader::new(seat)));
            let holders = (0..seats).filter_map(|seat| owner(seat).map(|owner| owner.process));
            AttachError::ConsumerSlotsFull { seats, holders: holders.collect() }
        })?;
        let ring_reader = join_ring(&mem, (&block, place), seat.reader, join)?;
        Ok(Self::seated(mem, (block, place.clone()), seat, ring_reader))
    }

    /// A consumer that has its seat and its place in the ring.
    pub(super) fn seated(
        mem: M,
        (block, place): (Block, Place),
        seat: TakenSeat,
        ring_reader: RingReader,
    ) -> Self {
        let config = &block.geometry().config;
        let evicts = config.patience().is_some();
        let plain = !evicts && config.checksum_policy() == ChecksumPolicy::Manual;
        let copy = copying::room(evicts, config.payload_bytes());
        let due = ring_reader.cursor();
        // Not what stands there now: the producer may have evicted us already.
        let TakenSeat { reader, token, epoch } = seat;
        let seat_word = heartbeat::live(epoch);
        Self {
            mem,
            block,
            ring_reader,
            reader,
            wait: WaitStrategy::default(),
            races: 0,
            pulse: Pulse::new(monotonic_ns()),
            polls: 0,
            process: std::process::id(),
            plain,
            seat_word,
            copy,
            due,
            evicted_at: None,
            place,
            _token: token,
        }
    }
}

/// Attaches to the block at `place`, or to the one where its stream goes on.
fn attach<M: MappedMemory>(
    mem: &M,
    place: &Place,
    join: JoinAt,
    accepts: impl Fn(&Block, &Place) -> Result<(), AttachError>,
) -> Result<Consumer<M>, AttachError> {
    let (mut at, mut moves) = (place.clone(), 0);
    let mut waiter = Waiter::new(Timeout::After(MOVING), WaitStrategy::Yield);
    loop {
        let block = Block::open(&at.path()).map_err(|error| refused(&at, error))?;
        if moves < MOVES_MAX && succession::fate(mem, &block) == Fate::Moved {
            let next = succession::open(mem, &block).map_err(|error| refused(&at, error))?;
            (at, moves) = (Place::File(next.path), moves + 1);
            continue;
        }
        accepts(&block, &at)?;
        match Consumer::attach_block(mem.clone(), block, &at, join) {
            Err(AttachError::Moving { .. }) if waiter.step() != Step::Expired => {}
            attached => return attached,
        }
    }
}

/// A seat that is ours.
pub(super) struct TakenSeat {
    pub(super) reader: Reader,
    pub(super) token: Token,
    /// Which claim of it this is.
    pub(super) epoch: u64,
}

/// Takes the first seat whose owner is gone or never was.
pub(super) fn take_seat<M: MappedMemory>(mem: &M, block: &Block) -> io::Result<Option<TakenSeat>> {
    for number in 0..block.geometry().config.consumers_max() {
        let reader = Reader::new(number);
        if liveness::is_awaited(mem, block, reader)? {
            continue;
        }
        let Some(token) = Token::take(block.file(), Seat::Consumer(number))? else { continue };
        // Ours now; whatever stands in it belonged to somebody dead.
        let (seat, process) = (block.heartbeat(reader), std::process::id().into());
        let claim = || heartbeat::claim(mem, seat, process, monotonic_ns());
        let kept = handover::is_kept(mem, block.arrivals(), reader);
        let epoch = match claim() {
            Ok(epoch) if !kept => epoch,
            _ if !liveness::clear(mem, block, reader) => continue,
            _ => claim().map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?,
        };
        return Ok(Some(TakenSeat { reader, token, epoch }));
    }
    Ok(None)
}

/// Joins the ring; a seat that may not join is given back.
fn join_ring<M: MappedMemory>(
    mem: &M,
    (block, place): (&Block, &Place),
    reader: Reader,
    join: JoinAt,
) -> Result<RingReader, AttachError> {
    // Twice at most: a dead occupant is cleared in between.
    for last in [false, true] {
        let ring = block.ring();
        match RingReader::join(mem, &ring, block.rules(), reader, join) {
            Ok(ring_reader) => return Ok(ring_reader),
            Err(NotJoined::Contended) => break,
            Err(NotJoined::Moving) => {
                liveness::clear(mem, block, reader);
                return Err(AttachError::Moving { place: show(place) });
            }
            Err(NotJoined::Occupied(others)) => {
                let occupant = Reader::new(others.trailing_zeros());
                let dead = match liveness::reap_if_dead(mem, block, occupant) {
                    Ok(dead) => dead,
                    Err(source) => {
                        liveness::clear(mem, block, reader);
                        return Err(AttachError::System { place: show(place), source });
                    }
                };
                if !dead || last {
                    let owner = heartbeat::owner(mem, block.heartbeat(occupant));
                    liveness::clear(mem, block, reader);
                    let (seat, process) = (occupant.number(), owner.map(|owner| owner.process));
                    return Err(AttachError::Occupied { seat, process });
                }
            }
        }
    }
    liveness::clear(mem, block, reader);
    Err(AttachError::Contended)
}

pub(super) fn show(place: &Place) -> String {
    match place {
        Place::Named { name, .. } => format!("'{name}'"),
        Place::File(path) => path.display().to_string(),
    }
}

fn refused(place: &Place, error: OpenError) -> AttachError {
    let place = show(place);
    match error {
        OpenError::Header(reason) => AttachError::Unusable { place, reason },
        OpenError::Stranger { .. } => AttachError::NotPermitted { place, reason: error },
        OpenError::System(source) => match source.kind() {
            io::ErrorKind::NotFound => AttachError::NotFound { place },
            io::ErrorKind::PermissionDenied => {
                AttachError::NotPermitted { place, reason: OpenError::System(source) }
            }
            _ => AttachError::System { place, source },
        },
    }
}
