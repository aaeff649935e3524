//! What each policy promises, step by step in one thread.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::time::Duration;

use datahub::config::{BlockConfig, ChecksumAlgorithm, ChecksumPolicy, ConsumerSync, OnFull};
use datahub::consumer::{Consumer, ReadError};
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::{Producer, WriteError};
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
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

/// Writes the next sequence as its own payload.
fn write(producer: &mut Producer) -> Result<u64, WriteError> {
    let mut slot = producer.acquire_write_slot(Timeout::Now)?;
    let sequence = slot.sequence();
    slot.payload().copy_from_slice(&sequence.to_le_bytes());
    Ok(slot.commit(8).unwrap())
}

/// Reads the next payload, checks that it is what its label says, and returns the label.
fn read(consumer: &mut Consumer) -> Result<u64, ReadError> {
    let slot = consumer.acquire_consume_slot(Timeout::Now)?;
    assert_eq!(&*slot, slot.sequence().to_le_bytes());
    assert!(slot.validate());
    Ok(slot.sequence())
}

fn read_all(consumer: &mut Consumer) -> Vec<u64> {
    std::iter::from_fn(|| read(consumer).ok()).collect()
}

const NOTHING: ReadError = ReadError::TimedOut { waited: Duration::ZERO };

// F32: the three capacities mean what they say.
#[test]
fn a_sequential_ring_is_full_at_exactly_its_capacity() {
    for capacity in [1, 2, 3, 8] {
        let mut producer = block(shape(ConsumerSync::Sequential, capacity));
        let mut consumer = join(&producer, JoinAt::Oldest);
        for lap in 0..4 {
            for _ in 0..capacity {
                write(&mut producer).unwrap();
            }
            assert!(
                matches!(write(&mut producer), Err(WriteError::TimedOutFull { slowest: 1, .. })),
                "capacity {capacity}, lap {lap}"
            );
            let first = u64::from(lap * capacity);
            let wanted: Vec<u64> = (first..first + u64::from(capacity)).collect();
            assert_eq!(read_all(&mut consumer), wanted);
            assert_eq!(read(&mut consumer), Err(NOTHING));
        }
    }
}

// F8, F9, F10: an abort spends no sequence and destroys nothing that was promised.
#[test]
fn a_write_that_gives_up_leaves_the_old_payloads_readable() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::SequentialSync] {
        let mut producer = block(shape(sync, 1));
        write(&mut producer).unwrap();
        for _ in 0..40 {
            producer.acquire_write_slot(Timeout::Now).unwrap().abort();
        }
        let mut late = join(&producer, JoinAt::Latest);
        assert_eq!(read(&mut late), Ok(0));
        drop(producer.acquire_write_slot(Timeout::Now).unwrap());
        assert_eq!(write(&mut producer), Ok(1));
        assert_eq!(read(&mut late), Ok(1));
    }
}

#[test]
fn a_payload_too_long_is_refused_and_the_slot_given_up() {
    let mut producer = block(shape(ConsumerSync::Sequential, 2));
    let slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    assert!(slot.commit(9).is_err());
    assert_eq!(write(&mut producer), Ok(0));
    assert_eq!(producer.metrics().get(Metric::CommitErrors), 1);
}

#[test]
fn latest_only_shows_the_newest_and_never_the_same_twice() {
    let mut producer = block(shape(ConsumerSync::LatestOnly, 1));
    let mut consumer = join(&producer, JoinAt::Latest);
    assert_eq!(read(&mut consumer), Err(NOTHING));
    for _ in 0..5 {
        write(&mut producer).unwrap();
    }
    assert_eq!(read(&mut consumer), Ok(4));
    assert_eq!(read(&mut consumer), Err(NOTHING));
    write(&mut producer).unwrap();
    assert_eq!(read(&mut consumer), Ok(5));
}

