//! Each answer from figures made by hand.

use report_schema::{
    BlockFacts, Calibration, ConsumerSync, Counts, Dropped, Noise, Policy, Role, RoleResult,
    Verdict,
};

use super::*;
use crate::verdict::comparable;

/// What the bare line took between such cores.
fn calibrated(class: Placement) -> Calibration {
    let (before_ns, after_ns) = match class {
        Placement::Near => (Some(60), Some(58)),
        Placement::Far => (Some(270), Some(290)),
        Placement::Changed => (Some(60), Some(270)),
        Placement::Unknown => (None, None),
    };
    Calibration { before_ns, after_ns, class }
}

/// A trial whose producer waited so long.
pub(crate) fn trial(repeat: u32, started_ms: u64, class: Placement, wait_ns: f64) -> Trial {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small here")]
    let wait_ns = wait_ns as u64;
    let role = RoleResult {
        role: Role::Producer,
        index: 0,
        core: None,
        pid: 1,
        exit: "exit 0".to_owned(),
        counts: Counts::default(),
        throughput_msgs_per_s: 1e9 / wait_ns as f64,
        bytes_per_s: 1.0,
        latency: None,
        service: None,
        longest_wait_ns: Some(wait_ns),
        falls: 0,
        cpu_user_ms: 0,
        cpu_system_ms: 0,
        hardware: None,
    };
    Trial {
        repeat,
        seed: 1,
        started_ms,
        duration_ms: 100,
        calibration: calibrated(class),
        noise: Noise::default(),
        roles: vec![role],
        counts: Counts::default(),
        metrics: [].into(),
        mismatches: vec![],
        faults: vec![],
        warmup: None,
        visits: vec![],
        warmup_ms: Some(200),
        zones: vec![],
        judged: None,
        search: None,
        history: None,
        broken: vec![],
        interrupted: false,
        stuck: vec![],
        unwatched: vec![],
    }
}

pub(crate) fn cell(id: &str) -> CellResult {
    CellResult {
        id: id.to_owned(),
        axes: [].into(),
        verdict: Verdict::Pass,
        degraded: vec![],
        block: BlockFacts {
            policy: Policy::Single,
            consumer_sync: ConsumerSync::Sequential,
            slots: 1,
            physical_slots: 2,
            payload_bytes: 8,
            checksum: None,
            consumers: 1,
            total_bytes: 4096,
        },
        transport: None,
        workload: Workload::Stream,
        offered_rate_hz: None,
        trials: vec![],
        gates: vec![],
        dropped: Dropped::default(),
    }
}

pub(super) fn rules() -> Rules {
    Rules {
        alpha: statistics::ALPHA,
        ratio: RATIO,
        metrics: vec![Metric::ProducerWait],
        quantum_ns: Some(10),
        seed: 1,
        together: true,
        baseline: "A".to_owned(),
        obstacle: None,
    }
}

/// One side: its trials' figures, two repeats a block, near.
fn side(values: &[f64]) -> CellResult {
    let mut side = cell("c");
    for (repeat, value) in (0_u32..).zip(values) {
        side.trials.push(trial(repeat, u64::from(repeat), Placement::Near, *value));
    }
    side
}

fn only(base: &CellResult, candidate: &CellResult, rules: &Rules) -> CellComparison {
    compare(&[(base, candidate)], rules).remove(0)
}

#[test]
fn all_four_answers_are_given() {
    let base = side(&[500.0, 510.0, 490.0, 500.0, 505.0, 495.0, 500.0, 500.0]);
    let times = |factor: f64| {
        side(
            &base
                .trials
                .iter()
                .map(|t| t.roles[0].longest_wait_ns.unwrap_or(0) as f64 * factor)
                .collect::<Vec<_>>(),
        )
    };
    let change = |candidate: &CellResult| only(&base, candidate, &rules()).change;
    assert_eq!(change(&times(1.3)), Change::Regressed);
    assert_eq!(change(&times(0.7)), Change::Improved);
    assert_eq!(change(&times(1.01)), Change::NoDifference);
    let wild = side(&[400.0, 900.0, 300.0, 900.0, 480.0, 950.0, 310.0, 980.0]);
    assert_eq!(change(&wild), Change::Inconclusive);
}

