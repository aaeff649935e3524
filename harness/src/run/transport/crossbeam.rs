//! A bounded channel between two threads: each payload is a box of its own, which moves.
//!
//! One allocation a message at one end and one release at the other are part of what it costs.

use std::io;
use std::time::Duration;

use crossbeam_channel::{
    Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError, bounded,
};

use super::threads::{Entry, Exit, Next, Put, Queue};

/// The channel.
#[derive(Debug)]
pub(in crate::run) struct Crossbeam;

/// Where boxes go in.
#[derive(Debug)]
pub(in crate::run) struct BoxEntry {
    channel: Sender<Box<[u8]>>,
    bytes: usize,
    /// Filled, and not yet passed on.
    filled: Option<Box<[u8]>>,
}

/// Where boxes come out.
#[derive(Debug)]
pub(in crate::run) struct BoxExit {
    channel: Receiver<Box<[u8]>>,
    taken: Option<Box<[u8]>>,
}

impl Queue for Crossbeam {
    type Entry = BoxEntry;
    type Exit = BoxExit;
    const PARKS: bool = true;

    fn make(slots: usize, bytes: usize) -> io::Result<(BoxEntry, BoxExit)> {
        let (entry, exit) = bounded(slots);
        let entry = BoxEntry { channel: entry, bytes, filled: None };
        Ok((entry, BoxExit { channel: exit, taken: None }))
    }
}

impl Entry for BoxEntry {
    #[inline]
    fn put(&mut self, park: Option<Duration>, fill: &mut impl FnMut(&mut [u8])) -> Put {
        let payload = self.filled.take().unwrap_or_else(|| {
            let mut payload = vec![0; self.bytes].into_boxed_slice();
            fill(&mut payload);
            payload
        });
        let refused = match park {
            None => match self.channel.try_send(payload) {
                Ok(()) => return Put::Passed,
                Err(TrySendError::Disconnected(_)) => return Put::Gone,
                Err(TrySendError::Full(payload)) => payload,
            },
            Some(time) => match self.channel.send_timeout(payload, time) {
                Ok(()) => return Put::Passed,
                Err(SendTimeoutError::Disconnected(_)) => return Put::Gone,
                Err(SendTimeoutError::Timeout(payload)) => payload,
            },
        };
        self.filled = Some(refused);
        Put::Full
    }
}

impl Exit for BoxExit {
    #[inline]
    fn next(&mut self, park: Option<Duration>) -> Next {
        let taken = match park {
            None => self.channel.try_recv().map_err(|error| error == TryRecvError::Disconnected),
            Some(time) => {
                let taken = self.channel.recv_timeout(time);
                taken.map_err(|error| error == RecvTimeoutError::Disconnected)
            }
        };
        match taken {
            Ok(payload) => {
                self.taken = Some(payload);
                Next::Ready
            }
            Err(true) => Next::Ended,
            Err(false) => Next::Empty,
        }
    }

    #[inline]
    fn show<R>(&mut self, see: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.taken.take().map(|payload| see(&payload))
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::every_payload_comes_out_in_order_and_then_the_end;
    use super::*;

    #[test]
    fn a_channel_keeps_order_and_says_when_it_ends() {
        every_payload_comes_out_in_order_and_then_the_end::<Crossbeam>();
    }

    #[test]
    fn who_sleeps_at_either_end_wakes_when_time_is_up() {
        let (mut entry, mut exit) = Crossbeam::make(1, 8).unwrap();
        let moment = Some(Duration::from_millis(1));
        assert_eq!(exit.next(moment), Next::Empty);
        assert_eq!(entry.put(moment, &mut |_| {}), Put::Passed);
        assert_eq!(entry.put(moment, &mut |_| {}), Put::Full);
        assert_eq!(exit.next(moment), Next::Ready);
    }
}
