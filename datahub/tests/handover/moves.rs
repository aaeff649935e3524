//! What moves, and where to, step by step in one process.

use datahub::config::{ConsumerSync, OnFull};
use datahub::consumer::follow::FollowError;
use datahub::consumer::{Consumer, ReadError};
use datahub::metrics::Metric;
use datahub::place::Place;
use datahub::producer::{Producer, WriteError};
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;
use proptest::prelude::*;

use super::own::Own;
use super::payloads::{PATIENCE, read, read_on, shape, write, write_some};

fn unnamed(sync: ConsumerSync, capacity: u32) -> Producer {
    Producer::create_unnamed(&Folder::default(), shape(sync, capacity, 8)).unwrap()
}

fn join(producer: &Producer) -> Consumer {
    Consumer::attach(Place::File(producer.path()), JoinAt::Oldest).unwrap()
}

#[test]
fn a_consumer_reads_the_old_block_to_its_end_and_goes_on_in_the_new_one() {
    for sync in [ConsumerSync::Sequential, ConsumerSync::SequentialSync] {
        let mut producer = unnamed(sync, 4);
        let mut consumer = join(&producer);
        write_some(&mut producer, 3);
        assert_eq!(read(&mut consumer, Timeout::Now), Ok(0));
        let mut producer = producer.hand_over(shape(sync, 2, 4096)).unwrap();
        assert_eq!(producer.get_commit_index(), 3);
        write_some(&mut producer, 2);

        let early = consumer.follow(PATIENCE);
        assert!(matches!(early, Err(FollowError::Unread { next: 1, end: 3 })), "{early:?}");
        assert_eq!(read(&mut consumer, Timeout::Now), Ok(1));
        assert_eq!(read(&mut consumer, Timeout::Now), Ok(2));
        assert_eq!(read(&mut consumer, PATIENCE), Err(ReadError::Moved));
        assert_eq!(read(&mut consumer, Timeout::Now), Err(ReadError::Moved));
        consumer.follow(PATIENCE).unwrap();
        assert_eq!(consumer.config().payload_bytes(), 4096);
        assert_eq!(read(&mut consumer, Timeout::Now), Ok(3));
        assert!(matches!(consumer.follow(PATIENCE), Err(FollowError::NotMoved)));
        assert_eq!(producer.still_to_move(), 0);
        write_some(&mut producer, 1);
        drop(producer);
        assert_eq!(read_on(&mut consumer), (vec![4, 5], ReadError::Ended));
    }
}

// F20, F21: who has not come yet holds the producer back as if it were there.
#[test]
fn the_producer_cannot_pass_a_consumer_that_has_not_moved_yet() {
    let mut producer = unnamed(ConsumerSync::SequentialSync, 4);
    let (mut slow, mut fast) = (join(&producer), join(&producer));
    write_some(&mut producer, 2);
    let mut producer = producer.hand_over(shape(ConsumerSync::SequentialSync, 3, 64)).unwrap();
    assert_eq!(producer.still_to_move(), 0b11);
    write_some(&mut producer, 3);
    assert_eq!(read_on(&mut fast).0, [0, 1, 2, 3, 4]);
    assert_eq!(producer.still_to_move(), 0b01);
    let full = producer.acquire_write_slot(Timeout::Now).map(drop);
    assert!(matches!(full, Err(WriteError::TimedOutFull { slowest: 0b01, .. })), "{full:?}");
    assert_eq!(read_on(&mut slow).0, [0, 1, 2, 3, 4]);
    assert_eq!((slow.number(), fast.number()), (0, 1), "everybody keeps the number of its seat");
    assert_eq!(write(&mut producer, Timeout::Now), Some(5));
    assert_eq!(producer.metrics().get(Metric::RecoveryActions), 0);
}

// F23, decision 10: a kept seat is nobody else's.
#[test]
fn a_kept_seat_is_not_given_to_a_newcomer() {
    let sync = ConsumerSync::SequentialSync;
    let config = shape(sync, 2, 8).max_consumers(2).unwrap();
    let producer = Producer::create_unnamed(&Folder::default(), config.clone()).unwrap();
    let mut late = join(&producer);
    let producer = producer.hand_over(config).unwrap();
    let newcomer = join(&producer);
    assert_eq!(newcomer.number(), 1);
    let third = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest);
    assert!(third.is_err(), "seat 0 is kept");
    assert_eq!(read(&mut late, PATIENCE), Err(ReadError::Moved));
    late.follow(PATIENCE).unwrap();
    assert_eq!(late.number(), 0);

    let producer = unnamed(ConsumerSync::Sequential, 2);
    let _only = join(&producer);
    let producer = producer.hand_over(shape(ConsumerSync::Sequential, 2, 8)).unwrap();
    let second = Consumer::attach(Place::File(producer.path()), JoinAt::Oldest);
    assert!(second.is_err(), "the block admits one consumer, and it is on its way");
}

