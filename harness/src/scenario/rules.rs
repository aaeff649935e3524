//! Settings that are right each for itself and wrong together.
//!
//! Each rule sees what it needs and is silent where a part could not be read.

mod expectations;
mod sched;
mod stay;
mod transport;
mod zone;

use super::expect::{Written, demands_nothing_lost};
use super::fault;
use super::model::fault::FaultSpec;
use super::model::messages_max;
use super::model::transport::Carrier;
use super::model::{
    BlockSpec, ConsumerSpec, ConsumerSync, History, Length, OnFull, ProducerSpec, Program, Read,
    RunSpec, Wait, Warmup, Workload,
};
use super::problem::{Mistake, Mistakes, Span};
use super::tree::Node;
use super::written::RECORDS_MAX;
use crate::units::Nanos;

/// The parts of a cell that could be read.
pub(super) struct Parts<'a> {
    pub(super) root: &'a Node,
    pub(super) block: Option<&'a BlockSpec>,
    pub(super) producer: Option<&'a ProducerSpec>,
    pub(super) consumers: Option<&'a [ConsumerSpec]>,
    pub(super) workload: Option<Workload>,
    pub(super) run: Option<&'a RunSpec>,
    pub(super) faults: Option<&'a [FaultSpec]>,
    pub(super) history: Option<History>,
    pub(super) expectations: &'a [Written],
}

/// Nothing moves a message in less.
const MESSAGE_NS_MIN: u64 = 5;

pub(super) const CONTRADICTION: &str = "scenario::contradiction";

/// Applies every rule.
pub(super) fn check(parts: &Parts<'_>, mistakes: &Mistakes) {
    if let (Some(block), Some(consumers)) = (parts.block, parts.consumers) {
        enough_places(parts, block, consumers, mistakes);
        readable(parts, block, consumers, mistakes);
    }
    if let Some(block) = parts.block {
        transport::check(parts, block, mistakes);
        zone::check(parts, block, mistakes);
        parkable(parts, block, mistakes);
        evictable(parts, block, mistakes);
        losable(parts, block, mistakes);
    }
    if let (Some(Workload::PingPong), Some(consumers)) = (parts.workload, parts.consumers) {
        one_answers(parts, consumers, mistakes);
    }
    if let Some(run) = parts.run {
        in_time(parts, run, mistakes);
        enough_trials(parts, run, mistakes);
    }
    expectations::check(parts, mistakes);
    fault::check(parts, mistakes);
    foreign(parts, mistakes);
    recorded(parts, mistakes);
    sched::check(parts, mistakes);
    stay::check(parts, mistakes);
}

/// What the peer in C does not do.
fn foreign(parts: &Parts<'_>, mistakes: &Mistakes) {
    let producer = parts.producer.filter(|producer| producer.program == Program::C);
    let producer = producer.map(|_| parts.root.place(&["producer", "program"]));
    let consumers = parts.consumers.unwrap_or_default().iter().enumerate();
    let consumers = consumers
        .filter(|(_, group)| group.program == Program::C)
        .map(|(index, _)| parts.root.consumer_place(index, "program"));
    for span in producer.into_iter().chain(consumers) {
        if parts.workload.is_some_and(|workload| workload != Workload::Stream) {
            let message = "the program in C streams, and does nothing else".to_owned();
            mistakes.push(contradiction(span, message, "streams only", "use [workload.stream]"));
        }
        if parts.run.is_some_and(|run| matches!(run.warmup, Warmup::Steady(_))) {
            let place = parts.root.place(&["run", "warmup"]);
            let message = "the program in C warms up for a time or a number".to_owned();
            mistakes.push(contradiction(place, message, "until steady", "say how long"));
        }
        if parts.faults.is_some_and(|faults| !faults.is_empty()) {
            let message = "faults befall the harness's own programs".to_owned();
            let help = "drop the faults, or write `program = \"rust\"`";
            mistakes.push(contradiction(span, message, "takes no faults", help));
        }
    }
}

