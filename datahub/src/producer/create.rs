//! Making a block, or taking a dead producer's over.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::eviction::Patience;
use super::{Home, Producer};
use crate::aligned::AlignedBytes;
use crate::block::header::{Geometry, Origin, Predecessor};
use crate::block::{Block, OpenError};
use crate::config::{BlockConfig, ChecksumPolicy};
use crate::layout::Layout;
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{self, ErrorCode, Metric};
use crate::name::BlockName;
use crate::place::Place;
use crate::pulse::Pulse;
use crate::ring::{Fate, writer};
use crate::sequence::Sequence;
use crate::shm::token::{Seat, Token};
use crate::shm::{self, Folder};
use crate::wait::{WaitStrategy, monotonic_ns};
use crate::{heartbeat, park, rules, succession};

/// Why a block could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// A living producer has the name.
    #[error("block '{name}' has a living producer{}", process.map(|id| format!(" (process {id})")).unwrap_or_default())]
    Conflict {
        /// The name.
        name: BlockName,
        /// Its process, as it told.
        process: Option<u64>,
    },
    /// The memory cannot be reserved.
    #[error("cannot reserve {wanted} bytes in {folder}: {free} are free")]
    NoSpace {
        /// Bytes of the block.
        wanted: u64,
        /// Bytes that are left.
        free: u64,
        /// Where.
        folder: String,
    },
    /// The block does not fit in an address space.
    #[error("a block of this shape is larger than any memory")]
    TooLarge,
    /// The name leads to a file that no producer of ours made; it is left alone.
    #[error("the file of block '{name}' is not a block: {reason}")]
    NotOurs {
        /// The name.
        name: BlockName,
        /// What is wrong with it.
        reason: OpenError,
    },
    /// Others made and removed the same name all the time.
    #[error("block '{0}' is being made and removed by others at the same time")]
    Contended(BlockName),
    /// The block without a name that was to be taken over has a living producer.
    #[error("the block at {} has a living producer{}", path.display(), process.map(|id| format!(" (process {id})")).unwrap_or_default())]
    Alive {
        /// Where it is.
        path: PathBuf,
        /// Its process, as it told.
        process: Option<u64>,
    },
    /// What was to be taken over is no usable block.
    #[error("the block at {} cannot be taken over: {reason}", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: OpenError,
    },
    /// The stream of the block that was to be taken over goes on in another block.
    #[error("the stream of the block at {} goes on in another block: take that one over", path.display())]
    Moved {
        /// Where it is.
        path: PathBuf,
    },
    /// The block that was to be taken over has another shape or other rules.
    #[error("the block at {} has another shape than was asked for", path.display())]
    OtherShape {
        /// Where it is.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot make the block in {folder}")]
    System {
        /// Where.
        folder: String,
        /// Why.
        source: io::Error,
    },
}

/// How often a name may change hands under our eyes.
const ATTEMPTS: u32 = 16;

impl Producer<Shared> {
    /// Makes the block called `name` in `/dev/shm`, or takes it over from a dead producer.
    ///
    /// A block of the same shape goes on where the dead producer stopped; one of another shape is
    /// replaced, and its consumers are told that it has ended.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; a living producer's block is never touched.
    pub fn create(name: &BlockName, config: BlockConfig) -> Result<Self, CreateError> {
        Self::create_with(Shared, &Folder::default(), name, config)
    }

    /// Makes a block without a name, which leaves nothing behind when its users are gone.
    /// Others attach through [`Producer::path`].
    ///
    /// # Errors
    ///
    /// [`CreateError::NoSpace`], [`CreateError::System`].
    pub fn create_unnamed(folder: &Folder, config: BlockConfig) -> Result<Self, CreateError> {
        Self::create_unnamed_with(Shared, folder, config)
    }
}

