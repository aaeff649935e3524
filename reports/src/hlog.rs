//! The interval log that `HdrHistogram` tools read: one line for each trial and role of a cell.
//!
//! Each line has the whole distribution of that trial, exactly, under a tag that names role and
//! quantity. Finer intervals stand in the result document only: their buckets are too coarse for
//! percentiles.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use report_schema::{CellResult, Latency, Role, RoleResult, Trial};

use crate::load;

/// Why a log could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the interval log of {cell} cannot be made: {cause}")]
pub struct HlogError {
    cell: String,
    cause: String,
}

/// The log of one cell; `None` when none of its trials has a latency that can be read.
///
/// # Errors
///
/// [`HlogError`]: only what the writer refuses; no result is known to cause it.
pub fn write(cell: &CellResult, suite_started_unix_ms: u64) -> Result<Option<String>, HlogError> {
    let failed = |cause: &dyn core::fmt::Debug| HlogError {
        cell: cell.id.clone(),
        cause: format!("{cause:?}"),
    };
    let base = SystemTime::UNIX_EPOCH + Duration::from_millis(suite_started_unix_ms);
    let (mut bytes, mut serializer, mut lines) = (vec![], V2DeflateSerializer::new(), 0);
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment(&format!("{}: values in nanoseconds, maxima in milliseconds", cell.id));
    builder.with_start_time(base).with_base_time(base).with_max_value_divisor(1e6);
    let mut log =
        builder.begin_log_with(&mut bytes, &mut serializer).map_err(|error| failed(&error))?;
    for (trial, tag, latency) in latencies(cell) {
        let Ok(histogram) = load::histogram(&latency.histogram) else { continue };
        let (start, length) =
            (Duration::from_millis(trial.started_ms), Duration::from_millis(trial.duration_ms));
        log.write_histogram(&histogram, start, length, Tag::new(&tag))
            .map_err(|error| failed(&error))?;
        lines += 1;
    }
    let text = String::from_utf8(bytes).map_err(|error| failed(&error))?;
    Ok((lines > 0).then_some(text))
}

/// Every latency with its trial and its tag, in the order in which the trials ran.
fn latencies(cell: &CellResult) -> Vec<(&Trial, String, &Latency)> {
    let of_role = |role: &RoleResult| {
        let end = match role.role {
            Role::Producer => "producer",
            Role::Consumer => "consumer",
        };
        format!("{end}-{}", role.index)
    };
    let mut all = vec![];
    for trial in &cell.trials {
        for role in &trial.roles {
            for (what, latency) in [("latency", &role.latency), ("service", &role.service)] {
                let tag = format!("{}.{what}", of_role(role));
                all.extend(latency.as_ref().map(|latency| (trial, tag, latency)));
            }
        }
    }
    all
}
