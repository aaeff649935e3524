//! The independent checker: reads histories and says which guarantee was broken, where.
//!
//! It knows digests, sequences and times, and shares nothing with the processes' own checks: what a
//! payload must contain it knows only from the record of who wrote it.
//! - G1 torn, G2 another payload than its label, G3 back or twice, G4 lost, G5 stuck, G6 an aborted
//!   write that burnt its sequence, G7 a successor that does not go on where the dead one stopped.
//!
//! Pure. Knows nothing of: processes, blocks, verdicts.

mod around;
mod consumer;
mod producer;

use std::collections::BTreeMap;
use std::fmt;

use report_schema::Counts;

use crate::history::{History, Kind, Record, RoleLog};
pub use around::Neighbour;
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
    /// What everybody did around the first violation that is told, in the order of time.
    pub around: Vec<Neighbour>,
    /// Where that one was seen: the role and its record.
    first: Option<(usize, Record)>,
}

impl Findings {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.disagreements.is_empty()
    }

    /// `place`: in which record of which role it is seen.
    fn violated(
        &mut self,
        guarantee: Guarantee,
        times: u64,
        (role, record): (usize, &Record),
        what: impl FnOnce() -> String,
    ) {
        self.first.get_or_insert((role, *record));
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
    findings.around = findings.first.map_or(vec![], |seen| around::around(history, seen));
    findings
}

/// The block's own counts against the records: exactly where all records are there and nobody died between
/// an act and its record, and within what can be missing otherwise.
fn cross_check(history: &History, streams: &[Stream], findings: &mut Findings) {
    let Some((first, written)) = history.roles.first().zip(streams.first()) else { return };
    let closed = first.reads.is_some();
    let readers = || history.roles.iter().filter(|role| role.reads == Some(0));
    let given = |role: &RoleLog| {
        let given = |record: &&Record| matches!(record.kind, Kind::Delivered | Kind::Spoiled);
        role.records.iter().filter(given).count() as u64
    };
    let read: u64 = readers().map(given).sum();
    let overwritten: u64 = readers().map(RoleLog::overwritten).sum();
    // Each of the dead may have died between an act, its count and its record.
    let died: u64 = readers().map(|role| role.falls).sum();
    let counts = [
        (
            "writes",
            history.facts.written,
            written.certain().saturating_sub(first.falls)..=written.next,
        ),
        ("reads", history.facts.read, read.saturating_sub(died)..=read + overwritten + died),
    ];
    for (what, said, possible) in counts {
        if let Some(said) = said.filter(|said| !possible.contains(said)) {
            let block = if closed { "the first block" } else { "the block" };
            let (low, high) = possible.into_inner();
            let counted =
                if low == high { low.to_string() } else { format!("between {low} and {high}") };
            let sentence = format!("{block} says {said} {what}, the history has {counted}");
            findings.disagreements.push(sentence);
        }
    }
}

#[cfg(test)]
mod tests;
