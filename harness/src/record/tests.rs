//! A trial put together from canned reports: what is flawless, and each thing that is not.

use std::collections::BTreeMap;

use report_schema::Placement;

use super::*;
use crate::host::Host;
use crate::plan::fault::PlannedFault;
use crate::plan::{Options, plan};
use crate::run::{Aftermath, Missed, Stall, Struck};
use crate::scenario::model::fault::Action;
use crate::scenario::parse;
use crate::scenario::sample::STREAM;

fn planned(text: &str) -> CellPlan {
    let scenario = parse("s.toml", text, &[]).unwrap();
    let host = Host { cores: vec![0, 1], ..Host::default() };
    plan(&scenario, &host, &Options::default()).unwrap().cells.remove(0)
}

const TRIAL: TrialPlan = TrialPlan { cell: 0, repeat: 0, seed: 5 };

/// A flawless trial of ten messages.
fn good(cell: &CellPlan) -> RawTrial {
    let mut producer = Report {
        bytes_written: 80,
        measured: Measured { messages: 10, bytes: 80, ns: 1_000_000 },
        line_ns: [Some(60), Some(61)],
        ..Report::default()
    };
    producer.counts.committed = 10;
    let zeros = datahub::metrics::METRICS.iter().map(|(_, name)| ((*name).to_owned(), 0));
    producer.metrics = zeros.collect();
    let metrics = [
        ("total_slots_written", 10),
        ("total_bytes_written", 80),
        ("total_slots_read", 10),
        ("total_bytes_read", 80),
        ("checksum_failures", 0),
        ("writer_timeout_count", 0),
        ("reader_timeout_count", 0),
    ];
    producer.metrics.extend(metrics.map(|(name, value)| (name.to_owned(), value)));
    let mut consumer = Report { next: 10, bytes_read: 80, ..Report::default() };
    consumer.counts.delivered = 10;
    let roles = cell.roles.iter().zip([producer, consumer]);
    let roles = roles.map(|(plan, report)| RawRole {
        plan: plan.clone(),
        pid: 7,
        exit: "exit 0".to_owned(),
        report: Some(report),
        failure: None,
        falls: 0,
        fallen: false,
        left: Counts::default(),
    });
    let aftermath = Aftermath::default();
    RawTrial {
        roles: roles.collect(),
        stolen_ms: Some(3),
        frequency_khz: None,
        aftermath,
        history: None,
        leaks: vec![],
        interrupted: false,
    }
}

fn report(raw: &mut RawTrial, role: usize) -> &mut Report {
    raw.roles[role].report.as_mut().unwrap()
}

fn recorded(change: impl FnOnce(&mut RawTrial)) -> Recorded {
    let cell = planned(STREAM);
    let mut raw = good(&cell);
    change(&mut raw);
    record(&cell, &TRIAL, &raw, 0)
}

#[test]
fn a_flawless_trial_has_nothing_to_say() {
    let found = recorded(|_| {});
    assert_eq!((&found.trial.broken, &found.trial.mismatches), (&vec![], &vec![]));
    assert_eq!((found.trial.counts.committed, found.trial.counts.delivered), (10, 10));
    assert_eq!(found.trial.counts.lost, 0);
    assert_eq!(found.trial.calibration.class, Placement::Near);
    assert!((found.trial.roles[0].throughput_msgs_per_s - 1e4).abs() < 1.0);
}

#[test]
fn a_missing_tail_is_lost() {
    let found = recorded(|raw| report(raw, 1).next = 8);
    assert_eq!(found.trial.counts.lost, 2);
}

#[test]
fn a_missing_tail_of_a_block_that_may_skip_is_a_disagreement() {
    let cell = planned(&STREAM.replace("\"sequential\"", "\"latest-only\""));
    let mut raw = good(&cell);
    report(&mut raw, 1).next = 8;
    let found = record(&cell, &TRIAL, &raw, 0);
    assert_eq!((found.trial.counts.lost, found.trial.counts.lapped), (0, 2));
    assert_eq!(found.trial.mismatches, ["reader was never shown the newest 2 payloads"]);
}

#[test]
fn metrics_that_disagree_are_named() {
    let found = recorded(|raw| {
        *report(raw, 0).metrics.get_mut("total_slots_read").unwrap() = 11;
    });
    let said = "the block of producer says total_slots_read = 11, its users counted 10";
    assert_eq!(found.trial.mismatches, [said]);
}

#[test]
fn metrics_that_are_missing_are_a_disagreement() {
    let found = recorded(|raw| report(raw, 0).metrics = BTreeMap::new());
    assert_eq!(found.trial.mismatches.len(), 22);
}

