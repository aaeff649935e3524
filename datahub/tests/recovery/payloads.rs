//! Blocks and payloads for tests of recovery.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::memory::MappedMemory;
use datahub::producer::Producer;
use datahub::wait::Timeout;

use super::own::Own;

/// Longer than any test waits.
pub(super) const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// The block's file.
pub(super) fn bytes(own: &Own) -> Vec<u8> {
    fs::read(own.place().path()).unwrap()
}

/// Leaves a file where a block should be.
pub(super) fn plant(own: &Own, content: &[u8]) {
    fs::write(own.place().path(), content).unwrap();
    fs::set_permissions(own.place().path(), fs::Permissions::from_mode(0o600)).unwrap();
}

pub(super) fn shape(sync: ConsumerSync) -> BlockConfig {
    let config = BlockConfig::new(sync, 2, 8).unwrap();
    config.checksum(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Enforced)
}

pub(super) fn write<M: MappedMemory>(producer: &mut Producer<M>) -> u64 {
    write_in(producer, Timeout::Now)
}

pub(super) fn write_in<M: MappedMemory>(producer: &mut Producer<M>, timeout: Timeout) -> u64 {
    let mut slot = producer.acquire_write_slot(timeout).unwrap();
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    slot.commit(8).unwrap()
}

/// One seat: there is no other one beside that of the consumer that is evicted.
pub(super) fn evicting() -> BlockConfig {
    let one = shape(ConsumerSync::SequentialSync).max_consumers(1).unwrap();
    one.evict_after(Duration::from_micros(100)).unwrap()
}

pub(super) fn batches() -> BlockConfig {
    BlockConfig::new(ConsumerSync::SequentialSync, 3, 8).unwrap().batches_of(3).unwrap()
}

pub(super) fn write_three<M: MappedMemory>(producer: &mut Producer<M>) {
    let mut batch = producer.acquire_write_batch(3, Timeout::Now).unwrap();
    for step in 0..3 {
        let sequence = batch.sequence(step);
        batch.payload(step).unwrap().copy_from_slice(&sequence.to_le_bytes());
    }
    batch.commit(8).unwrap();
}

pub(super) fn read_all(consumer: &mut Consumer) -> Vec<u64> {
    let mut seen = Vec::new();
    while let Ok(slot) = consumer.acquire_consume_slot(Timeout::Now) {
        assert_eq!(&*slot, slot.sequence().to_le_bytes());
        seen.push(slot.sequence());
    }
    seen
}
