//! A memory whose owner dies at a chosen site.

use std::cell::Cell;
use std::rc::Rc;

use datahub::memory::observed::{Observed, Observer};
use datahub::sites::{self, Site};
use nix::sys::signal::{Signal, raise};

/// Ends its process by SIGKILL the third time that it comes to a site.
#[derive(Debug, Clone)]
pub(super) struct Mortality {
    site: &'static str,
    visits: Rc<Cell<u32>>,
}

/// The memory of who dies at the site called `site`.
pub(super) fn mortal(site: &str) -> Observed<Mortality> {
    let site = sites::TABLE.iter().map(|row| row.name).find(|name| *name == site).unwrap();
    Observed(Mortality { site, visits: Rc::default() })
}

impl Observer for Mortality {
    fn before(&self, site: &'static Site) {
        if site.name == self.site {
            self.visits.set(self.visits.get() + 1);
            if self.visits.get() == 3 {
                raise(Signal::SIGKILL).unwrap();
            }
        }
    }
}
