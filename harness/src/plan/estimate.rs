//! How much memory and time a cell takes: near enough to plan by, not to judge by.

use crate::scenario::Cell;
use crate::scenario::model::Workload;
use crate::units::{Bytes, Nanos};

/// Header, metrics and heartbeats of a block, rounded up to whole pages.
const FIXED_BYTES: u64 = 2 * 4096;
/// State and checksum record of one slot.
const SLOT_BYTES: u64 = 2 * 64;
const LINE_BYTES: u64 = 64;
const PAGE_BYTES: u64 = 4096;
/// One record of a history.
const RECORD_BYTES: u64 = 32;
/// Starting processes, calibrating twice and gathering results.
const OVERHEAD_NS: u64 = 400_000_000;
/// One hand-over between two cores.
const HOP_NS: u64 = 200;
/// One byte through a cache, in picoseconds.
const BYTE_PS: u64 = 100;

/// Shared memory of one trial: ping-pong has two blocks, and each process its history.
pub(super) fn shm(cell: &Cell) -> Bytes {
    let block = &cell.block;
    let stride = block.payload.0.next_multiple_of(LINE_BYTES);
    let slots = u64::from(block.physical_slots).saturating_mul(stride.saturating_add(SLOT_BYTES));
    // A value, perhaps twice, with its count and its checksum.
    let zones: u64 = block.zones.iter().map(|zone| 2 * zone.size.0 + 3 * LINE_BYTES).sum();
    let heartbeats = u64::from(block.max_consumers) * 2 * LINE_BYTES;
    let bytes = slots.saturating_add(FIXED_BYTES + heartbeats + zones);
    let blocks = if cell.workload == Workload::PingPong { 2 } else { 1 };
    let roles = u64::from(cell.consumer_count()) + 1;
    let records = cell.history_records().unwrap_or(0).saturating_mul(RECORD_BYTES * roles);
    let blocks = bytes.next_multiple_of(PAGE_BYTES).saturating_mul(blocks);
    Bytes(blocks.saturating_add(records.next_multiple_of(PAGE_BYTES)))
}

/// Time of one trial, at most its deadline; of a search, the time of all its steps.
pub(super) fn trial(cell: &Cell) -> Nanos {
    let work = cell.consumers.iter().map(|group| group.work.0).max().unwrap_or(0);
    let hop = HOP_NS + cell.block.payload.0.saturating_mul(BYTE_PS) / 1_000 + work;
    let message = match cell.workload {
        Workload::PingPong => 2 * hop,
        workload => {
            workload.rate_max().map_or(hop, |rate| (1_000_000_000 / rate.0.max(1)).max(hop))
        }
    };
    let warmup = cell.run.warmup.time_max(Nanos(message)).0;
    let length = cell.run.length.time(Nanos(message)).0;
    let total = warmup.saturating_add(length).saturating_add(OVERHEAD_NS).min(cell.run.deadline.0);
    let steps = match cell.workload {
        Workload::Search(quest) => u64::from(quest.steps_expected()),
        _ => 1,
    };
    Nanos(total.saturating_mul(steps))
}
