//! Reads the one `[workload.…]`: how messages are offered.

use super::fields::{Fields, Words};
use super::model::{Arrival, Quest, Workload};
use super::problem::{Mistake, Mistakes};
use super::tree::Node;
use crate::gate::{Check, Metric, Op, Percentile, Term, parse};
use crate::units::{Hertz, Nanos, Share};

const RATE_MAX: Hertz = Hertz(1_000_000_000);
const BURST_MAX: u64 = 1_000_000_000;
const EVERY: (Nanos, Nanos) = (Nanos(1_000), Nanos(3_600_000_000_000));
const PRECISION: (Share, Share) = (Share(1_000), Share(1_000_000));
const PRECISION_DEFAULT: Share = Share(50_000);

const ARRIVALS: &Words<Arrival> = &[("uniform", Arrival::Uniform), ("poisson", Arrival::Poisson)];
const KINDS: [&str; 5] = ["ping-pong", "stream", "open", "burst", "search"];

/// Reads the one `[workload.…]`.
pub(super) fn workload(node: &Node, mistakes: &Mistakes) -> Option<Workload> {
    let fields = Fields::new(node, "[workload]", mistakes)?;
    let mut found: Vec<(&str, &Node)> =
        KINDS.into_iter().filter_map(|kind| Some((kind, fields.node(kind)?))).collect();
    fields.finish();
    found.sort_by_key(|(_, node)| node.span.start);
    match found.as_slice() {
        [] if mistakes.is_empty() => {
            let mistake = Mistake::new("scenario::no-workload", node.span, "no workload is named");
            let kinds = KINDS.map(|kind| format!("[workload.{kind}]")).join(", ");
            mistakes.push(mistake.label("empty").help(format!("add one of {kinds}")));
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
        "open" => {
            let rate = rate(&fields, "rate", "\"50 kHz\"");
            let arrival = arrival(&fields);
            rate.map(|rate| Workload::Open { rate, arrival })
        }
        "burst" => burst(&fields),
        _ => search(&fields),
    };
    fields.finish();
    workload
}

fn arrival(fields: &Fields<'_>) -> Arrival {
    fields.word("arrival", ARRIVALS).unwrap_or(Arrival::Uniform)
}

fn rate(fields: &Fields<'_>, key: &'static str, example: &str) -> Option<Hertz> {
    fields.required(key, example);
    let rate = fields.rate(key);
    inside(fields, key, (rate, "a rate of"), (Hertz(1), RATE_MAX));
    rate
}

fn burst(fields: &Fields<'_>) -> Option<Workload> {
    fields.required("size", "1_000");
    let size = fields.whole("size", 1..=BURST_MAX);
    fields.required("every", "\"10 ms\"");
    let every = fields.time("every");
    inside(fields, "every", (every, "a burst every"), EVERY);
    Some(Workload::Burst { size: size?, every: every? })
}

fn search(fields: &Fields<'_>) -> Option<Workload> {
    let from = rate(fields, "from", "\"10 kHz\"");
    let to = rate(fields, "to", "\"5 MHz\"");
    let bound = bound(fields);
    let arrival = arrival(fields);
    let precision = fields.share("precision");
    inside(fields, "precision", (precision, "a precision of"), PRECISION);
    if let (Some(from), Some(to), Some(node)) = (from, to, fields.node("to"))
        && to <= from
    {
        let message = format!("there is nothing to search between {from} and {to}");
        let mistake = Mistake::new("scenario::contradiction", node.span, message);
        fields
            .mistakes()
            .push(mistake.label("not above `from`").help("let `to` be the higher one"));
    }
    let (percentile, at_most) = bound?;
    let precision = precision.unwrap_or(PRECISION_DEFAULT);
    Some(Workload::Search(Quest { from: from?, to: to?, arrival, percentile, at_most, precision }))
}

/// `p99(latency) <= 50 us`.
fn bound(fields: &Fields<'_>) -> Option<(Percentile, Nanos)> {
    const EXAMPLE: &str = "\"p99(latency) <= 50 us\"";
    let text = fields.required_text("bound", EXAMPLE)?;
    let found = parse(text).ok().and_then(|check| latency(&check));
    if let Some(node) = fields.node("bound").filter(|_| found.is_none()) {
        let message = format!("`{text}` is no bound of a latency");
        let mistake = Mistake::new("scenario::bad-bound", node.span, message);
        let help = format!("write a percentile of the latency and one time, as in {EXAMPLE}");
        fields.mistakes().push(mistake.label("this bound").help(help));
    }
    found
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time that was written as a whole number of nanoseconds"
)]
fn latency(check: &Check) -> Option<(Percentile, Nanos)> {
    match (check.metric, check.op, check.bound.as_slice()) {
        (Metric::Latency(percentile), Op::AtMost, [Term::Constant(ns)]) if *ns >= 1.0 => {
            Some((percentile, Nanos(*ns as u64)))
        }
        _ => None,
    }
}

/// Refuses what is outside of a range, both ends allowed.
fn inside<T: PartialOrd + Copy + std::fmt::Display>(
    fields: &Fields<'_>,
    key: &'static str,
    (value, what): (Option<T>, &str),
    (low, high): (T, T),
) {
    let outside = value.filter(|value| *value < low || *value > high);
    if let (Some(value), Some(node)) = (outside, fields.node(key)) {
        let message = format!("{what} {value} is out of range");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        let help = format!("allowed is {low} to {high}");
        fields.mistakes().push(mistake.label("this value").help(help));
    }
}
