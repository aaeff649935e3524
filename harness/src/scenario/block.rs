//! Reads `[block]`: what is under test.

use super::fields::{Fields, Words, word};
use super::model::transport::Carrier;
use super::model::{
    Algorithm, BlockSpec, ChecksumPolicy, ChecksumSpec, ConsumerSync, OnFull, Policy,
};
use super::problem::{Mistake, Mistakes};
use super::tree::{Kind, Node};
use super::zone::zones;
use crate::units::{Bytes, Nanos};

/// Most slots that a block may promise.
pub(crate) const SLOTS_MAX: u64 = 65_536;
/// Most places for consumers.
pub(crate) const CONSUMERS_MAX: u64 = 32;
const PAYLOAD_MIN: Bytes = Bytes(8);
const PAYLOAD_MAX: Bytes = Bytes(64 << 20);
const CONSUMERS_DEFAULT: u64 = 8;

const POLICIES: &Words<Policy> = &[
    ("single", Policy::Single),
    ("double-buffer", Policy::DoubleBuffer),
    ("ring-buffer", Policy::RingBuffer),
];
const SYNCS: &Words<ConsumerSync> = &[
    ("latest-only", ConsumerSync::LatestOnly),
    ("sequential", ConsumerSync::Sequential),
    ("sequential-sync", ConsumerSync::SequentialSync),
];
const ALGORITHMS: &Words<Option<Algorithm>> = &[
    ("none", None),
    ("xxh3", Some(Algorithm::Xxh3)),
    ("crc32c", Some(Algorithm::Crc32c)),
    ("blake2b", Some(Algorithm::Blake2b)),
];
const CHECKSUM_POLICIES: &Words<ChecksumPolicy> =
    &[("manual", ChecksumPolicy::Manual), ("enforced", ChecksumPolicy::Enforced)];

/// The shortest and the longest patience of a producer that evicts.
const EVICT_MIN: Nanos = Nanos(1_000);
const EVICT_MAX: Nanos = Nanos(3_600_000_000_000);

/// Reads `[block]`; after a mistake the result is only good for finding more.
pub(super) fn read(node: &Node, mistakes: &Mistakes) -> Option<BlockSpec> {
    let fields = Fields::new(node, "[block]", mistakes)?;
    let (transport, program) = transport(&fields);
    fields.required("policy", "\"ring-buffer\"");
    let policy = fields.word("policy", POLICIES);
    fields.required("consumer-sync", "\"sequential\"");
    let sync = fields.word("consumer-sync", SYNCS);
    fields.required("payload-size", "\"4 KiB\"");
    let payload = payload(&fields);
    let slots = slots(&fields, policy);
    let max_consumers = narrow(fields.whole("max-consumers", 1..=CONSUMERS_MAX), CONSUMERS_DEFAULT);
    let physical_slots = physical_slots(&fields, (slots.unwrap_or(1), sync, max_consumers));
    let checksum = fields.node("checksum").and_then(|node| checksum(node, mistakes));
    let on_full = match fields.node("on-full") {
        Some(node) => on_full(node, mistakes),
        None if sync == Some(ConsumerSync::LatestOnly) => Some(OnFull::Overwrite),
        None => Some(OnFull::Block { timeout: Nanos(1_000_000_000) }),
    };
    let notify = fields.flag("notify").unwrap_or(false);
    let zones = zones(fields.node("zone"), mistakes);
    fields.finish();
    Some(BlockSpec {
        transport,
        program,
        slots: slots?,
        physical_slots,
        payload: payload?,
        policy: policy?,
        consumer_sync: sync?,
        checksum,
        on_full: on_full?,
        max_consumers,
        notify,
        zones,
    })
}

/// A name of the list, or a program: a text with a `/`, or a table that says so.
fn transport(fields: &Fields<'_>) -> (Carrier, Option<String>) {
    let Some(node) = fields.node("transport") else { return (Carrier::DataHub, None) };
    if let Kind::Text(text) = &node.kind {
        if text.contains('/') {
            return (Carrier::Program, Some(text.clone()));
        }
        return (fields.word("transport", Carrier::ALL).unwrap_or_default(), None);
    }
    let Some(table) = Fields::new(node, "`transport`", fields.mistakes()) else {
        return (Carrier::DataHub, None);
    };
    let program = table.required_text("program", "\"./my-ring\"").map(str::to_owned);
    table.finish();
    (Carrier::Program, program)
}

fn narrow(value: Option<u64>, default: u64) -> u32 {
    u32::try_from(value.unwrap_or(default)).unwrap_or(u32::MAX)
}

