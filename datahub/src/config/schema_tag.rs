//! The name that a layout has in a header: a hash, and the text it was made from.

use core::fmt;
use std::borrow::Cow;

/// Why a hash and a text cannot name a layout: a block with such a name could be made, and nobody could
/// attach to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaTagError {
    /// Whoever reads the header may print the text.
    #[error("a layout's text is plain ASCII without control characters, and {found:?} is not")]
    Letter {
        /// The first letter that is not.
        found: char,
    },
    /// The hash belongs to another text.
    #[error("the layout's hash is not the BLAKE2b-256 of its text")]
    Hash,
    /// Zeros stand for "no layout declared".
    #[error("a layout's hash is not all zeros: those say that no layout is declared")]
    Zeros,
}

/// Which layout payloads or a zone have. Two tags are equal when their hashes are.
#[derive(Clone)]
pub struct SchemaTag {
    hash: [u8; 32],
    text: Cow<'static, str>,
}

impl SchemaTag {
    /// The tag with this BLAKE2b-256 hash of this text. An empty text: it is not known.
    ///
    /// # Errors
    ///
    /// [`SchemaTagError`] for what nobody who reads the header would believe.
    pub fn new(hash: [u8; 32], text: impl Into<Cow<'static, str>>) -> Result<Self, SchemaTagError> {
        let text = text.into();
        // Control characters would reach a terminal with the message.
        let unfit = |letter: &char| !letter.is_ascii() || letter.is_ascii_control();
        if let Some(found) = text.chars().find(unfit) {
            return Err(SchemaTagError::Letter { found });
        }
        if hash == [0; 32] {
            return Err(SchemaTagError::Zeros);
        }
        let own = blake2b_simd::Params::new().hash_length(hash.len()).hash(text.as_bytes());
        if !text.is_empty() && own.as_bytes() != hash {
            return Err(SchemaTagError::Hash);
        }
        Ok(Self { hash, text })
    }

    /// The hash.
    #[inline]
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The layout in words, or the hash when the header had no room for them.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        if self.text.is_empty() {
            return Cow::Owned(format!("a layout called {}", hex(&self.hash)));
        }
        Cow::Borrowed(&self.text)
    }

    /// The text as it is stored.
    pub(crate) fn stored_text(&self) -> &str {
        &self.text
    }
}

fn hex(hash: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('?');
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl PartialEq for SchemaTag {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for SchemaTag {}

impl fmt::Debug for SchemaTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SchemaTag").field(&self.text()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(text: &str) -> [u8; 32] {
        let hash = blake2b_simd::Params::new().hash_length(32).hash(text.as_bytes());
        hash.as_bytes().try_into().unwrap()
    }

    #[test]
    fn what_no_reader_of_a_header_would_believe_is_no_tag() {
        let text = "Sample;time_ns:u64:0:8;size:8;align:8";
        assert_eq!(SchemaTag::new(hash_of(text), text).unwrap().text(), text);
        assert!(SchemaTag::new([9; 32], "").is_ok());
        let (umlaut, bell) = ("Größe;a:u8:0:1;size:1;align:1", "Bell\u{7};size:1;align:1");
        for (hash, text, wanted) in [
            (hash_of(umlaut), umlaut, SchemaTagError::Letter { found: 'ö' }),
            (hash_of(bell), bell, SchemaTagError::Letter { found: '\u{7}' }),
            (hash_of("Simple"), text, SchemaTagError::Hash),
            ([0; 32], "", SchemaTagError::Zeros),
        ] {
            assert_eq!(SchemaTag::new(hash, text).unwrap_err(), wanted);
        }
    }
}
