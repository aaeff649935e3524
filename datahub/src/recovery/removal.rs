//! Taking a block's name away, which frees its memory when its last user leaves.

use std::fs::File;
use std::io;

use crate::block::{Block, OpenError};
use crate::heartbeat;
use crate::memory::Shared;
use crate::metrics;
use crate::name::BlockName;
use crate::ring::Fate;
use crate::shm::token::{Seat, Token};
use crate::shm::{self, Folder};

/// Why a name was not taken away. It is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// There is no such block.
    #[error("there is no block called '{0}'")]
    NotFound(BlockName),
    /// Its producer lives.
    #[error("block '{name}' has a living producer{}", process.map(|id| format!(" (process {id})")).unwrap_or_default())]
    Alive {
        /// The name.
        name: BlockName,
        /// Its process, as it told.
        process: Option<u64>,
    },
    /// The file is no block, or one of another release; it is left alone.
    #[error("the file of block '{name}' is left alone: {reason}")]
    NotOurs {
        /// The name.
        name: BlockName,
        /// What is wrong with it.
        reason: OpenError,
    },
    /// The operating system refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Removes the name of a block whose producer is dead or gone, and tells its consumers that it has ended.
///
/// # Errors
///
/// [`RemoveError`]; a living producer's block and files of others are never touched.
pub fn unlink(folder: &Folder, name: &BlockName) -> Result<(), RemoveError> {
    let file = match shm::open_file(&folder.file_of(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RemoveError::NotFound(name.clone()));
        }
        opened => opened?,
    };
    let block = open(&file, name)?;
    let Some(_token) = Token::take(&file, Seat::Producer)? else {
        let owner = block.and_then(|b| heartbeat::owner(&Shared, b.producer_heartbeat()));
        let process = owner.map(|owner| owner.process);
        return Err(RemoveError::Alive { name: name.clone(), process });
    };
    // Under the token: no producer can take the block over now, and the name is checked once more.
    let ours = folder.unlink(&file, name)?;
    if !ours {
        return Err(RemoveError::NotFound(name.clone()));
    }
    if let Some(block) = block {
        metrics::set(&Shared, block.closed(), Fate::Ended.encode());
    }
    Ok(())
}

/// The block, if its header can be used; a damaged block of ours may go, too.
fn open(file: &File, name: &BlockName) -> Result<Option<Block>, RemoveError> {
    match Block::from_file(file.try_clone()?) {
        Ok(block) => Ok(Some(block)),
        Err(error) if error.is_damage() => Ok(None),
        Err(OpenError::System(error)) => Err(error.into()),
        Err(reason) => Err(RemoveError::NotOurs { name: name.clone(), reason }),
    }
}
