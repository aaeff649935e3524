//! Every model, by name: what it asks, what it runs, and what must come of it.

mod parking;
mod published;
mod shipped;

use core::sync::atomic::Ordering;

use report_schema::ModelKind;

use crate::litmus::{Litmus, suite};
use crate::scenario::Runnable;
use crate::violation::Promise;

/// What must come of a model.
#[derive(Debug, Clone, Copy)]
pub enum Expect {
    /// Every promise holds.
    Holds,
    /// A promise is broken: the published protocol is wrong, and the engine must see it.
    Fails {
        /// What goes wrong, in one sentence.
        english: &'static str,
        /// The promises that break, each with words of the message: any other failure is none of this
        /// flaw.
        breaks: &'static [(Promise, &'static str)],
    },
    /// The outcomes of a litmus test.
    Litmus(&'static Litmus),
}

/// How large a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Every engine sees all of it within seconds.
    Small,
    /// Loom needs a bound.
    Large,
    /// The explorer needs many seconds: the gate runs it once, mutants are not tried on it.
    Huge,
}

/// One model.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it asks.
    pub question: &'static str,
    /// What it is for.
    pub kind: ModelKind,
    /// Which protocol runs.
    pub memory: &'static str,
    /// What must come of it.
    pub expect: Expect,
    /// How large it is.
    pub size: Size,
    /// Sites that differ from their table, by name; `None` removes a fence.
    pub overrides: &'static [(&'static str, Option<Ordering>)],
    /// Who vanishes before which of its steps, whatever the request says.
    pub crash: Option<(&'static str, u32)>,
    /// What runs.
    pub model: &'static dyn Runnable,
}

const fn litmus(test: &'static Litmus) -> Entry {
    Entry {
        name: test.name,
        question: test.question,
        kind: ModelKind::Litmus,
        memory: "litmus",
        expect: Expect::Litmus(test),
        size: if test.program.threads.len() > 3 { Size::Large } else { Size::Small },
        overrides: &[],
        crash: None,
        model: &test.program,
    }
}

/// Every model: the shipped protocol, the published one, the litmus suite.
#[must_use]
pub fn all() -> Vec<Entry> {
    let tests = suite::ALL.iter().map(litmus);
    let shipped = shipped::ALL.iter().chain(parking::ALL);
    shipped.chain(published::ALL).copied().chain(tests).collect()
}

/// The model called `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<Entry> {
    all().into_iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let entries = all();
        let names: BTreeSet<_> = entries.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), entries.len());
    }

    #[test]
    fn overrides_name_sites() {
        for entry in all() {
            for (site, _) in entry.overrides {
                assert!(crate::sites::by_name(site).is_some(), "{site}");
            }
        }
    }
}
