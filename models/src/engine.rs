//! The engines that can run a scenario, and what they find.

#[cfg(test)]
mod axioms;
#[cfg(feature = "explore")]
mod explore;
#[cfg(feature = "loom")]
mod loom;
#[cfg(test)]
mod random;
#[cfg(feature = "shuttle")]
mod shuttle;

use core::fmt::{self, Display};
use std::collections::BTreeSet;

use report_schema::Coverage;
use serde::{Deserialize, Serialize};

use crate::context::Setup;
use crate::scenario::Scenario;
use crate::trace::Told;
use crate::violation::{Promise, Violation};

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Our own, exhaustive.
    Explore,
    /// Exhaustive within what loom models; see the litmus suite for what it misses.
    Loom,
    /// Random interleavings; every ordering is sequentially consistent.
    ShuttleRandom,
    /// Interleavings with few preemptions at random places.
    ShuttlePct,
    /// Every interleaving, one after the other; every ordering is sequentially consistent.
    ShuttleDfs,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 5] =
        [Self::Explore, Self::Loom, Self::ShuttleRandom, Self::ShuttlePct, Self::ShuttleDfs];

    /// Its name in results and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Loom => "loom",
            Self::ShuttleRandom => "shuttle-random",
            Self::ShuttlePct => "shuttle-pct",
            Self::ShuttleDfs => "shuttle-dfs",
        }
    }

    /// The engine called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// The version of what runs.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Explore => env!("CARGO_PKG_VERSION"),
            Self::Loom => "0.7.3",
            Self::ShuttleRandom | Self::ShuttlePct | Self::ShuttleDfs => "0.9.9",
        }
    }

    /// Whether this build has it.
    #[must_use]
    pub const fn compiled_in(self) -> bool {
        match self {
            Self::Explore => cfg!(feature = "explore"),
            Self::Loom => cfg!(feature = "loom"),
            Self::ShuttleRandom | Self::ShuttlePct | Self::ShuttleDfs => cfg!(feature = "shuttle"),
        }
    }

    /// Whether it tells one memory ordering from another.
    #[must_use]
    pub const fn sees_orderings(self) -> bool {
        matches!(self, Self::Explore | Self::Loom)
    }

    /// What it cannot see, for people who would take its silence for a proof.
    #[must_use]
    pub const fn blind_to(self) -> &'static [&'static str] {
        match self {
            Self::Explore => &[
                "load buffering: values that come from the future",
                "sequentially consistent accesses: it refuses them",
            ],
            // The outcomes that it misses stand in the litmus suite; `loom` says how it is driven.
            Self::Loom => &["load buffering: values that come from the future"],
            Self::ShuttleRandom | Self::ShuttlePct => {
                &["memory orderings: every one is the strongest", "what its schedules did not meet"]
            }
            Self::ShuttleDfs => &["memory orderings: every one is the strongest"],
        }
    }
}

impl Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Longest run of one model, when nobody says otherwise: several times what the longest one takes on two
/// busy cores.
pub const SECONDS: u64 = 150;

/// Where an engine stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest run of one model, in seconds: an emergency brake, see [`Findings::out_of_time`].
    pub seconds: u64,
    /// Most executions; random engines try this many schedules.
    pub executions: u64,
    /// Most preemptions in one execution (loom); none: no bound.
    pub preemptions: Option<usize>,
    /// How often in a row a role may read one stale value (explore); none: no bound.
    #[serde(default)]
    pub repeats: Option<u32>,
    /// Where random schedules begin.
    pub seed: u64,
    /// Only this execution, as a counterexample names it.
    pub replay: Option<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: SECONDS,
            executions: u64::MAX,
            preemptions: None,
            repeats: None,
            seed: 1,
            replay: None,
        }
    }
}

/// A failing execution.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The broken promise.
    pub violation: Violation,
    /// The execution.
    pub steps: Vec<Told>,
    /// What names the execution to its engine.
    pub replay: Option<String>,
}

impl Failure {
    /// The model or the engine is at fault.
    #[must_use]
    pub const fn of_model(message: String) -> Self {
        let violation = Violation { promise: Promise::Model, message };
        Self { violation, steps: Vec::new(), replay: None }
    }
}

/// What an engine found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Executions that ran to their end.
    pub executions: u64,
    /// Executions given up because they repeat another.
    pub blocked: u64,
    /// How executions ended.
    pub outcomes: BTreeSet<String>,
    /// How much was seen; none after a failure.
    pub coverage: Option<Coverage>,
    /// The first failure.
    pub failure: Option<Failure>,
    /// The steps of a replayed execution that ended well.
    pub told: Vec<Told>,
    /// The clock stopped the search, so how much it has seen is the machine's doing.
    pub out_of_time: bool,
}

impl Findings {
    /// The search ended at a bound.
    pub(crate) fn bound(&mut self, bound: String) {
        self.coverage = Some(Coverage::Bounded { bound });
    }

    /// The search was ended by the clock.
    pub(crate) fn cut(&mut self, limits: &Limits) {
        self.out_of_time = true;
        self.bound(format!("{} s, which were too few; give it more --seconds", limits.seconds));
    }
}

/// Runs `scenario` under `engine`.
pub(crate) fn run<S: Scenario>(
    engine: Engine,
    scenario: &S,
    setup: &Setup,
    limits: &Limits,
) -> Findings {
    match engine {
        #[cfg(feature = "explore")]
        Engine::Explore => explore::explore(scenario, setup, limits),
        #[cfg(feature = "loom")]
        Engine::Loom => loom::check(scenario, setup, limits),
        #[cfg(feature = "shuttle")]
        Engine::ShuttleRandom | Engine::ShuttlePct | Engine::ShuttleDfs => {
            shuttle::sample(engine, scenario, setup, limits)
        }
        #[cfg(not(all(feature = "explore", feature = "loom", feature = "shuttle")))]
        missing => Findings {
            failure: Some(Failure::of_model(format!("the engine `{missing}` is not compiled in"))),
            ..Findings::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::litmus::sites::LOAD_RELAXED;
    use crate::memory::{ModelMemory, Shareable};
    use crate::trace::Name;

    /// A role that waits for what never comes.
    #[derive(Debug, Clone, Copy)]
    struct Endless;

    impl Scenario for Endless {
        type World<W: Shareable, C: Shareable> = W;

        fn roles(&self) -> &'static [&'static str] {
            &["waiter", "other"]
        }

        fn world<M: ModelMemory>(&self, mem: &M) -> M::Word {
            mem.word(Name::numbered("never", 0), 0)
        }

        fn role<M: ModelMemory>(&self, index: usize, mem: &M, world: &M::Word) -> String {
            while index == 0 && mem.load::<LOAD_RELAXED>(world) == 0 {
                mem.pause();
            }
            String::new()
        }

        fn finish<M: ModelMemory>(&self, _: &M, _: &M::Word) {}
    }

    #[test]
    fn a_role_without_a_bound_is_found_out_by_every_exhaustive_engine() {
        for engine in [Engine::Explore, Engine::Loom] {
            let found = run(engine, &Endless, &Setup::default(), &Limits::default());
            let failure = found.failure.as_ref().unwrap_or_else(|| panic!("{engine}: {found:?}"));
            assert_eq!(failure.violation.promise, Promise::Progress, "{engine}: {failure:?}");
        }
    }
}
