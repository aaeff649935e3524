//! A folder that is there whole or not at all: it is filled under a hidden name and renamed at the end.
//!
//! Its maker holds a lock on it while it lives, and a janitor, a process of its own, waits for its maker's
//! end and takes away what is then still hidden. Where both are killed, the next one that writes there finds
//! the lock free and does it.
//!
//! A file that stands alone has the name of its writer until it is whole: several runs may share one
//! folder, also from several machines or containers, so no two write one file and nobody's is swept away.
//! Knows nothing of: what the folder and the files hold.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

/// How the name of half a file or folder begins.
pub(super) const HALF: &str = ".half-";
/// Of a writer whose processes cannot be seen from here, what is older than this is nobody's.
const STALE: Duration = Duration::from_hours(1);
/// What leads to the newest run.
pub const LATEST: &str = "latest";
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
        let path = of(&out.join(name));
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
            // Replaces nothing but an empty folder. A flag that says so is refused by network file systems.
            match fs::rename(&self.path, &path) {
                Ok(()) => {
                    self.kept = true;
                    return Ok(path);
                }
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(error),
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
    let (Some((place, pid, _)), Some(out)) = (writer(&name), path.parent()) else { return };
    remove(path);
    // One that stays does no harm.
    let _removed = fs::remove_file(out.join(name_of(place, pid, LATEST)));
}

/// The name under which this process writes a file or a link.
pub(super) fn of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(name_of(&place(), std::process::id(), &name))
}

fn name_of(place: &str, pid: u32, name: &str) -> String {
    format!("{HALF}{place}-{pid}-{name}")
}

/// Where the writer of half a file or folder runs, which process it is, and what is to become of it.
fn writer(name: &str) -> Option<(&str, u32, &str)> {
    let mut words = name.strip_prefix(HALF)?.splitn(3, '-');
    Some((words.next()?, words.next()?.parse().ok()?, words.next()?))
}

/// Whether a name is that of half a file or folder.
pub(super) fn is_half(name: &str) -> bool {
    name.starts_with(HALF)
}

/// Whether this is half a file whose writer is gone.
fn is_abandoned(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match writer(&name) {
        Some((place, pid, _)) if place == self::place() => {
            !Path::new(&format!("/proc/{pid}")).exists()
        }
        // Another machine's, or another name altogether.
        _ => is_half(&name) && is_stale(path),
    }
}

fn is_stale(path: &Path) -> bool {
    let written = fs::symlink_metadata(path).and_then(|facts| facts.modified());
    let age = written.map(|moment| SystemTime::now().duration_since(moment).unwrap_or_default());
    age.is_ok_and(|age| age > STALE)
}

/// The machine and the space of process ids, in eight digits.
fn place() -> String {
    let machine = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digest = xxh3_64(format!("{machine}{name}{}", space.display()).as_bytes());
    format!("{:08x}", digest >> 32)
}

fn remove(path: &Path) {
    // One that is not there is as good; one that stays is swept away later.
    let _removed = fs::remove_dir_all(path);
}

fn is_taken(error: &io::Error) -> bool {
    use ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory)
}

fn is_at(open: &File, path: &Path) -> bool {
    let same = |a: &fs::Metadata, b: &fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    open.metadata().is_ok_and(|open| fs::metadata(path).is_ok_and(|there| same(&open, &there)))
}

/// Removes what somebody who was killed has left half done in a folder, and in the folders of runs in it.
pub(super) fn sweep(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder {
            sweep_file(&path);
        } else if !is_half(&entry.file_name().to_string_lossy()) {
            let inner = fs::read_dir(&path).into_iter().flatten().flatten();
            inner.for_each(|entry| sweep_file(&entry.path()));
        } else {
            sweep_folder(&path);
        }
    }
}

/// Removes half a folder that nobody fills.
fn sweep_folder(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Locks may hold on one machine only.
    if writer(&name).is_none_or(|(place, _, _)| place != self::place()) {
        if is_stale(path) {
            remove(path);
        }
        return;
    }
    // Held until it is gone: its maker, who waits for it, then sees that, and makes another.
    if let Ok(folder) = File::open(path)
        && folder.try_lock().is_ok()
    {
        remove(path);
    }
}

/// Removes what those who were killed have left of this one file.
pub(super) fn sweep_of(file: &Path) {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    for entry in fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten() {
        let half = entry.file_name().to_string_lossy().into_owned();
        if writer(&half).is_some_and(|(_, _, whole)| whole == name) {
            sweep_file(&entry.path());
        }
    }
}

fn sweep_file(path: &Path) {
    if is_abandoned(path) {
        // One that stays does no harm.
        let _removed = fs::remove_file(path);
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
        let own = of(&out.path().join(LATEST));
        // No process has a greater number.
        let [folder, file] =
            ["b", LATEST].map(|name| out.path().join(name_of(&place(), u32::MAX, name)));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("x"), "1").unwrap();
        let run = out.path().join("run");
        fs::create_dir(&run).unwrap();
        let inner = run.join(file.file_name().unwrap());
        for path in [&own, &file, &inner] {
            fs::write(path, "").unwrap();
        }
        sweep(out.path());
        assert!(half.path().exists() && own.exists());
        assert!(!folder.exists() && !file.exists() && !inner.exists());
    }

    #[test]
    fn a_folder_of_another_machine_is_swept_away_when_it_is_old_whatever_its_lock_says() {
        let out = tempfile::tempdir().unwrap();
        let [young, old] = ["a", "b"].map(|name| out.path().join(name_of("zzzzzzzz", 1, name)));
        for path in [&young, &old] {
            fs::create_dir(path).unwrap();
        }
        File::open(&old).unwrap().set_modified(SystemTime::now() - 2 * STALE).unwrap();
        sweep(out.path());
        assert!(young.exists() && !old.exists());
    }

    #[test]
    fn a_name_that_is_taken_by_a_file_or_a_link_is_left_alone() {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join("a"), "mine").unwrap();
        std::os::unix::fs::symlink("nowhere", out.path().join("a-2")).unwrap();
        let mut half = HalfFolder::create(out.path(), "a").unwrap();
        assert_eq!(half.keep(out.path(), "a").unwrap(), out.path().join("a-3"));
        assert_eq!(fs::read_to_string(out.path().join("a")).unwrap(), "mine");
    }

    #[test]
    fn what_is_left_of_one_file_is_swept_away_and_nothing_else() {
        let out = tempfile::tempdir().unwrap();
        let [a, b] =
            ["a.xml", "b.xml"].map(|name| out.path().join(name_of(&place(), u32::MAX, name)));
        for path in [&a, &b] {
            fs::write(path, "").unwrap();
        }
        sweep_of(&out.path().join("a.xml"));
        assert!(!a.exists() && b.exists());
    }

    fn written(name: &str, pid: u32, age: Duration) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name.replace("PID", &pid.to_string()));
        let file = File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        is_abandoned(&path)
    }

    #[test]
    fn half_a_file_is_abandoned_when_its_writer_is_gone_and_not_before() {
        let own = of(Path::new("a-b.json"));
        let own = own.to_str().unwrap().replace(&format!("-{}-", std::process::id()), "-PID-");
        let day = Duration::from_hours(24);
        assert!(!written(&own, std::process::id(), day), "somebody writes it");
        // No process has a greater number.
        assert!(written(&own, u32::MAX, Duration::ZERO));
        let elsewhere = format!("{HALF}zzzzzzzz-PID-a.json");
        assert!(!written(&elsewhere, u32::MAX, Duration::ZERO) && written(&elsewhere, 1, day));
        assert!(!written("a.json", 1, day), "a whole file");
    }
}
