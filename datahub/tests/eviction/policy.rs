//! What the rule promises, step by step in one process.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use datahub::config::{
    BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConfigError, ConsumerSync, EVICT_AFTER_MAX,
    OnFull,
};
use datahub::consumer::{Consumer, ReadError};
use datahub::metrics::Metric;
use datahub::monitor::Monitor;
use datahub::monitor::view::Standing;
use datahub::place::Place;
use datahub::producer::{Producer, WriteError};
use datahub::ring::reader::JoinAt;
use datahub::schema::Schema;
use datahub::shm::Folder;
use datahub::wait::{Timeout, WaitStrategy, monotonic_ns};

const PATIENCE: Timeout = Timeout::After(Duration::from_secs(20));

fn shape(capacity: u32, payload_bytes: u64, after: Duration) -> BlockConfig {
    let config = BlockConfig::new(ConsumerSync::SequentialSync, capacity, payload_bytes).unwrap();
    config.evict_after(after).unwrap()
}

fn soon() -> Duration {
    Duration::from_millis(2)
}

fn block(config: BlockConfig) -> Producer {
    Producer::create_unnamed(&Folder::default(), config).unwrap()
}

fn join(producer: &Producer) -> Consumer {
    Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap()
}

fn write(producer: &mut Producer, timeout: Timeout) -> Result<u64, WriteError> {
    let mut slot = producer.acquire_write_slot(timeout)?;
    let sequence = slot.sequence();
    let byte = u8::try_from(sequence % 251).unwrap();
    slot.payload().fill(byte);
    let bytes = slot.payload().len();
    Ok(slot.commit(bytes).unwrap())
}

fn read(consumer: &mut Consumer) -> Result<u64, ReadError> {
    let slot = consumer.acquire_consume_slot(Timeout::Now)?;
    let byte = u8::try_from(slot.sequence() % 251).unwrap();
    assert!(slot.iter().all(|&found| found == byte), "torn: {} as {}", slot[0], slot.sequence());
    assert!(slot.validate());
    Ok(slot.sequence())
}

#[test]
fn only_a_sequential_block_evicts_and_only_within_bounds() {
    let sequential = BlockConfig::new(ConsumerSync::Sequential, 2, 8).unwrap();
    for after in [Duration::ZERO, Duration::from_nanos(999), EVICT_AFTER_MAX + soon()] {
        let refused = sequential.clone().evict_after(after);
        assert!(matches!(refused, Err(ConfigError::EvictAfter { .. })), "{after:?}");
    }
    let latest = BlockConfig::new(ConsumerSync::LatestOnly, 2, 8).unwrap();
    assert_eq!(latest.clone().on_full(OnFull::Evict).patience(), None);
    assert!(matches!(latest.evict_after(soon()), Err(ConfigError::EvictAfter { .. })));

    let producer = block(sequential.evict_after(soon()).unwrap());
    let consumer = join(&producer);
    assert_eq!(consumer.config().patience(), Some(soon()));
    assert_eq!(consumer.config().when_full(), OnFull::Evict);
}

#[test]
fn a_consumer_in_the_way_for_too_long_is_evicted_and_told() {
    for wait in [WaitStrategy::Spin, WaitStrategy::Yield, WaitStrategy::Park] {
        let mut producer = block(shape(2, 100, soon()).parking(true));
        producer.set_wait(wait);
        let (mut slow, mut fast) = (join(&producer), join(&producer));
        for sequence in 0..6 {
            assert_eq!(write(&mut producer, PATIENCE), Ok(sequence), "{wait:?}");
            assert_eq!(read(&mut fast), Ok(sequence), "{wait:?}");
            if sequence == 0 {
                assert_eq!(read(&mut slow), Ok(0), "{wait:?}");
            }
        }
        for _ in 0..3 {
            assert_eq!(read(&mut slow), Err(ReadError::Evicted { at: 1 }), "{wait:?}");
        }
        assert_eq!(producer.metrics().get(Metric::Evictions), 1);
        assert_eq!(producer.metrics().get(Metric::RecoveryActions), 0);
        let place = Place::File(producer.path());
        let view = Monitor::open(&place).unwrap().snapshot(monotonic_ns());
        let seat = view.consumers[0].seat;
        assert_eq!((seat.standing, seat.alive), (Standing::Evicted, true));
        assert_eq!((view.registered, view.consumers[0].gates), (0b10, false));
        // Its seat is its own until it leaves.
        assert_eq!(join(&producer).number(), 2);
        drop(slow);
        let mut newcomer = join(&producer);
        assert_eq!(newcomer.number(), 0);
        assert_eq!(write(&mut producer, PATIENCE), Ok(6));
        assert_eq!((read(&mut newcomer), read(&mut newcomer)), (Ok(5), Ok(6)));
    }
}

