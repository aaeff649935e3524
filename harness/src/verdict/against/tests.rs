//! Each answer against a stored run made by hand.

use report_schema::{CellResult, Host, ScenarioResult};

use super::*;
use crate::compare::tests::cell as empty_cell;
use crate::verdict::judge;
use crate::verdict::tests::{cell, trial};

const BOUND: &str = "max(producer-wait) <= 1.10 * baseline + 2 * clock-quantum";

fn stored_run(id: &str, trials: Vec<Trial>) -> SuiteResult {
    let cells = vec![CellResult { trials, ..empty_cell(id) }];
    SuiteResult {
        schema_version: 1,
        suite: String::new(),
        profile: "smoke".to_owned(),
        started_unix_ms: 0,
        wall_ms: 0,
        commit: None,
        command: vec![],
        seed: 0,
        host: Host { clock_quantum_ns: Some(10), ..Host::default() },
        verdict: Verdict::Pass,
        exit_code: 0,
        scenarios: vec![ScenarioResult {
            file: String::new(),
            name: String::new(),
            question: String::new(),
            cells,
            verdict: Verdict::Pass,
        }],
        models: vec![],
        crashes: vec![],
        comparisons: vec![],
        shard: None,
        made: None,
        parts: vec![],
        planted: None,
        interrupted: false,
        notes: vec![],
    }
}

/// The gate of a run against another; `change` may spoil what it is compared with.
fn gate(check: &str, base: Vec<Trial>, own: &[Trial], change: fn(&mut Against<'_>)) -> GateResult {
    let cell = cell(&[(check, false, 1)]);
    let result = stored_run(&cell.id, base);
    let mut against = Against { name: "nightly", result: &result, obstacle: None, gates: 1 };
    change(&mut against);
    let evidence = Evidence {
        file: "s.toml",
        cell: &cell,
        trials: own,
        clock_quantum_ns: Some(10),
        against: Some(&against),
    };
    judge(&evidence).gates.remove(2)
}

/// Near trials whose producer waited so long.
fn waits(ns: &[u64]) -> Vec<Trial> {
    ns.iter().map(|ns| wait(Placement::Near, *ns)).collect()
}

fn wait(class: Placement, ns: u64) -> Trial {
    let line_ns = if class == Placement::Far { 270 } else { 60 };
    let mut trial = trial(class, 1.0);
    trial.calibration.before_ns = Some(line_ns);
    trial.calibration.after_ns = Some(line_ns);
    trial.roles[0].longest_wait_ns = Some(ns);
    trial
}

fn said(check: &str, base: &[u64], own: &[u64]) -> (Verdict, String) {
    let found = gate(check, waits(base), &waits(own), |_| {});
    (found.verdict, found.reason)
}

#[test]
fn a_bound_that_is_missed_beyond_doubt_fails_with_all_its_evidence() {
    let found = gate(BOUND, waits(&[100; 5]), &waits(&[170; 5]), |_| {});
    let evidence = found.evidence.unwrap();
    assert_eq!(
        (found.verdict, found.value, found.bound),
        (Verdict::Performance, Some(170.0), Some(130.0))
    );
    assert_eq!((evidence.count(Side::Base), evidence.count(Side::Candidate)), (5, 5));
    assert_eq!((evidence.difference_quanta, evidence.baseline.as_str()), (Some(7.0), "nightly"));
}

#[test]
fn a_bound_that_is_kept_passes() {
    assert_eq!(said(BOUND, &[100; 5], &[129; 5]).0, Verdict::Pass);
}

#[test]
fn two_steps_of_the_clock_never_fail() {
    let bare = "max(producer-wait) <= 1.10 * baseline";
    assert_eq!(said(bare, &[60; 9], &[79; 9]).0, Verdict::Inconclusive);
    assert_eq!(said(bare, &[60; 9], &[90; 9]).0, Verdict::Performance);
}

#[test]
fn what_chance_does_as_well_is_inconclusive() {
    let wild = [100, 300, 100, 300, 100, 300];
    let (verdict, reason) = said(BOUND, &wild, &[300, 100, 300, 300, 100, 310]);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(reason.contains("chance"), "{reason}");
}

#[test]
fn too_few_trials_are_inconclusive_whatever_they_say_and_the_number_is_told() {
    for own in [100, 900] {
        let (verdict, reason) = said(BOUND, &[100; 4], &[own; 4]);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(reason.contains("take 5 each"), "{reason}");
    }
}

#[test]
fn many_gates_share_the_promise() {
    let found = gate(BOUND, waits(&[100; 5]), &waits(&[900; 5]), |against| against.gates = 20);
    assert_eq!(found.verdict, Verdict::Inconclusive);
}

#[test]
fn what_cannot_be_compared_is_inconclusive_and_says_why() {
    let why = |change: fn(&mut Against<'_>), base: Vec<Trial>| {
        let found = gate(BOUND, base, &waits(&[900; 9]), change);
        assert_eq!(found.verdict, Verdict::Inconclusive);
        found.reason
    };
    let moved = |against: &mut Against<'_>| against.obstacle = Some("its kernel was A".to_owned());
    assert!(why(moved, waits(&[100; 9])).contains("of another machine: its kernel was A"));
    let far = vec![wait(Placement::Far, 100); 9];
    assert!(why(|_| {}, far).contains("between cores of the same bare line"));
    let mut broken = waits(&[100; 9]);
    for trial in &mut broken {
        trial.broken.push("deadline".to_owned());
    }
    let none = "the baseline nightly has no trial that can be judged";
    assert!(why(|_| {}, broken).contains(none));
    assert!(why(|_| {}, vec![]).contains(none));
}

/// So many times as slow as the stored run, on as many near and far cores as that.
fn of_both_classes(slower: u64) -> GateResult {
    let on = |factor: u64| -> Vec<Trial> {
        let near = std::iter::repeat_n(wait(Placement::Near, 500 * factor / 100), 3);
        near.chain(std::iter::repeat_n(wait(Placement::Far, 2_000 * factor / 100), 3)).collect()
    };
    gate(BOUND, on(100), &on(slower), |_| {})
}

#[test]
fn near_and_far_count_together_each_with_its_own() {
    // Three of one class alone could never be sure enough.
    let slower = of_both_classes(140);
    assert_eq!(slower.verdict, Verdict::Performance, "{}", slower.reason);
    let evidence = slower.evidence.unwrap();
    assert_eq!((evidence.count(Side::Base), evidence.count(Side::Candidate)), (6, 6));
    assert_eq!(of_both_classes(105).verdict, Verdict::Pass);
}

#[test]
fn more_far_trials_than_before_are_no_slowness() {
    let mixed = |near: usize, far: usize| -> Vec<Trial> {
        let near = vec![wait(Placement::Near, 500); near];
        [near, vec![wait(Placement::Far, 2_000); far]].concat()
    };
    let found = gate(BOUND, mixed(9, 3), &mixed(3, 9), |_| {});
    assert_eq!(found.verdict, Verdict::Pass, "{}", found.reason);
    let evidence = found.evidence.unwrap();
    assert!((evidence.ratio - 1.0).abs() < 1e-9, "{}", evidence.ratio);
}

#[test]
fn a_trial_that_lacks_the_figure_is_never_left_out() {
    let mut own = waits(&[100; 9]);
    own[4].roles[0].longest_wait_ns = None;
    let found = gate(BOUND, waits(&[100; 9]), &own, |_| {});
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.reason.contains("no figure for max(producer-wait)"), "{}", found.reason);
}

