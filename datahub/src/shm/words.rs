//! A bare array of shared words: no block, no protocol.
//!
//! For what stands beside blocks: a start barrier, a progress counter, the bare cache line that a
//! block's latency is compared with.

#![expect(unsafe_code, reason = "L2: mapped bytes become words")]
#![expect(clippy::inline_always, reason = "this is the bare line that others are measured against")]

use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::{Folder, Mapping};
use crate::memory::SharedWord;

/// Words that many processes write: they never share a line, nor a pair of lines.
pub type WordMap = WordArray<128>;

/// Words one behind the other, for one process that writes many of them.
pub type DenseWords = WordArray<8>;

/// An array of words in an unnamed file, `STRIDE` bytes from one to the next.
#[derive(Debug)]
pub struct WordArray<const STRIDE: usize> {
    base: NonNull<u8>,
    words: usize,
    file: File,
    _map: Mapping,
}

// SAFETY: the mapping has no owner thread and holds atomics only.
unsafe impl<const STRIDE: usize> Send for WordArray<STRIDE> {}
// SAFETY: as above.
unsafe impl<const STRIDE: usize> Sync for WordArray<STRIDE> {}

impl<const STRIDE: usize> WordArray<STRIDE> {
    /// `words` words, all 0, in an unnamed file of `folder`.
    ///
    /// # Errors
    ///
    /// When the memory cannot be had.
    pub fn create(folder: &Folder, words: usize) -> io::Result<Self> {
        let bytes = words.checked_mul(STRIDE).ok_or(io::ErrorKind::FileTooLarge)?;
        Self::map(folder.reserve(bytes.max(STRIDE))?, words)
    }

    /// The words that another process made, through its [`path`](Self::path).
    ///
    /// # Errors
    ///
    /// When the file cannot be opened and mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = super::open_file(path)?;
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        Self::map(file, bytes / STRIDE)
    }

    fn map(file: File, words: usize) -> io::Result<Self> {
        const { assert!(STRIDE >= 8 && STRIDE.is_multiple_of(8)) };
        let map = Mapping::new(&file, words.max(1) * STRIDE)?;
        let base = map.base().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { base, words, file, _map: map })
    }

    /// A path through which other processes can open the words while this one lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()).into()
    }

    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    #[inline(always)]
    fn word(&self, index: usize) -> &SharedWord {
        assert!(index < self.words, "there are {} words", self.words);
        // SAFETY: `index` is below the number of words, whose strides lie inside the mapping.
        let place = unsafe { self.base.add(index * STRIDE) }.cast::<SharedWord>();
        // SAFETY: strides keep the words aligned; they are atomics; the mapping lives with `self`.
        unsafe { place.as_ref() }
    }

    /// Reads a word, and with it everything its writer did before.
    #[inline(always)]
    #[must_use]
    pub fn read(&self, index: usize) -> u64 {
        // Partner: `publish` and `add`.
        self.word(index).load(Ordering::Acquire)
    }

    /// Writes a word after everything that was done before.
    #[inline(always)]
    pub fn publish(&self, index: usize, value: u64) {
        // Partner: `read`.
        self.word(index).store(value, Ordering::Release);
    }

    /// Writes a word that others may read once another one is published behind it.
    #[inline(always)]
    pub fn set(&self, index: usize, value: u64) {
        // The `publish` behind it carries this.
        self.word(index).store(value, Ordering::Relaxed);
    }

    /// Adds to a word; returns what stood there before.
    #[expect(clippy::must_use_candidate, reason = "adding is often all that is wanted")]
    #[inline(always)]
    pub fn add(&self, index: usize, amount: u64) -> u64 {
        // Partner: `read` and `add`.
        self.word(index).fetch_add(amount, Ordering::AcqRel)
    }
}
