//! The dead: found by their tokens, cleared by the rules.

mod waiting;

pub(crate) use waiting::is_awaited;

use std::io;

use crate::block::Block;
use crate::memory::MappedMemory;
use crate::metrics::{self, Metric};
use crate::shm::token::{Seat, Token, is_held};
use crate::slot::Reader;
use crate::{eviction, handover, heartbeat, rules};

/// Clears what consumer `reader` left, if it is dead. Says whether it was.
///
/// # Errors
///
/// When its token cannot be examined; nothing was touched.
pub(crate) fn reap_if_dead<M: MappedMemory>(
    mem: &M,
    block: &Block,
    reader: Reader,
) -> io::Result<bool> {
    let seat = Seat::Consumer(reader.number());
    if is_awaited(mem, block, reader)? {
        return Ok(false);
    }
    // Only looking first keeps the token free for somebody who attaches meanwhile.
    if is_held(block.file(), seat)? {
        return Ok(false);
    }
    let Some(_token) = Token::take(block.file(), seat)? else { return Ok(false) };
    // While we hold its token nobody else clears or claims the seat.
    let kept = handover::is_kept(mem, block.arrivals(), reader);
    let remains = kept || heartbeat::occupied(mem, block.heartbeat(reader));
    let cleared = clear(mem, block, reader);
    if remains && cleared {
        metrics::add(mem, &block.metrics().words[Metric::RecoveryActions as usize], 1);
    }
    Ok(cleared)
}

/// Takes those of `readers` (one bit each) out of the way who are dead, or whom somebody has marked as
/// evicted. Only the producer calls this. Says whether anybody was.
pub(crate) fn reap_dead<M: MappedMemory>(mem: &M, block: &Block, readers: u32) -> bool {
    let seats = (0..block.geometry().config.consumers_max()).map(Reader::new);
    let suspects = seats.filter(|reader| readers & reader.mask() != 0);
    suspects.fold(false, |any, reader| {
        // A token that cannot be examined is taken for a living owner's.
        let dead = reap_if_dead(mem, block, reader).unwrap_or(false);
        let marked = || eviction::evict_marked(mem, &block.ring(), block.heartbeat(reader), reader);
        any | (dead || marked())
    })
}

/// Empties a seat whose token the caller holds. Says whether it did: not while the producer evicts its
/// owner; who looks next finds a dead one there.
pub(crate) fn clear<M: MappedMemory>(mem: &M, block: &Block, reader: Reader) -> bool {
    metrics::fold(mem, block.metrics(), block.counters(reader));
    let own = (block.heartbeat(reader), block.data_park());
    let cleared = rules::reap(mem, &block.ring(), own, reader);
    if cleared && handover::is_kept(mem, block.arrivals(), reader) {
        handover::arrive(mem, block.arrivals(), reader);
    }
    cleared
}

/// Whether whoever had `seat` in the epoch that `was_his` knows has left it for ever.
///
/// # Errors
///
/// When its token cannot be examined.
pub(crate) fn has_left<M: MappedMemory>(
    mem: &M,
    block: &Block,
    seat: Seat,
    was_his: impl Fn(u64) -> bool,
) -> io::Result<bool> {
    let heartbeat = match seat {
        Seat::Producer => block.producer_heartbeat(),
        Seat::Consumer(number) if number < block.geometry().config.consumers_max() => {
            block.heartbeat(Reader::new(number))
        }
        // Nobody ever sat there.
        Seat::Consumer(_) => return Ok(true),
    };
    if !is_held(block.file(), seat)? {
        return Ok(true);
    }
    // Somebody sits there. While he claims the seat he is nobody yet: ask again later.
    Ok(heartbeat::owner(mem, heartbeat).is_some_and(|owner| !was_his(owner.epoch)))
}

/// Whether the block's producer lives.
///
/// # Errors
///
/// When its token cannot be examined.
pub(crate) fn producer_lives(block: &Block) -> io::Result<bool> {
    is_held(block.file(), Seat::Producer)
}
