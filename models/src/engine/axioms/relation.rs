//! Relations between the events of a small program, as rows of bits.

/// Which event stands in relation to which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation(Vec<u32>);

impl Relation {
    /// Nothing is related, among `events` events.
    pub(super) fn none(events: usize) -> Self {
        assert!(events <= 32, "{events} events are too many");
        Self(vec![0; events])
    }

    /// From now on `from` is related to `to`.
    pub(super) fn relate(&mut self, from: usize, to: usize) {
        self.0[from] |= 1 << to;
    }

    /// Whether `from` is related to `to`.
    pub(super) fn has(&self, from: usize, to: usize) -> bool {
        self.0[from] >> to & 1 == 1
    }

    /// What either says.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine | theirs).collect())
    }

    /// First this, then `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let row = |&mine: &u32| {
            let through = next.0.iter().enumerate().filter(|(at, _)| mine >> at & 1 == 1);
            through.fold(0, |all, (_, row)| all | row)
        };
        Self(self.0.iter().map(row).collect())
    }

    /// This, any number of times, at least once.
    pub(super) fn closed(&self) -> Self {
        let mut closed = self.clone();
        for through in 0..closed.0.len() {
            let row = closed.0[through];
            for from in &mut closed.0 {
                if *from >> through & 1 == 1 {
                    *from |= row;
                }
            }
        }
        closed
    }

    /// Whether nothing is related to itself.
    pub(super) fn is_irreflexive(&self) -> bool {
        (0..self.0.len()).all(|at| !self.has(at, at))
    }

    /// What it says of events that `keeps` keeps.
    pub(super) fn among(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let kept = (0..self.0.len()).filter(|&at| keeps(at)).fold(0, |all, at| all | 1 << at);
        let rows = self.0.iter().enumerate();
        Self(rows.map(|(at, row)| if kept >> at & 1 == 1 { row & kept } else { 0 }).collect())
    }

    /// How many stand before `to`.
    pub(super) fn before(&self, to: usize) -> usize {
        (0..self.0.len()).filter(|&from| self.has(from, to)).count()
    }
}
