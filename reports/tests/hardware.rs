//! The processor's counters on the page and in metrics: where they counted, and where they did not.

use report_schema::{Hardware, HardwareCounts, Placement, Role, RoleResult, SuiteResult};
use reports::openmetrics;
use reports::page::render;

#[path = "support/sample.rs"]
mod sample;

/// The sample with what each process says of its counters.
fn told(what: impl Fn(&RoleResult) -> Option<Hardware>) -> SuiteResult {
    let mut suite = sample::many(2);
    let cells = suite.scenarios.iter_mut().flat_map(|scenario| &mut scenario.cells);
    for trial in cells.flat_map(|cell| &mut cell.trials) {
        // All of them are compared.
        trial.calibration.class = Placement::Near;
        for role in &mut trial.roles {
            role.hardware = what(role);
        }
    }
    suite
}

fn counted(cycles: u64, counted_ns: u64) -> Hardware {
    let events = [("cycles".to_owned(), cycles), ("instructions".to_owned(), 500)].into();
    Hardware::Counted(HardwareCounts { messages: 10, events, enabled_ns: 1_000, counted_ns })
}

#[test]
fn counts_are_shown_per_message_and_what_was_not_counted_says_so() {
    let suite = told(|role| (role.role == Role::Producer).then(|| counted(1_000, 1_000)));
    let page = render(&suite).unwrap();
    let (_, section) = page.split_once("id=\"hardware\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    for text in [">100</td>", ">50</td>", ">0.5</td>", "not counted", "producer", ">3</td>"] {
        assert!(section.contains(text), "{text} is not in {section}");
    }
    assert!(!section.contains("scaled up") && !section.contains("consumers"), "{section}");
    let metrics = openmetrics::render(&suite).unwrap();
    let line = metrics.lines().find(|line| line.contains("event=\"cycles\"")).unwrap();
    assert!(line.starts_with("harness_hardware_events_per_message{"), "{line}");
    assert!(line.ends_with("} 100.0") && line.contains("role=\"producer\""), "{line}");
}

#[test]
fn an_estimate_is_called_one() {
    let page = render(&told(|_| Some(counted(1_000, 400)))).unwrap();
    assert!(page.contains(">3, 3 scaled up</td>"));
}

#[test]
fn where_nobody_counted_the_reason_stands_once_beside_the_machine() {
    let why = "the hypervisor does not pass the processor's counters on";
    let suite = told(|_| Some(Hardware::Uncounted(why.to_owned())));
    let page = render(&suite).unwrap();
    assert!(!page.contains("id=\"hardware\""));
    let (_, belief) = page.split_once("id=\"belief\"").unwrap();
    let (belief, _) = belief.split_once("</section>").unwrap();
    assert_eq!(belief.matches("the hypervisor does not pass the processor&#39;s").count(), 1);
    assert!(!openmetrics::render(&suite).unwrap().contains("event=\""));
}

#[test]
fn a_result_that_is_older_than_the_counters_says_nothing_of_them() {
    let page = render(&sample::suite()).unwrap();
    assert!(!page.contains("cache misses") && !page.contains("id=\"hardware\""));
}

#[test]
fn counts_without_a_message_are_no_figures() {
    let none = |_: &RoleResult| Some(Hardware::Counted(HardwareCounts::default()));
    let page = render(&told(none)).unwrap();
    assert!(!page.contains("id=\"hardware\"") && !page.contains("NaN"));
}
