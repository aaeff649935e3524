//! Real processes that read a stream while it moves.

use datahub::config::{BlockConfig, ConsumerSync, OnFull};
use datahub::memory::Shared;
use datahub::place::Place;
use datahub::producer::Producer;

use super::own::Own;
use super::payloads::{PATIENCE, files, shape, write};
use super::role::ready;

const BLOCKS: u64 = 6;

/// Writes, hands over to ever larger blocks, ends. Children read; returns what they say.
fn stream(
    own: &Own,
    named: bool,
    readers: usize,
    make: impl Fn(u64) -> BlockConfig,
) -> Vec<String> {
    let mut producer = if named {
        own.create(make(8))
    } else {
        Producer::create_unnamed_with(Shared, &own.folder, make(8)).unwrap()
    };
    let place = if named { own.place() } else { Place::File(producer.path()) };
    let mut children: Vec<_> = (0..readers).map(|_| ready("reads", own, &place)).collect();
    for block in 1..BLOCKS {
        // Not a multiple of anything, so that the ring is cut at other places.
        for _ in 0..=7 * block {
            write(&mut producer, PATIENCE).unwrap();
        }
        while producer.still_to_move() != 0 {
            std::thread::yield_now();
        }
        producer = producer.hand_over(make(8 << block)).unwrap();
    }
    write(&mut producer, PATIENCE).unwrap();
    // The successor of an unnamed block is there as long as its producer.
    while !named && producer.still_to_move() != 0 {
        std::thread::yield_now();
    }
    drop(producer);
    children.iter_mut().map(|child| child.until(" in all")).collect()
}

const LAST: u64 = 7 * (BLOCKS - 1) * BLOCKS / 2 + BLOCKS - 1;

fn everything() -> String {
    format!("0 to {LAST}, {} in all, {} moves", LAST + 1, BLOCKS - 1)
}

#[test]
fn one_sequential_reader_is_given_everything_once() {
    for named in [true, false] {
        let own = Own::new();
        let make = |bytes| shape(ConsumerSync::Sequential, 4, bytes).parking(named);
        assert_eq!(stream(&own, named, 1, make), [everything()]);
        assert_eq!(files(&own), [] as [&str; 0]);
    }
}

#[test]
fn three_gating_readers_are_given_everything_once() {
    for named in [true, false] {
        let own = Own::new();
        let make = |bytes| shape(ConsumerSync::SequentialSync, 4, bytes).on_full(OnFull::Block);
        assert_eq!(stream(&own, named, 3, make), [everything(), everything(), everything()]);
        assert_eq!(files(&own), [] as [&str; 0]);
    }
}

#[test]
fn latest_only_readers_follow_to_the_last() {
    let own = Own::new();
    let told = stream(&own, true, 2, |bytes| shape(ConsumerSync::LatestOnly, 1, bytes));
    for line in told {
        assert!(line.contains(&format!(" to {LAST}, ")), "{line}");
        assert!(line.ends_with(&format!(" {} moves", BLOCKS - 1)), "{line}");
    }
    assert_eq!(files(&own), [] as [&str; 0]);
}
