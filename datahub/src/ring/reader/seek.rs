//! Moving a consumer to another place in the stream.
//!
//! A cursor that holds the producer back only moves forward: what lies below it may be gone at any
//! moment. Reads of earlier sequences go through `acquire_sequence`, which pins.
//! Knows nothing of: mappings, clocks, payload bytes.

use super::{Mode, RingReader};
use crate::memory::Memory;
use crate::ring::Ring;
use crate::sequence::Sequence;
use crate::sites::R_COMMIT_INDEX;

/// Why a consumer stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSought {
    /// That sequence is not next for a while; `next` is the first one to come.
    Ahead {
        /// The sequence of the next commit.
        next: Sequence,
    },
    /// This consumer can no longer go back to it; `oldest` is the first one it can go to.
    Behind {
        /// The earliest place.
        oldest: Sequence,
    },
}

impl RingReader {
    /// How many commits this reader can see.
    pub fn commit_index<M: Memory>(&self, mem: &M, ring: &Ring<'_, M::Word>) -> u64 {
        // [commit index] Every slot word up to there. Partner: `W_COMMIT_INDEX`.
        let commits = mem.load::<R_COMMIT_INDEX>(&ring.producer.commit_index);
        // A slot's word may be seen before the index that counts it.
        commits.max(self.cursor)
    }

    /// Makes `wanted` the next sequence; under latest-only, the lowest that will be shown.
    ///
    /// # Errors
    ///
    /// [`NotSought`]; the reader stays where it is.
    pub fn seek_to<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        wanted: Sequence,
    ) -> Result<(), NotSought> {
        let next = self.commit_index(mem, ring);
        let oldest = match self.mode {
            Mode::Latest => 0,
            Mode::Overwritten => self.rules.oldest(next),
            Mode::Joining(_) | Mode::Gated => self.cursor,
        };
        if wanted > next {
            return Err(NotSought::Ahead { next });
        }
        if wanted < oldest {
            return Err(NotSought::Behind { oldest });
        }
        self.seek(mem, ring, wanted);
        Ok(())
    }

    /// Makes the newest payload the next one, or the first to come when the newest was read.
    /// Returns the sequence that comes next.
    pub fn seek_latest<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>) -> Sequence {
        let newest = self.commit_index(mem, ring).saturating_sub(1).max(self.rules.first);
        self.seek(mem, ring, newest.max(self.cursor));
        self.cursor
    }
}
