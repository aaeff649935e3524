//! Reads `[matrix]` and makes of one tree as many as it has points.
//!
//! An axis with a path (`block.slots`) sets that key; one with a bare name stands for `${name}`.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::fields::wrong_type;
use super::only::{self, Met};
use super::overlay::{SECTIONS, at_path, set_path};
use super::problem::{Mistake, Mistakes, Span};
use super::tree::{Entry, Kind, Node};
use crate::suggest::nearest;

/// More points than this are a mistake, not a plan.
const CELLS_MAX: usize = 1_024;

/// One axis and its values.
#[derive(Debug)]
struct Axis<'a> {
    key: String,
    key_span: Span,
    values: Vec<&'a Node>,
}

/// One point of the matrix.
#[derive(Debug)]
pub(super) struct Point {
    /// The part of the id after the name: empty, or `/readers=4,slots=16`.
    pub(super) suffix: String,
    pub(super) axes: Vec<(String, String)>,
    pub(super) root: Node,
}

/// The base's own values of keys that an axis with a path sets: nothing runs with them, but whoever
/// reads the file believes them. Each stands in a tree that is as `point` otherwise.
pub(super) fn shadowed(base: &Node, point: &Point, mistakes: &Mistakes) -> Vec<(Node, Span)> {
    let paths = point.axes.iter().map(|(key, _)| key).filter(|key| key.contains('.'));
    let one = |key: &String| {
        let own = at_path(base, key)?.clone();
        let (mut root, span) = (point.root.clone(), own.span);
        let is_axis = own.text().is_some_and(|text| text.contains("${"));
        let entry = Entry { key: String::new(), key_span: span, node: own };
        set_path(&mut root, key, entry, mistakes);
        (!is_axis).then_some((root, span))
    };
    paths.filter_map(one).collect()
}

/// Every point that is not excluded, the last axis fastest.
pub(super) fn expand(root: &Node, met: &Met, mistakes: &Mistakes) -> Vec<Point> {
    let matrix = root.table().and_then(|table| table.get("matrix"));
    let (axes, excluded) = match matrix {
        Some(node) => (axes(node, mistakes), excludes(node, mistakes)),
        None => (vec![], vec![]),
    };
    known_keys(&axes, &excluded, mistakes);
    let size = axes.iter().try_fold(1_usize, |size, axis| size.checked_mul(axis.values.len()));
    let Some(size) = size.filter(|size| *size <= CELLS_MAX) else {
        let span = matrix.map_or(root.span, |node| node.span);
        let mistake = Mistake::new("scenario::too-many-cells", span, "the matrix is too large");
        mistakes
            .push(mistake.label("its axes multiply").help(format!("at most {CELLS_MAX} cells")));
        return vec![];
    };
    let used = RefCell::default();
    let all: Vec<Vec<&Node>> = (0..size).map(|index| pick(&axes, index)).collect();
    for rule in &excluded {
        met.excludes(rule.node, all.iter().any(|values| rule.matches(&axes, values)));
    }
    let points: Vec<Point> = all
        .into_iter()
        .filter(|values| !excluded.iter().any(|rule| rule.matches(&axes, values)))
        .map(|values| point(root, &axes, &values, (&used, mistakes)))
        .collect();
    if points.is_empty() && size > 0 {
        let span = matrix.map_or(root.span, |node| node.place(&["exclude"]));
        let mistake = Mistake::new("scenario::no-cell", span, "nothing of the matrix is left");
        mistakes.push(mistake.label("excludes every cell").help("leave at least one cell"));
    }
    let used = used.into_inner();
    for axis in axes.iter().filter(|axis| !axis.key.contains('.') && !points.is_empty()) {
        if !used.contains(&axis.key) {
            let message = format!("nothing uses the axis `{}`", axis.key);
            let mistake = Mistake::new("scenario::unused-axis", axis.key_span, message);
            let help = format!("write \"${{{0}}}\" where it belongs, or name a path", axis.key);
            mistakes.push(mistake.label("this axis").help(help));
        }
    }
    points
}

