//! From a planned cell to what each of its workers must know.

use std::path::{Path, PathBuf};

use super::Order;
use super::calibrate::Side;
use super::payload::mix;
use super::plant::Plant;
use super::tally::Promise;
use super::wire::{
    BlockTask, Checksum, Duty, Fate, Full, Function, Pace, Reading, SiteDeath, Span, Stay, Steady,
    Sync, Task, Waiting,
};
use super::zone::{By, ZoneTask};
use crate::plan::fault::{PlannedFault, schedule};
use crate::plan::{Role, RolePlan};
use crate::scenario::model::fault::Action;
use crate::scenario::model::transport::Carrier;
use crate::scenario::model::zone::{PRODUCER, ZoneSpec};
use crate::scenario::model::{
    self, Algorithm, Arrival, BlockSpec, ChecksumPolicy, ConsumerSpec, ConsumerSync, Fill, Join,
    Length, OnFull, Program, Sched, Wait, Warmup, Workload,
};
use crate::units::Nanos;

/// Without any progress for so long, a worker gives up.
const PATIENCE_NS: u64 = 2_000_000_000;

/// One task for each role, in the order of the plan, and why there is no calibration, if so.
pub(super) fn tasks(order: Order<'_>, parent: u32, words: &Path) -> (Vec<Task>, Option<String>) {
    let roles = &order.cell.roles;
    let partner = partner(roles);
    let course = schedule(order.cell, order.trial.seed);
    let tasks = roles.iter().enumerate().map(|(index, role)| {
        let mut task = task(order, role, parent, words);
        task.role = index;
        if !order.cell.cell.faults.is_empty() {
            task.fate = Some(fate(&course, index));
            // Somebody may stand still, or be dead, for any part of the trial.
            let length_ns = task.length.time_ns().unwrap_or(task.deadline_ns);
            task.patience_ns = task.patience_ns.saturating_add(length_ns);
        }
        task.side = match (role.role, partner) {
            (Role::Producer, Some(_)) => Some(Side::Ping),
            (_, Some(partner)) if partner == index => Some(Side::Pong),
            _ => None,
        };
        task
    });
    let reason = partner.is_none().then(|| {
        "no consumer has another core than the producer: the bare line is not timed".to_owned()
    });
    (tasks.collect(), reason)
}

/// What the faults that are to come mean for the role in this place.
fn fate(course: &[PlannedFault], role: usize) -> Fate {
    let heirs = course.iter().any(|fault| fault.role == 0 && fault.action.kills());
    let mut fate = Fate { heirs, ..Fate::default() };
    for fault in course.iter().filter(|fault| fault.role == role) {
        let at_ns = fault.at_ns;
        match fault.action {
            Action::KillAtSite { site, hit } => fate.deaths.push(SiteDeath { at_ns, site, hit }),
            Action::CorruptByte => fate.spoils.push(at_ns),
            Action::FillShm { time } => fate.fills.push((at_ns, time.0)),
            _ => {}
        }
    }
    fate
}

/// The consumer with which the producer plays the bare line: on another core, or on any.
fn partner(roles: &[RolePlan]) -> Option<usize> {
    let producer = roles.iter().find(|role| role.role == Role::Producer)?;
    let consumers = || roles.iter().enumerate().filter(|(_, role)| role.role != Role::Producer);
    let elsewhere = |role: &RolePlan| role.core.is_some() && role.core != producer.core;
    let free = |role: &RolePlan| role.core.is_none() || producer.core.is_none();
    let found = consumers().find(|(_, role)| elsewhere(role));
    found.or_else(|| consumers().find(|(_, role)| free(role))).map(|(index, _)| index)
}

