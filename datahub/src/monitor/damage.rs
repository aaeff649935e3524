//! Words that no correct process writes: what a buggy neighbour or a stray pointer left behind.
//!
//! Nothing here is repaired by guessing. A view of a block under traffic shows no damage that is not
//! there: labels and cursors are read before the commit index, and slots that move are passed over.

use super::view::{BlockView, SlotView};
use crate::config::ConsumerSync;
use crate::slot::{SlotState, known_readers};

/// What is wrong with the words of the block, in words.
#[must_use]
pub fn damage(view: &BlockView) -> Vec<String> {
    let mut found = Vec::new();
    let config = &view.geometry.config;
    let seats = known_readers(config.consumers_max() as usize);
    if view.registered & !seats != 0 {
        found.push(format!(
            "the registry names consumers {:#x}, but the block has {} seats",
            view.registered,
            config.consumers_max()
        ));
    }
    if view.commit_index < view.geometry.first {
        found.push(format!(
            "commit_index is {}, but the block began at {}",
            view.commit_index, view.geometry.first
        ));
    }
    if let Some(slot) = view.newest_slot.filter(|&slot| slot >= view.slots.len()) {
        found.push(format!("the newest payload is said to be in slot {slot}, which is not there"));
    }
    let limit = limit(view);
    for consumer in view.consumers.iter().filter(|c| c.registered && c.cursor > limit) {
        found.push(format!(
            "the cursor of consumer {} is {}, far beyond commit_index {}",
            consumer.number, consumer.cursor, view.commit_index
        ));
    }
    found.extend(view.slots.iter().filter_map(|slot| slot_damage(view, slot)));
    found
}

/// No label or cursor can be beyond this: what is committed, and one lap that is not announced yet.
fn limit(view: &BlockView) -> u64 {
    view.commit_index.saturating_add(view.rules().slots as u64)
}

/// The first thing that is wrong with a slot.
fn slot_damage(view: &BlockView, slot: &SlotView) -> Option<String> {
    let (rules, config, index) = (view.rules(), &view.geometry.config, slot.index);
    if slot.moving {
        return None;
    }
    let strangers = slot.readers & !known_readers(config.consumers_max() as usize);
    if strangers != 0 {
        return Some(format!("slot {index} names readers {strangers:#x}, who have no seats"));
    }
    if matches!(slot.state, SlotState::Free | SlotState::Writing) {
        return None;
    }
    let Some(label) = slot.sequence() else {
        return Some(format!(
            "slot {index} is labelled {}, which its word contradicts",
            slot.label
        ));
    };
    if label < rules.first || label >= limit(view) {
        return Some(format!(
            "slot {index} is labelled {label}, outside of {} to {}",
            rules.first, view.commit_index
        ));
    }
    if rules.sync != ConsumerSync::LatestOnly && rules.index(label) != index {
        return Some(format!(
            "sequence {label} is in slot {index}, but its place is slot {}",
            rules.index(label)
        ));
    }
    (slot.payload_bytes > config.payload_bytes()).then(|| {
        format!(
            "slot {index} claims {} bytes in use, but a payload has {}",
            slot.payload_bytes,
            config.payload_bytes()
        )
    })
}
