//! Tokens: who is alive, as the kernel knows it.
//!
//! A token is a lock on one byte of the segment, held through an open file description that belongs
//! to nobody else. The kernel frees it when the last copy of its descriptor is closed: when the holder
//! dies, however it dies. Two things a holder must not do: close descriptors that are not its own
//! (`closefrom`), which gives the token away while it lives, and fork without exec while it holds
//! one, because the child keeps the token for as long as it lives.
//! Byte 0 is the producer's, byte 1 + *i* consumer *i*'s. A token says nothing about progress: a
//! stopped process is alive.
//! Source: `F_OFD_SETLK`, fcntl(2). The description is opened anew and never passed on, because a
//! copy of the descriptor would share the lock.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::{open_file, reopenable};

#[expect(clippy::cast_possible_truncation, reason = "small constants of the C library")]
const WRITE_LOCK: libc::c_short = libc::F_WRLCK as libc::c_short;
#[expect(clippy::cast_possible_truncation, reason = "small constants of the C library")]
const UNLOCKED: libc::c_short = libc::F_UNLCK as libc::c_short;
#[expect(clippy::cast_possible_truncation, reason = "small constants of the C library")]
const FROM_START: libc::c_short = libc::SEEK_SET as libc::c_short;

/// Which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// The one producer.
    Producer,
    /// The consumer with this number.
    Consumer(u32),
}

impl Seat {
    fn byte(self) -> libc::off_t {
        match self {
            Self::Producer => 0,
            Self::Consumer(number) => 1 + libc::off_t::from(number),
        }
    }

    fn lock(self, kind: libc::c_short) -> libc::flock {
        libc::flock { l_type: kind, l_whence: FROM_START, l_start: self.byte(), l_len: 1, l_pid: 0 }
    }
}

/// A held token; dropping it gives it back.
#[derive(Debug)]
pub struct Token {
    description: File,
    seat: Seat,
    process: u32,
}

impl Token {
    /// Takes the token of `seat`, or says that somebody alive has it.
    ///
    /// # Errors
    ///
    /// Those of `open` and `fcntl`.
    pub fn take(segment: &File, seat: Seat) -> io::Result<Option<Self>> {
        let own = open_file(&reopenable(segment))?;
        loop {
            match fcntl(&own, FcntlArg::F_OFD_SETLK(&seat.lock(WRITE_LOCK))) {
                Ok(_) => {
                    let process = std::process::id();
                    return Ok(Some(Self { description: own, seat, process }));
                }
                Err(Errno::EAGAIN | Errno::EACCES) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Token {
    /// Gives the token back at once: between its fork and its exec a child of ours has a copy of
    /// the descriptor, and closing ours alone would leave the token held until then.
    fn drop(&mut self) {
        if std::process::id() == self.process {
            // What could not be unlocked is unlocked by the close that follows.
            let _unlocked =
                fcntl(&self.description, FcntlArg::F_OFD_SETLK(&self.seat.lock(UNLOCKED)));
        }
    }
}

/// Whether somebody holds the token of `seat`. `segment` must not itself hold it.
///
/// # Errors
///
/// Those of `fcntl`.
pub fn is_held(segment: &File, seat: Seat) -> io::Result<bool> {
    let mut lock = seat.lock(WRITE_LOCK);
    fcntl(segment, FcntlArg::F_OFD_GETLK(&mut lock))?;
    Ok(lock.l_type != UNLOCKED)
}