#[test]
fn too_few_samples_on_either_side_are_said_with_their_number() {
    let timed = |samples| {
        let mut trial = trial(Placement::Near, 1.0);
        let kind = report_schema::LatencyKind::Service;
        trial.roles[0].latency = crate::run::of_samples(kind, &[(100, samples)]);
        vec![trial; 9]
    };
    let judged =
        |base, own| gate("p99(latency) <= 1.10 * baseline", timed(base), &timed(own), |_| {});
    assert_eq!(judged(1_000, 1_000).verdict, Verdict::Pass);
    for (base, own) in [(999, 1_000), (1_000, 999)] {
        let found = judged(base, own);
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert!(found.reason.ends_with("there are 999, 1000 are needed"), "{}", found.reason);
    }
}

#[test]
fn what_did_not_hold_still_or_moved_is_not_compared() {
    let mut own = waits(&[100; 9]);
    own.push(wait(Placement::Changed, 90_000));
    own.push(wait(Placement::Near, 90_000));
    own[10].warmup = Some(report_schema::WarmUp {
        ms: 10,
        steady: false,
        change: Some(0.5),
        change_max: 0.05,
        interval_ms: 1,
        intervals_ns: vec![],
    });
    let found = gate(BOUND, waits(&[100; 9]), &own, |_| {});
    assert_eq!(found.verdict, Verdict::Pass, "{}", found.reason);
    assert_eq!(found.evidence.unwrap().count(Side::Candidate), 9);
}

#[test]
fn a_cell_that_the_baseline_lacks_is_named() {
    let cell = cell(&[(BOUND, false, 1)]);
    let result = stored_run("another", waits(&[100; 9]));
    let against = Against { name: "nightly", result: &result, obstacle: None, gates: 1 };
    let trials = waits(&[100; 9]);
    let evidence = Evidence {
        file: "s.toml",
        cell: &cell,
        trials: &trials,
        clock_quantum_ns: Some(10),
        against: Some(&against),
    };
    let found = judge(&evidence).gates.remove(2);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.reason.contains("the baseline nightly has no cell"), "{}", found.reason);
}
