//! What a worker does to itself because a fault of the scenario says so: it dies at a site, spoils a
//! payload, takes all shared memory.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::rc::Rc;

use datahub::shm::Folder;
use datahub::sites;
use datahub::wait::monotonic_ns;
use nix::sys::signal::{Signal, raise};

use crate::run::wire::{Fate, SiteDeath, Task};
use crate::run::words::Words;

/// What is left of a page when nothing more can be had.
const PAGE: usize = 4096;

/// The acts of one worker, and when they are due.
#[derive(Debug)]
pub(super) struct Acts {
    words: Option<Rc<Words>>,
    role: usize,
    death: Option<SiteDeath>,
    /// Visits to the site of its death count.
    armed: Cell<bool>,
    visits: Cell<u64>,
    /// Visits to each site, where somebody wants to know.
    census: Option<RefCell<Vec<u64>>>,
    spoils: RefCell<VecDeque<u64>>,
    fills: RefCell<VecDeque<(u64, u64)>>,
    /// The shared memory that was taken, and until when.
    hoard: RefCell<Option<(Vec<File>, u64)>>,
}

impl Acts {
    /// Nothing at all.
    pub(super) fn none() -> Self {
        Self::of(None, 0, &Fate::default())
    }

    /// What the task asks for.
    pub(super) fn new(task: &Task, words: &Rc<Words>) -> Self {
        match &task.fate {
            Some(fate) => Self::of(Some(Rc::clone(words)), task.role, fate),
            None => Self::none(),
        }
    }

    fn of(words: Option<Rc<Words>>, role: usize, fate: &Fate) -> Self {
        Self {
            words,
            role,
            death: fate.deaths.first().copied(),
            armed: Cell::new(false),
            visits: Cell::new(0),
            census: None,
            spoils: RefCell::new(fate.spoils.iter().copied().collect()),
            fills: RefCell::new(fate.fills.iter().copied().collect()),
            hoard: RefCell::default(),
        }
    }

    /// Dies at its so-manieth visit to a site, from the first instruction on.
    pub(super) fn mortal(site: u16, hit: u64) -> Self {
        let deaths = vec![SiteDeath { at_ns: 0, site, hit }];
        let acts = Self::of(None, 0, &Fate { deaths, ..Fate::default() });
        acts.armed.set(true);
        acts
    }

    /// Only counts.
    pub(super) fn scout() -> Self {
        Self { census: Some(RefCell::new(vec![0; sites::COUNT])), ..Self::none() }
    }

    /// How often each site was visited; empty where nobody counted.
    pub(super) fn visits(&self) -> Vec<u64> {
        self.census.as_ref().map(|census| census.borrow().clone()).unwrap_or_default()
    }

    /// Time since the measured part began; `None` before that.
    fn now_ns(&self) -> Option<u64> {
        let (_, start_ns) = self.words.as_ref()?.begun()?;
        Some(monotonic_ns().saturating_sub(start_ns))
    }

    /// The worker comes to a site: perhaps it is its last one.
    pub(super) fn comes_to(&self, site: u16) {
        if let Some(census) = &self.census
            && let Some(visits) = census.borrow_mut().get_mut(usize::from(site))
        {
            *visits += 1;
        }
        let Some(death) = self.death.filter(|death| death.site == site) else { return };
        if !self.armed.get() {
            if self.now_ns().is_none_or(|now| now < death.at_ns) {
                return;
            }
            self.armed.set(true);
        }
        self.visits.set(self.visits.get() + 1);
        if self.visits.get() == death.hit {
            if let Some(words) = &self.words {
                words.dies(self.role, monotonic_ns());
            }
            // It does not return.
            let _raised = raise(Signal::SIGKILL);
        }
    }

    /// Whether this payload is to be spoilt.
    pub(super) fn spoils(&self) -> bool {
        let mut spoils = self.spoils.borrow_mut();
        let due = spoils.front().is_some_and(|at| self.now_ns().is_some_and(|now| now >= *at));
        if due {
            spoils.pop_front();
            if let Some(words) = &self.words {
                words.strike(monotonic_ns());
                words.spoil(self.role);
            }
        }
        due
    }

    /// Takes all shared memory when that is due, and gives it back in time.
    pub(super) fn hoards(&self) {
        let mut fills = self.fills.borrow_mut();
        let mut hoard = self.hoard.borrow_mut();
        if fills.is_empty() && hoard.is_none() {
            return;
        }
        let Some(now) = self.now_ns() else { return };
        if hoard.as_ref().is_some_and(|(_, until)| now >= *until) {
            *hoard = None;
        }
        if let Some((_, time)) = fills.pop_front_if(|(at, _)| now >= *at) {
            if let Some(words) = &self.words {
                words.strike(monotonic_ns());
            }
            *hoard = Some((take_all(), now.saturating_add(time)));
        }
    }
}

/// Everything that is free in the folder of shared memory, in ever smaller files.
fn take_all() -> Vec<File> {
    let folder = Folder::default();
    let mut files = vec![];
    let mut bytes = folder.free_bytes().map_or(0, |free| usize::try_from(free).unwrap_or(0));
    while bytes >= PAGE {
        match folder.reserve(bytes) {
            Ok(file) => files.push(file),
            Err(_) => bytes /= 2,
        }
    }
    files
}
