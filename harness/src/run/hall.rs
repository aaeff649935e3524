//! Roles that are threads of one process: the producer's process is the hall, and the consumer is a
//! guest in it.
//!
//! The guest's own process is a relay: it passes lines on between the harness and the guest, over a
//! socket without a name in the file system, and sleeps while messages flow. The harness so sees a
//! process for each role, as ever. If the hall dies the relay ends; a relay that dies is noticed by
//! the harness, which stops the guest through the shared words.

use std::io;
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use datahub::wait::monotonic_ns;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::life::{LifeError, Shared, peer};
use super::link::Link;
use super::transport::threads::{Exits, Queue, Threads};
use super::wire::{Event, Task};
use super::words::nap;
use super::worker::told;

/// The role whose process is the hall: the producer, which comes first in every plan.
const HOST: usize = 0;
/// How often a relay looks whether the hall is open.
const KNOCK: Duration = Duration::from_millis(1);

/// Lives as the host, or relays for the guest. Says whether it came to its end, or that nothing more
/// is to be said.
pub(super) fn serve<Q: Queue>(task: &Task, link: &mut Link<'_>) -> Result<bool, LifeError> {
    if task.role == HOST { host::<Q>(task, link) } else { relay(task, link).map(|()| true) }
}

/// Nobody else has this name: it says which trial of which harness it is.
fn address(task: &Task) -> io::Result<SocketAddr> {
    let name = format!("datahub-hall-{}-{:016x}", task.parent, task.seed);
    SocketAddr::from_abstract_name(name)
}

fn host<Q: Queue>(task: &Task, link: &mut Link<'_>) -> Result<bool, LifeError> {
    let door = UnixListener::bind_addr(&address(task)?)?;
    let exits = Exits::<Q>::default();
    Ok(thread::scope(|scope| {
        // Before this thread is pinned, so that the guest is where it was told to be and nowhere else.
        scope.spawn(|| receive(&door, &exits, task.deadline_ns));
        let lived = Shared::open(task)
            .map_err(LifeError::from)
            .and_then(|shared| peer(task, (&Threads(&exits), &shared), link));
        // Told before the guest has left: he may wait for what never comes.
        told(lived, link)
    }))
}

/// Lets the guest in and lives as it.
fn receive<Q: Queue>(door: &UnixListener, exits: &Exits<Q>, deadline_ns: u64) {
    let mut knock = [PollFd::new(door.as_fd(), PollFlags::POLLIN)];
    let deadline = TimeSpec::from_duration(Duration::from_nanos(deadline_ns));
    if ppoll(&mut knock, Some(deadline), None) != Ok(1) {
        return;
    }
    // A relay that is gone again is the harness's business.
    let Ok((stream, _)) = door.accept() else { return };
    let mut link = Link::over(&stream);
    let lived = live_as_guest(exits, &mut link);
    told(lived, &mut link);
}

fn live_as_guest<Q: Queue>(exits: &Exits<Q>, link: &mut Link<'_>) -> Result<(), LifeError> {
    let task: Task = link.hear()?;
    let shared = Shared::open(&task)?;
    peer(&task, (&Threads(exits), &shared), link)
}

fn relay(task: &Task, link: &mut Link<'_>) -> Result<(), LifeError> {
    let stream = knock(task)?;
    let mut guest = Link::over(&stream);
    guest.say(task)?;
    loop {
        let gone =
            |_| LifeError::Hall("the process that this role is a thread of has ended".into());
        let said = guest.line().map_err(gone)?;
        match serde_json::from_str(&said).map_err(|error| LifeError::Hall(error.to_string()))? {
            Event::Failed { why } => return Err(LifeError::Hall(why)),
            Event::Made { .. } => {
                link.pass(&said)?;
                guest.pass(&link.line()?)?;
            }
            Event::At { .. } => link.pass(&said)?,
            Event::Done(_) => return Ok(link.pass(&said)?),
        }
    }
}

/// Waits until the hall is open, and goes in.
fn knock(task: &Task) -> Result<UnixStream, LifeError> {
    let (address, since_ns) = (address(task)?, monotonic_ns());
    loop {
        match UnixStream::connect_addr(&address) {
            Ok(stream) => return Ok(stream),
            Err(error) if monotonic_ns().saturating_sub(since_ns) > task.deadline_ns => {
                return Err(LifeError::Hall(format!(
                    "the producer's process is not there: {error}"
                )));
            }
            Err(_) => nap(KNOCK),
        }
    }
}
