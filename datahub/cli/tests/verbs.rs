//! Each verb on real blocks: what it says, how it ends, and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, Permissions};
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assert_cmd::Command;
use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::layout;
use datahub::memory::Shared;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;
use serde_json::Value;

/// Longer than any test waits.
const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

/// A folder of its own for each test.
struct Own {
    root: tempfile::TempDir,
    folder: Folder,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time: between fork and exec, a child that another test starts shares the tokens of
/// this process, and a token that was given back meanwhile still looks held.
static ALONE: Mutex<()> = Mutex::new(());

/// How a run of the program ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Own {
    fn new() -> Self {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let folder = Folder::at(root.path());
        // A test that failed has left nothing behind.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { root, folder, _alone: alone }
    }

    fn create(&self, name: &str) -> Producer {
        let config = BlockConfig::new(ConsumerSync::SequentialSync, 4, 64).unwrap();
        let config = config.checksum(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Enforced);
        Producer::create_with(Shared, &self.folder, &BlockName::new(name).unwrap(), config).unwrap()
    }

    fn attach(&self, name: &str) -> Consumer {
        let name = BlockName::new(name).unwrap();
        let place = Place::Named { folder: self.folder.clone(), name };
        Consumer::attach(place, JoinAt::Oldest).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.file_of(&BlockName::new(name).unwrap())
    }

    /// A file that is named like a block.
    fn plant(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
    }

