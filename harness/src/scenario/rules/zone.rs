//! Zones that nobody could write, or that nobody could judge.

use super::{Parts, contradiction};
use crate::scenario::model::fault::Target;
use crate::scenario::model::zone::{PRODUCER, ZoneSpec};
use crate::scenario::model::{BlockSpec, ConsumerSpec, Program, Workload};
use crate::scenario::problem::Mistakes;
use crate::suggest::nearest;

/// Applies every rule about flexible zones.
pub(super) fn check(parts: &Parts<'_>, block: &BlockSpec, mistakes: &Mistakes) {
    if block.zones.is_empty() {
        return;
    }
    let place = parts.root.place(&["block", "zone"]);
    if parts.workload == Some(Workload::PingPong) {
        let message = "ping-pong has two blocks, and zones belong to one".to_owned();
        let help = "use [workload.stream] or [workload.open]";
        mistakes.push(contradiction(place, message, "in which?", help));
    }
    let groups = parts.consumers.unwrap_or_default();
    let programs = groups.iter().map(|group| group.program);
    let producer = parts.producer.map(|producer| producer.program);
    if programs.chain(producer).any(|program| program == Program::C) {
        let message = "the program in C looks into no zone".to_owned();
        mistakes.push(contradiction(place, message, "not in C", "write `program = \"rust\"`"));
    }
    for (index, zone) in block.zones.iter().enumerate() {
        if zone.writer != PRODUCER && parts.consumers.is_some() {
            written_by_a_consumer(parts, (index, zone), groups, mistakes);
        }
    }
}

fn written_by_a_consumer(
    parts: &Parts<'_>,
    (index, zone): (usize, &ZoneSpec),
    groups: &[ConsumerSpec],
    mistakes: &Mistakes,
) {
    let block = parts.root.table().and_then(|table| table.get("block"));
    let place = |key| block.map_or(parts.root.span, |block| block.item_place("zone", index, key));
    let writer = &zone.writer;
    let Some(group) = groups.iter().position(|group| group.name == *writer) else {
        let names = || groups.iter().map(|group| group.name.as_str()).chain([PRODUCER]);
        let help = match nearest(writer, names()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("roles are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("no role `{writer}`");
        return mistakes.push(contradiction(place("writer"), message, "unknown", &help));
    };
    let spec = &groups[group];
    let of_group = |target| matches!(target, Target::Consumer { group: of, .. } if of == group);
    let faults = parts.faults.unwrap_or_default();
    let dies = faults.iter().any(|fault| fault.action.kills() && of_group(fault.target));
    let refused = [
        (spec.count > 1, "writer", "a zone has one writer, and these are several"),
        (spec.stay.is_some(), "writer", "who writes a zone stays from the beginning to the end"),
        (dies, "writer", "who writes a zone is not killed, unless it is the producer"),
        (zone.checksum, "checksum", "only the producer knows when its zone rests"),
    ];
    for (_, key, message) in refused.into_iter().filter(|(bad, ..)| *bad) {
        let help = "let the producer write it, or another consumer";
        mistakes.push(contradiction(place(key), message.to_owned(), "this zone", help));
    }
}
