//! Flexible zones of real blocks: written, looked into, and found out when they are wrong.

use report_schema::{SuiteResult, Verdict};

use crate::support::{code, harness, said, shipped};

/// Runs the shipped scenario, one cell of it, and returns its exit code, its words and its result.
fn run(kind: &str, more: &[&str]) -> (i32, String, SuiteResult) {
    let out = tempfile::tempdir().unwrap();
    let mut command = harness();
    command.arg("run").arg(shipped("policies/zones.toml")).arg("--out").arg(out.path());
    command.args(["--filter", &format!("kind={kind}")]).args(more);
    let output = command.output().unwrap();
    let text = std::fs::read_to_string(out.path().join("latest/result.json")).unwrap();
    let result = SuiteResult::from_json(&text).unwrap();
    (code(&output), said(&output), result)
}

#[test]
fn zones_are_written_by_one_and_seen_whole_by_all_others() {
    for kind in ["seqlock", "double"] {
        let (exit, said, result) = run(kind, &[]);
        assert_eq!(exit, 0, "{said}");
        let zones = &result.scenarios[0].cells[0].trials[0].zones;
        assert_eq!(zones.len(), 9, "three zones, three processes: {zones:?}");
        for zone in zones {
            let wrong = zone.torn + zone.backward + zone.stale + zone.unfinished;
            assert_eq!(wrong + zone.checksum_failures, 0, "{zone:?}");
            assert!(zone.writes > 0 || zone.looks > zone.busy, "{zone:?}");
        }
        let writers: Vec<_> = zones.iter().filter(|zone| zone.writes > 0).collect();
        let names = writers.iter().map(|zone| (zone.zone.as_str(), zone.role.as_str()));
        let expected = [("state", "producer"), ("gains", "producer"), ("feedback", "controller")];
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_zone_of_two_halves_and_one_that_lags_behind_are_found() {
    for (defect, kind, why) in [
        ("zone-torn", "seqlock", "showed parts of two writes"),
        ("zone-torn", "double", "showed parts of two writes"),
        ("zone-stale", "seqlock", "showed an older value than the message beside it promised"),
        ("zone-stale", "double", "showed an older value than the message beside it promised"),
    ] {
        let (exit, said, result) = run(kind, &["--plant", defect]);
        assert_eq!((exit, result.verdict), (1, Verdict::Correctness), "{defect} {kind}: {said}");
        assert!(said.contains(why), "{defect} {kind}: {said}");
        assert!(said.contains("zone state"), "{said}");
    }
}

#[test]
fn a_defect_of_zones_is_not_planted_where_there_are_none() {
    let out = tempfile::tempdir().unwrap();
    let mut command = harness();
    command.arg("run").arg(shipped("policies/single.toml")).arg("--out").arg(out.path());
    let output = command.args(["--plant", "zone-torn"]).output().unwrap();
    assert_ne!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("the producer writes no zone"), "{}", said(&output));
}
