//! What facts about a machine mean for figures taken on it, and what to do.
//!
//! Pure: facts in, findings out. A finding is good, weakens figures, or forbids believing them.

use report_schema::Placement;

use super::Host;
use super::counting;
use super::signs::{Limit, Signs};
use crate::units::{Bytes, Nanos};

/// What a fact means for figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing; figures are as good as without it.
    Neutral,
    /// Figures are weaker for it.
    Weak,
    /// Figures mean nothing.
    Bad,
}

impl Grade {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Neutral => "neutral",
            Self::Weak => "weak",
            Self::Bad => "bad",
        }
    }
}

/// One fact, what it means, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub value: String,
    /// What it means, in one word.
    pub grade: Grade,
    /// What it means and what to do; absent where all is well.
    pub advice: Option<String>,
}

/// The bare cache line between two cores, measured several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The two cores.
    pub cores: (usize, usize),
    /// One way, each time; those without an answer are left out.
    pub one_way_ns: Vec<u64>,
    /// Where they were each time, each place once.
    pub classes: Vec<Placement>,
    /// Whether both ends ran where they were told to.
    pub pinned: bool,
}

/// Every finding, in the order in which one asks.
#[must_use]
pub fn examine(host: &Host, signs: &Signs, pairs: &[Pair]) -> Vec<Finding> {
    let mut all = vec![cores(host, signs), siblings(signs), hypervisor(host)];
    all.extend([steal(signs), load(host, signs)]);
    all.extend(pairs.iter().map(pair));
    all.extend([governor(signs), turbo(signs), clock_source(host), clock(host)]);
    all.extend([isolation(signs), shared_memory(host), counters(host, signs), mitigations(host)]);
    all.extend(limits(signs));
    all
}

/// Whether to believe this machine's figures, in one line.
#[must_use]
pub fn verdict(findings: &[Finding]) -> (Grade, String) {
    let names = |grade: Grade| -> Vec<&str> {
        let of_grade = findings.iter().filter(|finding| finding.grade == grade);
        let mut names: Vec<&str> = of_grade.map(|finding| finding.name).collect();
        names.dedup();
        names
    };
    let (bad, weak) = (names(Grade::Bad), names(Grade::Weak));
    if !bad.is_empty() {
        return (Grade::Bad, format!("do not believe figures of this machine: {}", bad.join(", ")));
    }
    if !weak.is_empty() {
        let weak = weak.join(", ");
        return (Grade::Weak, format!("believe ratios of one run, not single figures: {weak}"));
    }
    (Grade::Good, "figures of this machine can be believed".to_owned())
}

fn finding(
    name: &'static str,
    value: impl Into<String>,
    grade: Grade,
    advice: impl Into<String>,
) -> Finding {
    let advice = Some(advice.into()).filter(|text| !text.is_empty());
    Finding { name, value: value.into(), grade, advice }
}

