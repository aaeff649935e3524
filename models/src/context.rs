//! What surrounds every operation of a role: its ordering, its crash point, its line in the trace.
//!
//! A mutant, a crash and a trace are choices of the run, not of the build.
//! Knows nothing of: engines, scenarios.

use core::cell::Cell;
use core::sync::atomic::Ordering;
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use datahub::sites::Kind;

use crate::plant::Plant;
use crate::sites;
use crate::trace::{Action, Journal, Name, Step};
use crate::violation::{Promise, fail};

/// More steps than this, and the role makes no bounded progress.
const STEPS_MAX: u32 = 4_000;

/// Orderings that differ from the tables: each row is one weakened site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    rows: Vec<(u16, Option<Ordering>)>,
}

impl Overrides {
    /// Gives `site` another ordering; `None` removes a fence.
    pub fn set(&mut self, site: u16, ordering: Option<Ordering>) {
        self.rows.retain(|row| row.0 != site);
        self.rows.push((site, ordering));
    }

    /// The ordering that `site` has in this run; `None` for a fence that is not there.
    #[must_use]
    pub fn ordering(&self, site: u16) -> Option<Ordering> {
        match self.rows.iter().find(|row| row.0 == site) {
            Some(row) => row.1,
            None => Some(sites::row(site).ordering),
        }
    }
}

/// A role that vanishes: before its `step`-th operation, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The role's name.
    pub role: String,
    /// How many operations it still does.
    pub step: u32,
}

/// What the role of a crashed process unwinds with.
#[derive(Debug)]
pub struct Vanished;

/// What a run hands to each of its roles.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Orderings that differ from the tables.
    pub overrides: Overrides,
    /// Who vanishes, and when.
    pub crash: Option<Crash>,
    /// A defect in the protocol's use of its memory.
    pub plant: Option<Plant>,
    /// Where steps are written down.
    pub journal: Journal,
    /// Where the engine notes which sites met (explore).
    pub watch: Option<Arc<Mutex<Meetings>>>,
    /// Where the sites are noted before which somebody vanished.
    pub deaths: Option<Arc<Mutex<BTreeSet<&'static str>>>>,
}

/// Which sites ran in a search, and which release was seen by which acquire of another role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meetings {
    /// Sites that ran.
    pub ran: BTreeSet<u16>,
    /// From the site that released to the one that acquired.
    pub edges: BTreeSet<(u16, u16)>,
}

/// The context of one role.
#[derive(Debug)]
pub struct Context {
    role: &'static str,
    steps: Cell<u32>,
    crash_before: Cell<Option<u32>>,
    setup: Setup,
}

impl Context {
    /// The context of `role`.
    #[must_use]
    pub fn new(role: &'static str, setup: &Setup) -> Self {
        let crash = setup.crash.as_ref().filter(|crash| crash.role == role);
        Self {
            role,
            steps: Cell::new(0),
            crash_before: Cell::new(crash.map(|crash| crash.step)),
            setup: setup.clone(),
        }
    }

    pub(crate) const fn plant(&self) -> Option<Plant> {
        self.setup.plant
    }

    /// The ordering of `site` for an operation of `kind`.
    pub(crate) fn ordering(&self, site: u16, kind: Kind) -> Option<Ordering> {
        let row = sites::row(site);
        if row.kind != kind {
            fail(Promise::Model, format!("{} is used as {kind:?}", row.name));
        }
        self.setup.overrides.ordering(site)
    }

    /// Called before every operation: the crash point and the bound on progress.
    pub(crate) fn step(&self, site: &'static str) {
        let step = self.steps.get();
        if self.crash_before.get() == Some(step) {
            // What the system does afterwards is no step of the dead one.
            self.crash_before.set(None);
            if let Some(deaths) = &self.setup.deaths {
                deaths.lock().unwrap_or_else(PoisonError::into_inner).insert(site);
            }
            self.record(site, Name::NONE, Action::Vanish, None);
            resume_unwind(Box::new(Vanished));
        }
        if step >= STEPS_MAX {
            fail(Promise::Progress, format!("{} still runs after {STEPS_MAX} steps", self.role));
        }
        self.steps.set(step + 1);
    }

    /// Called after every operation: the line in the trace.
    pub(crate) fn record(
        &self,
        site: &'static str,
        name: Name,
        action: Action,
        newest: Option<u64>,
    ) {
        self.setup.journal.push(|| Step { role: self.role, site, name, action, newest });
    }
}

#[cfg(test)]
mod tests {
    use datahub::sites::{P_FENCE, W_COMMIT, W_TAKE};

    use super::*;

    #[test]
    fn an_override_replaces_the_table_and_nothing_else() {
        let mut overrides = Overrides::default();
        overrides.set(W_COMMIT, Some(Ordering::Relaxed));
        overrides.set(P_FENCE, None);
        assert_eq!(overrides.ordering(W_COMMIT), Some(Ordering::Relaxed));
        assert_eq!(overrides.ordering(P_FENCE), None);
        assert_eq!(overrides.ordering(W_TAKE), Some(Ordering::Acquire));
    }

    #[test]
    fn a_role_without_end_is_stopped() {
        let context = Context::new("reader", &Setup::default());
        let endless = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            for _ in 0..=STEPS_MAX {
                context.step("R_PEEK");
            }
        }));
        let payload = endless.unwrap_err();
        let violation = payload.downcast_ref::<crate::violation::Violation>().unwrap();
        assert_eq!(violation.promise, Promise::Progress);
    }

    #[test]
    fn only_the_named_role_vanishes() {
        let crash = Some(Crash { role: "writer".into(), step: 1 });
        let setup = Setup { crash, ..Setup::default() };
        let reader = Context::new("reader", &setup);
        reader.step("R_PEEK");
        reader.step("R_ADMIT");
        let writer = Context::new("writer", &setup);
        writer.step("W_LOOK");
        let dies = core::panic::AssertUnwindSafe(|| writer.step("W_TAKE"));
        assert!(std::panic::catch_unwind(dies).unwrap_err().is::<Vanished>());
    }
}
