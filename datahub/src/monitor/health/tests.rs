//! Each rule finds what was planted for it, and nothing in a healthy block.

use super::*;
use crate::config::{BlockConfig, ConsumerSync};
use crate::consumer::Consumer;
use crate::memory::Shared;
use crate::metrics::{self, Metric};
use crate::monitor::Monitor;
use crate::monitor::process::ProcessState;
use crate::place::Place;
use crate::producer::Producer;
use crate::ring::reader::JoinAt;
use crate::shm::Folder;
use crate::slot::SlotState;
use crate::wait::{Timeout, monotonic_ns};

/// A block with three commits and two consumers, one of which has read one payload.
struct Healthy {
    producer: Producer,
    _consumers: [Consumer; 2],
    monitor: Monitor,
}

impl Healthy {
    fn new() -> Self {
        let config = BlockConfig::new(ConsumerSync::SequentialSync, 4, 8).unwrap();
        let mut producer = Producer::create_unnamed(&Folder::default(), config).unwrap();
        let place = Place::File(producer.path());
        let attach = || Consumer::attach(place.clone(), JoinAt::Oldest).unwrap();
        let mut consumers = [attach(), attach()];
        for sequence in 0..3_u64 {
            let mut slot = producer.acquire_write_slot(Timeout::Now).unwrap();
            slot.payload().copy_from_slice(&sequence.to_le_bytes());
            slot.commit(8).unwrap();
        }
        consumers[0].acquire_consume_slot(Timeout::Now).unwrap().release();
        let monitor = Monitor::open(&place).unwrap();
        Self { producer, _consumers: consumers, monitor }
    }

    fn view(&self) -> BlockView {
        self.monitor.snapshot(monotonic_ns())
    }

    fn set(&self, metric: Metric, value: u64) {
        metrics::set(&Shared, &self.producer.block().metrics().words[metric as usize], value);
    }
}

fn found(view: &BlockView) -> Vec<(&'static str, Severity)> {
    let findings = examine(view, None, Thresholds::default());
    findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
}

/// What the rules find after `plant` has changed a healthy view.
fn planted(plant: impl FnOnce(&mut BlockView)) -> Vec<(&'static str, Severity)> {
    let mut view = Healthy::new().view();
    plant(&mut view);
    view.mark_dead();
    found(&view)
}

const SIX_SECONDS: Option<u64> = Some(6_000_000_000);
use Severity::{Critical, Info, Warning};

#[test]
fn a_healthy_block_yields_no_finding() {
    let block = Healthy::new();
    assert_eq!(found(&block.view()), []);
    let (earlier, now) = (block.view(), block.view());
    assert_eq!(examine(&now, Some(&earlier), Thresholds::default()), []);
}

#[test]
fn a_dead_producer_is_critical() {
    assert_eq!(planted(|view| view.producer.alive = false), [("producer-dead", Critical)]);
}

#[test]
fn an_empty_producers_seat_is_named() {
    let found = planted(|view| {
        view.producer.alive = false;
        view.producer.occupied = false;
    });
    assert_eq!(found, [("producer-missing", Warning)]);
}

#[test]
fn an_ended_stream_is_no_death() {
    let found = planted(|view| {
        view.producer.alive = false;
        view.producer.occupied = false;
        view.ended = true;
    });
    assert_eq!(found, [("stream-ended", Info)]);
}

#[test]
fn a_silent_producer_is_named_after_five_seconds() {
    assert_eq!(planted(|view| view.producer.beat_age_ns = Some(5_000_000_000)), []);
    let silent = planted(|view| view.producer.beat_age_ns = SIX_SECONDS);
    assert_eq!(silent, [("producer-silent", Warning)]);
}

#[test]
fn a_producer_that_commits_is_not_silent() {
    let block = Healthy::new();
    let (mut earlier, mut now) = (block.view(), block.view());
    earlier.commit_index -= 1;
    now.producer.beat_age_ns = SIX_SECONDS;
    assert_eq!(examine(&now, Some(&earlier), Thresholds::default()), []);
    // Progress of another block under the same name says nothing.
    earlier.geometry.nonce = [0xee; 16];
    assert_eq!(examine(&now, Some(&earlier), Thresholds::default()).len(), 1);
}

#[test]
fn a_stopped_producer_is_critical() {
    let found = planted(|view| view.producer.process = Some(ProcessState::Stopped));
    assert_eq!(found, [("producer-stopped", Critical)]);
}

#[test]
fn a_dead_consumer_that_nobody_reaped_is_named() {
    let found = planted(|view| view.consumers[1].seat.alive = false);
    assert_eq!(found, [("consumer-dead", Warning)]);
}

#[test]
fn a_silent_consumer_is_named_if_it_has_something_to_read() {
    let silent = planted(|view| view.consumers[1].seat.beat_age_ns = SIX_SECONDS);
    assert_eq!(silent, [("consumer-silent", Warning)]);
    let idle = planted(|view| {
        view.consumers[1].seat.beat_age_ns = SIX_SECONDS;
        view.consumers[1].lag = 0;
    });
    assert_eq!(idle, []);
}

