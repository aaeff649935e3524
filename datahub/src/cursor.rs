//! Cursors and the gate: how sequential consumers keep the producer from passing them.
//!
//! Each consumer owns one cursor, the next sequence it will read, on a line of its own. Only the
//! producer computes the minimum, and only when its last one has run out (F20, F21). A joiner
//! publishes its cursor, then registers, and pins what it reads until the producer says in `ack`
//! that it honours the registration (F22).
//! Knows nothing of: slots, payloads, clocks.
//! Edges: `C_CURSOR → G_CURSOR`, `C_JOIN`, `C_LEAVE` → `G_REGISTRY`, `G_ACK → C_ACK`.

use crate::layout;
use crate::memory::{Memory, SharedWord};
use crate::sequence::Sequence;
use crate::sites::{
    C_ACK, C_CURSOR, C_JOIN, C_LEAVE, C_REGISTRY, G_ACK, G_CURSOR, G_FREEZE, G_READ_INDEX,
    G_REGISTRY, G_THAW,
};
use crate::slot::Reader;

/// One consumer's cursor. Two lines, because processors fetch lines in pairs, and the neighbour's
/// cursor would come along.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct CursorLine<W> {
    /// The next sequence that this consumer will read.
    pub cursor: W,
}

/// Who is registered: written by consumers when they come and go.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct RegistryLine<W> {
    /// One bit a registered consumer in the low half, the number of joins so far above it, and in the
    /// highest bit whether joining is over because a successor takes the place of this block.
    pub registry: W,
}

/// What the producer says now and then: about the gate once a lap, and at the end.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct AckLine<W> {
    /// The value of the registry that the producer honours.
    pub ack: W,
    /// The lowest cursor the producer has seen, for observers.
    pub read_index: W,
    /// How the stream ends here: see [`Fate`](crate::ring::Fate).
    pub closed: W,
}

const _: () = assert!(size_of::<CursorLine<SharedWord>>() == layout::CURSOR);
const _: () = assert!(size_of::<RegistryLine<SharedWord>>() == layout::LINE);
const _: () = assert!(size_of::<AckLine<SharedWord>>() == layout::LINE);

const JOIN: u64 = 1 << 32;
const FROZEN: u64 = 1 << 63;

const fn joins(registry: u64) -> u32 {
    (registry >> 32) as u32 & (u32::MAX >> 1)
}

const fn registered(registry: u64) -> u32 {
    (registry & 0xffff_ffff) as u32
}

/// The proof of a registration: which join it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined(u32);

/// Why a consumer could not register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotJoined {
    /// The policy admits one consumer, and these are registered (one bit each): F23.
    Occupied(u32),
    /// The producer hands over to another block: join that one.
    Moving,
    /// Others joined and left all the time.
    Contended,
}

/// Registers `reader`, which will read `cursor` next; `alone`: only if none of these readers is
/// registered (one bit each).
///
/// # Errors
///
/// [`NotJoined`]; the reader is not registered.
pub fn join<M: Memory>(
    mem: &M,
    line: &RegistryLine<M::Word>,
    own: &CursorLine<M::Word>,
    (reader, cursor): (Reader, Sequence),
    alone: Option<u32>,
) -> Result<Joined, NotJoined> {
    publish(mem, own, cursor);
    let mut seen = mem.load::<C_REGISTRY>(&line.registry);
    for _ in 0..1024 {
        if seen & FROZEN != 0 {
            return Err(NotJoined::Moving);
        }
        let others = registered(seen) & alone.unwrap_or(0) & !reader.mask();
        if others != 0 {
            return Err(NotJoined::Occupied(others));
        }
        let joined = (seen | u64::from(reader.mask())).wrapping_add(JOIN) & !FROZEN;
        // [join] The cursor stored above. Partner: `G_REGISTRY`.
        match mem.compare_exchange::<C_JOIN>(&line.registry, seen, joined) {
            Ok(_) => return Ok(Joined(joins(joined))),
            Err(found) => seen = found,
        }
    }
    Err(NotJoined::Contended)
}

/// Leaves: from now on the producer does not wait for this reader.
pub fn leave<M: Memory>(mem: &M, line: &RegistryLine<M::Word>, reader: Reader) {
    // [leave] The leaver's last access to any payload. Partner: `G_REGISTRY`.
    mem.fetch_and::<C_LEAVE>(&line.registry, !u64::from(reader.mask()));
}

