//! What a scenario asks of its transport and the transport cannot do: an error, never left out in
//! silence.

use super::{Parts, contradiction, total};
use crate::scenario::model::fault::Action;
use crate::scenario::model::transport::Carrier;
use crate::scenario::model::{
    BlockSpec, ConsumerSync, History, Join, OnFull, Program, Stay, Wait, Warmup, Workload,
};
use crate::scenario::problem::{Mistakes, Span};

/// Applies every rule about transports other than the block itself.
pub(super) fn check(parts: &Parts<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    if block.transport == Carrier::DataHub {
        return;
    }
    for (span, what, help) in refused(parts, block) {
        let name = block.program.as_deref().unwrap_or_else(|| block.transport.name());
        let message = format!("\"{name}\" {what}");
        mistakes.push(contradiction(span, message, "cannot be done", help));
    }
}

type Refused = (Span, String, &'static str);

fn refused(parts: &Parts<'_>, block: &BlockSpec) -> Vec<Refused> {
    let mut all = of_the_block(parts, block);
    let promises = block.transport.promises();
    let mut add = |bad: bool, span: Span, what: String, help| {
        all.extend(bad.then_some((span, what, help)));
    };
    let consumers = parts.consumers.unwrap_or_default();
    let (count, most) = (total(consumers), promises.consumers_max);
    let last = parts.root.consumer_place(consumers.len().saturating_sub(1), "count");
    let what = format!("has at most {most} consumers, but there are {count}");
    add(count > most, last, what, "use fewer, or a transport that fans out");
    let sleeps = "wakes nobody who sleeps".to_owned();
    let polls = "use `wait = \"spin\"` or \"yield\"";
    let foreign = "is run by the harness's own programs only".to_owned();
    let rust = "write `program = \"rust\"`";
    for (index, group) in consumers.iter().enumerate() {
        let place = |key| parts.root.consumer_place(index, key);
        add(!promises.parks && group.wait == Wait::Park, place("wait"), sleeps.clone(), polls);
        add(group.program == Program::C, place("program"), foreign.clone(), rust);
        let what = "has no newest message to join at".to_owned();
        add(group.join == Join::Latest, place("join"), what, "use `join = \"oldest\"`");
        for (key, _) in group.stay.into_iter().flat_map(Stay::moments) {
            let what = "lets nobody come or go while messages flow".to_owned();
            add(true, place(key), what, "let the consumer stay");
        }
    }
    if let Some(producer) = parts.producer {
        let place = |key| parts.root.place(&["producer", key]);
        add(!promises.parks && producer.wait == Wait::Park, place("wait"), sleeps, polls);
        add(producer.program == Program::C, place("program"), foreign, rust);
        let what = "cannot give up a message that was begun".to_owned();
        let aborts = producer.abort_every.is_some();
        add(aborts, place("abort-every"), what, "leave `abort-every` out");
    }
    let program = block.transport == Carrier::Program;
    let paced = parts
        .workload
        .is_some_and(|workload| !matches!(workload, Workload::PingPong | Workload::Stream));
    let what = "streams and plays ping-pong, and does nothing else".to_owned();
    let place = parts.root.place(&["workload"]);
    add(program && paced, place, what, "use [workload.stream] or [workload.ping-pong]");
    let recorded = parts.history.is_some_and(|history| history != History::None);
    let place = parts.root.place(&["record", "history"]);
    add(program && recorded, place, "writes nothing down".to_owned(), "leave `history` out");
    let steady = parts.run.is_some_and(|run| matches!(run.warmup, Warmup::Steady(_)));
    let what = "warms up for a time or a number".to_owned();
    add(program && steady, parts.root.place(&["run", "warmup"]), what, "say how long");
    for (index, fault) in parts.faults.unwrap_or_default().iter().enumerate() {
        let shared = !program && matches!(fault.action, Action::Stop { .. } | Action::Slow { .. });
        let span = parts.root.item_place("fault", index, "action");
        if block.transport.joins_threads() {
            let what = "knows no faults: both ends are threads of one process".to_owned();
            add(true, span, what, "leave the fault out, or use a transport between processes");
            continue;
        }
        let what = format!("knows no `{}`: that is about blocks", fault.action.name());
        add(!shared, span, what, "use `stop` or `slow`, or transport \"datahub\"");
    }
    all
}

fn of_the_block(parts: &Parts<'_>, block: &BlockSpec) -> Vec<Refused> {
    let place = |key| parts.root.place(&["block", key]);
    let latest = block.consumer_sync == ConsumerSync::LatestOnly;
    let waits = matches!(block.on_full, OnFull::Block { .. });
    let longest = block.transport.promises().payload_max;
    let written = parts.root.table().and_then(|table| table.get("block")?.table());
    let physical = written.is_some_and(|table| table.get("physical-slots").is_some());
    let all = [
        (latest, "consumer-sync", "delivers every message in order", "use \"sequential\""),
        (!latest && !waits, "on-full", "waits when it is full", "use `action = \"block\"`"),
        (block.checksum.is_some(), "checksum", "stamps no payload", "leave `checksum` out"),
        (physical, "physical-slots", "has no slots of memory", "leave `physical-slots` out"),
        (!block.zones.is_empty(), "zone", "has no zones beside its messages", "leave `zone` out"),
    ];
    let all = all.into_iter().filter(|(bad, ..)| *bad);
    let mut all: Vec<Refused> =
        all.map(|(_, key, what, help)| (place(key), what.to_owned(), help)).collect();
    if block.payload > longest {
        let what = format!("carries at most {longest}, not {}", block.payload);
        all.push((place("payload-size"), what, "use a smaller payload, or leave it out"));
    }
    all
}
