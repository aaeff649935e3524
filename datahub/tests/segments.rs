//! Names, files and seats: what is refused, what is taken over, what is left behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use datahub::block::header::HeaderError;
use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::consumer::attach::AttachError;
use datahub::layout;
use datahub::memory::Shared;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::producer::create::CreateError;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

/// A folder of its own for each test; what a test leaves in it fails the test.
struct Own {
    root: tempfile::TempDir,
    folder: Folder,
}

impl Own {
    fn new() -> Self {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let folder = Folder::at(root.path());
        Self { root, folder }
    }

    fn create(&self, name: &str, config: BlockConfig) -> Result<Producer, CreateError> {
        Producer::create_with(Shared, &self.folder, &named(name), config)
    }

    fn place(&self, name: &str) -> Place {
        Place::Named { folder: self.folder.clone(), name: named(name) }
    }

    fn attach(&self, name: &str) -> Result<Consumer, AttachError> {
        Consumer::attach(self.place(name), JoinAt::Oldest)
    }

    fn file(&self, name: &str) -> File {
        File::options().read(true).write(true).open(self.place(name).path()).unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.root.path()).unwrap().count()
    }
}

fn named(name: &str) -> BlockName {
    BlockName::new(name).unwrap()
}

fn shape(sync: ConsumerSync) -> BlockConfig {
    BlockConfig::new(sync, 4, 8).unwrap()
}

fn write(producer: &mut Producer) -> u64 {
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    slot.commit(8).unwrap()
}

#[test]
fn a_second_producer_is_told_who_has_the_name() {
    let own = Own::new();
    let first = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    let refused = own.create("imu", shape(ConsumerSync::Sequential)).unwrap_err();
    let id = std::process::id();
    let wanted = format!("block 'imu' has a living producer (process {id})");
    assert_eq!(refused.to_string(), wanted);
    // Counted, and the first is untouched.
    assert_eq!(first.metrics().get(datahub::metrics::Metric::LockContention), 1);
    assert!(own.attach("imu").is_ok());
}

#[test]
fn a_ninth_consumer_is_told_who_has_the_seats() {
    let own = Own::new();
    let _producer = own.create("imu", shape(ConsumerSync::SequentialSync)).unwrap();
    let eight: Vec<Consumer> = (0..8).map(|_| own.attach("imu").unwrap()).collect();
    let Err(AttachError::ConsumerSlotsFull { holders, .. }) = own.attach("imu") else {
        panic!("the ninth consumer was let in");
    };
    assert_eq!(holders, [u64::from(std::process::id()); 8]);
    drop(eight);
    assert!(own.attach("imu").is_ok());
}

// F23
#[test]
fn a_sequential_block_admits_one_consumer() {
    let own = Own::new();
    let _producer = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    let first = own.attach("imu").unwrap();
    for _ in 0..3 {
        assert!(matches!(own.attach("imu"), Err(AttachError::Occupied { seat: 0, .. })));
    }
    drop(first);
    assert_eq!(own.attach("imu").unwrap().number(), 0);
}

#[test]
fn a_missing_block_is_named() {
    let own = Own::new();
    let error = own.attach("nobody").unwrap_err().to_string();
    assert_eq!(error, "there is no block at 'nobody': is its producer running?");
}

#[test]
fn another_version_and_a_truncated_file_have_their_own_errors() {
    let own = Own::new();
    let producer = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    let file = own.file("imu");

    file.write_all_at(&7_u32.to_le_bytes(), layout::header::VERSION as u64).unwrap();
    let version = HeaderError::Version { found: 7, wanted: layout::VERSION };
    assert!(
        matches!(own.attach("imu"), Err(AttachError::Unusable { reason, .. }) if reason == version)
    );
    file.write_all_at(&layout::VERSION.to_le_bytes(), layout::header::VERSION as u64).unwrap();
    drop(producer);

    // What is left of a block whose file was cut: written by hand, because the name is gone.
    let total = Layout::total();
    let short = own.root.path().join("datahub.cut");
    fs::write(&short, &Layout::header()[..]).unwrap();
    close_to_others(&short);
    File::options().write(true).open(&short).unwrap().set_len(total - 4096).unwrap();
    let Err(AttachError::Unusable { reason, .. }) = own.attach("cut") else {
        panic!("a truncated block was accepted");
    };
    assert_eq!(reason, HeaderError::Truncated { found: total - 4096, wanted: total });
}