#[test]
fn a_consumer_that_keeps_up_is_never_evicted() {
    let mut producer = block(shape(1, 8, Duration::from_micros(1)));
    let mut consumer = join(&producer);
    for sequence in 0..2000 {
        assert_eq!(write(&mut producer, PATIENCE), Ok(sequence));
        assert_eq!(read(&mut consumer), Ok(sequence));
    }
    assert_eq!(producer.metrics().get(Metric::Evictions), 0);
}

// A newcomer that pins because the producer has not acknowledged it is as slow as any other.
#[test]
fn a_joiner_that_pins_is_evicted_too() {
    let mut producer = block(shape(2, 100, soon()));
    write(&mut producer, Timeout::Now).unwrap();
    let mut joiner = join(&producer);
    assert_eq!(read(&mut joiner), Ok(0));
    for sequence in 1..8 {
        assert_eq!(write(&mut producer, PATIENCE), Ok(sequence));
    }
    assert_eq!(read(&mut joiner), Err(ReadError::Evicted { at: 1 }));
}

#[test]
fn a_producer_that_only_polls_evicts_as_well() {
    let mut producer = block(shape(1, 8, soon()));
    let _slow = join(&producer);
    write(&mut producer, Timeout::Now).unwrap();
    let begun = Instant::now();
    while write(&mut producer, Timeout::Now).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "polling never evicts");
    }
    assert!(begun.elapsed() >= soon());
}

#[test]
fn patience_longer_than_the_time_out_is_a_time_out() {
    let mut producer = block(shape(1, 8, Duration::from_mins(1)));
    let mut slow = join(&producer);
    write(&mut producer, Timeout::Now).unwrap();
    let refused = write(&mut producer, Timeout::After(Duration::from_millis(3)));
    assert!(matches!(refused, Err(WriteError::TimedOutFull { slowest: 1, .. })), "{refused:?}");
    assert_eq!(read(&mut slow), Ok(0));
}

// What is handed out is a copy: whoever holds it keeps it, whatever the producer does.
#[test]
fn a_payload_that_was_handed_out_stays_what_it_was() {
    for policy in [ChecksumPolicy::Manual, ChecksumPolicy::Enforced] {
        let config = shape(1, 300, soon()).checksum(ChecksumAlgorithm::Crc32c, policy);
        let mut producer = block(config);
        let mut consumer = join(&producer);
        write(&mut producer, Timeout::Now).unwrap();
        let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
        for sequence in 1..6 {
            assert_eq!(write(&mut producer, PATIENCE), Ok(sequence));
        }
        assert_eq!((slot.sequence(), &*slot), (0, &[0; 300][..]));
        assert_eq!(slot.verify_checksum_slot(), policy == ChecksumPolicy::Enforced);
        drop(slot);
        assert_eq!(read(&mut consumer), Err(ReadError::Evicted { at: 1 }));
    }
}

#[test]
fn batches_are_copied_slot_by_slot() {
    let config = BlockConfig::new(ConsumerSync::Sequential, 4, 24).unwrap().batches_of(3).unwrap();
    let config = config.checksum(ChecksumAlgorithm::Xxh3, ChecksumPolicy::Enforced);
    let mut producer = block(config.evict_after(soon()).unwrap());
    let mut consumer = join(&producer);
    for lap in 0..3_u64 {
        let mut batch = producer.acquire_write_batch(3, PATIENCE).unwrap();
        for step in 0..3 {
            let byte = u8::try_from(batch.sequence(step) % 251).unwrap();
            batch.payload(step).unwrap().fill(byte);
        }
        batch.commit(24).unwrap();
        let seen: Vec<_> = std::iter::from_fn(|| read(&mut consumer).ok()).collect();
        assert_eq!(seen, [3 * lap, 3 * lap + 1, 3 * lap + 2]);
    }
}

