//! Blocks whose words another process scribbled over, and callers who forget what they hold.
//!
//! Whatever stands in the shared words: no panic, every call returns, and nobody reads outside.

#![expect(clippy::mem_forget, reason = "what a caller may do, a caller will do")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::os::unix::fs::FileExt;
use std::time::Duration;

use datahub::config::{BlockConfig, ConsumerSync, OnFull};
use datahub::consumer::follow::FollowError;
use datahub::consumer::{Consumer, ReadError};
use datahub::layout;
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::{Producer, WriteError};
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;
use proptest::prelude::*;

fn block(config: BlockConfig) -> Producer {
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

fn shape(sync: ConsumerSync, capacity: u32) -> BlockConfig {
    BlockConfig::new(sync, capacity, 8).unwrap()
}

fn join(producer: &Producer) -> Consumer {
    Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap()
}

fn write(producer: &mut Producer) -> Result<u64, WriteError> {
    let mut slot = producer.acquire_write_slot(Timeout::Now)?;
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    Ok(slot.commit(8).unwrap())
}

fn read(consumer: &mut Consumer) -> Result<u64, ReadError> {
    Ok(consumer.acquire_consume_slot(Timeout::Now)?.sequence())
}

fn scribble(producer: &Producer, offset: usize, bytes: &[u8]) {
    producer.block().file().write_all_at(bytes, offset as u64).unwrap();
}

fn slot_at(producer: &Producer, slot: usize) -> usize {
    producer.block().geometry().layout.slots + slot * layout::LINE
}

#[test]
fn a_forgotten_write_slot_is_given_up_by_the_next_acquire() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::Sequential] {
        let mut producer = block(shape(sync, 1));
        for sequence in 0..5 {
            std::mem::forget(producer.acquire_write_slot(Timeout::Now).unwrap());
            assert_eq!(write(&mut producer), Ok(sequence));
        }
    }
}

#[test]
fn a_forgotten_read_slot_is_left_by_the_next_acquire() {
    let config = shape(ConsumerSync::LatestOnly, 1).max_consumers(1).unwrap();
    let mut producer = block(config);
    let mut consumer = join(&producer);
    for sequence in 0..20 {
        assert_eq!(write(&mut producer), Ok(sequence));
        std::mem::forget(consumer.acquire_consume_slot(Timeout::Now).unwrap());
    }
}

// Losses are stated and counted, also when they are found by a last look.
#[test]
fn a_loss_found_by_the_last_look_is_not_swallowed() {
    let mut producer = block(shape(ConsumerSync::Sequential, 2).on_full(OnFull::Overwrite));
    let mut consumer = join(&producer);
    write(&mut producer).unwrap();
    assert_eq!(read(&mut consumer), Ok(0));
    let waiting = std::thread::spawn(move || {
        let limit = Timeout::After(Duration::from_secs(20));
        let mut losses = 0;
        let mut last = 0;
        loop {
            match consumer.acquire_consume_slot(limit).map(|slot| slot.sequence()) {
                Ok(sequence) => {
                    assert_eq!(sequence, last + 1 + losses, "a loss was not told");
                    (last, losses) = (sequence, 0);
                }
                Err(ReadError::Lapped { missed, .. }) => losses += missed,
                Err(ReadError::Ended) => return,
                Err(error) => panic!("{error}"),
            }
        }
    });
    for _ in 0..20_000 {
        // A reader that is inside makes this wait.
        while write(&mut producer).is_err() {}
    }
    drop(producer);
    waiting.join().unwrap();
}

#[test]
fn a_length_that_does_not_fit_is_damage_and_not_a_delivery() {
    let mut producer = block(shape(ConsumerSync::Sequential, 4));
    let mut consumer = join(&producer);
    write(&mut producer).unwrap();
    write(&mut producer).unwrap();
    scribble(&producer, slot_at(&producer, 0) + 24, &u64::MAX.to_le_bytes());
    assert_eq!(read(&mut consumer), Err(ReadError::Damaged));
    assert_eq!(read(&mut consumer), Ok(1));
    let metrics = producer.metrics();
    assert_eq!((metrics.get(Metric::SlotsRead), metrics.get(Metric::BytesRead)), (1, 8));
    assert_eq!(metrics.get(Metric::ValidationFailures), 1);
}

#[test]
fn bits_of_readers_that_do_not_exist_stop_nobody() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::SequentialSync] {
        let mut producer = block(shape(sync, 1));
        for _ in 0..30 {
            for slot in 0..producer.config().physical_slots() as usize {
                // Reader 20 of 8, in whatever state the slot is.
                let offset = slot_at(&producer, slot);
                let mut word = [0; 8];
                producer.block().file().read_exact_at(&mut word, offset as u64).unwrap();
                let word = u64::from_le_bytes(word) | 1 << 22;
                scribble(&producer, offset, &word.to_le_bytes());
            }
            let patience = Timeout::After(Duration::from_secs(20));
            producer.acquire_write_slot(patience).unwrap().commit(8).unwrap();
        }
    }
}

