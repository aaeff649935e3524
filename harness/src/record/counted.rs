//! What the users of a block counted for themselves, and which of the block's metrics must say the same.

use std::collections::BTreeMap;

use Relation::{AtLeast, AtMost, Is};
use datahub::sequence::TAG_BITS;

use crate::run::{RawTrial, Report};
use crate::scenario::model::{Cell, OnFull, Workload};

/// What the users of one block know of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    committed: u64,
    bytes_written: u64,
    delivered: u64,
    bytes_read: u64,
    spoiled: u64,
    /// Writes that the block refused because it was full.
    refusals: u64,
    /// Payloads of which the block said that they were missed.
    announced: u64,
    /// How often consumers were told that the producer had gone on without them.
    evictions: u64,
    /// Whether it may do so.
    evicts: bool,
    /// Waits in vain of the producer and of its consumers, where each process knows which block they
    /// were for, and how long each of the producer's lasted at least.
    timeouts: Option<(u64, u64, u64)>,
    /// Consumers that there can be at once.
    consumers: u64,
    /// The dead whose remains must have been cleared, and those whose remains may have been.
    cleared: (u64, u64),
}

impl Counted {
    /// By these users of the block; nobody fell.
    pub(super) fn of(cell: &Cell, written: &Report, readers: &[&Report]) -> Self {
        let total = |part: fn(&Report) -> u64| readers.iter().map(|report| part(report)).sum();
        let room_ns = match cell.block.on_full {
            OnFull::Block { timeout } => timeout.0,
            OnFull::Error | OnFull::Overwrite | OnFull::Evict { .. } => 0,
        };
        // In a closed loop one process waits on two blocks, and counts both together.
        let apart = cell.workload != Workload::PingPong;
        let timeouts = (written.counts.timeouts, total(|report| report.counts.timeouts), room_ns);
        Self {
            committed: written.counts.committed,
            bytes_written: written.bytes_written,
            delivered: total(|report| report.counts.delivered),
            bytes_read: total(|report| report.bytes_read),
            spoiled: total(|report| report.counts.checksum_failures),
            refusals: written.refusals,
            announced: total(|report| report.announced),
            evictions: total(|report| report.evictions),
            evicts: matches!(cell.block.on_full, OnFull::Evict { .. }),
            timeouts: apart.then_some(timeouts),
            consumers: cell.block.max_consumers.into(),
            cleared: (0, 0),
        }
    }

    /// By those who came to their end, where others fell.
    pub(super) fn after_falls(cell: &Cell, raw: &RawTrial, commits: u64) -> Self {
        let falls = raw.roles.iter().map(|role| u64::from(role.falls)).sum();
        // A producer that went on further than the ring reaches has cleared who stood in its way.
        let reach = u64::from(cell.block.physical_slots).saturating_add(2);
        let passed = raw.roles.iter().skip(1).filter(|role| {
            let read = role.left.delivered.saturating_add(role.left.checksum_failures);
            let once =
                role.fallen && role.falls == 1 && raw.roles.first().is_some_and(|p| p.falls == 0);
            once && cell.block.lossless() && commits > read.saturating_add(reach)
        });
        let producer = raw.roles.first().and_then(|role| role.report.as_ref());
        let readers = raw.roles.iter().skip(1).filter_map(|role| role.report.as_ref());
        Self {
            refusals: producer.map_or(0, |report| report.refusals),
            announced: readers.clone().map(|report| report.announced).sum(),
            evictions: readers.map(|report| report.evictions).sum(),
            evicts: matches!(cell.block.on_full, OnFull::Evict { .. }),
            consumers: cell.block.max_consumers.into(),
            cleared: (passed.count() as u64, falls),
            ..Self::default()
        }
    }
}

/// How a metric relates to what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Is,
    AtLeast,
    AtMost,
}

/// One metric, its relation, and the figure that its users have; `None`: they do not know.
pub(super) struct Row {
    pub(super) metric: &'static str,
    relation: Relation,
    figure: fn(&Counted) -> Option<u64>,
}

impl Row {
    /// What the block of this role says wrongly, or leaves out.
    pub(super) fn contradiction(
        &self,
        name: &str,
        said: &BTreeMap<String, u64>,
        counted: &Counted,
    ) -> Option<String> {
        let (metric, figure) = (self.metric, (self.figure)(counted)?);
        let Some(value) = said.get(metric).copied() else {
            return Some(format!("the block of {name} does not say {metric}"));
        };
        let (agrees, bound) = match self.relation {
            Is => (value == figure, ""),
            AtLeast => (value >= figure, "at least "),
            AtMost => (value <= figure, "at most "),
        };
        let what = format!("its users counted {bound}{figure}");
        (!agrees).then(|| format!("the block of {name} says {metric} = {value}, {what}"))
    }
}

const fn row(metric: &'static str, relation: Relation, figure: fn(&Counted) -> Option<u64>) -> Row {
    Row { metric, relation, figure }
}

/// What nobody of the harness ever brings about.
const fn never(metric: &'static str) -> Row {
    row(metric, Is, |_| Some(0))
}

