//! Schemas in blocks: who may attach to what, and what he is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::FileExt;

use datahub::block::header::HeaderError;
use datahub::config::{BlockConfig, ConfigError, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::consumer::attach::AttachError;
use datahub::layout;
use datahub::memory::Shared;
use datahub::metrics::Metric;
use datahub::name::BlockName;
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::schema::Schema;
use datahub::shm::Folder;

#[derive(Debug, Clone, Copy, Schema)]
#[repr(C)]
struct Sample {
    time_ns: u64,
    axes: [f32; 2],
}

/// The same bytes under another name of a field.
mod later {
    #[derive(Debug, Clone, Copy, datahub::schema::Schema)]
    #[repr(C)]
    pub(super) struct Sample {
        time_ns: u64,
        gains: [f32; 2],
    }
}

/// Written by somebody else, meant to be the same.
#[derive(Debug, Clone, Copy, Schema)]
#[repr(C)]
#[schema(name = "Sample")]
struct Theirs {
    time_ns: u64,
    axes: [f32; 2],
}

const SAMPLE: &str = "Sample;time_ns:u64:0:8;axes:[f32;2]:8:8;size:16;align:8";
const LATER: &str = "Sample;time_ns:u64:0:8;gains:[f32;2]:8:8;size:16;align:8";

fn block() -> Producer {
    let config = BlockConfig::of::<Sample>(ConsumerSync::Sequential, 4).unwrap();
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

fn attach<T: Schema>(producer: &Producer) -> Result<Consumer, AttachError> {
    Consumer::attach_typed::<T>(Place::File(producer.path()), JoinAt::Oldest)
}

#[test]
fn who_expects_the_same_layout_is_let_in() {
    let producer = block();
    drop(attach::<Sample>(&producer).unwrap());
    let consumer = attach::<Theirs>(&producer).unwrap();
    assert_eq!(consumer.config().schema().unwrap().text(), SAMPLE);
    assert_eq!(producer.metrics().get(Metric::SchemaMismatches), 0);
    // Who expects nothing may read bytes.
    drop(consumer);
    Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap();
}

#[test]
fn who_expects_another_layout_is_told_both() {
    let producer = block();
    let refused = attach::<later::Sample>(&producer).unwrap_err();
    let AttachError::Schema { expected, found, .. } = &refused else { panic!("{refused}") };
    assert_eq!((&**expected, &**found), (LATER, SAMPLE));
    assert!(refused.to_string().ends_with(&format!("holds {SAMPLE}, not {LATER}")), "{refused}");
    assert!(attach::<[u64; 2]>(&producer).is_err());
    assert_eq!(producer.metrics().get(Metric::SchemaMismatches), 2);
    // The refusals took no seat: a sequential block has one.
    attach::<Sample>(&producer).unwrap();
}

#[test]
fn a_block_that_declares_nothing_is_not_taken_for_a_typed_one() {
    let config = BlockConfig::new(ConsumerSync::Sequential, 4, 16).unwrap();
    let producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
    let refused = attach::<Sample>(&producer).unwrap_err();
    assert!(refused.to_string().contains("bytes of no declared layout"), "{refused}");
}

#[test]
fn a_schema_that_does_not_fit_its_payload_is_refused() {
    #[derive(Clone, Copy, Schema)]
    #[repr(C, align(128))]
    struct Wide {
        bytes: [u8; 128],
    }
    let config = BlockConfig::new(ConsumerSync::Sequential, 4, 15).unwrap();
    let wanted = ConfigError::SchemaBytes { value_bytes: 16, payload_bytes: 15 };
    assert_eq!(config.slot_schema::<Sample>(), Err(wanted));
    let refused = BlockConfig::of::<Wide>(ConsumerSync::Sequential, 4);
    assert_eq!(refused, Err(ConfigError::Alignment(128)));
}

#[test]
fn a_damaged_schema_is_not_believed() {
    let producer = block();
    let at = layout::header::SLOT_SCHEMA_TEXT as u64;
    producer.block().file().write_all_at(b"Simple", at).unwrap();
    let refused = attach::<Sample>(&producer).unwrap_err();
    assert!(
        matches!(refused, AttachError::Unusable { reason: HeaderError::Schema(_), .. }),
        "{refused}"
    );
}

// A dead producer's block with another schema is another block.
#[test]
fn a_block_of_another_schema_is_replaced_and_not_taken_over() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let (folder, name) = (Folder::at(root.path()), BlockName::new("imu").unwrap());
    let config = BlockConfig::of::<Sample>(ConsumerSync::Sequential, 4).unwrap();
    let file = folder.file_of(&name);
    let producer = Producer::create_with(Shared, &folder, &name, config.clone()).unwrap();
    let kept = root.path().join("kept");
    fs::hard_link(&file, &kept).unwrap();
    drop(producer);

    // What a dead producer leaves: the block under its name.
    fs::rename(&kept, &file).unwrap();
    let heir = Producer::create_with(Shared, &folder, &name, config.clone()).unwrap();
    fs::hard_link(&file, &kept).unwrap();
    let nonce = heir.block().geometry().nonce;
    drop(heir);
    fs::rename(&kept, &file).unwrap();
    let other = config.slot_schema::<later::Sample>().unwrap();
    let stranger = Producer::create_with(Shared, &folder, &name, other).unwrap();
    assert_ne!(stranger.block().geometry().nonce, nonce);
    let place = Place::Named { folder, name };
    Consumer::attach_typed::<later::Sample>(place, JoinAt::Oldest).unwrap();
}
