//! Interrupts as something to poll: Ctrl-C and a polite kill become readable.
//!
//! The signals are blocked in this thread and, by inheritance, in every worker, so that a Ctrl-C at
//! the terminal reaches the harness alone. One that was ignored when the program began, as `nohup`
//! and shells in the background have it, stays ignored.

use std::fs;
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
        let ignored = ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // A blocked signal is delivered even where it is ignored.
            if ignored & bit(signal) == 0 {
                set.add(signal);
            }
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

/// The set of ignored signals, as the kernel tells it of a process.
fn ignored(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

/// Its place in such a set.
const fn bit(signal: Signal) -> u64 {
    1 << (signal as u32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_stands_in_the_status_of_the_process() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        let set = ignored(status);
        assert!(set & bit(Signal::SIGHUP) > 0 && set & bit(Signal::SIGPIPE) > 0);
        assert_eq!(set & (bit(Signal::SIGINT) | bit(Signal::SIGTERM)), 0);
        assert_eq!(ignored(""), 0);
    }
}
