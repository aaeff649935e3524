//! Recovery: what somebody outside may do for a block whose users died.
//!
//! The order is fixed: look, take the dead one's token, look again, act by the rules; first for the
//! producer, then for the consumers, one of whom it may have been evicting. The token is the proof of
//! death and keeps everybody else from doing the same; so recovery may run beside a living producer,
//! beside itself, and may be killed at any step. A living owner's words are never touched, and a
//! checksum is never rewritten. Force is for living consumers that stand still, and is given only to
//! somebody who spells out the block's name.
//! Source: HEP-CORE-0002 recovery API (`datablock_diagnose_slot`, `datablock_force_reset_slot`,
//! `datablock_release_zombie_readers`, `datablock_release_zombie_writer`, `datablock_validate_integrity`).

pub mod diagnosis;
pub mod integrity;
pub mod removal;

use std::io;

use crate::block::{Block, OpenError};
use crate::memory::{MappedMemory, Shared};
use crate::metrics::{self, Metric};
use crate::monitor::Monitor;
use crate::monitor::health::Thresholds;
use crate::name::BlockName;
use crate::place::Place;
use crate::shm::token::{Seat, Token};
use crate::slot::Reader;
use crate::wait::{monotonic_ns, wake_all};
use crate::{heartbeat, liveness, park, rules, succession};
use diagnosis::{Diagnosis, Step, consumer_remains, diagnose, producer_remains};

/// Why recovery did not even begin. The block is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// There is no usable block.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Force was asked with another name than the block's.
    #[error("force needs the block's own name spelled out, and '{given}' is not it")]
    ForceName {
        /// What was given.
        given: BlockName,
    },
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

/// What [`recover`] would do; changes no byte.
///
/// # Errors
///
/// [`OpenError`] when there is no usable block.
pub fn plan(place: &Place) -> Result<Diagnosis, OpenError> {
    Ok(diagnose(&Monitor::open(place)?.snapshot(monotonic_ns()), Thresholds::default()))
}

/// Clears what the dead left in the block at `place`. Running it again finds nothing.
///
/// `force`, the block's own name, also evicts living consumers that have been silent for long and stand
/// in the producer's way. Such a consumer may still be reading a payload that is then overwritten; it
/// finds out by [`validate`](crate::consumer::read_slot::ReadSlot::validate). Force never touches a living producer: end it,
/// and the kernel gives its token back.
///
/// # Errors
///
/// [`RecoverError`]; with [`RecoverError::System`] earlier steps are done, and running it again goes on.
pub fn recover(place: &Place, force: Option<&BlockName>) -> Result<Report, RecoverError> {
    recover_at(place, force, monotonic_ns())
}

/// As [`recover`], at a given time: silence is counted up to `now_ns` of the monotonic clock.
///
/// # Errors
///
/// As [`recover`].
pub fn recover_at(
    place: &Place,
    force: Option<&BlockName>,
    now_ns: u64,
) -> Result<Report, RecoverError> {
    recover_over(&Shared, place, force, now_ns)
}

/// As [`recover`], over another memory.
///
/// # Errors
///
/// As [`recover`].
pub fn recover_with<M: MappedMemory>(
    mem: &M,
    place: &Place,
    force: Option<&BlockName>,
) -> Result<Report, RecoverError> {
    recover_over(mem, place, force, monotonic_ns())
}

fn recover_over<M: MappedMemory>(
    mem: &M,
    place: &Place,
    force: Option<&BlockName>,
    now_ns: u64,
) -> Result<Report, RecoverError> {
    if let Some(given) = force {
        let named = matches!(place, Place::Named { name, .. } if name == given);
        if !named {
            return Err(RecoverError::ForceName { given: given.clone() });
        }
    }
    let monitor = Monitor::open(place)?;
    let diagnosis = diagnose(&monitor.snapshot(now_ns), Thresholds::default());
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
    for step in diagnosis.forced.into_iter().filter(|_| force.is_some()) {
        evict(mem, monitor.block(), step, &mut report);
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

/// Takes a living consumer out of the producer's way. Its seat stays its own: nobody else gets its bit.
fn evict<M: MappedMemory>(mem: &M, block: &Block, step: Step, report: &mut Report) {
    let Seat::Consumer(number) = step.proof.seat else { return };
    if liveness::clear(mem, block, Reader::new(number)) {
        count(mem, block, 1);
        report.done.push(step);
    } else {
        report.skipped.push(Skipped { step, why: EVICTING });
    }
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
