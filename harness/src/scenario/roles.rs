//! Reads `[producer]` and `[[consumer]]`: who takes part.

use super::fields::{Fields, Words, list, whole, wrong_type};
use super::model::{ConsumerSpec, Fill, Join, Pin, ProducerSpec, Program, Read, Sched, Stay, Wait};
use super::problem::{Mistake, Mistakes};
use super::tree::Node;
use crate::units::Nanos;

/// Cores that a pin may name.
const CORE_MAX: usize = 4_095;
/// The highest real-time priority.
const PRIORITY_MAX: u8 = 99;
/// Groups of consumers: no block has places for more.
const GROUPS_MAX: usize = 32;
/// Longest busy time for one message.
const WORK_MAX: Nanos = Nanos(10_000_000_000);

const WAITS: &Words<Wait> = &[("spin", Wait::Spin), ("yield", Wait::Yield), ("park", Wait::Park)];
const FILLS: &Words<Fill> = &[("full", Fill::Full), ("header", Fill::Header)];
const PROGRAMS: &Words<Program> = &[("rust", Program::Rust), ("c", Program::C)];
const READS: &Words<Read> = &[("next", Read::Next), ("latest", Read::Latest)];
const JOINS: &Words<Join> = &[("oldest", Join::Oldest), ("latest", Join::Latest)];

/// Reads `[producer]`; absent, it is pinned to a core of its own and spins.
pub(super) fn producer(node: Option<&Node>, mistakes: &Mistakes) -> Option<ProducerSpec> {
    let plain = ProducerSpec {
        program: Program::Rust,
        pin: Pin::Spread,
        sched: Sched::Other,
        wait: Wait::Spin,
        fill: Fill::Full,
        abort_every: None,
    };
    let Some(node) = node else {
        return Some(plain);
    };
    let fields = Fields::new(node, "[producer]", mistakes)?;
    let spec = ProducerSpec {
        program: fields.word("program", PROGRAMS).unwrap_or_default(),
        pin: pin(&fields),
        sched: sched(&fields),
        wait: fields.word("wait", WAITS).unwrap_or(plain.wait),
        fill: fields.node("payload").and_then(|node| fill(node, mistakes)).unwrap_or(plain.fill),
        abort_every: fields.whole("abort-every", 2..=1_000_000_000),
    };
    fields.finish();
    Some(spec)
}

fn fill(node: &Node, mistakes: &Mistakes) -> Option<Fill> {
    let fields = Fields::new(node, "`payload`", mistakes)?;
    fields.required("fill", "\"full\"");
    let fill = fields.word("fill", FILLS);
    fields.finish();
    fill
}

/// Reads all `[[consumer]]`; at least one is there.
pub(super) fn consumers(node: &Node, read_default: Read, mistakes: &Mistakes) -> Vec<ConsumerSpec> {
    let wanted = "consumers are a list: write `[[consumer]]`";
    let Some(items) = list(mistakes, node, GROUPS_MAX, wanted) else {
        return vec![];
    };
    if items.is_empty() {
        let mistake = Mistake::new("scenario::no-consumer", node.span, "there is no consumer");
        mistakes.push(mistake.label("empty").help("add one `[[consumer]]`"));
    }
    let mut seen: Vec<(&str, &Node)> = vec![];
    let mut all = vec![];
    for item in items {
        let name = item.table().and_then(|table| table.get("name"));
        if let Some((text, node)) = name.and_then(|node| Some((node.text()?, node))) {
            match seen.iter().find(|(known, _)| *known == text) {
                Some((_, first)) => mistakes.push(duplicate("consumer", text, first, node)),
                None => seen.push((text, node)),
            }
        }
        all.extend(consumer(item, read_default, mistakes));
    }
    all
}

/// The same name twice.
pub(super) fn duplicate(what: &str, name: &str, first: &Node, again: &Node) -> Mistake {
    Mistake::new("scenario::duplicate", again.span, format!("two {what}s are called `{name}`"))
        .label("again here")
        .help("names tell results apart: give each its own")
        .other(first.span, "first here")
}

fn consumer(node: &Node, read_default: Read, mistakes: &Mistakes) -> Option<ConsumerSpec> {
    let fields = Fields::new(node, "[[consumer]]", mistakes)?;
    let name = match fields.required("name", "\"reader\"") {
        Some(node) => slug(node, "a consumer's name", mistakes),
        None => None,
    };
    let count =
        fields.node("count").map_or(Some(1), |node| whole(mistakes, node, "count", &(1..=32)));
    let spec = ConsumerSpec {
        name: name.unwrap_or_default(),
        count: count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        program: fields.word("program", PROGRAMS).unwrap_or_default(),
        pin: pin(&fields),
        sched: sched(&fields),
        wait: fields.word("wait", WAITS).unwrap_or(Wait::Spin),
        read: fields.word("read", READS).unwrap_or(read_default),
        join: fields.word("join", JOINS).unwrap_or(Join::Oldest),
        work: work(&fields),
        stay: stay(&fields),
    };
    fields.finish();
    Some(spec)
}

