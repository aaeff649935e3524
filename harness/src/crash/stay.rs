//! Readers that stay inside a slot until the producer does something about it, and producers that let them
//! in: how loaded the machine is does not decide who meets whom.

use datahub::monitor::Monitor;
use datahub::monitor::view::{BlockView, Standing};
use datahub::shm::words::WordMap;
use datahub::slot::SlotState;
use datahub::wait::monotonic_ns;

use super::scene::READ;

/// No longer, whatever the producer does.
const LIMIT_NS: u64 = 50_000_000;

/// Until the producer has gone on without the consumer `number`.
pub(super) fn until_evicted(monitor: &Monitor, number: u32) {
    until(monitor, |view| {
        view.consumers.iter().any(|consumer| {
            consumer.number == number && consumer.seat.standing == Standing::Evicted
        })
    });
}

/// Until the producer waits for somebody inside a slot.
pub(super) fn until_waited_for(monitor: &Monitor) {
    until(monitor, |view| view.slots.iter().any(|slot| slot.state == SlotState::Draining));
}

/// Until somebody is inside a slot, has read on since so many were `read`, or nobody is there who could. For
/// a producer, which would be through before anybody comes.
pub(super) fn until_met(monitor: &Monitor, (words, read): (&WordMap, u64)) {
    until(monitor, |view| {
        let inside = view.slots.iter().any(|slot| slot.readers != 0);
        let alone = view.consumers.iter().all(|consumer| !consumer.seat.alive);
        inside || alone || words.read(READ) != read
    });
}

/// Until it is so, or no producer is there.
fn until(monitor: &Monitor, is_so: impl Fn(&BlockView) -> bool) {
    let since_ns = monotonic_ns();
    loop {
        let now_ns = monotonic_ns();
        let view = monitor.snapshot(now_ns);
        if is_so(&view) || !view.producer.alive || now_ns.saturating_sub(since_ns) > LIMIT_NS {
            return;
        }
        rustix::thread::sched_yield();
    }
}