#[test]
fn a_greater_rate_is_better() {
    let rules = Rules { metrics: vec![], ..rules() };
    let found = only(&side(&[500.0; 8]), &side(&[800.0; 8]), &rules);
    assert_eq!((found.metric.as_str(), found.change), ("throughput.messages", Change::Regressed));
    assert_eq!(found.evidence.unwrap().difference_quanta, None);
}

#[test]
fn less_than_two_steps_of_the_clock_are_never_a_change() {
    let found = only(&side(&[60.0; 12]), &side(&[79.0; 12]), &rules());
    assert_eq!(found.change, Change::NoDifference, "{}", found.reason);
    let found = only(&side(&[60.0; 12]), &side(&[81.0; 12]), &rules());
    assert_eq!(found.change, Change::Regressed, "{}", found.reason);
}

#[test]
fn too_few_repeats_are_inconclusive_and_it_is_said_how_many_would_do() {
    let found = only(&side(&[100.0; 4]), &side(&[900.0; 4]), &rules());
    assert_eq!(found.change, Change::Inconclusive);
    assert!(found.reason.contains("take 6 each"), "{}", found.reason);
}

#[test]
fn the_more_is_asked_the_surer_it_must_be() {
    let (base, candidate) = (side(&[100.0; 6]), side(&[900.0; 6]));
    assert_eq!(only(&base, &candidate, &rules()).change, Change::Regressed);
    let found = compare(&[(&base, &candidate); 3], &rules());
    assert!(found.iter().all(|found| found.change == Change::Inconclusive));
    assert!(found[0].reason.contains("take 8 each"), "{}", found[0].reason);
}

#[test]
fn near_is_compared_with_near_and_what_is_left_out_is_counted() {
    let (base, mut candidate) = (side(&[500.0; 14]), side(&[500.0; 14]));
    candidate.trials[0].calibration = calibrated(Placement::Far);
    candidate.trials[1].calibration = calibrated(Placement::Changed);
    candidate.trials[2].broken.push("deadline".to_owned());
    for place in 0..3 {
        candidate.trials[place].roles[0].longest_wait_ns = Some(90_000);
    }
    let found = only(&base, &candidate, &rules());
    // The first block has nothing of the candidate left, so its base repeats go, too.
    assert_eq!((found.base_dropped, found.candidate_dropped), (2, 3));
    assert_eq!((found.class, found.change), (Some(Placement::Near), Change::NoDifference));
}

#[test]
fn near_and_far_count_together_and_siblings_are_not_near() {
    let (mut base, mut candidate) = (side(&[500.0; 12]), side(&[650.0; 12]));
    for side in [&mut base, &mut candidate] {
        for (number, trial) in side.trials.iter_mut().enumerate() {
            let far = number < 6;
            trial.calibration = calibrated(if far { Placement::Far } else { Placement::Near });
            let wait = trial.roles[0].longest_wait_ns.map(|ns| if far { ns * 4 } else { ns });
            trial.roles[0].longest_wait_ns = wait;
        }
    }
    // One of the base ran between two halves of one core: nobody of its block did on the other side.
    base.trials[11].calibration.before_ns = Some(26);
    base.trials[11].calibration.after_ns = Some(27);
    let found = only(&base, &candidate, &rules());
    assert_eq!((found.base_dropped, found.candidate_dropped), (1, 0));
    assert_eq!((found.class, found.change), (None, Change::Regressed), "{}", found.reason);
    let ratio = found.evidence.unwrap().ratio;
    assert!((ratio - 1.3).abs() < 1e-9, "{ratio}");
}

