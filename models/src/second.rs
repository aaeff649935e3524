//! Second opinions: what the explorer noticed in a model, the other engines are shown in that same
//! model. One engine that notices is enough; one that does not has a reason here, or the gate is red.

use report_schema::{ModelKind, ModelResult, Verdict};

use crate::bounds::bounded;
use crate::catalogue;
use crate::engine::Engine;
use crate::plant;
use crate::request::Request;

/// Who does not notice what, and why.
pub const MISSES: &[(Engine, &str, &str)] = &[
    (Engine::Loom, "planted cursor-early", FOUR),
    (Engine::Loom, "mutant C_CURSOR=Relaxed", FOUR),
    (Engine::Loom, "mutant G_CURSOR=Relaxed", FOUR),
    (Engine::ShuttleRandom, "planted cursor-early", RARE),
];

/// With `--preemptions 4` it notices.
const FOUR: &str = "it takes four preemptions, and loom is given two in this model";
/// Its sibling with few preemptions at chosen places finds it.
const RARE: &str = "one role must stand still at one step while another goes a long way, which \
    schedules drawn step by step hardly ever do";

/// Who is asked: those who go about it in a way of their own.
const ASKED: [Engine; 3] = [Engine::Loom, Engine::ShuttleRandom, Engine::ShuttlePct];

/// Why `engine` may miss what was changed in `memory`; `None` when it may not.
#[must_use]
pub fn reason(engine: &str, memory: &str) -> Option<&'static str> {
    let known = MISSES.iter().find(|(who, what, _)| who.name() == engine && *what == memory);
    known.map(|(_, _, reason)| *reason)
}

/// What the others are asked after `first`: who of `engines` can notice such a thing at all.
pub(crate) fn plan(first: &[(Request, ModelResult)], engines: &[Engine]) -> Vec<Request> {
    let asked = |engine: &&Engine| ASKED.contains(engine);
    engines.iter().filter(asked).flat_map(|&engine| ask(first, engine)).collect()
}

fn ask(first: &[(Request, ModelResult)], engine: Engine) -> impl Iterator<Item = Request> {
    let noticed = first.iter().filter(move |(request, result)| {
        request.engine == Engine::Explore
            && result.counterexample.is_some()
            && result.verdict == Verdict::Pass
            && match result.kind {
                ModelKind::Mutant => engine.sees_orderings(),
                kind => kind == ModelKind::PlantedDefect,
            }
    });
    noticed.filter_map(move |(request, result)| {
        let entry = catalogue::by_name(&result.scenario)?;
        let place = request.plant.as_deref().and_then(plant::by_name).and_then(|row| row.place);
        let crash = place.map(|(_, crash)| crash.to_owned());
        let limits = bounded(request.limits.clone(), engine, &entry);
        let scenario = result.scenario.clone();
        Some(Request { engine, scenario, crash, limits, ..request.clone() })
    })
}

/// A miss that has a reason is none of the gate's business; the result says it.
pub(crate) fn judge(mut result: ModelResult) -> ModelResult {
    let missed = result.verdict == Verdict::Correctness && result.counterexample.is_none();
    if missed && let Some(reason) = reason(&result.engine, &result.memory) {
        result.verdict = Verdict::Pass;
        result.expected_failure = false;
        result.outcomes = vec![format!("not noticed: {reason}")];
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutant;
    use crate::request::{EVERY, blank};
    use report_schema::Counterexample;

    fn noticed(request: Request, kind: ModelKind) -> (Request, ModelResult) {
        let mut result = blank(&request, "slot/abort", kind);
        let found = |text: &str| text.to_owned();
        result.verdict = Verdict::Pass;
        result.counterexample =
            Some(Counterexample { message: found("m"), english: found("e"), steps: vec![] });
        (request, result)
    }

    #[test]
    fn orderings_are_shown_to_loom_and_defects_to_everybody() {
        let every = Request::new(Engine::Explore, EVERY);
        let mutant = Request { mutant: vec!["W_COMMIT=Relaxed".to_owned()], ..every.clone() };
        let plant = Request { plant: Some("skip-drain".to_owned()), ..every };
        let first = [noticed(mutant, ModelKind::Mutant), noticed(plant, ModelKind::PlantedDefect)];
        let asked = plan(&first, &Engine::ALL);
        let who: Vec<_> =
            asked.iter().map(|request| (request.engine, request.plant.is_some())).collect();
        let (random, pct) = (Engine::ShuttleRandom, Engine::ShuttlePct);
        assert_eq!(who, [(Engine::Loom, false), (Engine::Loom, true), (random, true), (pct, true)]);
        assert!(asked.iter().all(|request| request.scenario == "slot/abort"));
    }

    #[test]
    fn a_miss_without_a_reason_stays_a_failure() {
        let request = Request::new(Engine::Loom, "slot/abort");
        let mut result = blank(&request, "slot/abort", ModelKind::PlantedDefect);
        result.verdict = Verdict::Correctness;
        "planted nothing-of-the-kind".clone_into(&mut result.memory);
        assert_eq!(judge(result).verdict, Verdict::Correctness);
        for (engine, memory, why) in MISSES {
            let mut result =
                blank(&Request::new(*engine, "slot/abort"), "slot/abort", ModelKind::Mutant);
            result.verdict = Verdict::Correctness;
            (*memory).clone_into(&mut result.memory);
            let judged = judge(result);
            assert_eq!(judged.verdict, Verdict::Pass);
            assert!(judged.outcomes[0].contains(why));
        }
    }

    #[test]
    fn only_what_is_tried_may_be_missed() {
        for (engine, memory, _) in MISSES {
            assert!(ASKED.contains(engine));
            let known = match memory.split_once(' ') {
                Some(("planted", name)) => plant::by_name(name).is_some(),
                Some(("mutant", row)) => mutant::rows().iter().any(|known| known == row),
                _ => false,
            };
            assert!(known, "{memory}");
        }
    }
}
