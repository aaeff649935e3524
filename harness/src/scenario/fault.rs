//! Reads `[[fault]]`: what happens to whom, and when.

mod rules;

pub(super) use rules::check;

use super::fields::{Fields, list, wrong_type};
use super::model::ConsumerSpec;
use super::model::fault::{Action, FaultSpec, Target};
use super::problem::{Mistake, Mistakes};
use super::roles::{duplicate, slug};
use super::tree::{Kind, Node};
use crate::suggest::nearest;
use crate::units::Nanos;

/// More than a reader follows.
const FAULTS_MAX: usize = 32;
/// Closer together, faults could not be told apart.
const EVERY_MIN: Nanos = Nanos(1_000_000);
const HIT_MAX: u64 = 1_000_000_000;
/// An action in one word.
const WORDS: [(&str, Action); 5] = [
    ("kill", Action::Kill),
    ("restart", Action::Restart),
    ("corrupt-byte", Action::CorruptByte),
    ("scribble-header", Action::ScribbleHeader),
    ("scribble-slots", Action::ScribbleSlots),
];
/// An action with settings.
const TABLES: [&str; 4] = ["kill-at-site", "stop", "slow", "fill-shm"];

/// Reads all `[[fault]]`.
pub(super) fn faults(
    node: Option<&Node>,
    consumers: &[ConsumerSpec],
    mistakes: &Mistakes,
) -> Vec<FaultSpec> {
    let Some(node) = node else { return vec![] };
    let wanted = "faults are a list: write `[[fault]]`";
    let Some(items) = list(mistakes, node, FAULTS_MAX, wanted) else { return vec![] };
    let mut seen: Vec<(&str, &Node)> = vec![];
    let mut all = vec![];
    for item in items {
        let name = item.table().and_then(|table| table.get("name"));
        if let Some((text, node)) = name.and_then(|node| Some((node.text()?, node))) {
            match seen.iter().find(|(known, _)| *known == text) {
                Some((_, first)) => mistakes.push(duplicate("fault", text, first, node)),
                None => seen.push((text, node)),
            }
        }
        all.extend(fault(item, consumers, mistakes));
    }
    all
}

fn fault(node: &Node, consumers: &[ConsumerSpec], mistakes: &Mistakes) -> Option<FaultSpec> {
    let fields = Fields::new(node, "[[fault]]", mistakes)?;
    let name = fields.required("name", "\"reader-dies\"");
    let name = name.and_then(|node| slug(node, "a fault's name", mistakes));
    fields.required("at", "\"300 ms\"");
    let at = fields.time("at");
    let within = fields.time("within").unwrap_or_default();
    let every = fields.time("every");
    let role = fields.required("role", "\"producer\"");
    let target = role.and_then(|node| target(node, consumers, mistakes));
    let action = fields.required("action", "\"kill\"");
    let action = action.and_then(|node| action_of(node, mistakes));
    // Heeded before: the fault would not be read where it does not stand.
    fields.node("only");
    fields.finish();
    if let (Some(every), Some(node)) = (every, fields_node(node, "every")) {
        distance(every, within, node, mistakes);
    }
    Some(FaultSpec { name: name?, at: at?, within, every, target: target?, action: action? })
}

fn fields_node<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.table()?.get(key)
}

/// Repeats neither overlap nor come faster than they can be told apart.
fn distance(every: Nanos, within: Nanos, node: &Node, mistakes: &Mistakes) {
    let least = EVERY_MIN.max(within);
    if every < least {
        let message = format!("`every` = {every} is shorter than {least}");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let help = format!("use at least \"{least}\": one fault ends before the next may come");
        mistakes.push(mistake.label("too fast").help(help));
    }
}

/// `producer`, `reader` or `reader[2]`.
fn target(node: &Node, consumers: &[ConsumerSpec], mistakes: &Mistakes) -> Option<Target> {
    let Some(text) = node.text() else {
        wrong_type(mistakes, node, "`role` is a string");
        return None;
    };
    if text == "producer" {
        return Some(Target::Producer);
    }
    let (name, member) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, member)) => (name, Some(member)),
        None => (text, None),
    };
    let group = consumers.iter().position(|consumer| consumer.name == name);
    let (Some(group), Some(spec)) = (group, group.and_then(|group| consumers.get(group))) else {
        let names = || consumers.iter().map(|consumer| consumer.name.as_str()).chain(["producer"]);
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("roles are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        let mistake =
            Mistake::new("scenario::unknown-role", node.span, format!("no role `{name}`"));
        mistakes.push(mistake.label("unknown").help(help));
        return None;
    };
    let Some(member) = member else { return Some(Target::Consumer { group, member: None }) };
    let number = member.parse().ok().filter(|member| *member < spec.count);
    if number.is_none() {
        let message = format!("`{name}` has no member [{member}]");
        let mistake = Mistake::new("scenario::unknown-role", node.span, message);
        let help = format!("its members are [0] to [{}]", spec.count.saturating_sub(1));
        mistakes.push(mistake.label("nobody").help(help));
    }
    number.map(|member| Target::Consumer { group, member: Some(member) })
}

