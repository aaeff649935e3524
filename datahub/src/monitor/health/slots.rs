//! Rules about slots, payloads and the words of the block.

use super::{Case, Finding, Severity, consumers_in};
use crate::config::ConsumerSync;
use crate::metrics::Metric;
use crate::monitor::damage;
use crate::monitor::view::SlotView;
use crate::slot::SlotState;

pub(super) fn examine(case: Case<'_>, findings: &mut Vec<Finding>) {
    findings.extend(held_by_dead(case));
    findings.extend(half_done(case));
    findings.extend(wrong_checksums(case));
    findings.extend(invalid_reads(case));
    findings.extend(damage::damage(case.now).into_iter().map(|what| Finding {
        rule: "words-damaged",
        severity: Severity::Critical,
        what,
        why: "no correct process writes this: a neighbour has a bug, or memory was overwritten",
        remedy: "stop everybody, `datahub validate` what is left, `datahub unlink`, start again",
    }));
}

/// A slot that only the dead are inside of.
fn held_by_dead(case: Case<'_>) -> Option<Finding> {
    let held = case.now.slots.iter().filter(|slot| slot.dead_readers != 0);
    let (count, mask) =
        held.fold((0_usize, 0), |(n, mask), slot| (n + 1, mask | slot.dead_readers));
    (count > 0).then(|| Finding {
        rule: "slot-held-by-dead",
        severity: Severity::Warning,
        what: format!(
            "{count} of {} slots are held by dead {}",
            case.now.slots.len(),
            consumers_in(mask)
        ),
        why: "the producer has to go round them, and has to wait when there are too many",
        remedy: "`datahub recover` clears exactly the dead one's bits",
    })
}

/// A slot that a dead producer left in the middle.
fn half_done(case: Case<'_>) -> Option<Finding> {
    // A sequential producer takes the slot of the next sequence ahead of time: it is the spare one
    // and holds nothing that was promised.
    let rules = case.now.rules();
    let announced = case.now.commit_index;
    let spare = |index: usize| {
        // One commit may be made and not announced.
        let next = [announced, announced.saturating_add(1)];
        rules.sync != ConsumerSync::LatestOnly
            && next.map(|next| rules.index(next)).contains(&index)
    };
    let half = |slot: &&SlotView| match slot.state {
        SlotState::Writing => !spare(slot.index),
        SlotState::Draining => true,
        SlotState::Free | SlotState::Committed => false,
    };
    let slot = case.now.slots.iter().find(half);
    let slot = slot.filter(|_| !case.now.producer.alive)?;
    let (index, writing) = (slot.index, slot.state == SlotState::Writing);
    Some(Finding {
        rule: if writing { "slot-half-written" } else { "slot-left-closed" },
        severity: Severity::Warning,
        what: if writing {
            format!("slot {index} is WRITING, and its writer is dead")
        } else {
            format!("slot {index} is DRAINING, and nobody will open it again")
        },
        why: "nothing that was promised is lost, but the slot is of no use to anybody",
        remedy: "`datahub recover` puts it to rest; so does the next producer",
    })
}

/// Payloads that were not what was stamped.
fn wrong_checksums(case: Case<'_>) -> Option<Finding> {
    let count = case.now.metrics.get(Metric::ChecksumFailures);
    (count > 0).then(|| Finding {
        rule: "checksum-failures",
        severity: Severity::Critical,
        what: format!("{count} reads found a payload that does not match its checksum"),
        why: "something writes into the block that should not: a stray pointer, or bad memory",
        remedy: "`datahub validate` names the payloads that are wrong now; look for the writer",
    })
}

/// Slots that changed under a reader.
fn invalid_reads(case: Case<'_>) -> Option<Finding> {
    let count = case.now.metrics.get(Metric::ValidationFailures);
    (count > 0).then(|| Finding {
        rule: "validation-failures",
        severity: Severity::Critical,
        what: format!("{count} reads found that their slot had changed under them"),
        why: "a payload was overwritten while it was read: somebody recovered by force, or a bug",
        remedy: "do not force recovery under living consumers; otherwise report it with this output",
    })
}
