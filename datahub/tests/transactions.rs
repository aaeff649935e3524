//! Transactions, typed closures and iterators: what each way out leaves behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use datahub::config::{BlockConfig, ConsumerSync, OnFull};
use datahub::consumer::slot_iterator::SeekError;
use datahub::consumer::{Consumer, ReadError};
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::write_slot::CommitError;
use datahub::producer::{Producer, WriteError};
use datahub::ring::reader::JoinAt;
use datahub::schema::{Schema, ViewError};
use datahub::shm::Folder;
use datahub::transaction::{
    ReadTransactionError, WriteTransactionError, with_next_slot, with_read_access,
    with_read_transaction, with_typed_read, with_typed_write, with_write_access,
    with_write_transaction,
};
use datahub::wait::Timeout;

fn block(config: BlockConfig) -> Producer {
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

fn shape(sync: ConsumerSync, capacity: u32) -> BlockConfig {
    BlockConfig::new(sync, capacity, 8).unwrap()
}

fn join(producer: &Producer, at: JoinAt) -> Consumer {
    Consumer::attach(Place::File(producer.path()), at).unwrap()
}

fn write(producer: &mut Producer) -> u64 {
    with_write_transaction(producer, Timeout::Now, |slot| {
        let sequence = slot.sequence();
        slot.payload().copy_from_slice(&sequence.to_le_bytes());
        Ok::<_, Infallible>(sequence)
    })
    .unwrap()
}

fn read(consumer: &mut Consumer) -> Option<u64> {
    with_read_access(consumer, Timeout::Now, |payload| {
        u64::from_le_bytes(payload.try_into().unwrap())
    })
    .ok()
}

fn read_all(consumer: &mut Consumer) -> Vec<u64> {
    std::iter::from_fn(|| read(consumer)).collect()
}

/// Both ends of a block in which sequence 0 is committed.
fn begun(sync: ConsumerSync) -> (Producer, Consumer) {
    let mut producer = block(shape(sync, 4));
    let consumer = join(&producer, JoinAt::Oldest);
    assert_eq!(write(&mut producer), 0);
    (producer, consumer)
}

const POLICIES: [ConsumerSync; 3] =
    [ConsumerSync::LatestOnly, ConsumerSync::Sequential, ConsumerSync::SequentialSync];

#[test]
fn a_transaction_that_says_ok_is_published_and_returns_its_value() {
    for sync in POLICIES {
        let (mut producer, mut consumer) = begun(sync);
        let value = with_write_transaction(&mut producer, Timeout::Now, |slot| {
            slot.payload()[..3].copy_from_slice(b"abc");
            slot.set_bytes(3);
            Ok::<_, Infallible>("told")
        });
        assert_eq!(value, Ok("told"));
        consumer.seek_latest();
        let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
        assert_eq!((slot.sequence(), &*slot), (1, &b"abc"[..]));
    }
}

// F33: whatever goes wrong, nothing is published, no sequence is spent and the old payload stays.
#[test]
fn a_transaction_that_says_err_or_panics_publishes_nothing() {
    for sync in POLICIES {
        let (mut producer, mut consumer) = begun(sync);
        for round in 0..20 {
            if round % 2 == 0 {
                let refused = with_write_transaction(&mut producer, Timeout::Now, |slot| {
                    slot.payload().fill(0xee);
                    Err::<(), _>("no")
                });
                assert_eq!(refused, Err(WriteTransactionError::Body("no")));
            } else {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    with_write_transaction(&mut producer, Timeout::Now, |slot| {
                        slot.payload().fill(0xee);
                        resume_unwind(Box::new("a panic"));
                        #[expect(unreachable_code, reason = "gives the closure its type")]
                        Ok::<(), Infallible>(())
                    })
                }));
                assert!(caught.is_err());
            }
            assert_eq!(producer.get_commit_index(), 1);
        }
        assert_eq!(read_all(&mut consumer), [0]);
        assert_eq!(write(&mut producer), 1);
        assert_eq!(read_all(&mut consumer), [1]);
    }
}