#[test]
fn a_stopped_latest_only_reader_keeps_its_payload_and_stops_nobody() {
    let mut producer = block(shape(ConsumerSync::LatestOnly, 2));
    let mut stopped: Vec<Consumer> = (0..4).map(|_| join(&producer, JoinAt::Latest)).collect();
    let mut held = Vec::new();
    for consumer in &mut stopped {
        write(&mut producer).unwrap();
        held.push(consumer.acquire_consume_slot(Timeout::Now).unwrap());
    }
    for _ in 0..100 {
        write(&mut producer).unwrap();
    }
    for (sequence, slot) in (0..).zip(&held) {
        assert_eq!((slot.sequence(), &**slot), (sequence, &u64::to_le_bytes(sequence)[..]));
    }
}

#[test]
fn with_few_slots_a_latest_only_producer_says_who_is_reading() {
    let config = shape(ConsumerSync::LatestOnly, 1).with_physical_slots(2).unwrap();
    let mut producer = block(config);
    let mut consumer = join(&producer, JoinAt::Latest);
    write(&mut producer).unwrap();
    let slot = consumer.acquire_consume_slot(Timeout::Now).unwrap();
    write(&mut producer).unwrap();
    let refused = Err(WriteError::TimedOutReaders { readers: 1, waited: Duration::ZERO });
    assert_eq!(write(&mut producer), refused);
    slot.release();
    assert_eq!(write(&mut producer), Ok(2));
}

#[test]
fn the_slowest_of_several_consumers_gates_and_its_leaving_frees() {
    let mut producer = block(shape(ConsumerSync::SequentialSync, 2));
    let mut fast = join(&producer, JoinAt::Oldest);
    let mut slow = join(&producer, JoinAt::Oldest);
    for _ in 0..2 {
        write(&mut producer).unwrap();
    }
    assert_eq!(read_all(&mut fast), [0, 1]);
    assert!(matches!(write(&mut producer), Err(WriteError::TimedOutFull { slowest: 2, .. })));
    assert_eq!(read(&mut slow), Ok(0));
    assert_eq!(write(&mut producer), Ok(2));
    assert!(write(&mut producer).is_err());
    // F21: nobody has to read for the producer to notice.
    drop(slow);
    assert_eq!(write(&mut producer), Ok(3));
    assert_eq!(read_all(&mut fast), [2, 3]);
}

#[test]
fn without_consumers_a_sequential_producer_is_not_gated() {
    let mut producer = block(shape(ConsumerSync::SequentialSync, 3));
    for sequence in 0..50 {
        assert_eq!(write(&mut producer), Ok(sequence));
    }
    assert_eq!(read_all(&mut join(&producer, JoinAt::Oldest)), [47, 48, 49]);
    assert_eq!(read_all(&mut join(&producer, JoinAt::Latest)), [49]);
}

// F22: from its first payload on a joiner loses nothing, acknowledged or not.
#[test]
fn a_joiner_under_traffic_loses_nothing_after_its_first_payload() {
    for lead in 0..12 {
        let mut producer = block(shape(ConsumerSync::SequentialSync, 4));
        for _ in 0..lead {
            write(&mut producer).unwrap();
        }
        let mut consumer = join(&producer, JoinAt::Oldest);
        let mut seen = Vec::new();
        for step in 0..60 {
            if step % 3 == 0 {
                seen.extend(read(&mut consumer).ok());
            } else {
                // Full is fine: then the gate holds.
                let _refused = write(&mut producer);
            }
        }
        assert!(seen.len() > 10, "lead {lead}: {seen:?}");
        assert!(seen.windows(2).all(|pair| pair[1] == pair[0] + 1), "lead {lead}: {seen:?}");
    }
}

#[test]
fn error_on_full_says_so_at_once() {
    let mut producer = block(shape(ConsumerSync::Sequential, 1).on_full(OnFull::Error));
    let _consumer = join(&producer, JoinAt::Oldest);
    write(&mut producer).unwrap();
    let refused = producer.acquire_write_slot(Timeout::Never).map(|_| ());
    assert_eq!(refused, Err(WriteError::Full { slowest: 1, oldest: 0 }));
}

