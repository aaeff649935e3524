//! Where engines stop, in numbers of their own and not in seconds, so that what a run has seen does not
//! depend on the machine. The clock is an emergency brake: whom it stops has come to no result.

use report_schema::{Coverage, ModelKind};

use crate::catalogue::{Entry, Size};
use crate::engine::{Engine, Limits};

/// Schedules of a sample, for each model and scheduler.
pub const SCHEDULES: u64 = 20_000;
/// The same for a litmus test, whose few interleavings are met many times over.
const LITMUS_SCHEDULES: u64 = 2_000;

/// Preemptions in one execution of a model that is not small (loom).
const PREEMPTIONS: usize = 2;

/// Models of which loom sees a part, and how many executions that is. It exhausts every other one within
/// its bound on preemptions, the largest of them with 309,219 executions.
pub const CUT: &[(&str, u64)] = &[("recovery/two-reapers", 200_000)];

/// The models that a depth-first search exhausts within seconds.
const DEPTH_FIRST: &[&str] = &[
    "slot/one-reader",
    "zone/seqlock-two-writers",
    "zone/double-two-writers",
    "zone/word",
    "zone/word-changed",
    "seqlock/copy",
    "claims/at-commit",
    "lock/exchanged",
];

/// Whether a depth-first search comes to an end in `entry`.
pub(crate) fn depth_first(entry: &Entry) -> bool {
    let litmus = entry.kind == ModelKind::Litmus && entry.size == Size::Small;
    litmus || DEPTH_FIRST.contains(&entry.name)
}

/// The bounds that `entry` needs under `engine`, within `limits`.
pub(crate) fn bounded(limits: Limits, engine: Engine, entry: &Entry) -> Limits {
    let most = match engine {
        Engine::Loom => CUT.iter().find(|(name, _)| *name == entry.name).map(|(_, most)| *most),
        Engine::ShuttleRandom | Engine::ShuttlePct => {
            let litmus = entry.kind == ModelKind::Litmus;
            litmus.then_some(LITMUS_SCHEDULES)
        }
        Engine::Explore | Engine::ShuttleDfs => None,
    };
    let preemptions = (engine == Engine::Loom && entry.size != Size::Small).then_some(PREEMPTIONS);
    Limits {
        preemptions: limits.preemptions.or(preemptions),
        executions: limits.executions.min(most.unwrap_or(u64::MAX)),
        ..limits
    }
}

/// How much an exhaustive engine sees within `limits`, when nothing fails and the clock stops nobody.
pub(crate) fn within(limits: &Limits, executions: u64) -> Coverage {
    let preemptions = limits.preemptions.map(|most| format!("{most} preemptions"));
    let most =
        (executions >= limits.executions).then(|| format!("{} executions", limits.executions));
    let bounds: Vec<_> = preemptions.into_iter().chain(most).collect();
    if bounds.is_empty() {
        return Coverage::Complete;
    }
    Coverage::Bounded { bound: bounds.join(" and ") }
}

/// How much of `entry` a whole gate must have seen under `engine`; `None` where its samples are counted.
pub(crate) fn promised(engine: Engine, entry: &Entry) -> Option<Coverage> {
    let limits = bounded(Limits::default(), engine, entry);
    match engine {
        Engine::Explore | Engine::ShuttleDfs => Some(Coverage::Complete),
        // Only what is cut has a bound on executions, and then reaches it.
        Engine::Loom => {
            Some(within(&limits, if limits.executions == u64::MAX { 0 } else { u64::MAX }))
        }
        Engine::ShuttleRandom | Engine::ShuttlePct => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn only_models_that_are_there_have_a_bound_of_their_own() {
        for (name, most) in CUT {
            assert!(catalogue::by_name(name).is_some(), "{name}");
            assert!(*most >= SCHEDULES, "{name}: fewer than a sample has");
        }
        assert!(DEPTH_FIRST.iter().all(|name| catalogue::by_name(name).is_some()));
    }

    #[test]
    fn a_bound_is_said_and_no_bound_is_complete() {
        let entry = |name| catalogue::by_name(name).unwrap();
        let loom = |name| promised(Engine::Loom, &entry(name)).unwrap();
        let bound = |bound: &str| Coverage::Bounded { bound: bound.to_owned() };
        assert_eq!(loom("slot/one-reader"), Coverage::Complete);
        assert_eq!(loom("slot/two-readers"), bound("2 preemptions"));
        assert_eq!(loom("recovery/two-reapers"), bound("200000 executions"));
        let both = Limits { preemptions: Some(2), executions: 9, ..Limits::default() };
        assert_eq!(within(&both, 9), bound("2 preemptions and 9 executions"));
        assert_eq!(within(&both, 8), bound("2 preemptions"));
        assert_eq!(promised(Engine::Explore, &entry("latest/crowded")), Some(Coverage::Complete));
    }
}
