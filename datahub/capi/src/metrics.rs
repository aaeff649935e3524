//! The metrics of a block for C, by name or through a handle. Asking by name attaches nobody.

use core::ffi::c_char;

use datahub::metrics::{Metric, Snapshot};

use crate::consumer::DataBlockConsumer;
use crate::failure::{Failure, report};
use crate::index::{consumers_view, producers_view};
use crate::pointer;
use crate::producer::DataBlockProducer;
use crate::status::DataBlockStatus;
use crate::view::View;

/// The counters of a block: 256 bytes, named and placed as in the shared metrics section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct DataBlockCounters {
    /// Acquisitions for writing that gave up waiting.
    pub writer_timeout_count: u64,
    /// Nanoseconds the producer spent waiting.
    pub writer_blocked_total_ns: u64,
    /// Refused attempts to become a second producer.
    pub write_lock_contention: u64,
    /// How often the tag in the slot words has wrapped: commits / 2^30.
    pub write_generation_wraps: u64,
    /// Reads that found nothing new.
    pub reader_not_ready_count: u64,
    /// Reads that met the producer on the way in and looked again.
    pub reader_race_detected: u64,
    /// Reads whose slot no longer held what was admitted.
    pub reader_validation_failed: u64,
    /// Most pins ever seen in one slot; readers behind a cursor set none.
    pub reader_peak_count: u64,
    /// When the last error happened, monotonic nanoseconds.
    pub last_error_timestamp_ns: u64,
    /// The last error's code: 1 full, 2 slot locked, 3 exhausted, 4 commit too long, 5 slot discarded.
    pub last_error_code: u32,
    /// How many errors there were.
    pub error_sequence: u32,
    /// Acquisitions for writing that failed for another reason than time.
    pub slot_acquire_errors: u64,
    /// Commits that were refused.
    pub slot_commit_errors: u64,
    /// Payloads whose checksum was wrong.
    pub checksum_failures: u64,
    /// Control messages that could not be sent.
    pub zmq_send_failures: u64,
    /// Control messages that could not be received.
    pub zmq_recv_failures: u64,
    /// Control messages that got no answer in time.
    pub zmq_timeout_count: u64,
    /// Consumers that were refused because they expected another layout.
    pub schema_mismatch_count: u64,
    /// Zero.
    pub reserved_17: u64,
    /// Payloads that consumers missed because they were passed.
    pub reader_lapped_slots: u64,
    /// Zero.
    pub reserved_19: u64,
    /// Heartbeats sent, by both sides.
    pub heartbeat_sent_count: u64,
    /// Heartbeats that could not be sent.
    pub heartbeat_failed_count: u64,
    /// The producer's last heartbeat, monotonic nanoseconds.
    pub last_heartbeat_ns: u64,
    /// Zero.
    pub reserved_23: u64,
    /// Payloads committed.
    pub total_slots_written: u64,
    /// Payloads delivered, over all consumers.
    pub total_slots_read: u64,
    /// Bytes committed.
    pub total_bytes_written: u64,
    /// The block's age in seconds.
    pub uptime_seconds: u64,
    /// Bytes delivered, over all consumers.
    pub total_bytes_read: u64,
    /// Reads that gave up waiting.
    pub reader_timeout_count: u64,
    /// Living consumers that were evicted because they were too slow.
    pub evictions_count: u64,
    /// Consumers whose remains were cleared after their death.
    pub recovery_actions_count: u64,
}

/// The metrics of a block. The caller sets `size`; what lies beyond its size is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct DataBlockMetrics {
    /// sizeof(DataBlockMetrics) in the caller.
    pub size: u32,
    /// Physical slots of the block.
    pub slot_count: u32,
    /// How many commits there were; never reset.
    pub commit_index: u64,
    /// The counters since the last reset.
    pub counters: DataBlockCounters,
}

const _: () = assert!(size_of::<DataBlockCounters>() == datahub::layout::METRICS_BYTES);
const _: () = assert!(size_of::<DataBlockMetrics>() == 272);

/// No caller's struct is larger.
const SIZE_MAX: usize = 4096;

fn counters(snapshot: &Snapshot) -> DataBlockCounters {
    let of = |metric| snapshot.get(metric);
    let last_error = of(Metric::LastError);
    DataBlockCounters {
        writer_timeout_count: of(Metric::WriterTimeouts),
        writer_blocked_total_ns: of(Metric::WriterBlockedNs),
        write_lock_contention: of(Metric::LockContention),
        write_generation_wraps: of(Metric::GenerationWraps),
        reader_not_ready_count: of(Metric::ReaderNotReady),
        reader_race_detected: of(Metric::ReaderRaces),
        reader_validation_failed: of(Metric::ValidationFailures),
        reader_peak_count: of(Metric::ReaderPeak),
        last_error_timestamp_ns: of(Metric::LastErrorNs),
        last_error_code: (last_error & 0xffff_ffff) as u32,
        error_sequence: (last_error >> 32) as u32,
        slot_acquire_errors: of(Metric::AcquireErrors),
        slot_commit_errors: of(Metric::CommitErrors),
        checksum_failures: of(Metric::ChecksumFailures),
        zmq_send_failures: of(Metric::ZmqSendFailures),
        zmq_recv_failures: of(Metric::ZmqReceiveFailures),
        zmq_timeout_count: of(Metric::ZmqTimeouts),
        schema_mismatch_count: of(Metric::SchemaMismatches),
        reserved_17: 0,
        reader_lapped_slots: of(Metric::Lapped),
        reserved_19: 0,
        heartbeat_sent_count: of(Metric::HeartbeatsSent),
        heartbeat_failed_count: of(Metric::HeartbeatsFailed),
        last_heartbeat_ns: of(Metric::LastHeartbeatNs),
        reserved_23: 0,
        total_slots_written: of(Metric::SlotsWritten),
        total_slots_read: of(Metric::SlotsRead),
        total_bytes_written: of(Metric::BytesWritten),
        uptime_seconds: of(Metric::UptimeSeconds),
        total_bytes_read: of(Metric::BytesRead),
        reader_timeout_count: of(Metric::ReaderTimeouts),
        evictions_count: of(Metric::Evictions),
        recovery_actions_count: of(Metric::RecoveryActions),
    }
}

