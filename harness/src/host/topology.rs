//! Which cores there are and in which order roles are spread over them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// The cores this process may use, ascending; or none, and why.
pub(super) fn allowed() -> (Vec<usize>, Option<String>) {
    match sched_getaffinity(Pid::from_raw(0)) {
        Ok(set) => {
            let cores = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false));
            (cores.collect(), None)
        }
        Err(error) => (vec![], Some(format!("cores: the affinity cannot be read ({error})"))),
    }
}

/// One thread of each physical core first, then their siblings; ascending within each.
pub(super) fn spread(allowed: &[usize], root: &Path) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let (mut first, mut rest) = (vec![], vec![]);
    for core in allowed {
        let path = format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        let siblings = fs::read_to_string(root.join(path)).unwrap_or_else(|_| core.to_string());
        if seen.insert(siblings.trim().to_owned()) {
            first.push(*core);
        } else {
            rest.push(*core);
        }
    }
    first.extend(rest);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_come_last() {
        let root = tempfile::tempdir().unwrap();
        for (core, siblings) in [(0, "0-1"), (1, "0-1"), (2, "2-3"), (3, "2-3")] {
            let folder = root.path().join(format!("sys/devices/system/cpu/cpu{core}/topology"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("thread_siblings_list"), siblings).unwrap();
        }
        assert_eq!(spread(&[0, 1, 2, 3], root.path()), [0, 2, 1, 3]);
    }

    #[test]
    fn without_a_topology_the_order_is_kept() {
        assert_eq!(spread(&[3, 5], Path::new("/nowhere")), [3, 5]);
    }
}
