//! A reader that stands in the producer's way until the producer goes on without it.

use datahub::monitor::Monitor;
use datahub::monitor::view::Standing;
use datahub::wait::monotonic_ns;

/// No longer, whatever the producer does.
const LIMIT_NS: u64 = 50_000_000;

/// Returns when the consumer `number` was evicted, or nobody is there who could do it. The consumer holds
/// a payload meanwhile, or at least reads nothing.
pub(super) fn overstay(monitor: &Monitor, number: u32) {
    let since_ns = monotonic_ns();
    loop {
        let now_ns = monotonic_ns();
        let view = monitor.snapshot(now_ns);
        let evicted = view.consumers.iter().any(|consumer| {
            consumer.number == number && consumer.seat.standing == Standing::Evicted
        });
        if evicted || !view.producer.alive || now_ns.saturating_sub(since_ns) > LIMIT_NS {
            return;
        }
        rustix::thread::sched_yield();
    }
}
