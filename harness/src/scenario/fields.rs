//! Reads a table with closed keys; what does not fit becomes a mistake with its place.
//!
//! Every getter returns `None` after it has said why, or where an optional key is absent; the
//! caller goes on with a default, so that one reading finds all mistakes.

use std::cell::RefCell;
use std::str::FromStr;

use super::problem::{MISSING, Mistake, Mistakes, Span};
use super::tree::{Kind, Node, Table};
use crate::suggest::nearest;
use crate::units::{Bytes, Hertz, Nanos, RATE, SHARE, SIZE, Scale, Share, TIME, UnitError};

/// A table being read.
pub(crate) struct Fields<'a> {
    table: &'a Table,
    /// As in `[block]`; used in messages.
    what: &'a str,
    span: Span,
    asked: RefCell<Vec<&'static str>>,
    mistakes: &'a Mistakes,
}

/// A closed list of words and what they mean.
pub(crate) type Words<T> = [(&'static str, T)];

impl<'a> Fields<'a> {
    /// `None` if the node is not a table.
    pub(crate) fn new(node: &'a Node, what: &'a str, mistakes: &'a Mistakes) -> Option<Self> {
        let Some(table) = node.table() else {
            wrong_type(mistakes, node, &format!("{what} is a table"));
            return None;
        };
        Some(Self { table, what, span: node.span, asked: RefCell::default(), mistakes })
    }

    pub(crate) fn mistakes(&self) -> &'a Mistakes {
        self.mistakes
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// An optional key of any type.
    pub(crate) fn node(&self, key: &'static str) -> Option<&'a Node> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.get(key)
    }

    /// A key that must be there.
    pub(crate) fn required(&self, key: &'static str, example: &str) -> Option<&'a Node> {
        let node = self.node(key);
        if node.is_none() {
            let message = format!("{} has no `{key}`", self.what);
            let mistake = Mistake::new(MISSING, self.span, message);
            self.mistakes.push(mistake.label("in here").help(format!("add `{key} = {example}`")));
        }
        node
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.node(key).and_then(|node| self.as_text(node, key))
    }

    pub(crate) fn required_text(&self, key: &'static str, example: &str) -> Option<&'a str> {
        self.required(key, example).and_then(|node| self.as_text(node, key))
    }

    fn as_text(&self, node: &'a Node, key: &str) -> Option<&'a str> {
        let text = node.text();
        if text.is_none() {
            wrong_type(self.mistakes, node, &format!("`{key}` is a string"));
        }
        text
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        if let Kind::Flag(value) = node.kind {
            return Some(value);
        }
        wrong_type(self.mistakes, node, &format!("`{key}` is true or false"));
        None
    }

    /// A whole number inside a range.
    pub(crate) fn whole(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let node = self.node(key)?;
        whole(self.mistakes, node, key, &range)
    }

    pub(crate) fn size(&self, key: &'static str) -> Option<Bytes> {
        self.quantity(key, &SIZE)
    }

    pub(crate) fn time(&self, key: &'static str) -> Option<Nanos> {
        self.quantity(key, &TIME)
    }

    pub(crate) fn rate(&self, key: &'static str) -> Option<Hertz> {
        self.quantity(key, &RATE)
    }

    pub(crate) fn share(&self, key: &'static str) -> Option<Share> {
        self.quantity(key, &SHARE)
    }

    fn quantity<T: FromStr<Err = UnitError>>(&self, key: &'static str, scale: &Scale) -> Option<T> {
        let node = self.node(key)?;
        quantity(self.mistakes, node, key, scale)
    }

    /// One word of a closed list.
    pub(crate) fn word<T: Copy>(&self, key: &'static str, words: &Words<T>) -> Option<T> {
        let node = self.node(key)?;
        let text = self.as_text(node, key)?;
        word(self.mistakes, node, text, words)
    }

    /// Reports the keys nobody asked for.
    pub(crate) fn finish(self) {
        let asked = self.asked.into_inner();
        for entry in &self.table.entries {
            if asked.contains(&entry.key.as_str()) {
                continue;
            }
            let message = format!("{} has no key `{}`", self.what, entry.key);
            let help = match nearest(&entry.key, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if asked.is_empty() => format!("{} has no keys", self.what),
                None => format!("keys are: {}", asked.join(", ")),
            };
            let mistake = Mistake::new("scenario::unknown-key", entry.key_span, message);
            self.mistakes.push(mistake.label("unknown").help(help));
        }
    }
}

/// Says what was wanted; silent where the value was already refused.
pub(crate) fn wrong_type(mistakes: &Mistakes, node: &Node, wanted: &str) {
    if node.kind == Kind::Refused {
        mistakes.spoil();
        return;
    }
    let message = format!("{wanted}, but this is {}", node.type_name());
    mistakes.push(Mistake::new("scenario::wrong-type", node.span, message).label(node.type_name()));
}

/// A list of at most `max` items; longer ones are refused whole, so that work stays bounded.
pub(crate) fn list<'a>(
    mistakes: &Mistakes,
    node: &'a Node,
    max: usize,
    wanted: &str,
) -> Option<&'a [Node]> {
    let Some(items) = node.array() else {
        wrong_type(mistakes, node, wanted);
        return None;
    };
    if items.len() > max {
        let message = format!("{} items are too many", items.len());
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        mistakes.push(mistake.label("this list").help(format!("at most {max} are allowed")));
        return None;
    }
    Some(items)
}

/// One word of a closed list.
pub(crate) fn word<T: Copy>(
    mistakes: &Mistakes,
    node: &Node,
    text: &str,
    words: &Words<T>,
) -> Option<T> {
    let found = words.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let help = match nearest(text, names.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? known are: {}", names.join(", ")),
            None => format!("known are: {}", names.join(", ")),
        };
        let mistake = Mistake::new(
            "scenario::unknown-word",
            node.span,
            format!("`{text}` is not known here"),
        );
        mistakes.push(mistake.label("this word").help(help));
    }
    found.map(|(_, value)| *value)
}

/// A whole number inside a range.
pub(crate) fn whole(
    mistakes: &Mistakes,
    node: &Node,
    key: &str,
    range: &std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    let Kind::Integer(value) = node.kind else {
        wrong_type(mistakes, node, &format!("`{key}` is a whole number"));
        return None;
    };
    let inside = u64::try_from(value).ok().filter(|value| range.contains(value));
    if inside.is_none() {
        let (low, high) = (*range.start(), *range.end());
        let near = if value < 0 || value.cast_unsigned() < low { low } else { high };
        let message = format!("`{key}` = {value} is out of range");
        let mistake =
            Mistake::new("scenario::out-of-range", node.span, message).label("this value");
        mistakes.push(mistake.help(format!("allowed is {low} to {high}; the nearest is {near}")));
    }
    inside
}

/// The unit that somebody who left it out most probably meant.
fn usual_unit(key: &str, scale: &Scale) -> &'static str {
    let wanted = match key {
        "duration" | "deadline" | "max" | "window" | "min" | "warmup" => "s",
        "work" | "by" => "ns",
        "rate" | "from" | "to" => "kHz",
        _ => "ms",
    };
    let known = scale.units.iter().find(|(name, _)| *name == wanted);
    known.map_or(scale.units[0].0, |(name, _)| name)
}

/// A quantity with its unit.
pub(crate) fn quantity<T: FromStr<Err = UnitError>>(
    mistakes: &Mistakes,
    node: &Node,
    key: &str,
    scale: &Scale,
) -> Option<T> {
    let usual = usual_unit(key, scale);
    let text = match &node.kind {
        Kind::Text(text) => text,
        Kind::Integer(value) => {
            let message = format!("`{key}` = {value} has no unit");
            let mistake = Mistake::new("scenario::bare-number", node.span, message);
            let help = format!("write \"{value} {usual}\"; units are {}", scale.names());
            mistakes.push(mistake.label("a bare number").help(help));
            return None;
        }
        _ => {
            let wanted = format!("`{key}` is {} in quotes, with its unit", scale.quantity);
            wrong_type(mistakes, node, &wanted);
            return None;
        }
    };
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("`{key}` = \"{text}\" is not {}: {error}", scale.quantity);
            let (code, help) = match error {
                UnitError::NoUnit => {
                    let text = text.trim();
                    let help = format!("write \"{text} {usual}\"; units are {}", scale.names());
                    ("scenario::bare-number", help)
                }
                UnitError::UnknownUnit { .. } => {
                    ("scenario::wrong-unit", format!("units are {}", scale.names()))
                }
                UnitError::Negative => {
                    let text = text.trim().trim_start_matches(['-', '−']).trim_start();
                    ("scenario::bad-quantity", format!("write it without the sign: \"{text}\""))
                }
                UnitError::TooLarge => {
                    let help = format!("at most {} {} can be counted", u64::MAX, scale.base);
                    ("scenario::bad-quantity", help)
                }
                UnitError::NotWhole(_) | UnitError::NotANumber(_) => {
                    ("scenario::bad-quantity", format!("write it as \"10 {usual}\""))
                }
            };
            mistakes.push(Mistake::new(code, node.span, message).label("this value").help(help));
            None
        }
    }
}
