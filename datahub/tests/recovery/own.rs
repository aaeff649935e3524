//! A folder, a block and its payloads, for tests of recovery.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::memory::{MappedMemory, Shared};
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

/// Longer than any test waits.
pub(super) const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// A block's folder of its own.
pub(super) struct Own {
    pub(super) folder: Folder,
    _root: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time: between fork and exec, a child that another test starts shares the tokens of
/// this process, and a token that was given back meanwhile still looks held.
static ALONE: Mutex<()> = Mutex::new(());

impl Own {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let folder = Folder::at(root.path());
        // A test that failed has left nothing behind.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { folder, _root: root, _alone: alone }
    }

    pub(super) fn create(&self, config: BlockConfig) -> Producer {
        Producer::create_with(Shared, &self.folder, &name(), config).unwrap()
    }

    pub(super) fn place(&self) -> Place {
        Place::Named { folder: self.folder.clone(), name: name() }
    }

    pub(super) fn attach(&self) -> Consumer {
        Consumer::attach(self.place(), JoinAt::Oldest).unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        fs::read(self.place().path()).unwrap()
    }
}

/// Leaves a file where a block should be.
pub(super) fn plant(own: &Own, content: &[u8]) {
    fs::write(own.place().path(), content).unwrap();
    fs::set_permissions(own.place().path(), fs::Permissions::from_mode(0o600)).unwrap();
}

pub(super) fn name() -> BlockName {
    BlockName::new("imu").unwrap()
}

pub(super) fn shape(sync: ConsumerSync) -> BlockConfig {
    let config = BlockConfig::new(sync, 2, 8).unwrap();
    config.checksum(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Enforced)
}

pub(super) fn write<M: MappedMemory>(producer: &mut Producer<M>) -> u64 {
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    slot.commit(8).unwrap()
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