/// Where nobody fell. The rest of the block's metrics is about time and races, of which its users know
/// nothing.
pub(super) const ROWS: &[Row] = &[
    row("total_slots_written", Is, |of| Some(of.committed)),
    row("total_bytes_written", Is, |of| Some(of.bytes_written)),
    row("total_slots_read", Is, |of| Some(of.delivered.saturating_add(of.spoiled))),
    row("total_bytes_read", Is, |of| (of.spoiled == 0).then_some(of.bytes_read)),
    row("checksum_failures", Is, |of| Some(of.spoiled)),
    row("write_generation_wraps", Is, |of| Some(of.committed >> TAG_BITS)),
    row("writer_timeout_count", Is, |of| of.timeouts.map(|(writer, ..)| writer)),
    row("writer_blocked_total_ns", AtLeast, |of| {
        of.timeouts.map(|(writer, _, room_ns)| writer.saturating_mul(room_ns))
    }),
    row("reader_timeout_count", Is, |of| of.timeouts.map(|(_, reader, _)| reader)),
    row("reader_not_ready_count", AtLeast, |of| of.timeouts.map(|(_, reader, _)| reader)),
    row("reader_lapped_slots", Is, |of| Some(of.announced)),
    row("reader_peak_count", AtMost, |of| Some(of.consumers)),
    row("slot_acquire_errors", Is, |of| Some(of.refusals)),
    // The number of errors, and that the last one was a full ring.
    row("last_error", Is, |of| Some(of.refusals << 32 | u64::from(of.refusals > 0))),
    row("last_error_timestamp_ns", Is, |of| (of.refusals == 0).then_some(0)),
    row("recovery_actions_count", Is, |_| Some(0)),
    never("write_lock_contention"),
    never("slot_commit_errors"),
    never("reader_validation_failed"),
    never("schema_mismatch_count"),
    // Only who was evicted fails to beat.
    row("heartbeat_failed_count", Is, |of| (!of.evicts).then_some(0)),
    row("evictions_count", Is, |of| Some(of.evictions)),
];

/// Where somebody fell and took part of its count along.
pub(super) const FALLEN: &[Row] = &[
    row("reader_lapped_slots", AtLeast, |of| Some(of.announced)),
    row("reader_peak_count", AtMost, |of| Some(of.consumers)),
    row("slot_acquire_errors", AtLeast, |of| Some(of.refusals)),
    row("recovery_actions_count", AtLeast, |of| Some(of.cleared.0)),
    row("recovery_actions_count", AtMost, |of| Some(of.cleared.1)),
    never("slot_commit_errors"),
    never("reader_validation_failed"),
    never("schema_mismatch_count"),
    row("heartbeat_failed_count", Is, |of| (!of.evicts).then_some(0)),
    row("evictions_count", AtLeast, |of| Some(of.evictions)),
    row("evictions_count", AtMost, |of| (!of.evicts).then_some(0)),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A block and its users, of which each figure is another one.
    fn counted() -> Counted {
        Counted {
            committed: 3 << TAG_BITS,
            bytes_written: 80,
            delivered: 9,
            bytes_read: 72,
            spoiled: 0,
            refusals: 4,
            announced: 5,
            evictions: 2,
            evicts: true,
            timeouts: Some((2, 6, 100)),
            consumers: 8,
            cleared: (1, 3),
        }
    }

    fn said(rows: &[Row]) -> BTreeMap<String, u64> {
        let figure = |row: &Row| (row.figure)(&counted()).unwrap_or(7);
        rows.iter().map(|row| (row.metric.to_owned(), figure(row))).collect()
    }

    fn wrong(rows: &[Row], said: &BTreeMap<String, u64>) -> Vec<String> {
        rows.iter().filter_map(|row| row.contradiction("p", said, &counted())).collect()
    }

    #[test]
    fn every_row_refuses_a_wrong_count_and_only_that() {
        for rows in [ROWS, FALLEN] {
            let right = said(rows);
            assert_eq!(wrong(rows, &right), [""; 0]);
            for row in rows {
                let Some(figure) = (row.figure)(&counted()) else { continue };
                let bad = |value: u64| {
                    let mut said = right.clone();
                    said.insert(row.metric.to_owned(), value);
                    wrong(rows, &said).iter().any(|what| what.contains(row.metric))
                };
                let (more, less) = (bad(figure + 1), figure.checked_sub(1).is_none_or(bad));
                match row.relation {
                    Is => assert!(more && less, "{}", row.metric),
                    AtLeast => assert!(less && !more, "{}", row.metric),
                    AtMost => assert!(more && !less, "{}", row.metric),
                }
                let mut silent = right.clone();
                silent.remove(row.metric);
                let what = row.contradiction("p", &silent, &counted()).unwrap();
                assert_eq!(what, format!("the block of p does not say {}", row.metric));
            }
        }
    }

    #[test]
    fn where_nobody_is_evicted_nobody_fails_to_beat() {
        let counted = Counted { evictions: 0, evicts: false, ..counted() };
        for (rows, metric) in [
            (ROWS, "evictions_count"),
            (ROWS, "heartbeat_failed_count"),
            (FALLEN, "evictions_count"),
            (FALLEN, "heartbeat_failed_count"),
        ] {
            let wrong = |value: u64| {
                let said = BTreeMap::from([(metric.to_owned(), value)]);
                let mut rows = rows.iter().filter(|row| row.metric == metric);
                rows.any(|row| row.contradiction("p", &said, &counted).is_some())
            };
            assert!(wrong(1) && !wrong(0), "{metric}");
        }
    }

    #[test]
    fn every_row_is_about_a_metric_that_there_is() {
        for row in ROWS.iter().chain(FALLEN) {
            let known = |(_, name): &(_, &str)| *name == row.metric;
            assert!(datahub::metrics::METRICS.iter().any(known), "{}", row.metric);
        }
    }

    #[test]
    fn a_wrong_count_is_said_with_both_figures() {
        let mut told = said(ROWS);
        told.insert("reader_lapped_slots".to_owned(), 4);
        told.insert("writer_blocked_total_ns".to_owned(), 199);
        let what = [
            "the block of p says writer_blocked_total_ns = 199, its users counted at least 200",
            "the block of p says reader_lapped_slots = 4, its users counted 5",
        ];
        assert_eq!(wrong(ROWS, &told), what);
    }
}
