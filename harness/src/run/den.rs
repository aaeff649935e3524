//! A mount namespace for one trial, with shared memory of its own: whatever its roles leave there
//! vanishes with the last of them, also after `kill -9` of everything.
//!
//! A holder, which is this program once more, makes the namespace and sleeps until nobody wants it;
//! the roles join it. Who is not root gets a user namespace around it. Where the kernel refuses
//! either, there is no den, and a sentence that says why.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use datahub::shm::Folder;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::time::TimeSpec;
use nix::unistd::{getegid, geteuid};

use super::life::LifeError;
use super::link::Link;
use super::process::SELF;
use super::wire::Den;
use super::worker::{orphaned, tie};

/// The verb that makes a process a holder; `cli` knows it by the same name.
const VERB: &str = "__den";
/// How long a den may take to be dug.
const DIG: Duration = Duration::from_secs(5);

/// A den, and the process that holds it open. Dropped, the holder ends.
#[derive(Debug)]
pub(super) struct Holder {
    child: Child,
    pub(super) den: Den,
}

impl Holder {
    /// Digs a den. The holder dies with the thread that calls.
    ///
    /// # Errors
    ///
    /// Why there is none, in a sentence.
    pub(super) fn dig() -> Result<Self, String> {
        let mut command = Command::new(SELF);
        command.arg(VERB).arg(std::process::id().to_string());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("no process can be started: {error}"))?;
        let den = Den { holder: child.id(), user: false };
        let mut holder = Self { child, den };
        holder.den.user = holder.hear()?;
        Ok(holder)
    }

    fn hear(&mut self) -> Result<bool, String> {
        let mute = || "the holder of the mount namespace says nothing".to_owned();
        let stdout = self.child.stdout.as_mut().ok_or_else(mute)?;
        let mut heard = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        if ppoll(&mut heard, Some(TimeSpec::from_duration(DIG)), None) != Ok(1) {
            return Err(mute());
        }
        let mut link = Link::new(io::BufReader::new(stdout), io::sink());
        link.hear::<Result<bool, String>>().map_err(|_| mute())?
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Already dead is as good.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Holds a den open until standard input ends. Says whether there was one.
#[must_use]
pub fn main(parent: u32) -> bool {
    // Once more after it: new credentials may untie a process from its parent.
    let bound = || tie().map_err(|error| error.to_string());
    let dug = bound().and_then(|()| dig()).and_then(|taken| bound().map(|()| taken));
    if orphaned(parent) {
        return false;
    }
    let told = Link::new(io::empty(), io::stdout()).say(&dug);
    // Whatever comes: the end is what is waited for.
    let _ended = io::stdin().read_to_end(&mut vec![]);
    told.is_ok() && dug.is_ok()
}

/// Says whether it took a user namespace.
fn dig() -> Result<bool, String> {
    let (user, group) = (geteuid(), getegid());
    let taken = match unshare(CloneFlags::CLONE_NEWNS) {
        Err(Errno::EPERM) => {
            let both = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS;
            unshare(both).map_err(|error| format!("the kernel refuses namespaces: {error}"))?;
            let map = || {
                fs::write("/proc/self/setgroups", "deny")?;
                fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
                fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
            };
            map().map_err(|error| format!("the kernel refuses to map users: {error}"))?;
            true
        }
        other => {
            other.map_err(|error| format!("the kernel refuses a mount namespace: {error}"))?;
            false
        }
    };
    furnish().map_err(|error| format!("there is no shared memory of its own: {error}"))?;
    Ok(taken)
}

/// Mounts memory that nobody else sees.
fn furnish() -> nix::Result<()> {
    let all = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, all, None::<&str>)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), Folder::default().path(), Some("tmpfs"), flags, Some("mode=1777"))
}

/// Takes this process, which must have no other thread, into the den.
pub(super) fn enter(den: Den) -> Result<(), LifeError> {
    let refused = |error: io::Error| {
        let why = io::Error::new(error.kind(), format!("the trial's own namespace: {error}"));
        LifeError::Shared(why)
    };
    // Both first: from inside the one, the other may be out of reach.
    let open = |name| File::open(format!("/proc/{}/ns/{name}", den.holder)).map_err(refused);
    let (user, mounts) = (den.user.then(|| open("user")).transpose()?, open("mnt")?);
    let join = |space: &File, kind| setns(space, kind).map_err(|error| refused(error.into()));
    user.map_or(Ok(()), |user| join(&user, CloneFlags::CLONE_NEWUSER))?;
    join(&mounts, CloneFlags::CLONE_NEWNS)?;
    // New credentials may untie a process from its parent.
    tie()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_den_has_memory_of_its_own_or_says_why_not() {
        // In a thread of its own, whose namespaces nobody shares.
        let dug = std::thread::spawn(|| {
            let before = fs::metadata("/dev/shm").unwrap();
            dig().map(|_| (before, fs::metadata("/dev/shm").unwrap()))
        });
        match dug.join().unwrap() {
            Ok((before, after)) => assert_ne!(before.dev(), after.dev()),
            Err(why) => {
                assert!(why.contains("refuses") || why.contains("no shared memory"), "{why}");
            }
        }
    }
}
