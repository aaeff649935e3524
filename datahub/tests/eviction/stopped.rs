//! A consumer that is stopped by a signal (the test's own program, started again; `ROLE` tells it).

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
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

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// A child that is killed, however the test ends.
struct Role(Child, BufReader<ChildStdout>);

impl Role {
    fn start(place: PathBuf) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "eviction::stopped::role", "--nocapture"])
            .envs([("ROLE", "reads"), ("PARENT", &std::process::id().to_string())])
            .env("PLACE", place)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut role = Self(child, output);
        role.until("ready");
        role
    }

    fn until(&mut self, word: &str) -> String {
        let mut line = String::new();
        while !line.starts_with(word) {
            line.clear();
            assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the child ended early");
        }
        line.trim_end().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    /// Until the kernel says that every thread of the child stands still.
    fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        let stands = |entry: std::io::Result<std::fs::DirEntry>| {
            let stat = std::fs::read_to_string(entry.unwrap().path().join("stat"));
            stat.unwrap().contains(") T ")
        };
        let threads = format!("/proc/{}/task", self.0.id());
        while !std::fs::read_dir(&threads).unwrap().all(stands) {
            std::thread::yield_now();
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _already_dead = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Not a test by itself: reads until it is told why not.
#[test]
fn role() {
    if std::env::var("ROLE").is_err() {
        return;
    }
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
    assert_eq!(std::env::var("PARENT").unwrap(), nix::unistd::getppid().to_string());
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

fn say(word: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\n{word}").unwrap();
    output.flush().unwrap();
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
    let mut role = Role::start(producer.path());
    for _ in 0..100 {
        assert!(write(&mut producer, PATIENCE));
    }
    role.stop();
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
    role.signal(Signal::SIGCONT);
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
    let role = Role::start(producer.path());
    role.stop();
    for _ in 0..10 {
        assert!(write(&mut producer, PATIENCE));
    }
    let place = Place::File(producer.path());
    assert!(Consumer::attach(place.clone(), JoinAt::Oldest).is_err(), "its seat is its own");
    drop(role);
    let mut next = Consumer::attach(place, JoinAt::Oldest).unwrap();
    assert_eq!(next.acquire_consume_slot(Timeout::Now).unwrap().sequence(), 8);
}
