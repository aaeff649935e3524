//! Deaths at chosen moments of a hand-over: the old block goes on or the stream has moved, never both.

use datahub::config::ConsumerSync;
use datahub::consumer::{Consumer, ReadError};
use datahub::monitor::Monitor;
use datahub::producer::Producer;
use datahub::recovery::recover;

use super::own::Own;
use super::payloads::{PATIENCE, files, read, shape, write};
use super::role::{dies, go, ready};

const SYNC: ConsumerSync = ConsumerSync::SequentialSync;

/// Reads and follows until `end` comes next.
fn read_until(consumer: &mut Consumer, end: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while consumer.next_sequence() < end {
        match read(consumer, PATIENCE) {
            Ok(sequence) => seen.push(sequence),
            Err(ReadError::Moved) => consumer.follow(PATIENCE).unwrap(),
            // Its successor is us.
            Err(ReadError::ProducerDead { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    seen
}

/// Whoever has the name goes on.
fn successor(own: &Own) -> Producer {
    let config = Monitor::open(&own.place()).unwrap().block().geometry().config.clone();
    own.create(config)
}

/// The producer dies in a hand-over, before its `visit`-th step at `site`. Whether the stream has moved.
fn producer_dies(site: &str, visit: u32, recovers: bool) -> bool {
    let own = Own::new();
    let mut role = ready(&format!("hands-over {site}:{visit}"), &own, &own.place());
    let (mut behind, mut ahead) = (own.attach(), own.attach());
    assert_eq!(read_until(&mut ahead, 2), [0, 1]);
    go(&mut role);
    dies(role);

    if recovers {
        recover(&own.place()).unwrap();
        assert!(datahub::recovery::plan(&own.place()).unwrap().is_clean());
    }
    let mut producer = successor(&own);
    let moved = producer.config().payload_bytes() == 64;
    let next = producer.get_commit_index();
    assert!(next == 3 || moved && next == 4, "{site}:{visit} goes on with {next}");
    assert_eq!(write(&mut producer, PATIENCE), Some(next));
    assert_eq!(files(&own), ["datahub.imu"], "{site}:{visit}");
    assert_eq!(read_until(&mut behind, next + 1), (0..=next).collect::<Vec<_>>());
    assert_eq!(read_until(&mut ahead, next + 1), (2..=next).collect::<Vec<_>>());
    let mut newcomer = own.attach();
    assert_eq!(read_until(&mut newcomer, next + 1).last(), Some(&next));
    assert_eq!(producer.still_to_move(), 0);
    // Another hand-over finds nothing in its way.
    let mut producer = producer.hand_over(shape(SYNC, 4, 128)).unwrap();
    write(&mut producer, PATIENCE).unwrap();
    for consumer in [&mut behind, &mut ahead, &mut newcomer] {
        assert_eq!(read_until(consumer, next + 2), [next + 1]);
    }
    moved
}

#[test]
fn a_producer_that_dies_before_the_name_changed_hands_has_not_moved() {
    for (site, visit) in [
        ("W_WHERE", 1),
        ("G_FREEZE", 1),
        ("G_FREEZE", 2),
        ("G_KEEP", 1),
        ("G_KEEP", 2),
        ("W_MOVING", 1),
    ] {
        for recovers in [false, true] {
            assert!(!producer_dies(site, visit, recovers), "{site}:{visit}");
        }
    }
}

#[test]
fn a_producer_that_dies_after_the_name_changed_hands_has_moved() {
    // The mark in the old block, then what the new producer does first, then its first commit.
    for (site, visit) in [
        ("W_MOVED", 1),
        ("X_SCAN", 1),
        ("W_BEGIN", 1),
        ("H_CLAIM", 1),
        ("W_LABEL", 1),
        ("W_COMMIT_INDEX", 2),
    ] {
        for recovers in [false, true] {
            assert!(producer_dies(site, visit, recovers), "{site}:{visit}");
        }
    }
}

#[test]
fn a_consumer_that_dies_while_it_moves_is_cleared() {
    for site in [
        "R_WHERE",
        "G_KEPT",
        "H_CLAIM",
        "H_IDENTITY",
        "H_LIVE",
        "C_ARRIVE",
        "C_LEAVE",
        "H_RETIRE",
        "H_FREE",
    ] {
        let own = Own::new();
        let mut producer = own.create(shape(SYNC, 2, 8));
        write(&mut producer, PATIENCE).unwrap();
        let mut role = ready(&format!("moves {site}:1"), &own, &own.place());
        let mut survivor = own.attach();
        let mut producer = producer.hand_over(shape(SYNC, 2, 64)).unwrap();
        assert_eq!(producer.still_to_move(), 0b11, "{site}");
        go(&mut role);
        dies(role);
        assert_eq!(read_until(&mut survivor, 1), [0]);
        for sequence in 1..6 {
            assert_eq!(write(&mut producer, PATIENCE), Some(sequence), "{site}");
            assert_eq!(read_until(&mut survivor, sequence + 1), [sequence], "{site}");
        }
        assert_eq!(producer.still_to_move(), 0, "{site}");
        assert!(producer.hand_over(shape(SYNC, 2, 64)).is_ok(), "{site}");
    }
}

// F20, F21: the seat kept for a dead consumer gates nobody, that of a living one does.
#[test]
fn a_consumer_that_dies_before_it_moves_keeps_nobody_waiting() {
    let own = Own::new();
    let producer = own.create(shape(SYNC, 2, 8));
    let role = ready("holds", &own, &own.place());
    let mut producer = producer.hand_over(shape(SYNC, 2, 64)).unwrap();
    for sequence in 0..2 {
        assert_eq!(write(&mut producer, PATIENCE), Some(sequence));
    }
    assert_eq!(write(&mut producer, datahub::wait::Timeout::Now), None);
    drop(role);
    assert_eq!(write(&mut producer, PATIENCE), Some(2));
    assert_eq!(producer.still_to_move(), 0);
}

// Nobody who has the old block open knows the new producer, and the other way round.
#[test]
fn a_successor_of_the_dead_knows_who_is_still_to_come() {
    let own = Own::new();
    let mut role = ready("hands-over", &own, &own.place());
    let mut living = own.attach();
    let dying = ready("holds", &own, &own.place());
    go(&mut role);
    role.until("moved");
    drop(role);
    let mut producer = successor(&own);
    assert_eq!(producer.still_to_move(), 0b11);
    assert!(recover(&own.place()).unwrap().done.is_empty(), "both live");
    drop(dying);
    assert_eq!(producer.still_to_move(), 0b01);
    for sequence in 4..7 {
        assert_eq!(write(&mut producer, PATIENCE), Some(sequence));
    }
    let full = producer.acquire_write_slot(datahub::wait::Timeout::Now).map(drop);
    assert!(full.is_err(), "the living one has read nothing yet");
    assert_eq!(read_until(&mut living, 7), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(write(&mut producer, PATIENCE), Some(7));
}
