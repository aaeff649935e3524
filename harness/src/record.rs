//! Puts together what the processes of one trial found: counts, losses, noise, and whether the
//! block's own metrics say the same.
//!
//! Pure: everything comes in through [`RawTrial`]. Nothing is judged here.

mod allow;
mod counted;
mod cross_check;
mod fault;
mod history;

use std::collections::BTreeMap;

use report_schema::{
    Calibration, Counts, Hardware, Noise, RoleResult, Trial, Visit, WarmUp, ZoneAccount,
};

use crate::plan::{CellPlan, Role, TrialPlan};
use crate::run::{DEADLINE, INTERRUPTED, Measured, RawRole, RawTrial, Report, Usage, class};
use crate::scenario::model::{Warmup, Workload};
use allow::Allowed;

/// One trial, put together.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// As it stands in the result.
    pub trial: Trial,
    /// What the processes could not do as asked.
    pub degraded: Vec<String>,
}

/// Puts a trial together. `started_ms` counts from the start of the suite.
#[must_use]
pub fn record(cell: &CellPlan, plan: &TrialPlan, raw: &RawTrial, started_ms: u64) -> Recorded {
    let allowed = Allowed::of(raw);
    let silent = |role: &RawRole| role.report.is_none() && !allowed.may_be_silent(role);
    let complete = !raw.roles.iter().any(silent);
    let mut counts: Counts = reports(raw).map(|report| report.counts).sum();
    counts += raw.roles.iter().map(|role| role.left).sum();
    if allowed.uncounted_commits() > 0 {
        // Who fell took its count along; the block knows.
        counts.committed = commits(raw).unwrap_or(counts.committed);
    }
    let mut mismatches = vec![];
    if complete && !allowed.disbelieves() {
        mismatches.extend(disputes(raw));
        if counts.committed > 0 && counts.delivered > 0 && !raw.interrupted {
            mismatches.extend(unseen_zones(cell, raw));
        }
        account_for_tails(cell, raw, &mut counts, &mut mismatches);
        mismatches.extend(cross_check::differences(cell, raw, allowed));
    }
    let history = raw.history.as_ref().filter(|_| !allowed.disbelieves());
    let history = history.map(|history| history::judge(history, raw, &counts, &mut mismatches));
    mismatches.extend(allowed.excuse(cell.cell.block.lossless(), &mut counts));
    let producer = raw.roles.first().and_then(|role| role.report.as_ref());
    let [before_ns, after_ns] = producer.map_or([None, None], |report| report.line_ns);
    let class = class(before_ns, after_ns);
    let broken = raw.roles.iter().flat_map(|role| troubles(role, allowed));
    let trial = Trial {
        repeat: plan.repeat,
        seed: plan.seed,
        started_ms,
        duration_ms: producer.map_or(0, |report| report.measured.ns / 1_000_000),
        calibration: Calibration { before_ns, after_ns, class },
        noise: noise(raw),
        roles: raw.roles.iter().map(|role| result_of(role, raw)).collect(),
        counts,
        metrics: metrics(raw),
        mismatches,
        faults: fault::windows(raw),
        broken: broken.chain(raw.leaks.iter().cloned()).collect(),
        interrupted: raw.interrupted,
        stuck: fault::stuck(raw),
        unwatched: fault::unwatched(raw),
        warmup: producer.and_then(|report| report.warmup.clone()),
        warmup_ms: match cell.cell.run.warmup {
            Warmup::Time(time) if time.0 > 0 => Some(time.0 / 1_000_000),
            _ => None,
        },
        visits: visits(raw),
        zones: zones(raw),
        judged: None,
        search: None,
        history,
    };
    let said = reports(raw).flat_map(|report| report.degraded.iter());
    let unsteady = producer.and_then(|report| report.warmup.as_ref()).and_then(unsteady);
    let degraded = said.chain(&raw.aftermath.degraded).cloned().chain(unsteady).collect();
    Recorded { trial, degraded }
}

/// A warm-up that never reached its aim, in a sentence.
fn unsteady(warmup: &WarmUp) -> Option<String> {
    let per_cent = |part: f64| format!("{:.1} %", 100.0 * part);
    let (ms, bound) = (warmup.ms, per_cent(warmup.change_max));
    let found = warmup.change.map_or("no whole window was seen".to_owned(), |change| {
        format!("the last window still changed by {}", per_cent(change))
    });
    let said =
        format!("the figures never held still within {ms} ms of warm-up: {found}, not {bound}");
    (!warmup.steady).then_some(said)
}

/// How many commits there were, as the block says it if it was held open, or else its producer.
fn commits(raw: &RawTrial) -> Option<u64> {
    let counted = || Some(raw.roles.first()?.report.as_ref()?.counts.committed);
    raw.aftermath.block.as_ref().map(|block| block.commits).or_else(counted)
}

/// The block's metrics, as its producer read them, or the harness where the producer fell.
fn metrics(raw: &RawTrial) -> BTreeMap<String, u64> {
    let producer = raw.roles.first().and_then(|role| role.report.as_ref());
    let block = || raw.aftermath.block.as_ref().map(|block| block.metrics.clone());
    let own = producer.map(|report| report.metrics.clone()).filter(|metrics| !metrics.is_empty());
    own.or_else(block).unwrap_or_default()
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
        let Some(read) = &reader.report else { continue };
        let name = &reader.plan.name;
        if read.silent > 0 {
            let silent = read.silent;
            mismatches.push(format!("{name} missed {silent} payloads without being told"));
        }
        if read.visits.last().is_some_and(|last| last.left_ms.is_some()) {
            // Nothing is owed to who has left.
            continue;
        }
        let counted = writer.report.as_ref().map(|written| written.counts.committed);
        // The block that is held open is the first role's.
        let first = raw.roles.first().is_some_and(|first| std::ptr::eq(first, writer));
        let Some(written) = commits(raw).filter(|_| first).or(counted) else { continue };
        let tail = written.saturating_sub(read.next);
        if lossless {
            counts.lost = counts.lost.saturating_add(tail);
        } else {
            counts.lapped = counts.lapped.saturating_add(tail);
            if tail > 0 {
                mismatches.push(format!("{name} was never shown the newest {tail} payloads"));
            }
        }
    }
}

