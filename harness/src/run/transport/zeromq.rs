//! ZeroMQ: PUSH and PULL over a Unix socket without a name in the file system.
//!
//! Either end keeps as many messages as there are slots, and refuses rather than loses. An empty
//! message ends the stream, because the library tells nobody that the other end is gone. A socket that
//! sends stays until the role's life is over: one that is closed earlier costs a receiver at its limit
//! what the kernel still holds. The library's threads are made before the role is pinned, so that they
//! are not confined to the role's core.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use zmq::{Context, DONTWAIT, Error, Message, PULL, PUSH, PollEvents, Socket};

use super::patience::Patience;
use super::{Inlet, Labels, Nothing, Outlet, Refusal, Transport, TransportError, room_timeout};
use crate::run::payload::{Keyed, Stamp};
use crate::run::wire::{Pace, Task, Waiting};
use crate::run::zone::Zoned;

/// How long the end of a stream may wait for room.
const FINISH: Duration = Duration::from_secs(10);

/// The library in this process.
pub(in crate::run) struct ZeroMq {
    /// Every socket that sends, whatever became of its end.
    kept: RefCell<Vec<Rc<Socket>>>,
    context: Context,
}

/// The producing end.
pub(in crate::run) struct ZeroOutlet {
    socket: Rc<Socket>,
    place: PathBuf,
    bytes: usize,
    /// The message that was offered, and not yet sent.
    begun: Option<Stamp>,
    sequence: u64,
    /// How long this stream's end may wait for room.
    finish: Duration,
    waiting: Waiting,
    timeout: Duration,
}

/// The consuming end.
pub(in crate::run) struct ZeroInlet {
    socket: Socket,
    message: Message,
    labels: Labels,
    waiting: Waiting,
}

fn failed(what: &'static str) -> impl Fn(Error) -> io::Error {
    move |error| io::Error::other(format!("ZeroMQ cannot {what}: {error}"))
}

impl ZeroMq {
    /// Starts the library's threads where this thread may run now.
    ///
    /// # Errors
    ///
    /// When it has no socket to give.
    pub(in crate::run) fn new() -> io::Result<Self> {
        let context = Context::new();
        // The first socket starts the threads.
        context.socket(PUSH).map(drop).map_err(failed("make a socket"))?;
        Ok(Self { kept: RefCell::default(), context })
    }

    fn socket(&self, kind: zmq::SocketType, task: &Task) -> io::Result<Socket> {
        let slots = i32::try_from(task.block.slots).unwrap_or(i32::MAX);
        let socket = self.context.socket(kind).map_err(failed("make a socket"))?;
        let set = || {
            socket.set_sndhwm(slots)?;
            socket.set_rcvhwm(slots)?;
            // When it is closed, everybody has had everything, or is not there to have it.
            socket.set_linger(0)
        };
        set().map_err(failed("set a socket up"))?;
        Ok(socket)
    }
}

/// Sleeps until something can be done, or time is up; the caller looks again.
fn sleep(socket: &Socket, events: PollEvents, time: Duration) {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1);
    let _ready = socket.poll(events, millis);
}

impl Transport for ZeroMq {
    type Outlet = ZeroOutlet;
    type Inlet = ZeroInlet;

    fn make(&self, task: &Task) -> Result<ZeroOutlet, TransportError> {
        let bytes = usize::try_from(task.block.payload_bytes).map_err(io::Error::other)?;
        let socket = self.socket(PUSH, task)?;
        let own = std::process::id();
        let place = format!("ipc://@datahub-zeromq-{own}-{}-{:016x}", task.role, task.seed);
        socket.bind(&place).map_err(failed("bind a socket"))?;
        let socket = Rc::new(socket);
        self.kept.borrow_mut().push(Rc::clone(&socket));
        // In a closed loop the other end is there and has room, or is gone.
        let finish = if task.pace == Pace::PingPong { Duration::ZERO } else { FINISH };
        Ok(ZeroOutlet {
            socket,
            place: place.into(),
            bytes,
            begun: None,
            sequence: 0,
            finish,
            waiting: task.wait,
            timeout: room_timeout(task),
        })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<ZeroInlet, TransportError> {
        let socket = self.socket(PULL, task)?;
        socket.connect(&place.to_string_lossy()).map_err(failed("connect a socket"))?;
        let (message, labels) = (Message::new(), Labels::of(task));
        Ok(ZeroInlet { socket, message, labels, waiting: task.wait })
    }
}

impl ZeroOutlet {
    /// Sends what `message` makes, which is made again where there was no room for it.
    #[inline]
    fn send(&self, timeout: Duration, message: impl Fn() -> Message) -> Result<(), Refusal> {
        let mut patience = Patience::new(self.waiting, timeout);
        loop {
            match self.socket.send(message(), DONTWAIT) {
                Ok(()) => return Ok(()),
                Err(Error::EAGAIN | Error::EINTR) => {}
                Err(error) => return Err(Refusal::Trouble(format!("ZeroMQ cannot send: {error}"))),
            }
            // Asked before the message is made again.
            while !self.has_room() {
                let park = |time| sleep(&self.socket, PollEvents::POLLOUT, time);
                if !patience.again_or(park) {
                    return Err(Refusal::NoRoom);
                }
            }
        }
    }

    fn has_room(&self) -> bool {
        self.socket.get_events().is_ok_and(|events| events.contains(PollEvents::POLLOUT))
    }
}

impl Zoned for ZeroOutlet {}

impl Zoned for ZeroInlet {}

impl Outlet for ZeroOutlet {
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
        let stamp = self.begun.unwrap_or_else(|| {
            let stamp = Stamp { sequence: self.sequence, intended_ns, actual_ns };
            offered(&stamp);
            stamp
        });
        self.begun = Some(stamp);
        self.send(self.timeout, || {
            let mut message = Message::with_size(self.bytes);
            keyed.fill(&mut message, &stamp);
            message
        })?;
        self.begun = None;
        self.sequence += 1;
        Ok(())
    }
}

impl Drop for ZeroOutlet {
    fn drop(&mut self) {
        // Where nobody is left to be told, nobody is told.
        let _ended = self.send(self.finish, Message::new);
    }
}

impl Inlet for ZeroInlet {
    #[inline]
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        let mut patience = Patience::new(self.waiting, timeout);
        loop {
            match self.socket.recv(&mut self.message, DONTWAIT) {
                Ok(()) if self.message.is_empty() => return Err(Nothing::Ended),
                Ok(()) => break,
                Err(Error::EAGAIN | Error::EINTR) => {
                    let park = |time| sleep(&self.socket, PollEvents::POLLIN, time);
                    if !patience.again_or(park) {
                        return Err(Nothing::NotYet);
                    }
                }
                Err(error) => return Err(Nothing::Trouble(format!("ZeroMQ: {error}"))),
            }
        }
        Ok(see(self.labels.next(&self.message), &self.message))
    }

    fn commits(&self) -> u64 {
        self.labels.expected
    }

    fn next_sequence(&self) -> u64 {
        self.labels.expected
    }
}
