//! What a role has seen: a place in every word's modification order, the strongest fences behind it,
//! and a clock for races.

/// Most shared words in one model.
pub(super) const WORDS_MAX: usize = 40;
/// Most roles in one model, the set-up included.
pub(super) const ROLES_MAX: usize = 6;

/// A set of strongest fences, one bit each.
pub(super) type Known = u128;

/// What has been seen, by a role or through a message.
///
/// A stamp is a message's place in its word's modification order; 0 is before all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    stamps: [u32; WORDS_MAX],
    fences: Known,
    clock: [u16; ROLES_MAX],
}

impl View {
    /// Nothing seen.
    pub(super) const NOTHING: Self =
        Self { stamps: [0; WORDS_MAX], fences: 0, clock: [0; ROLES_MAX] };

    /// Sees what `other` has seen.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, &theirs) in self.stamps.iter_mut().zip(&other.stamps) {
            *mine = (*mine).max(theirs);
        }
        self.fences |= other.fences;
        for (mine, &theirs) in self.clock.iter_mut().zip(&other.clock) {
            *mine = (*mine).max(theirs);
        }
    }

    /// The strongest fences that happened before.
    pub(super) const fn fences(&self) -> Known {
        self.fences
    }

    /// Has the strongest fence with this number behind it.
    pub(super) const fn pass(&mut self, fence: usize) {
        self.fences |= 1 << fence;
    }

    /// The last message of `word` that was seen.
    pub(super) const fn stamp(&self, word: usize) -> u32 {
        self.stamps[word]
    }

    /// Sees the message of `word` at `stamp`.
    pub(super) fn see(&mut self, word: usize, stamp: u32) {
        self.stamps[word] = self.stamps[word].max(stamp);
    }

    /// Begins the next step of `role`, whose view this is; returns its number.
    pub(super) fn tick(&mut self, role: usize) -> u16 {
        // The bound on steps keeps this far below its limit.
        self.clock[role] = self.clock[role].saturating_add(1);
        self.clock[role]
    }

    /// Whether step `at` of `role` happened before.
    pub(super) const fn knows(&self, role: usize, at: u16) -> bool {
        self.clock[role] >= at
    }
}
