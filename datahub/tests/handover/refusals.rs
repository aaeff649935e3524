//! Hand-overs that do not happen: the reason is told, and the old block goes on.

use datahub::config::{BlockConfig, ConsumerSync, OnFull};
use datahub::consumer::Consumer;
use datahub::memory::Shared;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::producer::create::CreateError;
use datahub::producer::hand_over::HandOverReason as Why;
use datahub::ring::reader::JoinAt;
use datahub::schema::Schema;
use datahub::shm::{Folder, reopenable};
use datahub::wait::Timeout;

use super::own::{Own, name};
use super::payloads::{PATIENCE, files, read, read_on, shape, write_some};

const SYNC: ConsumerSync = ConsumerSync::SequentialSync;

/// Hands over in vain; the producer and its consumers go on.
fn refused(producer: Producer, config: BlockConfig) -> (Producer, Why) {
    let before = producer.get_commit_index();
    let error = producer.hand_over(config).unwrap_err();
    assert!(error.to_string().contains("was not handed over: "), "{error}");
    let mut producer = *error.producer;
    let mut newcomer = Consumer::attach(Place::File(producer.path()), JoinAt::Latest).unwrap();
    write_some(&mut producer, 1);
    assert_eq!(read_on(&mut newcomer).0.last(), Some(&before));
    (producer, error.reason)
}

#[derive(Clone, Copy, Schema)]
#[repr(C)]
struct Pose {
    x: f64,
}

#[derive(Clone, Copy, Schema)]
#[repr(C)]
struct Twist {
    x: f64,
    y: f64,
}

#[test]
fn what_consumers_were_promised_cannot_be_taken_back() {
    let producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 8, 64)).unwrap();
    let mut consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
    let (producer, why) = refused(producer, shape(SYNC, 8, 63));
    assert!(matches!(why, Why::PayloadBytes { old: 64, new: 63 }), "{why}");
    let (producer, why) = refused(producer, shape(ConsumerSync::LatestOnly, 8, 64));
    assert!(matches!(why, Why::Policy { .. }), "{why}");
    let (producer, why) = refused(producer, shape(SYNC, 8, 64).on_full(OnFull::Overwrite));
    assert!(matches!(why, Why::Policy { .. }), "{why}");
    // Whether the producer waits when the ring is full is its own affair.
    let producer = producer.hand_over(shape(SYNC, 8, 64).on_full(OnFull::Error)).unwrap();
    assert_eq!(read_on(&mut consumer).0, [0, 1, 2]);

    let typed = |bytes| shape(SYNC, 8, bytes).slot_schema::<Pose>().unwrap();
    let producer = producer.hand_over(typed(64)).unwrap();
    read_on(&mut consumer);
    let (producer, why) = refused(producer, shape(SYNC, 8, 64));
    assert!(matches!(why, Why::Schema { .. }), "{why}");
    let (producer, why) = refused(producer, shape(SYNC, 8, 64).slot_schema::<Twist>().unwrap());
    assert!(matches!(why, Why::Schema { .. }), "{why}");
    assert!(producer.hand_over(typed(80)).is_ok());
}

#[test]
fn every_consumer_needs_its_seat_there() {
    let mut producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 4, 8)).unwrap();
    let place = Place::File(producer.path());
    let first = Consumer::attach(place.clone(), JoinAt::Oldest).unwrap();
    let mut second = Consumer::attach(place, JoinAt::Oldest).unwrap();
    let two = shape(SYNC, 4, 8).max_consumers(1).unwrap();
    let error = producer.hand_over(two.clone()).unwrap_err();
    assert!(matches!(error.reason, Why::Seats { seat: 1, seats: 1 }), "{error}");
    producer = *error.producer;
    drop(first);
    write_some(&mut producer, 1);
    assert_eq!(read(&mut second, Timeout::Now), Ok(0));
    drop(second);
    assert!(producer.hand_over(two).is_ok());
}