/// Axes in the order of the file; `a.b = […]` and `"a.b" = […]` are the same.
fn axes<'a>(matrix: &'a Node, mistakes: &Mistakes) -> Vec<Axis<'a>> {
    let Some(table) = matrix.table() else {
        wrong_type(mistakes, matrix, "[matrix] is a table");
        return vec![];
    };
    let mut axes: Vec<Axis<'_>> = vec![];
    for (key, entry) in table.leaves().into_iter().filter(|(key, _)| key != "exclude") {
        if axes.iter().any(|axis| axis.key == key) {
            let message = format!("the axis `{key}` is there twice");
            let mistake = Mistake::new("scenario::duplicate", entry.key_span, message);
            mistakes.push(mistake.label("again").help("keep one of them"));
            continue;
        }
        only::reserved(&key, entry.key_span, mistakes);
        if let Some(values) = values(&key, &entry.node, mistakes) {
            axes.push(Axis { key, key_span: entry.key_span, values });
        }
    }
    axes
}

fn values<'a>(key: &str, node: &'a Node, mistakes: &Mistakes) -> Option<Vec<&'a Node>> {
    let Some(items) = node.array() else {
        wrong_type(mistakes, node, &format!("the axis `{key}` is a list of values"));
        return None;
    };
    if items.is_empty() {
        let message = format!("the axis `{key}` has no values");
        let mistake = Mistake::new("scenario::empty-axis", node.span, message);
        mistakes.push(mistake.label("empty").help("a matrix with an empty axis has no cells"));
        return None;
    }
    let mut seen = BTreeSet::new();
    for item in items {
        if matches!(item.kind, Kind::Table(_) | Kind::Array(_)) {
            wrong_type(mistakes, item, "a value of an axis is a number, a string, true or false");
            return None;
        }
        if !seen.insert(item.to_string()) {
            let message = format!("the axis `{key}` has `{item}` twice");
            let mistake = Mistake::new("scenario::duplicate", item.span, message);
            mistakes.push(mistake.label("again").help("each value once: ids must differ"));
            return None;
        }
    }
    Some(items.iter().collect())
}

/// One `exclude`: points at which all of these hold are left out.
#[derive(Debug)]
struct Exclude<'a> {
    node: &'a Node,
    all_of: Vec<(String, &'a Entry)>,
}

impl Exclude<'_> {
    fn matches(&self, axes: &[Axis<'_>], values: &[&Node]) -> bool {
        let holds = |(key, entry): &(String, &Entry)| {
            let place = axes.iter().position(|axis| axis.key == *key);
            place.is_some_and(|place| values[place].to_string() == entry.node.to_string())
        };
        !self.all_of.is_empty() && self.all_of.iter().all(holds)
    }
}

fn excludes<'a>(matrix: &'a Node, mistakes: &Mistakes) -> Vec<Exclude<'a>> {
    let Some(node) = matrix.table().and_then(|table| table.get("exclude")) else {
        return vec![];
    };
    let Some(items) = node.array() else {
        wrong_type(mistakes, node, "`exclude` is a list of tables");
        return vec![];
    };
    let mut all = vec![];
    for item in items {
        match item.table() {
            Some(table) => all.push(Exclude { node: item, all_of: table.leaves() }),
            None => wrong_type(mistakes, item, "an exclusion is a table, as in { readers = 8 }"),
        }
    }
    all
}

fn known_keys(axes: &[Axis<'_>], excluded: &[Exclude<'_>], mistakes: &Mistakes) {
    for (key, entry) in excluded.iter().flat_map(|rule| &rule.all_of) {
        if axes.iter().any(|axis| axis.key == *key) {
            continue;
        }
        let message = format!("there is no axis `{key}` to exclude");
        let mistake = Mistake::new("scenario::unknown-axis", entry.key_span, message);
        mistakes.push(mistake.label("unknown").help(suggestion(key, axes)));
    }
}