#[test]
fn a_length_that_does_not_fit_publishes_nothing() {
    let (mut producer, _consumer) = begun(ConsumerSync::Sequential);
    let refused = with_write_transaction(&mut producer, Timeout::Now, |slot| {
        slot.set_bytes(9);
        Ok::<_, Infallible>(())
    });
    let why = CommitError::TooLong { bytes: 9, limit: 8 };
    assert_eq!(refused, Err(WriteTransactionError::Commit(why)));
    assert_eq!(producer.get_commit_index(), 1);
}

/// Does something while it is dropped.
struct AtTheEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtTheEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

// F33: a guard knows nothing of unwinding, its own or another's; only an answer publishes.
#[test]
fn during_an_unrelated_unwinding_a_dropped_guard_aborts_and_an_ok_commits() {
    let (mut producer, mut consumer) = begun(ConsumerSync::Sequential);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _end = AtTheEnd(|| {
            assert!(std::thread::panicking());
            let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
            slot.payload().fill(0xee);
            drop(slot);
            assert_eq!(producer.get_commit_index(), 1);
            drop(producer.acquire_write_batch(1, Timeout::Now).unwrap());
            assert_eq!(producer.get_commit_index(), 1);
            assert_eq!(write(&mut producer), 1);
        });
        resume_unwind(Box::new("unrelated"));
    }));
    assert!(caught.is_err());
    assert_eq!(read_all(&mut consumer), [0, 1]);
}

#[test]
fn a_read_transaction_reads_one_sequence_and_leaves_the_place() {
    for sync in POLICIES {
        let (mut producer, mut consumer) = begun(sync);
        write(&mut producer);
        let before = consumer.next_sequence();
        let payload = with_read_transaction(&mut consumer, 1, Timeout::Now, |slot| {
            Ok::<_, Infallible>((slot.sequence(), slot.to_vec()))
        });
        assert_eq!(payload, Ok((1, 1_u64.to_le_bytes().to_vec())));
        assert_eq!(consumer.next_sequence(), before);
        let missing = with_read_transaction(&mut consumer, 7, Timeout::Now, |_| Ok::<_, ()>(()));
        assert!(matches!(missing, Err(ReadTransactionError::Acquire(ReadError::TimedOut { .. }))));
    }
}

#[test]
fn a_payload_that_is_taken_away_while_it_is_read_gives_no_value() {
    use std::os::unix::fs::FileExt;
    // What a recovery by force does to a living reader: another label, or the next write (F3).
    // The first byte of the word holds the state, 1 while it is written, and the reader's bit.
    for (field, byte) in [(8, 7), (0, 0b101)] {
        let (producer, mut consumer) = begun(ConsumerSync::Sequential);
        let found = with_next_slot(&mut consumer.slots(), Timeout::Now, |slot| {
            let slots = producer.block().geometry().layout.slots;
            let place = slots + slot.slot_index() * 64 + field;
            producer.block().file().write_all_at(&[byte], place as u64).unwrap();
            Ok::<_, Infallible>(slot.len())
        });
        assert_eq!(found, Err(ReadTransactionError::Invalid { sequence: 0 }), "{field}");
        assert_eq!(producer.metrics().get(Metric::ValidationFailures), 1);
    }
}

// F24: a payload that cannot be taken does not stop the stream, however it fails.
#[test]
fn a_read_that_is_refused_or_panics_is_over_all_the_same() {
    let (mut producer, mut consumer) = begun(ConsumerSync::Sequential);
    for _ in 0..2 {
        write(&mut producer);
    }
    let mut slots = consumer.slots();
    let refused = with_next_slot(&mut slots, Timeout::Now, |slot| Err::<(), _>(slot.sequence()));
    assert_eq!(refused, Err(ReadTransactionError::Body(0)));
    let caught = catch_unwind(AssertUnwindSafe(|| {
        with_next_slot(&mut slots, Timeout::Now, |_| -> Result<(), Infallible> {
            resume_unwind(Box::new("a panic"))
        })
    }));
    assert!(caught.is_err());
    assert_eq!(slots.last_sequence(), Some(1));
    assert_eq!(read_all(&mut consumer), [2]);
    // The panic has left no pin behind.
    for _ in 0..20 {
        write(&mut producer);
        assert!(read(&mut consumer).is_some());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Schema)]
