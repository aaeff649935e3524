//! Coming from a predecessor: a reader takes the seat that the producer has kept for it.
//!
//! It needs no registration and no pins, because the producer has honoured its cursor since before
//! the successor's first commit.
//! Knows nothing of: mappings, tokens, where the successor is found.

use super::{Mode, RingReader};
use crate::config::ConsumerSync;
use crate::cursor;
use crate::memory::Memory;
use crate::ring::{Ring, Rules};
use crate::sequence::Sequence;
use crate::slot::Reader;

impl RingReader {
    /// Whether everything was read that this ring will ever hold; asked when it is at its end.
    /// Latest-only readers owe nothing.
    pub fn is_through<M: Memory>(&self, mem: &M, ring: &Ring<'_, M::Word>) -> bool {
        self.mode == Mode::Latest || self.cursor >= self.commit_index(mem, ring)
    }

    /// The reader of a kept seat, which goes on at `cursor`.
    pub fn arrive<M: Memory>(
        mem: &M,
        ring: &Ring<'_, M::Word>,
        rules: Rules,
        (reader, cursor): (Reader, Sequence),
    ) -> Self {
        let mode = match rules.sync {
            ConsumerSync::LatestOnly => Mode::Latest,
            _ if rules.overwrites => Mode::Overwritten,
            _ => Mode::Gated,
        };
        if mode != Mode::Gated {
            cursor::publish(mem, &ring.cursors[reader.number() as usize], cursor);
        }
        let (at, anchor, inside) = (rules.index(cursor), None, None);
        Self { rules, reader, mode, cursor, at, fresh: false, anchor, inside, races: 0 }
    }
}
