//! Each verdict from figures made by hand.

use report_schema::{Calibration, Counts, Latency, LatencyKind, Noise, Role, RoleResult, Trial};

use super::*;
use crate::gate::parse as check;
use crate::run::of_samples;
use crate::scenario::parse;
use crate::scenario::sample::STREAM;

pub(super) fn cell(checks: &[(&str, bool, u32)]) -> Cell {
    let mut cell = parse("s.toml", STREAM, &[]).unwrap().smoke.remove(0);
    cell.expectations = checks
        .iter()
        .map(|(text, near_only, min_trials)| Expectation {
            id: (*text).to_owned(),
            check: check(text).unwrap(),
            near_only: *near_only,
            min_trials: *min_trials,
            implied: false,
            line: 7,
        })
        .collect();
    cell
}

/// A trial whose producer made so many messages a second.
pub(super) fn trial(class: Placement, rate: f64) -> Trial {
    let role = RoleResult {
        role: Role::Producer,
        index: 0,
        core: None,
        pid: 1,
        exit: "exit 0".to_owned(),
        counts: Counts::default(),
        throughput_msgs_per_s: rate,
        bytes_per_s: rate * 8.0,
        latency: None,
        service: None,
        longest_wait_ns: None,
        falls: 0,
        cpu_user_ms: 0,
        cpu_system_ms: 0,
        hardware: None,
    };
    Trial {
        repeat: 0,
        seed: 0xABC,
        started_ms: 0,
        duration_ms: 1_000,
        calibration: Calibration { before_ns: Some(60), after_ns: Some(60), class },
        noise: Noise::default(),
        roles: vec![role],
        counts: Counts { committed: 10, delivered: 10, ..Counts::default() },
        metrics: [].into(),
        mismatches: vec![],
        faults: vec![],
        broken: vec![],
        interrupted: false,
        stuck: vec![],
        unwatched: vec![],
        warmup: None,
        visits: vec![],
        warmup_ms: Some(200),
        zones: vec![],
        judged: None,
        search: None,
        history: None,
    }
}

/// A trial whose bare line took so long.
fn line(ns: u64) -> Trial {
    let mut trial = trial(Placement::Near, 1.0);
    trial.calibration.after_ns = Some(ns);
    trial
}

fn judged(checks: &[(&str, bool, u32)], trials: &[Trial]) -> Judgement {
    let cell = cell(checks);
    judge(&Evidence {
        file: "s.toml",
        cell: &cell,
        trials,
        clock_quantum_ns: Some(10),
        against: None,
    })
}

/// The verdict of the only expectation.
fn verdict(text: &str, trials: &[Trial]) -> Verdict {
    judged(&[(text, false, 1)], trials).gates[2].verdict
}

fn with(change: impl FnOnce(&mut Trial)) -> Trial {
    let mut trial = trial(Placement::Near, 100.0);
    change(&mut trial);
    trial
}

/// What the rule about the load says, and the cell with it.
fn offered(checks: &[(&str, bool, u32)], rates: &[f64]) -> (Option<Verdict>, Option<String>) {
    let mut cell = cell(checks);
    let arrival = crate::scenario::model::Arrival::Uniform;
    let rate = crate::units::Hertz(1_000);
    cell.workload = crate::scenario::model::Workload::Open { rate, arrival };
    let trials: Vec<Trial> = rates.iter().map(|rate| trial(Placement::Near, *rate)).collect();
    let file = "s.toml";
    let evidence =
        Evidence { file, cell: &cell, trials: &trials, clock_quantum_ns: None, against: None };
    let gates = judge(&evidence).gates;
    assert_eq!(rules(&cell).len(), gates.iter().filter(|gate| gate.line.is_none()).count());
    let gate = gates.into_iter().find(|gate| gate.id == "implied:offered");
    (gate.map(|gate| gate.verdict), less_than_offered(&cell, &trials))
}

#[test]
fn figures_of_a_load_that_was_never_offered_are_no_answer() {
    let fast = [("throughput.messages >= 1 /s", false, 1)];
    assert_eq!(offered(&fast, &[999.0, 1_000.0]).0, Some(Verdict::Pass));
    let (verdict, why) = offered(&fast, &[640.0, 700.0, 999.0]);
    assert_eq!(verdict, Some(Verdict::Inconclusive));
    assert!(why.unwrap().contains("achieved 640 (64 %)"));
    // One late trial of many is noise.
    assert_eq!(offered(&fast, &[640.0, 999.0, 999.0]).0, Some(Verdict::Pass));
    assert_eq!(offered(&fast, &[640.0, 999.0]).0, Some(Verdict::Inconclusive), "half is not most");
    // That nothing was lost does not hang on the rate; it is said aloud.
    let (verdict, why) = offered(&[("lost == 0", false, 1)], &[640.0]);
    assert!(verdict.is_none() && why.is_some());
}

