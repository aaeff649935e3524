//! What a file is called until it is whole, and whether somebody is still writing it.
//!
//! Several runs may share one folder, also from several machines or containers: a name tells where
//! its writer runs and which process it is, so no two write one file and nobody's is swept away.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

/// How each such name begins.
const HALF: &str = ".half-";
/// Of a writer whose processes cannot be seen from here, what is older than this is nobody's.
const STALE: Duration = Duration::from_hours(1);

/// The name under which this process writes a file.
pub(super) fn of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{HALF}{:08x}-{}-{name}", place(), std::process::id()))
}

/// Whether a name is that of half a file.
pub(super) fn is_half(name: &str) -> bool {
    name.starts_with(HALF)
}

/// Whether this is half a file whose writer is gone.
pub(super) fn is_abandoned(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(rest) = name.strip_prefix(HALF) else { return false };
    let mut words = rest.splitn(3, '-');
    let written = (words.next(), words.next().and_then(|pid| pid.parse::<u32>().ok()));
    match written {
        (Some(place), Some(pid)) if place == format!("{:08x}", self::place()) => {
            !Path::new(&format!("/proc/{pid}")).exists()
        }
        // Another machine's, or another name altogether.
        _ => is_stale(path),
    }
}

fn is_stale(path: &Path) -> bool {
    let written = fs::symlink_metadata(path).and_then(|facts| facts.modified());
    let age = written.map(|moment| SystemTime::now().duration_since(moment).unwrap_or_default());
    age.is_ok_and(|age| age > STALE)
}

/// The machine and the space of process ids, in few digits.
fn place() -> u32 {
    let machine = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digest = xxh3_64(format!("{machine}{name}{}", space.display()).as_bytes());
    u32::try_from(digest >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, pid: u32, age: Duration) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name.replace("PID", &pid.to_string()));
        let file = fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        is_abandoned(&path)
    }

    #[test]
    fn half_a_file_is_abandoned_when_its_writer_is_gone_and_not_before() {
        let own = of(Path::new("a-b.json"));
        let own = own.to_str().unwrap().replace(&std::process::id().to_string(), "PID");
        let day = Duration::from_hours(24);
        assert!(!written(&own, std::process::id(), day), "somebody writes it");
        // No process has a greater number.
        assert!(written(&own, u32::MAX, Duration::ZERO));
        let elsewhere = format!("{HALF}zzzzzzzz-PID-a.json");
        assert!(!written(&elsewhere, u32::MAX, Duration::ZERO) && written(&elsewhere, 1, day));
        assert!(!written("a.json", 1, day), "a whole file");
    }
}
