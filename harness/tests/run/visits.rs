//! Consumers that come late, leave early and come back; bursts.

use std::fs;

use report_schema::{Trial, Verdict};

use crate::support::{Place, code, said};

const OPEN: &str = "open]\nrate = \"5 kHz\"";

/// A run of 300 ms with these consumers beside one that stays.
fn with(consumers: &str, workload: &str) -> Place {
    let place = Place::new(workload, "duration = \"300 ms\"");
    let text = fs::read_to_string(&place.scenario).unwrap();
    let text = text.replace("\"sequential\"", "\"sequential-sync\"");
    let text = text.replace("[workload.", &format!("{consumers}\n[workload."));
    fs::write(&place.scenario, text).unwrap();
    place
}

fn consumer(name: &str, keys: &str) -> String {
    format!("[[consumer]]\nname = \"{name}\"\nwait = \"yield\"\n{keys}\n")
}

fn passes(place: &Place) -> Trial {
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 0, "{}", said(&output));
    place.result().scenarios[0].cells[0].trials[0].clone()
}

#[test]
fn who_comes_late_begins_where_it_was_promised_and_loses_nothing() {
    let late = consumer("late", "join-at = \"50 ms\"");
    let newest = consumer("newest", "join-at = \"60 ms\"\njoin = \"latest\"");
    let trial = passes(&with(&format!("{late}{newest}"), OPEN));
    let [late, newest] = trial.visits.as_slice() else { panic!("{:?}", trial.visits) };
    assert!(late.joined_ms >= 50 && late.left_ms.is_none(), "{late:?}");
    for (visit, number) in [(late, 2), (newest, 3)] {
        let (low, high) = visit.promised_first;
        let first = visit.first.unwrap();
        assert!(low > 0 && (low..=high).contains(&first), "{visit:?}");
        assert_eq!(trial.roles[number].counts.delivered, visit.next - first, "{visit:?}");
        assert_eq!(visit.next, trial.roles[0].counts.committed);
    }
    assert_eq!(trial.roles[1].counts.delivered, trial.roles[0].counts.committed);
}

#[test]
fn who_leaves_is_owed_nothing_more_and_may_come_back() {
    let visitor = consumer("visitor", "leave-at = \"60 ms\"\nrejoin-at = \"150 ms\"");
    let trial = passes(&with(&visitor, OPEN));
    let [first, second] = trial.visits.as_slice() else { panic!("{:?}", trial.visits) };
    assert!(first.left_ms.is_some_and(|ms| ms >= 60), "{first:?}");
    assert_eq!(first.first, Some(0));
    assert!(second.first.unwrap() >= first.next, "{second:?}");
    assert_eq!(second.next, trial.roles[0].counts.committed);
    let own = trial.roles[2].counts.delivered;
    assert_eq!(own, first.next + second.next - second.first.unwrap());
}

#[test]
fn a_joiner_that_begins_at_the_wrong_end_is_found() {
    let place = with(&consumer("late", "join-at = \"50 ms\""), OPEN);
    let output = place.run().args(["--plant", "join-wrong"]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("late: a joiner was given"), "{}", said(&output));
    assert_eq!(place.result().verdict, Verdict::Correctness);
}

#[test]
fn who_would_come_when_messages_have_ended_breaks_the_run() {
    let place = with(&consumer("late", "join-at = \"1 s\""), OPEN);
    let text = fs::read_to_string(&place.scenario).unwrap();
    fs::write(&place.scenario, text.replace("duration = \"300 ms\"", "count = 100")).unwrap();
    let output = place.run().output().unwrap();
    assert_eq!(code(&output), 6, "{}", said(&output));
    assert!(said(&output).contains("messages had ended before it came"), "{}", said(&output));
}

#[test]
fn a_burst_is_timed_from_its_start() {
    let place = Place::new("burst]\nsize = 50\nevery = \"20 ms\"", "duration = \"200 ms\"");
    let trial = passes(&place);
    let reader = &trial.roles[1];
    let (latency, service) = (reader.latency.as_ref().unwrap(), reader.service.as_ref().unwrap());
    assert_eq!((latency.n, service.n), (500, 500));
    assert!(latency.p50_ns >= service.p50_ns);
}
