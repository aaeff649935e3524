//! `only`: in which cells of which profiles a fault or an expectation stands.
//!
//! `only = ["soak", { readers = 8 }]` stands where any item holds. A word is a profile; a table
//! holds where all of its axes have these values, and under `profile`, if it names one. An item
//! that holds nowhere is a mistake, which only shows when every profile has been read.
//! Knows nothing of: what a fault or an expectation is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::fields::{word, wrong_type};
use super::model::Profile;
use super::problem::{Mistake, Mistakes, Span};
use super::tree::{Entry, Kind, Node};
use crate::suggest::nearest;

/// The key that names a profile rather than an axis.
const PROFILE: &str = "profile";
const PROFILES: [(&str, Profile); 3] =
    [("smoke", Profile::Smoke), ("full", Profile::Full), ("soak", Profile::Soak)];

/// A cell: its profile, its axes and their values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) profile: Profile,
    pub(super) axes: &'a [(String, String)],
}

/// What was met while the cells of a file were read.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Every item, and whether it held anywhere.
    items: RefCell<BTreeMap<(usize, usize), (Node, bool)>>,
    /// Every exclusion, and whether it took anything away.
    excluded: RefCell<BTreeMap<(usize, usize), (Node, bool)>>,
    /// Every axis of any profile with its values.
    axes: RefCell<BTreeMap<String, BTreeSet<String>>>,
}

impl Met {
    /// Notes a cell.
    pub(super) fn visit(&self, here: Here<'_>) {
        for (key, value) in here.axes {
            self.axes.borrow_mut().entry(key.clone()).or_default().insert(value.clone());
        }
    }

    /// Notes whether an exclusion takes a cell away.
    pub(super) fn excludes(&self, item: &Node, takes: bool) {
        let place = (item.span.source, item.span.start);
        let mut known = self.excluded.borrow_mut();
        known.entry(place).or_insert_with(|| (item.clone(), false)).1 |= takes;
    }

    /// Whether what says `only` stands in this cell; without it, everywhere.
    pub(super) fn stands(&self, only: Option<&Node>, here: Here<'_>, mistakes: &Mistakes) -> bool {
        let Some(only) = only else { return true };
        let Some(items) = only.array() else {
            wrong_type(mistakes, only, "`only` is a list, as in [\"soak\", { readers = 8 }]");
            return true;
        };
        if items.is_empty() {
            let mistake = Mistake::new("scenario::never", only.span, "this holds nowhere");
            mistakes.push(mistake.label("empty").help("leave `only` out, or name a profile"));
        }
        let mut stands = false;
        for item in items {
            let holds = holds(item, here, mistakes);
            let place = (item.span.source, item.span.start);
            let mut known = self.items.borrow_mut();
            known.entry(place).or_insert_with(|| (item.clone(), false)).1 |= holds;
            stands |= holds;
        }
        stands
    }

    /// Takes the items of a list that do not stand here out of the tree.
    pub(super) fn reduce(&self, root: &mut Node, list: &str, here: Here<'_>, mistakes: &Mistakes) {
        let node = root.table_mut().and_then(|table| table.get_mut(list));
        if let Some(Kind::Array(items)) = node.map(|node| &mut node.kind) {
            items.retain(|item| {
                self.stands(item.table().and_then(|table| table.get("only")), here, mistakes)
            });
        }
    }

    /// Says which items held nowhere, and which exclusions took nothing away.
    pub(super) fn finish(&self, mistakes: &Mistakes) {
        for (item, _) in self.excluded.borrow().values().filter(|(_, took)| !took) {
            let message = "this excludes no cell of any profile";
            let mistake = Mistake::new("scenario::never", item.span, message).label("nothing");
            mistakes.push(mistake.help(self.hint(item)));
        }
        for (item, _) in self.items.borrow().values().filter(|(_, held)| !held) {
            let message = "this holds in no cell of any profile";
            let mistake = Mistake::new("scenario::never", item.span, message).label("nowhere");
            mistakes.push(mistake.help(self.hint(item)));
        }
    }

    /// What of an item is not there at all, and what there is instead.
    fn hint(&self, item: &Node) -> String {
        let axes = self.axes.borrow();
        let leaves = item.table().map(|table| table.leaves()).unwrap_or_default();
        let parts = leaves.iter().filter(|(key, _)| key != PROFILE);
        for (key, entry) in parts {
            let Some(values) = axes.get(key) else {
                let keys = || axes.keys().map(String::as_str);
                return match nearest(key, keys()) {
                    Some(near) => format!("there is no axis `{key}`: did you mean `{near}`?"),
                    None => format!(
                        "there is no axis `{key}`, only: {}",
                        listed(&keys().collect::<Vec<_>>())
                    ),
                };
            };
            if !values.contains(&entry.node.to_string()) {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                return format!("values of `{key}` are: {}", listed(&values));
            }
        }
        "no cell has all of this at once".to_owned()
    }
}

fn listed(words: &[&str]) -> String {
    if words.is_empty() { "none at all".to_owned() } else { words.join(", ") }
}

fn holds(item: &Node, here: Here<'_>, mistakes: &Mistakes) -> bool {
    if let Some(text) = item.text() {
        return is_profile(item, text, here, mistakes);
    }
    let Some(table) = item.table().filter(|table| !table.entries.is_empty()) else {
        let wanted = "an item of `only` is a profile, or a table of axes as in { readers = 8 }";
        wrong_type(mistakes, item, wanted);
        return true;
    };
    table.leaves().into_iter().all(|(key, entry): (String, &Entry)| {
        if key == PROFILE {
            let text = entry.node.text();
            return text.map_or_else(
                || {
                    wrong_type(mistakes, &entry.node, "`profile` is a string");
                    true
                },
                |text| is_profile(&entry.node, text, here, mistakes),
            );
        }
        let value = entry.node.to_string();
        here.axes.iter().any(|(axis, found)| *axis == key && *found == value)
    })
}

/// A word that is no profile is a mistake once, and then holds, so that it is told once.
fn is_profile(node: &Node, text: &str, here: Here<'_>, mistakes: &Mistakes) -> bool {
    word(mistakes, node, text, &PROFILES).is_none_or(|profile| profile == here.profile)
}

/// The place of an axis that `only` could not name.
pub(super) fn reserved(key: &str, span: Span, mistakes: &Mistakes) {
    if key == PROFILE {
        let message = "an axis cannot be called `profile`";
        let mistake = Mistake::new("scenario::bad-axis", span, message).label("this axis");
        mistakes.push(mistake.help("`only` names profiles by it: use another name"));
    }
}
