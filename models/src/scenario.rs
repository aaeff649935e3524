//! What a scenario is: a small world, a few roles, and what must hold. Written once, run by every
//! engine.

pub mod block;
pub mod eviction;
pub mod explicit;
pub mod handover;
pub mod heartbeat;
pub mod latest;
pub mod park;
pub mod recovery;
pub mod resume;
pub mod sequential;
pub mod slot;

use core::fmt::Debug;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use crate::context::{Setup, Vanished};
use crate::engine::{self, Engine, Findings, Limits};
use crate::memory::{ModelMemory, Shareable};

/// A model of something that several roles do at once.
///
/// Loops are bounded and nothing depends on time or chance: the same choices of the engine must
/// give the same execution.
pub trait Scenario: Copy + Debug + Send + Sync + 'static {
    /// What the roles share, made of words and payload cells.
    type World<W: Shareable, C: Shareable>: Shareable;

    /// The roles' names; also how many there are.
    fn roles(&self) -> &'static [&'static str];

    /// The world before the roles begin.
    fn world<M: ModelMemory>(&self, mem: &M) -> Self::World<M::Word, M::Cell>;

    /// What role `index` does. Returns what it saw, in a few letters.
    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &Self::World<M::Word, M::Cell>,
    ) -> String;

    /// What the system does when role `index` has vanished: its kernel tokens are released.
    fn vanished<M: ModelMemory>(
        &self,
        _index: usize,
        _mem: &M,
        _world: &Self::World<M::Word, M::Cell>,
    ) {
    }

    /// What must hold when all roles are done.
    fn finish<M: ModelMemory>(&self, mem: &M, world: &Self::World<M::Word, M::Cell>);
}

/// The outcome of a role that vanished.
pub(crate) const VANISHED: &str = "vanished";

/// Runs one role; a crash point ends it, and that is not a failure.
pub(crate) fn play<S: Scenario, M: ModelMemory>(
    scenario: &S,
    index: usize,
    mem: &M,
    world: &S::World<M::Word, M::Cell>,
) -> String {
    let run = AssertUnwindSafe(|| scenario.role(index, mem, world));
    catch_unwind(run).unwrap_or_else(|payload| {
        if !payload.is::<Vanished>() {
            resume_unwind(payload);
        }
        scenario.vanished(index, mem, world);
        VANISHED.to_owned()
    })
}

/// A scenario whose type has been forgotten.
pub trait Runnable: Debug + Sync {
    /// Runs it.
    fn run(&self, engine: Engine, setup: &Setup, limits: &Limits) -> Findings;

    /// The roles' names.
    fn role_names(&self) -> &'static [&'static str];
}

impl<S: Scenario> Runnable for S {
    fn run(&self, engine: Engine, setup: &Setup, limits: &Limits) -> Findings {
        engine::run(engine, self, setup, limits)
    }

    fn role_names(&self) -> &'static [&'static str] {
        self.roles()
    }
}
