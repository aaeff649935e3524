//! Block names: one type, checked once, so that no name ever becomes a path somewhere else.

use core::fmt;
use core::str::FromStr;

/// Most characters of a name.
pub const NAME_CHARS_MAX: usize = 63;

/// A block's name: `[a-z0-9][a-z0-9._-]{0,62}`, without `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockName(String);

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No characters.
    #[error("a block name cannot be empty")]
    Empty,
    /// Too many characters.
    #[error("a block name has at most {NAME_CHARS_MAX} characters, not {0}")]
    TooLong(usize),
    /// A character that names cannot have.
    #[error(
        "{character:?} at position {position} cannot be in a block name: use a-z, 0-9, '.', '_' and '-', \
         and begin with a letter or digit"
    )]
    Character {
        /// The character.
        character: char,
        /// Where it stands, from 0.
        position: usize,
    },
    /// Two dots in a row.
    #[error("a block name cannot hold '..'")]
    DotDot,
}

impl BlockName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`NameError`] says what is wrong and where.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        for (position, character) in name.chars().enumerate() {
            let letter = character.is_ascii_lowercase() || character.is_ascii_digit();
            let mark = position > 0 && matches!(character, '.' | '_' | '-');
            if !letter && !mark {
                return Err(NameError::Character { character, position });
            }
        }
        if name.len() > NAME_CHARS_MAX {
            return Err(NameError::TooLong(name.len()));
        }
        if name.contains("..") {
            return Err(NameError::DotDot);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BlockName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl fmt::Display for BlockName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_never_leaves_its_folder() {
        for name in ["", "../x", "a/b", "/a", ".a", "-a", "A", "a..b", "a\0", "ä", "a b"] {
            assert!(BlockName::new(name).is_err(), "{name:?} was accepted");
        }
        assert_eq!(BlockName::new(&"a".repeat(64)), Err(NameError::TooLong(64)));
    }

    proptest! {
        #[test]
        fn what_is_accepted_matches_the_rule(name in "\\PC{0,80}") {
            let plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
            let fits = (1..=63).contains(&name.len());
            let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
            let wanted = plain && fits && begins && !name.contains("..");
            prop_assert_eq!(BlockName::new(&name).is_ok(), wanted);
        }

        #[test]
        fn every_good_name_is_accepted(name in "[a-z0-9](\\.?[a-z0-9_-]){0,31}") {
            prop_assert!(BlockName::new(&name).is_ok());
        }
    }
}
