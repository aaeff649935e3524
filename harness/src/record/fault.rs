//! What became of each fault: when it came, and how long the others were blocked from then on.

use report_schema::FaultWindow;

use crate::plan::Role;
use crate::run::{Aftermath, RawRole, RawTrial, SOON_NS, Struck};
use crate::scenario::model::fault::Action;

/// A survivor that waits longer than this for the dead is stuck.
const STUCK_NS: u64 = 1_000_000_000;

/// Every fault of the trial.
pub(super) fn windows(raw: &RawTrial) -> Vec<FaultWindow> {
    let begun_ns = raw.aftermath.begun_ns;
    let since = |ns: u64| ns.saturating_sub(begun_ns) / 1_000_000;
    let all = raw.aftermath.struck.iter().map(|struck| {
        let blocked = longest_wait(raw, struck);
        FaultWindow {
            name: struck.fault.name.clone(),
            what: struck.what.clone(),
            planned_ns: struck.fault.at_ns,
            start_ms: since(struck.start_ns),
            end_ms: match struck.end_ns {
                None if struck.fault.action.time().is_none() => Some(since(struck.start_ns)),
                end_ns => end_ns.map(since),
            },
            missed: struck.missed.as_ref().map(|missed| missed.why.clone()),
            failed: struck.missed.as_ref().is_some_and(|missed| missed.failed),
            blocked_ns: blocked.as_ref().map(|(ns, _)| *ns),
            blocked: blocked.map(|(_, name)| name),
        }
    });
    all.collect()
}

/// Who of the others was blocked longest from the fault on, and how long.
fn longest_wait(raw: &RawTrial, struck: &Struck) -> Option<(u64, String)> {
    // Nobody waits for one who comes: whoever waits has waited since the death before.
    if struck.missed.is_some() || struck.heir {
        return None;
    }
    let others = raw.roles.iter().enumerate().filter(|(place, _)| *place != struck.fault.role);
    let waits = others.filter_map(|(_, role)| {
        let soon_ns = struck.start_ns.saturating_add(SOON_NS);
        // The wait that was under way, and those that began soon afterwards.
        let stalls = role.report.as_ref()?.stalls.iter();
        let felt = stalls.filter(|stall| stall.to_ns > struck.start_ns && stall.from_ns <= soon_ns);
        let blocked = felt.map(|stall| stall.to_ns - stall.from_ns.max(struck.start_ns)).max()?;
        Some((blocked, role.plan.name.clone()))
    });
    waits.max_by_key(|(blocked_ns, _)| *blocked_ns)
}

/// Survivors that death kept waiting beyond all bounds (G5), one sentence each.
pub(super) fn stuck(raw: &RawTrial) -> Vec<String> {
    let mut stuck = vec![];
    for struck in &raw.aftermath.struck {
        let producer = raw.roles.get(struck.fault.role).map(|role| role.plan.role);
        // Nobody can go on without a producer, until somebody takes its place.
        let bounded = match struck.fault.action {
            Action::Restart => true,
            Action::Kill | Action::KillAtSite { .. } => producer != Some(Role::Producer),
            _ => false,
        };
        if let Some((blocked_ns, name)) = longest_wait(raw, struck).filter(|_| bounded)
            && blocked_ns > STUCK_NS
        {
            let (what, ms) = (&struck.what, blocked_ns / 1_000_000);
            stuck.push(format!("{name} was blocked for {ms} ms after this: {what}"));
        }
    }
    stuck
}

/// Survivors of whom nobody can say whether death kept them waiting, one sentence each.
pub(super) fn unwatched(raw: &RawTrial) -> Vec<String> {
    let of = |role: &RawRole| {
        let dropped = role.report.as_ref()?.stalls_dropped;
        let name = &role.plan.name;
        (dropped > 0).then(|| format!("{dropped} waits of {name} after faults were not kept"))
    };
    raw.roles.iter().filter_map(of).collect()
}

/// How long messages flowed, and how many, where the producer itself cannot say it.
pub(super) fn flowed(aftermath: &Aftermath) -> Option<(u64, u64)> {
    let block = aftermath.block.as_ref()?;
    let messages = block.commits.saturating_sub(aftermath.first);
    Some((messages, aftermath.ended_ns.saturating_sub(aftermath.begun_ns)))
}
