//! Deaths at chosen moments: what is planned is done, and nothing else.

use std::fs::File;
use std::os::unix::fs::FileExt;

use datahub::config::ConsumerSync;
use datahub::consumer::ReadError;
use datahub::metrics::Metric;
use datahub::monitor::Monitor;
use datahub::monitor::health::{Thresholds, examine};
use datahub::recovery::diagnosis::Action;
use datahub::recovery::integrity::validate_integrity;
use datahub::recovery::{plan, recover};
use datahub::slot::SlotState;
use datahub::wait::{Timeout, monotonic_ns};

use super::own::Own;
use super::payloads::{PATIENCE, bytes, evicting, read_all, shape, write};
use super::role::{dies, ready, start};

/// Plans without changing a byte, then recovers; both say the same, and nothing is left to do.
fn plan_and_recover(own: &Own) -> Vec<Action> {
    let before = bytes(own);
    let planned = plan(&own.place()).unwrap();
    assert!(bytes(own) == before, "planning changed the block");
    assert!(planned.steps.iter().all(|step| step.proof.token_free), "{planned:?}");
    assert_eq!(planned.damage, [] as [String; 0]);

    let report = recover(&own.place()).unwrap();
    assert_eq!((&report.done, report.skipped.len()), (&planned.steps, 0));

    let settled = bytes(own);
    assert!(plan(&own.place()).unwrap().is_clean());
    let again = recover(&own.place()).unwrap();
    assert!(again.done.is_empty() && bytes(own) == settled, "{again:?}");
    planned.steps.into_iter().map(|step| step.action).collect()
}

#[test]
fn a_healthy_block_needs_nothing() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    let mut consumer = own.attach();
    write(&mut producer);
    assert_eq!(plan_and_recover(&own), []);
    assert_eq!(read_all(&mut consumer), [0]);
}

// F6, F27: exactly the dead one's bits, beside a living producer and a living reader.
#[test]
fn a_consumer_killed_inside_a_slot_is_cleared_beside_the_living() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::LatestOnly));
    write(&mut producer);
    let mut survivor = own.attach();
    let role = ready("holds-a-payload", &own);
    let held = survivor.acquire_consume_slot(Timeout::Now).unwrap();
    assert_eq!(plan_and_recover(&own), []);
    drop(role);

    let slot = held.slot_index();
    let reaped = Action::ReapConsumer { number: 1, pins: vec![slot], gates: false };
    assert_eq!(plan_and_recover(&own), [reaped]);
    let view = Monitor::open(&own.place()).unwrap().snapshot(monotonic_ns());
    assert_eq!(view.slots[slot].readers, 0b1, "the survivor is still inside, and alone");
    assert_eq!(&*held, 0_u64.to_le_bytes());
    drop(held);
    assert_eq!(write(&mut producer), 1);
    assert_eq!(producer.metrics().get(Metric::RecoveryActions), 1);
}

// F21
#[test]
fn a_consumer_killed_behind_a_full_ring_is_found_named_and_cleared() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    write(&mut producer);
    let role = ready("holds-a-payload", &own);
    write(&mut producer);
    let process = u64::from(role.child.id());
    let monitor = Monitor::open(&own.place()).unwrap();
    drop(role);

    let view = monitor.snapshot(monotonic_ns());
    assert!(view.is_full());
    assert_eq!(view.consumers[0].seat.process_id(), Some(process));
    let findings = examine(&view, None, Thresholds::default());
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["ring-stuck", "consumer-dead", "slot-held-by-dead"]);
    assert!(findings[0].what.contains(&format!("process {process}")), "{}", findings[0].what);

    let actions = plan_and_recover(&own);
    assert_eq!(actions, [Action::ReapConsumer { number: 0, pins: vec![0], gates: true }]);
    assert_eq!(write(&mut producer), 2);
    assert_eq!(examine(&monitor.snapshot(monotonic_ns()), None, Thresholds::default()), []);
}

/// What is left of a producer that died before its third visit to a site.
fn dead_at(policy: &str, site: &str) -> (Own, Vec<Action>, Vec<u64>) {
    let own = Own::new();
    dies(start(&format!("{policy}:{site}"), &own));
    let actions = plan_and_recover(&own);
    assert!(validate_integrity(&own.place()).unwrap().is_whole());
    let mut consumer = own.attach();
    let seen = read_all(&mut consumer);
    // A new producer goes on where the dead one stopped.
    let sync = consumer.config().clone();
    let mut next = own.create(sync);
    let sequence = write(&mut next);
    assert_eq!(read_all(&mut consumer), [sequence], "{policy}, {site}");
    assert_eq!(sequence, seen.last().unwrap() + 1, "{policy}, {site}");
    drop(next);
    (own, actions, seen)
}

fn settled(index: usize) -> Action {
    Action::SettleSlot { index, from: SlotState::Writing, to: SlotState::Free }
}

