//! Reads `[run]`: for how long, how often; and which expectations a profile picks.

use super::fields::{Fields, Words, quantity, wrong_type};
use super::model::{Length, RunSpec, Steady, TrialOrder, Warmup};
use super::problem::{Mistake, Mistakes};
use super::tree::{Kind, Node};
use crate::units::{Nanos, Share, TIME};

const SECOND: u64 = 1_000_000_000;
const DURATION_MIN: Nanos = Nanos(1_000_000);
const DURATION_MAX: Nanos = Nanos(24 * 3_600 * SECOND);
const DEADLINE_DEFAULT: Nanos = Nanos(60 * SECOND);
/// What a warm-up looks at, where it does not say.
const WINDOW_DEFAULT: Nanos = Nanos(500_000_000);
/// Ten levels that are never below nothing keep this whatever they do: more asks for nothing.
const SLOPE_MAX: Share = Share(5_000_000);
const SLOPE_DEFAULT: Share = Share(50_000);
const COUNT_MAX: u64 = 1_000_000_000_000;
/// TOML has signed numbers.
const SEED_MAX: u64 = i64::MAX as u64;

const ORDERS: &Words<TrialOrder> = &[
    ("interleaved", TrialOrder::Interleaved),
    ("sequential", TrialOrder::Sequential),
    ("random", TrialOrder::Random),
];

/// Reads `[run]`.
pub(super) fn run(node: &Node, mistakes: &Mistakes) -> Option<RunSpec> {
    let fields = Fields::new(node, "[run]", mistakes)?;
    let warmup = fields.node("warmup").and_then(|node| warmup(node, mistakes));
    let length = length(&fields);
    let repeats = fields.whole("repeats", 1..=100).unwrap_or(1);
    let order = fields.word("order", ORDERS).unwrap_or_default();
    let seed = fields.whole("seed", 0..=SEED_MAX).unwrap_or(1);
    let deadline = bounded(&fields, "deadline");
    fields.finish();
    Some(RunSpec {
        warmup: warmup.unwrap_or(Warmup::Time(Nanos(0))),
        length: length?,
        repeats: u32::try_from(repeats).unwrap_or(1),
        order,
        seed,
        deadline: deadline.unwrap_or(DEADLINE_DEFAULT),
    })
}

fn warmup(node: &Node, mistakes: &Mistakes) -> Option<Warmup> {
    let Kind::Table(table) = &node.kind else {
        return quantity(mistakes, node, "warmup", &TIME).map(Warmup::Time);
    };
    let fields = Fields::new(node, "`warmup`", mistakes)?;
    let steady = table.entries.iter().any(|entry| entry.key != "messages");
    let warmup = if steady {
        steady_warmup(&fields).map(Warmup::Steady)
    } else {
        fields.required("messages", "10_000");
        fields.whole("messages", 1..=COUNT_MAX).map(Warmup::Messages)
    };
    fields.finish();
    warmup
}

/// `{ min, until = "steady", window, slope, max }`.
fn steady_warmup(fields: &Fields<'_>) -> Option<Steady> {
    const UNTIL: &Words<()> = &[("steady", ())];
    fields.required("until", "\"steady\"");
    let until = fields.word("until", UNTIL);
    let min = bounded(fields, "min");
    let window = bounded(fields, "window").unwrap_or(WINDOW_DEFAULT);
    let slope = fields.share("slope").unwrap_or(SLOPE_DEFAULT);
    fields.required("max", "\"10 s\"");
    let max = bounded(fields, "max");
    let least = Steady { min: min.unwrap_or(window).max(window), window, slope, max: max? };
    if let Some(node) = fields.node("max").filter(|_| least.max < least.min) {
        let message = format!("`max` = {} is over before `min` and `window` are", least.max);
        let mistake = Mistake::new("scenario::contradiction", node.span, message);
        let help = format!("use at least \"{}\"", least.min);
        fields.mistakes().push(mistake.label("too early").help(help));
    }
    if let Some(node) = fields.node("slope").filter(|_| slope.0 == 0) {
        let message = "nothing that is measured holds still exactly".to_owned();
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        fields.mistakes().push(mistake.label("never reached").help("allow some, as in \"5%\""));
    }
    if let Some(node) = fields.node("slope").filter(|_| slope > SLOPE_MAX) {
        let message = format!("`slope` = {slope} is kept whatever the figures do");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let help = format!("at most \"{SLOPE_MAX}\" is allowed, and \"5%\" is usual");
        fields.mistakes().push(mistake.label("always reached").help(help));
    }
    until.map(|()| least)
}

/// Exactly one of `duration` and `count`.
fn length(fields: &Fields<'_>) -> Option<Length> {
    match (fields.node("duration"), fields.node("count")) {
        (Some(_), None) => bounded(fields, "duration").map(Length::Time),
        (None, Some(_)) => fields.whole("count", 1..=COUNT_MAX).map(Length::Messages),
        (Some(duration), Some(count)) => {
            let mistake = Mistake::new(
                "scenario::contradiction",
                count.span,
                "`duration` and `count` both end the trial",
            );
            let mistake = mistake.label("or so many").other(duration.span, "so long");
            fields.mistakes().push(mistake.help("keep one of them"));
            None
        }
        (None, None) => {
            fields.required("duration", "\"2s\"");
            None
        }
    }
}

fn bounded(fields: &Fields<'_>, key: &'static str) -> Option<Nanos> {
    let time = fields.time(key)?;
    let nearest = time.clamp(DURATION_MIN, DURATION_MAX);
    if nearest != time
        && let Some(node) = fields.node(key)
    {
        let message = format!("`{key}` = {time} is out of range");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let help = format!("allowed is {DURATION_MIN} to 24 h; the nearest is \"{nearest}\"");
        fields.mistakes().push(mistake.label("this time").help(help));
    }
    Some(nearest)
}

/// The ids of a profile's `expect = […]`, or `None` if it has none.
pub(super) fn selection<'a>(
    node: Option<&'a Node>,
    mistakes: &Mistakes,
) -> Option<Vec<(&'a str, &'a Node)>> {
    let node = node?;
    let Some(items) = node.array() else {
        wrong_type(mistakes, node, "`expect` in a profile is a list of ids");
        return None;
    };
    let mut ids = vec![];
    for item in items {
        match item.text() {
            Some(id) => ids.push((id, item)),
            None => wrong_type(mistakes, item, "an id is a string"),
        }
    }
    Some(ids)
}
