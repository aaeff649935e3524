//! Which block a stream goes on in.
//!
//! A block says where its successor is, and the successor says in its header whose stream it goes on
//! with; both must agree. While a hand-over is under way the name of the block decides: if the producer dies
//! then, the stream has moved if the name leads to the successor, and has not if it does not.

use std::ffi::OsString;
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::block::{Block, OpenError};
use crate::memory::MappedMemory;
use crate::metrics;
use crate::ring::{Fate, writer};
use crate::slot::Reader;
use crate::{cursor, eviction, handover, liveness};

/// A block that goes on with the stream of another, and where it was found.
#[derive(Debug)]
pub(crate) struct Successor {
    pub(crate) block: Block,
    pub(crate) path: PathBuf,
}

/// Where the block says that its successor is.
pub(crate) fn path<M: MappedMemory>(mem: &M, block: &Block) -> PathBuf {
    OsString::from_vec(handover::read_place(mem, block.successor())).into()
}

/// Opens the block that goes on with the stream of `block`.
///
/// # Errors
///
/// [`OpenError`]: it is not there, or something else is.
pub(crate) fn open<M: MappedMemory>(mem: &M, block: &Block) -> Result<Successor, OpenError> {
    let path = path(mem, block);
    if path.as_os_str().is_empty() {
        return Err(Error::from(ErrorKind::NotFound).into());
    }
    let next = Block::open(&path)?;
    let (old, new) = (block.geometry(), next.geometry());
    let commits = metrics::read(mem, &block.ring().producer.commit_index);
    let follows = new.origin.stream == old.origin.stream && new.first >= commits.max(old.first);
    if !follows || new.nonce == old.nonce {
        return Err(Error::new(ErrorKind::NotFound, "another block has its name").into());
    }
    Ok(Successor { block: next, path })
}

/// Whether `next` was made by the hand-over of `block` itself, so that it may keep seats for it.
pub(crate) fn is_direct(block: &Block, next: &Block) -> bool {
    let predecessor = next.geometry().origin.predecessor;
    predecessor.is_some_and(|predecessor| predecessor.nonce == block.geometry().nonce)
}

/// What `fate` comes to, if the producer is dead.
pub(crate) fn settled<M: MappedMemory>(mem: &M, block: &Block, fate: Fate) -> Fate {
    match fate {
        Fate::Moving if open(mem, block).is_ok() => Fate::Moved,
        Fate::Moving => Fate::Open,
        fate => fate,
    }
}

/// The fate of the block's stream now.
pub(crate) fn fate<M: MappedMemory>(mem: &M, block: &Block) -> Fate {
    let fate = Fate::of(mem, &block.ring());
    // A token that cannot be examined is taken for a living producer's.
    let dead = fate == Fate::Moving && !liveness::producer_lives(block).unwrap_or(true);
    if dead { settled(mem, block, fate) } else { fate }
}

/// Settles what a dead producer was doing to others: a hand-over, an eviction. The caller holds its
/// token. Afterwards the stream has moved, or consumers may join again.
pub(crate) fn settle<M: MappedMemory>(mem: &M, block: &Block) {
    let ring = block.ring();
    for number in 0..block.geometry().config.consumers_max() {
        eviction::finish(mem, block.heartbeat(Reader::new(number)));
    }
    let fate = Fate::of(mem, &block.ring());
    match settled(mem, block, fate) {
        Fate::Moved => handover::finish_move(mem, &ring),
        settled => {
            if fate == Fate::Moving && settled == Fate::Open {
                writer::begin(mem, &ring);
            }
            cursor::thaw(mem, ring.registry);
        }
    }
}
