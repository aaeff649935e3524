//! A folder that is there whole or not at all: it is filled under a hidden name and renamed at the end.
//!
//! Its maker holds a lock on it while it lives, and a janitor, a process of its own, waits for its maker's
//! end and takes away what is then still hidden. Where both are killed, the next one that writes there finds
//! the lock free and does it.
//! Knows nothing of: what the folder holds.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// What half a file or folder is called.
pub(super) const HALF: &str = ".half-";
/// The verb of the janitor's process.
pub const JANITOR: &str = "__janitor";
/// So many folders may have one name but for a number, and so often somebody may sweep a new one away.
const TWINS: u32 = 1_000;

/// A folder that nobody sees yet; dropped, it is gone.
#[derive(Debug)]
pub(super) struct HalfFolder {
    path: PathBuf,
    /// Held for as long as the folder is half.
    lock: File,
    janitor: Option<Janitor>,
    kept: bool,
}

/// Ended by the end of its standard input.
#[derive(Debug)]
struct Janitor {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // One that has ended is as good.
        let _reaped = self.child.wait();
    }
}

impl HalfFolder {
    /// Makes a hidden folder in `out`.
    ///
    /// # Errors
    ///
    /// When the system refuses; nothing is left.
    pub(super) fn create(out: &Path, name: &str) -> io::Result<Self> {
        let path = out.join(format!("{HALF}{}-{name}", std::process::id()));
        let janitor = Janitor::start(&path);
        for _ in 0..TWINS {
            match fs::create_dir(&path) {
                // Of a process that had the same number; it has ended.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => remove(&path),
                made => made?,
            }
            let Ok(lock) = File::open(&path) else { continue };
            lock.lock()?;
            // Somebody may have swept it away between the two.
            if is_at(&lock, &path) {
                return Ok(Self { path, lock, janitor, kept: false });
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder its name, or that name with a number where it is taken; says which. The janitor stays
    /// until this is dropped.
    ///
    /// # Errors
    ///
    /// When the system refuses; the folder is as before.
    pub(super) fn keep(&mut self, out: &Path, name: &str) -> io::Result<PathBuf> {
        // What is in it is on the disk; so are their names.
        self.lock.sync_all()?;
        for twin in 1..=TWINS {
            let suffix = if twin == 1 { String::new() } else { format!("-{twin}") };
            let path = out.join(format!("{name}{suffix}"));
            match renameat_with(CWD, &self.path, CWD, &path, RenameFlags::NOREPLACE) {
                Ok(()) => {
                    self.kept = true;
                    return Ok(path);
                }
                Err(rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

impl Drop for HalfFolder {
    fn drop(&mut self) {
        if !self.kept {
            remove(&self.path);
        }
        // Nothing is left for it to do; but it is not left behind either.
        self.janitor = None;
    }
}

impl Janitor {
    /// `None` where no process can be started: what is left is swept away by the next run.
    fn start(path: &Path) -> Option<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.arg(JANITOR).arg(path).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let stdin = child.stdin.take();
        Some(Self { child, stdin })
    }
}

/// The janitor: waits for the end of its standard input, and then for nothing.
pub fn janitor(path: &Path) {
    let mut rest = vec![];
    // However it ends, its maker does not write any more.
    let _ended = io::stdin().lock().read_to_end(&mut rest);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let maker = name.strip_prefix(HALF).and_then(|name| name.split_once('-'));
    let (Some((maker, _)), Some(out)) = (maker, path.parent()) else { return };
    remove(path);
    // One that stays does no harm.
    let _removed = fs::remove_file(out.join(latest_of(maker)));
}

/// What the link `latest` is called before it is one; `maker` is a process.
pub(super) fn latest_of(maker: impl std::fmt::Display) -> String {
    format!("{HALF}{maker}-latest")
}

fn remove(path: &Path) {
    // One that is not there is as good; one that stays is swept away later.
    let _removed = fs::remove_dir_all(path);
}

fn is_at(open: &File, path: &Path) -> bool {
    let same = |a: &fs::Metadata, b: &fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    open.metadata().is_ok_and(|open| fs::metadata(path).is_ok_and(|there| same(&open, &there)))
}

/// Removes what somebody who was killed has left half done in a folder.
pub(super) fn sweep(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(HALF) {
            continue;
        }
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One that stays does no harm.
            let _removed = fs::remove_file(path);
        } else if File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok()) {
            remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(out: &Path) -> Vec<String> {
        let entries = fs::read_dir(out).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_there_whole_or_not_at_all() {
        let out = tempfile::tempdir().unwrap();
        let half = HalfFolder::create(out.path(), "a").unwrap();
        fs::write(half.path().join("x"), "1").unwrap();
        drop(half);
        assert_eq!(names(out.path()), [""; 0]);
        for name in ["a", "a-2"] {
            let mut half = HalfFolder::create(out.path(), "a").unwrap();
            fs::write(half.path().join("x"), "1").unwrap();
            assert_eq!(half.keep(out.path(), "a").unwrap(), out.path().join(name));
        }
        assert_eq!(names(out.path()), ["a", "a-2"]);
    }

    #[test]
    fn what_a_living_run_writes_is_not_swept_away_and_what_a_dead_one_left_is() {
        let out = tempfile::tempdir().unwrap();
        let half = HalfFolder::create(out.path(), "a").unwrap();
        let [folder, file] = ["1-b", "latest"].map(|name| out.path().join(format!("{HALF}{name}")));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("x"), "1").unwrap();
        fs::write(&file, "").unwrap();
        sweep(out.path());
        assert!(half.path().exists() && !folder.exists() && !file.exists());
    }
}
