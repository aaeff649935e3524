//! The life of one role, from its task to its last line: in a process of its own, or as a thread.
//!
//! It does what it is told, phase by phase, and leaves nothing behind: its blocks have no names.
//! Knows nothing of: what else lives in its process.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use datahub::config::{BlockConfig, ConfigError, ConsumerSync};
use datahub::name::{BlockName, NameError};
use datahub::producer::Producer;
use datahub::producer::create::CreateError;
use datahub::shm::Folder;
use datahub::wait::monotonic_ns;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, raise};

use super::calibrate;
use super::duty::{Desk, Ends};
use super::link::{Link, LinkError};
use super::log::{Log, SharedLog};
use super::meter::{self, Meter};
use super::plant::Plant;
use super::ticks::Ticks;
use super::transport::lying::{Lying, is_general};
use super::transport::{Outlet, Transport, TransportError};
use super::usage::{pin, prefer};
use super::visit::Seat;
use super::wire::{Duty, Event, Meet, Report, Task, Usage};
use super::words::{Phase, Words, nap};

/// Why a role cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum LifeError {
    #[error("{0}")]
    Link(#[from] LinkError),
    #[error("what the harness shares cannot be opened: {0}")]
    Shared(#[from] io::Error),
    #[error("the worker cannot tie its life to the harness: {0}")]
    Tie(nix::Error),
    #[error("the block cannot be configured: {0}")]
    Config(#[from] ConfigError),
    #[error("the block cannot be made: {0}")]
    Create(#[from] CreateError),
    #[error("the block cannot be named: {0}")]
    Name(#[from] NameError),
    #[error("{0}")]
    Transport(#[from] TransportError),
    #[error("another program is to carry these messages")]
    NotOurs,
    #[cfg(not(feature = "peers"))]
    #[error("the transport cannot be used: {0}")]
    NotBuilt(&'static str),
    #[error("nobody has made the block to read")]
    NoBlock,
    #[error("the phase {0:?} never came")]
    NoPhase(Phase),
    #[error("no histogram can be made: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error("{0}")]
    Hall(String),
}

/// What the harness shares with a role.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) words: Rc<Words>,
    log: Option<SharedLog>,
}

impl Shared {
    /// Opens everything, before the role goes where it cannot be reached any more.
    pub(super) fn open(task: &Task) -> io::Result<Self> {
        let log = task.log.as_deref().map(Log::open).transpose()?;
        let log = log.map(|log| Rc::new(RefCell::new(log)));
        Ok(Self { words: Rc::new(Words::open(&task.words)?), log })
    }
}

/// Lives over another transport than the block, honest or not.
pub(super) fn peer<T: Transport>(
    task: &Task,
    (honest, shared): (&T, &Shared),
    link: &mut Link<'_>,
) -> Result<(), LifeError> {
    match task.plant.filter(|plant| is_general(*plant)) {
        Some(plant) => live(task, (&Lying { honest, plant }, shared), link),
        None => live(task, (honest, shared), link),
    }
}

/// Lives.
pub(super) fn live<T: Transport>(
    task: &Task,
    (transport, shared): (&T, &Shared),
    link: &mut Link<'_>,
) -> Result<(), LifeError> {
    let words = &*shared.words;
    let deadline_ns = monotonic_ns().saturating_add(task.deadline_ns);
    let mut degraded: Vec<String> = pin(task.core).into_iter().collect();
    degraded.extend(prefer(task.fifo));
    degraded.extend(own_memory(task));
    let outlet = task.duty.makes().then(|| transport.make(task)).transpose()?;
    link.say(&Event::Made { block: outlet.as_ref().map(Outlet::place) })?;
    let Meet { blocks } = link.hear()?;
    let metrics = outlet.as_ref().map(Outlet::metrics).transpose()?.flatten();
    let ends = attach(task, transport, outlet, &blocks)?;
    let meter = Meter::new(&meter::events()).shared();
    let ticks = (task.duty == Duty::Initiate).then(Ticks::new);

    let mut reach = |phase: Phase| {
        link.say(&Event::At { phase })?;
        if words.wait_for(phase, deadline_ns) { Ok(()) } else { Err(LifeError::NoPhase(phase)) }
    };
    reach(Phase::Before)?;
    let play = |turn| task.side.and_then(|side| calibrate::play(&words.0, side, turn));
    // Who takes a dead one's place comes when the others have played.
    let late = task.fate.as_ref().is_some_and(|fate| fate.block.is_some());
    let before = if late { None } else { play(0) };
    reach(Phase::Run)?;
    if misbehave(task.plant, words)? {
        return Ok(());
    }
    let used = Usage::of(task);
    let desk = Desk { task, words, log: shared.log.clone(), meter };
    let mut report: Report = desk.work(ends, ticks)?;
    report.usage = Usage::of(task).since(used);
    report.hardware = Some(desk.meter.borrow_mut().finish());
    report.counts.delivered += u64::from(task.plant == Some(Plant::LieCounts));
    reach(Phase::After)?;
    report.line_ns = [before, play(1)];
    report.metrics = metrics.map(|file| file.read()).transpose()?.unwrap_or_default();
    report.degraded.extend(degraded);
    Ok(link.say(&Event::Done(Box::new(report)))?)
}

/// Plants that are about the process. Says whether it shall end without a word.
fn misbehave(plant: Option<Plant>, words: &Words) -> Result<bool, LifeError> {
    Ok(match plant {
        Some(Plant::Hang) => {
            nap(Duration::from_hours(1));
            true
        }
        Some(Plant::StopReading) => {
            while !words.stopped() {
                nap(Duration::from_millis(10));
            }
            false
        }
        Some(Plant::LeakSegment) => {
            let name = BlockName::new(&format!("leak-{}", std::process::id()))?;
            let config = BlockConfig::new(ConsumerSync::LatestOnly, 1, 64)?;
            // Never dropped: nobody gives the name back.
            Box::leak(Box::new(Producer::create(&name, config)?));
            false
        }
        Some(Plant::EatMemory) => {
            let mut eaten: Vec<Vec<u8>> = vec![];
            while !words.stopped() {
                eaten.push(vec![0; 64 << 20]);
            }
            false
        }
        Some(Plant::Crash) => {
            // A process that survives this signal ends without a word.
            let _raised = raise(Signal::SIGKILL);
            true
        }
        Some(Plant::ExitEarly) => true,
        _ => false,
    })
}

/// A worker that is to fill shared memory gets one of its own, so that it fills nobody else's.
/// Says what could not be done.
fn own_memory(task: &Task) -> Option<String> {
    /// What is free beside the block.
    const SPARE: u64 = 4 << 20;
    task.fate.as_ref().filter(|fate| !fate.fills.is_empty())?;
    let block = task.block.payload_bytes.saturating_add(256);
    let bytes = block.saturating_mul(task.block.physical_slots.into()).saturating_add(SPARE);
    let mounted = unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| {
            let all = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, all, None::<&str>)
        })
        .and_then(|()| {
            let options = format!("size={bytes},mode=1777");
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            mount(Some("tmpfs"), Folder::default().path(), Some("tmpfs"), flags, Some(&*options))
        });
    let error = mounted.err()?;
    Some(format!("no shared memory of its own ({error}): `fill-shm` fills nothing"))
}

/// The ends that the duty needs.
fn attach<'a, T: Transport>(
    task: &'a Task,
    transport: &'a T,
    outlet: Option<T::Outlet>,
    blocks: &[PathBuf],
) -> Result<Ends<'a, T>, LifeError> {
    let outlet = match (task.duty, outlet) {
        (Duty::Produce, Some(outlet)) => return Ok(Ends::Outlet(outlet)),
        (_, outlet) => outlet,
    };
    let place = blocks.first().ok_or(LifeError::NoBlock)?.clone();
    if let Some(outlet) = outlet {
        return Ok(Ends::Both(outlet, transport.attach(task, &place)?));
    }
    Ok(Ends::Inlet(Seat::new(task, transport, place)?))
}
