//! Blocks and payloads for tests of hand-overs.

use std::time::Duration;

use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::{Consumer, ReadError};
use datahub::memory::MappedMemory;
use datahub::producer::Producer;
use datahub::wait::Timeout;

use super::own::Own;

/// Longer than any test waits.
pub(super) const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// The files in the folder, hidden ones too.
pub(super) fn files(own: &Own) -> Vec<String> {
    let entries = std::fs::read_dir(own.folder.path()).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Payloads of 8 bytes and more begin with their sequence and end with it, too.
pub(super) fn shape(sync: ConsumerSync, capacity: u32, payload_bytes: u64) -> BlockConfig {
    BlockConfig::new(sync, capacity, payload_bytes).unwrap()
}

pub(super) fn write<M: MappedMemory>(producer: &mut Producer<M>, timeout: Timeout) -> Option<u64> {
    let mut slot = producer.acquire_write_slot(timeout).ok()?;
    let sequence = slot.sequence();
    let payload = slot.payload();
    let last = payload.len() - 8;
    payload[..8].copy_from_slice(&sequence.to_le_bytes());
    payload[last..].copy_from_slice(&sequence.to_le_bytes());
    let bytes = payload.len();
    Some(slot.commit(bytes).unwrap())
}

pub(super) fn write_some<M: MappedMemory>(producer: &mut Producer<M>, count: u64) {
    for _ in 0..count {
        write(producer, Timeout::Now).unwrap();
    }
}

/// Reads the next payload and checks that it is what its label says.
pub(super) fn read<M: MappedMemory>(
    consumer: &mut Consumer<M>,
    timeout: Timeout,
) -> Result<u64, ReadError> {
    let slot = consumer.acquire_consume_slot(timeout)?;
    let label = slot.sequence().to_le_bytes();
    assert_eq!((&slot[..8], &slot[slot.len() - 8..]), (&label[..], &label[..]));
    Ok(slot.sequence())
}

/// Reads on, following the stream, until there is nothing more at once; says why.
pub(super) fn read_on<M: MappedMemory>(consumer: &mut Consumer<M>) -> (Vec<u64>, ReadError) {
    let mut seen = Vec::new();
    loop {
        match read(consumer, Timeout::Now) {
            Ok(sequence) => seen.push(sequence),
            Err(ReadError::Moved) => consumer.follow(PATIENCE).unwrap(),
            Err(error) => return (seen, error),
        }
    }
}
