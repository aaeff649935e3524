//! What the kernel says of the machine, beyond what a result keeps: for the doctor alone.
//!
//! Read below a given root, so that a machine can be made up in a test. What is not there is absent.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::counting::Means;

/// One limit of this process; `None` is unlimited.
pub type Limit = Option<u64>;

/// Raw facts, before anybody says what they mean.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signs {
    /// Allowed cores that are threads of one physical core, each group with more than one.
    pub siblings: Vec<Vec<usize>>,
    /// The governors of the allowed cores, each once.
    pub governors: BTreeSet<String>,
    /// Whether the processor may go beyond its nominal frequency.
    pub turbo: Option<bool>,
    /// The share of processor time since boot that the hypervisor gave to others.
    pub steal: Option<f64>,
    /// Processes that wanted a core over the last minute.
    pub load: Option<f64>,
    /// Cores that the scheduler leaves alone.
    pub isolated: Vec<usize>,
    /// Cores without a tick while one process runs there.
    pub tickless: Vec<usize>,
    /// Memory that may be locked, in bytes.
    pub memlock: Option<Limit>,
    /// Files that may be open.
    pub nofile: Option<Limit>,
    /// The highest real-time priority.
    pub rtprio: Option<Limit>,
    /// Whether this process may take any priority, whatever its limits say (CAP_SYS_NICE).
    pub may_schedule: bool,
    /// What there is to count cycles and misses with.
    pub counting: Means,
}

impl Signs {
    /// Reads the files of a machine on which these cores are allowed.
    #[must_use]
    pub fn read(root: &Path, allowed: &[usize]) -> Self {
        let cpu = "sys/devices/system/cpu";
        let limits = text(root, "proc/self/limits").unwrap_or_default();
        Self {
            siblings: siblings(root, allowed),
            governors: allowed
                .iter()
                .filter_map(|core| text(root, &format!("{cpu}/cpu{core}/cpufreq/scaling_governor")))
                .collect(),
            turbo: turbo(root),
            steal: text(root, "proc/stat").and_then(|stat| steal(&stat)),
            load: text(root, "proc/loadavg").and_then(|all| all.split(' ').next()?.parse().ok()),
            isolated: list(&text(root, &format!("{cpu}/isolated")).unwrap_or_default()),
            tickless: list(&text(root, &format!("{cpu}/nohz_full")).unwrap_or_default()),
            memlock: limit(&limits, "Max locked memory"),
            nofile: limit(&limits, "Max open files"),
            rtprio: limit(&limits, "Max realtime priority"),
            may_schedule: text(root, "proc/self/status")
                .is_some_and(|status| capable(&status, CAP_SYS_NICE)),
            counting: Means::read(root),
        }
    }
}

fn text(root: &Path, path: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(path)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty() && text != "(null)")
}

/// Groups of allowed cores that share a physical one.
fn siblings(root: &Path, allowed: &[usize]) -> Vec<Vec<usize>> {
    let of_core = |core: &usize| {
        let path = format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        let mut group = list(&text(root, &path)?);
        group.retain(|core| allowed.contains(core));
        (group.len() > 1).then_some(group)
    };
    let groups: BTreeSet<Vec<usize>> = allowed.iter().filter_map(of_core).collect();
    groups.into_iter().collect()
}

fn turbo(root: &Path) -> Option<bool> {
    let flag = |path| text(root, &format!("sys/devices/system/cpu/{path}"));
    let off = flag("intel_pstate/no_turbo").map(|off| off == "0");
    off.or_else(|| flag("cpufreq/boost").map(|on| on == "1"))
}

/// The eighth figure of the line that sums up all cores, as a share of all figures.
fn steal(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // The last two, for guests, are contained in the first two.
    let figures: Vec<f64> =
        line.split_whitespace().take(8).map(|figure| figure.parse().unwrap_or(0.0)).collect();
    let all: f64 = figures.iter().sum();
    figures.get(7).filter(|_| all > 0.0).map(|stolen| stolen / all)
}

/// The soft limit of one line of `/proc/self/limits`.
fn limit(limits: &str, name: &str) -> Option<Limit> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

/// The bit of the capability to change priorities.
const CAP_SYS_NICE: u32 = 23;

/// Whether the line of effective capabilities in `/proc/self/status` has this bit.
fn capable(status: &str, bit: u32) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    set.is_some_and(|set| set >> bit & 1 == 1)
}

/// `0-2,5` as numbers; what is no number is left out.
fn list(text: &str) -> Vec<usize> {
    const MOST: usize = 4_096;
    let range = |part: &str| -> Option<std::ops::RangeInclusive<usize>> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
    };
    text.split(',').filter_map(range).flatten().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_read_and_nonsense_is_left_out() {
        assert_eq!(list("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(list("x,3,9-"), [3]);
        assert_eq!(list("0-99999999999").len(), 4_096);
        assert!(list("").is_empty());
    }

    #[test]
    fn stolen_time_is_a_share_of_all_and_guests_count_once() {
        assert_eq!(steal("cpu  60 0 20 10 0 0 0 10 60 0\ncpu0 1"), Some(0.1));
        assert_eq!(steal("cpu  0 0 0 0 0 0 0 0 0 0"), None);
        assert_eq!(steal("nothing"), None);
    }

    #[test]
    fn capabilities_are_bits_of_the_effective_set() {
        let status = |set: &str| format!("CapPrm:\t000001ffffffffff\nCapEff:\t{set}\n");
        assert!(capable(&status("0000000000800000"), CAP_SYS_NICE));
        assert!(!capable(&status("000001ffff7fffff"), CAP_SYS_NICE));
        assert!(!capable("", CAP_SYS_NICE));
    }

    #[test]
    fn limits_are_numbers_or_none_at_all() {
        let text = "Limit  Soft Limit\nMax open files            1024                 4096       files\n\
                    Max locked memory         unlimited            unlimited  bytes";
        assert_eq!(limit(text, "Max open files"), Some(Some(1024)));
        assert_eq!(limit(text, "Max locked memory"), Some(None));
        assert_eq!(limit(text, "Max realtime priority"), None);
    }
}
