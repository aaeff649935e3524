//! Lays values over a tree: a profile's sections, settings of the command line, points of a matrix.

use super::problem::{Mistake, Mistakes, Source, Span};
use super::tree::{Entry, Kind, Node, Table, read};
use crate::suggest::nearest;

/// The sections whose keys an axis or a setting may name.
pub(super) const SECTIONS: [&str; 7] =
    ["block", "producer", "consumer", "workload", "run", "record", "fault"];

/// Ways to say how long a trial is; the last one said replaces the other.
const LENGTHS: [&str; 2] = ["duration", "count"];

/// The one key whose value is a list.
const LIST: &str = "only";

/// A `key=value` of the command line, read.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    key: String,
    entry: Entry,
}

impl Setting {
    /// Reads `key=value`; a value that is no TOML is a string, so quotes may be left out.
    pub(super) fn read(source: &Source, index: usize) -> Result<Self, Box<Mistake>> {
        let text = source.text.as_str();
        let whole = Span { source: index, start: 0, end: text.len() };
        let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.trim().is_empty())
        else {
            let mistake = Mistake::new("scenario::bad-setting", whole, "a setting reads key=value");
            return Err(Box::new(
                mistake.label("this setting").help("as in `--set block.slots=32`"),
            ));
        };
        let value_span = Span { start: key.len() + 1, ..whole };
        let key_span = Span { end: key.len(), ..whole };
        let key = key.trim().to_owned();
        let node = literal(value.trim(), value_span);
        let last = key.rsplit('.').next().unwrap_or(&key).to_owned();
        Ok(Self { key, entry: Entry { key: last, key_span, node } })
    }

    /// Replaces an axis of this name, sets the key that the path names, or, with several values, makes
    /// an axis of it.
    pub(super) fn apply(&self, root: &mut Node, mistakes: &Mistakes) {
        let axes = root.table_mut().and_then(|table| table.get_mut("matrix"));
        if let Some(axes) = axes.and_then(Node::table_mut)
            && let Some(axis) = find_axis(axes, &self.key)
        {
            *axis = match &self.entry.node.kind {
                Kind::Array(_) => self.entry.node.clone(),
                _ => Node {
                    span: self.entry.node.span,
                    kind: Kind::Array(vec![self.entry.node.clone()]),
                },
            };
            return;
        }
        let listed = matches!(self.entry.node.kind, Kind::Array(_));
        if listed && self.key.contains('.') && self.entry.key != LIST {
            return self.as_axis(root);
        }
        set_path(root, &self.key, self.entry.clone(), mistakes);
    }

    fn as_axis(&self, root: &mut Node) {
        let span = self.entry.key_span;
        let Some(root) = root.table_mut() else { return };
        if root.get("matrix").is_none() {
            let node = Node { span, kind: Kind::Table(Table::default()) };
            root.set(Entry { key: "matrix".to_owned(), key_span: span, node });
        }
        if let Some(matrix) = root.get_mut("matrix").and_then(Node::table_mut) {
            matrix.set(Entry { key: self.key.clone(), ..self.entry.clone() });
        }
    }
}

/// An axis by its key, written quoted or dotted.
fn find_axis<'a>(axes: &'a mut Table, key: &str) -> Option<&'a mut Node> {
    if axes.get(key).is_some() {
        return axes.get_mut(key);
    }
    let (head, rest) = key.split_once('.')?;
    find_axis(axes.get_mut(head)?.table_mut()?, rest)
}

/// A TOML value, all of it at one place.
fn literal(text: &str, span: Span) -> Node {
    let parsed = read(&format!("v = {text}"), span.source).ok();
    let value = parsed.and_then(|mut root| root.table_mut()?.remove("v"));
    let mut node = match value {
        // A second line would smuggle in a second key.
        Some(entry) if !text.contains('\n') => entry.node,
        _ => match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            // A list whose words are not in quotes.
            Some(items) if !text.contains('\n') && !items.contains(['[', '{', '"']) => {
                let items = items.split(',').map(|item| literal(item.trim(), span));
                Node { span, kind: Kind::Array(items.collect()) }
            }
            _ => Node { span, kind: Kind::Text(text.to_owned()) },
        },
    };
    replace_spans(&mut node, span);
    node
}

