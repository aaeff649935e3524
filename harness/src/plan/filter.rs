//! Which cells are wanted: by their ids and by their scenarios' tags.

use crate::scenario::{Cell, Scenario};

/// Cells are kept where everything that is said holds; nothing said keeps all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Their ids contain this.
    pub text: Option<String>,
    /// Their ids contain none of these.
    pub without: Vec<String>,
    /// Their scenarios have one of these tags.
    pub tags: Vec<String>,
}

impl Filter {
    /// The cells whose ids contain this.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..Self::default() }
    }

    /// Whether a cell is wanted.
    #[must_use]
    pub fn keeps(&self, scenario: &Scenario, cell: &Cell) -> bool {
        let tagged = |tag: &String| scenario.tags.contains(tag);
        let has = |text: &String| cell.id.contains(text.as_str());
        self.text.as_ref().is_none_or(has)
            && !self.without.iter().any(has)
            && (self.tags.is_empty() || self.tags.iter().any(tagged))
    }
}