#[repr(C)]
struct Sample {
    time_ns: u64,
    axes: [f32; 2],
}

#[test]
fn values_are_written_and_read_in_place() {
    let mut producer = block(BlockConfig::of::<Sample>(ConsumerSync::Sequential, 4).unwrap());
    let mut consumer = join(&producer, JoinAt::Oldest);
    let sample = Sample { time_ns: 12, axes: [0.5, -1.0] };
    with_typed_write(&mut producer, Timeout::Now, |value| {
        *value = sample;
        Ok::<_, Infallible>(())
    })
    .unwrap();
    let refused = with_typed_write(&mut producer, Timeout::Now, |value: &mut Sample| {
        value.time_ns = 99;
        Err::<(), _>("stale")
    });
    assert_eq!(refused, Err(WriteTransactionError::Body("stale")));
    let found = with_typed_read(&mut consumer, Timeout::Now, |value| Ok::<Sample, ()>(*value));
    assert_eq!(found, Ok(sample));
    assert_eq!(read(&mut consumer), None);
}

#[test]
fn another_type_or_length_is_refused_before_the_closure_runs() {
    let mut typed = block(BlockConfig::of::<Sample>(ConsumerSync::Sequential, 4).unwrap());
    let refused =
        with_typed_write(&mut typed, Timeout::Now, |_: &mut [u64; 2]| -> Result<(), ()> {
            unreachable!("the layout differs")
        });
    assert!(matches!(refused, Err(WriteTransactionError::View(ViewError::Schema { .. }))));
    assert_eq!(typed.get_commit_index(), 0);

    let (mut plain, mut consumer) = begun(ConsumerSync::Sequential);
    let refused = with_typed_write(&mut plain, Timeout::Now, |_: &mut Sample| Ok::<_, ()>(()));
    let why = ViewError::Bytes { found: 8, wanted: 16 };
    assert_eq!(refused, Err(WriteTransactionError::View(why)));
    let refused = with_typed_read(&mut consumer, Timeout::Now, |_: &u32| Ok::<_, ()>(()));
    let why = ViewError::Bytes { found: 8, wanted: 4 };
    assert_eq!(refused, Err(ReadTransactionError::View(why)));
    // A block that declares nothing holds what fits.
    with_typed_write(&mut plain, Timeout::Now, |value: &mut u32| {
        *value = 5;
        Ok::<_, ()>(())
    })
    .unwrap();
    assert_eq!(
        with_typed_read(&mut consumer, Timeout::Now, |&value: &u32| Ok::<_, ()>(value)),
        Ok(5)
    );
}

#[test]
fn as_many_bytes_are_published_as_the_closure_says() {
    let (mut producer, mut consumer) = begun(ConsumerSync::Sequential);
    let written = with_write_access(&mut producer, Timeout::Now, |payload| {
        payload[..2].copy_from_slice(b"ab");
        2
    });
    assert_eq!(written, Ok(1));
    read(&mut consumer);
    let found = with_read_access(&mut consumer, Timeout::Now, <[u8]>::to_vec);
    assert_eq!(found, Ok(b"ab".to_vec()));
}

