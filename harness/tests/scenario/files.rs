//! The scenarios that ship.

use std::path::{Path, PathBuf};

use harness::host::Host;
use harness::plan::{Options, plan};
use harness::scenario::model::Wait;
use harness::scenario::model::fault::Target;
use harness::scenario::{File, Profile, Scenario, find, open};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name)
}

fn all(name: &str) -> Vec<(PathBuf, Scenario)> {
    let load = |path: PathBuf| match open(&path, &[]) {
        Ok(File::Scenario(scenario)) => Some((path, *scenario)),
        Ok(File::Kills(_)) => None,
        Err(error) => panic!("{}", error.render(false, 100)),
    };
    find(&[folder(name)]).unwrap().into_iter().filter_map(load).collect()
}

fn two_cores() -> Host {
    let mut host = Host { cores: vec![0, 1], ..Host::default() };
    host.facts.shm_free_bytes = Some(1 << 30);
    host
}

#[test]
fn every_file_is_right_and_asks_its_question_in_the_first_line() {
    let all = all("");
    assert!(all.len() >= 20, "only {} scenarios were found", all.len());
    for (path, scenario) in &all {
        let text = std::fs::read_to_string(path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(first, format!("# {}", scenario.question), "{}", path.display());
    }
}

#[test]
fn every_name_is_its_path_and_so_unique() {
    for (path, scenario) in all("") {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let group = path.parent().and_then(Path::file_name).unwrap().to_string_lossy();
        assert_eq!(scenario.name, format!("{group}-{stem}"), "{}", path.display());
    }
}

#[test]
fn the_groups_cover_every_policy_and_workload() {
    let cells: Vec<_> = all("").into_iter().flat_map(|(_, scenario)| scenario.smoke).collect();
    for word in ["single", "double-buffer", "ring-buffer"] {
        assert!(cells.iter().any(|cell| cell.block.policy.name() == word), "{word}");
    }
    for word in ["latest-only", "sequential", "sequential-sync"] {
        assert!(cells.iter().any(|cell| cell.block.consumer_sync.name() == word), "{word}");
    }
    for word in ["ping-pong", "stream", "open"] {
        let smoke = all("smoke");
        let has = |s: &Scenario| s.smoke.iter().any(|cell| cell.workload.name() == word);
        assert!(smoke.iter().any(|(_, scenario)| has(scenario)), "{word}");
    }
    assert!(cells.iter().any(|cell| cell.producer.abort_every.is_some()));
    assert!(cells.iter().any(|cell| cell.block.notify));
    for word in ["seqlock", "double"] {
        let mut zones = cells.iter().flat_map(|cell| &cell.block.zones);
        assert!(zones.any(|zone| zone.kind.name() == word), "{word}");
    }
    for word in ["burst", "search"] {
        assert!(cells.iter().any(|cell| cell.workload.name() == word), "{word}");
    }
    assert!(cells.iter().flat_map(|cell| &cell.consumers).any(|group| group.stay.is_some()));
}

#[test]
fn both_ends_are_killed_while_others_sleep() {
    let cells = || all("faults").into_iter().flat_map(|(_, scenario)| scenario.smoke);
    let asleep = |cell: &harness::scenario::model::Cell| {
        let waits = cell.consumers.iter().map(|group| group.wait);
        cell.block.notify && waits.chain([cell.producer.wait]).all(|wait| wait == Wait::Park)
    };
    let dies = |producer: bool| {
        cells().filter(asleep).any(|cell| {
            let mut faults = cell.faults.iter();
            faults
                .any(|fault| fault.action.kills() && (fault.target == Target::Producer) == producer)
        })
    };
    assert!(dies(true) && dies(false));
}

#[test]
fn smoke_takes_seconds() {
    let options = Options { profile: Profile::Smoke, ..Options::default() };
    let seconds = |name: &str| -> Vec<f64> {
        let plans = all(name).into_iter().map(|(_, s)| plan(&s, &two_cores(), &options).unwrap());
        plans.map(|plan| plan.estimate.0 as f64 / 1e9).collect()
    };
    assert!(seconds("").iter().all(|time| *time < 6.0), "{:?}", seconds(""));
    assert!(seconds("smoke").iter().sum::<f64>() < 20.0);
    assert!(seconds("").iter().sum::<f64>() < 75.0);
}

#[test]
fn every_profile_of_every_file_fits_into_a_small_machine() {
    for (_, scenario) in all("") {
        for profile in Profile::ALL {
            let options = Options { profile, ..Options::default() };
            assert!(plan(&scenario, &two_cores(), &options).is_ok(), "{}", scenario.name);
        }
    }
}
