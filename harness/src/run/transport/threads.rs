//! Queues between threads of one process, as transports.
//!
//! Who makes a queue leaves its exit where the thread that reads finds it. Knows nothing of: which
//! queue it is, how a role becomes a thread.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::patience::Patience;
use super::{Inlet, Labels, Nothing, Outlet, Refusal, Transport, TransportError, room_timeout};
use crate::run::payload::{Keyed, Stamp};
use crate::run::wire::{Task, Waiting};
use crate::run::zone::Zoned;

/// A queue of payloads of one length between two threads.
pub(in crate::run) trait Queue: 'static {
    /// Where payloads go in.
    type Entry: Entry;
    /// Where they come out.
    type Exit: Exit + Send;
    /// Whether who waits at an end can sleep there.
    const PARKS: bool;

    /// A queue with room for so many payloads of so many bytes.
    ///
    /// # Errors
    ///
    /// When there is no such memory.
    fn make(slots: usize, bytes: usize) -> io::Result<(Self::Entry, Self::Exit)>;
}

/// Where payloads go in. Dropped, it ends the stream.
pub(in crate::run) trait Entry: fmt::Debug {
    /// Has a payload filled and passes it on; sleeps for room so long, if at all. A payload that was
    /// filled is not filled again, however often it must be tried.
    fn put(&mut self, park: Option<Duration>, fill: &mut impl FnMut(&mut [u8])) -> Put;
}

/// Where payloads come out.
pub(in crate::run) trait Exit: fmt::Debug {
    /// Looks for the next payload; sleeps for it so long, if at all.
    fn next(&mut self, park: Option<Duration>) -> Next;

    /// Shows the payload that is ready, and gives it up.
    fn show<R>(&mut self, see: impl FnOnce(&[u8]) -> R) -> Option<R>;
}

/// What became of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Put {
    Passed,
    Full,
    /// Nobody takes payloads any more.
    Gone,
}

/// What is at the exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Next {
    Ready,
    Empty,
    /// Nothing will come any more.
    Ended,
}

/// Exits that wait for the thread that reads there.
#[derive(Debug)]
pub(in crate::run) struct Exits<Q: Queue>(Mutex<Vec<(PathBuf, Q::Exit)>>);

impl<Q: Queue> Default for Exits<Q> {
    fn default() -> Self {
        Self(Mutex::new(vec![]))
    }
}

impl<Q: Queue> Exits<Q> {
    fn leave(&self, place: PathBuf, exit: Q::Exit) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((place, exit));
    }

    fn take(&self, place: &Path) -> io::Result<Q::Exit> {
        let mut exits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = exits.iter().position(|(known, _)| known == place);
        found.map(|index| exits.swap_remove(index).1).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "no thread of this process has made it")
        })
    }
}

/// The queues of one process.
#[derive(Debug)]
pub(in crate::run) struct Threads<'a, Q: Queue>(pub(in crate::run) &'a Exits<Q>);

/// The producing end.
#[derive(Debug)]
pub(in crate::run) struct ThreadOutlet<Q: Queue> {
    entry: Q::Entry,
    place: PathBuf,
    sequence: u64,
    waiting: Waiting,
    timeout: Duration,
}

/// The consuming end.
#[derive(Debug)]
pub(in crate::run) struct ThreadInlet<Q: Queue> {
    exit: Q::Exit,
    labels: Labels,
    waiting: Waiting,
    queue: PhantomData<Q>,
}

impl<Q: Queue> Transport for Threads<'_, Q> {
    type Outlet = ThreadOutlet<Q>;
    type Inlet = ThreadInlet<Q>;

    fn make(&self, task: &Task) -> Result<Self::Outlet, TransportError> {
        let bytes = usize::try_from(task.block.payload_bytes).map_err(io::Error::other)?;
        let (entry, exit) = Q::make(task.block.slots as usize, bytes)?;
        let place = PathBuf::from(format!("thread-{}", task.role));
        self.0.leave(place.clone(), exit);
        let (waiting, timeout) = (task.wait, room_timeout(task));
        Ok(ThreadOutlet { entry, place, sequence: 0, waiting, timeout })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<Self::Inlet, TransportError> {
        let (exit, labels) = (self.0.take(place)?, Labels::of(task));
        Ok(ThreadInlet { exit, labels, waiting: task.wait, queue: PhantomData })
    }
}