// F9, F10, decision 13.
#[test]
fn a_producer_killed_in_a_write_gives_the_slot_up() {
    for policy in ["sequential", "latest"] {
        for site in ["W_LABEL", "W_LENGTH", "W_COMMIT"] {
            let (_own, actions, seen) = dead_at(policy, site);
            assert_eq!(actions, [settled(2), Action::RetireProducer], "{policy}, {site}");
            assert_eq!(seen.last(), Some(&1), "{policy}, {site}");
        }
    }
}

#[test]
fn a_producer_killed_before_it_announced_has_its_commit_announced() {
    for policy in ["sequential", "latest"] {
        let (_own, actions, seen) = dead_at(policy, "W_COMMIT_INDEX");
        let Action::AnnounceCommit { from, to } = actions[0] else { panic!("{actions:?}") };
        assert_eq!((from + 1, to - 1), (to, *seen.last().unwrap()), "{policy}");
        assert_eq!(actions.last(), Some(&Action::RetireProducer), "{policy}");
    }
}

// A batch is published from its last slot on: without its first nobody has seen any of it.
#[test]
fn a_batch_whose_producer_died_is_whole_or_gone() {
    let own = Own::new();
    dies(start("batch:W_COMMIT", &own));
    let given_up = |(index, from)| Action::SettleSlot { index, from, to: SlotState::Free };
    let states = [SlotState::Writing, SlotState::Committed, SlotState::Committed];
    let mut wanted: Vec<Action> = (0..).zip(states).map(given_up).collect();
    wanted.push(Action::RetireProducer);
    assert_eq!(plan_and_recover(&own), wanted);
    assert_eq!(read_all(&mut own.attach()), []);
    drop(own);

    let own = Own::new();
    dies(start("batch:W_COMMIT_INDEX", &own));
    let actions = plan_and_recover(&own);
    let Action::AnnounceCommit { from, to } = actions[0] else { panic!("{actions:?}") };
    assert_eq!(to, from + 3);
    assert_eq!(read_all(&mut own.attach()), [from, from + 1, from + 2]);
}

// Until the producer is settled nobody may free the seat of the consumer that it died evicting.
#[test]
fn a_producer_and_the_consumer_that_it_died_evicting_are_cleared_at_once() {
    for site in ["E_MARK", "E_UNPIN", "E_LEAVE", "E_DONE"] {
        let own = Own::new();
        dies(start(&format!("evicting:{site}"), &own));
        let actions = plan_and_recover(&own);
        let [.., Action::RetireProducer, Action::ReapConsumer { number: 0, pins, gates }] =
            &actions[..]
        else {
            panic!("{site}: {actions:?}");
        };
        // What the dead producer had not taken away yet.
        let left = match site {
            "E_MARK" | "E_UNPIN" => (1, true),
            "E_LEAVE" => (0, true),
            _ => (0, false),
        };
        assert_eq!((pins.len(), *gates), left, "{site}");
        let mut next = own.create(evicting());
        let mut consumer = own.attach();
        assert_eq!(consumer.number(), 0, "{site}: the seat is free again");
        let last = read_all(&mut consumer).last().copied();
        let sequence = write(&mut next);
        assert_eq!((read_all(&mut consumer), last), (vec![sequence], Some(sequence - 1)), "{site}");
    }
}

// What a stray pointer left is given up, never announced.
#[test]
fn a_label_that_cannot_be_is_not_believed() {
    let own = Own::new();
    dies(start("sequential:W_COMMIT", &own));
    let block = Monitor::open(&own.place()).unwrap();
    let at = block.block().geometry().layout.slots as u64 + 64 + 8;
    let file = File::options().write(true).open(own.place().path()).unwrap();
    file.write_all_at(&(1_u64 << 40).to_le_bytes(), at).unwrap();
    let planned = plan(&own.place()).unwrap();
    assert_eq!(planned.damage.len(), 1, "{planned:?}");
    let report = recover(&own.place()).unwrap();
    let done: Vec<Action> = report.done.into_iter().map(|step| step.action).collect();
    let (index, to) = (1, SlotState::Free);
    let discarded = Action::SettleSlot { index, from: SlotState::Committed, to };
    assert_eq!(done, [discarded, settled(2), Action::RetireProducer]);
    assert!(plan(&own.place()).unwrap().is_clean());
    assert_eq!(read_all(&mut own.attach()), [0]);
}

#[test]
fn a_latest_only_producer_killed_before_it_led_readers_on_is_finished() {
    let (_own, actions, seen) = dead_at("latest", "W_LATEST");
    let [Action::PointAtNewest { sequence, .. }, Action::RetireProducer] = actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(seen, [sequence]);
}

#[test]
fn consumers_of_a_recovered_block_read_what_is_left_and_are_told() {
    let own = Own::new();
    let role = ready("produces", &own);
    let mut consumer = own.attach();
    drop(role);
    // The slot of the next sequence was taken ahead of time.
    let spare = Action::SettleSlot { index: 1, from: SlotState::Writing, to: SlotState::Free };
    assert_eq!(plan_and_recover(&own), [spare, Action::RetireProducer]);
    assert_eq!(read_all(&mut consumer), [0]);
    let dead = consumer.acquire_consume_slot(PATIENCE).map(|_| ());
    assert!(matches!(dead, Err(ReadError::ProducerDead { .. })), "{dead:?}");
}
