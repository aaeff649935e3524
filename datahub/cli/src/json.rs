//! The same facts for programs. Names carry units; keys are stable.

use datahub::block::OpenError;
use datahub::config::BlockConfig;
use datahub::metrics::{METRICS, Metric};
use datahub::monitor::health::Finding;
use datahub::monitor::process::ProcessState;
use datahub::monitor::view::{BlockView, ConsumerView, SeatView, SlotView, Standing};
use datahub::name::BlockName;
use datahub::recovery::diagnosis::{Action, Step, state_name};
use datahub::recovery::integrity::Integrity;
use datahub::shm::token::Seat;
use serde_json::{Value, json};

use crate::output;
use crate::verb::show;

/// A block in a few lines.
pub(crate) fn summary(name: &BlockName, view: &BlockView, findings: &[Finding]) -> Value {
    json!({
        "name": name.as_str(),
        "usable": true,
        "header": header(view),
        "producer": seat(&view.producer),
        "commit_index": view.commit_index,
        "read_index": view.read_index,
        "ended": view.ended,
        "moved_to": view.moved_to.as_deref().map(output::printable),
        "still_to_move_mask": view.moving,
        "unread_payloads": view.occupancy(),
        "consumers": view.consumers.iter().map(consumer).collect::<Vec<_>>(),
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// A file that is named like a block and cannot be used.
pub(crate) fn unusable(name: &BlockName, error: Option<&OpenError>) -> Value {
    json!({
        "name": name.as_str(),
        "usable": false,
        "error": error.map(ToString::to_string),
    })
}

/// Everything about a block.
pub(crate) fn block(name: &BlockName, view: &BlockView, findings: &[Finding]) -> Value {
    let mut all = summary(name, view, findings);
    let counter = |&(metric, name): &(Metric, &str)| {
        let value = metric.is_counted().then(|| view.metrics.get(metric));
        (name.to_owned(), Value::from(value))
    };
    let metrics: serde_json::Map<String, Value> = METRICS.iter().map(counter).collect();
    all["registered_mask"] = view.registered.into();
    all["registrations_acknowledged"] = view.acknowledged.into();
    all["slots"] = view.slots.iter().map(slot).collect();
    all["metrics"] = metrics.into();
    all
}

fn header(view: &BlockView) -> Value {
    let geometry = &view.geometry;
    let config: &BlockConfig = &geometry.config;
    json!({
        "consumer_sync": show::sync(config.consumer_sync()),
        "capacity": config.capacity(),
        "payload_bytes": config.payload_bytes(),
        "physical_slots": config.physical_slots(),
        "max_consumers": config.consumers_max(),
        "on_full": show::on_full(config.when_full()),
        "evict_after_ns": config.evict_after_ns(),
        "checksum_algorithm": show::algorithm(config.checksum_algorithm()),
        "checksum_policy": show::policy(config.checksum_policy()),
        "parking": config.parks(),
        "first_sequence": geometry.first,
        "stream": format!("{:032x}", u128::from_be_bytes(geometry.origin.stream)),
        "predecessor": geometry.origin.predecessor.map(|predecessor| {
            format!("{:032x}", u128::from_be_bytes(predecessor.nonce))
        }),
        "nonce": format!("{:032x}", u128::from_be_bytes(geometry.nonce)),
        "total_bytes": geometry.layout.total,
        "slots_offset": geometry.layout.slots,
        "records_offset": geometry.layout.records,
        "ring_offset": geometry.layout.ring,
        "stride_bytes": geometry.layout.stride,
    })
}

fn seat(seat: &SeatView) -> Value {
    json!({
        "alive": seat.alive,
        "occupied": seat.occupied,
        "process": seat.process_id(),
        "process_state": seat.process.map(|state| match state {
            ProcessState::Active => "active",
            ProcessState::Stopped => "stopped",
        }),
        "evicted": seat.standing == Standing::Evicted,
        "awaited": seat.standing == Standing::Awaited,
        "claims": seat.epoch,
        "heartbeat_age_ns": seat.beat_age_ns,
    })
}

fn consumer(consumer: &ConsumerView) -> Value {
    json!({
        "number": consumer.number,
        "seat": seat(&consumer.seat),
        "registered": consumer.registered,
        "gates": consumer.gates,
        "cursor": consumer.cursor,
        "lag_payloads": consumer.lag,
        "pinned_slots": consumer.pins,
        "slots_read": consumer.slots_read,
        "bytes_read": consumer.bytes_read,
    })
}

fn slot(slot: &SlotView) -> Value {
    json!({
        "index": slot.index,
        "state": state_name(slot.state),
        "sequence": slot.sequence(),
        "write_generation": slot.generation,
        "payload_bytes": slot.payload_bytes,
        "reader_count": slot.reader_count(),
        "writer_waiting": slot.writer_waiting(),
        "readers_mask": slot.readers,
        "dead_readers_mask": slot.dead_readers,
        "moving": slot.moving,
    })
}

/// What a health rule found.
pub(crate) fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "severity": finding.severity.name(),
        "what": finding.what,
        "why": finding.why,
        "remedy": finding.remedy,
    })
}

/// One step of a recovery.
pub(crate) fn step(step: &Step) -> Value {
    let mut value = json!({
        "action": step.action.name(),
        "text": step.action.to_string(),
        "proof": {
            "seat": match step.proof.seat {
                Seat::Producer => Value::from("producer"),
                Seat::Consumer(number) => Value::from(number),
            },
            "token_free": step.proof.token_free,
            "claim": step.proof.epoch,
            "process": step.proof.process,
            "text": step.proof.to_string(),
        },
    });
    match &step.action {
        Action::ReapConsumer { number, pins, gates } => {
            value["consumer"] = (*number).into();
            value["pinned_slots"] = pins.clone().into();
            value["gates"] = (*gates).into();
        }
        Action::SettleSlot { index, from, to } => {
            value["slot"] = (*index).into();
            value["from"] = state_name(*from).into();
            value["to"] = state_name(*to).into();
        }
        Action::AnnounceCommit { from, to } => {
            value["from"] = (*from).into();
            value["to"] = (*to).into();
        }
        Action::PointAtNewest { sequence, slot } => {
            value["sequence"] = (*sequence).into();
            value["slot"] = (*slot).into();
        }
        Action::RetireProducer => {}
        Action::EvictConsumer { number, silent_ns } => {
            value["consumer"] = (*number).into();
            value["silent_ns"] = (*silent_ns).into();
        }
    }
    value
}

/// What a validation found.
pub(crate) fn integrity(name: &BlockName, integrity: &Integrity) -> Value {
    let mismatch = |found: &datahub::recovery::integrity::Mismatch| json!({ "sequence": found.sequence, "slot": found.index, "payload_bytes": found.payload_bytes });
    let unchecked = |found: &datahub::recovery::integrity::Unchecked| json!({ "slot": found.index, "why": found.why });
    json!({
        "name": name.as_str(),
        "whole": integrity.is_whole(),
        "header_error": integrity.header.as_ref().map(ToString::to_string),
        "checksums_enforced": integrity.enforced,
        "slots": integrity.slots,
        "payloads_verified": integrity.verified,
        "checksum_mismatches": integrity.mismatches.iter().map(mismatch).collect::<Vec<_>>(),
        "faults": integrity.faults,
        "unchecked": integrity.unchecked.iter().map(unchecked).collect::<Vec<_>>(),
    })
}
