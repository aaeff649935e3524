//! Deaths of real processes: the survivors go on, and nothing stays behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

#[path = "support/other.rs"]
mod other;

use std::path::Path;
use std::time::{Duration, Instant};

use datahub::config::{BlockConfig, ConsumerSync, OnFull};
use datahub::consumer::{Consumer, ReadError};
use datahub::memory::Shared;
use datahub::metrics::Metric;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::{Timeout, WaitStrategy};
use other::{Other, say};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

fn write(producer: &mut Producer, timeout: Timeout) -> u64 {
    let mut slot = producer.acquire_write_slot(timeout).unwrap();
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    slot.commit(8).unwrap()
}

/// A child that plays `role` at `place`, when it says that it is where it should be.
fn ready(role: &str, place: &Path) -> Other {
    let mut other = Other::start("role", role, &[("PLACE", place.as_os_str())]);
    other.until("ready");
    other
}

/// Not a test by itself: what a child process does.
#[test]
fn role() {
    let Some(role) = other::role() else { return };
    let place = Place::File(std::env::var_os("PLACE").unwrap().into());
    match role.as_str() {
        "holds-a-payload" => {
            let mut consumer = Consumer::attach(place, JoinAt::Latest).unwrap();
            let _slot = consumer.acquire_consume_slot(PATIENCE).unwrap();
            stay();
        }
        "reads-nothing" => {
            let _consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
            stay();
        }
        "sleeps" => {
            let mut consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
            consumer.set_wait(WaitStrategy::Park);
            say("ready");
            let sequence = consumer.acquire_consume_slot(PATIENCE).unwrap().sequence();
            say(&format!("read {sequence}"));
        }
        "half-writes" => {
            let Place::File(path) = place else { return };
            let folder = Folder::at(path.parent().unwrap());
            let config = BlockConfig::new(ConsumerSync::LatestOnly, 1, 8).unwrap();
            let name = BlockName::new("half").unwrap();
            let mut producer = Producer::create_with(Shared, &folder, &name, config).unwrap();
            write(&mut producer, Timeout::Now);
            write(&mut producer, Timeout::Now);
            let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
            slot.payload().fill(0xee);
            stay();
        }
        other => panic!("no role is called {other}"),
    }
}

fn stay() {
    say("ready");
    // The parent kills this process, or dies and takes it along.
    nix::unistd::pause();
}

fn unnamed(config: BlockConfig) -> Producer {
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

// F6: exactly the dead reader's bit is cleared, by whoever waits for it.
#[test]
fn a_reader_killed_inside_a_slot_stops_nobody() {
    let config = BlockConfig::new(ConsumerSync::LatestOnly, 1, 8).unwrap();
    let mut producer = unnamed(config.with_physical_slots(2).unwrap());
    let place = producer.path();
    write(&mut producer, Timeout::Now);
    let role = ready("holds-a-payload", &place);
    let mut survivor = Consumer::attach(Place::File(place), JoinAt::Latest).unwrap();
    write(&mut producer, Timeout::Now);
    assert!(producer.acquire_write_slot(Timeout::Now).is_err(), "the child holds the other slot");

    drop(role);
    assert_eq!(write(&mut producer, PATIENCE), 2);
    assert_eq!(survivor.acquire_consume_slot(Timeout::Now).unwrap().sequence(), 2);
    assert_eq!(producer.metrics().get(Metric::RecoveryActions), 1);
}

// F21: a dead consumer's cursor gates nobody.
#[test]
fn a_sequential_consumer_killed_behind_a_full_ring_stops_nobody() {
    let mut producer = unnamed(BlockConfig::new(ConsumerSync::SequentialSync, 2, 8).unwrap());
    let role = ready("reads-nothing", &producer.path());
    write(&mut producer, Timeout::Now);
    write(&mut producer, Timeout::Now);
    assert!(producer.acquire_write_slot(Timeout::Now).is_err());
    drop(role);
    for sequence in 2..10 {
        assert_eq!(write(&mut producer, PATIENCE), sequence);
    }
}

// A caller who never waits a millisecond is not blocked by the dead either.
#[test]
fn a_polling_producer_finds_out_that_a_consumer_is_dead() {
    for on_full in [OnFull::Block, OnFull::Error] {
        let config = BlockConfig::new(ConsumerSync::SequentialSync, 2, 8).unwrap();
        let mut producer = unnamed(config.on_full(on_full));
        let role = ready("reads-nothing", &producer.path());
        write(&mut producer, Timeout::Now);
        write(&mut producer, Timeout::Now);
        drop(role);
        let limit = Instant::now() + Duration::from_secs(20);
        while producer.acquire_write_slot(Timeout::Now).is_err() {
            assert!(Instant::now() < limit, "the dead consumer blocks for ever");
        }
    }
}

#[test]
fn a_polling_consumer_finds_out_that_the_producer_is_dead() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let name = BlockName::new("half").unwrap();
    let place = Place::Named { folder: Folder::at(root.path()), name };
    let role = ready("half-writes", &place.path());
    let mut consumer = Consumer::attach(place, JoinAt::Latest).unwrap();
    drop(role);
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        match consumer.acquire_consume_slot(Timeout::Now).map(|_| ()) {
            Err(ReadError::ProducerDead { .. }) => return,
            other => assert!(Instant::now() < limit, "{other:?} for ever"),
        }
    }
}

