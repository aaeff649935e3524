//! Metric families: gathered block by block, written family by family.

use std::collections::BTreeMap;

use datahub::metrics::Metric;
use serde_json::{Value, json};

use crate::output::Page;

/// What kind of samples a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Info,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Gauge => "",
            Self::Info => "_info",
        }
    }
}

/// The block's counters: which, its family, what it says, and how many of them make one unit.
pub(super) const COUNTERS: [(Metric, &str, &str, u32); 20] = {
    const NS: u32 = 1_000_000_000;
    use Metric as M;
    [
        (M::SlotsWritten, "datahub_slots_written", "Payloads committed.", 1),
        (M::BytesWritten, "datahub_written_bytes", "Bytes committed.", 1),
        (M::SlotsRead, "datahub_slots_read", "Payloads delivered, over all consumers.", 1),
        (M::BytesRead, "datahub_read_bytes", "Bytes delivered, over all consumers.", 1),
        (M::WriterTimeouts, "datahub_writer_timeouts", "Writes that gave up waiting.", 1),
        (M::WriterBlockedNs, "datahub_writer_blocked_seconds", "Time the producer waited.", NS),
        (M::LockContention, "datahub_write_lock_contention", "Refused second producers.", 1),
        (M::GenerationWraps, "datahub_write_generation_wraps", "Wraps of the slots' tags.", 1),
        (M::ReaderNotReady, "datahub_reader_not_ready", "Reads that found nothing new.", 1),
        (M::ReaderRaces, "datahub_reader_races", "Reads that met the producer.", 1),
        (
            M::ValidationFailures,
            "datahub_reader_validation_failures",
            "Slots changed under readers.",
            1,
        ),
        (M::ReaderTimeouts, "datahub_reader_timeouts", "Reads that gave up waiting.", 1),
        (M::Lapped, "datahub_reader_lapped_slots", "Payloads that consumers missed.", 1),
        (M::AcquireErrors, "datahub_slot_acquire_errors", "Writes refused for another reason.", 1),
        (M::CommitErrors, "datahub_slot_commit_errors", "Commits refused.", 1),
        (M::ChecksumFailures, "datahub_checksum_failures", "Payloads with a wrong checksum.", 1),
        (M::HeartbeatsSent, "datahub_heartbeats_sent", "Heartbeats, by both sides.", 1),
        (M::HeartbeatsFailed, "datahub_heartbeats_failed", "Heartbeats of evicted consumers.", 1),
        (M::Evictions, "datahub_evictions", "Living consumers evicted.", 1),
        (M::RecoveryActions, "datahub_recovery_actions", "Remains of the dead cleared.", 1),
    ]
};

#[derive(Debug)]
struct Family {
    kind: Kind,
    help: &'static str,
    samples: Vec<(Vec<(String, String)>, String)>,
}

/// Families by name.
#[derive(Debug, Default)]
pub(super) struct Families(BTreeMap<&'static str, Family>);

impl Families {
    /// Adds a sample.
    pub(super) fn add(
        &mut self,
        (name, kind, help): (&'static str, Kind, &'static str),
        labels: &[(&str, String)],
        value: String,
    ) {
        let family = self.0.entry(name).or_insert(Family { kind, help, samples: Vec::new() });
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        family.samples.push((labels.collect(), value));
    }

    /// Adds a sample of a gauge.
    pub(super) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, String)],
        value: f64,
    ) {
        self.add((name, Kind::Gauge, help), labels, value.to_string());
    }

    /// The exposition.
    pub(super) fn text(&self) -> String {
        let mut text = Page::default();
        for (name, family) in &self.0 {
            text.add(format!("# TYPE {name} {}\n", family.kind.name()));
            if let Some(unit) = unit(name) {
                text.add(format!("# UNIT {name} {unit}\n"));
            }
            text.add(format!("# HELP {name} {}\n", family.help));
            for (labels, value) in &family.samples {
                let suffix = family.kind.suffix();
                text.add(format!("{name}{suffix}{{{}}} {value}\n", joined(labels)));
            }
        }
        text.add("# EOF\n");
        text.0
    }

    /// The same for programs that would rather not parse text.
    pub(super) fn json(&self) -> Value {
        let family = |(name, family): (&&str, &Family)| {
            let sample = |(labels, value): &(Vec<(String, String)>, String)| {
                let labels: BTreeMap<_, _> = labels.iter().cloned().collect();
                let number: Value = serde_json::from_str(value).unwrap_or(Value::Null);
                json!({ "labels": labels, "value": number })
            };
            json!({
                "name": name,
                "type": family.kind.name(),
                "unit": unit(name),
                "help": family.help,
                "samples": family.samples.iter().map(sample).collect::<Vec<_>>(),
            })
        };
        json!({ "families": self.0.iter().map(family).collect::<Vec<_>>() })
    }
}

/// The unit that a family's name ends with.
fn unit(name: &str) -> Option<&'static str> {
    ["seconds", "bytes", "ratio", "payloads"].into_iter().find(|unit| name.ends_with(unit))
}

fn joined(labels: &[(String, String)]) -> String {
    let escaped = |(name, value): &(String, String)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    labels.iter().map(escaped).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_written_in_one_piece_and_labels_are_escaped() {
        let mut families = Families::default();
        let labels = |text: &str| [("block", text.to_owned())];
        families.add(("b", Kind::Counter, "B."), &labels("x"), "1".to_owned());
        families.gauge("a_seconds", "A.", &labels("\"\\\n"), 0.5);
        families.add(("b", Kind::Counter, "B."), &labels("y"), "2".to_owned());
        let wanted = "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds A.\n\
            a_seconds{block=\"\\\"\\\\\\n\"} 0.5\n\
            # TYPE b counter\n# HELP b B.\nb_total{block=\"x\"} 1\nb_total{block=\"y\"} 2\n# EOF\n";
        assert_eq!(families.text(), wanted);
    }
}
