//! Recovery after real deaths: the plan names every action and changes no byte, the real run repairs,
//! a second run finds nothing, and nobody alive is touched.
//!
//! A test starts this very program again as the one who dies; the variable `ROLE` tells it how.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync};
use datahub::consumer::{Consumer, ReadError};
use datahub::memory::{Memory, Shared, SharedWord};
use datahub::metrics::Metric;
use datahub::monitor::Monitor;
use datahub::monitor::health::{Severity, Thresholds, examine};
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::recovery::diagnosis::Action;
use datahub::recovery::integrity::validate_integrity;
use datahub::recovery::removal::{RemoveError, unlink};
use datahub::recovery::{RecoverError, plan, recover, reset_metrics};
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::sites;
use datahub::slot::SlotState;
use datahub::wait::{Timeout, monotonic_ns};
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// A block's folder of its own.
struct Own {
    _root: tempfile::TempDir,
    folder: Folder,
}

impl Own {
    fn new() -> Self {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let folder = Folder::at(root.path());
        Self { _root: root, folder }
    }

    fn create(&self, config: BlockConfig) -> Producer {
        Producer::create_with(Shared, &self.folder, &name(), config).unwrap()
    }

    fn place(&self) -> Place {
        Place::Named { folder: self.folder.clone(), name: name() }
    }

    fn attach(&self) -> Consumer {
        Consumer::attach(self.place(), JoinAt::Oldest).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.place().path()).unwrap()
    }
}

/// Leaves a file where a block should be.
fn plant(own: &Own, content: &[u8]) {
    fs::write(own.place().path(), content).unwrap();
    fs::set_permissions(own.place().path(), fs::Permissions::from_mode(0o600)).unwrap();
}

fn name() -> BlockName {
    BlockName::new("imu").unwrap()
}

fn shape(sync: ConsumerSync) -> BlockConfig {
    let config = BlockConfig::new(sync, 2, 8).unwrap();
    config.checksum(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Enforced)
}

fn write<M: Memory<Word = SharedWord> + Clone>(producer: &mut Producer<M>) -> u64 {
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    slot.commit(8).unwrap()
}

fn batches() -> BlockConfig {
    BlockConfig::new(ConsumerSync::SequentialSync, 3, 8).unwrap().batches_of(3).unwrap()
}

fn write_three<M: Memory<Word = SharedWord> + Clone>(producer: &mut Producer<M>) {
    let mut batch = producer.acquire_write_batch(3, Timeout::Now).unwrap();
    for step in 0..3 {
        let sequence = batch.sequence(step);
        batch.payload(step).unwrap().copy_from_slice(&sequence.to_le_bytes());
    }
    batch.commit(8).unwrap();
}

fn read_all(consumer: &mut Consumer) -> Vec<u64> {
    let mut seen = Vec::new();
    while let Ok(slot) = consumer.acquire_consume_slot(Timeout::Now) {
        assert_eq!(&*slot, slot.sequence().to_le_bytes());
        seen.push(slot.sequence());
    }
    seen
}

/// Ends its process by SIGKILL the third time that it comes to a site.
#[derive(Debug, Clone)]
struct Mortal {
    site: u16,
    visits: Rc<Cell<u32>>,
}

impl Mortal {
    fn comes_to<const SITE: u16>(&self) {
        if SITE == self.site {
            self.visits.set(self.visits.get() + 1);
            if self.visits.get() == 3 {
                raise(Signal::SIGKILL).unwrap();
            }
        }
    }
}

impl Memory for Mortal {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        self.comes_to::<SITE>();
        Shared.load::<SITE>(word)
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        self.comes_to::<SITE>();
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        self.comes_to::<SITE>();
        Shared.compare_exchange::<SITE>(word, current, new)
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        self.comes_to::<SITE>();
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {
        self.comes_to::<SITE>();
        Shared.fence::<SITE>();
    }
}

/// A child process that is killed, however the test ends.
struct Role(Child, BufReader<ChildStdout>);

impl Role {
    fn start(role: &str, own: &Own) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role", "--nocapture"])
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
    fn ready(role: &str, own: &Own) -> Self {
        let mut started = Self::start(role, own);
        let mut line = String::new();
        while line.trim_end() != "ready" {
            line.clear();
            assert_ne!(started.1.read_line(&mut line).unwrap(), 0, "the child ended early");
        }
        started
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.dies();
    }

    fn dies(&mut self) {
        assert!(!self.0.wait().unwrap().success());
    }

