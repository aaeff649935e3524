//! What a ring becomes when its dead producer is succeeded: the same answer as `rules::resume`, from a
//! view, so that it can be told before it is done.

use super::view::{BlockView, SlotView};
use crate::config::ConsumerSync;
use crate::sequence::Sequence;
use crate::slot::SlotState;

/// A ring at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// How many commits there are: announced ones, and whole ones that follow without a gap.
    pub commits: u64,
    /// The newest commit, with its slot.
    pub newest: Option<(Sequence, usize)>,
    /// Slots that change, with their state at rest.
    pub changes: Vec<(usize, SlotState)>,
}

impl Rest {
    /// The ring of `view` at rest.
    #[must_use]
    pub fn of(view: &BlockView) -> Self {
        let rules = view.rules();
        let announced = view.commit_index.max(rules.first);
        let latest = rules.sync == ConsumerSync::LatestOnly;
        // At most one commit, or one batch, is made and not announced.
        let ahead = if latest { 1 } else { rules.slots as u64 };
        let known = rules.first..announced.saturating_add(ahead);
        let right = |slot: &&SlotView| {
            let label = slot.sequence().filter(|label| known.contains(label));
            label.is_some_and(|label| latest || rules.index(label) == slot.index)
        };
        let mut held: Vec<(Sequence, usize)> =
            view.slots.iter().filter(right).map(|slot| (slot.label, slot.index)).collect();
        held.sort_unstable();

        let last = held.last().map_or(0, |&(label, _)| label + 1);
        let commits = if latest { last.max(announced) } else { follow(&held, announced) };
        held.retain(|&(label, _)| label < commits);
        let stays = |index| held.iter().any(|&(_, held)| held == index);
        let change = |slot: &SlotView| {
            let rest = if stays(slot.index) { SlotState::Committed } else { SlotState::Free };
            (slot.state != rest).then_some((slot.index, rest))
        };
        let changes = view.slots.iter().filter_map(change).collect();
        Self { commits, newest: held.last().copied(), changes }
    }
}

/// How many commits there are, if those from `announced` on count that follow without a gap.
fn follow(held: &[(Sequence, usize)], announced: u64) -> u64 {
    let later = held.iter().map(|&(label, _)| label).skip_while(|&label| label < announced);
    (announced..).zip(later).take_while(|(wanted, found)| wanted == found).count() as u64
        + announced
}
