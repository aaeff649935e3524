//! Segments: files of a memory file system, reserved whole, readable by their user only.
//!
//! A segment is made without a name and linked when it is complete, so a name never shows half a
//! block, and a creator that dies leaves nothing (F18). Its memory is reserved before it is mapped:
//! a full file system is an error, never SIGBUS. A name is only removed while it still leads to the
//! segment that was meant, so nobody removes a successor's block.
//! Knows nothing of: what a segment holds.

pub mod token;
pub mod words;

use core::ptr::NonNull;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use memmap2::{Advice, MmapOptions, MmapRaw};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, posix_fallocate};
use nix::sys::stat::Mode;
use nix::sys::statvfs::statvfs;
use nix::unistd::{geteuid, linkat};

use crate::name::BlockName;

/// What stands before a block's name in its folder.
const PREFIX: &str = "datahub.";

/// The folder in which names live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Default for Folder {
    /// `/dev/shm`.
    fn default() -> Self {
        Self(PathBuf::from("/dev/shm"))
    }
}

impl Folder {
    /// Another folder, on any file system that can hold unnamed files (tmpfs, ext4, xfs).
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of the block called `name`.
    #[must_use]
    pub fn file_of(&self, name: &BlockName) -> PathBuf {
        self.0.join(format!("{PREFIX}{name}"))
    }

