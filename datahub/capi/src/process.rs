//! Which process and which thread is calling, without a system call per call.
//!
//! Mappings do not survive a fork, so a handle belongs to the process that made it. The C library
//! tells us about forks; `vfork` and a bare `clone` are beyond it.

use core::cell::Cell;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use counter::Counter;
use datahub::wait::monotonic_ns;
use nix::libc;

mod counter {
    #![expect(
        clippy::disallowed_types,
        reason = "no other process sees it: it counts our own forks"
    )]
    /// A count of this process.
    pub(super) type Counter = core::sync::atomic::AtomicU32;
}

/// How many forks lie between the process that loaded this library and this one.
static FORKS: Counter = Counter::new(0);

extern "C" fn in_the_child() {
    // The child has one thread.
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Asks the C library, once, to tell us about forks. Fails with the code that it returned.
fn watch() -> Result<(), i32> {
    static WATCH: OnceLock<i32> = OnceLock::new();
    // SAFETY: the callback touches one atomic, which is allowed after a fork, and lives as long as
    // this library; the C library forgets it when the library is unloaded.
    let code =
        *WATCH.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) });
    if code == 0 { Ok(()) } else { Err(code) }
}

/// The process in which something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home(u32);

impl Home {
    /// This process.
    pub(crate) fn here() -> io::Result<Self> {
        watch().map_err(io::Error::from_raw_os_error)?;
        Ok(Self(FORKS.load(Ordering::Relaxed)))
    }

    /// Whether this process is the one.
    #[inline]
    pub(crate) fn is_here(self) -> bool {
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

/// This thread in one number, never 0: its kernel id, and the moment it first asked, so that a
/// later thread that is given the same id is another one.
pub(crate) fn thread() -> u64 {
    thread_local! {
        static THREAD: Cell<Option<(Home, u64)>> = const { Cell::new(None) };
    }
    let known = THREAD.try_with(Cell::get).ok().flatten().filter(|(home, _)| home.is_here());
    if let Some((_, thread)) = known {
        return thread;
    }
    let id = nix::unistd::gettid().as_raw().cast_unsigned();
    let thread = monotonic_ns() << 32 | u64::from(id);
    if let Ok(home) = Home::here() {
        // A thread that is ending has no storage left; it asks anew each time.
        let _kept = THREAD.try_with(|known| known.set(Some((home, thread))));
    }
    thread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_number_and_shares_it_with_nobody() {
        let ours = thread();
        assert_eq!(ours, thread());
        assert_ne!(ours, std::thread::spawn(thread).join().unwrap());
        assert_ne!(ours, 0);
    }
}
