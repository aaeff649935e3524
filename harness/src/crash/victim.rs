//! A process that works on a block until it dies at a site, or, as a scout, to its end.

use std::fmt::Debug;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use datahub::consumer::{Consumer, ReadError};
use datahub::monitor::Monitor;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::recovery;
use datahub::ring::reader::JoinAt;
use datahub::shm::words::WordMap;
use datahub::wait::Timeout;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use serde::{Deserialize, Serialize};

use super::board::Board;
use super::scene::{ACKNOWLEDGED, READ, fill};
use super::shape::{Shape, Stamped, Sync};
use super::stay;
use crate::run::{Keyed, Planted, busy};

/// How long a victim waits for the others: they are there, so it is never that long.
const PATIENCE: Timeout = Timeout::After(Duration::from_secs(5));
/// A look is so short that a wait is begun, given up, and begun again.
const LOOK: Timeout = Timeout::After(Duration::from_micros(300));
/// How long a slow reader takes: a producer falls asleep meanwhile.
const SLOW_NS: u64 = 100_000;
/// Before one write in so many.
const LOOK_EVERY: u64 = 3;
/// After one write in so many, where nobody's cursor holds the producer back, a reader comes in.
const MEET_EVERY: u64 = 2;
/// One write in so many is given up, one read in so many is slow.
const ODD_EVERY: u64 = 5;
/// One write in so many is a batch, where there are any.
const BATCH_EVERY: u64 = 2;

/// What a victim is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Act {
    /// It takes the block over and writes.
    Write,
    /// It attaches and reads.
    Read,
    /// It clears up from outside.
    Recover,
}

/// What one victim does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    /// Who starts it.
    pub(super) parent: u32,
    pub(super) act: Act,
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
    let done = match task.act {
        Act::Write => write(&task, &mem),
        Act::Read => read(&task, &mem),
        Act::Recover => recover(&task, &mem),
    };
    if task.death.is_none()
        && let Ok(text) = serde_json::to_string(&mem.visits())
    {
        // A driver that does not listen any more is dead, and so are we.
        let _told = writeln!(std::io::stdout().lock(), "{text}");
    }
    done.is_some()
}

/// What came of `what`; why it did not is said on standard error.
fn told<T, E: Debug>(what: &str, result: Result<T, E>) -> Option<T> {
    result
        .map_err(|error| {
            // Who cannot be told is not.
            let _unheard = writeln!(std::io::stderr(), "a victim's {what} failed: {error:?}");
        })
        .ok()
}

fn recover(task: &Task, mem: &Planted) -> Option<()> {
    let recovered = recovery::recover_with(mem, &Place::File(task.block.clone()));
    told("recovery", recovered).map(|_| ())
}

fn write(task: &Task, mem: &Planted) -> Option<()> {
    let words = told("notice board", WordMap::open(&task.words))?;
    let config = told("shape", task.shape.config())?;
    let taken = Producer::take_over_with(mem.clone(), &task.block, &config);
    let mut producer = told("taking over", taken)?;
    producer.set_wait(task.shape.wait());
    let monitor = told("look", Monitor::open(&Place::File(task.block.clone())))?;
    let keyed = Keyed::new(task.seed, true);
    pin_up(task, mem, &producer)?;
    for count in 1..=task.payloads {
        if count % LOOK_EVERY == 0 {
            // A slot is closed, opened again, and closed once more; or taken and given up.
            let _looked = producer.acquire_write_slot(LOOK).is_ok();
        }
        if task.shape.batch > 1 && count % BATCH_EVERY == 0 {
            write_batch(task, (&mut producer, &words, &keyed), count % ODD_EVERY == 0)?;
            continue;
        }
        let mut slot = told("write", producer.acquire_write_slot(PATIENCE))?;
        let sequence = slot.sequence();
        if count % ODD_EVERY == 0 {
            fill(&keyed.foreign(), slot.payload(), sequence);
            slot.abort();
            continue;
        }
        fill(&keyed, slot.payload(), sequence);
        let (bytes, read) = (slot.payload().len(), words.read(READ));
        if task.shape.checksum == Stamped::ByHand {
            told("checksum", slot.update_checksum_slot(bytes))?;
        }
        told("commit", slot.commit(bytes))?;
        // From here on nobody may lose it.
        words.publish(ACKNOWLEDGED, sequence + 1);
        pin_up(task, mem, &producer)?;
        if task.shape.waits_for_pins() && count % MEET_EVERY == 0 {
            stay::until_met(&monitor, (&words, read));
        }
    }
    producer.beat();
    Some(())
}

/// Works in the zones, if there are any.
fn pin_up(task: &Task, mem: &Planted, producer: &Producer<Planted>) -> Option<()> {
    if task.shape.zones {
        let board = told("zone", Board::find(mem, |name| producer.zone(name)))?;
        told("zone", board.write(producer.commit_index()))?;
        told("zone", board.share())?;
    }
    Some(())
}

/// Writes a batch, or gives it up.
fn write_batch(
    task: &Task,
    (producer, words, keyed): (&mut Producer<Planted>, &WordMap, &Keyed),
    gives_up: bool,
) -> Option<()> {
    let taken = producer.acquire_write_batch(task.shape.batch as usize, PATIENCE);
    let mut batch = told("batch", taken)?;
    let (first, foreign) = (batch.sequence(0), keyed.foreign());
    let mut bytes = 0;
    for step in 0..batch.len() {
        let payload = batch.payload(step)?;
        bytes = payload.len();
        fill(if gives_up { &foreign } else { keyed }, payload, first + step as u64);
    }
    if gives_up {
        batch.abort();
    } else {
        words.publish(ACKNOWLEDGED, told("batch", batch.commit(bytes))?.end);
    }
    Some(())
}

fn read(task: &Task, mem: &Planted) -> Option<()> {
    let place = Place::File(task.block.clone());
    let attach = || {
        let attached = Consumer::attach_with(mem.clone(), &place, JoinAt::Oldest);
        let mut consumer = told("attaching", attached)?;
        consumer.set_wait(task.shape.wait());
        Some(consumer)
    };
    let mut consumer = attach()?;
    let mut count = 0;
    while count < task.payloads {
        let (number, mut evicted) = (consumer.number(), false);
        match consumer.acquire_consume_slot(PATIENCE) {
            Ok(slot) => {
                count += 1;
                if task.shape.park && count % ODD_EVERY == 0 {
                    busy(SLOW_NS);
                }
                if task.shape.sync == Sync::Evicting && count % ODD_EVERY == 0 {
                    stay::until_evicted(&told("look", Monitor::open(&place))?, number);
                }
                if task.shape.zones {
                    Board::find(mem, |name| slot.zone(name))
                        .and_then(|board| board.share())
                        .ok()?;
                }
                let by_hand = task.shape.checksum == Stamped::ByHand;
                let valid = slot.validate() && (!by_hand || slot.verify_checksum_slot());
                slot.release();
                if !valid {
                    return None;
                }
            }
            Err(ReadError::Lapped { .. } | ReadError::Contended { .. }) => {}
            Err(ReadError::Evicted { .. }) => evicted = true,
            Err(ReadError::Ended) => break,
            Err(error) => return told("read", Err(error)),
        }
        if evicted {
            // The place it leaves is its own until it has come back.
            consumer = attach()?;
        }
    }
    consumer.beat();
    Some(())
}
