//! Why the processor's counters count nothing here, in words: for the doctor and for results alike.
//!
//! Pure, but for [`Means::read`]: what the kernel refused and what its files say, in; a sentence out.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;

/// Above this level of `perf_event_paranoid`, nobody without privileges may count.
const PARANOID_MAX: i64 = 2;

/// What a machine offers for counting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Means {
    /// Whether the processor's counters can be seen.
    pub pmu: bool,
    /// Who may use them.
    pub paranoid: Option<i64>,
}

impl Means {
    /// Reads the files of a machine.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let level = fs::read_to_string(root.join("proc/sys/kernel/perf_event_paranoid")).ok();
        Self {
            pmu: ["cpu", "cpu_core", "armv8_pmuv3_0"]
                .iter()
                .any(|name| root.join("sys/bus/event_source/devices").join(name).exists()),
            paranoid: level.and_then(|level| level.trim().parse().ok()),
        }
    }

    /// The level that forbids counting, if it does.
    #[must_use]
    pub fn forbidding(self) -> Option<i64> {
        self.paranoid.filter(|level| *level > PARANOID_MAX)
    }

    /// Why the kernel refused a counter of the processor.
    #[must_use]
    pub fn refusal(self, error: &io::Error, virtualised: bool) -> String {
        let number = error.raw_os_error().map(Errno::from_raw);
        match number {
            // Whether one may is asked before whether there is anything to count with.
            Some(Errno::EACCES | Errno::EPERM) if self.pmu => self.forbidden(),
            Some(Errno::EACCES | Errno::EPERM) => absent(virtualised).to_owned(),
            Some(Errno::ENOENT | Errno::ENODEV | Errno::EOPNOTSUPP) => {
                absent(virtualised).to_owned()
            }
            Some(Errno::ENOSYS) => "this kernel was built without counters".to_owned(),
            Some(Errno::EBUSY) => "somebody else has the processor's counters".to_owned(),
            _ => format!("the kernel refuses to count: {error}"),
        }
    }

    fn forbidden(self) -> String {
        match self.forbidding() {
            Some(level) => format!("{}: {PERMIT}", not_permitted(level)),
            None => {
                "not permitted, though perf_event_paranoid would allow it: a container's filter \
                     must let `perf_event_open` through"
                    .to_owned()
            }
        }
    }
}

/// What to do where counting is forbidden.
pub(super) const PERMIT: &str = "`sysctl kernel.perf_event_paranoid=2` lets this user count";

/// What forbids counting.
pub(super) fn not_permitted(level: i64) -> String {
    format!("forbidden (perf_event_paranoid is {level})")
}

/// Why there is nothing to count with.
pub(super) const fn absent(virtualised: bool) -> &'static str {
    if virtualised {
        "the hypervisor does not pass the processor's counters on"
    } else {
        "this kernel shows no processor counters"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(number: Errno, pmu: bool, paranoid: Option<i64>, virtualised: bool) -> String {
        let error = io::Error::from_raw_os_error(number as i32);
        Means { pmu, paranoid }.refusal(&error, virtualised)
    }

    #[test]
    fn a_machine_without_counters_says_whether_a_hypervisor_keeps_them() {
        for number in [Errno::ENOENT, Errno::ENODEV, Errno::EOPNOTSUPP] {
            let words = refused(number, false, Some(2), true);
            assert_eq!(words, "the hypervisor does not pass the processor's counters on");
            let words = refused(number, false, Some(2), false);
            assert_eq!(words, "this kernel shows no processor counters");
        }
    }

    #[test]
    fn who_may_not_count_is_told_what_to_set() {
        for number in [Errno::EACCES, Errno::EPERM] {
            let words = refused(number, true, Some(4), false);
            assert!(words.starts_with("forbidden (perf_event_paranoid is 4): `sysctl"), "{words}");
            let words = refused(number, true, Some(2), false);
            assert!(words.contains("a container's filter"), "{words}");
            let words = refused(number, true, None, false);
            assert!(words.contains("a container's filter"), "{words}");
        }
    }

    #[test]
    fn nobody_is_sent_for_a_permission_that_would_give_nothing() {
        let words = refused(Errno::EACCES, false, Some(4), true);
        assert_eq!(words, absent(true));
    }

    #[test]
    fn any_other_refusal_is_told_as_the_kernel_says_it() {
        assert!(refused(Errno::EMFILE, true, None, false).contains("open files"));
        assert!(refused(Errno::ENOSYS, false, None, false).contains("built without"));
        assert!(refused(Errno::EBUSY, true, None, false).contains("somebody else"));
        let error = io::Error::new(io::ErrorKind::Unsupported, "options of a later kernel");
        let words = Means::default().refusal(&error, false);
        assert_eq!(words, "the kernel refuses to count: options of a later kernel");
    }

    #[test]
    fn the_level_that_forbids_is_the_third() {
        let forbidding = |level| Means { pmu: true, paranoid: level }.forbidding();
        assert_eq!([Some(2), Some(3), Some(-1), None].map(forbidding), [None, Some(3), None, None]);
    }
}
