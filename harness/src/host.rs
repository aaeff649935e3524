//! The machine: what a plan needs to know and what a report must say.
//!
//! Everything is read from `/proc` and `/sys` below a given root, so a machine can be made up in a
//! test. What cannot be found is absent, and a note says why. What it means for figures: `health`.

mod clock;
pub mod counting;
pub mod health;
pub mod signs;
mod topology;

use std::fs;
use std::path::Path;

pub use clock::{Clock, measure as measure_clock};

/// The machine as this process sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// Cores this process may use, in the order in which roles are spread over them: one thread of
    /// each physical core first.
    pub cores: Vec<usize>,
    /// What the report says of the machine.
    pub facts: report_schema::Host,
}

impl Host {
    /// Reads the machine and measures its clock (about 2 ms).
    #[must_use]
    pub fn read() -> Self {
        let mut host = Self::read_below(Path::new("/"));
        let (allowed, note) = topology::allowed();
        host.facts.notes.extend(note);
        host.facts.cores_online = u32::try_from(allowed.len()).ok().filter(|cores| *cores > 0);
        host.cores = topology::spread(&allowed, Path::new("/"));
        let mut notes = vec![];
        host.facts.kernel = kernel();
        host.facts.hostname =
            nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        host.facts.shm_free_bytes = shm_free(&mut notes);
        if let Some(clock) = measure_clock() {
            host.facts.clock_quantum_ns = Some(clock.quantum_ns);
            host.facts.clock_cost_ns = Some(clock.cost_ns);
        } else {
            notes.push("clock: it did not move while it was measured".to_owned());
        }
        host.facts.notes.extend(notes);
        host
    }

    /// Reads the files of a machine; measures nothing and asks the kernel nothing.
    #[must_use]
    pub fn read_below(root: &Path) -> Self {
        let mut reader = Reader { root, notes: vec![] };
        let cpuinfo = reader.text("proc/cpuinfo", "processor");
        let cpuinfo = cpuinfo.as_deref().unwrap_or("");
        let cpu = root.join("sys/devices/system/cpu");
        let mut facts = report_schema::Host {
            cpu_model: value_of(cpuinfo, "model name").map(str::to_owned),
            governor: reader
                .text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "governor"),
            clock_source: reader.text(
                "sys/devices/system/clocksource/clocksource0/current_clocksource",
                "clock source",
            ),
            memory_bytes: reader.text("proc/meminfo", "memory").and_then(|text| memory(&text)),
            virtualised: virtualised(root, cpuinfo),
            mitigations: mitigations(&cpu.join("vulnerabilities")),
            ..report_schema::Host::default()
        };
        facts.notes = reader.notes;
        Self { cores: vec![], facts }
    }

    /// The machine's facts for a result file.
    #[must_use]
    pub fn report(&self) -> report_schema::Host {
        self.facts.clone()
    }
}

struct Reader<'a> {
    root: &'a Path,
    notes: Vec<String>,
}

impl Reader<'_> {
    /// A small file's text without blanks at its ends; a note where there is none.
    fn text(&mut self, path: &str, what: &str) -> Option<String> {
        match fs::read_to_string(self.root.join(path)) {
            Ok(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Ok(_) => {
                self.notes.push(format!("{what}: /{path} is empty"));
                None
            }
            Err(error) => {
                self.notes.push(format!("{what}: /{path} cannot be read ({})", error.kind()));
                None
            }
        }
    }
}

/// The first `key : value` of `/proc/cpuinfo` or `/proc/meminfo`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

fn memory(meminfo: &str) -> Option<u64> {
    let kib: u64 = value_of(meminfo, "MemTotal")?.strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Whether the processor says that it is one of a hypervisor's.
pub(crate) fn is_virtual(root: &Path) -> bool {
    let cpuinfo = fs::read_to_string(root.join("proc/cpuinfo")).unwrap_or_default();
    virtualised(root, &cpuinfo).is_some()
}

fn virtualised(root: &Path, cpuinfo: &str) -> Option<String> {
    let flags = value_of(cpuinfo, "flags").unwrap_or("");
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    let named = |path: &str| {
        let text = fs::read_to_string(root.join(path)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let name = named("sys/hypervisor/type").or_else(|| named("sys/class/dmi/id/sys_vendor"));
    Some(name.unwrap_or_else(|| "a hypervisor that does not give its name".to_owned()))
}

/// What the kernel does against flaws of the processor; unaffected ones are left out.
fn mitigations(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return vec![];
    };
    let mut all: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let state = fs::read_to_string(entry.path()).ok()?;
            let name = entry.file_name().into_string().ok()?;
            let state = state.trim();
            (state != "Not affected").then(|| format!("{name}: {state}"))
        })
        .collect();
    all.sort();
    all
}

fn kernel() -> Option<String> {
    let name = nix::sys::utsname::uname().ok()?;
    let parts = [name.sysname(), name.release(), name.machine()];
    Some(parts.map(|part| part.to_string_lossy().into_owned()).join(" "))
}

fn shm_free(notes: &mut Vec<String>) -> Option<u64> {
    match nix::sys::statvfs::statvfs("/dev/shm") {
        Ok(facts) => Some(facts.blocks_available().saturating_mul(facts.fragment_size())),
        Err(error) => {
            notes.push(format!("/dev/shm: its free space cannot be read ({error})"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Host {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Host::read_below(root.path())
    }

    #[test]
    fn facts_come_from_the_files() {
        let host = machine(&[
            ("proc/cpuinfo", "model name\t: Some CPU @ 3 GHz\nflags\t: fpu hypervisor sse\n"),
            ("proc/meminfo", "MemTotal:  1024 kB\n"),
            ("sys/class/dmi/id/sys_vendor", "Some Vendor\n"),
            ("sys/devices/system/cpu/vulnerabilities/a", "Not affected\n"),
            ("sys/devices/system/cpu/vulnerabilities/b", "Mitigation: X\n"),
        ]);
        assert_eq!(host.facts.cpu_model.as_deref(), Some("Some CPU @ 3 GHz"));
        assert_eq!(host.facts.memory_bytes, Some(1 << 20));
        assert_eq!(host.facts.virtualised.as_deref(), Some("Some Vendor"));
        assert_eq!(host.facts.mitigations, ["b: Mitigation: X"]);
    }

    #[test]
    fn what_is_missing_has_a_note() {
        let host = machine(&[("proc/meminfo", "nonsense")]);
        assert_eq!(host.facts.memory_bytes, None);
        assert_eq!(host.facts.governor, None);
        assert!(host.facts.notes.iter().any(|note| note.starts_with("governor: ")));
    }

    #[test]
    fn this_machine_has_a_core_and_a_clock() {
        let host = Host::read();
        assert!(!host.cores.is_empty());
        assert!(host.facts.clock_quantum_ns.is_some_and(|quantum| quantum > 0));
    }
}