#[test]
fn one_violation_in_one_trial_is_enough_also_in_a_dropped_one() {
    let torn = with(|trial| {
        trial.counts.torn = 3;
        trial.calibration.class = Placement::Changed;
    });
    let found = judged(&[("torn == 0", false, 1)], &[trial(Placement::Near, 1.0), torn]);
    let gate = &found.gates[2];
    assert_eq!((found.verdict, gate.value, gate.line), (Verdict::Correctness, Some(3.0), Some(7)));
    let reason = "torn == 0 does not hold: 3 (repeat 0, seed 0x0000000000000abc)";
    assert_eq!((gate.file.as_str(), gate.reason.as_str()), ("s.toml", reason));
    assert_eq!(found.dropped.trials, 1);
}

#[test]
fn no_trial_is_never_a_pass() {
    let found = judged(&[("torn == 0", false, 1), ("throughput.messages > 1 /s", false, 1)], &[]);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.gates.iter().all(|gate| gate.verdict == Verdict::Inconclusive));
}

#[test]
fn a_missing_figure_is_never_a_pass() {
    let near = [trial(Placement::Near, 100.0)];
    assert_eq!(verdict("p99(latency) <= 1 s", &near), Verdict::Inconclusive);
    assert_eq!(
        verdict("throughput.messages > 1 /s", &[trial(Placement::Near, 0.0)]),
        Verdict::Inconclusive
    );
}

/// The gate about a trial with so many latencies and as many faults that blocked somebody.
fn with_samples(text: &str, samples: u64) -> GateResult {
    let trial = with(|trial| {
        trial.roles[0].latency = of_samples(LatencyKind::Service, &[(100, samples)]);
        let fault = report_schema::FaultWindow {
            name: "dies".to_owned(),
            what: String::new(),
            planned_ns: 0,
            start_ms: 0,
            end_ms: None,
            missed: None,
            failed: false,
            blocked_ns: Some(100),
            blocked: None,
        };
        trial.faults = (0..samples).map(|_| fault.clone()).collect();
    });
    judged(&[(text, false, 1)], &[trial]).gates.remove(2)
}

#[test]
fn a_percentile_beyond_which_hardly_a_sample_lies_is_never_a_figure() {
    for (part, needed) in [("p50", 20), ("p99", 1_000), ("p99.9", 10_000), ("max", 1)] {
        let check = format!("{part}(latency) <= 1 s");
        let found = with_samples(&check, needed);
        assert_eq!(found.verdict, Verdict::Pass, "{check}: {}", found.reason);
        let few = with_samples(&check, needed - 1);
        assert_eq!((few.verdict, few.value), (Verdict::Inconclusive, None), "{check}");
        let told = format!("there are {}, {needed} are needed", needed - 1);
        assert!(part == "max" || few.reason.ends_with(&told), "{}", few.reason);
    }
    let blocked = with_samples("p99(blocked) <= 5 ms", 22);
    assert_eq!(blocked.verdict, Verdict::Inconclusive);
    let told = "too few samples for p99(blocked): there are 22, 1000 are needed";
    assert_eq!(blocked.reason, told);
    assert_eq!(with_samples("max(blocked) <= 5 ms", 22).verdict, Verdict::Pass);
    // A bound that is made of such a figure is none either.
    let bound = with_samples("max(latency) <= 9 * p99(latency)", 22);
    assert_eq!(bound.verdict, Verdict::Inconclusive, "{}", bound.reason);
}

#[test]
fn a_histogram_that_cannot_be_read_is_a_missing_figure() {
    let spoiled = with(|trial| {
        trial.roles[0].latency = Some(Latency {
            kind: LatencyKind::Service,
            n: 1,
            min_ns: 1,
            p50_ns: 1,
            p90_ns: 1,
            p99_ns: 1,
            p99_9_ns: 1,
            p99_99_ns: 1,
            max_ns: 1,
            mean_ns: 1.0,
            histogram: "nonsense".to_owned(),
            intervals: vec![],
        });
    });
    assert_eq!(verdict("p99(latency) <= 1 s", &[spoiled]), Verdict::Inconclusive);
}

#[test]
fn a_broken_trial_is_broken_unless_it_is_also_wrong() {
    let broken = with(|trial| trial.broken.push("reader ended with signal 9".to_owned()));
    let found = judged(&[("torn == 0", false, 1)], std::slice::from_ref(&broken));
    assert_eq!(found.verdict, Verdict::Broken);
    assert!(found.gates[0].reason.starts_with("reader ended with signal 9 (repeat 0"));
    let wrong = with(|trial| {
        trial.broken.push("gave up".to_owned());
        trial.counts.torn = 1;
    });
    assert_eq!(judged(&[("torn == 0", false, 1)], &[wrong]).verdict, Verdict::Correctness);
}

