//! Pipes and sockets: messages of one size through a descriptor, copied into the kernel and out of it.
//!
//! Nothing has a name in the file system: a pipe is opened through `/proc`, a socket is bound to an
//! address that the kernel chose. A message that was sent in part is finished before the next one.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    getsockname, listen, socket_with,
};

use super::patience::Patience;
use super::{Inlet, Labels, Nothing, Outlet, Refusal, Transport, TransportError, room_timeout};
use crate::run::payload::{Keyed, Stamp};
use crate::run::wire::{Task, Waiting};
use crate::run::zone::Zoned;

/// Connections that may wait for the producer's first message.
const BACKLOG: i32 = 64;

/// How long a message that was sent in part may take to be finished.
const FINISH: Duration = Duration::from_secs(10);

/// What the kernel grants anybody for one pipe, unless it is set up otherwise.
const ROOM_MAX: usize = 1 << 20;

/// Which kind of descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Bytes {
    Pipe,
    Stream,
    Packets,
}

/// A consumer's descriptor and how much of the present message it was given.
#[derive(Debug)]
struct Line {
    descriptor: OwnedFd,
    sent: usize,
}

/// The producing end: every message to every consumer.
#[derive(Debug)]
pub(in crate::run) struct ByteOutlet {
    place: PathBuf,
    /// What consumers attach to, until messages flow: the pipe's other end, or the socket.
    door: Option<OwnedFd>,
    lines: Vec<Line>,
    message: Vec<u8>,
    /// The message was filled, and not yet sent to everybody.
    begun: bool,
    sequence: u64,
    /// What the kernel is asked to keep for one consumer.
    room: usize,
    waiting: Waiting,
    timeout: Duration,
}

/// The consuming end.
#[derive(Debug)]
pub(in crate::run) struct ByteInlet {
    descriptor: OwnedFd,
    message: Vec<u8>,
    got: usize,
    labels: Labels,
    waiting: Waiting,
}

fn bytes_of(task: &Task) -> io::Result<usize> {
    usize::try_from(task.block.payload_bytes).map_err(io::Error::other)
}

