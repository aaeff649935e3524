//! The closed list of figures that an expectation may name.

use std::fmt;

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Reads that mixed two payloads.
    Torn,
    /// Reads whose label and content disagree.
    Mislabelled,
    /// Sequences that went back at one consumer.
    Backward,
    /// Committed, promised, not delivered.
    Lost,
    /// Delivered twice to one consumer.
    Duplicated,
    /// Checksums that did not match.
    ChecksumFailures,
    /// Times a consumer was lapped.
    Lapped,
    /// Waits that gave up.
    Timeouts,
    /// Reads that were valid, over all consumers.
    Delivered,
    /// Writes that were committed.
    Committed,
    /// From the intended start to the valid read.
    Latency(Percentile),
    /// From the actual start to the valid read.
    Service(Percentile),
    /// From a fault to the moment at which the survivor that waited longest went on, over the faults
    /// that blocked somebody.
    Blocked(Percentile),
    /// The longest that the producer waited for a slot; only in a scenario with faults.
    ProducerWait,
    /// Faults that came as planned.
    Faults,
    /// Messages per second.
    ThroughputMessages,
    /// Payload bytes per second.
    ThroughputBytes,
    /// The highest rate that kept the bound of a search.
    SustainedRate,
    /// One way over a bare cache line, in the same trial.
    Calibration,
    /// The smallest step of the clock.
    ClockQuantum,
}

/// A place in a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Percentile {
    /// The median.
    P50,
    /// 99 %.
    P99,
    /// 99.9 %.
    P999,
    /// The worst.
    Max,
}

impl Percentile {
    /// The part of the samples that does not exceed it.
    #[must_use]
    pub const fn quantile(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
            Self::Max => 1.0,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::P50 => "the median",
            Self::P99 => "not exceeded by 99 %",
            Self::P999 => "not exceeded by 99.9 %",
            Self::Max => "the worst",
        }
    }
}

/// What a figure measures; only equals are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A number of things.
    Count,
    /// Nanoseconds.
    Time,
    /// Messages per second.
    MessageRate,
    /// Bytes per second.
    ByteRate,
}

impl Dimension {
    /// As in "`lost` is a count".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "a count",
            Self::Time => "a time",
            Self::MessageRate => "a message rate",
            Self::ByteRate => "a byte rate",
        }
    }

    /// The base unit, as in `90 ns`; empty for counts.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Time => "ns",
            Self::MessageRate => "/s",
            Self::ByteRate => "B/s",
        }
    }
}

const NAMES: &[(&str, Metric)] = &[
    ("torn", Metric::Torn),
    ("mislabelled", Metric::Mislabelled),
    ("backward", Metric::Backward),
    ("lost", Metric::Lost),
    ("duplicated", Metric::Duplicated),
    ("checksum-failures", Metric::ChecksumFailures),
    ("lapped", Metric::Lapped),
    ("timeouts", Metric::Timeouts),
    ("delivered", Metric::Delivered),
    ("committed", Metric::Committed),
    ("p50(latency)", Metric::Latency(Percentile::P50)),
    ("p99(latency)", Metric::Latency(Percentile::P99)),
    ("p99.9(latency)", Metric::Latency(Percentile::P999)),
    ("max(latency)", Metric::Latency(Percentile::Max)),
    ("p50(service)", Metric::Service(Percentile::P50)),
    ("p99(service)", Metric::Service(Percentile::P99)),
    ("p99.9(service)", Metric::Service(Percentile::P999)),
    ("max(service)", Metric::Service(Percentile::Max)),
    ("p50(blocked)", Metric::Blocked(Percentile::P50)),
    ("p99(blocked)", Metric::Blocked(Percentile::P99)),
    ("max(blocked)", Metric::Blocked(Percentile::Max)),
    ("max(producer-wait)", Metric::ProducerWait),
    ("faults", Metric::Faults),
    ("throughput.messages", Metric::ThroughputMessages),
    ("throughput.bytes", Metric::ThroughputBytes),
    ("sustained-rate", Metric::SustainedRate),
    ("calibration", Metric::Calibration),
    ("clock-quantum", Metric::ClockQuantum),
];

impl Metric {
    /// Finds a metric by the name that an expectation writes.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, metric)| *metric)
    }

    /// All names, in the order of the documentation.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The name that an expectation writes.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, metric)| *metric == self).map_or("?", |(name, _)| name)
    }

    /// What it is, in words; those of a distribution say which part of it.
    #[must_use]
    pub fn meaning(self) -> String {
        let of = |percentile: Percentile, what: &str| format!("{what}, {}", percentile.words());
        let plain = match self {
            Self::Latency(part) => return of(part, "from the intended start to the valid read"),
            Self::Service(part) => return of(part, "from the actual start to the valid read"),
            Self::Blocked(part) => {
                return of(part, "how long a fault kept the survivor that waited longest");
            }
            Self::Torn => "reads that mixed two payloads",
            Self::Mislabelled => "reads whose label and content disagree",
            Self::Backward => "sequences that went back at one consumer",
            Self::Lost => "payloads that were committed and promised, and not delivered",
            Self::Duplicated => "payloads that one consumer got twice",
            Self::ChecksumFailures => "checksums that did not match",
            Self::Lapped => "times a consumer was lapped by the producer",
            Self::Timeouts => "waits that gave up",
            Self::Delivered => "valid reads, over all consumers",
            Self::Committed => "writes that were committed",
            Self::ProducerWait => "the longest that the producer waited for a slot",
            Self::Faults => "faults that came as planned",
            Self::ThroughputMessages => "messages per second",
            Self::ThroughputBytes => "payload bytes per second",
            Self::SustainedRate => "the highest rate that kept the bound of the search",
            Self::Calibration => "one way over a bare cache line between the same cores",
            Self::ClockQuantum => "the smallest step of the clock",
        };
        plain.to_owned()
    }

    /// What the figure measures.
    #[must_use]
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::Latency(_)
            | Self::Service(_)
            | Self::Blocked(_)
            | Self::ProducerWait
            | Self::Calibration
            | Self::ClockQuantum => Dimension::Time,
            Self::ThroughputMessages | Self::SustainedRate => Dimension::MessageRate,
            Self::ThroughputBytes => Dimension::ByteRate,
            _ => Dimension::Count,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_itself() {
        for name in Metric::names() {
            assert_eq!(Metric::by_name(name).map(Metric::name), Some(name));
        }
    }
}