fn numbers(cores: &[usize]) -> String {
    cores.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

fn cores(host: &Host, signs: &Signs) -> Finding {
    let count = host.cores.len();
    let value = format!("{count} ({})", numbers(&host.cores));
    let real = count.saturating_sub(signs.siblings.iter().map(|group| group.len() - 1).sum());
    let (grade, advice) = match real {
        0 | 1 => {
            (Grade::Bad, "producer and consumer share one core: give it at least two".to_owned())
        }
        2 | 3 => {
            let text = format!("fan-out beyond {real} processes shares cores: more cores help");
            (Grade::Neutral, text)
        }
        _ => (Grade::Good, String::new()),
    };
    finding("cores", value, grade, advice)
}

fn siblings(signs: &Signs) -> Finding {
    if signs.siblings.is_empty() {
        return finding("SMT siblings", "none among the allowed cores", Grade::Good, "");
    }
    let groups = signs.siblings.iter().map(|group| format!("({})", numbers(group)));
    let advice = "threads of one core slow each other down: pins are spread over physical cores first; for steady figures \
                  turn SMT off (`echo off > /sys/devices/system/cpu/smt/control`)";
    finding("SMT siblings", groups.collect::<Vec<_>>().join(" "), Grade::Neutral, advice)
}

fn hypervisor(host: &Host) -> Finding {
    match &host.facts.virtualised {
        None => finding("hypervisor", "none seen", Grade::Good, ""),
        Some(name) => finding(
            "hypervisor",
            name,
            Grade::Weak,
            "tails belong to the machine below as much as to the block: compare medians of interleaved repeats, or use bare \
             metal",
        ),
    }
}

fn steal(signs: &Signs) -> Finding {
    let Some(steal) = signs.steal else {
        return finding("stolen time", "unknown", Grade::Neutral, "/proc/stat does not say it");
    };
    let value = format!("{:.2} % since boot", steal * 100.0);
    let advice = "the hypervisor gives these cores to others: ask for cores of your own";
    match steal {
        ..0.005 => finding("stolen time", value, Grade::Good, ""),
        0.005..0.1 => finding("stolen time", value, Grade::Weak, advice),
        _ => finding("stolen time", value, Grade::Bad, advice),
    }
}

fn load(host: &Host, signs: &Signs) -> Finding {
    let Some(load) = signs.load else {
        return finding("other work", "unknown", Grade::Neutral, "/proc/loadavg does not say it");
    };
    let value = format!("load {load:.2} over the last minute");
    let share = load / host.cores.len().max(1) as f64;
    let advice = "something else runs here: stop it, or wait until it is over";
    match share {
        ..0.3 => finding("other work", value, Grade::Good, ""),
        0.3..1.0 => finding("other work", value, Grade::Weak, advice),
        _ => finding("other work", value, Grade::Bad, advice),
    }
}

fn pair(pair: &Pair) -> Finding {
    let (a, b) = pair.cores;
    let words: Vec<&str> = pair.classes.iter().map(|class| class.as_str()).collect();
    let (Some(least), Some(most)) = (pair.one_way_ns.iter().min(), pair.one_way_ns.iter().max())
    else {
        let advice = "the other core did not answer in time: something else runs there";
        return finding("cache line", format!("cores {a} and {b}: no answer"), Grade::Weak, advice);
    };
    let value = format!("cores {a} and {b}: {least}–{most} ns one way, {}", words.join(" and "));
    if !pair.pinned {
        let value = format!("{value}, not pinned");
        let advice = "this process may not choose its cores (sched_setaffinity is refused): these are the times of whatever \
                      cores it ran on, and trials are not pinned either";
        return finding("cache line", value, Grade::Weak, advice);
    }
    if pair.classes.len() > 1 {
        let advice = "these cores move while one measures: every trial is classed near or far, and those that moved are \
                      run again";
        return finding("cache line", value, Grade::Weak, advice);
    }
    finding("cache line", value, Grade::Good, "")
}

fn governor(signs: &Signs) -> Finding {
    let all: Vec<&str> = signs.governors.iter().map(String::as_str).collect();
    match all.as_slice() {
        [] => finding(
            "governor",
            "none seen",
            Grade::Neutral,
            "this kernel does not steer the frequency; a hypervisor or the firmware may",
        ),
        ["performance"] => finding("governor", "performance", Grade::Good, ""),
        _ => finding(
            "governor",
            all.join(", "),
            Grade::Weak,
            "the frequency follows the load, so the first trials are slower: `cpupower frequency-set -g performance`",
        ),
    }
}

fn turbo(signs: &Signs) -> Finding {
    match signs.turbo {
        None => finding("turbo", "unknown", Grade::Neutral, ""),
        Some(false) => finding("turbo", "off", Grade::Good, ""),
        Some(true) => finding(
            "turbo",
            "on",
            Grade::Weak,
            "the frequency depends on temperature and neighbours: turn it off to compare runs (`no_turbo` or `boost` below \
             /sys/devices/system/cpu)",
        ),
    }
}

fn clock_source(host: &Host) -> Finding {
    match host.facts.clock_source.as_deref() {
        Some("tsc") => finding("clock source", "tsc", Grade::Good, ""),
        Some(source @ ("kvm-clock" | "arch_sys_counter")) => {
            finding("clock source", source, Grade::Good, "")
        }
        Some(source) => finding(
            "clock source",
            source,
            Grade::Weak,
            "each reading is a system call or a device access: start the kernel with `clocksource=tsc`",
        ),
        None => finding("clock source", "unknown", Grade::Neutral, ""),
    }
}

fn clock(host: &Host) -> Finding {
    let (Some(step), Some(cost)) = (host.facts.clock_quantum_ns, host.facts.clock_cost_ns) else {
        let advice = "the clock did not move while it was measured: nothing can be timed";
        return finding("clock", "stands still", Grade::Bad, advice);
    };
    let value = format!("steps of {}, {} a reading", Nanos(step).rough(), Nanos(cost).rough());
    match step.max(cost) {
        0..=50 => finding("clock", value, Grade::Good, ""),
        51..=1_000 => finding(
            "clock",
            value,
            Grade::Weak,
            "coarse beside a hop of 65 ns: use means over batches, not percentiles",
        ),
        _ => finding("clock", value, Grade::Bad, "a hop is shorter than one step of the clock"),
    }
}

fn isolation(signs: &Signs) -> Finding {
    if signs.isolated.is_empty() {
        return finding(
            "isolated cores",
            "none",
            Grade::Neutral,
            "the scheduler may put others on the measured cores: `isolcpus=` and `nohz_full=` keep tails short",
        );
    }
    let ticks = if signs.tickless.is_empty() { ", with ticks" } else { ", without ticks" };
    finding("isolated cores", numbers(&signs.isolated) + ticks, Grade::Good, "")
}

fn shared_memory(host: &Host) -> Finding {
    let Some(free) = host.facts.shm_free_bytes else {
        let advice = "/dev/shm cannot be looked at: mount a tmpfs there";
        return finding("/dev/shm free", "unknown", Grade::Bad, advice);
    };
    let value = Bytes(free).rough();
    let advice = "make /dev/shm larger (`mount -o remount,size=1G /dev/shm`; in a container `--shm-size`): 256 MiB are wanted";
    match free >> 20 {
        0..16 => finding("/dev/shm free", value, Grade::Bad, advice),
        16..256 => finding("/dev/shm free", value, Grade::Weak, advice),
        _ => finding("/dev/shm free", value, Grade::Good, ""),
    }
}

fn counters(host: &Host, signs: &Signs) -> Finding {
    let (pmu, forbidding) = (signs.counting.pmu, signs.counting.forbidding());
    match forbidding.filter(|_| pmu) {
        Some(level) => {
            finding("counters", counting::not_permitted(level), Grade::Neutral, counting::PERMIT)
        }
        None if pmu => finding("counters", "present", Grade::Good, ""),
        None => {
            let why = counting::absent(host.facts.virtualised.is_some());
            let advice = format!("{why}: no cycles, no cache misses");
            finding("counters", "none", Grade::Neutral, advice)
        }
    }
}

fn mitigations(host: &Host) -> Finding {
    let count = host.facts.mitigations.len();
    let advice = "they make system calls dearer, not the hot path; each run records them";
    match count {
        0 => finding("mitigations", "none active", Grade::Good, ""),
        _ => finding("mitigations", format!("{count} active"), Grade::Neutral, advice),
    }
}

fn limits(signs: &Signs) -> Vec<Finding> {
    let shown = |name: &str, limit: Limit| match limit {
        None => "unlimited".to_owned(),
        Some(bytes) if name == "memlock" => Bytes(bytes).rough(),
        Some(files) if name == "nofile" => format!("{files} files"),
        Some(priority) => format!("up to priority {priority}"),
    };
    let judged = |name, limit: Option<Limit>, least: u64, advice: &str| {
        let Some(limit) = limit else { return finding(name, "unknown", Grade::Neutral, "") };
        if limit.is_none_or(|limit| limit >= least) {
            return finding(name, shown(name, limit), Grade::Good, "");
        }
        finding(name, shown(name, limit), Grade::Neutral, advice)
    };
    vec![
        judged(
            "memlock",
            signs.memlock,
            64 << 20,
            "payloads cannot be kept from being swapped: `ulimit -l unlimited`",
        ),
        judged("nofile", signs.nofile, 1_024, "many roles need many files: `ulimit -n 4096`"),
        if signs.may_schedule {
            finding("rtprio", "any, by CAP_SYS_NICE", Grade::Good, "")
        } else {
            judged("rtprio", signs.rtprio, 1, "no real-time priority is allowed; none is needed")
        },
    ]
}

#[cfg(test)]
mod tests;
