//! The floor: one word on a cache line of its own, and another one that says it was taken.
//!
//! In a closed loop the answer says that already, so nothing else is waited for.
//! The producer writes `DATA` and `END`, the consumer `TAKEN`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use datahub::shm::Folder;
use datahub::shm::words::WordMap;

use super::patience::Patience;
use super::{Inlet, Labels, Nothing, Outlet, Refusal, Transport, TransportError, room_timeout};
use crate::run::payload::{Keyed, Stamp};
use crate::run::wire::{Pace, Task, Waiting};
use crate::run::zone::Zoned;

/// The message itself: no two in a row are equal.
const DATA: usize = 0;
/// How many the consumer has taken.
const TAKEN: usize = 1;
/// Not 0: no more will come.
const END: usize = 2;
const WORDS: usize = 3;

/// The bare line.
#[derive(Debug)]
pub(in crate::run) struct BareLine;

/// Its producing end.
#[derive(Debug)]
pub(in crate::run) struct BareOutlet {
    line: WordMap,
    sequence: u64,
    /// Whether the consumer must have taken a message before the next one.
    acknowledged: bool,
    waiting: Waiting,
    timeout: Duration,
}

/// Its consuming end.
#[derive(Debug)]
pub(in crate::run) struct BareInlet {
    line: WordMap,
    last: u64,
    taken: u64,
    labels: Labels,
    acknowledges: bool,
    waiting: Waiting,
}

impl Transport for BareLine {
    type Outlet = BareOutlet;
    type Inlet = BareInlet;

    fn make(&self, task: &Task) -> Result<BareOutlet, TransportError> {
        let line = WordMap::create(&Folder::default(), WORDS)?;
        let acknowledged = task.pace != Pace::PingPong;
        let timeout = room_timeout(task);
        Ok(BareOutlet { line, sequence: 0, acknowledged, waiting: task.wait, timeout })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<BareInlet, TransportError> {
        let line = WordMap::open(place)?;
        let acknowledges = task.pace != Pace::PingPong;
        let labels = Labels::of(task);
        Ok(BareInlet { line, last: 0, taken: 0, labels, acknowledges, waiting: task.wait })
    }
}

impl Zoned for BareOutlet {}

impl Zoned for BareInlet {}

impl Outlet for BareOutlet {
    fn place(&self) -> PathBuf {
        self.line.path()
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
        if self.acknowledged {
            let mut patience = Patience::new(self.waiting, self.timeout);
            while self.line.read(TAKEN) != self.sequence {
                if !patience.again(None) {
                    return Err(Refusal::NoRoom);
                }
            }
        }
        let mut word = [0; 8];
        let stamp = Stamp { sequence: self.sequence, intended_ns, actual_ns };
        offered(&stamp);
        keyed.fill(&mut word, &stamp);
        self.line.publish(DATA, u64::from_le_bytes(word));
        self.sequence += 1;
        Ok(())
    }
}

impl Drop for BareOutlet {
    fn drop(&mut self) {
        self.line.publish(END, 1);
    }
}

impl Inlet for BareInlet {
    #[inline]
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        let mut patience = Patience::new(self.waiting, timeout);
        loop {
            let word = self.line.read(DATA);
            if word != self.last {
                self.last = word;
                self.taken += 1;
                let bytes = word.to_le_bytes();
                let seen = see(self.labels.next(&bytes), &bytes);
                if self.acknowledges {
                    self.line.publish(TAKEN, self.taken);
                }
                return Ok(seen);
            }
            // The last message stands before the end.
            if self.line.read(END) != 0 && self.line.read(DATA) == self.last {
                return Err(Nothing::Ended);
            }
            if !patience.again(None) {
                return Err(Nothing::NotYet);
            }
        }
    }
    fn commits(&self) -> u64 {
        self.labels.expected
    }

    fn next_sequence(&self) -> u64 {
        self.labels.expected
    }
}