    /// The names in the folder, sorted. Files that are not named like blocks are passed over.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn names(&self) -> io::Result<Vec<BlockName>> {
        let mut names = Vec::new();
        for entry in self.0.read_dir()? {
            let file = entry?.file_name();
            let name = file.to_str().and_then(|file| file.strip_prefix(PREFIX));
            names.extend(name.and_then(|name| BlockName::new(name).ok()));
        }
        names.sort();
        Ok(names)
    }

    /// Bytes that can still be reserved here.
    ///
    /// # Errors
    ///
    /// When the folder is not there.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let facts = statvfs(&self.0)?;
        Ok(facts.blocks_available() * facts.fragment_size())
    }

    /// An unnamed file of `bytes` zero bytes, all of them reserved.
    ///
    /// # Errors
    ///
    /// `StorageFull` when they cannot be had; any other error of the folder.
    pub fn reserve(&self, bytes: usize) -> io::Result<File> {
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let file = File::from(open(&self.0, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
        fill(&file, bytes)?;
        Ok(file)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the name is taken.
    pub fn link(&self, file: &File, name: &BlockName) -> io::Result<()> {
        let unnamed = reopenable(file);
        let named = self.file_of(name);
        Ok(linkat(AT_FDCWD, &unnamed, AT_FDCWD, &named, AtFlags::AT_SYMLINK_FOLLOW)?)
    }

    /// Removes `name` if it still leads to `file`; says whether it did.
    ///
    /// # Errors
    ///
    /// When the folder does not allow it.
    pub fn unlink(&self, file: &File, name: &BlockName) -> io::Result<bool> {
        let ours = self.leads_to(file, name)?;
        if ours {
            std::fs::remove_file(self.file_of(name))?;
            self.sweep(name)?;
        }
        Ok(ours)
    }

    /// Lets `name`, if it leads to `old`, lead to `new` from one moment to the next; says whether it did.
    /// The caller holds the producer's token of `old`, without which nobody takes the name away.
    ///
    /// # Errors
    ///
    /// When the folder does not allow it; the name is as before.
    pub fn replace(&self, old: &File, new: &File, name: &BlockName) -> io::Result<bool> {
        if !self.leads_to(old, name)? {
            return Ok(false);
        }
        self.sweep(name)?;
        let aside = self.aside(name);
        linkat(AT_FDCWD, &reopenable(new), AT_FDCWD, &aside, AtFlags::AT_SYMLINK_FOLLOW)?;
        let replaced = std::fs::rename(&aside, self.file_of(name));
        if replaced.is_err() {
            // Nothing more can be done about a folder that refuses both.
            let _swept = self.sweep(name);
        }
        replaced.map(|()| true)
    }

    /// Removes what somebody left who died while the name changed hands. The caller holds the token of
    /// the producer that has the name.
    ///
    /// # Errors
    ///
    /// When the folder does not allow it.
    pub fn sweep(&self, name: &BlockName) -> io::Result<()> {
        match std::fs::remove_file(self.aside(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Where a successor stands for the moment before it gets the name. No block is called like this.
    fn aside(&self, name: &BlockName) -> PathBuf {
        self.0.join(format!(".{PREFIX}{name}.next"))
    }

    /// The folder and the name of a block's file; `None` for other files.
    pub(crate) fn of_file(path: &Path) -> Option<(Self, BlockName)> {
        let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
        Some((Self(path.parent()?.to_owned()), BlockName::new(name).ok()?))
    }

    /// Whether `name` leads to `file`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn leads_to(&self, file: &File, name: &BlockName) -> io::Result<bool> {
        match self.file_of(name).symlink_metadata() {
            Ok(found) => Ok(same_file(&found, &file.metadata()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// How often signals may interrupt a reservation, which then begins anew.
const FILL_ATTEMPTS: u32 = 64;

/// Reserves the first `bytes` bytes of the file, where they are not yet.
///
/// # Errors
///
/// `StorageFull` when they cannot be had; `FileTooLarge`; `Interrupted` when signals come so fast that
/// the kernel never gets to the end: block them, or let a thread make the block that gets none.
pub fn fill(file: &File, bytes: usize) -> io::Result<()> {
    let length = i64::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
    // In one call: only so does the kernel refuse at once what is larger than the whole file system.
    uninterrupted(|| posix_fallocate(file, 0, length))
}

/// Calls again what a signal has interrupted, a bounded number of times.
fn uninterrupted(mut call: impl FnMut() -> Result<(), Errno>) -> io::Result<()> {
    for _ in 0..FILL_ATTEMPTS {
        match call() {
            Err(Errno::EINTR) => {}
            done => return Ok(done?),
        }
    }
    let told =
        format!("signals have interrupted all of {FILL_ATTEMPTS} attempts to reserve the memory");
    Err(io::Error::new(io::ErrorKind::Interrupted, told))
}

/// The device of the file and its number there.
///
/// # Errors
///
/// Those of `fstat`.
pub(crate) fn identity(file: &File) -> io::Result<(u64, u64)> {
    let facts = file.metadata()?;
    Ok((facts.dev(), facts.ino()))
}

fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// A path through which this process can open the file again, with a description of its own.
#[must_use]
pub fn reopenable(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Opens a segment for reading and writing. Links are not followed.
///
/// # Errors
///
/// Those of `open`.
pub fn open_file(path: &Path) -> io::Result<File> {
    let through_proc = path.starts_with("/proc");
    let follow = if through_proc { OFlag::empty() } else { OFlag::O_NOFOLLOW };
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | follow;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

/// Whether the file is a regular one of this user, closed to all others; if not, whose it is and
/// its mode.
///
/// # Errors
///
/// Those of `fstat`.
pub fn stranger(file: &File) -> io::Result<Option<(u32, u32)>> {
    let facts = file.metadata()?;
    // The six low bits are what others may do.
    let ours =
        facts.is_file() && facts.uid() == geteuid().as_raw() && facts.mode().trailing_zeros() >= 6;
    Ok((!ours).then(|| (facts.uid(), facts.mode() & 0o7777)))
}

/// The mapping of a segment. A forked child does not inherit it, it is left out of core dumps, and
/// only the process that mapped it unmaps it: in a child something else may stand there.
#[derive(Debug)]
pub struct Mapping {
    map: Option<MmapRaw>,
    process: u32,
}

impl Mapping {
    /// Maps the first `bytes` bytes.
    ///
    /// # Errors
    ///
    /// Those of `mmap` and `madvise`.
    pub fn new(file: &File, bytes: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(bytes).map_raw(file)?;
        map.advise(Advice::DontFork)?;
        map.advise(Advice::DontDump)?;
        Ok(Self { map: Some(map), process: std::process::id() })
    }

    /// Where it begins.
    pub(crate) fn base(&self) -> Option<NonNull<u8>> {
        self.map.as_ref().and_then(|map| NonNull::new(map.as_mut_ptr()))
    }
}

impl Drop for Mapping {
    #[expect(clippy::mem_forget, reason = "a forked child must not unmap what its parent mapped")]
    fn drop(&mut self) {
        if std::process::id() != self.process {
            core::mem::forget(self.map.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call that so many signals interrupt, and how often it was made.
    fn calls(signals: u32) -> (io::Result<()>, u32) {
        let mut calls = 0;
        let done = uninterrupted(|| {
            calls += 1;
            if calls <= signals { Err(Errno::EINTR) } else { Ok(()) }
        });
        (done, calls)
    }

    #[test]
    fn signals_delay_a_reservation_and_never_hold_it_up_for_ever() {
        for signals in [0, 1, FILL_ATTEMPTS - 1] {
            let (done, calls) = calls(signals);
            assert!(done.is_ok() && calls == signals + 1, "{signals}");
        }
        let (done, calls) = calls(u32::MAX);
        let error = done.unwrap_err();
        assert_eq!((error.kind(), calls), (io::ErrorKind::Interrupted, FILL_ATTEMPTS));
        assert!(error.to_string().contains("signals"), "{error}");
    }
}
