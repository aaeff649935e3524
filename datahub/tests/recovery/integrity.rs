//! Validation, reset and removal: what they find, and what they leave alone.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::thread;

use datahub::config::ConsumerSync;
use datahub::consumer::ReadError;
use datahub::metrics::Metric;
use datahub::monitor::Monitor;
use datahub::monitor::health::{Severity, Thresholds, examine, worst};
use datahub::recovery::diagnosis::diagnose;
use datahub::recovery::integrity::validate_integrity;
use datahub::recovery::removal::{RemoveError, unlink};
use datahub::recovery::{recover, reset_metrics};
use datahub::wait::{Timeout, monotonic_ns};

use super::own::{Own, name};
use super::payloads::{PATIENCE, bytes, plant, read_all, shape, write};
use super::role::ready;

#[test]
fn a_flipped_bit_is_found_and_not_laundered() {
    for alive in [true, false] {
        let own = Own::new();
        let mut producer = own.create(shape(ConsumerSync::SequentialSync));
        for _ in 0..2 {
            write(&mut producer);
        }
        let whole = validate_integrity(&own.place()).unwrap();
        assert!(whole.is_whole() && whole.enforced);
        // The producer has taken the slot of the next sequence already; nothing is promised there.
        let unchecked: Vec<usize> = whole.unchecked.iter().map(|slot| slot.index).collect();
        assert_eq!((whole.verified, unchecked), (2, vec![2]));

        let layout = producer.block().geometry().layout;
        let at = (layout.ring + layout.stride) as u64;
        let file = File::options().write(true).open(own.place().path()).unwrap();
        file.write_all_at(&[0x40], at).unwrap();
        if !alive {
            let copy = own.place().path().with_extension("copy");
            fs::copy(own.place().path(), &copy).unwrap();
            drop(producer);
            fs::rename(copy, own.place().path()).unwrap();
            recover(&own.place()).unwrap();
        }
        for _ in 0..2 {
            let flipped = validate_integrity(&own.place()).unwrap();
            assert!(!flipped.is_whole());
            let wrong: Vec<u64> = flipped.mismatches.iter().map(|found| found.sequence).collect();
            assert_eq!((wrong, flipped.verified), (vec![1], 2));
        }
    }
}

#[test]
fn a_slot_that_is_being_written_is_not_judged() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::LatestOnly));
    write(&mut producer);
    let mut open = producer.acquire_write_slot(Timeout::Now).unwrap();
    open.payload().fill(0xee);
    let integrity = validate_integrity(&own.place()).unwrap();
    assert!(integrity.is_whole());
    assert_eq!(integrity.verified, 1);
    assert_eq!(integrity.unchecked[0].why, "not checked: being written");
}

#[test]
fn validation_says_so_when_it_cannot_keep_the_writer_out() {
    let own = Own::new();
    let config = shape(ConsumerSync::SequentialSync).max_consumers(1).unwrap();
    let mut producer = own.create(config);
    write(&mut producer);
    let _only_seat = own.attach();
    let integrity = validate_integrity(&own.place()).unwrap();
    assert_eq!((integrity.verified, integrity.unchecked.len()), (0, 3));
}

#[test]
fn validation_leaves_no_trace_in_the_seats_and_gates_nobody() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    for _ in 0..2 {
        write(&mut producer);
    }
    validate_integrity(&own.place()).unwrap();
    let view = Monitor::open(&own.place()).unwrap().snapshot(monotonic_ns());
    assert!(view.consumers.is_empty() && view.registered == 0);
    for _ in 0..9 {
        write(&mut producer);
    }
}

// A look from outside takes nothing that moves for damage, and a check disturbs nobody.
#[test]
fn a_block_under_traffic_is_whole_healthy_and_needs_nothing() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::SequentialSync] {
        let own = Own::new();
        let mut producer = own.create(shape(sync));
        let mut consumer = own.attach();
        let monitor = Monitor::open(&own.place()).unwrap();
        thread::scope(|scope| {
            let looked = scope.spawn(|| {
                for _ in 0..300 {
                    let view = monitor.snapshot(monotonic_ns());
                    let findings = examine(&view, None, Thresholds::default());
                    assert!(worst(&findings) <= Some(Severity::Info), "{findings:?}");
                    assert!(diagnose(&view, None, Thresholds::default()).is_clean());
                    let integrity = validate_integrity(&own.place()).unwrap();
                    assert!(integrity.is_whole(), "{integrity:?}");
                }
            });
            while !looked.is_finished() {
                let Ok(mut slot) = producer.acquire_write_slot(PATIENCE) else { break };
                let sequence = slot.sequence();
                slot.payload().copy_from_slice(&sequence.to_le_bytes());
                slot.commit(8).unwrap();
                read_all(&mut consumer);
            }
        });
    }
}

#[test]
fn a_header_that_is_wrong_is_a_result_and_not_an_error() {
    let own = Own::new();
    plant(&own, &[0xab; 8192]);
    let integrity = validate_integrity(&own.place()).unwrap();
    assert!(integrity.header.is_some() && !integrity.is_whole());
    fs::remove_file(own.place().path()).unwrap();
    assert!(validate_integrity(&own.place()).is_err());
}

#[test]
fn a_reset_makes_the_present_counts_zero_and_touches_nothing_else() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    write(&mut producer);
    reset_metrics(&own.place()).unwrap();
    assert_eq!(producer.metrics().get(Metric::SlotsWritten), 0);
    assert_eq!(write(&mut producer), 1);
    assert_eq!(producer.metrics().get(Metric::SlotsWritten), 1);
    assert_eq!(read_all(&mut own.attach()), [0, 1]);
}

#[test]
fn a_living_producers_name_stays_and_a_dead_ones_goes_and_its_consumers_are_told() {
    let own = Own::new();
    let role = ready("produces", &own);
    let mut consumer = own.attach();
    let refused = unlink(&own.folder, &name());
    let process = Some(u64::from(role.child.id()));
    assert!(matches!(refused, Err(RemoveError::Alive { process: p, .. }) if p == process));
    drop(role);
    unlink(&own.folder, &name()).unwrap();
    assert_eq!(own.folder.names().unwrap(), []);
    assert_eq!(read_all(&mut consumer), [0]);
    let ended = consumer.acquire_consume_slot(PATIENCE).map(|_| ());
    assert_eq!(ended, Err(ReadError::Ended));
    assert!(matches!(unlink(&own.folder, &name()), Err(RemoveError::NotFound(_))));
}

#[test]
fn a_file_that_is_no_block_is_not_removed() {
    let own = Own::new();
    plant(&own, b"somebody's notes");
    assert!(matches!(unlink(&own.folder, &name()), Err(RemoveError::NotOurs { .. })));
    assert_eq!(bytes(&own), b"somebody's notes");
}