/// Everything can only be written down where it is known how much that is.
fn recorded(parts: &Parts<'_>, mistakes: &Mistakes) {
    let Some(history) = parts.history.filter(|history| *history != History::None) else { return };
    let span = parts.root.place(&["record", "history"]);
    let consumers = parts.consumers.unwrap_or_default().iter().map(|group| group.program);
    let producer = parts.producer.map(|producer| producer.program);
    if consumers.chain(producer).any(|program| program == Program::C) {
        let message = "the program in C writes nothing down".to_owned();
        mistakes.push(contradiction(span, message, "not in C", "write `program = \"rust\"`"));
    }
    let (Some(workload), Some(run), History::All) = (parts.workload, parts.run, history) else {
        return;
    };
    if messages_max(workload, run).is_none_or(|records| records > RECORDS_MAX) {
        let message = "it is not known, or too much, how many records everything is".to_owned();
        let timed = !matches!(run.warmup, Warmup::Messages(_) | Warmup::Time(Nanos(0)));
        let help = match run.length {
            Length::Messages(_) if timed => {
                "the warm-up is timed: warm up by messages, too, as in `warmup = { messages = 1_000 }`, \
                 or keep the last records by \"ring:1M\""
            }
            Length::Messages(_) => "keep the last ones by \"ring:1M\", or run fewer messages",
            Length::Time(_) => "keep the last ones by \"ring:1M\", or end the trial by a `count`",
        };
        mistakes.push(contradiction(span, message, "everything", help));
    }
}

pub(super) fn contradiction(span: Span, message: String, label: &str, help: &str) -> Mistake {
    Mistake::new(CONTRADICTION, span, message).label(label).help(help)
}

fn total(consumers: &[ConsumerSpec]) -> u32 {
    consumers.iter().map(|group| group.count).sum()
}

fn enough_places(
    parts: &Parts<'_>,
    block: &BlockSpec,
    consumers: &[ConsumerSpec],
    mistakes: &Mistakes,
) {
    let (total, max) = (total(consumers), block.max_consumers);
    if total > max {
        let span = parts.root.consumer_place(consumers.len().saturating_sub(1), "count");
        let message = format!("{total} consumers, but the block has places for {max}");
        let help = if total <= 32 {
            format!("set `max-consumers = {total}` in [block]")
        } else {
            "a block has places for at most 32".to_owned()
        };
        mistakes.push(contradiction(span, message, "too many", &help));
    }
    if block.consumer_sync == ConsumerSync::Sequential && total > 1 {
        let span = parts.root.place(&["block", "consumer-sync"]);
        let message = format!("\"sequential\" admits one consumer, but there are {total}");
        let help = "use \"sequential-sync\", or one consumer";
        mistakes.push(contradiction(span, message, "one consumer only", help));
    }
}

fn readable(parts: &Parts<'_>, block: &BlockSpec, consumers: &[ConsumerSpec], mistakes: &Mistakes) {
    if block.consumer_sync == ConsumerSync::LatestOnly {
        return in_line(parts, consumers, mistakes);
    }
    for (index, group) in consumers.iter().enumerate() {
        if group.read == Read::Latest {
            let sync = block.consumer_sync.name();
            let span = parts.root.consumer_place(index, "read");
            let message = format!("reading the latest skips payloads, which \"{sync}\" forbids");
            let help = "use `read = \"next\"`, or consumer-sync \"latest-only\"";
            mistakes.push(contradiction(span, message, "skips", help));
        }
    }
}

/// Where somebody can be evicted, and can come back.
fn evictable(parts: &Parts<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    if !matches!(block.on_full, OnFull::Evict { .. }) {
        return;
    }
    let span = parts.root.place(&["block", "on-full"]);
    let refuse = |bad: bool, message: &str, label: &str, help: &str| {
        if bad {
            mistakes.push(contradiction(span, message.to_owned(), label, help));
        }
    };
    let latest = block.consumer_sync == ConsumerSync::LatestOnly;
    let message = "nobody is waited for in a latest-only block, so nobody is evicted";
    refuse(latest, message, "never", "leave `on-full` out, or use \"sequential-sync\"");
    let closed = parts.workload == Some(Workload::PingPong);
    let message = "ping-pong has one message under way, so nobody is too slow";
    refuse(closed, message, "never", "use [workload.stream] or [workload.open]");
    let groups = parts.consumers.unwrap_or_default();
    let producer = parts.producer.is_some_and(|producer| producer.program == Program::C);
    let foreign = producer || groups.iter().any(|group| group.program == Program::C);
    let message = "the program in C neither evicts nor comes back";
    refuse(foreign, message, "not in C", "write `program = \"rust\"`");
    let goes = groups.iter().any(|group| group.stay.is_some());
    let message = "who comes and goes as planned is not to be evicted in between";
    refuse(goes, message, "comes and goes", "drop `join-at`, `leave-at` and `rejoin-at`");
}