fn task(order: Order<'_>, role: &RolePlan, parent: u32, words: &Path) -> Task {
    let cell = &order.cell.cell;
    let closed = cell.workload == Workload::PingPong;
    let (duty, group) = match role.role {
        Role::Producer if closed => (Duty::Initiate, None),
        Role::Producer => (Duty::Produce, None),
        Role::Consumer { group } if closed => (Duty::Echo, cell.consumers.get(group)),
        Role::Consumer { group } => (Duty::Consume, cell.consumers.get(group)),
    };
    let gap_ns = cell.workload.gap_max().0;
    let work_ns = group.map_or(0, |group| group.work.0);
    let slowest_ns = cell.consumers.iter().map(|group| group.work.0).max().unwrap_or(0);
    Task {
        parent,
        words: words.to_owned(),
        duty,
        core: role.core,
        fifo: match role.sched {
            Sched::Other => None,
            Sched::Fifo(priority) => Some(priority),
        },
        side: None,
        transport: cell.block.transport,
        block: block(&cell.block),
        zones: zones(&cell.block, group, order.trial.seed),
        pace: pace(cell.workload),
        warmup: match cell.run.warmup {
            Warmup::Time(time) => Span::TimeNs(time.0),
            Warmup::Messages(count) => Span::Messages(count),
            Warmup::Steady(steady) => Span::TimeNs(steady.max.0),
        },
        steady: steady(cell.run.warmup),
        length: match cell.run.length {
            Length::Time(time) => Span::TimeNs(time.0),
            Length::Messages(count) => Span::Messages(count),
        },
        seed: order.trial.seed,
        wait: waiting(group.map_or(cell.producer.wait, |group| group.wait)),
        whole: cell.producer.fill == Fill::Full,
        abort_every: cell.producer.abort_every,
        work_ns,
        join_latest: group.is_some_and(|group| group.join == Join::Latest),
        reading: reading(cell, group),
        stays: group.and_then(|group| group.stay).map_or(vec![], stays),
        patience_ns: PATIENCE_NS.max(4 * gap_ns.max(slowest_ns)),
        deadline_ns: cell.run.deadline.0,
        plant: order.plant.filter(|plant| planted(*plant, role)),
        foreign: cell.block.transport == Carrier::Program
            || group.map_or(cell.producer.program, |group| group.program) == Program::C,
        ring: cell.block.program.as_ref().map(PathBuf::from),
        role: 0,
        log: None,
        fate: None,
        den: None,
        program: order.program.map(Path::to_owned),
    }
}

fn reading(cell: &model::Cell, group: Option<&ConsumerSpec>) -> Reading {
    let in_line = group.is_some_and(|group| cell.asks_in_line(group));
    if in_line { Reading::InLine } else { Reading::Shown }
}

fn steady(warmup: Warmup) -> Option<Steady> {
    let Warmup::Steady(steady) = warmup else { return None };
    Some(Steady {
        min_ns: steady.min.0,
        window_ns: steady.window.0,
        slope_ppm: steady.slope.0,
        max_ns: steady.max.0,
    })
}

fn stays(stay: model::Stay) -> Vec<Stay> {
    let ns = |at: Option<Nanos>| at.map(|at| at.0);
    let first = Stay { from_ns: ns(stay.join_at), until_ns: ns(stay.leave_at) };
    let second = stay.rejoin_at.map(|at| Stay { from_ns: Some(at.0), until_ns: None });
    std::iter::once(first).chain(second).collect()
}

/// Plants that are about a process misbehave in the first consumer only.
fn planted(plant: Plant, role: &RolePlan) -> bool {
    let anybody = plant.tampers() || plant == Plant::JoinWrong;
    let zones = plant.is_about_zones() && role.role == Role::Producer;
    anybody || zones || !plant.is_about_zones() && role.role != Role::Producer && role.index == 0
}