#[test]
fn a_broken_trial_that_shows_too_little_is_not_wrong() {
    let nothing = with(|trial| {
        trial.broken.push("reader ended with signal 9".to_owned());
        trial.counts.delivered = 0;
    });
    assert_eq!(verdict("delivered >= 100", std::slice::from_ref(&nothing)), Verdict::Broken);
    let whole = with(|trial| trial.counts.delivered = 0);
    assert_eq!(verdict("delivered >= 100", &[nothing, whole]), Verdict::Correctness);
}

#[test]
fn metrics_that_disagree_are_a_correctness_failure() {
    let found = judged(&[], &[with(|r| r.mismatches.push("they differ".to_owned()))]);
    assert_eq!(
        (found.verdict, found.gates[1].verdict),
        (Verdict::Correctness, Verdict::Correctness)
    );
}

#[test]
fn only_trials_of_one_class_are_compared() {
    let trials = [
        trial(Placement::Near, 100.0),
        trial(Placement::Near, 110.0),
        trial(Placement::Far, 5.0),
        trial(Placement::Changed, 1.0),
    ];
    let found = judged(&[("throughput.messages >= 100 /s", false, 2)], &trials);
    assert_eq!((found.verdict, found.gates[2].value), (Verdict::Pass, Some(105.0)));
}

#[test]
fn a_trial_says_whether_gates_took_figures_from_it() {
    let mut trials = vec![
        trial(Placement::Near, 1.0),
        trial(Placement::Far, 2.0),
        trial(Placement::Far, 2.0),
        trial(Placement::Far, 9.0),
        trial(Placement::Changed, 9.0),
    ];
    trials[3].broken.push("deadline".to_owned());
    let marked = |checks: &[(&str, bool, u32)]| {
        let mut trials = trials.clone();
        mark(&cell(checks), &mut trials);
        let marks: Vec<bool> = trials.iter().map(|trial| trial.judged.unwrap()).collect();
        // What a gate says that it compared is what it marked.
        let reason = judged(checks, &trials).gates.remove(2).reason;
        let compared = marks.iter().filter(|judged| **judged).count();
        assert!(reason.contains(&format!("of {compared} trial")), "{reason}: {marks:?}");
        marks
    };
    let check = "throughput.messages <= 1 M/s";
    assert_eq!(marked(&[(check, false, 1)]), [false, true, true, false, false]);
    assert_eq!(marked(&[(check, true, 1)]), [true, false, false, false, false]);
    // One that takes what there is decides what is shown.
    let both = marked(&[(check, false, 1), ("calibration <= 1 s", true, 1)]);
    assert_eq!(both, [false, true, true, false, false]);
}

#[test]
fn a_near_gate_without_a_near_trial_is_inconclusive() {
    let far = [trial(Placement::Far, 5.0)];
    let found = judged(&[("throughput.messages >= 100 /s", true, 1)], &far);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.gates[2].reason, "none of 1 trial ran on near cores (0 broke)");
}

#[test]
fn too_few_trials_are_inconclusive_whatever_they_say() {
    for rate in [1.0, 1_000.0] {
        let found =
            judged(&[("throughput.messages >= 100 /s", false, 2)], &[trial(Placement::Near, rate)]);
        assert_eq!(found.verdict, Verdict::Inconclusive);
    }
}

#[test]
fn a_time_must_miss_its_bound_by_two_steps_of_the_clock_to_fail() {
    assert_eq!(verdict("calibration <= 100 ns", &[line(100)]), Verdict::Pass);
    assert_eq!(verdict("calibration <= 100 ns", &[line(119)]), Verdict::Inconclusive);
    assert_eq!(verdict("calibration <= 100 ns", &[line(120)]), Verdict::Performance);
}

#[test]
fn a_rate_below_its_bound_fails() {
    assert_eq!(
        verdict("throughput.messages >= 100 /s", &[trial(Placement::Near, 99.0)]),
        Verdict::Performance
    );
}

#[test]
fn a_broken_trial_is_no_evidence_of_performance() {
    let broken = with(|trial| trial.broken.push("deadline".to_owned()));
    assert_eq!(verdict("throughput.messages >= 100 /s", &[broken]), Verdict::Inconclusive);
}

#[test]
fn a_trial_that_never_held_still_is_no_evidence_of_performance() {
    let warmed = |steady| {
        with(|recorded| {
            recorded.warmup = Some(report_schema::WarmUp {
                ms: 10,
                steady,
                change: Some(0.5),
                change_max: 0.05,
                interval_ms: 1,
                intervals_ns: vec![],
            });
        })
    };
    let found = judged(&[("throughput.messages >= 100 /s", false, 1)], &[warmed(false)]);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.gates[2].reason.contains("1 never held still"), "{}", found.gates[2].reason);
    assert_eq!(verdict("throughput.messages >= 100 /s", &[warmed(true)]), Verdict::Pass);
}
