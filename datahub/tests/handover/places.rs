//! Names and paths: where the successor is found, and what stays of the old block.

use std::fs;
use std::os::unix::fs::MetadataExt;

use datahub::config::ConsumerSync;
use datahub::consumer::follow::FollowError;
use datahub::consumer::{Consumer, ReadError};
use datahub::monitor::Monitor;
use datahub::monitor::view::Standing;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::recovery::integrity::validate_integrity;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::{Timeout, monotonic_ns};

use super::own::Own;
use super::payloads::{PATIENCE, files, read, read_on, shape, write_some};

const SYNC: ConsumerSync = ConsumerSync::SequentialSync;

#[test]
fn the_successor_has_the_name_and_the_old_file_is_gone() {
    let own = Own::new();
    let mut producer = own.create(shape(SYNC, 4, 8));
    let old = Place::File(producer.path());
    let mut consumer = own.attach();
    let by_path = Consumer::attach(old, JoinAt::Oldest).unwrap();
    write_some(&mut producer, 2);
    let mut producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    write_some(&mut producer, 1);
    assert_eq!(files(&own), ["datahub.imu"]);
    let mut newcomer = own.attach();
    assert_eq!(read_on(&mut newcomer).0, [2], "a newcomer joins the new block");
    assert_eq!(read_on(&mut consumer).0, [0, 1, 2]);
    drop((by_path, newcomer));
    drop(producer);
    assert_eq!(files(&own), [] as [&str; 0]);
}

#[test]
fn who_attaches_by_the_old_path_is_led_to_the_new_block() {
    let producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 4, 8)).unwrap();
    // Keeps the old block, and so its path, alive.
    let old = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
    let descriptor = fs::File::open(producer.path()).unwrap();
    let path = {
        use std::os::fd::AsRawFd;
        format!("/proc/{}/fd/{}", std::process::id(), descriptor.as_raw_fd())
    };
    let mut producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    write_some(&mut producer, 1);
    let mut newcomer = Consumer::attach(Place::File(path.into()), JoinAt::Oldest).unwrap();
    assert_eq!((newcomer.config().payload_bytes(), newcomer.number()), (64, 1));
    assert_eq!(read(&mut newcomer, Timeout::Now), Ok(0));
    drop(old);
}

#[test]
fn observers_are_told_where_the_stream_went_and_who_is_still_to_come() {
    let own = Own::new();
    let producer = own.create(shape(SYNC, 4, 8));
    let mut consumer = own.attach();
    let monitor = Monitor::open(&own.place()).unwrap();
    assert_eq!(monitor.snapshot(monotonic_ns()).moved_to, None);
    let _producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    let old = monitor.snapshot(monotonic_ns());
    assert_eq!((old.moved_to, old.ended), (Some(own.place().path()), false));
    let monitor = Monitor::open(&own.place()).unwrap();
    let new = monitor.snapshot(monotonic_ns());
    assert_eq!((new.moving, new.consumers.len()), (1, 1));
    let seat = new.consumers[0].seat;
    assert_eq!((seat.standing, seat.alive), (Standing::Awaited, true));
    assert!(datahub::recovery::plan(&own.place()).unwrap().is_clean());
    read_on(&mut consumer);
    let new = monitor.snapshot(monotonic_ns());
    assert_eq!((new.moving, new.consumers[0].seat.standing), (0, Standing::Usual));
}

// The old block's memory is free when the last consumer has come, however long the producer goes on.
#[test]
fn nobody_keeps_the_old_block_when_everybody_has_come() {
    let own = Own::new();
    let producer = own.create(shape(SYNC, 4, 8));
    let old = fs::metadata(own.place().path()).unwrap();
    let mut consumer = own.attach();
    let producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    read_on(&mut consumer);
    producer.beat();
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
        let facts = fs::metadata(entry.unwrap().path()).ok()?;
        Some((facts.dev(), facts.ino()))
    });
    assert_eq!(open.filter(|file| *file == (old.dev(), old.ino())).count(), 0);
}

// The one seat is kept for a consumer: whoever checks the block must not sit down in it.
#[test]
fn a_check_of_the_successor_leaves_kept_seats_alone() {
    let own = Own::new();
    let config = |bytes| shape(SYNC, 2, bytes).max_consumers(1).unwrap();
    let mut producer = own.create(config(8));
    let mut consumer = own.attach();
    write_some(&mut producer, 1);
    let mut producer = producer.hand_over(config(64)).unwrap();
    write_some(&mut producer, 1);
    assert!(validate_integrity(&own.place()).unwrap().is_whole());
    assert_eq!(producer.still_to_move(), 0b1);
    assert_eq!(read_on(&mut consumer).0, [0, 1]);
}

// A producer that ends right after the hand-over takes nothing from who is late.
#[test]
fn the_name_stays_until_the_last_consumer_has_come() {
    let own = Own::new();
    let mut producer = own.create(shape(SYNC, 4, 8));
    let (mut first, mut second) = (own.attach(), own.attach());
    write_some(&mut producer, 2);
    let mut producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    write_some(&mut producer, 2);
    drop(producer);
    assert_eq!(files(&own), ["datahub.imu"]);
    assert_eq!(read_on(&mut first), (vec![0, 1, 2, 3], ReadError::Ended));
    assert_eq!(files(&own), ["datahub.imu"]);
    assert_eq!(read_on(&mut second), (vec![0, 1, 2, 3], ReadError::Ended));
    assert_eq!(files(&own), [] as [&str; 0]);
}

#[test]
fn a_late_consumer_of_an_unnamed_block_is_told_what_is_lost() {
    let mut producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 4, 8)).unwrap();
    let mut consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
    write_some(&mut producer, 1);
    drop(producer.hand_over(shape(SYNC, 4, 64)).unwrap());
    assert_eq!(read(&mut consumer, Timeout::Now), Ok(0));
    assert_eq!(read(&mut consumer, PATIENCE), Err(ReadError::Moved));
    let gone = consumer.follow(PATIENCE);
    assert!(matches!(gone, Err(FollowError::Gone { .. })), "{gone:?}");
}

#[test]
fn a_stranger_under_the_name_is_not_followed() {
    let own = Own::new();
    let producer = own.create(shape(SYNC, 4, 8));
    let mut consumer = own.attach();
    let producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    fs::remove_file(own.place().path()).unwrap();
    let _stranger = own.create(shape(SYNC, 4, 64));
    let gone = consumer.follow(PATIENCE);
    assert!(matches!(gone, Err(FollowError::Gone { .. })), "{gone:?}");
    drop(producer);
}

// What a producer leaves that dies between making the successor's name and giving it.
#[test]
fn a_name_left_aside_is_swept_by_the_next_owner() {
    let own = Own::new();
    let aside = own.folder.path().join(".datahub.imu.next");
    let producer = own.create(shape(SYNC, 4, 8));
    fs::write(&aside, b"left behind").unwrap();
    let producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    assert_eq!(files(&own), ["datahub.imu"]);
    fs::write(&aside, b"left behind").unwrap();
    drop(producer);
    assert_eq!(files(&own), [] as [&str; 0]);
}