#[test]
fn the_indices_are_the_same_on_both_sides() {
    let (mut producer, mut consumer) = begun(ConsumerSync::SequentialSync);
    for _ in 0..3 {
        write(&mut producer);
    }
    read_all(&mut consumer);
    for _ in 0..4 {
        write(&mut producer);
    }
    assert_eq!((producer.get_commit_index(), consumer.get_commit_index()), (8, 8));
    assert_eq!((producer.get_write_index(), consumer.get_write_index()), (8, 8));
    let full = producer.acquire_write_slot(Timeout::Now).map(drop);
    assert!(matches!(full, Err(WriteError::TimedOutFull { .. })));
    assert_eq!((producer.get_read_index(), consumer.get_read_index()), (4, 4));
}

#[test]
fn a_consumer_goes_to_the_newest_and_to_a_sequence() {
    for sync in [ConsumerSync::Sequential, ConsumerSync::SequentialSync] {
        let mut producer = block(shape(sync, 8));
        let mut consumer = join(&producer, JoinAt::Oldest);
        for _ in 0..8 {
            write(&mut producer);
        }
        assert_eq!(read(&mut consumer), Some(0));
        let mut slots = consumer.slots();
        assert_eq!(slots.last_sequence(), None);
        slots.seek_to(3).unwrap();
        assert_eq!(slots.try_next(Timeout::Now).unwrap().sequence(), 3);
        assert_eq!(slots.last_sequence(), Some(3));
        let refused = slots.seek_to(2);
        assert_eq!(refused, Err(SeekError::Behind { wanted: 2, oldest: 4 }));
        assert_eq!(slots.seek_to(9), Err(SeekError::Ahead { wanted: 9, next: 8 }));
        assert_eq!(slots.seek_latest(), 7);
        assert_eq!(slots.try_next(Timeout::Now).unwrap().sequence(), 7);
        assert_eq!(slots.seek_latest(), 8);
        // What was jumped over counts as read.
        for sequence in 8..16 {
            assert_eq!(write(&mut producer), sequence);
        }
        assert_eq!(read_all(&mut consumer), (8..16).collect::<Vec<_>>());
    }
}

#[test]
fn a_joiner_that_jumps_before_it_is_acknowledged_still_misses_nothing() {
    for target in 4..8 {
        let mut producer = block(shape(ConsumerSync::SequentialSync, 4));
        for _ in 0..6 {
            write(&mut producer);
        }
        let mut consumer = join(&producer, JoinAt::Oldest);
        let first = read(&mut consumer).unwrap();
        let sought = consumer.seek_to(target);
        let mut wanted = if sought.is_ok() { target } else { first + 1 };
        for _ in 0..40 {
            let _full = producer.acquire_write_slot(Timeout::Now).map(|slot| slot.commit(8));
            if let Ok(slot) = consumer.acquire_consume_slot(Timeout::Now) {
                assert_eq!(slot.sequence(), wanted);
                wanted += 1;
            }
        }
        assert!(wanted > target + 20, "{wanted} after {target}");
    }
}

#[test]
fn an_overwritten_consumer_can_go_back_as_far_as_payloads_are_kept() {
    let mut producer = block(shape(ConsumerSync::Sequential, 4).on_full(OnFull::Overwrite));
    let mut consumer = join(&producer, JoinAt::Oldest);
    for _ in 0..10 {
        write(&mut producer);
    }
    consumer.seek_latest();
    assert_eq!(read_all(&mut consumer), [9]);
    assert_eq!(consumer.seek_to(5), Err(SeekError::Behind { wanted: 5, oldest: 6 }));
    consumer.seek_to(6).unwrap();
    assert_eq!(read_all(&mut consumer), [6, 7, 8, 9]);
}

#[test]
fn under_latest_only_the_newest_can_be_had_once_more() {
    let (mut producer, mut consumer) = begun(ConsumerSync::LatestOnly);
    write(&mut producer);
    assert_eq!(read_all(&mut consumer), [1]);
    consumer.seek_to(0).unwrap();
    assert_eq!(read_all(&mut consumer), [1]);
    assert_eq!(consumer.seek_latest(), 2);
    assert_eq!(read(&mut consumer), None);
}
