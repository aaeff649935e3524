//! The harness's side of histories: makes a log for each role, and puts together what was written.

use std::io;

use super::log::Log;
use super::tally::Promise;
use super::task::promise;
use super::wire::Task;
use super::{Order, RawRole};
use crate::history::{Facts, History, Promised, RoleLog};
use crate::plan::{CellPlan, Role};
use crate::scenario::model::Workload;

/// Who waits longer than this for what is there is stuck, if nothing else explains it.
const STUCK_NS: u64 = 2_000_000_000;

/// A log for each task, where histories are asked for.
///
/// # Errors
///
/// When the memory cannot be had.
pub(super) fn open(order: Order<'_>, tasks: &mut [Task]) -> io::Result<Vec<Log>> {
    let records = order.cell.cell.history_records().unwrap_or(0);
    if records == 0 {
        return Ok(vec![]);
    }
    let logs: Vec<Log> = tasks.iter().map(|_| Log::create(records)).collect::<io::Result<_>>()?;
    for (task, log) in tasks.iter_mut().zip(&logs) {
        task.log = Some(log.path());
    }
    Ok(logs)
}

/// Everything that was written, when everybody has left.
pub(super) fn collect(order: Order<'_>, logs: &[Log], roles: &[RawRole]) -> Option<History> {
    if logs.is_empty() {
        return None;
    }
    let closed = order.cell.cell.workload == Workload::PingPong;
    let reads = |number: usize| match number {
        0 => closed.then_some(1),
        _ => Some(0),
    };
    let role = |(number, (log, role)): (usize, (&Log, &RawRole))| {
        let group = match role.plan.role {
            Role::Producer => None,
            Role::Consumer { group } => order.cell.cell.consumers.get(group),
        };
        let reads = reads(number);
        log.collect(&RoleLog {
            reads,
            falls: role.falls.into(),
            resident: reads.is_some() && group.is_none_or(|group| group.stay.is_none()),
            finished: finished(role),
            total: 0,
            records: vec![],
        })
    };
    let metrics = roles.first().and_then(|role| role.report.as_ref()).map(|report| &report.metrics);
    let metric = |name: &str| metrics.and_then(|metrics| metrics.get(name)).copied();
    let facts = Facts {
        promised: match promise(&order.cell.cell.block) {
            Promise::Everything => Promised::Everything,
            Promise::Announced => Promised::Announced,
            Promise::Newest => Promised::Newest,
        },
        stuck_ns: stuck_ns(order.cell),
        written: metric("total_slots_written"),
        read: metric("total_slots_read"),
    };
    Some(History { facts, roles: logs.iter().zip(roles).enumerate().map(role).collect() })
}

/// Whether whoever was last in a role did everything that it was to do.
fn finished(role: &RawRole) -> bool {
    let content = role.report.as_ref().is_some_and(|report| report.trouble.is_none());
    content && role.failure.is_none() && role.exit == "exit 0"
}

/// How long one may wait: for those who are busy, and for those whom a fault holds up.
fn stuck_ns(plan: &CellPlan) -> u64 {
    let cell = &plan.cell;
    let busy = cell.consumers.iter().map(|group| group.work.0).max().unwrap_or(0);
    let faults = cell.faults.iter().filter_map(|fault| fault.action.time());
    let held_up: u64 = faults.map(|time| time.0).fold(0, u64::saturating_add);
    STUCK_NS.saturating_add(busy.saturating_mul(2)).saturating_add(held_up)
}