#[test]
fn a_killed_process_breaks_the_trial_and_silences_what_cannot_be_known() {
    let found = recorded(|raw| {
        raw.roles[1].report = None;
        raw.roles[1].exit = "signal 9".to_owned();
    });
    assert_eq!(found.trial.broken, ["reader ended with signal 9"]);
    assert_eq!((found.trial.counts.lost, found.trial.mismatches.len()), (0, 0));
}

#[test]
fn a_process_that_gave_up_breaks_the_trial() {
    let found = recorded(|raw| report(raw, 1).trouble = Some("gave up".to_owned()));
    assert_eq!(found.trial.broken, ["reader: gave up"]);
}

#[test]
fn a_process_that_ends_without_a_word_breaks_the_trial() {
    let found = recorded(|raw| raw.roles[0].report = None);
    assert_eq!(found.trial.broken, ["producer ended without a report"]);
    assert_eq!(found.trial.calibration.class, Placement::Unknown);
}

/// Something happens to the role in this place.
fn strike(raw: &mut RawTrial, role: usize, action: Action) {
    let fault = PlannedFault { name: "f".to_owned(), at_ns: 0, role, action };
    let (what, start_ns) = ("something".to_owned(), 1_000);
    raw.aftermath.struck.push(Struck {
        fault,
        what,
        start_ns,
        end_ns: None,
        missed: None,
        heir: false,
    });
    if action.kills() {
        let fallen = &mut raw.roles[role];
        (fallen.falls, fallen.fallen, fallen.report) = (1, true, None);
        fallen.exit = "signal 9".to_owned();
    }
}

#[test]
fn a_consumer_that_a_fault_killed_breaks_nothing_and_its_account_is_kept() {
    let found = recorded(|raw| {
        strike(raw, 1, Action::Kill);
        raw.roles[1].left = Counts { delivered: 6, ..Counts::default() };
    });
    assert_eq!((&found.trial.broken, &found.trial.mismatches), (&vec![], &vec![]));
    assert_eq!((found.trial.counts.delivered, found.trial.counts.lost), (6, 0));
    assert_eq!(found.trial.roles[1].exit, "killed by a fault");
}

#[test]
fn what_the_fallen_delivered_torn_still_counts() {
    let found = recorded(|raw| {
        strike(raw, 1, Action::Kill);
        raw.roles[1].left = Counts { delivered: 6, torn: 1, ..Counts::default() };
    });
    assert_eq!(found.trial.counts.torn, 1);
}

#[test]
fn another_end_than_the_planned_one_stays_broken() {
    let found = recorded(|raw| {
        strike(raw, 1, Action::Kill);
        raw.roles[1].exit = "signal 11".to_owned();
    });
    assert_eq!(found.trial.broken, ["reader ended with signal 11"]);
}

#[test]
fn a_missed_fault_excuses_nothing() {
    let found = recorded(|raw| {
        strike(raw, 1, Action::ScribbleSlots);
        raw.aftermath.struck[0].missed = Some(Missed::failed("there was no block"));
        report(raw, 1).counts.torn = 1;
    });
    assert_eq!(found.trial.counts.torn, 1);
}

#[test]
fn random_bytes_excuse_contents_but_neither_crash_nor_hang() {
    let scribbled = |exit: &str| {
        recorded(|raw| {
            strike(raw, 0, Action::ScribbleSlots);
            report(raw, 1).counts.torn = 1;
            raw.roles[0].exit = exit.to_owned();
        })
    };
    let (gave_up, crashed) = (scribbled("exit 6"), scribbled("signal 11"));
    assert_eq!((gave_up.trial.counts.torn, &gave_up.trial.broken), (0, &vec![]));
    assert_eq!(crashed.trial.broken, ["producer ended with signal 11"]);
    assert_eq!(
        scribbled("deadline").trial.broken,
        ["producer did not end before the deadline and was killed"]
    );
}

#[test]
fn a_spoilt_payload_that_nobody_noticed_is_an_error() {
    let spoilt = |noticed| {
        recorded(|raw| {
            strike(raw, 0, Action::CorruptByte);
            raw.aftermath.spoilt = 1;
            let reader = report(raw, 1);
            reader.counts.checksum_failures = noticed;
            reader.counts.delivered = 10 - noticed;
            let metrics = &mut report(raw, 0).metrics;
            metrics.insert("checksum_failures".to_owned(), noticed);
        })
    };
    let found = spoilt(1);
    assert_eq!((found.trial.counts.checksum_failures, &found.trial.mismatches), (0, &vec![]));
    let said = "1 payloads were spoilt for 1 consumers, who noticed 0";
    assert_eq!(spoilt(0).trial.mismatches, [said]);
    assert_eq!(spoilt(2).trial.counts.checksum_failures, 1);
}

