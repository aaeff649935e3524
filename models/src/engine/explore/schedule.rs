//! Which role goes next, and what it reads: a depth-first search that visits no execution twice.
//!
//! Only reads compete. A store never does: whatever others do before it can as well be done after it,
//! because a store may go anywhere in modification order and a load may still read what is older. So
//! stores go first, and the order in which they ran tells nothing; nor does that of fences (`fences`).
//! A role whose reads were tried falls asleep: reading the same old messages later leads nowhere
//! new. It wakes only for messages written since then.

use super::flaw::Flaw;
use super::view::ROLES_MAX;
use super::world::{Choice, Operation, World};

/// Why a role need not be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    /// It must be tried.
    Awake,
    /// Everything it could read from messages before this serial has been tried.
    Since(u32),
}

/// One way to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Branch {
    role: usize,
    choice: Choice,
}

/// A place where there was more than one way to go on.
#[derive(Debug)]
struct Node {
    branches: Vec<Branch>,
    at: usize,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// This role does what it wants, in this way.
    Go(usize, Choice),
    /// All that could follow has been seen already.
    Seen,
    /// The model does not repeat itself: the engine must not go on.
    Diverged,
}

/// The search.
#[derive(Debug)]
pub(super) struct Schedule {
    nodes: Vec<Node>,
    depth: usize,
    sleep: [Sleep; ROLES_MAX],
    /// A path to follow instead of searching.
    forced: Option<Vec<usize>>,
    /// How often a role may read one stale value in a row; none: as often as it likes.
    repeats: Option<u32>,
    /// Whether that ever kept a role from reading something.
    trimmed: bool,
    /// A defect of this engine, in its own tests.
    flaw: Flaw,
}

impl Schedule {
    /// A search from the beginning.
    pub(super) const fn new(repeats: Option<u32>) -> Self {
        let sleep = [Sleep::Awake; ROLES_MAX];
        let nodes = Vec::new();
        Self { nodes, depth: 0, sleep, forced: None, repeats, trimmed: false, flaw: Flaw::None }
    }

    /// The same, with a defect.
    pub(super) const fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = flaw;
        self
    }

    pub(super) const fn flaw(&self) -> Flaw {
        self.flaw
    }

    /// Whether a path that was to be followed has been followed to its end.
    pub(super) fn followed(&self) -> bool {
        self.forced.as_ref().is_none_or(|path| path.len() == self.depth)
    }

    /// Follows `path`, as [`path`](Self::path) gave it.
    pub(super) fn forced(path: Vec<usize>, repeats: Option<u32>) -> Self {
        Self { forced: Some(path), ..Self::new(repeats) }
    }

    pub(super) const fn repeats(&self) -> Option<u32> {
        self.repeats
    }

    /// Notes whether the bound on repeats mattered in an execution.
    pub(super) const fn note(&mut self, trimmed: bool) {
        self.trimmed |= trimmed;
    }

    pub(super) const fn trimmed(&self) -> bool {
        self.trimmed
    }

    /// Back to the beginning of an execution.
    pub(super) const fn begin(&mut self) {
        self.depth = 0;
        self.sleep = [Sleep::Awake; ROLES_MAX];
    }

    /// Decides among the roles' `pending` operations.
    pub(super) fn decide(&mut self, pending: &[Option<Operation>], world: &World) -> Decision {
        let branches = self.branches(pending, world);
        let at = match branches.len() {
            0 => return Decision::Seen,
            1 => 0,
            count => match self.place(&branches) {
                Some(at) if at < count => at,
                _ => return Decision::Diverged,
            },
        };
        let chosen = branches[at];
        for earlier in branches[..at].iter().filter(|branch| branch.role != chosen.role) {
            self.sleep[earlier.role] = Sleep::Since(world.serial());
        }
        self.sleep[chosen.role] = Sleep::Awake;
        Decision::Go(chosen.role, chosen.choice)
    }

    /// Every way to go on that is not known to lead where the search has been.
    fn branches(&self, pending: &[Option<Operation>], world: &World) -> Vec<Branch> {
        let mut choices = Vec::new();
        let mut branches = Vec::new();
        let store =
            pending.iter().position(|operation| matches!(operation, Some(Operation::Store(..))));
        for (role, operation) in pending.iter().enumerate() {
            let Some(operation) = operation else { continue };
            let since = match self.sleep[role] {
                _ if store.is_some_and(|first| first != role) => continue,
                Sleep::Awake => 0,
                Sleep::Since(_) if self.flaw.is(Flaw::DropMessageWake) => continue,
                Sleep::Since(serial) => serial,
            };
            world.choices(role, *operation, since, &mut choices);
            branches.extend(choices.drain(..).map(|choice| Branch { role, choice }));
        }
        branches
    }

    /// Where the search stands among `branches` at this depth.
    fn place(&mut self, branches: &[Branch]) -> Option<usize> {
        let depth = self.depth;
        self.depth += 1;
        if let Some(path) = &self.forced {
            return path.get(depth).copied();
        }
        if depth == self.nodes.len() {
            self.nodes.push(Node { branches: branches.to_vec(), at: 0 });
        }
        let node = &self.nodes[depth];
        (node.branches == branches).then_some(node.at)
    }

    /// Goes on to the next execution; `false` when there is none.
    pub(super) fn advance(&mut self) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            node.at += 1;
            if node.at < node.branches.len() {
                return true;
            }
            self.nodes.pop();
        }
        false
    }

    /// The decisions of this execution.
    pub(super) fn path(&self) -> Vec<usize> {
        self.nodes.iter().map(|node| node.at).collect()
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::Ordering::Relaxed;

    use super::*;

    /// Two roles that load the same word: nothing depends on their order.
    #[test]
    fn independent_reads_are_tried_in_one_order_only() {
        let mut schedule = Schedule::new(None);
        let mut complete = 0;
        loop {
            schedule.begin();
            let mut world = World::new(None);
            let cell = world.word(0, 0).unwrap();
            let mut pending = vec![None];
            for _ in 0..2 {
                world.spawn().unwrap();
                pending.push(Some(Operation::Load(cell, Relaxed)));
            }
            loop {
                match schedule.decide(&pending, &world) {
                    Decision::Go(role, choice) => {
                        world.apply(role, pending[role].take().unwrap(), choice).unwrap().unwrap();
                    }
                    Decision::Seen => {
                        complete += i32::from(pending.iter().all(Option::is_none));
                        break;
                    }
                    Decision::Diverged => panic!("the world repeats itself"),
                }
            }
            if !schedule.advance() {
                break;
            }
        }
        assert_eq!(complete, 1);
    }
}
