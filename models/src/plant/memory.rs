//! The memory that lies: everything passes through to the real one, except at the planted sites.

use core::cell::{Cell, RefCell};

use datahub::memory::Memory;
use datahub::ring::Newest;
use datahub::sequence;
use datahub::sites::{
    C_CURSOR, C_JOIN, E_DONE, E_RETIRE, G_CURSOR, G_REGISTRY, H_RETIRE, P_AWAKE, P_SIGNAL, P_SLEEP,
    R_ADMIT, R_CLOSED, R_COMMIT_INDEX, R_LABEL, R_LATEST, R_NEXT, R_PEEK, R_RELEASE, W_ABORT,
    W_COMMIT, W_COMMIT_INDEX, W_DRAIN, W_GENERATION, W_LABEL, W_LATEST, W_LENGTH, W_LOOK, W_REOPEN,
    W_TAKE, X_RESET, Z_LOCK_RECLAIM, Z_SEQ_AGAIN, Z_SEQ_LOOK, Z_TWO_AGAIN, Z_TWO_LOOK,
};
use datahub::slot::{SlotState, SlotWord};

use super::Plant;
use crate::litmus::sites::{LOAD_ACQUIRE, RMW_ACQUIRE};
use crate::memory::ModelMemory;
use crate::trace::Name;

const STATE: u64 = 0b11;
/// The reader bits of a slot's word.
const READERS: u64 = (u32::MAX as u64) << 2;
/// Where the tag of a slot's word begins.
const TAG_SHIFT: u32 = 34;
/// Where the label of the word that names the newest commit begins.
const LABEL_SHIFT: u32 = 20;
/// The operations of a commit and of its announcement.
const COMMITTING: [u16; 6] = [W_LABEL, W_LENGTH, W_GENERATION, W_COMMIT, W_COMMIT_INDEX, W_LATEST];
/// A lock that is taken by force is taken within so many attempts.
const FORCED: u32 = 4;

/// What a role's defect remembers.
#[derive(Debug)]
struct Notes<W> {
    /// The word that names the newest commit, as this role saw it last; 0: never.
    newest: Cell<u64>,
    /// The slot's word before it was disguised.
    peeked: Cell<u64>,
    /// The count that a read began with, or who was registered.
    count: Cell<u64>,
    /// Whether this role has joined, or announced that it sleeps.
    announced: Cell<bool>,
    /// What is looked at is answered from memory.
    blind: Cell<bool>,
    /// The label of a payload that recovery brings back; its tag.
    restamped: Cell<Option<u64>>,
    /// This consumer's cursor and what it says.
    cursor: RefCell<Option<(W, u64)>>,
    /// Commits that are held back.
    held: RefCell<Vec<(W, u64)>>,
    /// Where this producer announces the newest payload.
    latest: RefCell<Option<W>>,
    /// Whether this role is in the middle of an eviction of its own.
    evicts: Cell<bool>,
    /// The seat at which a dead producer was, and what is to stay of its word.
    unsettled: RefCell<Option<(W, u64)>>,
}

impl<W> Notes<W> {
    /// What who does not look again takes for what is there: who is registered stays so, and nothing
    /// has come.
    const fn before(&self, site: u16) -> u64 {
        if site == G_REGISTRY { self.count.get() } else { 0 }
    }
}

/// A memory with one defect, or with none.
#[derive(Debug)]
pub(crate) struct Planted<'m, M: Memory> {
    mem: &'m M,
    plant: Option<Plant>,
    notes: Notes<M::Word>,
}

/// `word` in another state.
const fn in_state(word: u64, state: SlotState) -> u64 {
    word & !STATE | state as u64
}

impl<'m, M: ModelMemory> Planted<'m, M> {
    /// `mem` with this defect.
    pub(crate) const fn new(mem: &'m M, plant: Option<Plant>) -> Self {
        let notes = Notes {
            newest: Cell::new(0),
            peeked: Cell::new(0),
            count: Cell::new(0),
            announced: Cell::new(false),
            blind: Cell::new(false),
            restamped: Cell::new(None),
            cursor: RefCell::new(None),
            held: RefCell::new(Vec::new()),
            latest: RefCell::new(None),
            evicts: Cell::new(false),
            unsettled: RefCell::new(None),
        };
        Self { mem, plant, notes }
    }

    fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// Does what was held back; called before whatever must come after it.
    pub(crate) fn settle(&self) {
        for (word, value) in self.notes.held.take() {
            self.mem.store::<W_COMMIT>(&word, value);
        }
    }

    /// Before an operation at `site` that does not belong to the commit that is held back.
    fn pass(&self, site: u16) {
        let held = self.has(Plant::AnnounceFirst) || self.has(Plant::BatchForwards);
        if held && !COMMITTING.contains(&site) {
            self.settle();
        }
    }

    fn note_announcement(&self, site: u16) {
        if matches!(site, C_JOIN | P_SLEEP) {
            self.notes.announced.set(true);
        }
    }

