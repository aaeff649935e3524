//! An execution in named steps, for people.

pub mod chrome;

use core::fmt::{self, Display};
use std::sync::{Arc, Mutex, PoisonError};

use datahub::slot::{SlotState, SlotWord};
use serde::{Deserialize, Serialize};

/// The role that prepares a model before the others begin.
pub const SET_UP: &str = "set-up";
/// The role that looks at a model when the others are done.
pub const END: &str = "end";

/// What a shared word or payload cell is called in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// What it is.
    pub object: &'static str,
    /// Which one of several.
    pub index: usize,
    /// How its value is written.
    pub shape: Shape,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As a number.
    Number,
    /// As a slot's word: state, tag, readers.
    Slot,
    /// As one of the four published states.
    State,
}

impl Name {
    /// Of an operation that has no word.
    pub const NONE: Self = Self::numbered("", 0);

    /// A word that holds a number.
    #[must_use]
    pub const fn numbered(object: &'static str, index: usize) -> Self {
        Self { object, index, shape: Shape::Number }
    }

    /// A slot's word.
    #[must_use]
    pub const fn slot(index: usize) -> Self {
        Self { object: "slot", index, shape: Shape::Slot }
    }

    /// A word that holds a published state.
    #[must_use]
    pub const fn state(index: usize) -> Self {
        Self { object: "state", index, shape: Shape::State }
    }

    /// `value`, as this word's values are written.
    fn show(self, value: u64) -> String {
        match self.shape {
            Shape::Number => value.to_string(),
            Shape::State => state_name(SlotWord::from_bits(value).state()).to_owned(),
            Shape::Slot => {
                let word = SlotWord::from_bits(value);
                let (state, tag) = (state_name(word.state()), word.tag());
                match word.readers() {
                    0 => format!("{state} #{tag}"),
                    readers => format!("{state} #{tag} readers {readers:#b}"),
                }
            }
        }
    }
}

const fn state_name(state: SlotState) -> &'static str {
    match state {
        SlotState::Free => "FREE",
        SlotState::Writing => "WRITING",
        SlotState::Committed => "COMMITTED",
        SlotState::Draining => "DRAINING",
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read this value.
    Load(u64),
    /// Wrote this value.
    Store(u64),
    /// Added the first, found the second.
    Add(u64, u64),
    /// Set the bits of the first, found the second.
    Or(u64, u64),
    /// Kept the bits of the first, found the second.
    And(u64, u64),
    /// Exchanged the first by the second.
    Exchange(u64, u64),
    /// Did not exchange the first: found the second.
    Refused(u64, u64),
    /// Ordered what stands around it.
    Fence,
    /// A fence that this run leaves out.
    NoFence,
    /// Wrote the payload.
    Put(u64),
    /// Read the payload.
    Get(u64),
    /// Is gone.
    Vanish,
}

/// One step of one role.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Who.
    pub role: &'static str,
    /// The site in the source.
    pub site: &'static str,
    /// The word.
    pub name: Name,
    /// What it did.
    pub action: Action,
    /// The newest value of the word, when the step read an older one.
    pub newest: Option<u64>,
}

/// One step in words, as reports and other programs show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Who.
    pub role: String,
    /// The site in the source; empty for steps that are only counted.
    pub site: String,
    /// The word and what happened to it.
    pub text: String,
}

impl Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<9} ", self.role)?;
        if !self.site.is_empty() {
            write!(formatter, "{:<14} ", self.site)?;
        }
        formatter.write_str(&self.text)
    }
}

impl Step {
    /// The step in words.
    #[must_use]
    pub fn told(&self) -> Told {
        let (role, site) = (self.role.to_owned(), self.site.to_owned());
        Told { role, site, text: self.to_string() }
    }
}

/// What the step did, without who and where.
impl Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.object.is_empty() {
            write!(formatter, "{}[{}] ", self.name.object, self.name.index)?;
        }
        let show = |value| self.name.show(value);
        match self.action {
            Action::Load(value) | Action::Get(value) => write!(formatter, "-> {}", show(value))?,
            Action::Store(value) | Action::Put(value) => write!(formatter, "<- {}", show(value))?,
            Action::Add(amount, found) => match amount.cast_signed() {
                amount if amount < 0 => {
                    write!(formatter, "(take {}) -> {}", amount.unsigned_abs(), show(found))?;
                }
                amount => write!(formatter, "(add {amount}) -> {}", show(found))?,
            },
            Action::Or(bits, found) => write!(formatter, "(set {bits:#x}) -> {}", show(found))?,
            Action::And(bits, found) => {
                write!(formatter, "(clear {:#x}) -> {}", !bits, show(found))?;
            }
            Action::Exchange(from, to) => {
                write!(formatter, "(exchange {} by {}) done", show(from), show(to))?;
            }
            Action::Refused(from, found) => {
                write!(formatter, "(exchange {}) refused -> {}", show(from), show(found))?;
            }
            Action::Fence => formatter.write_str("(fence)")?,
            Action::NoFence => formatter.write_str("(no fence)")?,
            Action::Vanish => formatter.write_str("vanishes before this step")?,
        }
        match self.newest {
            Some(newest) => write!(formatter, " (stale: the newest is {})", show(newest)),
            None => Ok(()),
        }
    }
}

/// Where the steps of one execution are written down; off by default.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    steps: Option<Arc<Mutex<Vec<Step>>>>,
}

impl Journal {
    /// A journal that records.
    #[must_use]
    pub fn recording() -> Self {
        Self { steps: Some(Arc::default()) }
    }

    /// Adds a step, if anybody wants it.
    pub(crate) fn push(&self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &self.steps {
            steps.lock().unwrap_or_else(PoisonError::into_inner).push(step());
        }
    }

    /// Forgets the previous execution.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn clear(&self) {
        if let Some(steps) = &self.steps {
            steps.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// The steps so far in words; those of the set-up are only counted.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        let Some(steps) = &self.steps else { return Vec::new() };
        let steps = steps.lock().unwrap_or_else(PoisonError::into_inner);
        let before = steps.iter().take_while(|step| step.role == SET_UP).count();
        let folded = (before > 0).then(|| Told {
            role: SET_UP.to_owned(),
            site: String::new(),
            text: format!("({before} steps)"),
        });
        folded.into_iter().chain(steps[before..].iter().map(Step::told)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_as_a_sentence() {
        let step = Step {
            role: "reader",
            site: "R_COUNT",
            name: Name::numbered("readers", 0),
            action: Action::Add(1, 0),
            newest: None,
        };
        assert_eq!(step.told().to_string(), "reader    R_COUNT        readers[0] (add 1) -> 0");
        let word = SlotWord::new(SlotState::Committed, 5).bits();
        let action = Action::Load(word);
        let step = Step { site: "R_PEEK", name: Name::slot(1), action, newest: Some(0), ..step };
        assert!(
            step.to_string().ends_with("slot[1] -> COMMITTED #5 (stale: the newest is FREE #0)")
        );
    }

    #[test]
    fn the_set_up_is_counted_and_not_told() {
        let journal = Journal::recording();
        for role in [SET_UP, SET_UP, "writer", END] {
            let (name, action) = (Name::NONE, Action::Fence);
            journal.push(|| Step { role, site: "F", name, action, newest: None });
        }
        let told = journal.told();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0].to_string(), "set-up    (2 steps)");
    }

    #[test]
    fn a_journal_that_is_off_keeps_nothing() {
        let journal = Journal::default();
        journal.push(|| unreachable!("nobody asked for a step"));
        assert!(journal.told().is_empty());
    }
}
