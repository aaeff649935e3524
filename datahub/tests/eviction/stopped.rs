//! A consumer that is stopped by a signal.

use std::path::Path;
use std::time::{Duration, Instant};

use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::{Consumer, ReadError};
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::other::{self, Other, say};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// A child that reads, when it has attached.
fn reader(place: &Path) -> Other {
    let mut other =
        Other::start("eviction::stopped::role", "reads", &[("PLACE", place.as_os_str())]);
    other.until("ready");
    other
}

fn signal(other: &Other, signal: Signal) {
    kill(Pid::from_raw(other.child.id().cast_signed()), signal).unwrap();
}

/// Until the kernel says that every thread of the child stands still.
fn stop(other: &Other) {
    signal(other, Signal::SIGSTOP);
    let stands = |entry: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(entry.unwrap().path().join("stat"));
        stat.unwrap().contains(") T ")
    };
    let threads = format!("/proc/{}/task", other.child.id());
    while !std::fs::read_dir(&threads).unwrap().all(stands) {
        std::thread::yield_now();
    }
}

/// Not a test by itself: reads until it is told why not.
#[test]
fn role() {
    if other::role().is_none() {
        return;
    }
    let place = Place::File(std::env::var_os("PLACE").unwrap().into());
    let mut consumer = Consumer::attach(place.clone(), JoinAt::Oldest).unwrap();
    say("ready");
    let mut last = None;
    let why = loop {
        match consumer.acquire_consume_slot(PATIENCE) {
            Ok(slot) => {
                assert!(slot.iter().all(|&byte| byte == slot[0]), "torn");
                last = Some(slot.sequence());
            }
            Err(error) => break error,
        }
    };
    let ReadError::Evicted { at } = why else { panic!("{why}") };
    assert_eq!(at, last.map_or(0, |last| last + 1));
    say(&format!("evicted at {at}"));
    drop(consumer);
    let mut again = Consumer::attach(place, JoinAt::Latest).unwrap();
    again.acquire_consume_slot(PATIENCE).unwrap();
    say("back");
}

fn write(producer: &mut Producer, timeout: Timeout) -> bool {
    let Ok(mut slot) = producer.acquire_write_slot(timeout) else { return false };
    let byte = u8::try_from(slot.sequence() % 251).unwrap();
    slot.payload().fill(byte);
    slot.commit(256).is_ok()
}

#[test]
fn a_stopped_consumer_is_gone_without_after_the_producers_patience() {
    let after = Duration::from_millis(300);
    let config = BlockConfig::new(ConsumerSync::SequentialSync, 4, 256).unwrap();
    let config = config.evict_after(after).unwrap();
    let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
    let mut role = reader(&producer.path());
    for _ in 0..100 {
        assert!(write(&mut producer, PATIENCE));
    }
    stop(&role);
    let mut longest = Duration::ZERO;
    let mut written = 0;
    while producer.metrics().get(Metric::Evictions) == 0 {
        let begun = Instant::now();
        assert!(write(&mut producer, PATIENCE));
        longest = longest.max(begun.elapsed());
        written += 1;
    }
    assert!(written <= 5, "{written} payloads before a ring of four was full");
    assert!(longest >= after, "evicted after {longest:?}");
    for _ in 0..100 {
        assert!(write(&mut producer, Timeout::Now), "nobody is in the way any more");
    }
    signal(&role, Signal::SIGCONT);
    role.until("evicted at");
    // It leaves, and comes back as a newcomer.
    role.until("back");
    assert_eq!(producer.metrics().get(Metric::Evictions), 1);
}

#[test]
fn a_consumer_that_dies_after_it_was_evicted_leaves_its_seat() {
    let config = BlockConfig::new(ConsumerSync::Sequential, 2, 256).unwrap();
    let config = config.evict_after(Duration::from_millis(2)).unwrap();
    let config = config.max_consumers(1).unwrap();
    let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
    let role = reader(&producer.path());
    stop(&role);
    for _ in 0..10 {
        assert!(write(&mut producer, PATIENCE));
    }
    let place = Place::File(producer.path());
    assert!(Consumer::attach(place.clone(), JoinAt::Oldest).is_err(), "its seat is its own");
    drop(role);
    let mut next = Consumer::attach(place, JoinAt::Oldest).unwrap();
    assert_eq!(next.acquire_consume_slot(Timeout::Now).unwrap().sequence(), 8);
}
