//! Machines made up: a quiet one, a cloud one, one that must not be believed.

use std::fs;
use std::path::Path;

use super::*;

fn signs(files: &[(&str, &str)], allowed: &[usize]) -> Signs {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Signs::read(root.path(), allowed)
}

const QUIET: [(&str, &str); 16] = [
    ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n"),
    ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1\n"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n"),
    ("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"),
    ("sys/devices/system/cpu/isolated", "2-3\n"),
    ("sys/devices/system/cpu/nohz_full", "2-3\n"),
    ("sys/bus/event_source/devices/cpu/type", "4\n"),
    ("proc/sys/kernel/perf_event_paranoid", "1\n"),
    ("proc/stat", "cpu  10 0 10 80 0 0 0 0 0 0\n"),
    ("proc/loadavg", "0.02 0.10 0.20 1/300 4711\n"),
    ("proc/self/limits", "Max locked memory  unlimited  unlimited  bytes\n"),
    ("proc/self/other", ""),
    ("sys/devices/system/cpu/smt/active", "0\n"),
];

fn quiet_host() -> Host {
    let facts = report_schema::Host {
        clock_source: Some("tsc".to_owned()),
        clock_quantum_ns: Some(1),
        clock_cost_ns: Some(20),
        shm_free_bytes: Some(4 << 30),
        ..report_schema::Host::default()
    };
    Host { cores: vec![0, 1, 2, 3], facts }
}

fn quiet_pair() -> Pair {
    let (one_way_ns, classes) = (vec![58, 60, 59], vec![Placement::Near]);
    Pair { cores: (0, 1), one_way_ns, classes, pinned: true }
}

fn grade_of(findings: &[Finding], name: &str) -> Grade {
    findings
        .iter()
        .filter(|finding| finding.name == name)
        .map(|finding| finding.grade)
        .max()
        .unwrap()
}

#[test]
fn a_quiet_machine_is_believed() {
    let findings = examine(&quiet_host(), &signs(&QUIET, &[0, 1, 2, 3]), &[quiet_pair()]);
    let doubtful: Vec<_> = findings.iter().filter(|f| f.grade > Grade::Neutral).collect();
    assert!(doubtful.is_empty(), "{doubtful:?}");
    assert_eq!(verdict(&findings).0, Grade::Good);
}

#[test]
fn each_flaw_alone_is_found_with_what_to_do() {
    type Flaw = (&'static str, Grade, fn(&mut Host, &mut Signs, &mut Vec<Pair>));
    let flaws: [Flaw; 15] = [
        ("cores", Grade::Bad, |host, _, _| host.cores = vec![0]),
        ("cores", Grade::Bad, |host, signs, _| {
            host.cores = vec![0, 1];
            signs.siblings = vec![vec![0, 1]];
        }),
        ("SMT siblings", Grade::Neutral, |_, signs, _| signs.siblings = vec![vec![0, 1]]),
        ("hypervisor", Grade::Weak, |host, _, _| host.facts.virtualised = Some("kvm".to_owned())),
        ("stolen time", Grade::Bad, |_, signs, _| signs.steal = Some(0.2)),
        ("other work", Grade::Weak, |_, signs, _| signs.load = Some(2.0)),
        ("other work", Grade::Bad, |_, signs, _| signs.load = Some(6.0)),
        ("cache line", Grade::Weak, |_, _, pairs| {
            pairs[0].classes = vec![Placement::Near, Placement::Far];
        }),
        ("cache line", Grade::Weak, |_, _, pairs| pairs[0].one_way_ns.clear()),
        ("cache line", Grade::Weak, |_, _, pairs| pairs[0].pinned = false),
        ("governor", Grade::Weak, |_, signs, _| signs.governors = ["powersave".to_owned()].into()),
        ("turbo", Grade::Weak, |_, signs, _| signs.turbo = Some(true)),
        ("clock", Grade::Bad, |host, _, _| host.facts.clock_quantum_ns = None),
        ("clock source", Grade::Weak, |host, _, _| {
            host.facts.clock_source = Some("hpet".to_owned());
        }),
        ("/dev/shm free", Grade::Bad, |host, _, _| host.facts.shm_free_bytes = Some(1 << 20)),
    ];
    for (name, grade, flaw) in flaws {
        let (mut host, mut pairs) = (quiet_host(), vec![quiet_pair()]);
        let mut signs = signs(&QUIET, &[0, 1, 2, 3]);
        flaw(&mut host, &mut signs, &mut pairs);
        let findings = examine(&host, &signs, &pairs);
        assert_eq!(grade_of(&findings, name), grade, "{name}");
        let told = findings.iter().find(|finding| finding.name == name && finding.grade == grade);
        assert!(told.is_some_and(|finding| finding.advice.is_some()), "{name}: no advice");
        let (whole, line) = verdict(&findings);
        if grade > Grade::Neutral {
            assert_eq!(whole, grade, "{name}");
            assert!(line.contains(name), "{line}");
        }
    }
}

#[test]
fn a_cloud_machine_shows_its_siblings_its_thief_and_why_it_has_no_counters() {
    let files = [
        ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1\n"),
        ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "0-1\n"),
        ("sys/devices/system/cpu/cpufreq/boost", "1\n"),
        ("proc/stat", "cpu  40 0 40 12 0 0 0 8 0 0\n"),
        ("proc/sys/kernel/perf_event_paranoid", "4\n"),
        ("proc/self/limits", "Max locked memory  65536  65536  bytes\n"),
    ];
    let signs = signs(&files, &[0, 1]);
    assert_eq!((signs.siblings.clone(), signs.turbo), (vec![vec![0, 1]], Some(true)));
    let mut host = quiet_host();
    (host.cores, host.facts.virtualised) = (vec![0, 1], Some("Some Cloud".to_owned()));
    let findings = examine(&host, &signs, &[]);
    assert_eq!(grade_of(&findings, "stolen time"), Grade::Weak);
    assert_eq!(grade_of(&findings, "memlock"), Grade::Neutral);
    let counters = findings.iter().find(|finding| finding.name == "counters").unwrap();
    assert!(counters.advice.as_ref().unwrap().starts_with("the hypervisor does not pass"));
    assert_eq!(verdict(&findings).0, Grade::Bad, "one physical core");
}

#[test]
fn a_machine_that_tells_nothing_is_no_panic_and_not_called_good() {
    let findings = examine(&Host::default(), &Signs::read(Path::new("/nowhere"), &[]), &[]);
    assert_eq!(verdict(&findings).0, Grade::Bad);
}

#[test]
fn one_who_may_take_any_priority_is_not_told_that_none_is_allowed() {
    let limits = ("proc/self/limits", "Max realtime priority  0  0  \n");
    let rtprio = |status: &str| {
        let signs = signs(&[limits, ("proc/self/status", status)], &[0, 1]);
        let findings = examine(&quiet_host(), &signs, &[]);
        findings.into_iter().find(|finding| finding.name == "rtprio").unwrap()
    };
    let allowed = rtprio("CapEff:\t0000000000800000\n");
    assert_eq!((allowed.grade, allowed.value.as_str()), (Grade::Good, "any, by CAP_SYS_NICE"));
    assert_eq!(rtprio("CapEff:\t0000000000000000\n").grade, Grade::Neutral);
}
