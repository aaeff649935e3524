//! Recovery: what somebody outside may do for a block whose users died.
//!
//! The order is fixed: look, take the dead one's token, look again, act by the rules; first for the
//! producer, then for the consumers, one of whom it may have been evicting. The token is the proof of
//! death and keeps everybody else from doing the same; so recovery may run beside a living producer,
//! beside itself, and may be killed at any step. A living owner's words are never touched, and a
//! checksum is never rewritten. [`force`] is for living consumers that stand still.
//! Source: HEP-CORE-0002 recovery API (`datablock_diagnose_slot`, `datablock_force_reset_slot`,
//! `datablock_release_zombie_readers`, `datablock_release_zombie_writer`, `datablock_validate_integrity`).

pub mod diagnosis;
pub mod force;
pub mod integrity;
pub mod removal;

use core::time::Duration;
use std::io;

use crate::block::{Block, OpenError};
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{self, Metric};
use crate::monitor::Monitor;
use crate::monitor::health::Thresholds;
use crate::place::Place;
use crate::shm::token::{Seat, Token};
use crate::slot::Reader;
use crate::wait::{monotonic_ns, sleep, wake_all};
use crate::{heartbeat, liveness, park, rules, succession};
use diagnosis::{Diagnosis, Step, consumer_remains, diagnose, producer_remains};

/// Why recovery did not even begin. The block is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// There is no usable block.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The operating system refused.
    #[error("a token cannot be examined: {0}")]
    System(#[from] io::Error),
}

/// Why a seat was left alone that a living producer is at.
const EVICTING: &str = "the producer is evicting it";

/// Something that was planned and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What was planned.
    pub step: Step,
    /// Why it was not done.
    pub why: &'static str,
}

/// What a recovery did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Done, in this order.
    pub done: Vec<Step>,
    /// Planned and not done.
    pub skipped: Vec<Skipped>,
    /// Words that made no sense before: see [`damage`](crate::monitor::damage::damage).
    pub damage: Vec<String>,
}

/// What [`recover`] would do, and who could be evicted by [`force`]; changes no byte.
///
/// Takes a second when somebody alive seems to stand still in the producer's way: it is looked at twice.
///
/// # Errors
///
/// [`OpenError`] when there is no usable block.
pub fn plan(place: &Place) -> Result<Diagnosis, OpenError> {
    Ok(examine(&Monitor::open(place)?, Thresholds::default()))
}

/// Looks once, or twice where somebody alive seems to stand still.
fn examine(monitor: &Monitor, thresholds: Thresholds) -> Diagnosis {
    let view = monitor.snapshot(monotonic_ns());
    if !diagnosis::is_suspicious(&view, thresholds) {
        return diagnose(&view, None, thresholds);
    }
    sleep(Duration::from_nanos(thresholds.still_ns));
    // Cut short by a signal, the two looks are too near to prove anything.
    diagnose(&monitor.snapshot(monotonic_ns()), Some(&view), thresholds)
}

/// Clears what the dead left in the block at `place`. Running it again finds nothing.
///
/// # Errors
///
/// [`RecoverError`]; with [`RecoverError::System`] earlier steps are done, and running it again goes on.
pub fn recover(place: &Place) -> Result<Report, RecoverError> {
    recover_with(&Shared, place)
}

/// As [`recover`], over another memory.
///
/// # Errors
///
/// As [`recover`].
pub fn recover_with<M: MappedMemory>(mem: &M, place: &Place) -> Result<Report, RecoverError> {
    let monitor = Monitor::open(place)?;
    let diagnosis = diagnose(&monitor.snapshot(monotonic_ns()), None, Thresholds::default());
    let mut report = Report { damage: diagnosis.damage.clone(), ..Report::default() };
    let (producer, consumers): (Vec<Step>, Vec<Step>) =
        diagnosis.steps.into_iter().partition(|step| step.proof.seat == Seat::Producer);
    // First the producer: nobody may clear the seat of a consumer that it died evicting before that.
    if !producer.is_empty() {
        settle(mem, &monitor, &producer, &mut report)?;
    }
    for step in consumers {
        reap(mem, &monitor, step, &mut report)?;
    }
    if !report.done.is_empty() {
        wake(mem, monitor.block());
    }
    Ok(report)
}

/// Clears a dead consumer's seat, under its token.
fn reap<M: MappedMemory>(
    mem: &M,
    monitor: &Monitor,
    step: Step,
    report: &mut Report,
) -> io::Result<()> {
    let Seat::Consumer(number) = step.proof.seat else { return Ok(()) };
    let block = monitor.block();
    let Some(_token) = Token::take(block.file(), step.proof.seat)? else {
        report.skipped.push(Skipped { step, why: "somebody alive has taken the seat meanwhile" });
        return Ok(());
    };
    let view = monitor.snapshot(monotonic_ns());
    match view.consumers.iter().find(|consumer| consumer.number == number) {
        Some(consumer) if consumer_remains(&view, consumer) => {
            if liveness::clear(mem, block, Reader::new(number)) {
                count(mem, block, 1);
                report.done.push(step);
            } else {
                report.skipped.push(Skipped { step, why: EVICTING });
            }
        }
        _ => report.skipped.push(Skipped { step, why: "somebody else has done it meanwhile" }),
    }
    Ok(())
}

/// Puts the ring to rest after its producer's death, under its token.
fn settle<M: MappedMemory>(
    mem: &M,
    monitor: &Monitor,
    steps: &[Step],
    report: &mut Report,
) -> io::Result<()> {
    let block = monitor.block();
    let skip = |why| steps.iter().map(move |step| Skipped { step: step.clone(), why });
    let Some(_token) = Token::take(block.file(), Seat::Producer)? else {
        report.skipped.extend(skip("a new producer has taken the block over, and does it itself"));
        return Ok(());
    };
    let view = monitor.snapshot(monotonic_ns());
    let remains = producer_remains(&view);
    if remains.is_empty() {
        report.skipped.extend(skip("somebody else has done it meanwhile"));
        return Ok(());
    }
    let _writer = rules::resume(mem, &block.ring(), block.rules());
    succession::settle(mem, block);
    let seat = block.producer_heartbeat();
    // Nobody evicts a producer.
    let epoch = heartbeat::retire(mem, seat).unwrap_or(0);
    heartbeat::free(mem, seat, epoch);
    count(mem, block, 1);
    report.done.extend(remains);
    Ok(())
}

fn count<M: MappedMemory>(mem: &M, block: &Block, actions: u64) {
    metrics::add(mem, &block.metrics().words[Metric::RecoveryActions as usize], actions);
}

/// Lets sleepers on both sides look again.
fn wake<M: MappedMemory>(mem: &M, block: &Block) {
    if !block.geometry().config.parks() {
        return;
    }
    for line in [block.data_park(), block.space_park()] {
        if park::ring(mem, line) {
            wake_all(&line.signal);
        }
    }
}

/// Makes the present counts the new zero. Touches no counter, and nothing that the protocol uses (F29).
///
/// # Errors
///
/// [`OpenError`] when there is no usable block.
pub fn reset_metrics(place: &Place) -> Result<(), OpenError> {
    let block = Block::open(&place.path())?;
    metrics::reset(&Shared, block.metrics(), block.baseline(), block.all_counters());
    Ok(())
}
