//! What the page says beyond figures: histories, zones, warm-ups, and whether a long run drifts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use report_schema::{HistoryCheck, Interval, SuiteResult, Trial, ZoneAccount};
use reports::page::render;
use reports::summary::drifts;

#[path = "support/sample.rs"]
mod sample;

/// The sample with its first trial changed.
fn page(change: impl FnOnce(&mut Trial)) -> String {
    render(&changed(change)).unwrap()
}

fn changed(change: impl FnOnce(&mut Trial)) -> SuiteResult {
    let mut suite = sample::suite();
    change(&mut suite.scenarios[0].cells[0].trials[0]);
    suite
}

#[test]
fn a_history_is_shown_with_its_events_and_its_violations() {
    assert!(!page(|_| {}).contains("independent checker"));
    let shown = page(|trial| {
        trial.history = Some(HistoryCheck {
            records: 54_321,
            overwritten: 77,
            violations: [("G3".to_owned(), 2)].into(),
            examples: vec!["reader went back from 9 to 4".to_owned()],
            file: Some("kept/one.json".to_owned()),
            ..HistoryCheck::default()
        });
    });
    for text in [
        "What the independent checker found",
        "read 54\u{202f}321 records and found 2 violations",
        "G7: who takes a dead producer&#39;s place goes on where it stopped",
        "<td class=\"n bad\">2</td>",
        "reader went back from 9 to 4",
        "kept/one.json",
    ] {
        assert!(shown.contains(text), "{text}");
    }
}

#[test]
fn zones_are_shown_and_what_was_wrong_stands_out() {
    assert!(!page(|_| {}).contains("Flexible zones"));
    let account = ZoneAccount {
        zone: "gains".to_owned(),
        role: "reader[1]".to_owned(),
        looks: 40,
        busy: 3,
        stale: 6,
        torn: 1,
        ..ZoneAccount::default()
    };
    let shown = page(|trial| trial.zones = vec![account]);
    assert!(shown.contains("Flexible zones") && shown.contains("reader[1]"));
    assert!(shown.contains("<td class=\"n bad\">7</td>"));
}

#[test]
fn a_warm_up_is_hatched_before_the_start_and_not_counted() {
    let warmed = |mut suite: SuiteResult, ms: Option<u64>| {
        let cells = suite.scenarios.iter_mut().flat_map(|scenario| &mut scenario.cells);
        cells.flat_map(|cell| &mut cell.trials).for_each(|trial| trial.warmup_ms = ms);
        render(&suite).unwrap()
    };
    assert!(warmed(sample::suite(), Some(150)).contains("warm-up of 150 ms, not counted"));
    for suite in [sample::suite(), sample::many(3)] {
        assert!(!warmed(suite, None).contains("not counted"));
    }
}

/// A course in which the figures of the last third are so many times those of the first.
fn course(times: u64) -> Vec<Interval> {
    let slice = |number: u64| Interval {
        start_ms: number * 100,
        n: 1_000 + number % 3,
        p50_ns: 100,
        p99_ns: (500 + number % 5) * if number > 20 { times } else { 1 },
        max_ns: 9_000,
        buckets: vec![(128, 1_000)],
    };
    (0..31).map(slice).collect()
}

/// The sample as a soak run of this course.
fn soaked(times: u64) -> SuiteResult {
    let mut suite = changed(|trial| {
        let latency = trial.roles.iter_mut().find_map(|role| role.latency.as_mut());
        latency.unwrap().intervals = course(times);
    });
    "soak".clone_into(&mut suite.profile);
    suite
}

#[test]
fn a_long_run_that_ends_unlike_it_began_is_told_from_one_that_does_not() {
    let told = |times| {
        let suite = soaked(times);
        let first = &drifts(&suite)[0];
        (first.differs(), first.to_string())
    };
    assert_eq!(told(1), (false, "as it began".to_owned()));
    assert_eq!(told(2), (true, "p99 +100 %".to_owned()));
    assert!(render(&soaked(2)).unwrap().contains("Does it end as it began?"));
    let mut full = soaked(2);
    "full".clone_into(&mut full.profile);
    assert!(drifts(&full).is_empty());
    assert!(!render(&full).unwrap().contains("Does it end as it began?"));
}

#[test]
fn a_course_of_a_slice_or_two_is_a_table_and_no_drawing() {
    let cut = |slices: usize| {
        let mut suite = sample::many(1);
        "scenarios/latency/many.toml".clone_into(&mut suite.scenarios[0].file);
        for trial in &mut suite.scenarios[0].cells[0].trials {
            let latency = trial.roles.iter_mut().find_map(|role| role.latency.as_mut()).unwrap();
            latency.intervals = course(1);
            latency.intervals.truncate(slices);
            latency.n = 1;
        }
        render(&suite).unwrap()
    };
    let few = cut(2);
    assert!(few.contains("many: latency over time, data only"));
    assert!(!few.contains("<h3>many: latency over time</h3>"));
    let whole = cut(3);
    assert!(whole.contains("<h3>many: latency over time</h3>") && whole.contains(" 1 sample, "));
}
