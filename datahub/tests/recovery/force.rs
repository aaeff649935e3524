//! Force: who stands still is evicted and told, who is active is not, and nobody without the name.

#![expect(unsafe_code, reason = "a test that stops a consumer knows that it reads nothing")]

use std::io::Write;
use std::time::Duration;

use datahub::config::{BlockConfig, ConsumerSync, OnFull};
use datahub::consumer::{Consumer, ReadError};
use datahub::metrics::Metric;
use datahub::monitor::Monitor;
use datahub::monitor::health::{Severity, Thresholds, examine};
use datahub::monitor::view::Standing;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::recovery::diagnosis::{Action, diagnose};
use datahub::recovery::force::{ForceError, evict};
use datahub::recovery::{Report, plan, recover};
use datahub::wait::{Timeout, monotonic_ns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::own::{Own, name};
use super::payloads::{PATIENCE, read_all, shape, write, write_in};
use super::role::ready;

/// Anybody is silent, and two looks follow one another at once.
const AT_ONCE: Thresholds = Thresholds { silent_ns: 0, still_ns: 0 };

/// Evicts who stands still. No consumer in these tests reads meanwhile, or looks at what it was lent.
fn evicted(own: &Own) -> Report {
    // SAFETY: see above.
    unsafe { evict(&own.place(), &name(), AT_ONCE) }.unwrap()
}

fn read(consumer: &mut Consumer) -> Result<u64, ReadError> {
    consumer.acquire_consume_slot(Timeout::Now).map(|slot| slot.sequence())
}

/// How many payloads both have read, and whether they joined when there was one already, so that they pin
/// what they read first.
const GATED: (u64, bool) = (9, false);

/// A ring of two that one of its two consumers has filled.
fn filled(
    own: &Own,
    config: BlockConfig,
    (read_by_both, late): (u64, bool),
) -> (Producer, [Consumer; 2]) {
    let mut producer = own.create(config);
    if late {
        write(&mut producer);
    }
    let (mut slow, mut fast) = (own.attach(), own.attach());
    for sequence in 0..read_by_both + 2 {
        if !late || sequence != 0 {
            assert_eq!(write(&mut producer), sequence);
        }
        assert_eq!(read(&mut fast), Ok(sequence));
        if sequence < read_by_both {
            assert_eq!(read(&mut slow), Ok(sequence));
        }
    }
    (producer, [slow, fast])
}

#[test]
fn a_consumer_evicted_by_force_is_told_and_reads_nothing_more() {
    for joined in [GATED, (1, false), (1, true)] {
        let next = joined.0;
        let own = Own::new();
        let config = shape(ConsumerSync::SequentialSync);
        let (mut producer, [mut slow, mut fast]) = filled(&own, config, joined);
        assert_eq!(evicted(&own).done.len(), 1, "{joined:?}");
        for sequence in next + 2..next + 8 {
            assert_eq!(write_in(&mut producer, PATIENCE), sequence);
            assert_eq!(read(&mut fast), Ok(sequence));
        }
        for timeout in [Timeout::Now, PATIENCE, Timeout::Never] {
            let told = slow.acquire_consume_slot(timeout).map(|_| ());
            assert_eq!(told, Err(ReadError::Evicted { at: next }), "{joined:?}");
        }
        let told = slow.acquire_sequence(next + 7, Timeout::Now).map(|_| ());
        assert_eq!(told, Err(ReadError::Evicted { at: next }), "{joined:?}");
        // Nor can it say in its seat that it is there.
        slow.beat();
        assert_eq!(producer.metrics().get(Metric::HeartbeatsFailed), 1);
        // Its seat is its own until it leaves.
        assert_eq!(own.attach().number(), 2);
        drop(slow);
        assert_eq!(own.attach().number(), 0);
    }
}

// Before the producer has looked, the payload is still there; it is not handed out either.
#[test]
fn who_was_evicted_is_told_before_its_payload_is_gone() {
    let own = Own::new();
    let config = shape(ConsumerSync::SequentialSync);
    let (_producer, [mut slow, _fast]) = filled(&own, config, GATED);
    evicted(&own);
    assert_eq!(read(&mut slow), Err(ReadError::Evicted { at: 9 }));
    assert_eq!(read(&mut slow), Err(ReadError::Evicted { at: 9 }));
}

#[test]
fn a_consumer_that_stands_still_with_a_pin_is_evicted_too() {
    let few = BlockConfig::new(ConsumerSync::LatestOnly, 1, 8).unwrap();
    let over = shape(ConsumerSync::SequentialSync).on_full(OnFull::Overwrite);
    for config in [few.with_physical_slots(2).unwrap(), over] {
        let own = Own::new();
        let mut producer = own.create(config);
        write(&mut producer);
        let mut slow = own.attach();
        let held = slow.acquire_consume_slot(Timeout::Now).unwrap();
        while producer.acquire_write_slot(Timeout::Now).map(|slot| slot.commit(8)).is_ok() {}
        assert_eq!(evicted(&own).done.len(), 1);
        let next = producer.commit_index();
        assert_eq!(write_in(&mut producer, PATIENCE), next);
        assert!(!held.validate());
        drop(held);
        let told = read(&mut slow);
        assert!(matches!(told, Err(ReadError::Evicted { .. })), "{told:?}");
        assert_eq!(read(&mut slow), told);
        let view = Monitor::open(&own.place()).unwrap().snapshot(monotonic_ns());
        assert!(view.slots.iter().all(|slot| slot.readers == 0), "no pin is left");
    }
}

#[test]
fn a_stopped_consumer_is_evicted_by_force_only_and_by_the_right_name_only() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    write(&mut producer);
    let mut role = ready("reads-when-told", &own);
    let process = Pid::from_raw(role.child.id().cast_signed());
    kill(process, Signal::SIGSTOP).unwrap();
    write(&mut producer);
    write_in(&mut producer, PATIENCE);
    let monitor = Monitor::open(&own.place()).unwrap();
    // As it will look in six seconds.
    let later = monotonic_ns() + 6_000_000_000;
    while !monitor.snapshot(later).consumers[0].seat.is_stopped() {
        std::thread::yield_now();
    }
    let view = monitor.snapshot(later);
    let findings = examine(&view, None, Thresholds::default());
    assert_eq!((findings[0].rule, findings[0].severity), ("ring-stuck", Severity::Critical));
    let diagnosis =
        diagnose(&view, Some(&monitor.snapshot(later - 2_000_000_000)), Thresholds::default());
    assert!(diagnosis.is_clean(), "nothing is done without force");
    assert!(matches!(diagnosis.forced[0].action, Action::EvictConsumer { number: 0, .. }));
    assert!(!diagnosis.forced[0].proof.token_free);

    assert!(recover(&own.place()).unwrap().done.is_empty());
    let (other, by_path) = (BlockName::new("imu2").unwrap(), Place::File(own.place().path()));
    for (place, given) in [(own.place(), other), (by_path, name())] {
        // SAFETY: the consumer is stopped, and looks at no payload when it goes on.
        let refused = unsafe { evict(&place, &given, AT_ONCE) };
        assert!(matches!(refused, Err(ForceError::Name { .. })), "{refused:?}");
    }
    assert_eq!(monitor.snapshot(later).consumers[0].seat.standing, Standing::Usual);

    assert_eq!(evicted(&own).done.len(), 1);
    assert_eq!(monitor.snapshot(later).consumers[0].seat.standing, Standing::Evicted);
    assert_eq!((write_in(&mut producer, PATIENCE), monitor.snapshot(later).registered), (3, 0));
    // Its seat stays its own while it lives: nobody else is given its bit.
    assert_eq!(own.attach().number(), 1);
    assert!(evicted(&own).done.is_empty());
    assert!(plan(&own.place()).unwrap().is_clean());

    kill(process, Signal::SIGCONT).unwrap();
    role.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    assert_eq!(role.until("told"), "told: Err(Evicted { at: 1 })");
}

