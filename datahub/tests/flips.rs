//! One wrong bit, wherever it stands in a payload or in its record: found under Enforced, told with
//! the sequence, and passed (F24, F26).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::os::unix::fs::FileExt;

use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync};
use datahub::consumer::{Consumer, ReadError};
use datahub::layout;
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

const BYTES: usize = 4096;

/// A block with one payload, its consumer, and where record and payload stand in the file.
fn block(algorithm: ChecksumAlgorithm, policy: ChecksumPolicy) -> (Producer, Consumer, [usize; 2]) {
    let config = BlockConfig::new(ConsumerSync::Sequential, 2, BYTES as u64).unwrap();
    let config = config.checksum(algorithm, policy);
    let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    for (byte, value) in slot.payload().iter_mut().zip((0..=250).cycle()) {
        *byte = value;
    }
    let index = slot.slot_index();
    slot.commit(BYTES).unwrap();
    let consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
    let layout = producer.block().geometry().layout;
    let places = [layout.records + index * layout::RECORD, layout.ring + index * layout.stride];
    (producer, consumer, places)
}

/// Flips each bit of `bytes` bytes at `offset` in turn; how many reads were refused, and how many
/// were not.
fn flip_all(
    (producer, consumer): (&Producer, &mut Consumer),
    (offset, bytes): (usize, usize),
) -> (u64, u64) {
    let file = producer.block().file();
    let mut good = vec![0; bytes];
    file.read_exact_at(&mut good, offset as u64).unwrap();
    let (mut refused, mut let_through) = (0, 0);
    for bit in 0..bytes * 8 {
        let place = (offset + bit / 8) as u64;
        file.write_all_at(&[good[bit / 8] ^ 1 << (bit % 8)], place).unwrap();
        match consumer.acquire_sequence(0, Timeout::Now).map(|slot| slot.sequence()) {
            Err(ReadError::Checksum { sequence: 0 }) => refused += 1,
            Ok(0) => let_through += 1,
            other => panic!("bit {bit} at offset {offset}: {other:?}"),
        }
        file.write_all_at(&[good[bit / 8]], place).unwrap();
    }
    (refused, let_through)
}

fn every_flip_is_refused(algorithm: ChecksumAlgorithm) {
    let (producer, mut consumer, [record, payload]) = block(algorithm, ChecksumPolicy::Enforced);
    let found = flip_all((&producer, &mut consumer), (payload, BYTES));
    assert_eq!(found, (32_768, 0), "bits of the payload refused, let through");
    let found = flip_all((&producer, &mut consumer), (record, layout::RECORD));
    assert_eq!(found, (512, 0), "bits of the record refused, let through");
    assert_eq!(producer.metrics().get(Metric::ChecksumFailures), 32_768 + 512);
    let slot = consumer.acquire_sequence(0, Timeout::Now).unwrap();
    assert_eq!(slot.len(), BYTES, "the payload as it was is good");
}

#[test]
fn every_flip_is_refused_under_xxh3() {
    every_flip_is_refused(ChecksumAlgorithm::Xxh3);
}

#[test]
fn every_flip_is_refused_under_crc32c() {
    every_flip_is_refused(ChecksumAlgorithm::Crc32c);
}

#[test]
fn every_flip_is_refused_under_blake2b() {
    every_flip_is_refused(ChecksumAlgorithm::Blake2b);
}

// What the test above must be able to see: a block that verifies nothing lets every flip through.
#[test]
fn without_enforcement_every_flip_passes() {
    let (producer, mut consumer, [_, payload]) =
        block(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Manual);
    assert_eq!(flip_all((&producer, &mut consumer), (payload, BYTES)), (0, 32_768));
}