fn suggestion(name: &str, axes: &[Axis<'_>]) -> String {
    let keys = || axes.iter().map(|axis| axis.key.as_str());
    match nearest(name, keys()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if axes.is_empty() => format!("add `{name} = […]` to [matrix]"),
        None => format!("axes are: {}", keys().collect::<Vec<_>>().join(", ")),
    }
}

fn pick<'a>(axes: &[Axis<'a>], mut index: usize) -> Vec<&'a Node> {
    let mut values = vec![];
    for axis in axes.iter().rev() {
        values.push(axis.values[index % axis.values.len()]);
        index /= axis.values.len();
    }
    values.reverse();
    values
}

type Context<'a> = (&'a RefCell<BTreeSet<String>>, &'a Mistakes);

fn point(root: &Node, axes: &[Axis<'_>], values: &[&Node], context: Context<'_>) -> Point {
    let mut root = root.clone();
    for (axis, value) in axes.iter().zip(values).filter(|(axis, _)| axis.key.contains('.')) {
        let entry = Entry { key: String::new(), key_span: axis.key_span, node: (*value).clone() };
        set_path(&mut root, &axis.key, entry, context.1);
    }
    let substitute = Substitute { axes, values, used: context.0, mistakes: context.1 };
    for section in SECTIONS {
        if let Some(node) = root.table_mut().and_then(|table| table.get_mut(section)) {
            substitute.walk(node);
        }
    }
    let named: Vec<(String, String)> = axes
        .iter()
        .zip(values)
        .map(|(axis, value)| (axis.key.clone(), value.to_string()))
        .collect();
    Point { suffix: suffix(&named), axes: named, root }
}

/// `/readers=4,slots=16`: the last part of each path, or all of it where two end alike.
fn suffix(axes: &[(String, String)]) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let alike = |key: &str| axes.iter().filter(|(other, _)| last(other) == last(key)).count() > 1;
    let words: Vec<String> = axes
        .iter()
        .map(|(key, value)| {
            let key = if alike(key) { key.clone() } else { last(key) };
            format!("{key}={value}")
        })
        .collect();
    if words.is_empty() { String::new() } else { format!("/{}", words.join(",")) }
}

/// Puts an axis's value in the place of `"${name}"`.
struct Substitute<'a> {
    axes: &'a [Axis<'a>],
    values: &'a [&'a Node],
    used: &'a RefCell<BTreeSet<String>>,
    mistakes: &'a Mistakes,
}

impl Substitute<'_> {
    fn walk(&self, node: &mut Node) {
        match &mut node.kind {
            Kind::Table(table) => table.entries.iter_mut().for_each(|e| self.walk(&mut e.node)),
            Kind::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Kind::Text(text) if text.contains("${") => {
                *node = self.value(text, node.span);
            }
            _ => {}
        }
    }

    fn value(&self, text: &str, span: Span) -> Node {
        let refused = Node { span, kind: Kind::Refused };
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let Some(name) = name.filter(|name| !name.contains(['$', '{', '}'])) else {
            let message = "an axis stands for a whole value";
            let mistake = Mistake::new("scenario::bad-axis", span, message);
            self.mistakes.push(mistake.label("here").help("write \"${name}\" and nothing else"));
            return refused;
        };
        let axis = self.axes.iter().position(|axis| axis.key == name);
        let Some(axis) = axis else {
            let message = format!("there is no axis `{name}`");
            let mistake = Mistake::new("scenario::unknown-axis", span, message);
            self.mistakes.push(mistake.label("unknown").help(suggestion(name, self.axes)));
            return refused;
        };
        self.used.borrow_mut().insert(name.to_owned());
        self.values[axis].clone()
    }
}
