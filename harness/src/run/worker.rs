//! A worker process: one role of one trial, from its first instruction to its last line.
//!
//! Its first act is to tie its life to the harness's. It then does what it is told, phase by
//! phase, and leaves nothing behind: its blocks have no names.

use std::cell::RefCell;
use std::io::{self, BufRead, Write};
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
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, raise};
use nix::unistd::getppid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::calibrate;
use super::duty::{Desk, Ends};
use super::log::Log;
use super::meter::{self, Meter};
use super::plant::{Honest, Plant, Tampering};
use super::ticks::Ticks;
use super::transport::bare::BareLine;
use super::transport::block::Blocks;
use super::transport::bytes::Bytes;
use super::transport::lying::{Lying, is_general};
use super::transport::{Outlet, Transport, TransportError};
use super::usage::{pin, prefer};
use super::visit::Seat;
use super::wire::{Duty, Event, Meet, Report, Task, Usage};
use super::words::{Phase, Words, nap};
use crate::scenario::model::transport::Carrier;

/// What a worker may take beside its blocks: far more than it ever needs.
const MEMORY_MAX: u64 = 2 << 30;

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("the harness cannot be heard or told: {0}")]
    Line(#[from] io::Error),
    #[error("the harness says something else than expected: {0}")]
    Language(#[from] serde_json::Error),
    #[error("the worker cannot tie its life to the harness: {0}")]
    Tie(nix::Error),
    #[error("the harness that wanted this worker is gone")]
    Orphan,
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
    #[error("nobody has made the block to read")]
    NoBlock,
    #[error("the phase {0:?} never came")]
    NoPhase(Phase),
    #[error("no histogram can be made: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
}

/// Serves the harness on standard input and output. Says whether it came to its end.
#[must_use]
pub fn main() -> bool {
    let mut link = Link { lines: io::stdin().lock(), out: io::stdout().lock() };
    match serve(&mut link) {
        Ok(()) => true,
        Err(error) => {
            // A harness that does not listen any more has killed us or is dead.
            let _told = link.say(&Event::Failed { why: error.to_string() });
            false
        }
    }
}

/// The two lines to the harness.
struct Link {
    lines: io::StdinLock<'static>,
    out: io::StdoutLock<'static>,
}

impl Link {
    fn hear<T: DeserializeOwned>(&mut self) -> Result<T, WorkerError> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Err(WorkerError::Orphan);
        }
        Ok(serde_json::from_str(&line)?)
    }

    fn say<T: Serialize>(&mut self, what: &T) -> Result<(), WorkerError> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        Ok(self.out.flush()?)
    }
}

fn serve(link: &mut Link) -> Result<(), WorkerError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(WorkerError::Tie)?;
    // No core file is left by a worker that crashes; where that is refused, it may be.
    let _limited = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let task: Task = link.hear()?;
    // One that eats memory ends itself, and not the machine.
    let blocks = task.block.payload_bytes.saturating_mul(4 * u64::from(task.block.physical_slots));
    let memory = MEMORY_MAX.saturating_add(blocks);
    let _limited = setrlimit(Resource::RLIMIT_AS, memory, memory);
    // A harness that died before the line above gives us another parent.
    if u32::try_from(getppid().as_raw()) != Ok(task.parent) {
        return Err(WorkerError::Orphan);
    }
    let words = Rc::new(Words::open(&task.words)?);
    let tampering = Tampering::new(&task, &words);
    match (task.transport, tampering) {
        (Carrier::DataHub, Some(hands)) => live(&task, (&Blocks(&hands), &words), link),
        (Carrier::DataHub, None) => live(&task, (&Blocks(&Honest), &words), link),
        (Carrier::BareLine, _) => peer(&task, (&BareLine, &words), link),
        (Carrier::Pipe, _) => peer(&task, (&Bytes::Pipe, &words), link),
        (Carrier::UnixStream, _) => peer(&task, (&Bytes::Stream, &words), link),
        (Carrier::Program, _) => Err(WorkerError::NotOurs),
        (Carrier::UnixSeqpacket, _) => peer(&task, (&Bytes::Packets, &words), link),
    }
}

/// Another transport than the block, honest or not.
fn peer<T: Transport>(
    task: &Task,
    (honest, words): (&T, &Words),
    link: &mut Link,
) -> Result<(), WorkerError> {
    match task.plant.filter(|plant| is_general(*plant)) {
        Some(plant) => live(task, (&Lying { honest, plant }, words), link),
        None => live(task, (honest, words), link),
    }
}

fn live<T: Transport>(
    task: &Task,
    (transport, words): (&T, &Words),
    link: &mut Link,
) -> Result<(), WorkerError> {
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
        if words.wait_for(phase, deadline_ns) { Ok(()) } else { Err(WorkerError::NoPhase(phase)) }
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
    let used = Usage::now();
    let log = task.log.as_deref().map(Log::open).transpose()?;
    let log = log.map(|log| Rc::new(RefCell::new(log)));
    let desk = Desk { task, words, log, meter };
    let mut report: Report = desk.work(ends, ticks)?;
    report.usage = Usage::now().since(used);
    report.hardware = Some(desk.meter.borrow_mut().finish());
    report.counts.delivered += u64::from(task.plant == Some(Plant::LieCounts));
    reach(Phase::After)?;
    report.line_ns = [before, play(1)];
    report.metrics = metrics.map(|file| file.read()).transpose()?.unwrap_or_default();
    report.degraded.extend(degraded);
    link.say(&Event::Done(Box::new(report)))
}

/// Plants that are about the process. Says whether it shall end without a word.
fn misbehave(plant: Option<Plant>, words: &Words) -> Result<bool, WorkerError> {
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
) -> Result<Ends<'a, T>, WorkerError> {
    let outlet = match (task.duty, outlet) {
        (Duty::Produce, Some(outlet)) => return Ok(Ends::Outlet(outlet)),
        (_, outlet) => outlet,
    };
    let place = blocks.first().ok_or(WorkerError::NoBlock)?.clone();
    if let Some(outlet) = outlet {
        return Ok(Ends::Both(outlet, transport.attach(task, &place)?));
    }
    Ok(Ends::Inlet(Seat::new(task, transport, place)?))
}