    /// A committed word under the tag that the reader looks for.
    fn disguised(&self, word: u64) -> u64 {
        self.notes.peeked.set(word);
        match Newest::decode(self.notes.newest.get()) {
            Some(newest) if SlotWord::from_bits(word).state() == SlotState::Committed => {
                word & !(u64::MAX << TAG_SHIFT) | newest.tag() << TAG_SHIFT
            }
            _ => word,
        }
    }

    /// What the defect makes of the `value` that was loaded at `site`.
    fn loaded(&self, site: u16, value: u64) -> u64 {
        let Some(plant) = self.plant else { return value };
        match (plant, site) {
            (Plant::SkipDrain, W_LOOK | W_DRAIN) => value & !READERS,
            (Plant::DropLabel | Plant::JoinerUnpinned, R_LATEST) => {
                self.notes.newest.set(value);
                value
            }
            (Plant::DropLabel, R_PEEK) => self.disguised(value),
            (Plant::DropLabel, R_LABEL) if self.notes.newest.get() != 0 => {
                self.notes.newest.get() >> LABEL_SHIFT
            }
            (Plant::SkipGeneration, Z_SEQ_AGAIN | Z_TWO_AGAIN) => self.notes.count.get(),
            // Whoever joined once counts for ever.
            (Plant::CountsTheDead, G_REGISTRY) => value | u64::from(value >> 32 != 0),
            (Plant::IgnoresCursors, G_CURSOR) => u64::MAX,
            (Plant::SleepsUnchecked, P_SIGNAL) => {
                self.notes.blind.set(self.notes.announced.get());
                value
            }
            (
                Plant::SleepsUnchecked,
                R_COMMIT_INDEX | R_LATEST | R_NEXT | R_PEEK | R_CLOSED | G_CURSOR | G_REGISTRY,
            ) if self.notes.blind.get() => self.notes.before(site),
            (Plant::SleepsUnchecked, W_LOOK | W_DRAIN) if self.notes.blind.get() => {
                self.notes.peeked.get()
            }
            (Plant::SleepsUnchecked, W_LOOK | W_DRAIN) => {
                self.notes.peeked.set(value);
                value
            }
            (Plant::SleepsUnchecked, G_REGISTRY)
            | (Plant::SkipGeneration, Z_SEQ_LOOK | Z_TWO_LOOK) => {
                self.notes.count.set(value);
                value
            }
            (Plant::ReapsTheLiving, LOAD_ACQUIRE) => 1,
            _ => value,
        }
    }

    /// After the gated reader looked at a slot's word: its cursor moves at once.
    fn move_cursor(&self, seen: u64) {
        let mut cursor = self.notes.cursor.borrow_mut();
        if let Some((word, next)) = cursor.as_mut() {
            let seen = SlotWord::from_bits(seen);
            if seen.state() == SlotState::Committed && seen.tag() == sequence::tag(*next) {
                self.mem.store::<C_CURSOR>(word, *next + 1);
            }
        }
    }

    /// An exchange that succeeds whatever is there.
    fn force<const SITE: u16>(&self, word: &M::Word, current: u64, new: u64) -> Result<u64, u64> {
        let mut expected = current;
        for _ in 0..FORCED {
            match self.mem.compare_exchange::<SITE>(word, expected, new) {
                Ok(_) => return Ok(current),
                Err(found) => expected = found,
            }
        }
        Err(expected)
    }

    /// Enters a slot in a wrong way.
    fn enter(&self, word: &M::Word, current: u64, new: u64) -> Result<u64, u64> {
        let bit = new & !current;
        match self.plant {
            Some(Plant::DropLabel) if self.notes.newest.get() != 0 => {
                let peeked = self.notes.peeked.get();
                let entered = self.mem.compare_exchange::<R_ADMIT>(word, peeked, peeked | bit);
                entered.map(|_| current).map_err(|found| self.disguised(found))
            }
            Some(Plant::DropRecheck) => {
                if let Err(_other) = self.mem.compare_exchange::<R_ADMIT>(word, current, new) {
                    self.mem.fetch_or::<R_ADMIT>(word, bit);
                }
                Ok(current)
            }
            Some(Plant::JoinerUnpinned)
                if self.notes.announced.get() && self.notes.newest.get() == 0 =>
            {
                match self.mem.load::<R_NEXT>(word) {
                    found if found == current => Ok(current),
                    found => Err(found),
                }
            }
            _ => self.mem.compare_exchange::<R_ADMIT>(word, current, new),
        }
    }
}

