//! The worst event: whatever the verdict looks at is found there, and nothing stands above "no
//! violation" that is one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use report_schema::{
    HistoryCheck, HistoryRecord, Placement, SuiteResult, Trial, Verdict, ZoneAccount,
};
use reports::page::render;

#[path = "support/sample.rs"]
mod sample;

/// The section of the worst event.
fn worst(suite: &SuiteResult) -> String {
    let page = render(suite).unwrap();
    let (_, rest) = page.split_once("<section id=\"worst\"").unwrap();
    rest.split_once("</section>").unwrap().0.to_owned()
}

/// What is done to a trial.
type Change = Box<dyn FnOnce(&mut Trial)>;

/// A passed run with one trial changed, as a violation.
fn changed(change: impl FnOnce(&mut Trial)) -> SuiteResult {
    let mut suite = sample::many(2);
    suite.verdict = Verdict::Correctness;
    change(&mut suite.scenarios[0].cells[1].trials[2]);
    suite
}

fn history(violations: &[(&str, u64)]) -> HistoryCheck {
    HistoryCheck {
        violations: violations.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        examples: violations.iter().map(|(name, _)| format!("{name}: role 1 did so")).collect(),
        ..HistoryCheck::default()
    }
}

#[test]
fn each_source_of_a_violation_is_told_with_its_trial() {
    let zone = ZoneAccount {
        zone: "gains".to_owned(),
        role: "reader[1]".to_owned(),
        looks: 9,
        stale: 3,
        torn: 1,
        ..ZoneAccount::default()
    };
    let sources: [(&str, Change); 7] = [
        ("2 lost of", Box::new(|trial| trial.counts.lost = 2)),
        ("1 violation of G5: nobody stays blocked", {
            Box::new(|trial| trial.history = Some(history(&[("G5", 1)])))
        }),
        ("4 violations of G6", Box::new(|trial| trial.history = Some(history(&[("G6", 4)])))),
        ("2 violations of G7", Box::new(|trial| trial.history = Some(history(&[("G7", 2)])))),
        ("reader[1] found zone gains wrong: 1 torn, 3 stale.", {
            Box::new(move |trial| trial.zones = vec![zone])
        }),
        ("Reader[0] never went on.", {
            Box::new(|trial| trial.stuck = vec!["reader[0] never went on".to_owned()])
        }),
        ("The block says 3 writes.", {
            Box::new(|trial| trial.mismatches = vec!["the block says 3 writes".to_owned()])
        }),
    ];
    for (told, change) in sources {
        let section = worst(&changed(change));
        assert!(section.contains(told), "{told} in {section}");
        for text in ["The gravest violation: many/slots=1,payload-size=64B, repeat 2", "0x5eed0002"]
        {
            assert!(section.contains(text), "{told}: {text} in {section}");
        }
        assert!(!section.contains("No violation"), "{told}: {section}");
        assert!(section.contains("harness run scenarios/policies/many.toml"), "{told}: {section}");
    }
}

#[test]
fn the_graver_trial_comes_first_and_the_others_are_counted() {
    let mut suite = changed(|trial| trial.stuck = vec!["reader never went on".to_owned()]);
    suite.scenarios[0].cells[0].trials[1].counts.torn = 1;
    suite.scenarios[0].cells[0].trials[2].mismatches = vec!["no".to_owned()];
    let section = worst(&suite);
    assert!(section.contains("many/slots=0,payload-size=64B, repeat 1: 1 torn of"), "{section}");
    assert!(section.contains("Violated elsewhere, too: 2 trials."), "{section}");
}

