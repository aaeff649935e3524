//! Rules about the consumers.

use super::{Case, Finding, Severity, process};
use crate::metrics::Metric;
use crate::monitor::age;
use crate::monitor::view::ConsumerView;

pub(super) fn examine(case: Case<'_>, findings: &mut Vec<Finding>) {
    for consumer in &case.now.consumers {
        findings.extend(dead(consumer).or_else(|| silence(case, consumer)));
    }
    findings.extend(full(case));
    findings.extend(lapped(case));
    findings.extend(seats(case));
}

/// Gone, and its seat is not.
fn dead(consumer: &ConsumerView) -> Option<Finding> {
    if !consumer.is_dead() {
        return None;
    }
    let (number, who) = (consumer.number, process(consumer.seat.process_id()));
    let last = consumer.seat.beat_age_ns.map(age::duration);
    let last = last.map(|age| format!("; last heartbeat {age} ago")).unwrap_or_default();
    Some(Finding {
        rule: "consumer-dead",
        severity: Severity::Warning,
        what: format!("consumer {number}{who} is dead and its seat not cleared{last}"),
        why: "its cursor or its pins stay in the way until somebody notices, and its seat is taken",
        remedy: "`datahub recover` clears it; a waiting producer and the next consumer do it too",
    })
}

/// Alive, with something to read, and not reading.
fn silence(case: Case<'_>, consumer: &ConsumerView) -> Option<Finding> {
    let (number, who) = (consumer.number, process(consumer.seat.process_id()));
    let in_the_way = consumer.gates || !consumer.pins.is_empty();
    if consumer.seat.is_stopped() {
        let severity = if in_the_way { Severity::Warning } else { Severity::Info };
        return Some(Finding {
            rule: "consumer-stopped",
            severity,
            what: format!("consumer {number}{who} is stopped, {} payloads behind", consumer.lag),
            why: "it is alive, so its cursor and its pins count; it will not move by itself",
            remedy: "continue it (SIGCONT), close the debugger, or end it",
        });
    }
    let age_ns = consumer.seat.beat_age_ns.filter(|&age| age > case.thresholds.silent_ns)?;
    let same = |before: &&ConsumerView| before.number == number;
    let before = case.earlier.and_then(|earlier| earlier.consumers.iter().find(same));
    let moved = before.is_some_and(|before| before.slots_read != consumer.slots_read);
    if moved || consumer.lag == 0 || !consumer.registered {
        return None;
    }
    Some(Finding {
        rule: "consumer-silent",
        severity: if in_the_way { Severity::Warning } else { Severity::Info },
        what: format!(
            "consumer {number}{who} last gave a sign {} ago and is {} payloads behind",
            age::duration(age_ns),
            consumer.lag
        ),
        why: "it hangs or is busy elsewhere, and a lossless ring waits for it",
        remedy: "see what it does; a slow consumer should call `beat()` once a second",
    })
}

/// No room, and who is to blame.
fn full(case: Case<'_>) -> Option<Finding> {
    let gating = case.now.gating();
    let slowest = gating.first().filter(|_| case.now.is_full())?;
    let (number, who) = (slowest.number, process(slowest.seat.process_id()));
    let capacity = case.now.rules().capacity;
    let stuck = if slowest.is_dead() {
        "is dead"
    } else if slowest.seat.is_stopped() {
        "is stopped"
    } else {
        return Some(Finding {
            rule: "ring-full",
            severity: Severity::Info,
            what: format!(
                "the ring is full ({capacity} unread); consumer {number}{who} is slowest"
            ),
            why: "the producer goes at the pace of the slowest consumer",
            remedy: "nothing, if that is meant; otherwise more capacity or a faster consumer",
        });
    };
    Some(Finding {
        rule: "ring-stuck",
        severity: Severity::Critical,
        what: format!(
            "the ring is full ({capacity} unread) and consumer {number}{who}, the slowest, {stuck}"
        ),
        why: "the producer can write nothing, and no other consumer gets anything new",
        remedy: "`datahub recover` clears a dead consumer; continue or end a stopped one",
    })
}

/// Payloads that consumers missed.
fn lapped(case: Case<'_>) -> Option<Finding> {
    let missed = case.now.metrics.get(Metric::Lapped);
    (missed > 0).then(|| Finding {
        rule: "payloads-missed",
        severity: Severity::Info,
        what: format!("consumers were passed by the producer and missed {missed} payloads"),
        why: "an overwriting ring loses what is not read in time, and says so to the reader",
        remedy: "nothing, if that is meant; otherwise more capacity, or `OnFull::Block`",
    })
}

/// Every seat has a living owner.
fn seats(case: Case<'_>) -> Option<Finding> {
    let seats = case.now.geometry.config.consumers_max() as usize;
    let alive = case.now.consumers.iter().filter(|consumer| consumer.seat.alive).count();
    // One seat that is taken is what the owner of such a block wants.
    (seats > 1 && alive >= seats).then(|| Finding {
        rule: "seats-taken",
        severity: Severity::Info,
        what: format!("all {seats} consumer seats are taken"),
        why: "the next consumer is refused",
        remedy: "make the block with a larger `max_consumers` (up to 32)",
    })
}
