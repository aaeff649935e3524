//! Where a block is found: by name in a folder, or through a path that somebody passed on.

use std::path::PathBuf;

use crate::name::BlockName;
use crate::shm::Folder;

/// Where a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Under a name.
    Named {
        /// The folder, `/dev/shm` as a rule.
        folder: Folder,
        /// The name.
        name: BlockName,
    },
    /// In a file, for instance `/proc/PID/fd/N` of the process that made an unnamed block.
    File(PathBuf),
}

impl Place {
    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Named { folder, name } => folder.file_of(name),
            Self::File(path) => path.clone(),
        }
    }
}

impl From<BlockName> for Place {
    fn from(name: BlockName) -> Self {
        Self::Named { folder: Folder::default(), name }
    }
}

impl From<&BlockName> for Place {
    fn from(name: &BlockName) -> Self {
        name.clone().into()
    }
}
