//! A role's log: what it did, in words that outlive it.
//!
//! The harness makes the log and holds it open; who writes it may be killed at any moment. A record
//! counts when its number has been published, so half a record is none. Where the log is full, the
//! oldest record makes room.
//! Costs, where it is asked for: a digest, a reading of the clock and five stores a message.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use datahub::shm::Folder;
use datahub::shm::words::DenseWords;
use datahub::wait::monotonic_ns;
use xxhash_rust::xxh3::xxh3_64;

use super::payload::{Keyed, Stamp};
use crate::history::{Kind, RECORD_WORDS, Record, RoleLog};

/// Records written so far.
const COUNT: usize = 0;
/// Where records begin: on a line of their own.
const RECORDS: usize = 8;

/// A log for both ends of one process.
pub(super) type SharedLog = Rc<RefCell<Log>>;

/// A log, as its writer and its reader see it.
#[derive(Debug)]
pub(super) struct Log {
    words: DenseWords,
    count: u64,
    capacity: u64,
    /// A payload as it is to be.
    scratch: Vec<u8>,
}

impl Log {
    /// A new log for so many records.
    ///
    /// # Errors
    ///
    /// When the memory cannot be had.
    pub(super) fn create(capacity: u64) -> io::Result<Self> {
        let records = usize::try_from(capacity).ok().and_then(|n| n.checked_mul(RECORD_WORDS));
        let words =
            records.and_then(|n| n.checked_add(RECORDS)).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(Self::over(DenseWords::create(&Folder::default(), words)?))
    }

    /// The log that the harness made; goes on behind what stands in it.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let words = DenseWords::open(path)?;
        if words.len() < RECORDS + RECORD_WORDS {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too short for a log"));
        }
        Ok(Self::over(words))
    }

    fn over(words: DenseWords) -> Self {
        let capacity = (words.len().saturating_sub(RECORDS) / RECORD_WORDS) as u64;
        let count = words.read(COUNT);
        Self { words, count, capacity, scratch: vec![] }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.words.path()
    }

    fn place(&self, number: u64) -> usize {
        let slot = usize::try_from(number % self.capacity.max(1)).unwrap_or(0);
        RECORDS + slot * RECORD_WORDS
    }

    /// Something happened now.
    #[inline]
    pub(super) fn note(&mut self, kind: Kind, sequence: u64, detail: u64) {
        let record = Record { kind, sequence, detail, at_ns: monotonic_ns() };
        let place = self.place(self.count);
        for (offset, word) in record.words().into_iter().enumerate() {
            self.words.set(place + offset, word);
        }
        self.count += 1;
        self.words.publish(COUNT, self.count);
    }

    /// A payload with this stamp is about to be committed.
    pub(super) fn offered(&mut self, keyed: &Keyed, stamp: &Stamp, bytes: usize) {
        self.scratch.resize(bytes, 0);
        keyed.fill(&mut self.scratch, stamp);
        let digest = xxh3_64(keyed.reached(&self.scratch));
        self.note(Kind::Offered, stamp.sequence, digest);
    }

    /// A payload was given under this label.
    pub(super) fn delivered(&mut self, keyed: &Keyed, label: u64, payload: &[u8]) {
        self.note(Kind::Delivered, label, xxh3_64(keyed.reached(payload)));
    }

    /// Everything that is left in the log of a role, whoever wrote it and however that ended.
    pub(super) fn collect(&self, of: &RoleLog) -> RoleLog {
        let total = self.words.read(COUNT);
        // Whoever was killed may have begun to write over the oldest one.
        let kept = if total < self.capacity { total } else { self.capacity.saturating_sub(1) };
        let record = |number: u64| {
            let place = self.place(number);
            Record::of(std::array::from_fn(|offset| self.words.read(place + offset)))
        };
        let records = (total - kept..total).filter_map(record).collect();
        RoleLog { total, records, ..of.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> RoleLog {
        let (reads, falls) = (Some(0), 1);
        RoleLog { reads, falls, resident: true, finished: true, total: 0, records: vec![] }
    }

    #[test]
    fn what_one_process_notes_another_collects() {
        let log = Log::create(8).unwrap();
        let mut writer = Log::open(&log.path()).unwrap();
        let keyed = Keyed::new(5, true);
        let stamp = Stamp { sequence: 3, intended_ns: 1, actual_ns: 2 };
        writer.offered(&keyed, &stamp, 64);
        let mut payload = vec![0; 64];
        keyed.fill(&mut payload, &stamp);
        writer.delivered(&keyed, 3, &payload);
        drop(writer);
        // The next life goes on behind the first one.
        Log::open(&log.path()).unwrap().note(Kind::Left, 4, 0);
        let found = log.collect(&role());
        let kinds: Vec<Kind> = found.records.iter().map(|record| record.kind).collect();
        assert_eq!(kinds, [Kind::Offered, Kind::Delivered, Kind::Left]);
        assert_eq!(found.records[0].detail, found.records[1].detail);
        assert_eq!((found.total, found.overwritten()), (3, 0));
    }

    #[test]
    fn a_full_log_keeps_the_newest_but_the_one_that_may_be_half_overwritten() {
        let log = Log::create(4).unwrap();
        let mut writer = Log::open(&log.path()).unwrap();
        for sequence in 0..10 {
            writer.note(Kind::Delivered, sequence, 0);
        }
        let found = log.collect(&role());
        let kept: Vec<u64> = found.records.iter().map(|record| record.sequence).collect();
        assert_eq!((kept, found.total, found.overwritten()), (vec![7, 8, 9], 10, 7));
    }
}
