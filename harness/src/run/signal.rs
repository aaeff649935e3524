//! Interrupts as something to poll: Ctrl-C and a polite kill become readable.
//!
//! The signals are blocked in this thread and, by inheritance, in every worker, so that a Ctrl-C at
//! the terminal reaches the harness alone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Counts interrupts.
#[derive(Debug)]
pub(crate) struct Interrupts {
    signals: SignalFd,
    count: u32,
}

impl Interrupts {
    /// From now on the signals no longer end this process.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub(crate) fn watch() -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Self { signals: SignalFd::with_flags(&set, flags)?, count: 0 })
    }

    /// How many there were so far.
    pub(crate) fn count(&mut self) -> u32 {
        while let Ok(Some(_)) = self.signals.read_signal() {
            self.count += 1;
        }
        self.count
    }

    /// Sleeps until there is one.
    pub(crate) fn wait(&mut self) {
        while self.count() == 0 {
            let mut polled = [PollFd::new(self.descriptor(), PollFlags::POLLIN)];
            // Woken for whatever reason, it is looked.
            let _woken = poll(&mut polled, PollTimeout::NONE);
        }
    }

    /// Readable when there is a new one.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}
