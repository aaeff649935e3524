//! A harness that is killed at any moment of its life, from its start to its last file: nobody and nothing is
//! left of it, and the next run passes.
//!
//! `HARNESS_KILLS=200` asks for so many rounds, and then also looks at what others share: /dev/shm and /tmp.
//! `ci/killed` does that, alone on the machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use report_schema::SuiteResult;

use crate::support::{Place, code, pause, said, within};

/// Short, with a warm-up, every phase and every file of a run.
const LENGTH: &str = "duration = \"40ms\"";
/// Nothing may be there for longer, however loaded the machine is; how long it was is printed.
const LIMIT: Duration = Duration::from_secs(5);

/// Rounds, and whether nobody else is on the machine.
fn rounds() -> (u64, bool) {
    let asked = std::env::var("HARNESS_KILLS").ok().map(|text| text.parse().unwrap());
    (asked.unwrap_or(20), asked.is_some())
}

/// Numbers that a seed gives.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

/// Processes that the harness with this id has started, and those of its run that say where they work.
fn processes_of(harness: u32, out: &Path) -> BTreeSet<String> {
    let worker = format!("__worker\0{harness}\0");
    let janitor = format!("__janitor\0{}", out.display());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let ours = |id: &String| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(&worker) || line.contains(&janitor)
    };
    names.filter(ours).collect()
}

fn names(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// What is in `out` and is neither a whole result nor the link to one.
fn half_done(out: &Path) -> Vec<PathBuf> {
    let whole = |path: &PathBuf| {
        let text = fs::read_to_string(path.join("result.json")).unwrap_or_default();
        SuiteResult::from_json(&text).is_ok() && path.join("report.html").exists()
    };
    let is_latest = |path: &PathBuf| path.ends_with("latest") && path.is_symlink() && whole(path);
    names(out).into_iter().filter(|path| !is_latest(path) && !whole(path)).collect()
}

/// How often the harness was killed in which part of its life.
#[derive(Debug, Default)]
struct Met {
    alone: u64,
    working: u64,
    writing: u64,
    ended: u64,
}

/// Runs to the end; says how long that took.
fn undisturbed(place: &Place) -> Duration {
    let start = Instant::now();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    start.elapsed()
}

#[test]
fn a_harness_that_is_killed_at_any_moment_leaves_nothing_and_the_next_run_passes() {
    let place = Place::new("stream]", LENGTH);
    let (rounds, alone) = rounds();
    let seed = u64::from(std::process::id());
    let mut dice = Dice(seed);
    undisturbed(&place);
    let life = undisturbed(&place);
    let shared: Vec<&Path> = ["/dev/shm", "/tmp"].map(Path::new).into();
    let before: Vec<_> = shared.iter().map(|folder| names(folder)).collect();
    let (mut met, mut longest) = (Met::default(), Duration::ZERO);
    for round in 0..rounds {
        let mut command = place.run();
        let mut harness = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moment_us = dice.below(u64::try_from(life.as_micros()).unwrap_or(u64::MAX));
        pause(Duration::from_micros(moment_us));
        let id = harness.id();
        let busy = processes_of(id, &place.out());
        let writes = !half_done(&place.out()).is_empty();
        let ended = harness.try_wait().unwrap().is_some();
        harness.kill().unwrap();
        let start = Instant::now();
        harness.wait().unwrap();
        *match (ended, writes, busy.is_empty()) {
            (true, ..) => &mut met.ended,
            (_, true, _) => &mut met.writing,
            (_, _, false) => &mut met.working,
            _ => &mut met.alone,
        } += 1;
        let told = format!("round {round} of seed {seed}, killed after {moment_us} us");
        let gone =
            || processes_of(id, &place.out()).is_empty() && half_done(&place.out()).is_empty();
        let gone = within(LIMIT, gone);
        longest = longest.max(start.elapsed());
        let left = half_done(&place.out());
        assert!(gone, "{told}: {:?} live on, {left:?} is left", processes_of(id, &place.out()));
        for (folder, before) in shared.iter().zip(&before).filter(|_| alone) {
            let new: Vec<_> = names(folder).difference(before).cloned().collect();
            assert!(new.is_empty(), "{told}: {new:?}");
        }
    }
    println!("{rounds} kills over {life:?} (seed {seed}): {met:?}; gone after {longest:?} at most");
    assert!(met.working > 0, "no round met the workers: {met:?}");
    assert!(!alone || met.writing > 0 && met.alone > 0, "a part of its life was not met: {met:?}");
    undisturbed(&place);
}
