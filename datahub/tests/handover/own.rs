//! A folder, a block and its payloads, for tests of hand-overs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::{Consumer, ReadError};
use datahub::memory::{MappedMemory, Shared};
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

/// Longer than any test waits.
pub(super) const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// A folder of its own.
pub(super) struct Own {
    pub(super) folder: Folder,
    root: tempfile::TempDir,
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
        Self { folder, root, _alone: alone }
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

    /// The files in the folder, hidden ones too.
    pub(super) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.path()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

pub(super) fn name() -> BlockName {
    BlockName::new("imu").unwrap()
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