impl<M: ModelMemory> Memory for Planted<'_, M> {
    type Word = M::Word;

    fn load<const SITE: u16>(&self, word: &M::Word) -> u64 {
        self.pass(SITE);
        if SITE == R_LABEL
            && let Some(tag) = self.notes.restamped.take()
        {
            self.mem.store::<W_LABEL>(word, tag);
            return tag;
        }
        let value = self.mem.load::<SITE>(word);
        if SITE == R_NEXT && self.has(Plant::CursorEarly) {
            self.move_cursor(value);
        }
        self.loaded(SITE, value)
    }

    fn store<const SITE: u16>(&self, word: &M::Word, value: u64) {
        self.pass(SITE);
        let Some(plant) = self.plant else { return self.mem.store::<SITE>(word, value) };
        match (plant, SITE) {
            (Plant::AnnounceFirst | Plant::BatchForwards, W_COMMIT) => {
                self.notes.held.borrow_mut().push((word.clone(), value));
            }
            (Plant::BatchForwards, W_COMMIT_INDEX) => {
                self.notes.held.borrow_mut().reverse();
                self.settle();
                self.mem.store::<SITE>(word, value);
            }
            (Plant::AbortPublishes, W_ABORT) => {
                self.mem.store::<SITE>(word, in_state(value, SlotState::Committed));
            }
            (Plant::AbortForgets, W_LATEST) => {
                *self.notes.latest.borrow_mut() = Some(word.clone());
                self.mem.store::<SITE>(word, value);
            }
            (Plant::AbortForgets, W_ABORT) => {
                self.mem.store::<SITE>(word, value);
                if let Some(latest) = self.notes.latest.borrow().as_ref() {
                    self.mem.store::<W_LATEST>(latest, 0);
                }
            }
            (Plant::CursorEarly, C_CURSOR) => {
                *self.notes.cursor.borrow_mut() = Some((word.clone(), value));
                self.mem.store::<SITE>(word, value);
            }
            (Plant::LosesCommit, W_COMMIT_INDEX) => {}
            _ => self.mem.store::<SITE>(word, value),
        }
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &M::Word,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.pass(SITE);
        self.note_announcement(SITE);
        let Some(plant) = self.plant else {
            return self.mem.compare_exchange::<SITE>(word, current, new);
        };
        match (plant, SITE) {
            (Plant::SkipDrain, W_TAKE) | (Plant::LockByStore, Z_LOCK_RECLAIM) => {
                self.force::<SITE>(word, current, new)
            }
            (Plant::CommitFirst, W_TAKE) => {
                let new = in_state(new, SlotState::Committed);
                self.mem.compare_exchange::<SITE>(word, current, new)
            }
            (Plant::Restamps, X_RESET)
                if SlotWord::from_bits(current).state() == SlotState::Writing =>
            {
                let new = in_state(new, SlotState::Committed);
                self.notes.restamped.set(Some(SlotWord::from_bits(new).tag()));
                self.mem.compare_exchange::<SITE>(word, current, new)
            }
            (Plant::ReapsTheLiving, RMW_ACQUIRE) => Ok(current),
            (Plant::ReapsFirst, E_RETIRE) => {
                let evicted = self.mem.compare_exchange::<SITE>(word, current, new);
                self.notes.evicts.set(evicted.is_ok());
                evicted
            }
            (_, R_ADMIT) => self.enter(word, current, new),
            _ => self.mem.compare_exchange::<SITE>(word, current, new),
        }
    }

    fn fetch_or<const SITE: u16>(&self, word: &M::Word, bits: u64) -> u64 {
        self.pass(SITE);
        self.note_announcement(SITE);
        let found = self.mem.fetch_or::<SITE>(word, bits);
        if SITE == H_RETIRE
            && let Some((seat, stays)) = self.notes.unsettled.take()
        {
            self.mem.fetch_and::<E_DONE>(&seat, stays);
        }
        found
    }

    fn fetch_and<const SITE: u16>(&self, word: &M::Word, bits: u64) -> u64 {
        self.pass(SITE);
        if SITE == P_AWAKE {
            self.notes.blind.set(false);
        }
        match self.plant {
            Some(Plant::WrongPin) if SITE == R_RELEASE => {
                // The neighbour of seat 0 is seat 1, and the other way round.
                let own = !bits;
                let other =
                    if own.trailing_zeros().is_multiple_of(2) { own << 1 } else { own >> 1 };
                self.mem.fetch_and::<SITE>(word, !other)
            }
            Some(Plant::ReapsFirst) if SITE == E_DONE && !self.notes.evicts.take() => {
                *self.notes.unsettled.borrow_mut() = Some((word.clone(), bits));
                self.mem.fetch_and::<SITE>(word, !0)
            }
            Some(Plant::StaysClosed) if SITE == W_REOPEN => self.mem.fetch_and::<SITE>(word, !0),
            _ => self.mem.fetch_and::<SITE>(word, bits),
        }
    }

    fn fetch_add<const SITE: u16>(&self, word: &M::Word, amount: u64) -> u64 {
        self.pass(SITE);
        self.mem.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.pass(SITE);
        self.mem.fence::<SITE>();
    }
}

impl<M: ModelMemory> ModelMemory for Planted<'_, M> {
    type Cell = M::Cell;

    fn word(&self, name: Name, initial: u64) -> M::Word {
        self.mem.word(name, initial)
    }

    fn cell(&self, name: Name) -> M::Cell {
        self.mem.cell(name)
    }

    fn put(&self, cell: &M::Cell, value: u64) {
        self.mem.put(cell, value);
    }

    fn get(&self, cell: &M::Cell) -> u64 {
        self.mem.get(cell)
    }

    fn pause(&self) {
        self.mem.pause();
    }

    fn plant(&self) -> Option<Plant> {
        self.plant
    }
}
