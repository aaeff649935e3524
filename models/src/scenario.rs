//! What a scenario is: a small world, a few roles, and what must hold. Written once, run by every
//! engine.

pub mod attach;
pub mod batch;
pub mod block;
pub mod checked;
pub mod counted;
pub mod eviction;
pub mod explicit;
pub mod handover;
pub mod heartbeat;
pub mod latest;
pub mod lock;
pub mod park;
pub mod recovery;
pub mod resume;
pub mod sequential;
pub mod slot;
pub mod space;
pub mod word;

use core::fmt::Debug;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use datahub::memory::Memory;

use crate::context::{Setup, Vanished};
use crate::engine::{self, Engine, Findings, Limits};
use crate::memory::{Model, ModelMemory, Raw, Shareable};
use crate::plant::Planted;

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
pub(crate) fn play<S: Scenario, R: Raw>(
    scenario: &S,
    index: usize,
    mem: &Model<R>,
    world: &WorldOf<S, R>,
) -> String {
    let planted = Planted::new(mem, mem.plant());
    let run = AssertUnwindSafe(|| {
        let seen = scenario.role(index, &planted, world);
        planted.settle();
        seen
    });
    catch_unwind(run).unwrap_or_else(|payload| {
        if !payload.is::<Vanished>() {
            resume_unwind(payload);
        }
        scenario.vanished(index, &planted, world);
        VANISHED.to_owned()
    })
}

/// The world of `S` in the memory of `R`.
pub(crate) type WorldOf<S, R> =
    <S as Scenario>::World<<Model<R> as Memory>::Word, <Model<R> as ModelMemory>::Cell>;

/// Makes the world before the roles begin.
pub(crate) fn set_up<S: Scenario, R: Raw>(scenario: &S, mem: &Model<R>) -> WorldOf<S, R> {
    let planted = Planted::new(mem, mem.plant());
    let world = scenario.world(&planted);
    planted.settle();
    world
}

/// Judges the world when all roles are done.
pub(crate) fn finish<S: Scenario, R: Raw>(scenario: &S, mem: &Model<R>, world: &WorldOf<S, R>) {
    scenario.finish(&Planted::new(mem, mem.plant()), world);
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