#[test]
fn a_dead_consumers_seat_is_given_to_the_next() {
    let config = BlockConfig::new(ConsumerSync::Sequential, 2, 8).unwrap();
    let producer = unnamed(config.max_consumers(1).unwrap());
    let place = producer.path();
    let role = ready("reads-nothing", &place);
    assert!(Consumer::attach(Place::File(place.clone()), JoinAt::Oldest).is_err());
    drop(role);
    assert_eq!(Consumer::attach(Place::File(place), JoinAt::Oldest).unwrap().number(), 0);
}

// F10, decision 20: what a killed producer promised is still there, and the half-written slot is not.
#[test]
fn a_producer_killed_in_a_write_leaves_what_it_promised() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let folder = Folder::at(root.path());
    let name = BlockName::new("half").unwrap();
    let place = Place::Named { folder: folder.clone(), name: name.clone() };
    let role = ready("half-writes", &place.path());
    let mut consumer = Consumer::attach(place, JoinAt::Latest).unwrap();
    drop(role);

    assert_eq!(&*consumer.acquire_consume_slot(Timeout::Now).unwrap(), 1_u64.to_le_bytes());
    let dead = consumer.acquire_consume_slot(PATIENCE).map(|_| ());
    assert!(matches!(dead, Err(ReadError::ProducerDead { .. })), "{dead:?}");

    let config = BlockConfig::new(ConsumerSync::LatestOnly, 1, 8).unwrap();
    let mut next = Producer::create_with(Shared, &folder, &name, config).unwrap();
    for sequence in 2..20 {
        assert_eq!(write(&mut next, Timeout::Now), sequence);
        let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
        assert_eq!(&*slot, sequence.to_le_bytes());
    }
}

#[test]
fn a_parked_consumer_is_woken_by_the_next_commit() {
    let config = BlockConfig::new(ConsumerSync::Sequential, 2, 8).unwrap().parking(true);
    let mut producer = unnamed(config);
    let mut role = ready("sleeps", &producer.path());
    // Until the child is seen asleep, so that the wake-up is what is tested.
    let status = format!("/proc/{}/stat", role.child.id());
    let limit = Instant::now() + Duration::from_secs(20);
    while !std::fs::read_to_string(&status).unwrap().contains(") S ") && Instant::now() < limit {
        std::thread::yield_now();
    }
    write(&mut producer, Timeout::Now);
    role.until("read 0");
}
