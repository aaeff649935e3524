//! Reads `[workload.…]` and `[run]`: what is asked, for how long, how often.

use super::fields::{Fields, Words, quantity, wrong_type};
use super::model::{Arrival, Length, RunSpec, Warmup, Workload};
use super::problem::{Mistake, Mistakes};
use super::tree::{Kind, Node};
use crate::units::{Hertz, Nanos, TIME};

const SECOND: u64 = 1_000_000_000;
const RATE_MAX: Hertz = Hertz(1_000_000_000);
const DURATION_MIN: Nanos = Nanos(1_000_000);
const DURATION_MAX: Nanos = Nanos(24 * 3_600 * SECOND);
const DEADLINE_DEFAULT: Nanos = Nanos(60 * SECOND);
const COUNT_MAX: u64 = 1_000_000_000_000;
/// TOML has signed numbers.
const SEED_MAX: u64 = i64::MAX as u64;

const ARRIVALS: &Words<Arrival> = &[("uniform", Arrival::Uniform), ("poisson", Arrival::Poisson)];
const KINDS: &str = "[workload.ping-pong], [workload.stream] or [workload.open]";

/// Reads the one `[workload.…]`.
pub(super) fn workload(node: &Node, mistakes: &Mistakes) -> Option<Workload> {
    let fields = Fields::new(node, "[workload]", mistakes)?;
    let mut found: Vec<(&str, &Node)> = ["ping-pong", "stream", "open"]
        .into_iter()
        .filter_map(|kind| Some((kind, fields.node(kind)?)))
        .collect();
    fields.finish();
    found.sort_by_key(|(_, node)| node.span.start);
    match found.as_slice() {
        [] if mistakes.is_empty() => {
            let mistake = Mistake::new("scenario::no-workload", node.span, "no workload is named");
            mistakes.push(mistake.label("empty").help(format!("add one of {KINDS}")));
            None
        }
        [] => None,
        [(kind, node)] => one(kind, node, mistakes),
        [first, rest @ ..] => {
            for (kind, node) in rest {
                let message = format!("a second workload `{kind}` beside `{}`", first.0);
                let mistake = Mistake::new("scenario::contradiction", node.span, message);
                let mistake = mistake.label("second").help("one scenario asks one question");
                mistakes.push(mistake.other(first.1.span, "first"));
            }
            None
        }
    }
}

fn one(kind: &str, node: &Node, mistakes: &Mistakes) -> Option<Workload> {
    let what = format!("[workload.{kind}]");
    let fields = Fields::new(node, &what, mistakes)?;
    let workload = match kind {
        "ping-pong" => Some(Workload::PingPong),
        "stream" => Some(Workload::Stream),
        _ => {
            fields.required("rate", "\"50 kHz\"");
            let rate = fields.rate("rate");
            check_rate(&fields, rate);
            let arrival = fields.word("arrival", ARRIVALS).unwrap_or(Arrival::Uniform);
            rate.map(|rate| Workload::Open { rate, arrival })
        }
    };
    fields.finish();
    workload
}

fn check_rate(fields: &Fields<'_>, rate: Option<Hertz>) {
    let outside = rate.filter(|rate| !(Hertz(1)..=RATE_MAX).contains(rate));
    if let (Some(rate), Some(node)) = (outside, fields.node("rate")) {
        let message = format!("a rate of {rate} is out of range");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let help = format!("allowed is 1 Hz to {RATE_MAX}");
        fields.mistakes().push(mistake.label("this rate").help(help));
    }
}

/// Reads `[run]`.
pub(super) fn run(node: &Node, mistakes: &Mistakes) -> Option<RunSpec> {
    let fields = Fields::new(node, "[run]", mistakes)?;
    let warmup = fields.node("warmup").and_then(|node| warmup(node, mistakes));
    let length = length(&fields);
    let repeats = fields.whole("repeats", 1..=100).unwrap_or(1);
    let seed = fields.whole("seed", 0..=SEED_MAX).unwrap_or(1);
    let deadline = bounded(&fields, "deadline");
    fields.finish();
    Some(RunSpec {
        warmup: warmup.unwrap_or(Warmup::Time(Nanos(0))),
        length: length?,
        repeats: u32::try_from(repeats).unwrap_or(1),
        seed,
        deadline: deadline.unwrap_or(DEADLINE_DEFAULT),
    })
}

fn warmup(node: &Node, mistakes: &Mistakes) -> Option<Warmup> {
    if !matches!(node.kind, Kind::Table(_)) {
        return quantity(mistakes, node, "warmup", &TIME).map(Warmup::Time);
    }
    let fields = Fields::new(node, "`warmup`", mistakes)?;
    fields.required("messages", "10_000");
    let messages = fields.whole("messages", 1..=COUNT_MAX);
    fields.finish();
    messages.map(Warmup::Messages)
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
