//! The memory that lies, or in which its user dies: everything passes through to the real one,
//! except at the planted site.

#![expect(unsafe_code, reason = "a defect in the protocol's memory is what is planted here")]

use std::rc::Rc;

use datahub::memory::{MappedMemory, Memory, Shared, SharedWord};
use datahub::ring::Newest;
use datahub::sites::{R_ADMIT, R_LABEL, R_LATEST, R_PEEK, W_COMMIT, W_DRAIN, W_LOOK, W_TAKE};
use datahub::slot::{SlotState, SlotWord};

use super::fate::Acts;
use super::{Knowledge, Plant};
use crate::run::pace::busy;

/// The reader bits of a slot's word.
const READERS: u64 = (u32::MAX as u64) << 2;
/// Where the tag of a slot's word begins.
const TAG_SHIFT: u32 = 34;
/// Where the label of the word that names the newest commit begins.
const LABEL_SHIFT: u32 = 20;
/// One commit in so many is tampered with.
const EVERY: u64 = 1_000;
/// One look in so many is delayed.
const DELAY_EVERY: u64 = 64;
/// By so much.
const DELAY_NS: u64 = 200_000;

/// The real memory, but for one lie or one death.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    plant: Option<Plant>,
    knowledge: Rc<Knowledge>,
}

impl Planted {
    pub(super) fn new(plant: Option<Plant>, knowledge: Rc<Knowledge>) -> Self {
        Self { plant, knowledge }
    }

    /// The real memory, in which its user dies at its so-manieth visit to a site.
    pub(crate) fn mortal(site: u16, hit: u64) -> Self {
        Self::new(None, Rc::new(Knowledge::new(Acts::mortal(site, hit))))
    }

    /// The real memory, and a count of the visits to each site.
    pub(crate) fn scout() -> Self {
        Self::new(None, Rc::new(Knowledge::new(Acts::scout())))
    }

    /// How often each site was visited, by [`scout`](Self::scout).
    pub(crate) fn visits(&self) -> Vec<u64> {
        self.knowledge.acts.visits()
    }

    fn skips(&self) -> bool {
        self.plant == Some(Plant::SkipDrain)
    }

    fn drops(&self) -> bool {
        self.plant == Some(Plant::DropLabel)
    }

    fn comes_to<const SITE: u16>(&self) {
        self.knowledge.acts.comes_to(SITE);
    }

    /// Spoils the payload that is about to be committed.
    fn spoil(&self) {
        if let Some(door) = self.knowledge.door.get() {
            door.flip(self.knowledge.slot.get());
        }
    }

    /// A committed word under the tag that the reader looks for.
    fn disguised(&self, word: u64) -> u64 {
        match Newest::decode(self.knowledge.newest.get()) {
            Some(newest) if SlotWord::from_bits(word).state() == SlotState::Committed => {
                word & !(u64::MAX << TAG_SHIFT) | newest.tag() << TAG_SHIFT
            }
            _ => word,
        }
    }
}

// SAFETY: without a plant every operation is that of `Shared`. With one, exclusion is broken on
// purpose, in a worker process whose only use of its payloads is to find that out.
unsafe impl MappedMemory for Planted {}

impl Memory for Planted {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        self.comes_to::<SITE>();
        match SITE {
            W_LOOK | W_DRAIN if self.skips() => Shared.load::<SITE>(word) & !READERS,
            R_LATEST if self.drops() => {
                let newest = Shared.load::<SITE>(word);
                self.knowledge.newest.set(newest);
                newest
            }
            R_PEEK if self.drops() => {
                if self.knowledge.due(DELAY_EVERY) {
                    busy(DELAY_NS);
                }
                self.disguised(Shared.load::<SITE>(word))
            }
            R_LABEL if self.drops() => self.knowledge.newest.get() >> LABEL_SHIFT,
            _ => Shared.load::<SITE>(word),
        }
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        self.comes_to::<SITE>();
        if SITE == W_COMMIT {
            match self.plant {
                Some(Plant::LoseCommit) if self.knowledge.due(EVERY) => return,
                Some(Plant::CorruptByte) if self.knowledge.due(EVERY) => self.spoil(),
                _ if self.knowledge.acts.spoils() => self.spoil(),
                _ => {}
            }
        }
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.comes_to::<SITE>();
        match SITE {
            W_TAKE if self.skips() => loop {
                let found = Shared.load::<W_LOOK>(word);
                if Shared.compare_exchange::<SITE>(word, found, new).is_ok() {
                    return Ok(current);
                }
            },
            R_ADMIT if self.drops() => {
                let found = Shared.load::<R_PEEK>(word);
                if SlotWord::from_bits(found).state() != SlotState::Committed {
                    return Err(found);
                }
                let entered = found | (new & !current);
                let exchanged = Shared.compare_exchange::<SITE>(word, found, entered);
                exchanged.map_err(|found| self.disguised(found))
            }
            _ => Shared.compare_exchange::<SITE>(word, current, new),
        }
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.comes_to::<SITE>();
        Shared.fence::<SITE>();
    }
}
