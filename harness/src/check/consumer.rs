//! What one consumer was given, stay by stay.

use super::producer::Stream;
use super::{Findings, Guarantee};
use crate::history::{History, Kind, Promised, Record, RoleLog};

/// Follows one consumer through its records.
pub(super) struct Follower<'a> {
    history: &'a History,
    stream: &'a Stream,
    number: usize,
    role: &'a RoleLog,
    /// The sequence that comes next in this stay; `None`: its first is still to come.
    due: Option<u64>,
    /// It was there before the first payload, so its first one is number 0.
    early: bool,
    /// Where its cursor stood when it joined; `None`: that record was overwritten.
    joined: Option<u64>,
    /// How often it has joined.
    stays: u64,
    /// Missed, as the block said, since the last payload.
    announced: u64,
    /// When it was given something last; `None`: that record was overwritten.
    last_ns: Option<u64>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        history: &'a History,
        stream: &'a Stream,
        (number, role): (usize, &'a RoleLog),
    ) -> Self {
        Self {
            history,
            stream,
            number,
            role,
            due: None,
            early: false,
            joined: None,
            stays: 0,
            announced: 0,
            last_ns: None,
        }
    }

    pub(super) fn follow(mut self, findings: &mut Findings) {
        // Of one that had time for all of it and was never told the end, as where it counted itself.
        let mut open = None;
        for record in &self.role.records {
            let told = matches!(record.kind, Kind::Left | Kind::SawEnd);
            open = (!told && self.role.finished).then_some(record);
            match record.kind {
                Kind::Joined => self.joins(record),
                Kind::Delivered => self.delivered(record, findings),
                Kind::Spoiled => {
                    findings.counts.checksum_failures += 1;
                    self.order(record, findings);
                }
                Kind::Lapped => self.announced = self.announced.saturating_add(record.detail),
                Kind::Left => (self.due, self.early, self.joined) = (None, false, None),
                Kind::SawEnd => self.ends(record, findings),
                _ => {}
            }
        }
        if let Some(last) = open.filter(|_| self.role.resident) {
            self.ends(last, findings);
        }
    }

    fn joins(&mut self, record: &Record) {
        let before = self.stream.first_ns.is_none_or(|first_ns| record.at_ns < first_ns);
        self.stays += 1;
        // Whoever takes the place of a dead one comes when payloads flow.
        let resident = self.role.resident && self.role.overwritten() == 0 && self.stays == 1;
        self.early = resident || before && self.stream.oldest == 0;
        (self.due, self.joined) = (None, Some(record.sequence));
        (self.announced, self.last_ns) = (0, Some(record.at_ns));
    }

    fn delivered(&mut self, record: &Record, findings: &mut Findings) {
        findings.counts.delivered += 1;
        self.contents(record, findings);
        self.lateness(record, findings);
        self.order(record, findings);
    }

    /// The bytes against the record of who wrote them.
    fn contents(&self, record: &Record, findings: &mut Findings) {
        let (number, label, digest) = (self.number, record.sequence, record.detail);
        let Some(offer) = self.stream.offer(label) else {
            // Its record was overwritten, or it was never written.
            if label >= self.stream.oldest {
                findings.counts.mislabelled += 1;
                findings.violated(Guarantee::G2, 1, (number, record), || {
                    format!("role {number} was given {label}, which nobody wrote")
                });
            }
            return;
        };
        if offer.digest == digest || offer.former == Some(digest) {
            return;
        }
        if let Some(owner) = self.stream.owner(digest) {
            findings.counts.mislabelled += 1;
            findings.violated(Guarantee::G2, 1, (number, record), || {
                format!("role {number} was given the payload of {owner} as {label}")
            });
        } else {
            findings.counts.torn += 1;
            findings.violated(Guarantee::G1, 1, (number, record), || {
                format!("role {number} was given {label} with bytes that nobody wrote")
            });
        }
    }

    /// A payload that was there for too long while its consumer had nothing else to do.
    fn lateness(&mut self, record: &Record, findings: &mut Findings) {
        let there_ns = self.stream.offer(record.sequence).map_or(record.at_ns, |offer| offer.at_ns);
        let idle_ns = self.last_ns.replace(record.at_ns).unwrap_or(record.at_ns);
        let waited_ns = record.at_ns.saturating_sub(there_ns.max(idle_ns));
        if waited_ns > self.history.facts.stuck_ns {
            let (number, label, ms) = (self.number, record.sequence, waited_ns / 1_000_000);
            findings.violated(Guarantee::G5, 1, (number, record), || {
                format!("role {number} was given {label} {ms} ms after it was there")
            });
        }
    }

    fn order(&mut self, record: &Record, findings: &mut Findings) {
        let (number, label) = (self.number, record.sequence);
        let due = match self.due {
            Some(due) => due,
            None if self.early => 0,
            // Nobody is given what lies before its cursor; what lies behind may be gone before the
            // producer honours a joiner.
            None => label.max(self.joined.unwrap_or(0)),
        };
        if label < due {
            let twice = self.due.is_some() && label + 1 == due;
            let counter =
                if twice { &mut findings.counts.duplicated } else { &mut findings.counts.backward };
            *counter += 1;
            let how = if twice { "twice" } else { "after" };
            findings.violated(Guarantee::G3, 1, (number, record), || {
                match due.checked_sub(1).filter(|_| self.due.is_some()) {
                    Some(last) => format!("role {number} was given {label} {how} {last}"),
                    None => format!("role {number} was given {label}, and had joined at {due}"),
                }
            });
            return;
        }
        self.missed(due, record, findings);
        self.due = label.checked_add(1);
        self.announced = 0;
    }

    /// What lies between what was due and what came.
    fn missed(&self, due: u64, record: &Record, findings: &mut Findings) {
        let (number, label) = (self.number, record.sequence);
        let gap = label.saturating_sub(due);
        let lost = match self.history.facts.promised {
            Promised::Everything => gap,
            Promised::Announced => gap.saturating_sub(self.announced),
            Promised::Newest => 0,
        };
        if lost > 0 {
            findings.counts.lost += lost;
            findings.violated(Guarantee::G4, lost, (number, record), || {
                format!("role {number} was given {label} where {due} was due")
            });
        }
    }

    /// Whoever is told that the stream has ended has had everything; a joiner at least the newest of what
    /// came behind its cursor.
    fn ends(&mut self, record: &Record, findings: &mut Findings) {
        let (number, certain) = (self.number, self.stream.certain());
        let behind = self.joined.is_some_and(|joined| joined < certain);
        let first = match (self.early, behind) {
            // What may be skipped is not lost, but the newest.
            (true, _) if self.history.facts.promised == Promised::Everything => 0,
            (true, _) | (_, true) => certain.saturating_sub(1),
            _ => certain,
        };
        let had = self.due.unwrap_or(first);
        let tail = certain.saturating_sub(had);
        if tail > 0 {
            findings.counts.lost += tail;
            findings.violated(Guarantee::G4, tail, (number, record), || {
                format!("role {number} was told the end before {had}, and {certain} were written")
            });
        }
    }
}
