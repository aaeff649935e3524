//! Compares the block's own metrics with what the processes counted for themselves.

use std::collections::BTreeMap;

use super::allow::Allowed;
use super::counted::{Counted, FALLEN, ROWS};
use super::{RawTrial, commits, links, metrics};
use crate::plan::CellPlan;
use crate::run::{RawRole, Report};
use crate::scenario::model::transport::Carrier;

/// Every disagreement, in words. Every role must have a report, unless a fault killed it.
pub(super) fn differences(cell: &CellPlan, raw: &RawTrial, allowed: Allowed<'_>) -> Vec<String> {
    if cell.cell.block.transport != Carrier::DataHub {
        // Nobody but its users counts there.
        return vec![];
    }
    if allowed.may_say_more() {
        return survivors(cell, raw, allowed);
    }
    let all = links(cell, raw);
    let mut differences = vec![];
    differences.extend(damage(raw));
    if let (Some(block), Some(counted)) = (&raw.aftermath.block, producer_count(raw))
        && block.commits != counted
    {
        let commits = block.commits;
        differences
            .push(format!("the block says {commits} commits, its producer counted {counted}"));
    }
    for writer in &raw.roles {
        let readers: Vec<&Report> = all
            .iter()
            .filter(|(_, from)| std::ptr::eq(*from, writer))
            .filter_map(|(reader, _)| reader.report.as_ref())
            .collect();
        if !readers.is_empty() {
            // The block that was held open is the first role's.
            let first = raw.roles.first().is_some_and(|first| std::ptr::eq(first, writer));
            let own = || writer.report.as_ref().map(|report| report.metrics.clone());
            let said = if first { Some(metrics(raw)) } else { own() };
            compare(cell, (writer, &said.unwrap_or_default()), &readers, &mut differences);
        }
    }
    differences
}

fn compare(
    cell: &CellPlan,
    (writer, said): (&RawRole, &BTreeMap<String, u64>),
    readers: &[&Report],
    found: &mut Vec<String>,
) {
    let Some(written) = &writer.report else { return };
    let counted = Counted::of(&cell.cell, written, readers);
    let name = &writer.plan.name;
    found.extend(ROWS.iter().filter_map(|row| row.contradiction(name, said, &counted)));
}

fn producer_count(raw: &RawTrial) -> Option<u64> {
    Some(raw.roles.first()?.report.as_ref()?.counts.committed)
}

fn damage(raw: &RawTrial) -> impl Iterator<Item = String> + '_ {
    let block = raw.aftermath.block.iter();
    block.flat_map(|block| &block.damage).map(|what| format!("the block is damaged: {what}"))
}

/// Where somebody fell, the block may say more than those who lived on counted, but not less, except
/// for the payload in which each consumer fell; and it counts every commit but those at which its
/// producer died.
fn survivors(cell: &CellPlan, raw: &RawTrial, allowed: Allowed<'_>) -> Vec<String> {
    let mut differences: Vec<String> = damage(raw).collect();
    let metrics = metrics(raw);
    let value = |name: &str| metrics.get(name).copied().unwrap_or(0);
    let consumers = raw.roles.iter().skip(1);
    let read: u64 = consumers
        .map(|role| {
            let counts = role.report.as_ref().map(|report| report.counts).unwrap_or_default();
            (counts + role.left).delivered
        })
        .sum();
    let inside: u64 = raw.roles.iter().skip(1).map(|role| u64::from(role.falls)).sum();
    if value("total_slots_read").saturating_add(inside) < read {
        let said = value("total_slots_read");
        differences.push(format!("the block says {said} reads, its users counted {read}"));
    }
    let (written, commits) = (value("total_slots_written"), commits(raw).unwrap_or(0));
    if written > commits || written.saturating_add(allowed.uncounted_commits()) < commits {
        differences.push(format!("the block says {written} writes for {commits} commits"));
    }
    let counted = Counted::after_falls(&cell.cell, raw, commits);
    let rows = FALLEN.iter().filter(|row| metrics.contains_key(row.metric));
    differences.extend(rows.filter_map(|row| row.contradiction("producer", &metrics, &counted)));
    differences
}