#[test]
fn a_survivor_that_death_keeps_waiting_is_stuck() {
    let waited = |action, to_ns| {
        recorded(|raw| {
            strike(raw, 1, action);
            report(raw, 0).stalls = vec![
                Stall { from_ns: 10, to_ns: 999 },
                Stall { from_ns: 500, to_ns },
                Stall { from_ns: 30_000_000, to_ns: 9_000_000_000 },
            ];
        })
    };
    let found = waited(Action::Kill, 801_000);
    assert_eq!(found.trial.faults[0].blocked_ns, Some(800_000));
    assert_eq!(found.trial.faults[0].blocked.as_deref(), Some("producer"));
    assert!(found.trial.stuck.is_empty());
    let said = "producer was blocked for 2000 ms after this: something";
    assert_eq!(waited(Action::Kill, 2_000_001_000).trial.stuck, [said]);
    let stop = Action::Stop { time: crate::units::Nanos(1) };
    assert!(waited(stop, 2_000_001_000).trial.stuck.is_empty());
}

#[test]
fn waits_that_were_not_kept_leave_open_who_was_stuck() {
    let found = recorded(|raw| {
        strike(raw, 1, Action::Kill);
        report(raw, 0).stalls_dropped = 2;
    });
    let said = "2 waits of producer after faults were not kept";
    assert_eq!((found.trial.unwatched, found.trial.stuck), (vec![said.to_owned()], vec![]));
}

#[test]
fn a_block_that_says_less_than_its_survivors_read_is_a_disagreement() {
    let found = recorded(|raw| {
        strike(raw, 1, Action::Restart);
        raw.roles[1].left = Counts { delivered: 12, ..Counts::default() };
    });
    assert_eq!(found.trial.mismatches, ["the block says 10 reads, its users counted 12"]);
}

#[test]
fn the_dead_are_cleared_once_each_and_whom_the_producer_passed_is_cleared() {
    let cleared = |actions: u64, delivered: u64| {
        let found = recorded(|raw| {
            strike(raw, 1, Action::Kill);
            raw.roles[1].left = Counts { delivered, ..Counts::default() };
            // It goes on where the dead one stopped, far behind what the ring holds.
            let producer = report(raw, 0);
            producer.counts.committed = 200;
            for (name, value) in [
                ("total_slots_written", 200),
                ("total_slots_read", delivered),
                ("recovery_actions_count", actions),
            ] {
                producer.metrics.insert(name.to_owned(), value);
            }
        });
        found.trial.mismatches
    };
    assert_eq!((cleared(1, 10), cleared(0, 199)), (vec![], vec![]));
    let says = |actions, bound| {
        let counted = format!("its users counted {bound} 1");
        vec![format!("the block of producer says recovery_actions_count = {actions}, {counted}")]
    };
    assert_eq!((cleared(0, 10), cleared(2, 10)), (says(0, "at least"), says(2, "at most")));
}

#[test]
fn a_zone_that_nobody_wrote_or_saw_is_no_pass() {
    let zone = "[[block.zone]]\nname = \"z\"\nsize = \"64 B\"\n[[consumer]]";
    let cell = planned(&STREAM.replace("[[consumer]]", zone));
    let mut raw = good(&cell);
    let told = |raw: &RawTrial| record(&cell, &TRIAL, raw, 0).trial.mismatches;
    let account = ZoneAccount { zone: "z".to_owned(), ..ZoneAccount::default() };
    assert_eq!(told(&raw), ["nobody wrote to zone z"]);
    report(&mut raw, 0).zones = vec![ZoneAccount { writes: 1, ..account.clone() }];
    report(&mut raw, 1).zones = vec![ZoneAccount { looks: 2, busy: 2, ..account.clone() }];
    assert_eq!(told(&raw), ["nobody saw a value in zone z"]);
    report(&mut raw, 1).zones = vec![ZoneAccount { looks: 3, busy: 2, ..account }];
    assert_eq!(told(&raw), [""; 0]);
    report(&mut raw, 0).disputes = vec!["zone z went back".to_owned()];
    assert_eq!(told(&raw), ["producer: zone z went back"]);
}

#[test]
fn every_role_has_its_hardware_counts_or_one_reason_and_none_spoils_anything() {
    let told =
        Hardware::Counted(report_schema::HardwareCounts { messages: 9, ..Default::default() });
    let found = recorded(|raw| report(raw, 1).hardware = Some(told.clone()));
    let [producer, consumer] = &found.trial.roles[..] else { panic!() };
    assert_eq!(consumer.hardware, Some(told));
    assert!(
        matches!(&producer.hardware, Some(Hardware::Uncounted(why)) if why.contains("program"))
    );
    assert_eq!((&found.degraded, &found.trial.broken), (&vec![], &vec![]));
    let found = recorded(|raw| raw.roles[1].report = None);
    let lost = &found.trial.roles[1].hardware;
    assert!(matches!(lost, Some(Hardware::Uncounted(why)) if why.contains("its end")), "{lost:?}");
}