fn block(spec: &BlockSpec) -> BlockTask {
    BlockTask {
        sync: match spec.consumer_sync {
            ConsumerSync::LatestOnly => Sync::Latest,
            ConsumerSync::Sequential => Sync::One,
            ConsumerSync::SequentialSync => Sync::All,
        },
        slots: spec.slots,
        physical_slots: spec.physical_slots,
        payload_bytes: spec.payload.0,
        max_consumers: spec.max_consumers,
        notify: spec.notify,
        on_full: match spec.on_full {
            OnFull::Block { timeout } => Full::Block { timeout_ns: timeout.0 },
            OnFull::Error => Full::Error,
            OnFull::Overwrite => Full::Overwrite,
            OnFull::Evict { after } => Full::Evict { after_ns: after.0 },
        },
        checksum: spec.checksum.map(|checksum| Checksum {
            function: match checksum.algorithm {
                Algorithm::Xxh3 => Function::Xxh3,
                Algorithm::Crc32c => Function::Crc32c,
                Algorithm::Blake2b => Function::Blake2b,
            },
            enforced: checksum.policy == ChecksumPolicy::Enforced,
        }),
        promise: promise(spec),
    }
}

/// The block's zones, as a role of this group sees them; the producer is of none.
fn zones(spec: &BlockSpec, group: Option<&ConsumerSpec>, seed: u64) -> Vec<ZoneTask> {
    let by = |zone: &ZoneSpec| {
        let by_producer = zone.writer == PRODUCER;
        let own = group.map_or(by_producer, |group| group.name == zone.writer);
        match (own, by_producer) {
            (true, _) => By::Me,
            (false, true) => By::Producer,
            (false, false) => By::Consumer,
        }
    };
    let task = |(index, zone): (u64, &ZoneSpec)| ZoneTask {
        name: zone.name.clone(),
        kind: zone.kind,
        words: usize::try_from(zone.size.0 / 8).unwrap_or(0),
        every: zone.every,
        by: by(zone),
        stamped: zone.checksum,
        seed: mix(seed ^ mix(index)),
    };
    (0..).zip(&spec.zones).map(task).collect()
}

/// What the block owes its consumers.
pub(super) fn promise(spec: &BlockSpec) -> Promise {
    if spec.lossless() {
        Promise::Everything
    } else if spec.consumer_sync == ConsumerSync::LatestOnly {
        Promise::Newest
    } else {
        Promise::Announced
    }
}

fn pace(workload: Workload) -> Pace {
    match workload {
        Workload::PingPong => Pace::PingPong,
        Workload::Stream => Pace::Stream,
        Workload::Open { rate, arrival } => {
            Pace::Open { rate_hz: rate.0, poisson: arrival == Arrival::Poisson }
        }
        Workload::Burst { size, every } => Pace::Burst { size, every_ns: every.0 },
        // Each step of a search is a trial with an open workload; the lowest one comes first.
        Workload::Search(quest) => {
            Pace::Open { rate_hz: quest.from.0, poisson: quest.arrival == Arrival::Poisson }
        }
    }
}

fn waiting(wait: Wait) -> Waiting {
    match wait {
        Wait::Spin => Waiting::Spin,
        Wait::Yield => Waiting::Yield,
        Wait::Park => Waiting::Park,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(role: Role, index: u32, core: Option<usize>) -> RolePlan {
        RolePlan { role, name: String::new(), index, core, sched: Sched::Other }
    }

    fn roles(producer: Option<usize>, consumers: &[Option<usize>]) -> Vec<RolePlan> {
        let mut roles = vec![role(Role::Producer, 0, producer)];
        for (index, core) in (0..).zip(consumers) {
            roles.push(role(Role::Consumer { group: 0 }, index, *core));
        }
        roles
    }

    #[test]
    fn the_bare_line_is_played_between_two_cores() {
        assert_eq!(partner(&roles(Some(0), &[Some(0), Some(1)])), Some(2));
        assert_eq!(partner(&roles(Some(0), &[None, Some(1)])), Some(2));
        assert_eq!(partner(&roles(Some(0), &[Some(0), None])), Some(2));
        assert_eq!(partner(&roles(None, &[None])), Some(1));
    }

    #[test]
    fn one_core_for_all_has_no_bare_line() {
        assert_eq!(partner(&roles(Some(0), &[Some(0), Some(0)])), None);
    }
}
