//! The ones who die: this very program, started again; the variable `ROLE` tells it how.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use datahub::config::ConsumerSync;
use datahub::consumer::Consumer;
use datahub::memory::Shared;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use nix::sys::signal::Signal;

use super::mortal::mortal;
use super::own::{Own, PATIENCE, batches, name, shape, write, write_three};

/// A child process that is killed, however the test ends.
pub(super) struct Role(pub(super) Child, BufReader<ChildStdout>);

impl Role {
    pub(super) fn start(role: &str, own: &Own) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "recovery::role::role", "--nocapture"])
            .envs([("ROLE", role), ("PARENT", &std::process::id().to_string())])
            .env("FOLDER", own.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self(child, output)
    }

    /// Until the child says that it is where it should be.
    pub(super) fn ready(role: &str, own: &Own) -> Self {
        let mut started = Self::start(role, own);
        let mut line = String::new();
        while line.trim_end() != "ready" {
            line.clear();
            assert_ne!(started.1.read_line(&mut line).unwrap(), 0, "the child ended early");
        }
        started
    }

    pub(super) fn kill(mut self) {
        self.0.kill().unwrap();
        self.dies();
    }

    pub(super) fn dies(&mut self) {
        assert!(!self.0.wait().unwrap().success());
    }

    pub(super) fn process(&self) -> u64 {
        self.0.id().into()
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
    let place = Place::Named { folder: folder.clone(), name: name() };
    match role.as_str() {
        "holds-a-payload" => {
            let mut consumer = Consumer::attach(place, JoinAt::Latest).unwrap();
            let _slot = consumer.acquire_consume_slot(PATIENCE).unwrap();
            stay();
        }
        "produces" => {
            let config = shape(ConsumerSync::SequentialSync);
            let mut producer = Producer::create_with(Shared, &folder, &name(), config).unwrap();
            write(&mut producer);
            stay();
        }
        site => {
            let (policy, site) = site.split_once(':').unwrap();
            let sync = match policy {
                "latest" => ConsumerSync::LatestOnly,
                _ => ConsumerSync::SequentialSync,
            };
            let config = if policy == "batch" { batches() } else { shape(sync) };
            let mem = mortal(site);
            let mut producer = Producer::create_with(mem, &folder, &name(), config).unwrap();
            for _ in 0..9 {
                if policy == "batch" {
                    write_three(&mut producer);
                } else {
                    write(&mut producer);
                }
            }
        }
    }
}

pub(super) fn stay() {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\nready").unwrap();
    output.flush().unwrap();
    // The parent kills this process, or dies and takes it along.
    nix::unistd::pause();
}
