//! The other processes, and where they die.

use std::cell::Cell;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

use datahub::config::ConsumerSync;
use datahub::consumer::{Consumer, ReadError};
use datahub::memory::observed::{Observed, Observer};
use datahub::memory::{MappedMemory, Shared};
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::sites::{self, Site};
use nix::sys::signal::{Signal, raise};

use super::other::{self, Other, say};
use super::own::{Own, name};
use super::payloads::{PATIENCE, read, shape, write_some};

/// Dies by SIGKILL at a site, so many visits after it was armed.
#[derive(Debug, Clone)]
struct Mortality {
    site: String,
    left: Rc<Cell<u32>>,
}

impl Mortality {
    /// From `SITE:VISIT`, not armed yet.
    fn parse(text: &str) -> (Self, u32) {
        let (site, visit) = text.split_once(':').unwrap();
        assert!(sites::by_name(site).is_some(), "{site}");
        (Self { site: site.to_owned(), left: Rc::default() }, visit.parse().unwrap())
    }
}

impl Observer for Mortality {
    fn before(&self, site: &'static Site) {
        if site.name == self.site && self.left.get() != 0 {
            self.left.set(self.left.get() - 1);
            if self.left.get() == 0 {
                raise(Signal::SIGKILL).unwrap();
            }
        }
    }
}

/// A child that plays `role`, when it says that it is where it should be.
pub(super) fn ready(role: &str, own: &Own, place: &Place) -> Other {
    let (folder, place) = (own.folder.path(), place.path());
    let variables = [("FOLDER", folder.as_os_str()), ("PLACE", place.as_os_str())];
    let mut other = Other::start("handover::role::role", role, &variables);
    other.until("ready");
    other
}

/// Lets the child go on.
pub(super) fn go(other: &mut Other) {
    other.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
}

/// Waits for the end that the child was meant to have.
pub(super) fn dies(mut other: Other) {
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(other.child.wait().unwrap().signal(), Some(Signal::SIGKILL as i32));
}

/// Not a test by itself: what a child process does.
#[test]
fn role() {
    let Some(role) = other::role() else { return };
    let folder = Folder::at(PathBuf::from(std::env::var_os("FOLDER").unwrap()));
    let place = Place::File(std::env::var_os("PLACE").unwrap().into());
    let (verb, rest) = role.split_once(' ').unwrap_or((&role, ""));
    match verb {
        "reads" => reads(place),
        "holds" => {
            let _consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
            say("ready");
            nix::unistd::pause();
        }
        "hands-over" if rest.is_empty() => hands_over(Shared, &folder, || {}),
        "hands-over" => {
            let (mem, visit) = Mortality::parse(rest);
            hands_over(Observed(mem.clone()), &folder, || mem.left.set(visit));
        }
        "moves" => {
            let (mem, visit) = Mortality::parse(rest);
            moves(Observed(mem.clone()), &place, || mem.left.set(visit));
        }
        other => panic!("no role is called {other}"),
    }
}

/// Reads a stream to its end, wherever it goes; tells the first, the last and how many.
fn reads(place: Place) {
    let mut consumer = Consumer::attach(place, JoinAt::Oldest).unwrap();
    let lossless = consumer.config().consumer_sync() != ConsumerSync::LatestOnly;
    say("ready");
    let (mut first, mut last, mut count, mut moves) = (None, None, 0, 0);
    loop {
        match read(&mut consumer, PATIENCE) {
            Ok(sequence) => {
                assert!(last.is_none_or(|last| sequence > last), "{sequence} after {last:?}");
                let gap = last.is_some_and(|last| sequence != last + 1);
                assert!(!gap || !lossless, "{sequence} after {last:?}");
                first.get_or_insert(sequence);
                last = Some(sequence);
                count += 1;
            }
            Err(ReadError::Moved) => {
                consumer.follow(PATIENCE).unwrap();
                moves += 1;
            }
            Err(ReadError::Ended) => break,
            Err(error) => panic!("{error}"),
        }
    }
    drop(consumer);
    let (first, last) = (first.unwrap(), last.unwrap());
    say(&format!("{first} to {last}, {count} in all, {moves} moves"));
}

/// Writes two payloads, waits for a word, writes one more, hands over, writes one there, and stays.
fn hands_over<M: MappedMemory>(mem: M, folder: &Folder, arm: impl FnOnce()) {
    let config = shape(ConsumerSync::SequentialSync, 4, 8);
    let mut producer = Producer::create_with(mem, folder, &name(), config).unwrap();
    write_some(&mut producer, 2);
    say("ready");
    wait();
    write_some(&mut producer, 1);
    arm();
    let larger = shape(ConsumerSync::SequentialSync, 4, 64);
    let Ok(mut producer) = producer.hand_over(larger) else { panic!("not handed over") };
    write_some(&mut producer, 1);
    say("moved");
    nix::unistd::pause();
}

/// Reads on, follows the stream, reads once there.
fn moves<M: MappedMemory>(mem: M, place: &Place, arm: impl FnOnce()) {
    let mut consumer = Consumer::attach_with(mem, place, JoinAt::Oldest).unwrap();
    say("ready");
    wait();
    while read(&mut consumer, PATIENCE).is_ok() {}
    arm();
    consumer.follow(PATIENCE).unwrap();
    read(&mut consumer, PATIENCE).unwrap();
    drop(consumer);
    panic!("still alive");
}

fn wait() {
    let mut line = String::new();
    assert_ne!(std::io::stdin().read_line(&mut line).unwrap(), 0);
}
