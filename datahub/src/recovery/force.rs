//! Force: the producer shall go on without living consumers that stand still in its way.
//!
//! Nothing is taken from them here: their seats are marked, one exchange for each, and the producer takes
//! pins and registration away when it finds the mark in its way. A seat stays its owner's until it
//! leaves, and the owner is told at its next read. Whoever dies at this, or does it twice, does no harm.
//! Usually there is a better way: end the process, and the kernel gives its tokens back.

#![expect(unsafe_code, reason = "a consumer that reads in place cannot be protected from outside")]

use super::diagnosis::Step;
use super::{Report, Skipped, count, examine, wake};
use crate::block::OpenError;
use crate::memory::Shared;
use crate::monitor::Monitor;
use crate::monitor::health::Thresholds;
use crate::name::BlockName;
use crate::place::Place;
use crate::shm::token::Seat;
use crate::slot::Reader;
use crate::{eviction, heartbeat};

/// Why nobody was evicted. The block is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForceError {
    /// Another name than the block's was spelled out.
    #[error("force needs the block's own name spelled out, and '{given}' is not it")]
    Name {
        /// What was given.
        given: BlockName,
    },
    /// There is no usable block.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Evicts the living consumers that stand still in the producer's way: silent for longer than
/// `thresholds` say, and without a trace of activity from one look to a second one, for which this waits.
/// `name`: the block's own name, spelled out.
///
/// An evicted consumer learns it by [`ReadError::Evicted`](crate::consumer::ReadError::Evicted) at its
/// next read. A living producer is never touched: end it, and the kernel gives its token back.
///
/// # Errors
///
/// [`ForceError`].
///
/// # Safety
///
/// Payloads are read in place, and the producer writes over them afterwards. The caller vouches for each
/// consumer that stands still: no thread of its process is inside of one of this library's reads, and no
/// payload that it was lent is looked at any more. So it is with a process that hangs elsewhere and drops
/// what it holds without another look, or with one that was killed and cannot die yet. A block that
/// evicts lends copies: there nothing need be vouched for.
pub unsafe fn evict(
    place: &Place,
    name: &BlockName,
    thresholds: Thresholds,
) -> Result<Report, ForceError> {
    if !matches!(place, Place::Named { name: own, .. } if own == name) {
        return Err(ForceError::Name { given: name.clone() });
    }
    let monitor = Monitor::open(place)?;
    let diagnosis = examine(&monitor, thresholds);
    let mut report = Report { damage: diagnosis.damage, ..Report::default() };
    for step in diagnosis.forced {
        mark(&monitor, step, &mut report);
    }
    if !report.done.is_empty() {
        wake(&Shared, monitor.block());
    }
    Ok(report)
}

/// Marks the seat, if it is still of the claim that stood still.
fn mark(monitor: &Monitor, step: Step, report: &mut Report) {
    let Seat::Consumer(number) = step.proof.seat else { return };
    let block = monitor.block();
    let seat = block.heartbeat(Reader::new(number));
    if eviction::mark(&Shared, seat, heartbeat::live(step.proof.epoch)) {
        count(&Shared, block, 1);
        report.done.push(step);
    } else {
        report.skipped.push(Skipped { step, why: "it has left, or was evicted meanwhile" });
    }
}
