//! What one producer, or several in a row, wrote.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Findings, Guarantee};
use crate::history::{History, Kind, Record, RoleLog};

/// One payload as it was to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) digest: u64,
    /// Of a producer that died over it; its successor wrote it again.
    pub(super) former: Option<u64>,
    pub(super) at_ns: u64,
}

/// Everything that was written to one block.
#[derive(Debug, Default)]
pub(super) struct Stream {
    offers: HashMap<u64, Offer>,
    /// The oldest sequence whose record is left.
    pub(super) oldest: u64,
    /// One more than the last sequence that was offered.
    pub(super) next: u64,
    /// Whether the last one may never have been committed: its producer was killed over it.
    pub(super) uncertain: bool,
    /// When the first payload was offered.
    pub(super) first_ns: Option<u64>,
    by_digest: OnceCell<HashMap<u64, u64>>,
}

impl Stream {
    pub(super) fn offer(&self, sequence: u64) -> Option<&Offer> {
        self.offers.get(&sequence)
    }

    /// So many payloads were certainly committed.
    pub(super) fn certain(&self) -> u64 {
        self.next - u64::from(self.uncertain && self.next > 0)
    }

    /// Which sequence bytes with this digest belong to.
    pub(super) fn owner(&self, digest: u64) -> Option<u64> {
        let index = self.by_digest.get_or_init(|| {
            self.offers.iter().map(|(sequence, offer)| (offer.digest, *sequence)).collect()
        });
        index.get(&digest).copied()
    }

    fn add(&mut self, sequence: u64, offer: Offer) {
        self.first_ns.get_or_insert(offer.at_ns);
        let former = self.offers.get(&sequence).map(|former| former.digest);
        self.offers.insert(sequence, Offer { former, ..offer });
    }
}

/// Reads the records of one role as a producer.
pub(super) fn follow(
    history: &History,
    (number, role): (usize, &RoleLog),
    findings: &mut Findings,
) -> Stream {
    let stuck_ns = history.facts.stuck_ns;
    let stream = Stream::default();
    let mut author = Author { number, stuck_ns, stream, due: None, blocked_since: None };
    for record in &role.records {
        author.did(record, findings);
    }
    let Author { mut stream, due, .. } = author;
    stream.next = due.unwrap_or(0);
    stream.oldest = match role.overwritten() {
        0 => 0,
        _ => stream.offers.keys().copied().min().unwrap_or(u64::MAX),
    };
    findings.counts.committed += stream.next;
    stream
}

/// Follows one producer, and those who took its place, through their records.
struct Author {
    number: usize,
    stuck_ns: u64,
    stream: Stream,
    /// What comes next, once that is known.
    due: Option<u64>,
    /// Since when it has been waiting for a slot.
    blocked_since: Option<u64>,
}

impl Author {
    fn did(&mut self, record: &Record, findings: &mut Findings) {
        match record.kind {
            Kind::Began => self.begins(record, findings),
            Kind::Offered => {
                self.goes_on(record, findings);
                let offer = Offer { digest: record.detail, former: None, at_ns: record.at_ns };
                self.stream.add(record.sequence, offer);
                self.stream.uncertain = true;
                self.due = record.sequence.checked_add(1);
            }
            Kind::Aborted => {
                self.goes_on(record, findings);
                self.due = Some(record.sequence);
            }
            Kind::Blocked => {
                self.blocked_since.get_or_insert(record.at_ns);
            }
            Kind::Ended => {
                self.stream.uncertain = false;
                self.waited(record, findings);
            }
            _ => {}
        }
    }

    /// Whoever died over a write may have committed it or not.
    fn begins(&mut self, record: &Record, findings: &mut Findings) {
        let (number, next) = (self.number, record.sequence);
        if let Some(due) = self.due
            && next != due
            && !(self.stream.uncertain && next.checked_add(1) == Some(due))
        {
            findings.violated(Guarantee::G7, 1, (number, record), || {
                format!("role {number} went on at {next} where {due} was due")
            });
        }
        self.due = Some(next);
        self.stream.uncertain = false;
        self.blocked_since = None;
    }

    /// It got a slot, for what should be the next sequence.
    fn goes_on(&mut self, record: &Record, findings: &mut Findings) {
        let (number, sequence) = (self.number, record.sequence);
        if let Some(due) = self.due.filter(|due| *due != sequence) {
            findings.violated(Guarantee::G6, sequence.abs_diff(due), (number, record), || {
                format!("role {number} wrote {sequence} where {due} was due")
            });
        }
        self.waited(record, findings);
    }

    /// A producer that goes on after waiting in vain for too long was stuck.
    fn waited(&mut self, record: &Record, findings: &mut Findings) {
        let (number, now_ns) = (self.number, record.at_ns);
        let waited_ns = self.blocked_since.take().map_or(0, |since| now_ns.saturating_sub(since));
        if waited_ns > self.stuck_ns {
            findings.violated(Guarantee::G5, 1, (number, record), || {
                format!("role {number} waited {} ms for a slot", waited_ns / 1_000_000)
            });
        }
    }
}
