//! The strongest fences of one execution, and which of them must come before which.
//!
//! C++20 wants one total order of them that agrees with everything that was seen: whatever is done
//! after a fence must not be older than what was seen before an earlier one. The order of steps is
//! not that order, because it also follows relaxed reads, which order no fences. So no order is
//! chosen here: each access adds the pairs that it decides, and a choice that would close a circle
//! is no choice. Where there is no circle there is a total order.
//! Knows nothing of: messages, roles.

use super::view::{Known, View, WORDS_MAX};

/// Most strongest fences in one execution.
const FENCES_MAX: usize = Known::BITS as usize;

#[derive(Debug)]
struct Fence {
    /// What had been seen when it ran.
    seen: View,
    /// For each word, the oldest message that something after it read, or the one before that which
    /// it wrote: who has seen a newer one comes later.
    oldest: [u32; WORDS_MAX],
    /// What must come before it, itself included.
    before: Known,
}

/// The strongest fences so far.
#[derive(Debug, Default)]
pub(super) struct Fences {
    all: Vec<Fence>,
}

/// The numbers in `set`.
pub(super) fn each(mut set: Known) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let number = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (number < Known::BITS).then_some(number as usize)
    })
}

impl Fences {
    /// Everything that must come before one of `known`, or is one of them.
    fn before(&self, known: Known) -> Known {
        each(known).fold(0, |all, fence| all | self.all[fence].before)
    }

    /// Nothing older than this message of `word` may be read, and nothing before it written, by who
    /// has `known` behind him.
    pub(super) fn floor(&self, known: Known, word: usize) -> u32 {
        let before = each(self.before(known));
        before.map(|fence| self.all[fence].seen.stamp(word)).max().unwrap_or(0)
    }

    /// Who has `known` behind him read the message of `word` at `stamp`, or wrote the one behind it.
    /// Returns the fences of which this says that `known` come before them.
    pub(super) fn accessed(&mut self, known: Known, word: usize, stamp: u32) -> Known {
        if known == 0 {
            return 0;
        }
        for fence in each(known) {
            let oldest = &mut self.all[fence].oldest[word];
            *oldest = stamp.min(*oldest);
        }
        let newer = self.those(|fence| fence.seen.stamp(word) > stamp);
        let before = self.before(known);
        for fence in &mut self.all {
            if fence.before & newer != 0 {
                fence.before |= before;
            }
        }
        newer
    }

    /// A fence runs whose role has seen `seen`, and `always` comes before it whatever was seen.
    /// Returns its number and those that come before it; `None` when there are too many.
    pub(super) fn run(&mut self, seen: View, always: Known) -> Option<(usize, Known)> {
        let number = self.all.len();
        if number == FENCES_MAX {
            return None;
        }
        let older = |fence: &Fence| {
            fence.oldest.iter().enumerate().any(|(word, &oldest)| seen.stamp(word) > oldest)
        };
        let earlier = self.those(older) | seen.fences() | always;
        let before = self.before(earlier) | 1 << number;
        self.all.push(Fence { seen, oldest: [u32::MAX; WORDS_MAX], before });
        Some((number, earlier))
    }

    /// Every fence so far.
    pub(super) fn everyone(&self) -> Known {
        self.those(|_| true)
    }

    /// What everybody had seen who ran a fence so far.
    pub(super) fn views(&self) -> impl Iterator<Item = &View> {
        self.all.iter().map(|fence| &fence.seen)
    }

    fn those(&self, which: impl Fn(&Fence) -> bool) -> Known {
        let numbered = self.all.iter().enumerate().filter(|(_, fence)| which(fence));
        numbered.fold(0, |set, (number, _)| set | 1 << number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeing(stamp: u32, fences: Known) -> View {
        let mut view = View::NOTHING;
        view.see(0, stamp);
        for fence in each(fences) {
            view.pass(fence);
        }
        view
    }

    #[test]
    fn who_reads_what_is_older_comes_first_whichever_ran_first() {
        let mut fences = Fences::default();
        let (newer, before) = fences.run(seeing(9, 0), 0).unwrap();
        assert_eq!(before, 0);
        let (older, before) = fences.run(seeing(1, 0), 0).unwrap();
        assert_eq!(before, 0, "nothing has been read after either");
        assert_eq!(fences.accessed(1 << older, 0, 1), 1 << newer);
        assert_eq!(fences.floor(1 << newer, 0), 9);
        assert_eq!(fences.floor(1 << older, 0), 1, "nothing keeps it from reading that again");
    }

    #[test]
    fn who_has_seen_more_than_was_read_after_a_fence_comes_after_it() {
        let mut fences = Fences::default();
        let (first, _) = fences.run(seeing(1, 0), 0).unwrap();
        fences.accessed(1 << first, 0, 1);
        let (second, before) = fences.run(seeing(2, 0), 0).unwrap();
        assert_eq!(before, 1 << first);
        let (_, before) = fences.run(seeing(2, 1 << second), 0).unwrap();
        assert_eq!(before, 1 << first | 1 << second);
        assert_eq!(fences.everyone(), 0b111);
    }

    #[test]
    fn what_comes_before_goes_on_through_others() {
        let mut fences = Fences::default();
        let (first, _) = fences.run(seeing(5, 0), 0).unwrap();
        let (second, _) = fences.run(seeing(0, 1 << first), 0).unwrap();
        let (third, _) = fences.run(seeing(0, 1 << second), 0).unwrap();
        assert_eq!(fences.floor(1 << third, 0), 5);
    }

    #[test]
    fn too_many_fences_are_refused() {
        let mut fences = Fences::default();
        for _ in 0..FENCES_MAX {
            assert!(fences.run(View::NOTHING, 0).is_some());
        }
        assert!(fences.run(View::NOTHING, 0).is_none());
    }
}
