//! A folder for blocks that one test has to itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use datahub::config::BlockConfig;
use datahub::consumer::Consumer;
use datahub::memory::Shared;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;

/// The folder, and the one name that is used in it.
pub(crate) struct Own {
    pub(crate) folder: Folder,
    _root: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time: between fork and exec, a child that another test starts shares the tokens of
/// this process, and a token that was given back meanwhile still looks held.
static ALONE: Mutex<()> = Mutex::new(());

impl Own {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let folder = Folder::at(root.path());
        // A test that failed has left nothing behind.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { folder, _root: root, _alone: alone }
    }

    pub(crate) fn create(&self, config: BlockConfig) -> Producer {
        Producer::create_with(Shared, &self.folder, &name(), config).unwrap()
    }

    pub(crate) fn place(&self) -> Place {
        Place::Named { folder: self.folder.clone(), name: name() }
    }

    pub(crate) fn attach(&self) -> Consumer {
        Consumer::attach(self.place(), JoinAt::Oldest).unwrap()
    }
}

pub(crate) fn name() -> BlockName {
    BlockName::new("imu").unwrap()
}