#[test]
fn a_stream_moves_on_only_when_everybody_has_come() {
    let mut producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 4, 8)).unwrap();
    let mut consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
    write_some(&mut producer, 1);
    let producer = producer.hand_over(shape(SYNC, 4, 8)).unwrap();
    let (producer, why) = refused(producer, shape(SYNC, 4, 8));
    assert!(matches!(why, Why::Unfinished { consumers: 1 }), "{why}");
    assert_eq!(read_on(&mut consumer).0, [0, 1]);
    let mut producer = producer.hand_over(shape(SYNC, 4, 8)).unwrap();
    write_some(&mut producer, 1);
    assert_eq!(read_on(&mut consumer).0, [2]);
}

#[test]
fn a_successor_for_which_there_is_no_room_changes_nothing() {
    let producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 1, 8)).unwrap();
    let huge = shape(SYNC, 1 << 16, 1 << 30);
    let (_producer, why) = refused(producer, huge);
    assert!(matches!(why, Why::Create(_)), "{why}");
}

#[test]
fn a_folder_whose_path_has_no_room_in_the_header_is_refused() {
    let own = Own::new();
    let deep = (0..4).fold(own.folder.path().to_owned(), |path, _| path.join("d".repeat(200)));
    std::fs::create_dir_all(&deep).unwrap();
    let folder = Folder::at(&deep);
    let config = shape(SYNC, 4, 8);
    let producer = Producer::create_with(Shared, &folder, &name(), config.clone()).unwrap();
    let (_producer, why) = refused(producer, config);
    assert!(matches!(why, Why::Path(_)), "{why}");
}

// F18: the name of somebody else's block is not taken.
#[test]
fn a_name_that_leads_elsewhere_is_not_taken() {
    let own = Own::new();
    let producer = own.create(shape(SYNC, 4, 8));
    std::fs::remove_file(own.place().path()).unwrap();
    let mut other = own.create(shape(SYNC, 4, 16));
    let (producer, why) = refused(producer, shape(SYNC, 4, 64));
    assert!(matches!(why, Why::NameLost), "{why}");
    drop(producer);
    write_some(&mut other, 1);
    assert_eq!(read(&mut own.attach(), PATIENCE), Ok(0));
    assert_eq!(files(&own), ["datahub.imu"]);
}

// Two producers would go on with one stream, and who has not followed yet would read the wrong one.
#[test]
fn a_block_whose_stream_has_moved_is_not_taken_over() {
    let mut producer = Producer::create_unnamed(&Folder::default(), shape(SYNC, 4, 8)).unwrap();
    let mut consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
    write_some(&mut producer, 1);
    let mut producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    let old = reopenable(consumer.block().file());
    for _ in 0..2 {
        let refused = Producer::take_over_with(Shared, &old, &shape(SYNC, 4, 8));
        assert!(matches!(refused, Err(CreateError::Moved { .. })), "{refused:?}");
    }
    write_some(&mut producer, 1);
    assert_eq!(read_on(&mut consumer).0, [0, 1]);
}

// A name that leads to the old block again: a copy that somebody kept.
#[test]
fn a_moved_block_under_the_name_is_replaced_and_its_consumers_still_follow() {
    let own = Own::new();
    let mut producer = own.create(shape(SYNC, 4, 8));
    let mut consumer = own.attach();
    write_some(&mut producer, 1);
    let spare = own.folder.path().join("spare");
    std::fs::hard_link(own.place().path(), &spare).unwrap();
    let mut producer = producer.hand_over(shape(SYNC, 4, 64)).unwrap();
    let aside = own.folder.path().join("aside");
    std::fs::rename(own.place().path(), &aside).unwrap();
    std::fs::rename(&spare, own.place().path()).unwrap();
    drop(own.create(shape(SYNC, 4, 8)));
    std::fs::rename(&aside, own.place().path()).unwrap();
    write_some(&mut producer, 1);
    assert_eq!(read_on(&mut consumer).0, [0, 1]);
}