/// A word, or a table with one key.
fn action_of(node: &Node, mistakes: &Mistakes) -> Option<Action> {
    if let Some(text) = node.text() {
        let found = WORDS.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            unknown_action(node, text, mistakes);
        }
        return found.map(|(_, action)| *action);
    }
    if !matches!(node.kind, Kind::Table(_)) {
        let wanted = "`action` is a word, or a table as in { stop = { for = \"50 ms\" } }";
        wrong_type(mistakes, node, wanted);
        return None;
    }
    let fields = Fields::new(node, "`action`", mistakes)?;
    let found: Vec<(&str, &Node)> =
        TABLES.into_iter().filter_map(|kind| Some((kind, fields.node(kind)?))).collect();
    fields.finish();
    match found.as_slice() {
        [(kind, node)] => settings(kind, node, mistakes),
        [_, (_, second), ..] => {
            let mistake = Mistake::new("scenario::contradiction", second.span, "a second action");
            mistakes
                .push(mistake.label("second").help("one fault does one thing: add a [[fault]]"));
            None
        }
        [] if node.table().is_some_and(|table| table.entries.is_empty()) => {
            let mistake = Mistake::new("scenario::missing-key", node.span, "no action is named");
            mistakes
                .push(mistake.label("empty").help(format!("known are: {}", names().join(", "))));
            None
        }
        [] => None,
    }
}

fn names() -> Vec<&'static str> {
    WORDS.iter().map(|(word, _)| *word).chain(TABLES).collect()
}

fn unknown_action(node: &Node, text: &str, mistakes: &Mistakes) {
    let help = match nearest(text, names()) {
        Some(near) if TABLES.contains(&near) => {
            format!("\"{near}\" needs settings: write {}", example(near))
        }
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known are: {}", names().join(", ")),
    };
    let message = format!("`{text}` is no action");
    mistakes
        .push(Mistake::new("scenario::unknown-word", node.span, message).label("this").help(help));
}

fn example(kind: &str) -> &'static str {
    match kind {
        "kill-at-site" => "{ kill-at-site = { site = \"W_COMMIT\", hit = 3 } }",
        "stop" => "{ stop = { for = \"50 ms\" } }",
        "slow" => "{ slow = { by = \"10 us\", for = \"50 ms\" } }",
        _ => "{ fill-shm = { for = \"50 ms\" } }",
    }
}

fn settings(kind: &str, node: &Node, mistakes: &Mistakes) -> Option<Action> {
    let what = format!("`{kind}`");
    let fields = Fields::new(node, &what, mistakes)?;
    let action = match kind {
        "kill-at-site" => {
            let site = fields.required_text("site", "\"W_COMMIT\"");
            let site = site.and_then(|text| site_of(&fields, text));
            let hit = fields.whole("hit", 1..=HIT_MAX).unwrap_or(1);
            site.map(|site| Action::KillAtSite { site, hit })
        }
        "stop" => lasting(&fields).map(|time| Action::Stop { time }),
        "slow" => {
            fields.required("by", "\"10 us\"");
            let by = fields.time("by");
            lasting(&fields).and_then(|time| Some(Action::Slow { by: by?, time }))
        }
        _ => lasting(&fields).map(|time| Action::FillShm { time }),
    };
    fields.finish();
    action
}

fn lasting(fields: &Fields<'_>) -> Option<Nanos> {
    fields.required("for", "\"50 ms\"");
    let time = fields.time("for")?;
    if let Some(node) = fields.node("for").filter(|_| time.0 == 0) {
        let mistake = Mistake::new("scenario::out-of-range", node.span, "no time at all");
        fields.mistakes().push(mistake.label("nothing happens").help("use at least \"1 us\""));
    }
    Some(time)
}

fn site_of(fields: &Fields<'_>, name: &str) -> Option<u16> {
    let site = datahub::sites::by_name(name);
    if site.is_none() {
        let known = || datahub::sites::TABLE.iter().map(|site| site.name);
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "sites are listed in datahub/src/sites.rs".to_owned(),
        };
        let span = fields.node("site").map_or(fields.span(), |node| node.span);
        let mistake = Mistake::new("scenario::unknown-site", span, format!("no site `{name}`"));
        fields.mistakes().push(mistake.label("unknown").help(help));
    }
    site
}
