//! The other processes: this very program, started again; the variable `ROLE` tells it what to be.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
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

use super::own::{Own, PATIENCE, name, read, shape, write_some};

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

/// A child process that is killed, however the test ends.
pub(super) struct Role(Child, BufReader<ChildStdout>);

impl Role {
    /// Until the child says that it is where it should be.
    pub(super) fn ready(role: &str, own: &Own, place: &Place) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "handover::role::role", "--nocapture"])
            .envs([("ROLE", role), ("PARENT", &std::process::id().to_string())])
            .env("FOLDER", own.folder.path())
            .env("PLACE", place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut role = Self(child, output);
        while role.line() != "ready" {}
        role
    }

    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the child ended early");
        line.trim_end().to_owned()
    }

    /// Lets the child go on.
    pub(super) fn go(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// Waits for the end that the child was meant to have.
    pub(super) fn dies(&mut self) {
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(self.0.wait().unwrap().signal(), Some(Signal::SIGKILL as i32));
    }

    pub(super) fn kill(mut self) {
        self.0.kill().unwrap();
        self.dies();
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _already_dead = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Not a test by itself: what a child process does.
#[test]
fn role() {
    let Ok(role) = std::env::var("ROLE") else { return };
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
    assert_eq!(std::env::var("PARENT").unwrap(), nix::unistd::getppid().to_string());
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

fn say(word: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\n{word}").unwrap();
    output.flush().unwrap();
}

fn wait() {
    let mut line = String::new();
    assert_ne!(std::io::stdin().read_line(&mut line).unwrap(), 0);
}