/// The bytes of a complete header.
struct Layout;

impl Layout {
    fn total() -> u64 {
        layout::Layout::of(&shape(ConsumerSync::Sequential)).unwrap().total as u64
    }

    fn header() -> Vec<u8> {
        let config = shape(ConsumerSync::Sequential);
        let layout = layout::Layout::of(&config).unwrap();
        let origin = datahub::block::header::Origin { stream: [0; 16], predecessor: None };
        let geometry =
            datahub::block::header::Geometry { config, layout, first: 0, nonce: [0; 16], origin };
        let mut bytes = datahub::block::header::bytes(&geometry).to_vec();
        bytes[..8].copy_from_slice(&layout::MAGIC.to_le_bytes());
        bytes
    }
}

#[test]
fn files_that_are_no_blocks_are_refused_and_left_alone() {
    let own = Own::new();
    for (content, name) in [(&b""[..], "empty"), (&[0xab; 8192][..], "noise")] {
        let path = own.root.path().join(format!("datahub.{name}"));
        fs::write(&path, content).unwrap();
        close_to_others(&path);
        assert!(matches!(own.attach(name), Err(AttachError::Unusable { .. })));
        let refused = own.create(name, shape(ConsumerSync::Sequential));
        assert!(matches!(refused, Err(CreateError::NotOurs { .. })));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

fn close_to_others(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

// F36: a name in a folder that everybody may write to can be anybody's.
#[test]
fn a_block_that_others_may_write_is_refused() {
    let own = Own::new();
    let producer = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    let path = own.place("imu").path();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = own.attach("imu").unwrap_err().to_string();
    assert!(refused.contains("mode 666"), "{refused}");
    drop(producer);
    fs::write(&path, Layout::header()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = own.create("imu", shape(ConsumerSync::Sequential));
    assert!(matches!(refused, Err(CreateError::NotOurs { .. })));
}

#[test]
fn a_link_is_not_followed() {
    let own = Own::new();
    let _producer = own.create("real", shape(ConsumerSync::Sequential)).unwrap();
    let real = own.place("real").path();
    std::os::unix::fs::symlink(real, own.root.path().join("datahub.link")).unwrap();
    assert!(matches!(own.attach("link"), Err(AttachError::System { .. })));
}

#[test]
fn a_full_memory_file_system_is_an_error_with_figures() {
    let own = Own::new();
    let huge = BlockConfig::new(ConsumerSync::Sequential, 1 << 12, 1 << 30).unwrap();
    let error = own.create("huge", huge).unwrap_err();
    let CreateError::NoSpace { wanted, free, .. } = &error else { panic!("{error}") };
    assert!(*wanted > 1 << 42 && *free > 0, "{error}");
    assert_eq!(own.files(), 0);
}

#[test]
fn a_block_belongs_to_its_user_alone() {
    let own = Own::new();
    let _producer = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    let mode = fs::metadata(own.place("imu").path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_ended_block_leaves_no_name_and_an_unnamed_one_never_had_one() {
    let own = Own::new();
    let producer = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    assert_eq!(own.folder.names().unwrap(), [named("imu")]);
    let unnamed = Producer::create_unnamed(&own.folder, shape(ConsumerSync::Sequential)).unwrap();
    let _consumer = Consumer::attach(Place::File(unnamed.path()), JoinAt::Oldest).unwrap();
    assert_eq!(own.files(), 1);
    drop(producer);
    assert_eq!(own.files(), 0);
}

// F18: a departing producer removes its own name only.
#[test]
fn a_departing_producer_leaves_its_successor_alone() {
    let own = Own::new();
    let old = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    fs::remove_file(own.place("imu").path()).unwrap();
    let _new = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    drop(old);
    assert!(own.attach("imu").is_ok());
}

/// Leaves the block as a killed producer would: named, and with nobody holding the token.
fn die(producer: Producer, path: &Path) {
    let copy = path.with_extension("copy");
    fs::copy(path, &copy).unwrap();
    drop(producer);
    // The copy was taken before the end of the stream was marked.
    fs::rename(copy, path).unwrap();
}

// F18, decision 20: the same shape goes on.
#[test]
fn a_dead_producers_block_is_taken_over_and_its_sequence_goes_on() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::SequentialSync] {
        let own = Own::new();
        let mut first = own.create("imu", shape(sync)).unwrap();
        for _ in 0..7 {
            write(&mut first);
        }
        let _half = first.acquire_write_slot(Timeout::Now).map(core::mem::ManuallyDrop::new);
        die(first, &own.place("imu").path());

        let mut second = own.create("imu", shape(sync)).unwrap();
        let mut consumer = own.attach("imu").unwrap();
        let mut drain = || {
            let mut seen = Vec::new();
            while let Ok(slot) = consumer.acquire_consume_slot(Timeout::Now) {
                assert_eq!(&*slot, slot.sequence().to_le_bytes());
                seen.push(slot.sequence());
            }
            seen
        };
        assert_eq!(drain().last(), Some(&6));
        assert_eq!(write(&mut second), 7);
        assert_eq!(drain(), [7]);
    }
}

#[test]
fn a_dead_producers_block_of_another_shape_is_replaced_and_its_consumers_told() {
    let own = Own::new();
    let first = own.create("imu", shape(ConsumerSync::Sequential)).unwrap();
    die(first, &own.place("imu").path());
    let mut orphan = own.attach("imu").unwrap();
    let larger = BlockConfig::new(ConsumerSync::Sequential, 4, 800).unwrap();
    let _second = own.create("imu", larger).unwrap();
    assert_eq!(
        orphan.acquire_consume_slot(Timeout::Now).map(|_| ()),
        Err(datahub::consumer::ReadError::Ended)
    );
    assert_eq!(own.attach("imu").unwrap().config().payload_bytes(), 800);
}

#[test]
fn a_block_without_a_name_is_taken_over_when_its_producer_is_gone() {
    let config = BlockConfig::new(ConsumerSync::SequentialSync, 4, 8).unwrap();
    let mut first = Producer::create_unnamed(&Folder::default(), config.clone()).unwrap();
    let mut consumer = Consumer::attach(Place::File(first.path()), JoinAt::Oldest).unwrap();
    let kept = consumer.block().file().try_clone().unwrap();
    let path = datahub::shm::reopenable(&kept);
    let refused = Producer::take_over_with(Shared, &path, &config);
    assert!(matches!(refused, Err(CreateError::Alive { process: Some(_), .. })));
    first.acquire_write_slot(Timeout::Now).unwrap().commit(8).unwrap();
    drop(first);

    let other = BlockConfig::new(ConsumerSync::SequentialSync, 8, 8).unwrap();
    let refused = Producer::take_over_with(Shared, &path, &other);
    assert!(matches!(refused, Err(CreateError::OtherShape { .. })));
    let mut second = Producer::take_over_with(Shared, &path, &config).unwrap();
    assert_eq!(second.acquire_write_slot(Timeout::Now).unwrap().commit(8).unwrap(), 1);
    for sequence in 0..2 {
        assert_eq!(consumer.acquire_consume_slot(Timeout::Now).unwrap().sequence(), sequence);
    }
    drop(second);
    kept.write_all_at(&[0xff; 8], 0).unwrap();
    let refused = Producer::take_over_with(Shared, &path, &config);
    assert!(matches!(refused, Err(CreateError::Unusable { .. })));
}
