//! A worker process: one role of one trial, from its first instruction on.
//!
//! Its first act is to tie its life to the harness's. What it then does stands in `life`.

use std::io;

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use super::den;
use super::hall;
use super::life::{LifeError, Shared, live, peer};
use super::link::{Link, LinkError};
use super::plant::{Honest, Tampering};
use super::transport::bare::BareLine;
use super::transport::block::Blocks;
use super::transport::bytes::Bytes;
use super::transport::crossbeam::Crossbeam;
#[cfg(feature = "peers")]
use super::transport::iceoryx2::Iceoryx2;
use super::transport::rtrb::Rtrb;
#[cfg(feature = "peers")]
use super::transport::zeromq::ZeroMq;
use super::wire::{Event, Task};
use crate::scenario::model::transport::Carrier;

/// What a worker may take beside its blocks: far more than it ever needs.
const MEMORY_MAX: u64 = 2 << 30;

/// Serves the harness on standard input and output. Says whether it came to its end.
#[must_use]
pub fn main() -> bool {
    let mut link = Link::new(io::stdin().lock(), io::stdout().lock());
    let ended = begin(&mut link);
    ended.unwrap_or_else(|error| told(Err(error), &mut link))
}

/// Says why somebody could not go on; says whether he could.
pub(super) fn told(ended: Result<(), LifeError>, link: &mut Link<'_>) -> bool {
    let Err(error) = ended else { return true };
    // A harness that does not listen any more has killed us or is dead.
    let _told = link.say(&Event::Failed { why: error.to_string() });
    false
}

/// Dies with the thread that started it, which is the harness's.
pub(super) fn tie() -> Result<(), LifeError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(LifeError::Tie)
}

/// Whether the harness was gone before this process was tied to it: it has another parent then.
pub(super) fn orphaned(parent: u32) -> bool {
    u32::try_from(getppid().as_raw()) != Ok(parent)
}

/// Says whether it came to its end, or that nothing more is to be said.
fn begin(link: &mut Link<'_>) -> Result<bool, LifeError> {
    tie()?;
    // No core file is left by a worker that crashes; where that is refused, it may be.
    let _limited = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let task: Task = link.hear()?;
    // One that eats memory ends itself, and not the machine.
    let blocks = task.block.payload_bytes.saturating_mul(4 * u64::from(task.block.physical_slots));
    let memory = MEMORY_MAX.saturating_add(blocks);
    let _limited = setrlimit(Resource::RLIMIT_AS, memory, memory);
    if orphaned(task.parent) {
        return Err(LinkError::Gone.into());
    }
    match task.transport {
        Carrier::Rtrb => hall::serve::<Rtrb>(&task, link),
        Carrier::Crossbeam => hall::serve::<Crossbeam>(&task, link),
        _ => alone(&task, link).map(|()| true),
    }
}

/// The role that this process is.
fn alone(task: &Task, link: &mut Link<'_>) -> Result<(), LifeError> {
    let shared = Shared::open(task)?;
    task.den.map_or(Ok(()), den::enter)?;
    let tampering = Tampering::new(task, &shared.words);
    match (task.transport, tampering) {
        (Carrier::DataHub, Some(hands)) => live(task, (&Blocks(&hands), &shared), link),
        (Carrier::DataHub, None) => live(task, (&Blocks(&Honest), &shared), link),
        (Carrier::BareLine, _) => peer(task, (&BareLine, &shared), link),
        (Carrier::Pipe, _) => peer(task, (&Bytes::Pipe, &shared), link),
        (Carrier::UnixStream, _) => peer(task, (&Bytes::Stream, &shared), link),
        (Carrier::UnixSeqpacket, _) => peer(task, (&Bytes::Packets, &shared), link),
        (Carrier::Program | Carrier::Rtrb | Carrier::Crossbeam, _) => Err(LifeError::NotOurs),
        #[cfg(feature = "peers")]
        (Carrier::Iceoryx2, _) => peer(task, (&Iceoryx2, &shared), link),
        #[cfg(feature = "peers")]
        (Carrier::ZeroMq, _) => peer(task, (&ZeroMq::new()?, &shared), link),
        #[cfg(not(feature = "peers"))]
        (Carrier::Iceoryx2 | Carrier::ZeroMq, _) => {
            Err(LifeError::NotBuilt(task.transport.missing().unwrap_or_default()))
        }
    }
}
