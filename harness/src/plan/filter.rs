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
        self.wants(&cell.id, &scenario.tags)
    }

    /// The same of anything with an id, in a file with these tags.
    #[must_use]
    pub fn wants(&self, id: &str, tags: &[String]) -> bool {
        let tagged = |tag: &String| tags.contains(tag);
        let has = |text: &String| id.contains(text.as_str());
        self.text.as_ref().is_none_or(has)
            && !self.without.iter().any(has)
            && (self.tags.is_empty() || self.tags.iter().any(tagged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_said_must_hold() {
        let tags = ["kills".to_owned()];
        let filter = |text: Option<&str>, without: &str, tag: &str| {
            let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
            Filter { text: text.map(str::to_owned), without: list(without), tags: list(tag) }
        };
        for (filter, wanted) in [
            (Filter::default(), true),
            (filter(Some("faults-"), "peers", "peers kills"), true),
            (filter(Some("peers"), "", ""), false),
            (filter(None, "peers faults", ""), false),
            (filter(None, "", "peers"), false),
        ] {
            assert_eq!(filter.wants("faults-kills/overwritten", &tags), wanted, "{filter:?}");
        }
    }
}
