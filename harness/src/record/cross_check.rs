//! Compares the block's own metrics with what the processes counted for themselves.

use super::{RawTrial, links};
use crate::plan::CellPlan;
use crate::run::{RawRole, Report};
use crate::scenario::model::Workload;

/// Every disagreement, in words. Every role must have a report.
pub(super) fn differences(cell: &CellPlan, raw: &RawTrial) -> Vec<String> {
    let all = links(cell, raw);
    let mut differences = vec![];
    for writer in &raw.roles {
        let readers: Vec<&Report> = all
            .iter()
            .filter(|(_, from)| std::ptr::eq(*from, writer))
            .filter_map(|(reader, _)| reader.report.as_ref())
            .collect();
        if !readers.is_empty() {
            compare(cell, writer, &readers, &mut differences);
        }
    }
    differences
}

fn compare(cell: &CellPlan, writer: &RawRole, readers: &[&Report], found: &mut Vec<String>) {
    let Some(written) = &writer.report else { return };
    let total = |part: fn(&Report) -> u64| readers.iter().map(|report| part(report)).sum::<u64>();
    let spoiled = total(|report| report.counts.checksum_failures);
    let mut pairs = vec![
        ("total_slots_written", written.counts.committed),
        ("total_bytes_written", written.bytes_written),
        ("total_slots_read", total(|report| report.counts.delivered) + spoiled),
        ("checksum_failures", spoiled),
    ];
    if spoiled == 0 {
        pairs.push(("total_bytes_read", total(|report| report.bytes_read)));
    }
    // In a closed loop one process waits on two blocks, and counts both together.
    if cell.cell.workload != Workload::PingPong {
        pairs.push(("writer_timeout_count", written.counts.timeouts));
        pairs.push(("reader_timeout_count", total(|report| report.counts.timeouts)));
    }
    let name = &writer.plan.name;
    for (metric, counted) in pairs {
        match written.metrics.get(metric) {
            Some(value) if *value == counted => {}
            Some(value) => found.push(format!(
                "the block of {name} says {metric} = {value}, its users counted {counted}"
            )),
            None => found.push(format!("the block of {name} does not say {metric}")),
        }
    }
}