#[test]
fn a_consumer_that_reads_is_not_silent() {
    let block = Healthy::new();
    let (mut earlier, mut now) = (block.view(), block.view());
    now.consumers[0].seat.beat_age_ns = SIX_SECONDS;
    earlier.consumers[0].slots_read -= 1;
    assert_eq!(examine(&now, Some(&earlier), Thresholds::default()), []);
}

#[test]
fn a_stopped_consumer_is_named() {
    let found = planted(|view| view.consumers[0].seat.process = Some(ProcessState::Stopped));
    assert_eq!(found, [("consumer-stopped", Warning)]);
}

#[test]
fn a_slot_held_by_the_dead_is_named() {
    let found = planted(|view| {
        view.consumers[1].seat.alive = false;
        view.consumers[1].pins = vec![2];
        view.slots[2].readers = 0b10;
    });
    assert_eq!(found, [("consumer-dead", Warning), ("slot-held-by-dead", Warning)]);
}

fn full(view: &mut BlockView) {
    view.commit_index = 4;
    view.consumers[1].lag = 4;
}

#[test]
fn a_full_ring_whose_slowest_consumer_lives_is_for_information() {
    assert_eq!(planted(full), [("ring-full", Info)]);
}

#[test]
fn a_full_ring_whose_slowest_consumer_is_dead_or_stopped_is_critical() {
    let dead = planted(|view| {
        full(view);
        view.consumers[1].seat.alive = false;
    });
    assert_eq!(dead, [("ring-stuck", Critical), ("consumer-dead", Warning)]);
    let stopped = planted(|view| {
        full(view);
        view.consumers[1].seat.process = Some(ProcessState::Stopped);
    });
    assert_eq!(stopped, [("ring-stuck", Critical), ("consumer-stopped", Warning)]);
}

#[test]
fn writer_timeouts_matter_when_they_grow() {
    let block = Healthy::new();
    let earlier = block.view();
    block.set(Metric::WriterTimeouts, 3);
    let now = block.view();
    assert_eq!(found(&now), [("writer-timeouts", Info)]);
    let growing = examine(&now, Some(&earlier), Thresholds::default());
    assert_eq!((growing[0].rule, growing[0].severity), ("writer-timeouts-growing", Warning));
    let steady = examine(&now, Some(&now), Thresholds::default());
    assert_eq!((steady[0].rule, steady[0].severity), ("writer-timeouts", Info));
}

#[test]
fn wrong_payloads_are_critical() {
    for (metric, rule) in [
        (Metric::ChecksumFailures, "checksum-failures"),
        (Metric::ValidationFailures, "validation-failures"),
    ] {
        let block = Healthy::new();
        block.set(metric, 1);
        assert_eq!(found(&block.view()), [(rule, Critical)]);
    }
}

#[test]
fn missed_payloads_are_for_information() {
    let block = Healthy::new();
    block.set(Metric::Lapped, 7);
    assert_eq!(found(&block.view()), [("payloads-missed", Info)]);
}

#[test]
fn a_slot_that_a_dead_producer_left_half_done_is_named() {
    for (state, rule) in
        [(SlotState::Writing, "slot-half-written"), (SlotState::Draining, "slot-left-closed")]
    {
        let plant = |alive: bool| {
            planted(|view| {
                view.producer.alive = alive;
                view.slots[0].state = state;
            })
        };
        assert_eq!(plant(false), [("producer-dead", Critical), (rule, Warning)]);
        assert_eq!(plant(true), []);
    }
}

#[test]
fn a_commit_that_was_never_announced_is_named() {
    let plant = |alive: bool| {
        planted(|view| {
            view.producer.alive = alive;
            view.commit_index = 2;
        })
    };
    assert_eq!(plant(false), [("producer-dead", Critical), ("commit-unannounced", Warning)]);
    assert_eq!(plant(true), []);
}

#[test]
fn a_block_without_a_free_seat_is_for_information() {
    let found = planted(|view| {
        let config = &view.geometry.config;
        view.geometry.config = config.clone().max_consumers(2).unwrap();
    });
    assert_eq!(found, [("seats-taken", Info)]);
}

#[test]
fn words_that_nobody_writes_are_critical() {
    let plants: [fn(&mut BlockView); 9] = [
        |view| view.registered = 1 << 20,
        |view| view.slots[1].readers = 1 << 31,
        |view| view.slots[1].label = 99,
        |view| (view.slots[1].label, view.slots[1].tag) = (1 << 20, 1 << 20),
        |view| (view.slots[1].label, view.slots[1].tag) = (6 + 2, 6 + 2),
        |view| view.slots[1].payload_bytes = 9,
        |view| view.newest_slot = Some(5),
        |view| view.consumers[0].cursor = u64::MAX,
        |view| view.geometry.first = 4,
    ];
    for (number, plant) in plants.into_iter().enumerate() {
        let found = planted(plant);
        assert!(found.contains(&("words-damaged", Critical)), "plant {number}: {found:?}");
    }
}

#[test]
fn the_worst_comes_first() {
    let mut view = Healthy::new().view();
    view.producer.alive = false;
    full(&mut view);
    let findings = examine(&view, None, Thresholds::default());
    assert!(findings.is_sorted_by_key(|finding| core::cmp::Reverse(finding.severity)));
    assert_eq!(worst(&findings), Some(Critical));
    assert_eq!(worst(&[]), None);
}