fn replace_spans(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.kind {
        Kind::Array(items) => items.iter_mut().for_each(|item| replace_spans(item, span)),
        Kind::Table(table) => {
            for entry in &mut table.entries {
                entry.key_span = span;
                replace_spans(&mut entry.node, span);
            }
        }
        _ => {}
    }
}

/// Sets `section.key`, `section.table.key` or `consumer.name.key`, making tables on the way.
pub(super) fn set_path(root: &mut Node, path: &str, entry: Entry, mistakes: &Mistakes) {
    let refuse = |message: String, help: String| {
        let mistake = Mistake::new("scenario::unknown-path", entry.key_span, message);
        mistakes.push(mistake.label("this key").help(help));
    };
    let parts: Vec<&str> = path.split('.').collect();
    let [section, between @ .., last] = parts.as_slice() else {
        return refuse(
            format!("`{path}` is neither an axis nor a path"),
            format!("a path reads section.key; sections are {}", SECTIONS.join(", ")),
        );
    };
    if !SECTIONS.contains(section) {
        let help = match nearest(section, SECTIONS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("sections are {}", SECTIONS.join(", ")),
        };
        return refuse(format!("there is no section `{section}`"), help);
    }
    let Some(mut node) = child(root, section, entry.key_span) else {
        return;
    };
    for part in between {
        let Some(next) = child(node, part, entry.key_span) else {
            return refuse(
                format!("`{path}` leads nowhere: `{part}` is not there"),
                "consumers are named by their `name`, as in consumer.reader.work".to_owned(),
            );
        };
        node = next;
    }
    match node.table_mut() {
        Some(table) => put(table, Entry { key: (*last).to_owned(), ..entry }),
        None => refuse(
            format!("`{path}` leads through something that is not a table"),
            "consumers are named by their `name`, as in consumer.reader.work".to_owned(),
        ),
    }
}

/// What stands at a path; nothing is made on the way.
pub(super) fn at_path<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('.').try_fold(root, |node, key| match &node.kind {
        Kind::Table(table) => table.get(key),
        Kind::Array(items) => items.iter().find(|item| {
            item.table().and_then(|table| table.get("name")).and_then(Node::text) == Some(key)
        }),
        _ => None,
    })
}

/// The value under a key; a table is made where nothing is; a list is searched by `name`.
fn child<'a>(node: &'a mut Node, key: &str, span: Span) -> Option<&'a mut Node> {
    match &mut node.kind {
        Kind::Table(table) => {
            if table.get(key).is_none() {
                let empty = Node { span, kind: Kind::Table(Table::default()) };
                table.set(Entry { key: key.to_owned(), key_span: span, node: empty });
            }
            table.get_mut(key)
        }
        Kind::Array(items) => items.iter_mut().find(|item| {
            item.table().and_then(|table| table.get("name")).and_then(Node::text) == Some(key)
        }),
        _ => None,
    }
}

/// Sets a key; one way to say how long replaces the other.
fn put(table: &mut Table, entry: Entry) {
    if LENGTHS.contains(&entry.key.as_str()) {
        for other in LENGTHS.iter().filter(|other| **other != entry.key) {
            table.remove(other);
        }
    }
    table.set(entry);
}

/// Lays a profile's `run`, `matrix` and `record` over the file's; other keys are somebody else's to refuse.
pub(super) fn profile(root: &mut Node, profile: &Node) {
    let (Some(table), Some(sections)) = (root.table_mut(), profile.table()) else {
        return;
    };
    let laid = ["run", "matrix", "record"];
    for section in sections.entries.iter().filter(|entry| laid.contains(&entry.key.as_str())) {
        let base = table.get_mut(&section.key).and_then(Node::table_mut);
        match (base, section.node.table()) {
            (Some(base), Some(over)) if section.key == "matrix" => lay_axes(base, over),
            (Some(base), Some(over)) => over.entries.iter().cloned().for_each(|e| put(base, e)),
            _ => table.set(section.clone()),
        }
    }
}

/// Replaces axes of the same name and adds the others.
fn lay_axes(base: &mut Table, over: &Table) {
    for (key, entry) in over.leaves() {
        match find_axis(base, &key) {
            Some(axis) => *axis = entry.node.clone(),
            None => base.set(Entry { key, ..entry.clone() }),
        }
    }
}