// Thirty payloads a second are fewer than two looks see beats of; the counters tell.
#[test]
fn a_slow_consumer_that_is_active_does_not_stand_still() {
    let own = Own::new();
    let config = shape(ConsumerSync::SequentialSync);
    let (mut producer, [mut slow, _fast]) = filled(&own, config, GATED);
    let monitor = Monitor::open(&own.place()).unwrap();
    let look = || monitor.snapshot(monotonic_ns());
    let forced = |now, earlier, thresholds| diagnose(now, earlier, thresholds).forced.len();

    let (earlier, now) = (look(), look());
    assert_eq!(forced(&now, Some(&earlier), AT_ONCE), 1, "it stands still");
    assert_eq!(forced(&now, None, AT_ONCE), 0, "one look proves nothing");
    let watched = Thresholds { still_ns: u64::MAX, ..AT_ONCE };
    assert_eq!(forced(&now, Some(&earlier), watched), 0, "nor do two that are too near");

    assert_eq!((read(&mut slow), write_in(&mut producer, PATIENCE)), (Ok(9), 11));
    let later = look();
    assert!(later.consumers[0].lag >= 2, "it is in the way again");
    assert_eq!(forced(&later, Some(&now), AT_ONCE), 0, "it has read");
    let before = look();
    slow.beat();
    assert_eq!(forced(&look(), Some(&before), AT_ONCE), 0, "it has beaten");
}

// Producers that mark, consumers that leave and come: nobody else pays for a mark.
#[test]
fn a_mark_does_not_outlive_its_claim() {
    let own = Own::new();
    let config = shape(ConsumerSync::SequentialSync);
    let (mut producer, [slow, mut fast]) = filled(&own, config, GATED);
    assert_eq!(evicted(&own).done.len(), 1);
    drop(slow);
    let mut newcomer = own.attach();
    assert_eq!((newcomer.number(), read_all(&mut newcomer)), (0, vec![9, 10]));
    for _ in 0..9 {
        let sequence = write_in(&mut producer, PATIENCE);
        assert_eq!(read_all(&mut newcomer), [sequence]);
        assert_eq!(read(&mut fast), Ok(sequence));
    }
}

#[test]
fn a_handle_that_waits_says_that_it_is_there() {
    let own = Own::new();
    let (mut producer, [mut slow, mut fast]) =
        filled(&own, shape(ConsumerSync::SequentialSync), GATED);
    let sent = |producer: &Producer| producer.metrics().get(Metric::HeartbeatsSent);
    let wait = Timeout::After(Duration::from_millis(300));
    let before = sent(&producer);
    assert!(fast.acquire_consume_slot(wait).is_err());
    assert!(sent(&producer) > before, "a consumer that waits for payloads");
    let before = sent(&producer);
    assert!(producer.acquire_write_slot(wait).is_err());
    assert!(sent(&producer) > before, "a producer that waits for room");
    assert!(read(&mut slow).is_ok());
}