fn own_pipe() -> io::Result<(OwnedFd, Line, PathBuf)> {
    let (reader, writer) = io::pipe()?;
    let descriptor = OwnedFd::from(writer);
    let _flags = fcntl(&descriptor, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let place = format!("/proc/{}/fd/{}", std::process::id(), reader.as_raw_fd());
    Ok((reader.into(), Line { descriptor, sent: 0 }, place.into()))
}

impl Bytes {
    fn socket(self) -> io::Result<OwnedFd> {
        let kind = if self == Self::Packets { SocketType::SEQPACKET } else { SocketType::STREAM };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        Ok(socket_with(AddressFamily::UNIX, kind, flags, None)?)
    }

    fn own_socket(self) -> io::Result<(OwnedFd, PathBuf)> {
        let socket = self.socket()?;
        // Bound to no address, it gets one that nobody else has.
        bind(&socket, &SocketAddrUnix::new_unnamed())?;
        listen(&socket, BACKLOG)?;
        let address = SocketAddrUnix::try_from(getsockname(&socket)?)?;
        let name = address.abstract_name().unwrap_or_default();
        let place = PathBuf::from(String::from_utf8_lossy(name).into_owned());
        Ok((socket, place))
    }
}

impl Transport for Bytes {
    type Outlet = ByteOutlet;
    type Inlet = ByteInlet;

    fn make(&self, task: &Task) -> Result<ByteOutlet, TransportError> {
        let message = vec![0; bytes_of(task)?];
        let room = message.len().saturating_mul(task.block.slots as usize).min(ROOM_MAX);
        let (door, lines, place) = if *self == Self::Pipe {
            let (door, line, place) = own_pipe()?;
            // The kernel keeps what it is allowed to where this is more.
            let size = i32::try_from(room).unwrap_or(i32::MAX);
            let _grown = fcntl(&line.descriptor, FcntlArg::F_SETPIPE_SZ(size));
            (door, vec![line], place)
        } else {
            let (door, place) = self.own_socket()?;
            (door, vec![], place)
        };
        let timeout = room_timeout(task);
        let (begun, sequence, waiting) = (false, 0, task.wait);
        let door = Some(door);
        Ok(ByteOutlet { place, door, lines, message, begun, sequence, room, waiting, timeout })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<ByteInlet, TransportError> {
        let descriptor = if *self == Self::Pipe {
            let mut options = OpenOptions::new();
            OwnedFd::from(options.read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(place)?)
        } else {
            let socket = self.socket()?;
            let name = place.as_os_str().as_encoded_bytes();
            connect(&socket, &SocketAddrUnix::new_abstract_name(name).map_err(io::Error::from)?)
                .map_err(io::Error::from)?;
            socket
        };
        let (message, labels) = (vec![0; bytes_of(task)?], Labels::of(task));
        Ok(ByteInlet { descriptor, message, got: 0, labels, waiting: task.wait })
    }
}

impl ByteOutlet {
    /// Everybody has come: lets them in and nobody else.
    #[cold]
    fn open(&mut self) -> io::Result<()> {
        let Some(door) = self.door.take().filter(|_| self.lines.is_empty()) else { return Ok(()) };
        loop {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let descriptor = match accept_with(&door, flags) {
                Ok(descriptor) => descriptor,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            // The kernel keeps what it is allowed to where this is more.
            let _grown = set_socket_send_buffer_size(&descriptor, self.room);
            self.lines.push(Line { descriptor, sent: 0 });
        }
    }

    /// Sends the message to everybody. For want of room it is refused whole or not at all: what was
    /// sent in part is finished, or nobody could be given anything more.
    #[inline]
    fn send(&mut self) -> Result<(), Refusal> {
        let mut patience = Patience::new(self.waiting, self.timeout);
        let mut begun = false;
        for line in &mut self.lines {
            while line.sent < self.message.len() {
                match rustix::io::write(&line.descriptor, &self.message[line.sent..]) {
                    Ok(sent) => {
                        line.sent += sent;
                        if !begun {
                            begun = true;
                            patience = Patience::new(self.waiting, FINISH);
                        }
                    }
                    Err(Errno::AGAIN) => {
                        let room = (line.descriptor.as_fd(), PollFlags::POLLOUT);
                        if !patience.again(Some(room)) {
                            return Err(if begun { unfinished() } else { Refusal::NoRoom });
                        }
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => {
                        return Err(Refusal::Trouble(format!("the kernel refuses it: {error}")));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cold]
fn unfinished() -> Refusal {
    Refusal::Trouble("a consumer took a part of a message, and not the rest".to_owned())
}

impl Zoned for ByteOutlet {}

impl Zoned for ByteInlet {}

impl Outlet for ByteOutlet {
    fn place(&self) -> PathBuf {
        self.place.clone()
    }

    fn commits(&self) -> u64 {
        self.sequence
    }

    #[inline]
    fn put(
        &mut self,
        keyed: &Keyed,
        (intended_ns, actual_ns): (u64, u64),
        offered: impl FnOnce(&Stamp),
    ) -> Result<(), Refusal> {
        if self.door.is_some() {
            self.open().map_err(|error| Refusal::Trouble(error.to_string()))?;
        }
        if !self.begun {
            let stamp = Stamp { sequence: self.sequence, intended_ns, actual_ns };
            offered(&stamp);
            keyed.fill(&mut self.message, &stamp);
            self.begun = true;
            for line in &mut self.lines {
                line.sent = 0;
            }
        }
        self.send()?;
        self.begun = false;
        self.sequence += 1;
        Ok(())
    }
}

impl Inlet for ByteInlet {
    #[inline]
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        let mut patience = Patience::new(self.waiting, timeout);
        while self.got < self.message.len() {
            match rustix::io::read(&self.descriptor, &mut self.message[self.got..]) {
                Ok(0) if self.got == 0 => return Err(Nothing::Ended),
                Ok(0) => {
                    let why = "the stream ended in the middle of a message".to_owned();
                    return Err(Nothing::Trouble(why));
                }
                Ok(got) => self.got += got,
                Err(Errno::AGAIN) => {
                    if !patience.again(Some((self.descriptor.as_fd(), PollFlags::POLLIN))) {
                        return Err(Nothing::NotYet);
                    }
                }
                Err(Errno::INTR) => {}
                Err(error) => {
                    return Err(Nothing::Trouble(format!("the kernel refuses it: {error}")));
                }
            }
        }
        self.got = 0;
        let label = self.labels.next(&self.message);
        Ok(see(label, &self.message))
    }
    fn commits(&self) -> u64 {
        self.labels.expected
    }

    fn next_sequence(&self) -> u64 {
        self.labels.expected
    }
}