impl<M: MappedMemory> Producer<M> {
    /// As [`Producer::create`], in `folder`, over another memory.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    #[expect(clippy::needless_pass_by_value, reason = "the other constructors keep it")]
    pub fn create_with(
        mem: M,
        folder: &Folder,
        name: &BlockName,
        config: BlockConfig,
    ) -> Result<Self, CreateError> {
        for _ in 0..ATTEMPTS {
            let place = Place::Named { folder: folder.clone(), name: name.clone() };
            let made = match shm::open_file(&place.path()) {
                Ok(file) => take_over(&mem, folder, name, (file, &config))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let made = make(folder, config.clone(), 0, None)?;
                    match folder.link(made.0.file(), name) {
                        Ok(()) => Some(made),
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                        Err(error) => return Err(system(folder, error)),
                    }
                }
                Err(error) => return Err(system(folder, error)),
            };
            if let Some(made) = made {
                let home = Home { folder: folder.clone(), name: Some(name.clone()) };
                return Ok(Self::begin(mem, made, home));
            }
        }
        Err(CreateError::Contended(name.clone()))
    }

    /// As [`Producer::create_unnamed`], over another memory.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create_unnamed_with(
        mem: M,
        folder: &Folder,
        config: BlockConfig,
    ) -> Result<Self, CreateError> {
        Self::create_unnamed_from(mem, folder, config, 0)
    }

    /// An unnamed block whose first sequence is `first`, for tests of what happens late in a
    /// block's life.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create_unnamed_from(
        mem: M,
        folder: &Folder,
        config: BlockConfig,
        first: Sequence,
    ) -> Result<Self, CreateError> {
        let home = Home { folder: folder.clone(), name: None };
        Ok(Self::begin(mem, make(folder, config, first, None)?, home))
    }

    /// Takes over, from its dead producer, the block without a name to which `path` leads, and goes
    /// on where that one stopped. Somebody must have kept its file open.
    ///
    /// # Errors
    ///
    /// [`CreateError::Alive`], [`CreateError::Unusable`], [`CreateError::Moved`],
    /// [`CreateError::OtherShape`]; the block is as before. [`CreateError::NoSpace`],
    /// [`CreateError::System`].
    pub fn take_over_with(mem: M, path: &Path, config: &BlockConfig) -> Result<Self, CreateError> {
        let folder = Folder::at(path.parent().unwrap_or(path));
        let unusable = |reason| CreateError::Unusable { path: path.to_owned(), reason };
        let file = shm::open_file(path).map_err(|error| unusable(error.into()))?;
        let token = Token::take(&file, Seat::Producer).map_err(|error| system(&folder, error))?;
        let block = Block::from_file(file).map_err(unusable)?;
        let Some(token) = token else {
            let owner = heartbeat::owner(&mem, block.producer_heartbeat());
            let process = owner.map(|owner| owner.process);
            return Err(CreateError::Alive { path: path.to_owned(), process });
        };
        if has_moved(&mem, &block) {
            return Err(CreateError::Moved { path: path.to_owned() });
        }
        if block.geometry().config != *config {
            return Err(CreateError::OtherShape { path: path.to_owned() });
        }
        // A copy may have holes, which would be SIGBUS on a full file system.
        shm::fill(block.file(), block.geometry().layout.total)
            .map_err(|error| no_room(&folder, &block.geometry().layout, error))?;
        Ok(Self::begin(mem, (block, token), Home { folder, name: None }))
    }

    pub(super) fn begin(mem: M, (block, token): (Block, Token), home: Home) -> Self {
        let (process, now_ns) = (std::process::id(), monotonic_ns());
        let ring = block.ring();
        let writer = rules::resume(&mem, &ring, block.rules());
        succession::settle(&mem, &block);
        writer::begin(&mem, &ring);
        let seat = block.producer_heartbeat();
        // We hold the producer's token, so whoever is named there is dead.
        let dead = heartbeat::retire(&mem, seat).unwrap_or(0);
        heartbeat::free(&mem, seat, dead);
        // A predecessor that died asleep must not make every reader wake nobody.
        park::awake(&mem, block.space_park(), super::PRODUCER_BIT);
        let epoch = heartbeat::claim(&mem, seat, process.into(), now_ns).unwrap_or(dead + 1);
        let born = &block.metrics().words[Metric::UptimeSeconds as usize];
        if metrics::read(&mem, born) == 0 {
            metrics::set(&mem, born, now_ns);
        }
        let patience = block.geometry().config.patience().map(Patience::new);
        let batch = if patience.is_some() { writer.batch_max().max(1) } else { 0 };
        let config = &block.geometry().config;
        // As far apart as in a ring, so that each payload begins a line.
        let stride = block.geometry().layout.stride;
        let plain = batch == 0 && config.checksum_policy() == ChecksumPolicy::Manual;
        let producer = Self {
            mem,
            writer,
            wait: WaitStrategy::default(),
            home,
            epoch,
            process,
            pulse: Pulse::new(now_ns),
            looked_ns: 0,
            patience,
            plain,
            staging: AlignedBytes::zeroed(batch * stride),
            moved: false,
            block,
            _token: token,
        };
        for _ in 0..producer.writer.discarded() {
            producer.record_error(Metric::AcquireErrors, ErrorCode::SlotDiscarded);
        }
        producer
    }
}

