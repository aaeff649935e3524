//! One cell's result: the block's facts, its trials, its gates.

use report_schema::{
    BlockFacts, Boundary, CellResult, ConsumerSync, Policy, TransportFacts, Trial, Workload,
};

use super::Request;
use crate::plan::CellPlan;
use crate::record::Recorded;
use crate::scenario::{Cell, model};
use crate::verdict::{Evidence, judge, less_than_offered, mark, rules};

pub(super) fn result(
    file: &str,
    plan: &CellPlan,
    recorded: Vec<Recorded>,
    request: &Request<'_>,
) -> CellResult {
    let cell = &plan.cell;
    let mut degraded = plan.degraded.clone();
    for reason in recorded.iter().flat_map(|recorded| &recorded.degraded) {
        if !degraded.contains(reason) {
            degraded.push(reason.clone());
        }
    }
    let mut trials: Vec<Trial> = recorded.into_iter().map(|recorded| recorded.trial).collect();
    mark(cell, &mut trials);
    degraded.extend(trials.iter().filter_map(unanswered));
    let judged = rules(cell).iter().any(|(id, _)| *id == "implied:offered");
    degraded.extend(less_than_offered(cell, &trials).filter(|_| !judged));
    let judgement = judge(&Evidence {
        file,
        cell,
        trials: &trials,
        clock_quantum_ns: request.host.facts.clock_quantum_ns,
        against: request.against,
    });
    CellResult {
        id: cell.id.clone(),
        axes: cell.axes.iter().cloned().collect(),
        verdict: judgement.verdict,
        degraded,
        block: block(plan),
        transport: Some(transport(cell)),
        workload: workload(cell),
        offered_rate_hz: cell.workload.offered_hz(),
        trials,
        gates: judgement.gates,
        dropped: judgement.dropped,
    }
}

/// That a search ended without an answer.
fn unanswered(trial: &Trial) -> Option<String> {
    let why = trial.search.as_ref()?.undecided.as_ref()?;
    Some(format!("the search of repeat {} has no answer: {why}", trial.repeat))
}

/// As results name it.
#[must_use]
pub fn workload(cell: &Cell) -> Workload {
    match cell.workload {
        model::Workload::PingPong => Workload::PingPong,
        model::Workload::Stream => Workload::Stream,
        model::Workload::Open { .. } => Workload::Open,
        model::Workload::Burst { .. } => Workload::Burst,
        model::Workload::Search(_) => Workload::Search,
    }
}

fn block(plan: &CellPlan) -> BlockFacts {
    let block = &plan.cell.block;
    BlockFacts {
        policy: match block.policy {
            model::Policy::Single => Policy::Single,
            model::Policy::DoubleBuffer => Policy::DoubleBuffer,
            model::Policy::RingBuffer => Policy::RingBuffer,
        },
        consumer_sync: match block.consumer_sync {
            model::ConsumerSync::LatestOnly => ConsumerSync::LatestOnly,
            model::ConsumerSync::Sequential => ConsumerSync::Sequential,
            model::ConsumerSync::SequentialSync => ConsumerSync::SequentialSync,
        },
        slots: block.slots,
        physical_slots: block.physical_slots,
        payload_bytes: block.payload.0,
        checksum: block
            .checksum
            .map(|checksum| format!("{}, {}", checksum.algorithm.name(), checksum.policy.name())),
        consumers: plan.cell.consumer_count(),
        total_bytes: plan.shm.0,
    }
}

fn transport(cell: &Cell) -> TransportFacts {
    let promises = cell.block.transport.promises();
    let threads = cell.block.transport.joins_threads();
    TransportFacts {
        name: cell.carrier_name().to_owned(),
        boundary: if threads { Boundary::Threads } else { Boundary::Processes },
        lossless: promises.lossless,
        copies: promises.copies,
        consumers_max: promises.consumers_max,
        holds: promises.holds.to_owned(),
        death: promises.death.to_owned(),
    }
}