    fn process(&self) -> u64 {
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
            let site = sites::by_name(site).unwrap();
            let mem = Mortal { site, visits: Rc::default() };
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

fn stay() {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\nready").unwrap();
    output.flush().unwrap();
    // The parent kills this process, or dies and takes it along.
    nix::unistd::pause();
}

/// Plans without changing a byte, then recovers; both say the same, and nothing is left to do.
fn plan_and_recover(own: &Own) -> Vec<Action> {
    let before = own.bytes();
    let planned = plan(&own.place()).unwrap();
    assert!(own.bytes() == before, "planning changed the block");
    assert!(planned.steps.iter().all(|step| step.proof.token_free), "{planned:?}");
    assert_eq!(planned.damage, [] as [String; 0]);

    let report = recover(&own.place(), None).unwrap();
    assert_eq!((&report.done, report.skipped.len()), (&planned.steps, 0));

    let settled = own.bytes();
    assert!(plan(&own.place()).unwrap().is_clean());
    let again = recover(&own.place(), None).unwrap();
    assert!(again.done.is_empty() && own.bytes() == settled, "{again:?}");
    planned.steps.into_iter().map(|step| step.action).collect()
}

#[test]
fn a_healthy_block_needs_nothing() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    let mut consumer = own.attach();
    write(&mut producer);
    assert_eq!(plan_and_recover(&own), []);
    assert_eq!(read_all(&mut consumer), [0]);
}

// F6, F27: exactly the dead one's bits, beside a living producer and a living reader.
#[test]
fn a_consumer_killed_inside_a_slot_is_cleared_beside_the_living() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::LatestOnly));
    write(&mut producer);
    let mut survivor = own.attach();
    let role = Role::ready("holds-a-payload", &own);
    let held = survivor.acquire_consume_slot(Timeout::Now).unwrap();
    assert_eq!(plan_and_recover(&own), []);
    role.kill();

    let slot = held.slot_index();
    let reaped = Action::ReapConsumer { number: 1, pins: vec![slot], gates: false };
    assert_eq!(plan_and_recover(&own), [reaped]);
    let view = Monitor::open(&own.place()).unwrap().snapshot(monotonic_ns());
    assert_eq!(view.slots[slot].readers, 0b1, "the survivor is still inside, and alone");
    assert_eq!(&*held, 0_u64.to_le_bytes());
    drop(held);
    assert_eq!(write(&mut producer), 1);
    assert_eq!(producer.metrics().get(Metric::RecoveryActions), 1);
}

// F21
#[test]
fn a_consumer_killed_behind_a_full_ring_is_found_named_and_cleared() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    write(&mut producer);
    let role = Role::ready("holds-a-payload", &own);
    write(&mut producer);
    let process = role.process();
    let monitor = Monitor::open(&own.place()).unwrap();
    role.kill();

    let view = monitor.snapshot(monotonic_ns());
    assert!(view.is_full());
    assert_eq!(view.consumers[0].seat.process_id(), Some(process));
    let findings = examine(&view, None, Thresholds::default());
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["ring-stuck", "consumer-dead", "slot-held-by-dead"]);
    assert!(findings[0].what.contains(&format!("process {process}")), "{}", findings[0].what);

    let actions = plan_and_recover(&own);
    assert_eq!(actions, [Action::ReapConsumer { number: 0, pins: vec![0], gates: true }]);
    assert_eq!(write(&mut producer), 2);
    assert_eq!(examine(&monitor.snapshot(monotonic_ns()), None, Thresholds::default()), []);
}

/// What is left of a producer that died before its third visit to a site.
fn dead_at(policy: &str, site: &str) -> (Own, Vec<Action>, Vec<u64>) {
    let own = Own::new();
    Role::start(&format!("{policy}:{site}"), &own).dies();
    let actions = plan_and_recover(&own);
    assert!(validate_integrity(&own.place()).unwrap().is_whole());
    let mut consumer = own.attach();
    let seen = read_all(&mut consumer);
    // A new producer goes on where the dead one stopped.
    let sync = consumer.config().clone();
    let mut next = own.create(sync);
    let sequence = write(&mut next);
    assert_eq!(read_all(&mut consumer), [sequence], "{policy}, {site}");
    assert_eq!(sequence, seen.last().unwrap() + 1, "{policy}, {site}");
    drop(next);
    (own, actions, seen)
}

fn settled(index: usize) -> Action {
    Action::SettleSlot { index, from: SlotState::Writing, to: SlotState::Free }
}

// F9, F10, decision 13.
#[test]
fn a_producer_killed_in_a_write_gives_the_slot_up() {
    for policy in ["sequential", "latest"] {
        for site in ["W_LABEL", "W_LENGTH", "W_COMMIT"] {
            let (_own, actions, seen) = dead_at(policy, site);
            assert_eq!(actions, [settled(2), Action::RetireProducer], "{policy}, {site}");
            assert_eq!(seen.last(), Some(&1), "{policy}, {site}");
        }
    }
}

