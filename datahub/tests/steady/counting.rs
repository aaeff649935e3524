//! Counts what is dear.

use std::cell::Cell;
use std::rc::Rc;

use datahub::memory::observed::Observer;
use datahub::sites::{Kind, Site};

/// Counts read-modify-writes and fences.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counting {
    exchanges: Rc<Cell<u64>>,
    fences: Rc<Cell<u64>>,
}

impl Counting {
    pub(crate) fn exchanges(&self) -> u64 {
        self.exchanges.get()
    }

    pub(crate) fn fences(&self) -> u64 {
        self.fences.get()
    }

    pub(crate) fn forget(&self) {
        self.exchanges.set(0);
        self.fences.set(0);
    }
}

impl Observer for Counting {
    fn before(&self, site: &'static Site) {
        let counter = match site.kind {
            Kind::Rmw => &self.exchanges,
            Kind::Fence => &self.fences,
            Kind::Load | Kind::Store => return,
        };
        counter.set(counter.get() + 1);
    }
}
