//! The memory of a model: `datahub::memory::Memory` plus payload cells that notice a race.
//!
//! An engine implements [`Raw`]; [`Model`] adds once for all engines what surrounds an operation.

use core::sync::atomic::Ordering;
use std::sync::Arc;

use datahub::memory::Memory;
use datahub::sites::Kind;

use crate::context::Context;
use crate::plant::Plant;
use crate::sites;
use crate::trace::{Action, Name};

/// What several roles may hold.
pub trait Shareable: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Shareable for T {}

/// The memory that scenarios are written against.
pub trait ModelMemory: Memory<Word: Shareable + Clone> {
    /// A payload word: two accesses that are not ordered are a failure.
    type Cell: Shareable;

    /// A new shared word.
    fn word(&self, name: Name, initial: u64) -> Self::Word;

    /// A new payload cell that holds 0.
    fn cell(&self, name: Name) -> Self::Cell;

    /// Writes a payload cell.
    fn put(&self, cell: &Self::Cell, value: u64);

    /// Reads a payload cell.
    fn get(&self, cell: &Self::Cell) -> u64;

    /// Lets others run before the next look.
    fn pause(&self);

    /// The defect that this run plants, for what a memory cannot do wrong by itself.
    fn plant(&self) -> Option<Plant>;
}

/// A read-modify-write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Adds, wrapping.
    Add(u64),
    /// Sets bits.
    Or(u64),
    /// Keeps bits.
    And(u64),
}

impl Update {
    /// The new value for `old`.
    #[must_use]
    pub const fn apply(self, old: u64) -> u64 {
        match self {
            Self::Add(amount) => old.wrapping_add(amount),
            Self::Or(bits) => old | bits,
            Self::And(bits) => old & bits,
        }
    }
}

/// What an engine provides: plain atomics with an ordering chosen at run time.
pub trait Raw {
    /// A shared word.
    type Word: Shareable;
    /// A payload cell.
    type Cell: Shareable;

    /// The next operation is the one at `site`: for an engine that notes who met whom.
    fn at(&self, _site: u16) {}

    /// A new word.
    fn word(&self, initial: u64) -> Self::Word;
    /// Reads.
    fn load(&self, word: &Self::Word, ordering: Ordering) -> u64;
    /// Writes.
    fn store(&self, word: &Self::Word, value: u64, ordering: Ordering);
    /// Reads and writes in one step; returns what was there.
    fn update(&self, word: &Self::Word, update: Update, ordering: Ordering) -> u64;
    /// Exchanges `current` by `new`; failing is a relaxed load.
    ///
    /// # Errors
    ///
    /// The value found.
    fn exchange(
        &self,
        word: &Self::Word,
        current: u64,
        new: u64,
        ordering: Ordering,
    ) -> Result<u64, u64>;
    /// A fence.
    fn fence(&self, ordering: Ordering);
    /// A new cell that holds 0.
    fn cell(&self) -> Self::Cell;
    /// Writes a cell.
    fn put(&self, cell: &Self::Cell, value: u64);
    /// Reads a cell.
    fn get(&self, cell: &Self::Cell) -> u64;
    /// Lets others run.
    fn pause(&self);
    /// The newest value of `word`, for an engine that knows it: traces mark stale reads with it.
    fn newest(&self, word: &Self::Word) -> Option<u64>;
}

/// A word or a cell with the name it has in traces.
#[derive(Debug)]
pub struct Named<T> {
    name: Name,
    inner: T,
}

/// An engine's memory as one role sees it.
#[derive(Debug)]
pub struct Model<R> {
    raw: R,
    context: Context,
}

impl<R: Raw> Model<R> {
    /// The memory of the role that `context` belongs to.
    pub const fn new(raw: R, context: Context) -> Self {
        Self { raw, context }
    }