/// Who reads a latest-only block payload by payload asks for each by its sequence.
fn in_line(parts: &Parts<'_>, consumers: &[ConsumerSpec], mistakes: &Mistakes) {
    if parts.workload == Some(Workload::PingPong) {
        // The next one is the latest there.
        return;
    }
    let next = consumers.iter().enumerate().filter(|(_, group)| group.read == Read::Next);
    for (index, group) in next {
        let span = parts.root.consumer_place(index, "read");
        if group.wait == Wait::Park {
            let message =
                "nobody wakes a sleeper for one sequence of a latest-only block".to_owned();
            let help = "use `read = \"latest\"`, or `wait = \"yield\"`";
            mistakes.push(contradiction(span, message, "never woken", help));
        }
        if group.program == Program::C {
            let message = "the program in C is shown the latest of a latest-only block".to_owned();
            let help = "use `read = \"latest\"`, or `program = \"rust\"`";
            mistakes.push(contradiction(span, message, "not in C", help));
        }
    }
}

fn parkable(parts: &Parts<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    // What other transports can do about sleepers stands with their promises.
    if block.notify || block.transport != Carrier::DataHub {
        return;
    }
    let producer = parts.producer.filter(|producer| producer.wait == Wait::Park);
    let producer = producer.map(|_| parts.root.place(&["producer", "wait"]));
    let consumers = parts.consumers.unwrap_or_default().iter().enumerate();
    let consumers = consumers
        .filter(|(_, group)| group.wait == Wait::Park)
        .map(|(index, _)| parts.root.consumer_place(index, "wait"));
    for span in producer.into_iter().chain(consumers) {
        let message = "nobody would wake it: the block does not notify".to_owned();
        mistakes.push(contradiction(span, message, "sleeps", "set `notify = true` in [block]"));
    }
}

fn losable(parts: &Parts<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    // A closed loop has one message under way, so even latest-only skips none.
    if block.lossless() || parts.workload == Some(Workload::PingPong) {
        return;
    }
    let reason = match block.on_full {
        OnFull::Overwrite if block.consumer_sync != ConsumerSync::LatestOnly => {
            "on-full \"overwrite\" drops payloads"
        }
        OnFull::Evict { .. } => "on-full \"evict\" goes on without a slow consumer",
        _ => "consumer-sync \"latest-only\" may skip payloads",
    };
    for written in parts.expectations {
        if demands_nothing_lost(&written.expectation.check) {
            let message = format!("{reason}, but this demands that none is lost");
            let help = "drop the expectation, or choose a lossless policy";
            mistakes.push(contradiction(written.check_span, message, "cannot be promised", help));
        }
    }
}

fn one_answers(parts: &Parts<'_>, consumers: &[ConsumerSpec], mistakes: &Mistakes) {
    let total = total(consumers);
    if total > 1 {
        let span = parts.root.consumer_place(consumers.len().saturating_sub(1), "count");
        let message = format!("ping-pong has one partner, but there are {total} consumers");
        mistakes.push(contradiction(span, message, "too many", "use one consumer"));
    }
    for (index, group) in consumers.iter().enumerate() {
        if group.read == Read::Latest {
            let place = parts.root.consumer_place(index, "read");
            let message = "ping-pong answers each message, so it reads the next one".to_owned();
            mistakes.push(contradiction(place, message, "skips", "use `read = \"next\"`"));
        }
    }
}

fn in_time(parts: &Parts<'_>, run: &RunSpec, mistakes: &Mistakes) {
    let rate = parts.workload.and_then(Workload::rate_max).map(|rate| rate.0);
    let message = Nanos(rate.map_or(MESSAGE_NS_MIN, |rate| 1_000_000_000 / rate.max(1)));
    let (warmup, length) = (run.warmup.time_max(message).0, run.length.time(message).0);
    let needed = Nanos(warmup.saturating_add(length));
    if needed >= run.deadline {
        let span = parts.root.place(&["run", "deadline"]);
        let least = if rate.is_some() { "" } else { "at least " };
        let message = format!(
            "a trial takes {least}{}, but is stopped after {}",
            needed.rough(),
            run.deadline.rough()
        );
        mistakes.push(contradiction(span, message, "too early", "set a later `deadline` in [run]"));
    }
    if let (Some(rate), Length::Time(time)) = (rate, run.length)
        && u128::from(rate) * u128::from(time.0) < 1_000_000_000
    {
        let span = parts.root.place(&["run", "duration"]);
        let message = format!("at {rate} Hz not one message is sent in {}", time.rough());
        mistakes.push(contradiction(span, message, "too short", "run longer, or send faster"));
    }
}

fn enough_trials(parts: &Parts<'_>, run: &RunSpec, mistakes: &Mistakes) {
    for written in parts.expectations {
        let (id, needed) = (&written.expectation.id, written.expectation.min_trials);
        if needed > run.repeats {
            let repeats = run.repeats;
            let message = format!("`{id}` needs {needed} trials, but each cell has {repeats}");
            let help = "run more `repeats`, or leave it out by `expect = […]` in the profile";
            let span = written.min_trials_span;
            mistakes.push(contradiction(span, message, "never judged", help));
        }
    }
}