#[test]
fn models_and_kills_that_failed_are_the_worst_event_of_a_run_without_trials() {
    let sample = sample::suite();
    let mut suite = sample::empty();
    suite.verdict = Verdict::Correctness;
    let mut model = sample.models[2].clone();
    (model.expected_failure, model.verdict) = (false, Verdict::Correctness);
    let mut row = sample.crashes[0].clone();
    (row.stuck, row.verdict) = (3, Verdict::Correctness);
    row.example = Some("reader 1 waited for ever".to_owned());
    suite.crashes = vec![sample.crashes[1].clone(), row];
    let section = worst(&suite);
    for text in [
        "killing the writer at W_COMMIT (sequential-sync, 4 slots, 2 readers): 3 stuck in 100 kills.",
        "reader 1 waited for ever",
        "harness crash --only writer/W_COMMIT --seed 7",
    ] {
        assert!(section.contains(text), "{text} in {section}");
    }
    suite.models = vec![model.clone()];
    let section = worst(&suite);
    for text in [
        "The gravest violation: model label-and-payload (explore, published F4): The reader",
        "consumer: read payload = 1",
        "Violated elsewhere, too: 1 kind of kill.",
    ] {
        assert!(section.contains(text), "{text} in {section}");
    }
    (model.expected_failure, model.counterexample) = (true, None);
    suite.models = vec![model];
    assert!(worst(&suite).contains("it must fail, and nobody noticed"), "{}", worst(&suite));
}

#[test]
fn a_gate_that_no_counter_explains_and_a_run_that_broke_are_told_as_what_they_are() {
    let mut suite = changed(|_| {});
    let gate = suite.scenarios[0].cells[0].gates.iter_mut().find(|gate| gate.id == "lost").unwrap();
    (gate.verdict, gate.value) = (Verdict::Correctness, Some(7.0));
    let section = worst(&suite);
    assert!(section.contains("The gravest violation: 7 messages were lost in"), "{section}");
    let mut broken = changed(|trial| trial.broken = vec!["reader ended with signal 11".to_owned()]);
    broken.verdict = Verdict::Broken;
    let section = worst(&broken);
    assert!(
        section.contains("What broke the run: many/slots=1,payload-size=64B, repeat 2: reader")
    );
    assert!(section.contains("No violation was seen, which is no pass."), "{section}");
}

#[test]
fn only_a_pass_says_that_nothing_was_violated() {
    assert!(worst(&sample::many(1)).contains("No violation. The greatest latency"));
    let slow = worst(&sample::suite());
    assert!(slow.contains("Nothing but speed was violated. The greatest latency"), "{slow}");
    let mut moved = sample::many(2);
    for trial in &mut moved.scenarios[0].cells[0].trials {
        trial.calibration.class = Placement::Changed;
    }
    assert!(worst(&moved).contains("No violation was seen, which is no pass."));
}

#[test]
fn what_each_process_did_around_the_first_violation_is_a_table_in_the_order_of_time() {
    let record = |role: &str, what: &str, sequence, offset_ns| HistoryRecord {
        role: role.to_owned(),
        what: what.to_owned(),
        sequence,
        detail: 0xabcd_ef01_0000_0000,
        offset_ns,
        violates: offset_ns == 0,
    };
    let around = vec![
        record("producer", "offered", 41, -2_500),
        record("reader[1]", "delivered", 39, 0),
        record("producer", "offered", 42, 700),
    ];
    let section = worst(&changed(|trial| {
        trial.history = Some(HistoryCheck { around, ..history(&[("G3", 1)]) });
    }));
    let places: Vec<_> = ["G3: role 1 did so", "−2.5 µs", "violated", "+700 ns", "bytes abcdef01"]
        .map(|text| section.find(text).unwrap_or_else(|| panic!("{text} in {section}")))
        .to_vec();
    assert!(places[..4].is_sorted(), "{places:?}");
    assert!(!section.contains("No process wrote a history"), "{section}");
    let said_twice = worst(&changed(|trial| {
        trial.history = Some(history(&[("G3", 1)]));
        trial.mismatches =
            vec!["the history shows 1 violations, first G3: role 1 did so".to_owned()];
    }));
    assert_eq!(said_twice.matches("G3: role 1 did so").count(), 1, "{said_twice}");
    let without = worst(&changed(|trial| trial.counts.torn = 1));
    assert!(without.contains("--set record.history=ring:1M"), "{without}");
}
