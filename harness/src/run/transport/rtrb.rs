//! A ring of bytes between two threads: payloads are filled and read in place.
//!
//! The ring is as long as all its payloads, so that none lies across its end. What is lent for
//! writing was zeroed before: that is what the ring's safe interface does.

use std::io;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::threads::{Entry, Exit, Next, Put, Queue};

/// The ring.
#[derive(Debug)]
pub(in crate::run) struct Rtrb;

/// One end of the ring and how long a payload is.
#[derive(Debug)]
pub(in crate::run) struct Side<S> {
    side: S,
    bytes: usize,
}

impl Queue for Rtrb {
    type Entry = Side<Producer<u8>>;
    type Exit = Side<Consumer<u8>>;
    const PARKS: bool = false;

    fn make(slots: usize, bytes: usize) -> io::Result<(Self::Entry, Self::Exit)> {
        let capacity = slots.checked_mul(bytes).ok_or(io::ErrorKind::OutOfMemory)?;
        let (entry, exit) = RingBuffer::new(capacity);
        Ok((Side { side: entry, bytes }, Side { side: exit, bytes }))
    }
}

impl Entry for Side<Producer<u8>> {
    #[inline]
    fn put(&mut self, _park: Option<Duration>, fill: &mut impl FnMut(&mut [u8])) -> Put {
        if let Ok(mut chunk) = self.side.write_chunk(self.bytes) {
            fill(chunk.as_mut_slices().0);
            chunk.commit_all();
            return Put::Passed;
        }
        if self.side.is_abandoned() { Put::Gone } else { Put::Full }
    }
}

impl Exit for Side<Consumer<u8>> {
    #[inline]
    fn next(&mut self, _park: Option<Duration>) -> Next {
        if self.is_ready() {
            return Next::Ready;
        }
        if !self.side.is_abandoned() {
            return Next::Empty;
        }
        // The last payload stands before the end.
        if self.is_ready() { Next::Ready } else { Next::Ended }
    }

    #[inline]
    fn show<R>(&mut self, see: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let chunk = self.side.read_chunk(self.bytes).ok()?;
        let seen = see(chunk.as_slices().0);
        chunk.commit_all();
        Some(seen)
    }
}

impl Side<Consumer<u8>> {
    /// Whether a payload is there, asked without touching the producer's line where that will do.
    #[inline]
    fn is_ready(&self) -> bool {
        self.side.cached_slots() >= self.bytes || self.side.slots() >= self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::every_payload_comes_out_in_order_and_then_the_end;
    use super::*;

    #[test]
    fn a_ring_keeps_order_and_says_when_it_ends() {
        // The ring sees that its reader has gone only when it is full.
        every_payload_comes_out_in_order_and_then_the_end::<Rtrb>();
    }

    #[test]
    fn no_payload_lies_across_the_end_of_the_ring() {
        let (mut entry, mut exit) = Rtrb::make(3, 13).unwrap();
        for round in 0..50_u8 {
            let mut fill = |payload: &mut [u8]| payload.fill(round);
            assert_eq!(entry.put(None, &mut fill), Put::Passed);
            assert_eq!(exit.next(None), Next::Ready);
            assert_eq!(exit.show(|payload| payload == [round; 13]), Some(true));
        }
    }
}