#[test]
fn registered_consumers_that_do_not_exist_keep_nobody_out() {
    let mut producer = block(shape(ConsumerSync::Sequential, 2));
    scribble(&producer, layout::REGISTRY, &u64::from(1_u32 << 30).to_le_bytes());
    let mut consumer = join(&producer);
    write(&mut producer).unwrap();
    assert_eq!(read(&mut consumer), Ok(0));
}

#[test]
fn an_explicit_read_is_not_misled_by_an_old_label() {
    let mut producer = block(shape(ConsumerSync::LatestOnly, 2));
    let mut consumer = join(&producer);
    for _ in 0..6 {
        write(&mut producer).unwrap();
    }
    let newest = consumer.acquire_sequence(5, Timeout::Now).unwrap().slot_index();
    // As left by a producer that was killed after the label and before the commit.
    let other = usize::from(newest == 0);
    scribble(&producer, slot_at(&producer, other), &0_u64.to_le_bytes());
    scribble(&producer, slot_at(&producer, other) + 8, &5_u64.to_le_bytes());
    assert_eq!(consumer.acquire_sequence(5, Timeout::Now).unwrap().slot_index(), newest);
}

// F4: a tag is only the low bits of a label.
#[test]
fn a_payload_under_another_label_is_not_delivered() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::Sequential] {
        let mut producer = block(shape(sync, 4));
        let mut consumer = join(&producer);
        write(&mut producer).unwrap();
        let label = slot_at(&producer, 0) + 8;
        scribble(&producer, label, &(1_u64 << 30).to_le_bytes());
        let explicit = consumer.acquire_sequence(0, Timeout::Now).map(|slot| slot.sequence());
        assert!(explicit.is_err(), "{sync:?}: {explicit:?}");
        assert!(read(&mut consumer).is_err(), "{sync:?}");
        scribble(&producer, label, &0_u64.to_le_bytes());
        assert_eq!(read(&mut consumer), Ok(0), "{sync:?}");
    }
}

#[test]
fn a_path_to_a_successor_that_makes_no_sense_leads_nowhere() {
    let config = shape(ConsumerSync::Sequential, 4);
    let producer = block(config.clone());
    let mut consumer = join(&producer);
    // Keeps the old block's file.
    let old = producer.block().file().try_clone().unwrap();
    let _producer = producer.hand_over(config).unwrap();
    for (length, text) in [(u64::MAX, 0xff_u8), (3, b'/'), (0, 0), (8, 0), (600, b'a')] {
        old.write_all_at(&length.to_le_bytes(), layout::header::SUCCESSOR_BYTES as u64).unwrap();
        old.write_all_at(&[text; 600], layout::header::SUCCESSOR as u64).unwrap();
        assert_eq!(read(&mut consumer), Err(ReadError::Moved));
        let gone = consumer.follow(Timeout::Now);
        assert!(matches!(gone, Err(FollowError::Gone { .. })), "{length}: {gone:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // F18, F27: shared words are input.
    #[test]
    fn no_word_makes_a_call_panic_or_hang(
        sync in prop::sample::select(vec![
            ConsumerSync::LatestOnly, ConsumerSync::Sequential, ConsumerSync::SequentialSync,
        ]),
        on_full in prop::sample::select(vec![OnFull::Block, OnFull::Overwrite, OnFull::Evict]),
        damage in prop::collection::vec((layout::PRODUCER..layout::PRODUCER + 6400, prop_oneof![
            Just(0_u64), Just(u64::MAX), Just(1 << 63), any::<u64>(), 0..64_u64,
        ]), 1..12),
    ) {
        let config = match on_full {
            OnFull::Evict if sync != ConsumerSync::LatestOnly => {
                shape(sync, 3).evict_after(Duration::from_micros(1)).unwrap()
            }
            on_full => shape(sync, 3).on_full(on_full),
        };
        let mut producer = block(config);
        let mut consumer = join(&producer);
        for _ in 0..5 {
            let _any = write(&mut producer);
            let _any = read(&mut consumer);
        }
        let limit = producer.block().geometry().layout.zone_records;
        for (offset, value) in damage {
            let offset = offset / 8 * 8;
            if offset + 8 <= limit {
                scribble(&producer, offset, &value.to_le_bytes());
            }
            let short = Timeout::After(Duration::from_micros(50));
            for _ in 0..3 {
                if let Ok(slot) = producer.acquire_write_slot(short) {
                    let _any = slot.commit(8);
                }
                let _any = consumer.acquire_consume_slot(short).map(|slot| slot.payload().len());
                let _any = consumer.acquire_sequence(value, Timeout::Now).map(|slot| slot.len());
            }
            let _any = Consumer::attach(Place::File(producer.path()), JoinAt::Latest).map(|mut late| {
                let _any = late.acquire_consume_slot(Timeout::Now).map(|slot| slot.len());
            });
            let _any = producer.metrics();
            let _any = (consumer.follow(Timeout::Now).is_ok(), producer.still_to_move());
        }
    }
}
