//! The name that a layout has in a header: a hash, and the text it was made from.

use core::fmt;
use std::borrow::Cow;

/// Which layout payloads or a zone have. Two tags are equal when their hashes are.
#[derive(Clone)]
pub struct SchemaTag {
    hash: [u8; 32],
    text: Cow<'static, str>,
}

impl SchemaTag {
    /// The tag with this BLAKE2b-256 hash of this text. An empty text: it is not known.
    #[must_use]
    pub fn new(hash: [u8; 32], text: impl Into<Cow<'static, str>>) -> Self {
        Self { hash, text: text.into() }
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
