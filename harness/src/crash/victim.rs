//! A process that works on a block until it dies at a site, or, as a scout, to its end.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use datahub::consumer::{Consumer, ReadError};
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::words::WordMap;
use datahub::wait::Timeout;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use serde::{Deserialize, Serialize};

use super::scene::{ACKNOWLEDGED, fill};
use super::shape::Shape;
use crate::run::{Keyed, Planted, busy};

/// How long a victim waits for the others: they are there, so it is never that long.
const PATIENCE: Timeout = Timeout::After(Duration::from_secs(5));
/// A look is so short that a wait is begun, given up, and begun again.
const LOOK: Timeout = Timeout::After(Duration::from_micros(300));
/// Between two writes where readers are to come in between.
const PACE_NS: u64 = 20_000;
/// Before one write in so many.
const LOOK_EVERY: u64 = 3;
/// One write in so many is given up, one read in so many is slow.
const ODD_EVERY: u64 = 5;

/// What one victim does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    /// Who starts it.
    pub(super) parent: u32,
    /// Takes the block over and writes; or else attaches and reads.
    pub(super) writes: bool,
    pub(super) block: PathBuf,
    pub(super) words: PathBuf,
    pub(super) shape: Shape,
    /// Of the payloads.
    pub(super) seed: u64,
    /// So many payloads, if it lives so long.
    pub(super) payloads: u64,
    /// Where it dies, and at which visit; `None`: it counts visits and says them at its end.
    pub(super) death: Option<(u16, u64)>,
}

/// Does what the text asks for. Says whether it came to its end.
#[must_use]
pub fn main(text: &str) -> bool {
    let Ok(task) = serde_json::from_str::<Task>(text) else { return false };
    if prctl::set_pdeathsig(Signal::SIGKILL).is_err()
        || u32::try_from(getppid().as_raw()) != Ok(task.parent)
    {
        return false;
    }
    // No core file is left by a victim that crashes; where that is refused, it may be.
    let _limited = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let mem = match task.death {
        Some((site, hit)) => Planted::mortal(site, hit),
        None => Planted::scout(),
    };
    let done = if task.writes { write(&task, mem.clone()) } else { read(&task, mem.clone()) };
    if task.death.is_none()
        && let Ok(text) = serde_json::to_string(&mem.visits())
    {
        // A driver that does not listen any more is dead, and so are we.
        let _told = writeln!(std::io::stdout().lock(), "{text}");
    }
    done.is_some()
}

fn write(task: &Task, mem: Planted) -> Option<()> {
    let words = WordMap::open(&task.words).ok()?;
    let config = task.shape.config().ok()?;
    let mut producer = Producer::take_over_with(mem, &task.block, &config).ok()?;
    producer.set_wait(task.shape.wait());
    let keyed = Keyed::new(task.seed, true);
    for count in 1..=task.payloads {
        if task.shape.waits_for_pins() {
            // Or else it would be through before any reader is inside.
            busy(PACE_NS);
        }
        if count % LOOK_EVERY == 0 {
            // A slot is closed, opened again, and closed once more; or taken and given up.
            let _looked = producer.acquire_write_slot(LOOK).is_ok();
        }
        let mut slot = producer.acquire_write_slot(PATIENCE).ok()?;
        let sequence = slot.sequence();
        if count % ODD_EVERY == 0 {
            fill(&keyed.foreign(), slot.payload(), sequence);
            slot.abort();
            continue;
        }
        fill(&keyed, slot.payload(), sequence);
        let bytes = slot.payload().len();
        slot.commit(bytes).ok()?;
        // From here on nobody may lose it.
        words.publish(ACKNOWLEDGED, sequence + 1);
    }
    producer.beat();
    Some(())
}

fn read(task: &Task, mem: Planted) -> Option<()> {
    let place = Place::File(task.block.clone());
    let mut consumer = Consumer::attach_with(mem, &place, JoinAt::Oldest).ok()?;
    consumer.set_wait(task.shape.wait());
    let mut count = 0;
    while count < task.payloads {
        match consumer.acquire_consume_slot(PATIENCE) {
            Ok(slot) => {
                count += 1;
                if task.shape.park && count % ODD_EVERY == 0 {
                    // So slow that a producer falls asleep.
                    busy(5 * PACE_NS);
                }
                let valid = slot.validate();
                slot.release();
                if !valid {
                    return None;
                }
            }
            Err(ReadError::Lapped { .. } | ReadError::Contended { .. }) => {}
            Err(ReadError::Ended) => break,
            Err(_) => return None,
        }
    }
    consumer.beat();
    Some(())
}
