//! Batches: they come whole or not at all, and destroy nothing that was promised.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync, OnFull};
use datahub::consumer::Consumer;
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::write_batch::BatchError;
use datahub::producer::{Producer, WriteError};
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

fn block(config: BlockConfig) -> Producer {
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

fn shape(sync: ConsumerSync, capacity: u32) -> BlockConfig {
    BlockConfig::new(sync, capacity, 8).unwrap()
}

fn join(producer: &Producer, at: JoinAt) -> Consumer {
    Consumer::attach(Place::File(producer.path()), at).unwrap()
}

fn write(producer: &mut Producer) -> u64 {
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    slot.commit(8).unwrap()
}

fn read(consumer: &mut Consumer) -> Option<u64> {
    let slot = consumer.acquire_consume_slot(Timeout::Now).ok()?;
    Some(u64::from_le_bytes((*slot).try_into().unwrap()))
}

fn read_all(consumer: &mut Consumer) -> Vec<u64> {
    std::iter::from_fn(|| read(consumer)).collect()
}

fn batches(sync: ConsumerSync, capacity: u32, batch: u32) -> BlockConfig {
    shape(sync, capacity).batches_of(batch).unwrap()
}

fn write_batch(producer: &mut Producer, slots: usize) -> Result<Vec<u64>, BatchError> {
    let mut batch = producer.acquire_write_batch(slots, Timeout::Now)?;
    for step in 0..batch.len() {
        let sequence = batch.sequence(step);
        batch.payload(step).unwrap().copy_from_slice(&sequence.to_le_bytes());
    }
    assert!(batch.payload(slots).is_none());
    Ok(batch.commit(8).unwrap().collect())
}

#[test]
fn a_batch_has_consecutive_sequences_and_comes_whole() {
    let mut producer = block(batches(ConsumerSync::SequentialSync, 4, 3));
    let mut consumer = join(&producer, JoinAt::Oldest);
    let (mut next, mut seen) = (0, Vec::new());
    for round in 0..50 {
        let slots = 1 + round % 3;
        let wanted: Vec<u64> = (next..next + slots as u64).collect();
        assert_eq!(write_batch(&mut producer, slots).unwrap(), wanted);
        next += slots as u64;
        seen.extend(read_all(&mut consumer));
    }
    assert_eq!(seen, (0..next).collect::<Vec<_>>());
    let metrics = producer.metrics();
    assert_eq!(metrics.get(Metric::SlotsWritten), next);
    assert_eq!(metrics.get(Metric::BytesWritten), 8 * next);
}

#[test]
fn a_batch_that_is_given_up_leaves_every_promised_payload_readable() {
    let mut producer = block(batches(ConsumerSync::SequentialSync, 4, 4));
    for _ in 0..9 {
        write(&mut producer);
    }
    for way in 0..3 {
        let mut batch = producer.acquire_write_batch(4, Timeout::Now).unwrap();
        for step in 0..4 {
            batch.payload(step).unwrap().fill(0xee);
        }
        match way {
            0 => batch.abort(),
            1 => assert!(batch.commit(9).is_err()),
            _ => assert!(batch.commit_each(&[1, 2, 3]).is_err()),
        }
        assert_eq!(producer.get_commit_index(), 9);
        assert_eq!(read_all(&mut join(&producer, JoinAt::Oldest)), [5, 6, 7, 8]);
    }
    assert_eq!(producer.metrics().get(Metric::CommitErrors), 2);
    assert_eq!(write_batch(&mut producer, 4).unwrap(), [9, 10, 11, 12]);
}

#[test]
fn a_batch_waits_for_room_for_all_of_it() {
    let mut producer = block(batches(ConsumerSync::Sequential, 4, 3));
    let mut consumer = join(&producer, JoinAt::Oldest);
    write_batch(&mut producer, 2).unwrap();
    let refused = write_batch(&mut producer, 3);
    assert!(matches!(refused, Err(BatchError::Write(WriteError::TimedOutFull { slowest: 1, .. }))));
    assert_eq!(producer.get_commit_index(), 2);
    assert_eq!(write_batch(&mut producer, 2).unwrap(), [2, 3]);
    assert_eq!(read(&mut consumer), Some(0));
    assert!(write_batch(&mut producer, 2).is_err());
    assert_eq!(write_batch(&mut producer, 1).unwrap(), [4]);
    assert_eq!(read_all(&mut consumer), [1, 2, 3, 4]);
}

#[test]
fn when_one_slot_of_a_batch_is_read_all_are_given_back() {
    let config = batches(ConsumerSync::Sequential, 2, 2).on_full(OnFull::Overwrite);
    let mut producer = block(config);
    let mut consumer = join(&producer, JoinAt::Oldest);
    for _ in 0..2 {
        write(&mut producer);
    }
    read(&mut consumer);
    let held = consumer.acquire_consume_slot(Timeout::Now).unwrap();
    assert_eq!(held.sequence(), 1);
    write_batch(&mut producer, 2).unwrap();
    // The next batch would take the slots of sequences 0 and 1, and 1 is being read.
    let refused = write_batch(&mut producer, 2);
    let readers =
        BatchError::Write(WriteError::TimedOutReaders { readers: 1, waited: Duration::ZERO });
    assert_eq!(refused, Err(readers));
    assert_eq!(*held, 1_u64.to_le_bytes());
    drop(held);
    assert_eq!(write_batch(&mut producer, 2).unwrap(), [4, 5]);
    assert_eq!(write(&mut producer), 6);
}

#[test]
fn sizes_and_policies_that_cannot_be_are_refused() {
    let mut producer = block(batches(ConsumerSync::Sequential, 4, 2));
    for slots in [0, 3] {
        let refused = write_batch(&mut producer, slots).unwrap_err();
        assert_eq!(refused, BatchError::Size { slots, most: 2 });
    }
    let mut latest = block(shape(ConsumerSync::LatestOnly, 4));
    assert_eq!(write_batch(&mut latest, 1).unwrap_err(), BatchError::LatestOnly);
    assert!(shape(ConsumerSync::LatestOnly, 4).batches_of(1).is_err());
    for slots in [0, 5] {
        assert!(shape(ConsumerSync::Sequential, 4).batches_of(slots).is_err());
    }
}

#[test]
fn every_slot_of_a_batch_has_its_own_length_and_checksum() {
    let config = batches(ConsumerSync::Sequential, 4, 4)
        .checksum(ChecksumAlgorithm::Crc32c, ChecksumPolicy::Enforced);
    let mut producer = block(config);
    let mut consumer = join(&producer, JoinAt::Oldest);
    for _ in 0..3 {
        let mut batch = producer.acquire_write_batch(4, Timeout::Now).unwrap();
        for step in 0..4 {
            batch.payload(step).unwrap().fill(u8::try_from(step).unwrap());
        }
        batch.commit_each(&[0, 3, 8, 1]).unwrap();
        for (step, bytes) in (0..).zip([0, 3, 8, 1]) {
            let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
            assert_eq!(*slot, vec![step; bytes]);
        }
    }
}