    /// Leaves the block as a killed producer would: the name is there, and the token is free.
    fn die(&self, name: &str, producer: Producer) {
        let copy = self.root.path().join("copy");
        fs::copy(self.path(name), &copy).unwrap();
        drop(producer);
        fs::rename(copy, self.path(name)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::cargo_bin("datahub").unwrap();
        let command = command.arg("--folder").arg(self.root.path()).args(arguments);
        let output = command.env_remove("NO_COLOR").output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ended = self.run(&[&["--json"], arguments].concat());
        let value = serde_json::from_str(&ended.out);
        (ended.code, value.unwrap_or_else(|error| panic!("{error} in {:?}", ended.out)))
    }
}

fn write(producer: &mut Producer) {
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    slot.payload().fill(7);
    slot.commit(64).unwrap();
}

/// A producer in the middle of its third write.
fn half_written(own: &Own) -> Producer {
    let mut producer = own.create("imu");
    write(&mut producer);
    write(&mut producer);
    let _open = producer.acquire_write_slot(Timeout::Now).map(ManuallyDrop::new).unwrap();
    producer
}

const VERBS: [&[&str]; 8] = [
    &["inspect"],
    &["top", "--once", "--interval", "10ms"],
    &["diagnose", "--over", "10ms"],
    &["recover"],
    &["recover", "--dry-run"],
    &["validate"],
    &["reset-metrics"],
    &["unlink"],
];

#[test]
fn every_verb_names_a_missing_block_and_suggests_a_similar_one() {
    let own = Own::new();
    let _producer = own.create("imu-left");
    for verb in VERBS.iter().chain(&[&["export"][..]]) {
        let ended = own.run(&[verb, &["imu-lef"][..]].concat());
        assert_eq!((ended.code, ended.out.as_str()), (4, ""), "{verb:?}");
        assert!(ended.err.contains("there is no block called 'imu-lef'"), "{}", ended.err);
        assert!(ended.err.contains("did you mean 'imu-left'?"), "{}", ended.err);
    }
}

#[test]
fn every_verb_refuses_a_bad_name() {
    let own = Own::new();
    for verb in VERBS {
        for name in ["../imu", "IMU", "", "a/b"] {
            assert_eq!(own.run(&[verb, &[name][..]].concat()).code, 2, "{verb:?} {name:?}");
        }
    }
}

#[test]
fn every_verb_refuses_what_is_no_block_and_leaves_it_alone() {
    let own = Own::new();
    own.plant("noise", &[0xab; 8192]);
    own.plant("empty", b"");
    for verb in VERBS.iter().chain(&[&["export"][..]]) {
        for name in ["noise", "empty"] {
            let ended = own.run(&[verb, &[name][..]].concat());
            assert_eq!(ended.code, 1, "{verb:?} {name}: {}{}", ended.out, ended.err);
        }
    }
    assert_eq!(fs::read(own.path("noise")).unwrap(), [0xab; 8192]);
    assert_eq!(fs::read(own.path("empty")).unwrap(), b"");
}

#[test]
fn a_truncated_block_is_named_as_such_and_can_be_removed() {
    let own = Own::new();
    let producer = own.create("imu");
    own.die("imu", producer);
    File::options().write(true).open(own.path("imu")).unwrap().set_len(4096).unwrap();
    for verb in [&["inspect"][..], &["validate"], &["diagnose"], &["recover"]] {
        let ended = own.run(&[verb, &["imu"]].concat());
        assert_eq!(ended.code, 1, "{verb:?}");
        assert!((ended.out + &ended.err).contains("the block is truncated"), "{verb:?}");
    }
    let listed = own.run(&["list"]);
    assert!(listed.code == 0 && listed.out.contains("unusable"), "{}", listed.out);
    assert_eq!(own.run(&["unlink", "imu"]).code, 0);
    assert!(!own.path("imu").exists());
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let own = Own::new();
    let _producer = own.create("imu");
    fs::set_permissions(own.path("imu"), Permissions::from_mode(0o666)).unwrap();
    let ended = own.run(&["inspect", "imu"]);
    assert!(ended.code == 7 && ended.err.contains("belongs to"), "{}", ended.err);
}

#[test]
fn an_empty_folder_and_a_missing_one_differ() {
    let own = Own::new();
    let empty = own.run(&["list"]);
    assert!(empty.code == 4 && empty.err.starts_with("no blocks in"), "{}", empty.err);
    assert_eq!(own.json(&["list"]), (4, Value::Array(Vec::new())));
    assert_eq!(own.run(&["top", "--once"]).code, 4);
    let mut command = Command::cargo_bin("datahub").unwrap();
    let missing = command.args(["--folder", "/dev/shm/no/such/folder", "list"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(7));
}

#[test]
fn list_shows_who_uses_what() {
    let own = Own::new();
    let mut imu = own.create("imu");
    let _camera = own.create("camera");
    let _consumer = own.attach("imu");
    write(&mut imu);
    let text = own.run(&["list"]).out;
    assert!(text.contains("sequential-sync") && text.contains("1 of 8"), "{text}");
    let (code, blocks) = own.json(&["list"]);
    assert_eq!((code, blocks.as_array().unwrap().len()), (0, 2));
    assert_eq!(blocks[0]["name"], "camera");
    assert_eq!(blocks[1]["commit_index"], 1);
    assert_eq!(blocks[1]["producer"]["process"], std::process::id());
    assert_eq!(blocks[1]["consumers"][0]["lag_payloads"], 1);
    assert_eq!(blocks[1]["findings"], Value::Array(Vec::new()));
}

#[test]
fn inspect_shows_header_users_slots_and_counters() {
    let own = Own::new();
    let mut producer = own.create("imu");
    let _consumer = own.attach("imu");
    write(&mut producer);
    let text = own.run(&["inspect", "imu"]).out;
    for part in ["datahub.imu", "xxh3, enforced", "COMMITTED", "FREE", "total_slots_written"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let (_, block) = own.json(&["inspect", "imu"]);
    assert_eq!(block["slots"].as_array().unwrap().len(), 5);
    assert_eq!(block["slots"][0]["sequence"], 0);
    assert_eq!(block["slots"][0]["payload_bytes"], 64);
    assert_eq!(block["metrics"]["total_bytes_written"], 64);
    assert_eq!(block["header"]["checksum_policy"], "enforced");
    assert_eq!(block["registered_mask"], 1);
}

#[test]
fn inspect_counts_who_is_inside_and_who_waits() {
    let own = Own::new();
    let config = BlockConfig::new(ConsumerSync::LatestOnly, 1, 8).unwrap();
    let config = config.with_physical_slots(2).unwrap();
    let name = BlockName::new("imu").unwrap();
    let mut producer = Producer::create_with(Shared, &own.folder, &name, config).unwrap();
    producer.acquire_write_slot(Timeout::Now).unwrap().commit(8).unwrap();
    let mut consumer = own.attach("imu");
    let held = consumer.acquire_consume_slot(Timeout::Now).unwrap();
    let (_, block) = own.json(&["inspect", "imu"]);
    let slot = &block["slots"][held.slot_index()];
    assert_eq!((&slot["reader_count"], &slot["writer_waiting"]), (&1.into(), &false.into()));

    // The other slot holds the newest: the producer waits for this one.
    producer.acquire_write_slot(Timeout::Now).unwrap().commit(8).unwrap();
    let told = std::thread::scope(|scope| {
        let waits = scope.spawn(|| producer.acquire_write_slot(PATIENCE).map(drop).is_ok());
        let told = loop {
            let (_, block) = own.json(&["inspect", "imu"]);
            let slot = block["slots"][held.slot_index()].clone();
            if slot["writer_waiting"] == true {
                break (slot, own.run(&["inspect", "imu"]).out);
            }
            assert!(!waits.is_finished(), "the producer gave up before it was seen");
        };
        drop(held);
        assert!(waits.join().unwrap());
        told
    });
    assert_eq!((&told.0["state"], &told.0["reader_count"]), (&"DRAINING".into(), &1.into()));
    assert!(told.1.contains("waits for them"), "{}", told.1);
}

#[test]
fn what_nothing_counts_is_not_shown_as_zero() {
    let own = Own::new();
    let _producer = own.create("imu");
    let (_, block) = own.json(&["inspect", "imu"]);
    let metrics = &block["metrics"];
    for name in ["zmq_send_failures", "zmq_recv_failures", "zmq_timeout_count"] {
        assert!(metrics[name].is_null() && metrics.get(name).is_some(), "{name}");
    }
    assert_eq!(metrics["heartbeat_failed_count"], 0);
    let text = own.run(&["inspect", "imu"]).out;
    assert_eq!(text.matches("not counted").count(), 3, "{text}");
}

// Whoever can write the block can write this path; a terminal would take it for orders.
#[test]
fn a_path_in_shared_memory_gives_no_orders_to_a_terminal() {
    let own = Own::new();
    let producer = own.create("imu");
    let hostile = b"/dev/shm/\x1b]0;owned\x07\xc2\x9b31m\xff\ndatahub.x";
    let file = producer.block().file();
    file.write_all_at(hostile, layout::header::SUCCESSOR as u64).unwrap();
    let bytes = (hostile.len() as u64).to_le_bytes();
    file.write_all_at(&bytes, layout::header::SUCCESSOR_BYTES as u64).unwrap();
    // The stream has moved.
    file.write_all_at(&3_u64.to_le_bytes(), layout::ACK as u64 + 16).unwrap();
    for verb in [&["inspect", "imu"][..], &["list"], &["diagnose", "imu", "--over", "10ms"]] {
        for json in [&[][..], &["--json"]] {
            let told = own.run(&[json, verb].concat()).out;
            let order = |letter: char| letter.is_control() && letter != '\n';
            assert!(!told.contains(order) && !told.contains("\ndatahub.x"), "{told:?}");
        }
    }
    let text = own.run(&["inspect", "imu"]).out;
    assert!(text.contains("moved to   /dev/shm/\\u{1b}]0;owned"), "{text}");
}

#[test]
fn inspect_says_where_a_stream_comes_from_and_where_it_went() {
    let own = Own::new();
    let mut producer = own.create("imu");
    let mut consumer = own.attach("imu");
    write(&mut producer);
    // A second name keeps the old block in sight.
    fs::hard_link(own.path("imu"), own.path("old")).unwrap();
    let config = producer.config().clone();
    let _producer = producer.hand_over(config).unwrap();

    let old = own.run(&["inspect", "old"]).out;
    let place = own.path("imu").display().to_string();
    assert!(old.contains("moved to") && old.contains(&place), "{old}");
    let (_, old) = own.json(&["inspect", "old"]);
    assert_eq!((&old["moved_to"], &old["ended"]), (&place.into(), &false.into()));
    let new = own.run(&["inspect", "imu"]).out;
    assert!(new.contains("from sequence 1 on; 1 consumer has still to come"), "{new}");
    assert!(new.contains("moving"), "{new}");
    let (_, new) = own.json(&["inspect", "imu"]);
    assert_eq!(new["header"]["predecessor"], old["header"]["nonce"]);
    assert_eq!(new["header"]["stream"], old["header"]["stream"]);
    assert_eq!(
        (&new["still_to_move_mask"], &new["consumers"][0]["seat"]["awaited"]),
        (&1.into(), &true.into())
    );

    consumer.acquire_consume_slot(Timeout::Now).unwrap().release();
    consumer.acquire_consume_slot(Timeout::Now).unwrap_err();
    consumer.follow(Timeout::Now).unwrap();
    assert_eq!(own.json(&["inspect", "imu"]).1["still_to_move_mask"], 0);
}

#[test]
fn colours_come_when_asked_for_and_never_into_a_pipe() {
    let own = Own::new();
    let _producer = own.create("imu");
    assert!(!own.run(&["list"]).out.contains('\u{1b}'));
    assert!(own.run(&["--color", "always", "list"]).out.contains('\u{1b}'));
    assert!(!own.run(&["--color", "never", "list"]).out.contains('\u{1b}'));
}

#[test]
fn top_shows_rates_once_and_as_json_lines() {
    let own = Own::new();
    let mut producer = own.create("imu");
    let _consumer = own.attach("imu");
    write(&mut producer);
    for name in [&[][..], &["imu"]] {
        let ended = own.run(&[&["top", "--once", "--interval", "20ms"], name].concat());
        assert!(ended.code == 0 && ended.out.contains("COMMITS/s"), "{}", ended.out);
        assert!(!ended.out.contains('\u{1b}'));
    }
    let (code, look) = own.json(&["top", "--once", "--interval", "20ms"]);
    assert_eq!((code, &look["blocks"][0]["commit_index"]), (0, &Value::from(1)));
    assert_eq!(look["blocks"][0]["commits_per_second"], 0.0);
    assert_eq!(own.run(&["top", "--interval", "1fortnight"]).code, 2);
}

#[test]
fn diagnose_ends_with_0_for_a_healthy_block_and_1_for_a_dead_producer() {
    let own = Own::new();
    let mut producer = own.create("imu");
    write(&mut producer);
    let healthy = own.run(&["diagnose", "imu"]);
    assert!(healthy.code == 0 && healthy.out.contains("is healthy"), "{}", healthy.out);
    own.die("imu", producer);
    let dead = own.run(&["diagnose", "imu"]);
    assert!(dead.code == 1 && dead.out.contains("is dead"), "{}", dead.out);
    assert!(dead.out.contains("datahub recover"), "{}", dead.out);
    let (code, findings) = own.json(&["diagnose", "imu"]);
    assert_eq!((code, &findings["findings"][0]["rule"]), (1, &Value::from("producer-dead")));
    assert_eq!(findings["findings"][0]["severity"], "critical");
}

#[test]
fn a_dry_run_changes_no_byte_and_the_real_one_says_the_same() {
    let own = Own::new();
    let producer = half_written(&own);
    own.die("imu", producer);
    let before = fs::read(own.path("imu")).unwrap();
    let (code, planned) = own.json(&["recover", "imu", "--dry-run"]);
    assert_eq!((code, planned["steps"].as_array().unwrap().len()), (1, 2));
    assert_eq!(planned["steps"][0]["action"], "settle-slot");
    assert_eq!(planned["steps"][0]["from"], "WRITING");
    assert_eq!(planned["steps"][0]["proof"]["token_free"], true);
    let text = own.run(&["recover", "imu", "--dry-run"]);
    assert!(text.out.contains("put slot 2 from WRITING to FREE"), "{}", text.out);
    assert!(fs::read(own.path("imu")).unwrap() == before, "the dry run changed the block");

    let (code, done) = own.json(&["recover", "imu"]);
    assert_eq!((code, &done["done"]), (0, &planned["steps"]));
    let (code, again) = own.json(&["recover", "imu"]);
    assert_eq!((code, &again["done"]), (0, &Value::Array(Vec::new())));
    let text = own.run(&["recover", "imu"]);
    assert!(text.code == 0 && text.out.contains("nothing to recover"), "{}", text.out);
}

#[test]
fn force_needs_the_blocks_own_name() {
    let own = Own::new();
    let _producer = own.create("imu");
    let refused = own.run(&["recover", "imu", "--force", "camera"]);
    assert!(refused.code == 2 && refused.err.contains("'imu', not 'camera'"), "{}", refused.err);
    assert_eq!(own.run(&["recover", "imu", "--force"]).code, 2);
    assert_eq!(own.run(&["recover", "imu", "--force", "imu"]).code, 0);
}

#[test]
fn validate_names_the_payload_that_was_changed() {
    let own = Own::new();
    let mut producer = own.create("imu");
    write(&mut producer);
    write(&mut producer);
    let whole = own.run(&["validate", "imu"]);
    assert!(whole.code == 0 && whole.out.contains("checksums of 2 payloads"), "{}", whole.out);
    let layout = producer.block().geometry().layout;
    let file = File::options().write(true).open(own.path("imu")).unwrap();
    file.write_all_at(&[8], (layout.ring + layout.stride) as u64).unwrap();
    let wrong = own.run(&["validate", "imu"]);
    assert!(wrong.code == 1 && wrong.out.contains("sequence 1 in slot 1"), "{}", wrong.out);
    let (_, report) = own.json(&["validate", "imu"]);
    assert_eq!(report["checksum_mismatches"][0]["sequence"], 1);
    assert_eq!(report["whole"], false);
}

#[test]
fn reset_metrics_makes_the_counts_zero_and_keeps_the_commits() {
    let own = Own::new();
    let mut producer = own.create("imu");
    write(&mut producer);
    assert_eq!(own.run(&["reset-metrics", "imu"]).code, 0);
    let (_, block) = own.json(&["inspect", "imu"]);
    assert_eq!(block["metrics"]["total_slots_written"], 0);
    assert_eq!(block["commit_index"], 1);
}

#[test]
fn unlink_refuses_a_living_producers_block_and_removes_a_dead_ones() {
    let own = Own::new();
    let producer = own.create("imu");
    let refused = own.run(&["unlink", "imu"]);
    assert!(refused.code == 6 && refused.err.contains("living producer"), "{}", refused.err);
    assert!(own.path("imu").exists());
    own.die("imu", producer);
    assert_eq!(own.run(&["unlink", "imu"]).code, 0);
    assert!(!own.path("imu").exists());
}

#[test]
fn help_lists_the_exit_codes_and_completions_and_manual_pages_are_written() {
    let own = Own::new();
    let help = own.run(&["--help"]);
    assert!(help.code == 0 && help.out.contains("Exit codes:"), "{}", help.out);
    assert_eq!(own.run(&[]).code, 2);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = own.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("datahub"), "{shell}");
    }
    let page = own.run(&["man"]);
    assert!(page.code == 0 && page.out.contains(".TH datahub 1"), "{}", page.out);
    let page = own.run(&["man", "recover"]);
    assert!(page.code == 0 && page.out.contains(".TH datahub-recover 1"), "{}", page.out);
    assert_eq!(own.run(&["man", "dance"]).code, 2);
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_one() {
    let own = Own::new();
    let _producer = own.create("imu");
    let full = std::process::Command::new(env!("CARGO_BIN_EXE_datahub"))
        .arg("--folder")
        .arg(own.root.path())
        .arg("list")
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(7));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let gone = std::process::Command::new(env!("CARGO_BIN_EXE_datahub"))
        .arg("--folder")
        .arg(own.root.path())
        .args(["top", "--interval", "10ms"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(0));
}
