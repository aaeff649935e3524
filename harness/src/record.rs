//! Puts together what the processes of one trial found: counts, losses, noise, and whether the
//! block's own metrics say the same.
//!
//! Pure: everything comes in through [`RawTrial`]. Nothing is judged here.

mod cross_check;

use report_schema::{Calibration, Counts, Noise, RoleResult, Trial};

use crate::plan::{CellPlan, Role, TrialPlan};
use crate::run::{RawRole, RawTrial, Report, Usage, class};
use crate::scenario::model::Workload;

/// One trial, put together.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// As it stands in the result.
    pub trial: Trial,
    /// What kept the trial from running to its end, one sentence each.
    pub broken: Vec<String>,
    /// What the processes could not do as asked.
    pub degraded: Vec<String>,
}

/// Puts a trial together. `started_ms` counts from the start of the suite.
#[must_use]
pub fn record(cell: &CellPlan, plan: &TrialPlan, raw: &RawTrial, started_ms: u64) -> Recorded {
    let complete = raw.roles.iter().all(|role| role.report.is_some());
    let mut counts: Counts = reports(raw).map(|report| report.counts).sum();
    let mut mismatches = vec![];
    if complete {
        account_for_tails(cell, raw, &mut counts, &mut mismatches);
        mismatches.extend(cross_check::differences(cell, raw));
    }
    let producer = raw.roles.first().and_then(|role| role.report.as_ref());
    let [before_ns, after_ns] = producer.map_or([None, None], |report| report.line_ns);
    let class = class(before_ns, after_ns);
    let trial = Trial {
        repeat: plan.repeat,
        seed: plan.seed,
        started_ms,
        duration_ms: producer.map_or(0, |report| report.measured.ns / 1_000_000),
        calibration: Calibration { before_ns, after_ns, class },
        noise: noise(raw),
        roles: raw.roles.iter().map(role).collect(),
        counts,
        metrics: producer.map(|report| report.metrics.clone()).unwrap_or_default(),
        mismatches,
        faults: vec![],
    };
    let broken = raw.roles.iter().flat_map(troubles).collect();
    let degraded = reports(raw).flat_map(|report| report.degraded.iter().cloned()).collect();
    Recorded { trial, broken, degraded }
}

fn reports(raw: &RawTrial) -> impl Iterator<Item = &Report> {
    raw.roles.iter().filter_map(|role| role.report.as_ref())
}

/// Counts what was committed after the last message that each reader was given.
fn account_for_tails(
    cell: &CellPlan,
    raw: &RawTrial,
    counts: &mut Counts,
    mismatches: &mut Vec<String>,
) {
    let lossless = cell.cell.block.lossless();
    for (reader, writer) in links(cell, raw) {
        let (Some(read), Some(written)) = (&reader.report, &writer.report) else { continue };
        let tail = written.counts.committed.saturating_sub(read.next);
        if lossless {
            counts.lost = counts.lost.saturating_add(tail);
        } else {
            counts.lapped = counts.lapped.saturating_add(tail);
            if tail > 0 {
                let name = &reader.plan.name;
                mismatches.push(format!("{name} was never shown the newest {tail} payloads"));
            }
        }
        if read.silent > 0 {
            let (name, silent) = (&reader.plan.name, read.silent);
            mismatches.push(format!("{name} missed {silent} payloads without being told"));
        }
    }
}

/// Who reads whose block: reader, writer.
fn links<'a>(cell: &CellPlan, raw: &'a RawTrial) -> Vec<(&'a RawRole, &'a RawRole)> {
    let Some((producer, consumers)) = raw.roles.split_first() else { return vec![] };
    let mut links: Vec<_> = consumers.iter().map(|consumer| (consumer, producer)).collect();
    if cell.cell.workload == Workload::PingPong {
        links.extend(consumers.iter().map(|consumer| (producer, consumer)));
    }
    links
}

fn troubles(role: &RawRole) -> Vec<String> {
    let mut troubles = vec![];
    let name = &role.plan.name;
    if role.exit == "deadline" {
        troubles.push(format!("{name} did not end before the deadline and was killed"));
    } else if role.exit != "exit 0" {
        troubles.push(format!("{name} ended with {}", role.exit));
    } else if role.report.is_none() && role.failure.is_none() {
        troubles.push(format!("{name} ended without a report"));
    }
    let said = role.report.as_ref().and_then(|report| report.trouble.as_ref());
    troubles.extend(role.failure.iter().chain(said).map(|why| format!("{name}: {why}")));
    troubles
}

fn noise(raw: &RawTrial) -> Noise {
    let usages: Vec<_> = reports(raw).map(|report| report.usage).collect();
    let sum = |part: fn(&Usage) -> u64| {
        (!usages.is_empty()).then(|| usages.iter().map(part).fold(0, u64::saturating_add))
    };
    Noise {
        steal_ms: raw.stolen_ms,
        involuntary_switches: sum(|usage| usage.involuntary_switches),
        voluntary_switches: sum(|usage| usage.voluntary_switches),
        minor_faults: sum(|usage| usage.minor_faults),
        major_faults: sum(|usage| usage.major_faults),
        frequency_khz: raw.frequency_khz,
    }
}

fn role(raw: &RawRole) -> RoleResult {
    let report = raw.report.clone().unwrap_or_default();
    let per_second = |amount: u64| match report.measured.ns {
        0 => 0.0,
        ns => amount as f64 * 1e9 / ns as f64,
    };
    RoleResult {
        role: match raw.plan.role {
            Role::Producer => report_schema::Role::Producer,
            Role::Consumer { .. } => report_schema::Role::Consumer,
        },
        index: raw.plan.index,
        core: raw.plan.core.and_then(|core| u32::try_from(core).ok()),
        pid: raw.pid,
        exit: raw.exit.clone(),
        counts: report.counts,
        throughput_msgs_per_s: per_second(report.measured.messages),
        bytes_per_s: per_second(report.measured.bytes),
        latency: report.latency,
        service: report.service,
        cpu_user_ms: report.usage.user_ms,
        cpu_system_ms: report.usage.system_ms,
    }
}

#[cfg(test)]
mod tests;