#[test]
fn an_overwritten_consumer_learns_how_many_it_missed() {
    let mut producer = block(shape(ConsumerSync::Sequential, 4).on_full(OnFull::Overwrite));
    let mut consumer = join(&producer, JoinAt::Oldest);
    for _ in 0..3 {
        write(&mut producer).unwrap();
    }
    assert_eq!(read(&mut consumer), Ok(0));
    for _ in 0..10 {
        write(&mut producer).unwrap();
    }
    assert_eq!(read(&mut consumer), Err(ReadError::Lapped { missed: 8, oldest: 9 }));
    assert_eq!(read_all(&mut consumer), [9, 10, 11, 12]);
    assert_eq!(producer.metrics().get(Metric::Lapped), 8);
}

#[test]
fn an_explicit_sequence_is_read_without_moving_the_cursor() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::SequentialSync] {
        let mut producer = block(shape(sync, 4));
        for _ in 0..6 {
            write(&mut producer).unwrap();
        }
        let mut consumer = join(&producer, JoinAt::Latest);
        let before = consumer.next_sequence();
        for wanted in 2..6 {
            let slot = consumer.acquire_sequence(wanted, Timeout::Now).unwrap();
            assert_eq!((slot.sequence(), &*slot), (wanted, &wanted.to_le_bytes()[..]));
        }
        // Thirteen physical slots still hold it, five do not.
        let first = match sync {
            ConsumerSync::LatestOnly => Ok(()),
            _ => Err(ReadError::Gone { oldest: 2 }),
        };
        assert_eq!(consumer.acquire_sequence(0, Timeout::Now).map(|_| ()), first);
        assert_eq!(consumer.acquire_sequence(6, Timeout::Now).map(|_| ()), Err(NOTHING));
        assert_eq!(consumer.next_sequence(), before);
        assert_eq!(read(&mut consumer), Ok(5));
    }
}

#[test]
fn the_end_of_the_stream_comes_after_the_last_payload() {
    for sync in [ConsumerSync::LatestOnly, ConsumerSync::Sequential] {
        let mut producer = block(shape(sync, 4));
        let mut consumer = join(&producer, JoinAt::Oldest);
        write(&mut producer).unwrap();
        drop(producer);
        assert_eq!(read(&mut consumer), Ok(0));
        assert_eq!(read(&mut consumer), Err(ReadError::Ended));
        assert_eq!(read(&mut consumer), Err(ReadError::Ended));
    }
}

#[test]
fn a_bounded_wait_ends_when_it_says() {
    let limit = Duration::from_millis(20);
    let mut producer = block(shape(ConsumerSync::Sequential, 1));
    let mut consumer = join(&producer, JoinAt::Oldest);
    let refused = consumer.acquire_consume_slot(Timeout::After(limit)).map(|_| ());
    assert!(matches!(refused, Err(ReadError::TimedOut { waited }) if waited >= limit));
    write(&mut producer).unwrap();
    let refused = producer.acquire_write_slot(Timeout::After(limit)).map(|_| ());
    assert!(matches!(refused, Err(WriteError::TimedOutFull { waited, .. }) if waited >= limit));
    let metrics = producer.metrics();
    assert_eq!(metrics.get(Metric::WriterTimeouts), 1);
    assert_eq!(metrics.get(Metric::ReaderTimeouts), 1);
    assert!(metrics.get(Metric::WriterBlockedNs) >= 20_000_000);
}

