//! The canonical text of a zone's layout, written like that of a slot's.

use super::ZoneSchema;
use crate::schema::{Element, Text};

/// A text that grows. Used by `#[derive(ZoneSchema)]`.
#[derive(Debug, Clone, Copy)]
pub struct ZoneText(Text);

impl ZoneText {
    /// The beginning of the text of a struct called `name`.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        Self(Text::of(name))
    }

    /// The text of `[T; count]`.
    #[must_use]
    pub const fn array<T: ZoneSchema>(count: usize) -> Self {
        Self(Text::array_of((T::SCHEMA_TEXT, T::COMPOUND), count))
    }

    pub(crate) const fn holder(name: &str, element: Element) -> Self {
        Self(Text::holder(name, element))
    }

    /// Adds a field of type `T`.
    #[must_use]
    pub const fn field<T: ZoneSchema>(self, name: &str, offset: usize) -> Self {
        let element = (T::SCHEMA_TEXT, T::COMPOUND);
        Self(self.0.field_of(name, element, (offset, size_of::<T>())))
    }

    /// Adds size and alignment of the whole struct `T`.
    #[must_use]
    pub const fn end<T>(self) -> Self {
        Self(self.0.end::<T>())
    }

    /// Bytes so far.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a text begins with a name")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes, when there are `N` of them.
    ///
    /// # Panics
    ///
    /// When there are fewer than `N`.
    #[must_use]
    pub const fn trimmed<const N: usize>(&self) -> [u8; N] {
        self.0.trimmed()
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