/// Lets nobody join any more; returns who is registered (one bit each). They can only become fewer.
pub fn freeze<M: Memory>(mem: &M, line: &RegistryLine<M::Word>) -> u32 {
    registered(mem.fetch_or::<G_FREEZE>(&line.registry, FROZEN))
}

/// Lets consumers join again.
pub fn thaw<M: Memory>(mem: &M, line: &RegistryLine<M::Word>) {
    mem.fetch_and::<G_THAW>(&line.registry, !FROZEN);
}

/// Publishes that everything below `cursor` has been read.
#[inline]
pub fn publish<M: Memory>(mem: &M, own: &CursorLine<M::Word>, cursor: Sequence) {
    // [cursor] The consumer's last access to what lies below. Partner: `G_CURSOR`.
    mem.store::<C_CURSOR>(&own.cursor, cursor);
}

/// Whether the producer honours the registration.
pub fn acknowledged<M: Memory>(mem: &M, line: &AckLine<M::Word>, joined: Joined) -> bool {
    let honoured = joins(mem.load::<C_ACK>(&line.ack));
    // Joins are counted modulo 2³¹; the acknowledged one is never ahead by half of that.
    (honoured.wrapping_sub(joined.0) << 1).cast_signed() >= 0
}

/// The producer's side of the gate.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    /// The first sequence that may not be written yet.
    limit: Sequence,
    /// The registry value last acknowledged.
    acked: u64,
}

impl Gate {
    /// A gate that looks at the cursors before the first write.
    #[must_use]
    pub const fn closed() -> Self {
        Self { limit: 0, acked: 0 }
    }

    /// Whether `next` may be written as far as the last look tells.
    #[inline]
    #[must_use]
    pub const fn admits(&self, next: Sequence) -> bool {
        next < self.limit
    }

    /// Looks at the registry and at every registered cursor. Returns who is slowest (one bit each),
    /// none when nobody is registered.
    pub fn refresh<M: Memory>(
        &mut self,
        mem: &M,
        (line, ack): (&RegistryLine<M::Word>, &AckLine<M::Word>),
        cursors: &[CursorLine<M::Word>],
        (next, capacity): (Sequence, u64),
    ) -> u32 {
        // [registry] Cursors of those who joined, last accesses of those who left.
        let registry = mem.load::<G_REGISTRY>(&line.registry);
        let (mut lowest, mut slowest) = (next, 0);
        for (number, line) in (0..).zip(cursors) {
            let mask = 1_u32 << number;
            if registered(registry) & mask == 0 {
                continue;
            }
            // A cursor beyond `next` cannot be: another process wrote nonsense, which must not
            // open the gate.
            let cursor = mem.load::<G_CURSOR>(&line.cursor).min(next);
            if cursor < lowest || slowest == 0 {
                (lowest, slowest) = (cursor, mask);
            } else if cursor == lowest {
                slowest |= mask;
            }
        }
        self.limit = lowest.saturating_add(capacity);
        mem.store::<G_READ_INDEX>(&ack.read_index, lowest);
        if registry != self.acked {
            self.acked = registry;
            // [ack] Every slot word changed before this registration counted. Partner: `C_ACK`.
            mem.store::<G_ACK>(&ack.ack, registry);
        }
        slowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Shared;

    #[test]
    fn who_joins_is_registered_until_it_leaves_and_nobody_joins_what_is_frozen() {
        let (line, own) = (RegistryLine::default(), CursorLine::default());
        let (first, second) = (Reader::new(0), Reader::new(5));
        join(&Shared, &line, &own, (first, 3), None).unwrap();
        let occupied = join(&Shared, &line, &own, (second, 3), Some(u32::MAX));
        assert_eq!(occupied, Err(NotJoined::Occupied(first.mask())));
        join(&Shared, &line, &own, (second, 3), None).unwrap();
        assert_eq!(freeze(&Shared, &line), first.mask() | second.mask());
        leave(&Shared, &line, first);
        assert_eq!(join(&Shared, &line, &own, (first, 4), None), Err(NotJoined::Moving));
        assert_eq!(freeze(&Shared, &line), second.mask());
        thaw(&Shared, &line);
        assert!(join(&Shared, &line, &own, (first, 4), None).is_ok());
    }
}