fn payload(fields: &Fields<'_>) -> Option<Bytes> {
    let size = fields.size("payload-size")?;
    let nearest = size.clamp(PAYLOAD_MIN, PAYLOAD_MAX);
    if nearest != size {
        let span = fields.node("payload-size").map_or(fields.span(), |node| node.span);
        let mistake = Mistake::new(
            "scenario::out-of-range",
            span,
            format!("a payload of {size} is out of range"),
        );
        let help =
            format!("allowed is {PAYLOAD_MIN} to {PAYLOAD_MAX}; the nearest is \"{nearest}\"");
        fields.mistakes().push(mistake.label("this size").help(help));
    }
    Some(nearest)
}

/// The policy fixes the number for all but the ring.
fn slots(fields: &Fields<'_>, policy: Option<Policy>) -> Option<u32> {
    let asked = fields.whole("slots", 1..=SLOTS_MAX);
    let fixed = match policy? {
        Policy::Single => 1,
        Policy::DoubleBuffer => 2,
        Policy::RingBuffer => {
            fields.required("slots", "16");
            return asked.map(|slots| narrow(Some(slots), 1));
        }
    };
    if let (Some(asked), Some(node)) = (asked, fields.node("slots"))
        && asked != fixed
    {
        let name = policy.map_or("", Policy::name);
        let message = format!("policy \"{name}\" has {fixed} slots, not {asked}");
        let mistake = Mistake::new("scenario::contradiction", node.span, message);
        let help = format!("write `slots = {fixed}`, leave it out, or use \"ring-buffer\"");
        fields.mistakes().push(mistake.label("this number").help(help));
    }
    Some(narrow(Some(fixed), 1))
}

/// One more than promised; under latest-only enough that the producer never waits for a reader.
fn physical_slots(fields: &Fields<'_>, block: (u32, Option<ConsumerSync>, u32)) -> u32 {
    let (slots, sync, max_consumers) = block;
    let default = match sync {
        Some(ConsumerSync::LatestOnly) => slots + max_consumers + 1,
        _ => slots + 1,
    };
    let range = u64::from(slots) + 1..=SLOTS_MAX + CONSUMERS_MAX + 1;
    narrow(fields.whole("physical-slots", range), u64::from(default))
}

fn checksum(node: &Node, mistakes: &Mistakes) -> Option<ChecksumSpec> {
    if let Kind::Text(text) = &node.kind {
        const NONE: &Words<()> = &[("none", ())];
        word(mistakes, node, text, NONE);
        return None;
    }
    let fields = Fields::new(node, "`checksum`", mistakes)?;
    fields.required("algorithm", "\"xxh3\"");
    let algorithm = fields.word("algorithm", ALGORITHMS).flatten();
    if algorithm.is_some() {
        fields.required("policy", "\"enforced\"");
    }
    let policy = fields.word("policy", CHECKSUM_POLICIES);
    fields.finish();
    Some(ChecksumSpec { algorithm: algorithm?, policy: policy? })
}

fn on_full(node: &Node, mistakes: &Mistakes) -> Option<OnFull> {
    #[derive(Clone, Copy, PartialEq)]
    enum Action {
        Block,
        Error,
        Overwrite,
        Evict,
    }
    const ACTIONS: &Words<Action> = &[
        ("block", Action::Block),
        ("error", Action::Error),
        ("overwrite", Action::Overwrite),
        ("evict", Action::Evict),
    ];
    let fields = Fields::new(node, "`on-full`", mistakes)?;
    fields.required("action", "\"block\"");
    let action = fields.word("action", ACTIONS);
    if action == Some(Action::Block) {
        fields.required("timeout", "\"5 ms\"");
    }
    if action == Some(Action::Evict) {
        fields.required("after", "\"5 ms\"");
    }
    let timeout = fields.time("timeout");
    let after = fields.time("after");
    let needless = |key, message, help| {
        if let Some(node) = fields.node(key) {
            let mistake = Mistake::new("scenario::contradiction", node.span, message);
            mistakes.push(mistake.label("never used").help(help));
        }
    };
    if action.is_some_and(|action| action != Action::Block) {
        let message = "only `action = \"block\"` waits, so only it has a timeout";
        needless("timeout", message, "leave `timeout` out");
    }
    if action.is_some_and(|action| action != Action::Evict) {
        let message = "only `action = \"evict\"` goes on without somebody, so only it has `after`";
        needless("after", message, "leave `after` out");
    }
    if let (Some(after), Some(node)) = (after, fields.node("after"))
        && !(EVICT_MIN..=EVICT_MAX).contains(&after)
    {
        let message = format!("a patience of {after} is out of range");
        let help = format!("from \"{EVICT_MIN}\" to \"{EVICT_MAX}\"");
        let mistake = Mistake::new("scenario::out-of-range", node.span, message);
        mistakes.push(mistake.label("this time").help(help));
    }
    fields.finish();
    match action? {
        Action::Block => timeout.map(|timeout| OnFull::Block { timeout }),
        Action::Error => Some(OnFull::Error),
        Action::Overwrite => Some(OnFull::Overwrite),
        Action::Evict => after.map(|after| OnFull::Evict { after }),
    }
}