#[test]
fn an_evicted_consumer_is_not_moved_along_and_the_others_are() {
    let mut producer = block(shape(2, 8, soon()));
    let (mut slow, mut fast) = (join(&producer), join(&producer));
    for sequence in 0..4 {
        write(&mut producer, PATIENCE).unwrap();
        assert_eq!(read(&mut fast), Ok(sequence));
    }
    let mut producer = producer.hand_over(shape(2, 64, soon())).unwrap();
    assert_eq!(producer.still_to_move(), 0b10);
    assert_eq!(read(&mut slow), Err(ReadError::Evicted { at: 0 }));
    // Who does not come in time is evicted where it is awaited.
    for sequence in 4..9 {
        assert_eq!(write(&mut producer, PATIENCE), Ok(sequence));
    }
    assert_eq!(producer.still_to_move(), 0);
    assert_eq!(producer.metrics().get(Metric::Evictions), 1);
    assert_eq!(read(&mut fast), Err(ReadError::Moved));
    let lost = fast.follow(PATIENCE);
    assert!(
        matches!(lost, Err(datahub::consumer::follow::FollowError::SeatLost { seat: 1 })),
        "{lost:?}"
    );
}

// Readers in mid-copy, evicted again and again: what is delivered is whole.
#[test]
fn nothing_torn_is_delivered_while_readers_are_evicted() {
    let mut producer = block(shape(1, 4096, Duration::from_micros(1)));
    let place = Place::File(producer.path());
    let over = Mutex::new(false);
    let is_over = || *over.lock().unwrap();
    let (read_in_all, evicted) = std::thread::scope(|scope| {
        let reader = || {
            let (mut whole, mut evicted) = (0_u64, 0_u64);
            while !is_over() {
                let Ok(mut consumer) = Consumer::attach(place.clone(), JoinAt::Latest) else {
                    continue;
                };
                while !is_over() {
                    match read(&mut consumer) {
                        Ok(_) => whole += 1,
                        Err(ReadError::Evicted { .. }) => {
                            evicted += 1;
                            break;
                        }
                        Err(_) => {}
                    }
                }
            }
            (whole, evicted)
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(300) {
            write(&mut producer, PATIENCE).unwrap();
        }
        *over.lock().unwrap() = true;
        let told = readers.map(|reader| reader.join().unwrap());
        (told[0].0 + told[1].0, told[0].1 + told[1].1)
    });
    assert!(read_in_all > 0, "nothing was read");
    assert!(producer.metrics().get(Metric::Evictions) >= evicted && evicted > 0);
}

/// As much alignment as a slot has.
#[derive(Debug, Clone, Copy, PartialEq, Schema)]
#[repr(C, align(64))]
struct Tile {
    values: [u64; 8],
}

/// Half of that.
#[derive(Debug, Clone, Copy, PartialEq, Schema)]
#[repr(C, align(32))]
struct Lane {
    values: [u64; 4],
}

/// Passes values one by one and in a batch; many blocks, because an allocator may be lucky.
fn passes_values<T: Schema + PartialEq + std::fmt::Debug>(value: T) {
    let passed = |_| {
        let config = BlockConfig::of::<T>(ConsumerSync::SequentialSync, 4).unwrap();
        let config = config.batches_of(3).unwrap().evict_after(soon()).unwrap();
        let mut producer = block(config);
        let mut consumer = join(&producer);
        let mut slot = producer.acquire_write_slot(PATIENCE).unwrap();
        *slot.typed::<T>().unwrap() = value;
        slot.commit(size_of::<T>()).unwrap();
        let mut batch = producer.acquire_write_batch(3, PATIENCE).unwrap();
        for step in 0..3 {
            *datahub::schema::view_mut::<T>(batch.payload(step).unwrap()).unwrap() = value;
        }
        batch.commit(size_of::<T>()).unwrap();
        for _ in 0..4 {
            let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
            assert_eq!(slot.typed::<T>(), Ok(&value));
        }
        (producer, consumer)
    };
    let _all_at_once: Vec<_> = (0..16).map(passed).collect();
}

#[test]
fn a_copied_payload_is_aligned_as_one_in_place() {
    passes_values(Tile { values: [7; 8] });
    passes_values(Lane { values: [9; 4] });
    passes_values([3_u8; 3]);
}
