//! Faults that came, came not, and came not in time.

use report_schema::{FaultWindow, Verdict};

use crate::scenario::parse;
use crate::scenario::sample::STREAM;
use crate::verdict::tests::trial;
use crate::verdict::{Evidence, Judgement, judge};

fn fault(missed: Option<(&str, bool)>) -> FaultWindow {
    FaultWindow {
        name: "dies".to_owned(),
        what: "reader is killed".to_owned(),
        planned_ns: 1,
        start_ms: 0,
        end_ms: None,
        missed: missed.map(|(why, _)| why.to_owned()),
        failed: missed.is_some_and(|(_, failed)| failed),
        blocked_ns: None,
        blocked: None,
    }
}

const FAULT: &str =
    "[[fault]]\nname = \"dies\"\nat = \"10 ms\"\nrole = \"reader\"\naction = \"restart\"\n";
const ENOUGH: &str = "[[expect]]\nid = \"enough\"\ncheck = \"faults >= 2\"\n";
const LATE: Option<(&str, bool)> = Some(("the trial was over", false));
const FAILED: Option<(&str, bool)> = Some(("it did not come there again", true));

fn judged(text: &str, missed: &[Option<(&str, bool)>]) -> Judgement {
    judged_where(text, missed, false)
}

fn judged_where(text: &str, missed: &[Option<(&str, bool)>], interrupted: bool) -> Judgement {
    let cell = parse("s.toml", text, &[]).unwrap().smoke.remove(0);
    let mut trial = trial(report_schema::Placement::Near, 1.0);
    trial.faults = missed.iter().map(|missed| fault(*missed)).collect();
    trial.interrupted = interrupted;
    judge(&Evidence {
        file: "s.toml",
        cell: &cell,
        trials: &[trial],
        clock_quantum_ns: None,
        against: None,
    })
}

#[test]
fn a_fault_that_never_came_is_not_a_pass() {
    let of = |missed| judged(&format!("{STREAM}{FAULT}"), &[None, missed]);
    assert_eq!(of(None).verdict, Verdict::Pass);
    assert_eq!(of(LATE).verdict, Verdict::Inconclusive);
    let failed = of(FAILED);
    assert_eq!(failed.verdict, Verdict::Broken);
    let gate = failed.gates.iter().find(|gate| gate.id == "implied:faults").unwrap();
    assert_eq!(
        gate.reason,
        "`dies` did not come: it did not come there again (repeat 0, seed 0x0000000000000abc)"
    );
}

#[test]
fn waits_that_were_not_kept_leave_open_whether_survivors_went_on() {
    let of = |stuck: &[&str]| {
        let cell = parse("s.toml", &format!("{STREAM}{FAULT}"), &[]).unwrap().smoke.remove(0);
        let mut trial = trial(report_schema::Placement::Near, 1.0);
        trial.unwatched = vec!["2 waits of reader after faults were not kept".to_owned()];
        trial.stuck = stuck.iter().map(|what| (*what).to_owned()).collect();
        let (file, trials) = ("s.toml", &[trial]);
        let evidence =
            Evidence { file, cell: &cell, trials, clock_quantum_ns: None, against: None };
        let gates = judge(&evidence).gates;
        gates.into_iter().find(|gate| gate.id == "implied:survivors").unwrap().verdict
    };
    assert_eq!(of(&[]), Verdict::Inconclusive);
    assert_eq!(of(&["reader was blocked"]), Verdict::Correctness);
}

#[test]
fn a_fault_that_an_interrupt_left_no_time_for_accuses_nobody() {
    let cut = judged_where(&format!("{STREAM}{FAULT}"), &[None, FAILED], true);
    assert_eq!(cut.verdict, Verdict::Inconclusive);
}

#[test]
fn too_few_faults_are_inconclusive_and_no_violation() {
    let found = judged(&format!("{STREAM}{FAULT}{ENOUGH}"), &[None]);
    let gate = found.gates.iter().find(|gate| gate.id == "enough").unwrap();
    assert_eq!((found.verdict, gate.verdict), (Verdict::Inconclusive, Verdict::Inconclusive));
    assert_eq!((gate.value, gate.bound), (Some(1.0), Some(2.0)));
    assert!(gate.reason.starts_with("faults >= 2 does not hold: 1 (repeat 0"), "{}", gate.reason);
    let enough = judged(&format!("{STREAM}{FAULT}{ENOUGH}"), &[None, None]);
    assert_eq!(enough.verdict, Verdict::Pass);
}

#[test]
fn how_often_a_fault_repeats_before_a_number_of_messages_nobody_knows() {
    let counted = STREAM.replace("duration = \"1s\"", "count = 100");
    let repeated = format!("{counted}{FAULT}every = \"10 ms\"\n");
    assert_eq!(judged(&repeated, &[None, LATE, LATE]).verdict, Verdict::Pass);
    assert_eq!(judged(&repeated, &[LATE, LATE]).verdict, Verdict::Inconclusive);
    assert_eq!(judged(&repeated, &[None, FAILED]).verdict, Verdict::Broken);
    assert_eq!(judged(&format!("{counted}{FAULT}"), &[LATE]).verdict, Verdict::Inconclusive);
}
