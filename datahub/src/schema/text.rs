//! The canonical text of a layout, written at compile time.
//!
//! `Name;field:type:offset:size;…;size:bytes;align:bytes`. A nested struct stands in parentheses
//! where its type is named, an array as `[type;length]`.
//! Source: HEP-CORE-0002 schema validation, with sizes and alignment, which it left out.

use super::Schema;

/// Longest text of one type.
pub const TEXT_BYTES_MAX: usize = 8192;

/// The text of a type, and whether it stands in parentheses inside another.
pub(crate) type Element = (&'static str, bool);

pub(crate) const fn element<T: Schema>() -> Element {
    (T::SCHEMA_TEXT, T::COMPOUND)
}

/// A text that grows. Used by `#[derive(Schema)]`.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
}

impl Text {
    /// The beginning of the text of a struct called `name`.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        Self::empty().push(name).push(";")
    }

    /// The text of `[T; count]`.
    #[must_use]
    pub const fn array<T: Schema>(count: usize) -> Self {
        Self::array_of(element::<T>(), count)
    }

    /// The text of an array of `element`.
    pub(crate) const fn array_of(element: Element, count: usize) -> Self {
        Self::empty().push("[").element(element).push(";").number(count).push("]")
    }

    /// The text of a shared primitive called `name` that holds `element`.
    pub(crate) const fn holder(name: &str, element: Element) -> Self {
        Self::empty().push(name).push("<").element(element).push(">")
    }

    const fn empty() -> Self {
        Self { bytes: [0; TEXT_BYTES_MAX], length: 0 }
    }

    /// Adds a field of type `T`.
    #[must_use]
    pub const fn field<T: Schema>(self, name: &str, offset: usize) -> Self {
        self.field_of(name, element::<T>(), (offset, size_of::<T>()))
    }

    /// Adds a field of `element`.
    pub(crate) const fn field_of(
        self,
        name: &str,
        element: Element,
        (offset, size): (usize, usize),
    ) -> Self {
        let named = self.push(name).push(":").element(element);
        named.push(":").number(offset).push(":").number(size).push(";")
    }

    /// Adds size and alignment of the whole struct `T`.
    #[must_use]
    pub const fn end<T>(self) -> Self {
        let sized = self.push("size:").number(size_of::<T>());
        sized.push(";align:").number(align_of::<T>())
    }

    /// Bytes so far.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a text begins with a name")]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// The bytes, when there are `N` of them.
    ///
    /// # Panics
    ///
    /// When there are fewer than `N`.
    #[must_use]
    pub const fn trimmed<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes.split_at(N).0);
        out
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        as_text(self.bytes.split_at(self.length).0)
    }

    const fn element(self, (text, compound): Element) -> Self {
        if compound { self.push("(").push(text).push(")") } else { self.push(text) }
    }

    const fn push(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        assert!(
            self.length + bytes.len() <= TEXT_BYTES_MAX,
            "the schema's text is too long: use arrays, or fewer fields"
        );
        let mut at = 0;
        while at < bytes.len() {
            self.bytes[self.length] = bytes[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Self {
        let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let rest = if number < 10 { self } else { self.number(number / 10) };
        rest.push(digits[number % 10])
    }
}

/// The bytes of a text as a text.
///
/// # Panics
///
/// When they are none; at compile time, where this is used.
#[must_use]
pub const fn as_text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a schema's text is built from texts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_holds_names_types_offsets_and_sizes() {
        let text = Text::of("Sample").field::<u64>("time_ns", 0).field::<[f32; 12]>("axes", 8);
        assert_eq!(text.len(), "Sample;time_ns:u64:0:8;axes:[f32;12]:8:48;".len());
        let text = text.end::<[u64; 7]>();
        assert_eq!(text.as_str(), "Sample;time_ns:u64:0:8;axes:[f32;12]:8:48;size:56;align:8");
        assert_eq!(as_text(&text.trimmed::<6>()), "Sample");
    }

    #[test]
    #[should_panic(expected = "too long")]
    fn a_text_that_does_not_fit_is_refused() {
        let _text = Text::of(&"n".repeat(TEXT_BYTES_MAX));
    }
}
