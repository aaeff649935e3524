//! A producer's patience with consumers that stand in its way (decision 30).
//!
//! The clock begins with the first look at which a consumer stands in the way of a sequence, and goes on
//! over several calls, so that a producer that only polls evicts as well. The words of the seats are
//! noted then: a consumer that takes the seat of one who left meanwhile has a patience of its own.

use core::time::Duration;

use crate::block::Block;
use crate::config::READERS_MAX;
use crate::memory::MappedMemory;
use crate::metrics::{self, Metric};
use crate::ring::writer::Blocked;
use crate::sequence::Sequence;
use crate::shm::token::{Seat, Token};
use crate::slot::Reader;
use crate::wait::monotonic_ns;
use crate::{eviction, handover, heartbeat, liveness};

/// Who has stood in the way, of what, since when.
#[derive(Debug)]
pub(super) struct Patience {
    after_ns: u64,
    /// The sequence that could not be written.
    next: Sequence,
    /// Who has been in its way all the time, one bit each.
    who: u32,
    since_ns: u64,
    now_ns: u64,
    /// The words of the seats when they were first in the way.
    words: [u64; READERS_MAX as usize],
}

impl Patience {
    pub(super) fn new(after: Duration) -> Self {
        let after_ns = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        let words = [0; READERS_MAX as usize];
        Self { after_ns, next: 0, who: 0, since_ns: 0, now_ns: 0, words }
    }

    /// Nanoseconds until those who are in the way now are evicted.
    pub(super) fn left_ns(&self) -> u64 {
        self.after_ns.saturating_sub(self.now_ns.saturating_sub(self.since_ns))
    }

    /// Notes who is in the way of `next`; evicts those who were for too long. Says whether anybody was
    /// taken out of the way, dead or alive.
    pub(super) fn ends<M: MappedMemory>(
        &mut self,
        (mem, block): (&M, &Block),
        next: Sequence,
        blocked: Blocked,
    ) -> bool {
        let (Blocked::Full(who) | Blocked::Readers(who)) = blocked;
        self.now_ns = monotonic_ns();
        let readers = (0..block.geometry().config.consumers_max()).map(Reader::new);
        let blocking = readers.filter(|reader| who & reader.mask() != 0);
        if next != self.next || self.who & who == 0 {
            (self.next, self.who, self.since_ns) = (next, who, self.now_ns);
            for reader in blocking.clone() {
                let word = eviction::word(mem, block.heartbeat(reader));
                self.words[reader.number() as usize] = word;
            }
        }
        self.who &= who;
        let over = self.left_ns() == 0;
        let mut any = false;
        for reader in blocking {
            let word = eviction::word(mem, block.heartbeat(reader));
            let long = over && self.who & reader.mask() != 0;
            // One that was evicted before, and has got in the way again, is not waited for.
            if long || heartbeat::is_evicted(word) {
                let noted = if long { self.words[reader.number() as usize] } else { word };
                any |= remove((mem, block), reader, noted);
                self.who &= !reader.mask();
            }
        }
        any
    }
}

/// Takes a consumer out of the way: by the rules for the dead if it is dead, by eviction otherwise.
fn remove<M: MappedMemory>((mem, block): (&M, &Block), reader: Reader, noted: u64) -> bool {
    // A token that cannot be examined is taken for a living owner's.
    if liveness::reap_if_dead(mem, block, reader).unwrap_or(false) {
        return true;
    }
    let evicted = if handover::is_kept(mem, block.arrivals(), reader) {
        give_seat_away((mem, block), reader)
    } else {
        eviction::evict(mem, &block.ring(), block.heartbeat(reader), (reader, noted))
    };
    if evicted && !heartbeat::is_evicted(noted) {
        metrics::add(mem, &block.metrics().words[Metric::Evictions as usize], 1);
    }
    evicted
}

/// Keeps no seat any longer for a consumer that has not come; not while it is coming.
fn give_seat_away<M: MappedMemory>((mem, block): (&M, &Block), reader: Reader) -> bool {
    let token = Token::take(block.file(), Seat::Consumer(reader.number()));
    let Ok(Some(_token)) = token else { return false };
    handover::is_kept(mem, block.arrivals(), reader) && liveness::clear(mem, block, reader)
}
