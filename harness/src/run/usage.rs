//! What the machine gives and takes: a core, processor time, faults, switches, stolen time, frequency.

use std::fs;
use std::io;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::wire::{Task, Usage};

/// One tick of `/proc/stat`: the kernel's unit for user space is 100 a second everywhere.
const TICK_MS: u64 = 10;

impl Usage {
    /// What this role has used: its process, or its thread where others share the process. Zero
    /// where the kernel does not say.
    pub(super) fn of(task: &Task) -> Self {
        let thread = task.transport.joins_threads();
        Self::now(if thread { UsageWho::RUSAGE_THREAD } else { UsageWho::RUSAGE_SELF })
    }

    fn now(who: UsageWho) -> Self {
        let Ok(usage) = getrusage(who) else { return Self::default() };
        Self {
            user_ms: millis(usage.user_time()),
            system_ms: millis(usage.system_time()),
            minor_faults: count(usage.minor_page_faults()),
            major_faults: count(usage.major_page_faults()),
            voluntary_switches: count(usage.voluntary_context_switches()),
            involuntary_switches: count(usage.involuntary_context_switches()),
        }
    }

    /// What was used since `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        let less = u64::saturating_sub;
        Self {
            user_ms: less(self.user_ms, earlier.user_ms),
            system_ms: less(self.system_ms, earlier.system_ms),
            minor_faults: less(self.minor_faults, earlier.minor_faults),
            major_faults: less(self.major_faults, earlier.major_faults),
            voluntary_switches: less(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: less(self.involuntary_switches, earlier.involuntary_switches),
        }
    }
}

fn millis(time: TimeVal) -> u64 {
    u64::try_from(time.tv_sec() * 1_000 + time.tv_usec() / 1_000).unwrap_or(0)
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Pins this process; says what could not be done.
pub(super) fn pin(core: Option<usize>) -> Option<String> {
    let id = core?;
    let pinned = core_affinity::set_for_current(core_affinity::CoreId { id });
    (!pinned).then(|| format!("core {id} was refused: not pinned"))
}

/// Gives this thread a real-time priority; says what could not be done.
pub(super) fn prefer(fifo: Option<u8>) -> Option<String> {
    let priority = fifo?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let level = ThreadPriorityValue::try_from(priority).map(ThreadPriority::Crossplatform);
    let given = level.and_then(|level| {
        let own = thread_native_id();
        set_thread_priority_and_policy(own, level, policy).map_err(|error| why(&error))
    });
    let help = "give the harness CAP_SYS_NICE, or raise `ulimit -r`";
    let refused = |why| format!("fifo:{priority} was refused ({why}): no priority; {help}");
    given.err().map(refused)
}

fn why(error: &thread_priority::Error) -> String {
    match error {
        thread_priority::Error::OS(number) => io::Error::from_raw_os_error(*number).to_string(),
        other => other.to_string(),
    }
}

/// Processor time that the hypervisor has given to others, over all cores.
pub(super) fn stolen_ms() -> Option<u64> {
    stolen_in(&fs::read_to_string("/proc/stat").ok()?)
}

fn stolen_in(stat: &str) -> Option<u64> {
    let mut words = stat.lines().next()?.split_whitespace();
    if words.next() != Some("cpu") {
        return None;
    }
    // user nice system idle iowait irq softirq steal
    words.nth(7)?.parse::<u64>().ok()?.checked_mul(TICK_MS)
}

/// The frequency of a core, where the kernel tells it.
pub(super) fn frequency_khz(core: Option<usize>) -> Option<u64> {
    let core = core.unwrap_or(0);
    let path = format!("/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq");
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_time_is_the_eighth_figure() {
        let stat = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 80 9 10\n";
        assert_eq!(stolen_in(stat), Some(80));
        assert_eq!(stolen_in("cpu  1 2 3"), None);
        assert_eq!(stolen_in("intr 1 2 3 4 5 6 7 8 9"), None);
    }

    #[test]
    fn a_priority_is_given_or_refused_aloud() {
        let (told, stat) = std::thread::spawn(|| {
            let told = prefer(Some(7));
            (told, fs::read_to_string("/proc/thread-self/stat").unwrap())
        })
        .join()
        .unwrap();
        // Behind the name: state is the third field, real-time priority the 40th, policy the 41st.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split(' ').skip(37).take(2).collect();
        match told {
            None => assert_eq!(fields, ["7", "1"]),
            Some(why) => {
                assert!(why.starts_with("fifo:7 was refused (Operation not permitted"), "{why}");
                assert_eq!(fields, ["0", "0"]);
            }
        }
        assert_eq!(prefer(None), None);
    }

    #[test]
    fn usage_only_grows() {
        for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_THREAD] {
            let before = Usage::now(who);
            assert_eq!(before.since(before), Usage::default());
            assert!(Usage::now(who).minor_faults >= before.minor_faults);
        }
    }
}