#[test]
fn what_is_comparable_is_counted_without_a_figure() {
    let (base, mut candidate) = (side(&[500.0; 8]), side(&[500.0; 8]));
    candidate.trials[0].calibration = calibrated(Placement::Changed);
    candidate.trials[7].broken.push("deadline".to_owned());
    for side in [&base, &candidate] {
        assert!(side.trials.iter().all(|trial| trial.roles[0].latency.is_none()));
    }
    assert_eq!(comparable(&base.trials, &candidate.trials), 6);
    assert_eq!(comparable(&base.trials, [].iter()), 0);
}

#[test]
fn classes_without_each_other_are_not_compared() {
    let (base, mut candidate) = (side(&[500.0; 8]), side(&[500.0; 8]));
    for trial in &mut candidate.trials {
        trial.calibration = calibrated(Placement::Far);
    }
    let found = only(&base, &candidate, &rules());
    assert_eq!((found.change, found.class, found.evidence), (Change::Inconclusive, None, None));
}

#[test]
fn a_missing_figure_is_inconclusive() {
    let rules = Rules { metrics: vec![Metric::Latency(Percentile::P50)], ..rules() };
    let found = only(&side(&[500.0; 8]), &side(&[500.0; 8]), &rules);
    assert_eq!((found.change, found.base_median), (Change::Inconclusive, None));
}

#[test]
fn a_whole_trial_without_the_figure_leaves_the_answer_open() {
    let (base, mut candidate) = (side(&[500.0; 8]), side(&[900.0; 8]));
    candidate.trials[3].roles[0].longest_wait_ns = None;
    let found = only(&base, &candidate, &rules());
    assert_eq!(found.change, Change::Inconclusive);
    assert!(
        found.reason.contains("whole trials without a figure for max(producer-wait): 1"),
        "{}",
        found.reason
    );
    let left_out = found.turns.iter().filter(|turn| !turn.compared).count();
    assert_eq!((found.turns.len(), left_out), (16, 1));
    // One that broke has no figure either, and is only counted.
    candidate.trials[3].broken.push("deadline".to_owned());
    assert_eq!(only(&base, &candidate, &rules()).change, Change::Regressed);
}

#[test]
fn a_percentile_of_too_few_samples_is_no_figure_to_compare() {
    let timed = |samples| {
        let mut side = side(&[500.0; 8]);
        for trial in &mut side.trials {
            let kind = report_schema::LatencyKind::Service;
            trial.roles[0].latency = crate::run::of_samples(kind, &[(100, samples)]);
        }
        side
    };
    let rules = Rules { metrics: vec![Metric::Latency(Percentile::P99)], ..rules() };
    let compared = |samples| only(&timed(1_000), &timed(samples), &rules);
    assert_eq!(compared(1_000).change, Change::NoDifference);
    let few = compared(240);
    assert_eq!((few.change, few.candidate_median), (Change::Inconclusive, None));
    let told = "whole trials without a figure for p99(latency): 8 (too few samples for p99(latency): there \
                are 240, 1000 are needed)";
    assert_eq!(few.reason, told);
}

#[test]
fn another_machine_is_inconclusive_whatever_the_figures_say() {
    let rules = Rules { obstacle: Some("its kernel was A and is B".to_owned()), ..rules() };
    let found = only(&side(&[500.0; 8]), &side(&[900.0; 8]), &rules);
    assert_eq!(found.change, Change::Inconclusive);
    assert!(found.reason.contains("its kernel was A"), "{}", found.reason);
}

#[test]
fn cells_of_one_side_alone_are_named() {
    let scenario = |ids: &[&str]| ScenarioResult {
        file: String::new(),
        name: String::new(),
        question: String::new(),
        cells: ids.iter().map(|id| cell(id)).collect(),
        verdict: Verdict::Pass,
    };
    let (base, candidate) = ([scenario(&["a", "b"])], [scenario(&["b", "c"])]);
    let (both, alone) = pairs(&base, &candidate);
    assert_eq!((both.len(), both[0].0.id.as_str()), (1, "b"));
    assert_eq!(alone, ["a is in the base only", "c is in the candidate only"]);
}
