//! A TOML document as an owned tree in which every key and value knows its place.
//!
//! The tree is what profiles, axes and settings of the command line are laid over: a value that
//! came from an axis keeps the place of the axis, so a mistake is shown where it was written.

use std::fmt;

use toml_span::value::ValueInner;

use super::problem::{Mistake, Span};

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Table(Table),
    Array(Vec<Node>),
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    /// Its mistake is known; whoever meets it says nothing more.
    Refused,
}

/// Keys and values in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Sets a key, in place if it exists.
    pub(crate) fn set(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Keys joined with dots, down to what is not a table: `a.b = 1` and `"a.b" = 1` are the same.
    pub(crate) fn leaves(&self) -> Vec<(String, &Entry)> {
        let mut leaves = vec![];
        for entry in &self.entries {
            match entry.node.table().filter(|table| !table.entries.is_empty()) {
                Some(table) => {
                    let joined = |(key, leaf)| (format!("{}.{key}", entry.key), leaf);
                    leaves.extend(table.leaves().into_iter().map(joined));
                }
                None => leaves.push((entry.key.clone(), entry)),
            }
        }
        leaves
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index))
    }
}

impl Node {
    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn array(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As in "found a string".
    pub(crate) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Table(_) => "a table",
            Kind::Array(_) => "a list",
            Kind::Text(_) => "a string",
            Kind::Integer(_) => "a whole number",
            Kind::Float(_) => "a decimal number",
            Kind::Flag(_) => "true or false",
            Kind::Refused => "unusable",
        }
    }

    /// The place at the end of a path, or of the longest part of it that exists.
    pub(crate) fn place(&self, path: &[&str]) -> Span {
        let mut node = self;
        for key in path {
            match node.table().and_then(|table| table.get(key)) {
                Some(next) => node = next,
                None => break,
            }
        }
        node.span
    }

    /// The place of a consumer's key.
    pub(crate) fn consumer_place(&self, index: usize, key: &str) -> Span {
        self.item_place("consumer", index, key)
    }

    /// The place of a key in one item of a list.
    pub(crate) fn item_place(&self, list: &str, index: usize, key: &str) -> Span {
        let items = self.table().and_then(|table| table.get(list)).and_then(Self::array);
        let item = items.and_then(|items| items.get(index));
        item.map_or(self.span, |item| item.place(&[key]))
    }
}

/// A value as an axis shows it: without blanks, so that a cell's id is one word.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Text(text) => f.write_str(&text.replace(char::is_whitespace, "")),
            Kind::Integer(value) => write!(f, "{value}"),
            Kind::Float(value) => write!(f, "{value}"),
            Kind::Flag(value) => write!(f, "{value}"),
            Kind::Table(_) | Kind::Array(_) | Kind::Refused => f.write_str(self.type_name()),
        }
    }
}

/// Reads TOML.
pub(crate) fn read(text: &str, source: usize) -> Result<Node, Box<Mistake>> {
    let parsed = toml_span::parse(text);
    let mut value = parsed.map_err(|error| Box::new(syntax(&error, text, source)))?;
    Ok(convert(value.take(), place(value.span, source), source))
}

fn place(span: toml_span::Span, source: usize) -> Span {
    Span { source, start: span.start, end: span.end }
}

fn convert(value: ValueInner<'_>, span: Span, source: usize) -> Node {
    let kind = match value {
        ValueInner::String(text) => Kind::Text(text.into_owned()),
        ValueInner::Integer(value) => Kind::Integer(value),
        ValueInner::Float(value) => Kind::Float(value),
        ValueInner::Boolean(value) => Kind::Flag(value),
        ValueInner::Array(items) => Kind::Array(
            items
                .into_iter()
                .map(|mut item| {
                    let span = place(item.span, source);
                    convert(item.take(), span, source)
                })
                .collect(),
        ),
        ValueInner::Table(table) => {
            let mut entries: Vec<Entry> = table
                .into_iter()
                .map(|(key, mut value)| {
                    let key_span = place(key.span, source);
                    let span = place(value.span, source);
                    let node = convert(value.take(), span, source);
                    Entry { key: key.name.into_owned(), key_span, node }
                })
                .collect();
            entries.sort_by_key(|entry| entry.key_span.start);
            Kind::Table(Table { entries })
        }
    };
    Node { span, kind }
}

/// Whether the value at this place begins as dates (`2026-01-31`) or times of day (`07:30`) do.
fn is_date(text: &str, span: Span) -> bool {
    let line = text.get(..span.start).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1));
    let value = text.get(line..).and_then(|line| line.lines().next()?.split_once('='));
    let value = value.map_or("", |(_, value)| value.trim_start());
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let next = value.as_bytes().get(digits);
    (digits, next) == (4, Some(&b'-')) || (digits, next) == (2, Some(&b':'))
}

fn syntax(error: &toml_span::Error, text: &str, source: usize) -> Mistake {
    use toml_span::ErrorKind;
    let span = place(error.span, source);
    let mistake = Mistake::new("scenario::syntax", span, format!("not TOML: {error}"));
    match &error.kind {
        ErrorKind::DuplicateKey { first, .. } => mistake
            .label("again here")
            .help("keep one of them")
            .other(place(*first, source), "first here"),
        ErrorKind::DuplicateTable { first, .. } => mistake
            .label("again here")
            .help("keep one of them; lists of tables are written `[[consumer]]`")
            .other(place(*first, source), "first here"),
        _ if is_date(text, span) => Mistake::new(
            "scenario::syntax",
            span,
            "no key of a scenario is a date or a time of day",
        )
        .label("a date")
        .help("put it in quotes if it is a text"),
        ErrorKind::UnquotedString => mistake.label("here").help("put it in quotes"),
        _ => mistake.label("here"),
    }
}
