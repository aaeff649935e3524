//! The metrics section of a block, read from its file after everybody has left.
//!
//! A second way to the counters: not through the handles that counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use datahub::layout;
use datahub::memory::MappedMemory;
use datahub::metrics::{METRICS, Metric};
use datahub::producer::Producer;
use datahub::sequence::TAG_BITS;
use datahub::wait::monotonic_ns;

/// A block's file, which outlives its producer.
#[derive(Debug)]
pub(super) struct MetricsFile(File);

impl MetricsFile {
    /// Holds the producer's block open.
    pub(super) fn open<M: MappedMemory>(producer: &Producer<M>) -> io::Result<Self> {
        producer.block().file().try_clone().map(Self)
    }

    /// Every metric by its name in the specification.
    pub(super) fn read(&self) -> io::Result<BTreeMap<String, u64>> {
        let mut bytes = [0; layout::METRICS_BYTES];
        self.0.read_exact_at(&mut bytes, layout::METRICS as u64)?;
        let (words, _) = bytes.as_chunks::<8>();
        let word = |metric: Metric| u64::from_le_bytes(words[metric as usize]);
        let value = |metric| match metric {
            Metric::UptimeSeconds => monotonic_ns().saturating_sub(word(metric)) / 1_000_000_000,
            Metric::GenerationWraps => word(Metric::SlotsWritten) >> TAG_BITS,
            _ => word(metric),
        };
        Ok(METRICS.iter().map(|&(metric, name)| (name.to_owned(), value(metric))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datahub::config::{BlockConfig, ConsumerSync};
    use datahub::consumer::Consumer;
    use datahub::place::Place;
    use datahub::ring::reader::JoinAt;
    use datahub::shm::Folder;
    use datahub::wait::Timeout;

    #[test]
    fn the_counters_are_there_when_everybody_has_left() {
        let config = BlockConfig::new(ConsumerSync::Sequential, 4, 64).unwrap();
        let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
        let file = MetricsFile::open(&producer).unwrap();
        let place = Place::File(producer.path());
        let mut consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
        for _ in 0..3 {
            let _sequence = producer.acquire_write_slot(Timeout::Now).unwrap().commit(64).unwrap();
        }
        consumer.acquire_consume_slot(Timeout::Now).unwrap().release();
        drop((consumer, producer));
        let metrics = file.read().unwrap();
        assert_eq!(metrics["total_slots_written"], 3);
        assert_eq!(metrics["total_bytes_written"], 192);
        assert_eq!(metrics["total_slots_read"], 1);
        assert!(metrics["uptime_seconds"] < 1_000);
    }
}