#[test]
fn a_latest_only_consumer_follows_to_the_newest() {
    let mut producer = unnamed(ConsumerSync::LatestOnly, 1);
    let (mut reads, mut skips) = (join(&producer), join(&producer));
    write_some(&mut producer, 3);
    assert_eq!(read(&mut reads, Timeout::Now), Ok(2));
    let mut producer = producer.hand_over(shape(ConsumerSync::LatestOnly, 1, 100)).unwrap();
    assert_eq!(read(&mut reads, Timeout::Now), Err(ReadError::Moved));
    // The newest there is stands in the old block, as long as nothing newer is there.
    assert_eq!(read(&mut skips, Timeout::Now), Ok(2));
    reads.follow(PATIENCE).unwrap();
    assert!(matches!(read(&mut reads, Timeout::Now), Err(ReadError::TimedOut { .. })));
    write_some(&mut producer, 4);
    assert_eq!(read(&mut reads, Timeout::Now), Ok(6));
    assert_eq!(read_on(&mut skips).0, [6]);
}

// What may be lost is stated and counted.
#[test]
fn a_consumer_of_an_overwriting_ring_learns_what_it_missed_in_the_move() {
    let config = shape(ConsumerSync::SequentialSync, 2, 8).on_full(OnFull::Overwrite);
    let mut producer = Producer::create_unnamed(&Folder::default(), config.clone()).unwrap();
    let mut consumer = join(&producer);
    write_some(&mut producer, 2);
    let mut producer = producer.hand_over(config).unwrap();
    write_some(&mut producer, 5);
    assert_eq!(read(&mut consumer, Timeout::Now), Ok(0));
    let (seen, why) = read_on(&mut consumer);
    assert_eq!((seen, why), (vec![1], ReadError::Lapped { missed: 3, oldest: 5 }));
    assert_eq!(read_on(&mut consumer).0, [5, 6]);
}

#[test]
fn an_iterator_follows_by_itself_through_several_blocks() {
    let mut producer = unnamed(ConsumerSync::Sequential, 4);
    let mut consumer = join(&producer);
    let mut seen = Vec::new();
    for payload_bytes in [8, 100, 5000] {
        write_some(&mut producer, 2);
        producer = producer.hand_over(shape(ConsumerSync::Sequential, 4, payload_bytes)).unwrap();
        let mut slots = consumer.slots();
        while let Ok(slot) = slots.try_next(Timeout::Now) {
            seen.push(slot.sequence());
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
    assert_eq!(consumer.config().payload_bytes(), 5000);
}

#[test]
fn a_parked_consumer_is_woken_by_the_move() {
    let config = shape(ConsumerSync::Sequential, 2, 8).parking(true);
    let producer = Producer::create_unnamed(&Folder::default(), config.clone()).unwrap();
    let mut consumer = join(&producer);
    consumer.set_wait(datahub::wait::WaitStrategy::Park);
    let waiting = std::thread::spawn(move || {
        let first = read(&mut consumer, PATIENCE);
        consumer.follow(PATIENCE).unwrap();
        (first, read(&mut consumer, PATIENCE))
    });
    let mut producer = producer.hand_over(config).unwrap();
    write_some(&mut producer, 1);
    assert_eq!(waiting.join().unwrap(), (Err(ReadError::Moved), Ok(0)));
}

// Hand-overs at any positions of up to three consumers, each of which reads when it likes.
#[derive(Debug, Clone, Copy)]
enum Step {
    Write,
    Read(usize),
    Move(u64),
    Join,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => Just(Step::Write),
        5 => (0..3_usize).prop_map(Step::Read),
        1 => (2..25_u64).prop_map(|words| Step::Move(8 * words)),
        1 => Just(Step::Join),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    // The input that fails is printed, made as small as it can be.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_consumer_is_given_every_sequence_once(
        capacity in 1..5_u32,
        steps in steps(),
        named in any::<bool>(),
    ) {
        let own = Own::new();
        let sync = ConsumerSync::SequentialSync;
        let mut producer =
            if named { own.create(shape(sync, capacity, 8)) } else { unnamed(sync, capacity) };
        let place =
            |producer: &Producer| if named { own.place() } else { Place::File(producer.path()) };
        // Each with the next sequence that it must be given.
        let mut consumers: Vec<(Consumer, Option<u64>)> = Vec::new();
        let mut written = 0;
        for step in steps {
            match step {
                Step::Write => written += u64::from(write(&mut producer, Timeout::Now).is_some()),
                Step::Join if consumers.len() < 3 => {
                    let joined = Consumer::attach(place(&producer), JoinAt::Oldest).unwrap();
                    consumers.push((joined, None));
                }
                Step::Join => {}
                Step::Read(which) => {
                    let Some((consumer, next)) = consumers.get_mut(which) else { continue };
                    match read(consumer, Timeout::Now) {
                        Ok(sequence) => {
                            prop_assert!(next.is_none_or(|next| next == sequence));
                            *next = Some(sequence + 1);
                        }
                        Err(ReadError::Moved) => {
                            consumer.follow(PATIENCE).unwrap();
                        }
                        Err(error) => {
                            prop_assert!(matches!(error, ReadError::TimedOut { .. }), "{error}");
                        }
                    }
                }
                Step::Move(more) => {
                    let bytes = producer.config().payload_bytes().max(more);
                    producer = match producer.hand_over(shape(sync, capacity, bytes)) {
                        Ok(producer) => producer,
                        Err(refused) => *refused.producer,
                    };
                }
            }
        }
        for (consumer, next) in &mut consumers {
            let (seen, _) = read_on(consumer);
            let first = next.or(seen.first().copied()).unwrap_or(written);
            prop_assert_eq!(seen, (first..written).collect::<Vec<_>>());
        }
        prop_assert_eq!(producer.still_to_move(), 0);
        prop_assert_eq!(producer.get_commit_index(), written);
    }
}