    /// The step before an operation of `kind` at `site`: its name and its ordering.
    fn enter(&self, site: u16, kind: Kind) -> (&'static str, Ordering) {
        let ordering = self.context.ordering(site, kind).unwrap_or(Ordering::Relaxed);
        let name = sites::row(site).name;
        self.context.step(name);
        self.raw.at(site);
        (name, ordering)
    }

    fn update(&self, site: u16, word: &Named<R::Word>, update: Update) -> u64 {
        let (site, ordering) = self.enter(site, Kind::Rmw);
        let found = self.raw.update(&word.inner, update, ordering);
        let action = match update {
            Update::Add(amount) => Action::Add(amount, found),
            Update::Or(bits) => Action::Or(bits, found),
            Update::And(bits) => Action::And(bits, found),
        };
        self.context.record(site, word.name, action, None);
        found
    }

    /// The newest value of `word`, when it is not `seen`.
    fn newer(&self, word: &Named<R::Word>, seen: u64) -> Option<u64> {
        self.raw.newest(&word.inner).filter(|&newest| newest != seen)
    }
}

impl<R: Raw> Memory for Model<R> {
    type Word = Arc<Named<R::Word>>;

    fn load<const SITE: u16>(&self, word: &Self::Word) -> u64 {
        let (site, ordering) = self.enter(SITE, Kind::Load);
        let value = self.raw.load(&word.inner, ordering);
        self.context.record(site, word.name, Action::Load(value), self.newer(word, value));
        value
    }

    fn store<const SITE: u16>(&self, word: &Self::Word, value: u64) {
        let (site, ordering) = self.enter(SITE, Kind::Store);
        self.raw.store(&word.inner, value, ordering);
        self.context.record(site, word.name, Action::Store(value), None);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &Self::Word,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        let (site, ordering) = self.enter(SITE, Kind::Rmw);
        let result = self.raw.exchange(&word.inner, current, new, ordering);
        let (action, newest) = match result {
            Ok(_) => (Action::Exchange(current, new), None),
            Err(found) => (Action::Refused(current, found), self.newer(word, found)),
        };
        self.context.record(site, word.name, action, newest);
        result
    }

    fn fetch_or<const SITE: u16>(&self, word: &Self::Word, bits: u64) -> u64 {
        self.update(SITE, word, Update::Or(bits))
    }

    fn fetch_and<const SITE: u16>(&self, word: &Self::Word, bits: u64) -> u64 {
        self.update(SITE, word, Update::And(bits))
    }

    fn fetch_add<const SITE: u16>(&self, word: &Self::Word, amount: u64) -> u64 {
        self.update(SITE, word, Update::Add(amount))
    }

    fn fence<const SITE: u16>(&self) {
        let ordering = self.context.ordering(SITE, Kind::Fence);
        let name = sites::row(SITE).name;
        self.context.step(name);
        self.raw.at(SITE);
        let action = match ordering {
            Some(ordering) => {
                self.raw.fence(ordering);
                Action::Fence
            }
            None => Action::NoFence,
        };
        self.context.record(name, Name::NONE, action, None);
    }
}

impl<R: Raw> ModelMemory for Model<R> {
    type Cell = Named<R::Cell>;

    fn word(&self, name: Name, initial: u64) -> Self::Word {
        Arc::new(Named { name, inner: self.raw.word(initial) })
    }

    fn cell(&self, name: Name) -> Self::Cell {
        Named { name, inner: self.raw.cell() }
    }

    fn put(&self, cell: &Self::Cell, value: u64) {
        self.context.step("put");
        self.context.record("put", cell.name, Action::Put(value), None);
        self.raw.put(&cell.inner, value);
    }

    fn get(&self, cell: &Self::Cell) -> u64 {
        self.context.step("get");
        let value = self.raw.get(&cell.inner);
        self.context.record("get", cell.name, Action::Get(value), None);
        value
    }

    fn pause(&self) {
        self.context.step("pause");
        self.raw.pause();
    }

    fn plant(&self) -> Option<Plant> {
        self.context.plant()
    }
}
