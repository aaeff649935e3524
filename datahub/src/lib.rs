//! A zero-copy shared-memory data block: one producer, many consumers.
//!
//! One process writes payloads into slots, several read them in place, and nobody waits for a
//! server. See [`producer::Producer`] and [`consumer::Consumer`].
//!
//! ```
//! use datahub::{BlockConfig, Consumer, ConsumerSync, Folder, JoinAt, Place, Producer, Timeout};
//!
//! let config = BlockConfig::new(ConsumerSync::Sequential, 4, 64)?;
//! let mut producer = Producer::create_unnamed(&Folder::default(), config)?;
//! let mut consumer = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest)?;
//!
//! let mut slot = producer.acquire_write_slot(Timeout::Now)?;
//! slot.payload()[..5].copy_from_slice(b"hello");
//! let sequence = slot.commit(5)?;
//!
//! let slot = consumer.acquire_consume_slot(Timeout::Now)?;
//! assert_eq!((slot.sequence(), &*slot), (sequence, &b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Modules stand in layers, each importing only from those above it: words (`config`, `layout`,
//! `name`, `sequence`), the protocol (`memory` to `rules`), memory (`shm`, `block`), handles
//! (`producer`, `consumer`; closures in [`transaction`], typed payloads in [`schema`], regions beside
//! the ring in [`zone`], waiting in [`wait`]), services ([`monitor`], [`recovery`]).

#![deny(unsafe_code)]

// The derives write `::datahub`, also where they are used in here.
#[cfg(test)]
extern crate self as datahub;

#[cfg(not(all(target_os = "linux", target_endian = "little")))]
compile_error!(
    "DataHub needs Linux on a little-endian machine: open file description locks, futexes"
);

pub mod config;
pub mod layout;
pub mod name;
pub mod sequence;

pub mod cursor;
pub mod eviction;
pub mod handover;
pub mod heartbeat;
pub mod memory;
pub mod metrics;
pub mod park;
pub mod ring;
pub mod rules;
pub mod sites;
pub mod slot;

pub mod block;
pub mod place;
pub mod shm;

mod aligned;
pub mod checksum;
pub mod consumer;
mod liveness;
pub mod producer;
mod pulse;
pub mod schema;
mod succession;
pub mod transaction;
pub mod wait;
pub mod zone;

pub mod monitor;
pub mod recovery;

// What most programs name; everything else is found in its module.
pub use config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, OnFull,
};
pub use consumer::attach::AttachError;
pub use consumer::{Consumer, ReadError};
pub use name::BlockName;
pub use place::Place;
pub use producer::create::CreateError;
pub use producer::{Producer, WriteError};
pub use ring::reader::JoinAt;
pub use schema::Schema;
pub use sequence::Sequence;
pub use shm::Folder;
pub use wait::{Timeout, WaitStrategy};
pub use zone::ZoneSchema;