#[test]
fn a_producer_killed_before_it_announced_has_its_commit_announced() {
    for policy in ["sequential", "latest"] {
        let (_own, actions, seen) = dead_at(policy, "W_COMMIT_INDEX");
        let Action::AnnounceCommit { from, to } = actions[0] else { panic!("{actions:?}") };
        assert_eq!((from + 1, to - 1), (to, *seen.last().unwrap()), "{policy}");
        assert_eq!(actions.last(), Some(&Action::RetireProducer), "{policy}");
    }
}

// A batch is published from its last slot on: without its first nobody has seen any of it.
#[test]
fn a_batch_whose_producer_died_is_whole_or_gone() {
    let own = Own::new();
    Role::start("batch:W_COMMIT", &own).dies();
    let given_up = |(index, from)| Action::SettleSlot { index, from, to: SlotState::Free };
    let states = [SlotState::Writing, SlotState::Committed, SlotState::Committed];
    let mut wanted: Vec<Action> = (0..).zip(states).map(given_up).collect();
    wanted.push(Action::RetireProducer);
    assert_eq!(plan_and_recover(&own), wanted);
    assert_eq!(read_all(&mut own.attach()), []);

    let own = Own::new();
    Role::start("batch:W_COMMIT_INDEX", &own).dies();
    let actions = plan_and_recover(&own);
    let Action::AnnounceCommit { from, to } = actions[0] else { panic!("{actions:?}") };
    assert_eq!(to, from + 3);
    assert_eq!(read_all(&mut own.attach()), [from, from + 1, from + 2]);
}

// What a stray pointer left is given up, never announced.
#[test]
fn a_label_that_cannot_be_is_not_believed() {
    let own = Own::new();
    Role::start("sequential:W_COMMIT", &own).dies();
    let block = Monitor::open(&own.place()).unwrap();
    let at = block.block().geometry().layout.slots as u64 + 64 + 8;
    let file = File::options().write(true).open(own.place().path()).unwrap();
    file.write_all_at(&(1_u64 << 40).to_le_bytes(), at).unwrap();
    let planned = plan(&own.place()).unwrap();
    assert_eq!(planned.damage.len(), 1, "{planned:?}");
    let report = recover(&own.place(), None).unwrap();
    let done: Vec<Action> = report.done.into_iter().map(|step| step.action).collect();
    let (index, to) = (1, SlotState::Free);
    let discarded = Action::SettleSlot { index, from: SlotState::Committed, to };
    assert_eq!(done, [discarded, settled(2), Action::RetireProducer]);
    assert!(plan(&own.place()).unwrap().is_clean());
    assert_eq!(read_all(&mut own.attach()), [0]);
}

#[test]
fn a_latest_only_producer_killed_before_it_led_readers_on_is_finished() {
    let (_own, actions, seen) = dead_at("latest", "W_LATEST");
    let [Action::PointAtNewest { sequence, .. }, Action::RetireProducer] = actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(seen, [sequence]);
}

#[test]
fn consumers_of_a_recovered_block_read_what_is_left_and_are_told() {
    let own = Own::new();
    let role = Role::ready("produces", &own);
    let mut consumer = own.attach();
    role.kill();
    assert_eq!(plan_and_recover(&own), [Action::RetireProducer]);
    assert_eq!(read_all(&mut consumer), [0]);
    let dead = consumer.acquire_consume_slot(PATIENCE).map(|_| ());
    assert!(matches!(dead, Err(ReadError::ProducerDead { .. })), "{dead:?}");
}

#[test]
fn a_stopped_consumer_is_evicted_by_force_only_and_by_the_right_name_only() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    write(&mut producer);
    let role = Role::ready("holds-a-payload", &own);
    kill(Pid::from_raw(role.0.id().cast_signed()), Signal::SIGSTOP).unwrap();
    write(&mut producer);
    let monitor = Monitor::open(&own.place()).unwrap();
    // As it will look in six seconds.
    let later = monotonic_ns() + 6_000_000_000;
    while !monitor.snapshot(later).consumers[0].seat.is_stopped() {
        std::thread::yield_now();
    }
    let view = monitor.snapshot(later);
    let findings = examine(&view, None, Thresholds::default());
    assert_eq!((findings[0].rule, findings[0].severity), ("ring-stuck", Severity::Critical));
    let diagnosis = datahub::recovery::diagnosis::diagnose(&view, Thresholds::default());
    assert!(diagnosis.is_clean(), "nothing is done without force");
    assert!(matches!(diagnosis.forced[0].action, Action::EvictConsumer { number: 0, .. }));
    assert!(!diagnosis.forced[0].proof.token_free);

    assert!(recover(&own.place(), None).unwrap().done.is_empty());
    let other = BlockName::new("imu2").unwrap();
    let refused = recover(&own.place(), Some(&other));
    assert!(matches!(refused, Err(RecoverError::ForceName { .. })));
    let by_path = Place::File(own.place().path());
    assert!(matches!(recover(&by_path, Some(&name())), Err(RecoverError::ForceName { .. })));
    assert_eq!(monitor.snapshot(later).registered, 1);
}