fn work(fields: &Fields<'_>) -> Nanos {
    let work = fields.time("work").unwrap_or_default();
    if let Some(node) = fields.node("work").filter(|_| work > WORK_MAX) {
        let message = format!("{work} of work for one message is out of range");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let help = format!("the longest is \"{WORK_MAX}\"");
        fields.mistakes().push(mistake.label("this time").help(help));
    }
    work
}

/// When it comes and goes, if not before the first message and after the last.
fn stay(fields: &Fields<'_>) -> Option<Stay> {
    let keys = ["join-at", "leave-at", "rejoin-at"];
    let [join_at, leave_at, rejoin_at] = keys.map(|key| fields.time(key));
    let mut before: Option<(&str, Nanos)> = None;
    for (key, at) in keys.into_iter().zip([join_at, leave_at, rejoin_at]) {
        let Some(at) = at else { continue };
        if let (Some((earlier, then)), Some(node)) = (before, fields.node(key))
            && at <= then
        {
            let message = format!("`{key}` = {at} is not after `{earlier}` = {then}");
            let mistake = Mistake::new("scenario::contradiction", node.span, message);
            let help = "times count from the start of the measured part: let each be later";
            fields.mistakes().push(mistake.label("too early").help(help));
        }
        before = Some((key, at));
    }
    if let (Some(node), None) = (fields.node("rejoin-at"), leave_at) {
        let mistake = Mistake::new(
            "scenario::contradiction",
            node.span,
            "who never leaves cannot come back".to_owned(),
        );
        fields.mistakes().push(mistake.label("without `leave-at`").help("add `leave-at`"));
    }
    before.map(|_| Stay { join_at, leave_at, rejoin_at })
}

/// A name that is safe in ids and files: `[a-z0-9][a-z0-9-]*`, at most 63 characters.
pub(super) fn slug(node: &Node, what: &str, mistakes: &Mistakes) -> Option<String> {
    let Some(text) = node.text() else {
        wrong_type(mistakes, node, &format!("{what} is a string"));
        return None;
    };
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = (1..=63).contains(&text.len())
        && text.bytes().all(|b| letter(b) || b == b'-')
        && text.bytes().next().is_some_and(letter);
    if fits {
        return Some(text.to_owned());
    }
    let mistake =
        Mistake::new("scenario::bad-name", node.span, format!("{what} cannot be `{text}`"));
    let help = "use 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or a digit";
    mistakes.push(mistake.label("this name").help(help));
    None
}

/// `"core:N"`, `"spread"` or `"none"`; absent, `spread`.
fn pin(fields: &Fields<'_>) -> Pin {
    let Some((text, node)) = fields.text("pin").and_then(|text| Some((text, fields.node("pin")?)))
    else {
        return Pin::Spread;
    };
    let core = |text: &str| text.parse().ok().filter(|core| *core <= CORE_MAX).map(Pin::Core);
    let pin = match text {
        "spread" => Some(Pin::Spread),
        "none" => Some(Pin::None),
        _ => text.strip_prefix("core:").and_then(core),
    };
    if pin.is_none() {
        let message = format!("`{text}` is not a place to run");
        let help = format!("write \"core:0\" (up to {CORE_MAX}), \"spread\" or \"none\"");
        let mistake = Mistake::new("scenario::bad-pin", node.span, message);
        fields.mistakes().push(mistake.label("this pin").help(help));
    }
    pin.unwrap_or(Pin::Spread)
}

/// `"other"` or `"fifo:N"`; absent, `other`.
fn sched(fields: &Fields<'_>) -> Sched {
    let found = fields.text("sched").and_then(|text| Some((text, fields.node("sched")?)));
    let Some((text, node)) = found else { return Sched::Other };
    let fifo = |text: &str| {
        let priority = text.parse().ok()?;
        (1..=PRIORITY_MAX).contains(&priority).then_some(Sched::Fifo(priority))
    };
    let sched = match text {
        "other" => Some(Sched::Other),
        _ => text.strip_prefix("fifo:").and_then(fifo),
    };
    if sched.is_none() {
        let message = format!("`{text}` is no way to schedule a process");
        let help = format!("write \"other\", or \"fifo:10\" (1 to {PRIORITY_MAX})");
        let mistake = Mistake::new("scenario::bad-sched", node.span, message);
        fields.mistakes().push(mistake.label("this policy").help(help));
    }
    sched.unwrap_or_default()
}