/// Whether the stream of a block whose producer is dead goes on in another one. The caller holds the
/// producer's token.
fn has_moved<M: MappedMemory>(mem: &M, block: &Block) -> bool {
    succession::settled(mem, block, Fate::of(mem, &block.ring())) == Fate::Moved
}

/// A complete, empty block in an unnamed file, with its producer's token; `old`: the block whose stream
/// it goes on with.
pub(super) fn make(
    folder: &Folder,
    config: BlockConfig,
    first: Sequence,
    old: Option<&Block>,
) -> Result<(Block, Token), CreateError> {
    let layout = Layout::of(&config).ok_or(CreateError::TooLarge)?;
    let file = folder.reserve(layout.total).map_err(|error| no_room(folder, &layout, error))?;
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&monotonic_ns().to_le_bytes());
    nonce[8..12].copy_from_slice(&std::process::id().to_le_bytes());
    // Nobody else has seen the file, so the token is free.
    let token = Token::take(&file, Seat::Producer)
        .and_then(|token| token.ok_or_else(|| io::ErrorKind::ResourceBusy.into()))
        .map_err(|error| system(folder, error))?;
    let origin = origin(nonce, old).map_err(|error| system(folder, error))?;
    let geometry = Geometry { config, layout, first, nonce, origin };
    let block = Block::format(file, geometry).map_err(|error| system(folder, error))?;
    Ok((block, token))
}

fn origin(nonce: [u8; 16], old: Option<&Block>) -> io::Result<Origin> {
    let Some(old) = old else { return Ok(Origin { stream: nonce, predecessor: None }) };
    let (device, file) = shm::identity(old.file())?;
    let (stream, nonce) = (old.geometry().origin.stream, old.geometry().nonce);
    Ok(Origin { stream, predecessor: Some(Predecessor { nonce, device, file }) })
}

/// The name is taken: by somebody alive, or may we have it? `None`: look again.
fn take_over<M: MappedMemory>(
    mem: &M,
    folder: &Folder,
    name: &BlockName,
    (file, config): (File, &BlockConfig),
) -> Result<Option<(Block, Token)>, CreateError> {
    let opened = Block::from_file(file.try_clone().map_err(|error| system(folder, error))?);
    let token = Token::take(&file, Seat::Producer).map_err(|error| system(folder, error))?;
    let Some(token) = token else {
        let process = opened.ok().and_then(|block| {
            metrics::add(mem, &block.metrics().words[Metric::LockContention as usize], 1);
            heartbeat::owner(mem, block.producer_heartbeat()).map(|owner| owner.process)
        });
        return Err(CreateError::Conflict { name: name.clone(), process });
    };
    // It may have led to another file before we had the token; then the file is none of our business.
    if !folder.leads_to(&file, name).map_err(|error| system(folder, error))? {
        return Ok(None);
    }
    folder.sweep(name).map_err(|error| system(folder, error))?;
    match opened {
        // A copy of it, perhaps: the name leads to the successor. What it says stays true.
        Ok(block) if has_moved(mem, &block) => {
            folder.unlink(&file, name).map_err(|error| system(folder, error))?;
            Ok(None)
        }
        Ok(block) if block.geometry().config == *config => {
            // A copy may have holes, which would be SIGBUS on a full file system.
            shm::fill(&file, block.geometry().layout.total)
                .map_err(|error| no_room(folder, &block.geometry().layout, error))?;
            Ok(Some((block, token)))
        }
        Ok(block) => {
            writer::end(mem, &block.ring());
            folder.unlink(&file, name).map_err(|error| system(folder, error))?;
            Ok(None)
        }
        Err(OpenError::System(error)) => Err(system(folder, error)),
        Err(reason) if reason.is_damage() => {
            folder.unlink(&file, name).map_err(|error| system(folder, error))?;
            Ok(None)
        }
        Err(reason) => Err(CreateError::NotOurs { name: name.clone(), reason }),
    }
}

fn system(folder: &Folder, source: io::Error) -> CreateError {
    CreateError::System { folder: folder.path().display().to_string(), source }
}

fn no_room(folder: &Folder, layout: &Layout, error: io::Error) -> CreateError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        // Not for want of room, however much is free.
        let wanted = layout.total;
        let why = format!("{error}: {wanted} bytes are more than one file may have (`ulimit -f`)");
        return system(folder, io::Error::new(error.kind(), why));
    }
    if error.kind() != io::ErrorKind::StorageFull {
        return system(folder, error);
    }
    CreateError::NoSpace {
        wanted: layout.total as u64,
        free: folder.free_bytes().unwrap_or(0),
        folder: folder.path().display().to_string(),
    }
}