#[test]
fn a_flipped_bit_is_found_and_not_laundered() {
    for alive in [true, false] {
        let own = Own::new();
        let mut producer = own.create(shape(ConsumerSync::SequentialSync));
        for _ in 0..2 {
            write(&mut producer);
        }
        let whole = validate_integrity(&own.place()).unwrap();
        assert!(whole.is_whole() && whole.enforced);
        assert_eq!((whole.verified, whole.unchecked.len()), (2, 0));

        let layout = producer.block().geometry().layout;
        let at = (layout.ring + layout.stride) as u64;
        let file = File::options().write(true).open(own.place().path()).unwrap();
        file.write_all_at(&[0x40], at).unwrap();
        if !alive {
            let copy = own.place().path().with_extension("copy");
            fs::copy(own.place().path(), &copy).unwrap();
            drop(producer);
            fs::rename(copy, own.place().path()).unwrap();
            recover(&own.place(), None).unwrap();
        }
        for _ in 0..2 {
            let flipped = validate_integrity(&own.place()).unwrap();
            assert!(!flipped.is_whole());
            let wrong: Vec<u64> = flipped.mismatches.iter().map(|found| found.sequence).collect();
            assert_eq!((wrong, flipped.verified), (vec![1], 2));
        }
    }
}

#[test]
fn a_slot_that_is_being_written_is_not_judged() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::LatestOnly));
    write(&mut producer);
    let mut open = producer.acquire_write_slot(Timeout::Now).unwrap();
    open.payload().fill(0xee);
    let integrity = validate_integrity(&own.place()).unwrap();
    assert!(integrity.is_whole());
    assert_eq!(integrity.verified, 1);
    assert_eq!(integrity.unchecked[0].why, "not checked: being written");
}

#[test]
fn validation_says_so_when_it_cannot_keep_the_writer_out() {
    let own = Own::new();
    let config = shape(ConsumerSync::SequentialSync).max_consumers(1).unwrap();
    let mut producer = own.create(config);
    write(&mut producer);
    let _only_seat = own.attach();
    let integrity = validate_integrity(&own.place()).unwrap();
    assert_eq!((integrity.verified, integrity.unchecked.len()), (0, 3));
}

#[test]
fn validation_leaves_no_trace_in_the_seats_and_gates_nobody() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    for _ in 0..2 {
        write(&mut producer);
    }
    validate_integrity(&own.place()).unwrap();
    let view = Monitor::open(&own.place()).unwrap().snapshot(monotonic_ns());
    assert!(view.consumers.is_empty() && view.registered == 0);
    for _ in 0..9 {
        write(&mut producer);
    }
}

#[test]
fn a_header_that_is_wrong_is_a_result_and_not_an_error() {
    let own = Own::new();
    plant(&own, &[0xab; 8192]);
    let integrity = validate_integrity(&own.place()).unwrap();
    assert!(integrity.header.is_some() && !integrity.is_whole());
    fs::remove_file(own.place().path()).unwrap();
    assert!(validate_integrity(&own.place()).is_err());
}

#[test]
fn a_reset_makes_the_present_counts_zero_and_touches_nothing_else() {
    let own = Own::new();
    let mut producer = own.create(shape(ConsumerSync::SequentialSync));
    write(&mut producer);
    reset_metrics(&own.place()).unwrap();
    assert_eq!(producer.metrics().get(Metric::SlotsWritten), 0);
    assert_eq!(write(&mut producer), 1);
    assert_eq!(producer.metrics().get(Metric::SlotsWritten), 1);
    assert_eq!(read_all(&mut own.attach()), [0, 1]);
}

#[test]
fn a_living_producers_name_stays_and_a_dead_ones_goes_and_its_consumers_are_told() {
    let own = Own::new();
    let role = Role::ready("produces", &own);
    let mut consumer = own.attach();
    let refused = unlink(&own.folder, &name());
    let process = Some(role.process());
    assert!(matches!(refused, Err(RemoveError::Alive { process: p, .. }) if p == process));
    role.kill();
    unlink(&own.folder, &name()).unwrap();
    assert_eq!(own.folder.names().unwrap(), []);
    assert_eq!(read_all(&mut consumer), [0]);
    let ended = consumer.acquire_consume_slot(PATIENCE).map(|_| ());
    assert_eq!(ended, Err(ReadError::Ended));
    assert!(matches!(unlink(&own.folder, &name()), Err(RemoveError::NotFound(_))));
}

#[test]
fn a_file_that_is_no_block_is_not_removed() {
    let own = Own::new();
    plant(&own, b"somebody's notes");
    assert!(matches!(unlink(&own.folder, &name()), Err(RemoveError::NotOurs { .. })));
    assert_eq!(own.bytes(), b"somebody's notes");
}