/// What each process says that contradicts a promise and is no count.
fn disputes(raw: &RawTrial) -> impl Iterator<Item = String> {
    let of = |role: &RawRole| {
        let said = role.report.as_ref().map_or(vec![], |report| report.disputes.clone());
        let name = role.plan.name.clone();
        said.into_iter().map(move |what| format!("{name}: {what}"))
    };
    raw.roles.iter().flat_map(of)
}

/// What was done about the block's zones, process by process.
fn zones(raw: &RawTrial) -> Vec<ZoneAccount> {
    let of = |role: &RawRole| {
        let own = role.report.as_ref().map_or(vec![], |report| report.zones.clone());
        let name = role.plan.name.clone();
        own.into_iter().map(move |account| ZoneAccount { role: name.clone(), ..account })
    };
    raw.roles.iter().flat_map(of).collect()
}

/// Zones that nobody wrote, or that nobody saw: no data is no pass.
fn unseen_zones(cell: &CellPlan, raw: &RawTrial) -> Vec<String> {
    let accounts = zones(raw);
    let unseen = |name: &str| {
        let of = || accounts.iter().filter(|account| account.zone == name);
        if of().all(|account| account.writes == 0) {
            return Some(format!("nobody wrote to zone {name}"));
        }
        let seen = |account: &ZoneAccount| account.looks > account.busy;
        (!of().any(seen)).then(|| format!("nobody saw a value in zone {name}"))
    };
    cell.cell.block.zones.iter().filter_map(|zone| unseen(&zone.name)).collect()
}

/// Every stay of those who came late or left early.
fn visits(raw: &RawTrial) -> Vec<Visit> {
    let of = |role: &RawRole| {
        let own = role.report.as_ref().map_or(vec![], |report| report.visits.clone());
        let consumer = role.plan.index;
        own.into_iter().map(move |visit| Visit { consumer, ..visit })
    };
    raw.roles.iter().skip(1).flat_map(of).collect()
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

fn troubles(role: &RawRole, allowed: Allowed<'_>) -> Vec<String> {
    let mut troubles = vec![];
    let name = &role.plan.name;
    if allowed.may_end(role) || role.exit == INTERRUPTED {
        return troubles;
    }
    if role.exit == DEADLINE {
        troubles.push(format!("{name} did not end before the deadline and was killed"));
    } else if role.exit == "signal 6" {
        let why = "it aborted, as one does that wants more memory than it may have";
        troubles.push(format!("{name} ended with {}: {why}", role.exit));
    } else if role.exit != "exit 0" {
        troubles.push(format!("{name} ended with {}", role.exit));
    } else if role.report.is_none() && role.failure.is_none() && !allowed.may_be_silent(role) {
        troubles.push(format!("{name} ended without a report"));
    }
    let said = role.report.as_ref().and_then(|report| report.trouble.as_ref());
    if allowed.may_give_up() {
        return troubles;
    }
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

/// What the processor counted for a role, or why nobody did.
fn hardware(report: Option<&Report>) -> Hardware {
    let why = match report {
        None => "the process did not come to its end, and its counts went with it",
        Some(Report { hardware: Some(told), .. }) => return told.clone(),
        Some(_) => "the program in this role does not count: only the harness's own roles do",
    };
    Hardware::Uncounted(why.to_owned())
}

fn result_of(raw: &RawRole, trial: &RawTrial) -> RoleResult {
    let hardware = hardware(raw.report.as_ref());
    let mut report = raw.report.clone().unwrap_or_default();
    let producer = raw.plan.role == Role::Producer;
    if producer && raw.falls > 0 {
        let (messages, ns) = fault::flowed(&trial.aftermath).unwrap_or_default();
        let each = report.bytes_written.checked_div(report.counts.committed).unwrap_or(0);
        report.measured = Measured { messages, bytes: messages.saturating_mul(each), ns };
    }
    let per_second = |amount: u64| match report.measured.ns {
        0 => 0.0,
        ns => amount as f64 * 1e9 / ns as f64,
    };
    let exit = if raw.fallen { "killed by a fault".to_owned() } else { raw.exit.clone() };
    RoleResult {
        role: match raw.plan.role {
            Role::Producer => report_schema::Role::Producer,
            Role::Consumer { .. } => report_schema::Role::Consumer,
        },
        index: raw.plan.index,
        core: raw.plan.core.and_then(|core| u32::try_from(core).ok()),
        pid: raw.pid,
        exit,
        counts: report.counts + raw.left,
        throughput_msgs_per_s: per_second(report.measured.messages),
        bytes_per_s: per_second(report.measured.bytes),
        latency: report.latency,
        service: report.service,
        longest_wait_ns: report.longest_wait_ns,
        falls: raw.falls,
        cpu_user_ms: report.usage.user_ms,
        cpu_system_ms: report.usage.system_ms,
        hardware: Some(hardware),
    }
}

#[cfg(test)]
mod tests;