/// How long an end may sleep in the queue itself.
fn park<Q: Queue>(waiting: Waiting, timeout: Duration) -> Option<Duration> {
    (Q::PARKS && waiting == Waiting::Park).then_some(timeout)
}

impl<Q: Queue> Zoned for ThreadOutlet<Q> {}

impl<Q: Queue> Zoned for ThreadInlet<Q> {}

impl<Q: Queue> Outlet for ThreadOutlet<Q> {
    fn place(&self) -> PathBuf {
        self.place.clone()
    }

    fn commits(&self) -> u64 {
        self.sequence
    }

    #[inline]
    fn put(
        &mut self,
        keyed: &Keyed,
        (intended_ns, actual_ns): (u64, u64),
        offered: impl FnOnce(&Stamp),
    ) -> Result<(), Refusal> {
        let stamp = Stamp { sequence: self.sequence, intended_ns, actual_ns };
        let mut offered = Some(offered);
        let mut fill = |payload: &mut [u8]| {
            if let Some(offered) = offered.take() {
                offered(&stamp);
            }
            keyed.fill(payload, &stamp);
        };
        let park = park::<Q>(self.waiting, self.timeout);
        let mut patience = Patience::new(self.waiting, self.timeout);
        loop {
            match self.entry.put(park, &mut fill) {
                Put::Passed => break,
                Put::Full if park.is_some() || !patience.again(None) => {
                    return Err(Refusal::NoRoom);
                }
                Put::Full => {}
                Put::Gone => return Err(Refusal::Trouble("the consumer has gone".to_owned())),
            }
        }
        self.sequence += 1;
        Ok(())
    }
}

impl<Q: Queue> Inlet for ThreadInlet<Q> {
    #[inline]
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        let park = park::<Q>(self.waiting, timeout);
        let mut patience = Patience::new(self.waiting, timeout);
        loop {
            match self.exit.next(park) {
                Next::Ready => break,
                Next::Empty if park.is_some() || !patience.again(None) => {
                    return Err(Nothing::NotYet);
                }
                Next::Empty => {}
                Next::Ended => return Err(Nothing::Ended),
            }
        }
        let labels = &mut self.labels;
        let seen = self.exit.show(|payload| see(labels.next(payload), payload));
        seen.ok_or_else(|| Nothing::Trouble("what was ready is not there".to_owned()))
    }

    fn commits(&self) -> u64 {
        self.labels.expected
    }

    fn next_sequence(&self) -> u64 {
        self.labels.expected
    }
}

/// What every queue must do, whatever it is.
#[cfg(test)]
pub(super) fn every_payload_comes_out_in_order_and_then_the_end<Q: Queue>() {
    let (mut entry, mut exit) = Q::make(3, 8).unwrap();
    let mut next = 0_u64;
    let mut put = |entry: &mut Q::Entry| {
        entry.put(None, &mut |payload| {
            payload.copy_from_slice(&next.to_le_bytes());
            next += 1;
        })
    };
    assert_eq!(exit.next(None), Next::Empty);
    let passed = (0..9).take_while(|_| put(&mut entry) == Put::Passed).count();
    assert_eq!(passed, 3, "room for so many payloads");
    for expected in 0..3_u64 {
        assert_eq!(exit.next(None), Next::Ready);
        assert_eq!(exit.show(<[u8]>::to_vec), Some(expected.to_le_bytes().to_vec()));
    }
    // A payload that was filled before it was refused is not filled again.
    assert_eq!(put(&mut entry), Put::Passed);
    drop(entry);
    assert_eq!(exit.next(None), Next::Ready);
    assert_eq!(exit.show(<[u8]>::to_vec), Some(3_u64.to_le_bytes().to_vec()));
    assert_eq!(exit.next(None), Next::Ended);
    let (mut entry, exit) = Q::make(1, 8).unwrap();
    drop(exit);
    let refused = (0..2).find(|_| entry.put(None, &mut |_| {}) == Put::Gone);
    assert!(refused.is_some(), "nobody takes payloads any more");
}
