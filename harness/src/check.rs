//! The independent checker: reads histories and says which guarantee was broken, where.
//!
//! It knows digests, sequences and times, and shares nothing with the processes' own checks: what a
//! payload must contain it knows only from the record of who wrote it.
//! - G1 torn, G2 another payload than its label, G3 back or twice, G4 lost, G5 stuck, G6 an aborted
//!   write that burnt its sequence, G7 a successor that does not go on where the dead one stopped.
//!
//! Pure. Knows nothing of: processes, blocks, verdicts.

mod consumer;
mod producer;

use std::collections::BTreeMap;
use std::fmt;

use report_schema::Counts;

use crate::history::{History, Record, RoleLog};
use consumer::Follower;
use producer::Stream;

/// So many violations are told in words.
const EXAMPLES: usize = 8;

/// What must hold of every history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// No payload is mixed from two writes.
    G1,
    /// A payload is the one that its label says.
    G2,
    /// A consumer's sequences only go up.
    G3,
    /// Nothing that was promised is lost.
    G4,
    /// Nobody is stuck.
    G5,
    /// An aborted write burns no sequence.
    G6,
    /// Who takes a dead producer's place goes on where it stopped.
    G7,
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What a history shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Records that were judged.
    pub records: u64,
    /// Records that had been overwritten.
    pub overwritten: u64,
    /// Violations, by guarantee.
    pub violations: BTreeMap<Guarantee, u64>,
    /// The first ones, in words.
    pub examples: Vec<String>,
    /// What the records add up to.
    pub counts: Counts,
    /// Where the block's own counts are others, one sentence each.
    pub disagreements: Vec<String>,
}

impl Findings {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.disagreements.is_empty()
    }

    fn violated(&mut self, guarantee: Guarantee, times: u64, what: impl FnOnce() -> String) {
        *self.violations.entry(guarantee).or_default() += times;
        if self.examples.len() < EXAMPLES {
            self.examples.push(format!("{guarantee}: {}", what()));
        }
    }
}

/// Judges a history.
#[must_use]
pub fn check(history: &History) -> Findings {
    let mut findings = Findings::default();
    for role in &history.roles {
        findings.records += role.records.len() as u64;
        findings.overwritten += role.overwritten();
    }
    let streams: Vec<Stream> = history
        .roles
        .iter()
        .enumerate()
        .map(|(number, role)| producer::follow(history, (number, role), &mut findings))
        .collect();
    for (number, role) in history.roles.iter().enumerate() {
        let Some(stream) = role.reads.and_then(|source| streams.get(source)) else { continue };
        Follower::new(history, stream, (number, role)).follow(&mut findings);
    }
    cross_check(history, &streams, &mut findings);
    findings
}

/// The block's own counts against the records, where all records are there and nobody died between
/// an act and its record.
fn cross_check(history: &History, streams: &[Stream], findings: &mut Findings) {
    let died = history.roles.iter().any(|role| role.falls > 0);
    if findings.overwritten > 0 || died {
        return;
    }
    let closed = history.roles.first().is_some_and(|role| role.reads.is_some());
    let reads = |role: &&RoleLog| role.reads == Some(0);
    let readers = history.roles.iter().filter(reads);
    let given = |record: &&Record| {
        use crate::history::Kind::{Delivered, Spoiled};
        matches!(record.kind, Delivered | Spoiled)
    };
    let read: usize = readers.map(|role| role.records.iter().filter(given).count()).sum();
    let written = streams.first().map_or(0, |stream| stream.next);
    let pairs =
        [("writes", history.facts.written, written), ("reads", history.facts.read, read as u64)];
    for (what, said, counted) in pairs {
        if let Some(said) = said.filter(|said| *said != counted) {
            let block = if closed { "the first block" } else { "the block" };
            let sentence = format!("{block} says {said} {what}, the history has {counted}");
            findings.disagreements.push(sentence);
        }
    }
}

#[cfg(test)]
mod tests;
