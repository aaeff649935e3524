//! The production memory, watched: something is told of each operation before it is done.
//!
//! For counting, tracing and dying at a site. An observer sees the site and nothing else, so it
//! cannot lie about a word, and needs no `unsafe` of its own.

use super::{MappedMemory, Memory, Shared, SharedWord};
use crate::sites::{self, Site};

/// Is told of each operation before it is done. It may take its time, or never return.
pub trait Observer: Clone {
    /// The operation at `site` comes next.
    fn before(&self, site: &'static Site);
}

/// [`Shared`], with an observer.
///
/// ```
/// use datahub::memory::observed::{Observed, Observer};
/// use datahub::sites::Site;
///
/// #[derive(Clone)]
/// struct Trace;
///
/// impl Observer for Trace {
///     fn before(&self, site: &'static Site) {
///         eprintln!("{}", site.name);
///     }
/// }
/// # use datahub::config::{BlockConfig, ConsumerSync};
/// # use datahub::producer::Producer;
/// # use datahub::shm::Folder;
/// let config = BlockConfig::new(ConsumerSync::Sequential, 4, 8)?;
/// let producer = Producer::create_unnamed_with(Observed(Trace), &Folder::default(), config)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Observed<O>(pub O);

impl<O: Observer> Observed<O> {
    fn tell<const SITE: u16>(&self) {
        self.0.before(const { &sites::TABLE[SITE as usize] });
    }
}

// SAFETY: every operation that is done is that of `Shared`.
unsafe impl<O: Observer> MappedMemory for Observed<O> {}

impl<O: Observer> Memory for Observed<O> {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        self.tell::<SITE>();
        Shared.load::<SITE>(word)
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        self.tell::<SITE>();
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.tell::<SITE>();
        Shared.compare_exchange::<SITE>(word, current, new)
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.tell::<SITE>();
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.tell::<SITE>();
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        self.tell::<SITE>();
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.tell::<SITE>();
        Shared.fence::<SITE>();
    }
}