/// # Safety
///
/// `metrics_out` is NULL, misaligned, or leads to as many bytes as its first field says.
unsafe fn put(metrics_out: *mut DataBlockMetrics, view: &View) -> Result<(), Failure> {
    // SAFETY: the caller's contract; the first field is there in every release.
    let &size = unsafe { pointer::shared(metrics_out.cast::<u32>(), "metrics_out") }?;
    // SAFETY: as above; only checked here.
    let _checked = unsafe { pointer::Out::new(metrics_out, "metrics_out") }?;
    if !(16..=SIZE_MAX).contains(&(size as usize)) {
        let message = format!("metrics_out->size is {size}: set it to sizeof(DataBlockMetrics)");
        return Err(Failure::argument(message));
    }
    let (slot_count, commit_index) = (view.slots(), view.commit_index());
    let counters = counters(&view.snapshot());
    let metrics = DataBlockMetrics { size, slot_count, commit_index, counters };
    let known = (size as usize).min(size_of::<DataBlockMetrics>());
    // SAFETY: `known` is within both structs, which do not overlap.
    unsafe { core::ptr::from_ref(&metrics).cast::<u8>().copy_to(metrics_out.cast(), known) };
    Ok(())
}

/// The metrics of the block called `place` (a name, or a path with a slash). `metrics_out->size` is
/// set by the caller. NOT_FOUND, NOT_PERMITTED, INCOMPATIBLE, ERROR. Works on a dead producer's block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_get_metrics(
    place: *const c_char,
    metrics_out: *mut DataBlockMetrics,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let view = View::open(unsafe { pointer::text(place, "place") }?)?;
        // SAFETY: as above.
        unsafe { put(metrics_out, &view) }
    })
}

/// Counts from zero again. Touches nothing that the block or its users rely on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_reset_metrics(place: *const c_char) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        View::open(unsafe { pointer::text(place, "place") }?)?.reset();
        Ok(())
    })
}

/// The metrics of the producer's block; `metrics_out->size` is set by the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_get_metrics(
    producer: *const DataBlockProducer,
    metrics_out: *mut DataBlockMetrics,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let view = unsafe { producers_view(producer) }?;
        // SAFETY: as above.
        unsafe { put(metrics_out, view) }
    })
}

/// The metrics of the consumer's block; `metrics_out->size` is set by the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_get_metrics(
    consumer: *const DataBlockConsumer,
    metrics_out: *mut DataBlockMetrics,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        let view = unsafe { consumers_view(consumer) }?;
        // SAFETY: as above.
        unsafe { put(metrics_out, view) }
    })
}

/// As datablock_reset_metrics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_producer_reset_metrics(
    producer: *const DataBlockProducer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        unsafe { producers_view(producer) }?.reset();
        Ok(())
    })
}

/// As datablock_reset_metrics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datablock_consumer_reset_metrics(
    consumer: *const DataBlockConsumer,
) -> DataBlockStatus {
    report(|| {
        // SAFETY: the caller's contract.
        unsafe { consumers_view(consumer) }?.reset();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use datahub::metrics::METRICS;

    // The C struct mirrors the section: each name stands where the section has it.
    #[test]
    fn the_counters_stand_where_the_section_has_them() {
        macro_rules! offsets {
            ($($field:ident),*) => { [$((stringify!($field), core::mem::offset_of!(DataBlockCounters, $field))),*] };
        }
        let offsets = offsets![
            writer_timeout_count,
            writer_blocked_total_ns,
            write_lock_contention,
            write_generation_wraps,
            reader_not_ready_count,
            reader_race_detected,
            reader_validation_failed,
            reader_peak_count,
            last_error_timestamp_ns,
            slot_acquire_errors,
            slot_commit_errors,
            checksum_failures,
            zmq_send_failures,
            zmq_recv_failures,
            zmq_timeout_count,
            schema_mismatch_count,
            heartbeat_sent_count,
            heartbeat_failed_count,
            last_heartbeat_ns,
            total_slots_written,
            total_slots_read,
            total_bytes_written,
            uptime_seconds,
            total_bytes_read,
            reader_timeout_count,
            reader_lapped_slots,
            evictions_count,
            recovery_actions_count
        ];
        let offset_of = |name| offsets.iter().find(|(field, _)| *field == name).unwrap().1;
        for &(metric, name) in METRICS.iter().filter(|(metric, _)| *metric != Metric::LastError) {
            assert_eq!(offset_of(name), metric as usize * 8, "{name}");
        }
        assert_eq!(offsets.len() + 1, METRICS.len(), "a metric has no field");
        assert_eq!(core::mem::offset_of!(DataBlockCounters, last_error_code), 72);
        assert_eq!(core::mem::offset_of!(DataBlockCounters, error_sequence), 76);
    }
}