// F24: a corrupt payload is an error with its sequence, and the reader moves on.
#[test]
fn a_corrupt_payload_is_reported_and_passed() {
    use std::os::unix::fs::FileExt;
    for algorithm in
        [ChecksumAlgorithm::Xxh3, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Blake2b]
    {
        let config = shape(ConsumerSync::Sequential, 4);
        let mut producer = block(config.checksum(algorithm, ChecksumPolicy::Enforced));
        let mut consumer = join(&producer, JoinAt::Oldest);
        for _ in 0..3 {
            write(&mut producer).unwrap();
        }
        let layout = producer.block().geometry().layout;
        let offset = (layout.ring + layout.stride) as u64;
        producer.block().file().write_all_at(&[9], offset).unwrap();
        assert_eq!(read(&mut consumer), Ok(0));
        assert_eq!(read(&mut consumer), Err(ReadError::Checksum { sequence: 1 }));
        assert_eq!(read(&mut consumer), Ok(2));
        assert_eq!(producer.metrics().get(Metric::ChecksumFailures), 1);
    }
}

#[test]
fn under_manual_a_checksum_is_stamped_and_verified_by_hand() {
    let mut producer = block(shape(ConsumerSync::Sequential, 4));
    let mut consumer = join(&producer, JoinAt::Oldest);
    write(&mut producer).unwrap();
    let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
    slot.payload().copy_from_slice(b"by hand!");
    slot.update_checksum_slot(8).unwrap();
    slot.commit(8).unwrap();
    assert!(!consumer.acquire_consume_slot(Timeout::Now).unwrap().verify_checksum_slot());
    assert!(consumer.acquire_consume_slot(Timeout::Now).unwrap().verify_checksum_slot());
}

// F29: every counter that these steps should move has moved by as much.
#[test]
fn the_metrics_count_what_happened() {
    let mut producer = block(shape(ConsumerSync::SequentialSync, 4));
    for _ in 0..4 {
        write(&mut producer).unwrap();
    }
    let mut first = join(&producer, JoinAt::Oldest);
    let mut second = join(&producer, JoinAt::Oldest);
    // Not yet acknowledged, so both pin, and both are inside at once.
    let together = [&mut first, &mut second].map(|one| one.acquire_consume_slot(Timeout::Now));
    assert!(together.iter().all(Result::is_ok));
    drop(together);
    assert_eq!(read_all(&mut first).len() + read_all(&mut second).len(), 6);
    drop(second);
    let metrics = producer.metrics();
    let figures = [
        (Metric::SlotsWritten, 4),
        (Metric::BytesWritten, 32),
        (Metric::SlotsRead, 8),
        (Metric::BytesRead, 64),
        (Metric::ReaderNotReady, 2),
        (Metric::ReaderPeak, 2),
        (Metric::WriterTimeouts, 0),
        (Metric::ChecksumFailures, 0),
        (Metric::ValidationFailures, 0),
        (Metric::LastError, 0),
    ];
    for (metric, wanted) in figures {
        assert_eq!(metrics.get(metric), wanted, "{metric:?}");
    }
}

// F19: late in a block's life nothing changes, neither where tags wrap nor at the very end.
#[test]
fn sequences_go_on_across_every_wrap() {
    for first in [(1 << 30) - 3, (1 << 44) - 3, (1 << 32) - 3, u64::MAX - 9] {
        for sync in [ConsumerSync::LatestOnly, ConsumerSync::Sequential] {
            let config = shape(sync, 4);
            let mut producer: Producer = Producer::create_unnamed_from(
                datahub::memory::Shared,
                &Folder::default(),
                config,
                first,
            )
            .unwrap();
            let mut consumer = join(&producer, JoinAt::Oldest);
            for step in 0..8 {
                assert_eq!(write(&mut producer), Ok(first + step), "{sync:?} from {first}");
                assert_eq!(read(&mut consumer), Ok(first + step), "{sync:?} from {first}");
            }
        }
    }
}

#[test]
fn the_last_sequence_is_followed_by_an_error() {
    let config = shape(ConsumerSync::Sequential, 4);
    let mut producer: Producer = Producer::create_unnamed_from(
        datahub::memory::Shared,
        &Folder::default(),
        config,
        u64::MAX - 1,
    )
    .unwrap();
    assert_eq!(write(&mut producer), Ok(u64::MAX - 1));
    assert_eq!(write(&mut producer), Err(WriteError::Exhausted));
}
