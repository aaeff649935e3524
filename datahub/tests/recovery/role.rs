//! The ones who die.

use std::path::PathBuf;

use datahub::config::ConsumerSync;
use datahub::consumer::Consumer;
use datahub::memory::Shared;
use datahub::memory::observed::Observed;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

use super::mortal::{Mortality, mortal};
use super::other::{self, Other, say};
use super::own::{Own, name};
use super::payloads::{PATIENCE, batches, evicting, shape, write, write_in, write_three};

/// A child that plays `role` in this folder.
pub(super) fn start(role: &str, own: &Own) -> Other {
    Other::start("recovery::role::role", role, &[("FOLDER", own.folder.path().as_os_str())])
}

/// The same, when it says that it is where it should be.
pub(super) fn ready(role: &str, own: &Own) -> Other {
    let mut other = start(role, own);
    other.until("ready");
    other
}

/// Waits for the end that the child was meant to have.
pub(super) fn dies(mut other: Other) {
    assert!(!other.child.wait().unwrap().success());
}

/// Not a test by itself: what a child process does.
#[test]
fn role() {
    let Some(role) = other::role() else { return };
    let folder = Folder::at(PathBuf::from(std::env::var_os("FOLDER").unwrap()));
    let place = Place::Named { folder: folder.clone(), name: name() };
    match role.as_str() {
        "holds-a-payload" => {
            let mut consumer = Consumer::attach(place, JoinAt::Latest).unwrap();
            let _slot = consumer.acquire_consume_slot(PATIENCE).unwrap();
            stay();
        }
        "reads-when-told" => {
            let mut consumer = Consumer::attach(place, JoinAt::Latest).unwrap();
            drop(consumer.acquire_consume_slot(PATIENCE).unwrap());
            say("ready");
            std::io::stdin().read_line(&mut String::new()).unwrap();
            let told = consumer.acquire_consume_slot(Timeout::Now).map(|_| ());
            say(&format!("told: {told:?}"));
        }
        "produces" => {
            let config = shape(ConsumerSync::SequentialSync);
            let mut producer = Producer::create_with(Shared, &folder, &name(), config).unwrap();
            write(&mut producer);
            stay();
        }
        site => {
            let (policy, site) = site.split_once(':').unwrap();
            if policy == "evicting" {
                evict(mortal(site), &folder, &place);
            }
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

/// Evicts one slow consumer after the other, each of which pins what it has read, until it dies.
fn evict(mem: Observed<Mortality>, folder: &Folder, place: &Place) -> ! {
    let mut producer = Producer::create_with(mem, folder, &name(), evicting()).unwrap();
    write_in(&mut producer, PATIENCE);
    loop {
        let mut slow = Consumer::attach(place.clone(), JoinAt::Latest).unwrap();
        assert!(slow.acquire_consume_slot(Timeout::Now).is_ok());
        for _ in 0..3 {
            write_in(&mut producer, PATIENCE);
        }
    }
}

pub(super) fn stay() {
    say("ready");
    // The parent kills this process, or dies and takes it along.
    nix::unistd::pause();
}
