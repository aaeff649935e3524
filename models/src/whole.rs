//! What a whole gate must have shown, whatever each of its runs says for itself: every engine, every
//! model, enough of each, a death before every site, and no written reason that nothing needs any more.
//!
//! It trusts neither the plan nor the engines: it counts what came back.

use std::collections::BTreeSet;

use datahub::sites::TABLE;
use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use crate::agree::AGREEMENT;
use crate::bounds::{self, SCHEDULES};
use crate::catalogue::{self, Entry, Size};
use crate::engine::Engine;
use crate::request::{Request, blank};
use crate::{crash, mutant, plant, second, table};

/// Stands for the account of the whole gate.
pub const WHOLE: &str = "whole-gate";

/// Who must run a model like this one.
const fn engines(entry: &Entry) -> &'static [Engine] {
    match (entry.kind, entry.size) {
        (ModelKind::Litmus, Size::Small) => &Engine::ALL,
        (ModelKind::Litmus | ModelKind::Protocol, _) => {
            &[Engine::Explore, Engine::Loom, Engine::ShuttleRandom, Engine::ShuttlePct]
        }
        _ => &[Engine::Explore, Engine::Loom],
    }
}

/// Judges everything that a whole gate came back with.
#[must_use]
pub fn judge(results: &[ModelResult]) -> ModelResult {
    let mut total = blank(&Request::new(Engine::Explore, WHOLE), WHOLE, ModelKind::SiteTable);
    "all engines".clone_into(&mut total.memory);
    "harness model".clone_into(&mut total.replay);
    let gaps = gaps(results);
    total.coverage = Coverage::Complete;
    total.executions = results.iter().map(|run| run.executions + run.executions_before).sum();
    total.verdict = if gaps.is_empty() { Verdict::Pass } else { Verdict::Correctness };
    total.outcomes = vec![format!("{} runs are accounted for", results.len())];
    total.counterexample = (!gaps.is_empty()).then(|| Counterexample {
        message: gaps.join("; "),
        english: "The gate has not shown what it is there to show.".to_owned(),
        steps: gaps,
    });
    total
}

/// What is missing, and what is written down and no longer so.
fn gaps(results: &[ModelResult]) -> Vec<String> {
    let mut gaps = Vec::new();
    for engine in Engine::ALL {
        let ran = |run: &ModelResult| run.engine == engine.name() && run.verdict != Verdict::Broken;
        if !results.iter().any(|run| ran(run) && run.executions > 0) {
            gaps.push(format!("{engine} has run nothing"));
        }
    }
    for entry in catalogue::all() {
        for &engine in engines(&entry) {
            let run = results.iter().find(|run| {
                (run.kind, &*run.scenario, &*run.engine) == (entry.kind, entry.name, engine.name())
            });
            match run {
                None => gaps.push(format!("{engine} was not shown {}", entry.name)),
                Some(run) => gaps.extend(too_little(engine, &entry, run)),
            }
        }
    }
    gaps.extend(unseen(results));
    gaps.extend(stale(results));
    gaps.extend(undead(results));
    if !results.iter().any(|run| run.scenario == AGREEMENT) {
        gaps.push("nobody compared the engines".to_owned());
    }
    gaps
}

/// A model of the shipped protocol of which less was seen, or more, than is written down. What went
/// wrong otherwise is told by its own result.
fn too_little(engine: Engine, entry: &Entry, run: &ModelResult) -> Option<String> {
    if entry.kind != ModelKind::Protocol || run.verdict != Verdict::Pass {
        return None;
    }
    let name = entry.name;
    match (&run.coverage, bounds::promised(engine, entry)) {
        (Coverage::Sampled { schedules, .. }, None) => (*schedules < SCHEDULES)
            .then(|| format!("{engine} tried {schedules} of {SCHEDULES} schedules of {name}")),
        (seen, Some(promised)) if *seen == promised => None,
        (seen, _) => {
            Some(format!("how much {engine} sees of {name} is not what is written down: {seen:?}"))
        }
    }
}

/// What was made worse on purpose and shown to nobody.
fn unseen(results: &[ModelResult]) -> Vec<String> {
    let mutants = mutant::rows().into_iter().map(|row| format!("mutant {row}"));
    let plants = plant::ALL.iter().map(|row| format!("planted {}", row.name));
    let shown = |what: &String| {
        results.iter().any(|run| run.memory == *what && run.engine == Engine::Explore.name())
    };
    mutants
        .chain(plants)
        .filter(|what| !shown(what))
        .map(|what| format!("nobody tried {what}"))
        .collect()
}

/// Reasons that excuse nothing.
fn stale(results: &[ModelResult]) -> Vec<String> {
    let kept = mutant::KEPT.iter().map(|(row, _)| (Engine::Explore, format!("mutant {row}")));
    let missed = second::MISSES.iter().map(|(engine, what, _)| (*engine, (*what).to_owned()));
    let excuses = |(engine, what): &(Engine, String)| {
        results.iter().any(|run| {
            run.engine == engine.name() && run.memory == *what && run.counterexample.is_none()
        })
    };
    let stale = kept.chain(missed).filter(|row| !excuses(row));
    stale
        .map(|(engine, what)| format!("the reason why {engine} may miss {what} is out of date"))
        .collect()
}

/// Sites before which nobody vanished, although nothing excuses it; and the other way round.
fn undead(results: &[ModelResult]) -> Vec<String> {
    let points = results.iter().filter(|run| run.kind == ModelKind::CrashPoint);
    let died: BTreeSet<_> = points.flat_map(crash::sites).collect();
    let excused = crash::NOBODY_DIES.iter().chain(table::NOT_RUN);
    let excused: BTreeSet<_> = excused.map(|(site, _)| *site).collect();
    let all: BTreeSet<_> = TABLE.iter().map(|site| site.name).collect();
    let missing = all.iter().filter(|site| !died.contains(*site) && !excused.contains(*site));
    let missing = missing.map(|site| format!("nobody vanishes before {site}"));
    let needless = excused.iter().filter(|site| died.contains(*site) || !all.contains(*site));
    let needless =
        needless.map(|site| format!("the reason why nobody vanishes before {site} is out of date"));
    missing.chain(needless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::bounded;
    use crate::gate::Options;

    fn result(request: &Request, kind: ModelKind) -> ModelResult {
        let mut result = blank(request, &request.scenario, kind);
        (result.executions, result.verdict) = (7, Verdict::Pass);
        if let Some(entry) = catalogue::by_name(&request.scenario) {
            result.kind = if kind == ModelKind::Protocol { entry.kind } else { kind };
            let limits = bounded(request.limits.clone(), request.engine, &entry);
            let schedules = limits.executions.min(SCHEDULES);
            let sampled = Coverage::Sampled { schedules, seed: 1 };
            result.coverage = bounds::promised(request.engine, &entry).unwrap_or(sampled);
        }
        let excused = mutant::KEPT.iter().any(|(row, _)| result.memory.ends_with(row));
        let worse = matches!(kind, ModelKind::Mutant | ModelKind::PlantedDefect);
        result.counterexample = (worse && !excused).then(|| Counterexample {
            message: "torn".to_owned(),
            english: "It is torn.".to_owned(),
            steps: vec![],
        });
        result
    }

    /// What a whole gate without a fault comes back with.
    fn faultless() -> Vec<ModelResult> {
        let kind = |request: &Request| match (&request.plant, &request.crash, &request.mutant[..]) {
            (Some(_), ..) => ModelKind::PlantedDefect,
            (_, Some(_), _) => ModelKind::CrashPoint,
            (_, _, [_, ..]) => ModelKind::Mutant,
            _ => ModelKind::Protocol,
        };
        let requests = Options::new("/bin/false".into()).requests();
        let mut results: Vec<_> =
            requests.iter().map(|request| result(request, kind(request))).collect();
        let died = TABLE.iter().map(|site| site.name);
        let excused = || crash::NOBODY_DIES.iter().chain(table::NOT_RUN);
        let died = died.filter(|site| excused().all(|(name, _)| name != site));
        let dead = results.iter_mut().find(|run| run.kind == ModelKind::CrashPoint).unwrap();
        dead.outcomes = vec![format!("before {}", died.collect::<Vec<_>>().join(" "))];
        for (engine, what, _) in second::MISSES {
            let mut missed = result(&Request::new(*engine, "slot/abort"), ModelKind::Mutant);
            (*what).clone_into(&mut missed.memory);
            missed.counterexample = None;
            results.push(missed);
        }
        results.push(result(&Request::new(Engine::Explore, AGREEMENT), ModelKind::SiteTable));
        results
    }

    #[test]
    fn a_gate_without_a_fault_has_no_gap() {
        assert_eq!(gaps(&faultless()), Vec::<String>::new());
        let total = judge(&faultless());
        assert_eq!((total.verdict, total.counterexample), (Verdict::Pass, None));
        assert_eq!(judge(&[]).verdict, Verdict::Correctness);
    }

    /// The gaps after `change`, of which one says `word`.
    fn changed(word: &str, change: impl FnOnce(&mut Vec<ModelResult>)) {
        let mut results = faultless();
        change(&mut results);
        let total = judge(&results);
        assert_eq!(total.verdict, Verdict::Correctness, "{word}");
        let gaps = total.counterexample.unwrap().steps;
        assert!(gaps.iter().any(|gap| gap == word), "{word} is not in {gaps:?}");
    }

    fn of<'r>(
        results: &'r mut [ModelResult],
        engine: Engine,
        scenario: &str,
    ) -> &'r mut ModelResult {
        let is = |run: &&mut ModelResult| run.engine == engine.name() && run.scenario == scenario;
        results.iter_mut().find(is).unwrap()
    }

    #[test]
    fn a_build_without_an_engine_is_named() {
        for engine in Engine::ALL {
            let told = format!("{engine} has run nothing");
            changed(&told, |results| results.retain(|run| run.engine != engine.name()));
            changed(&told, |results| {
                let own = results.iter_mut().filter(|run| run.engine == engine.name());
                own.for_each(|run| (run.verdict, run.executions) = (Verdict::Broken, 0));
            });
        }
    }

    #[test]
    fn a_model_that_an_engine_was_not_shown_is_named() {
        for engine in [Engine::Explore, Engine::Loom, Engine::ShuttleRandom, Engine::ShuttlePct] {
            changed(&format!("{engine} was not shown batch/abort"), |results| {
                results
                    .retain(|run| (&*run.engine, &*run.scenario) != (engine.name(), "batch/abort"));
            });
        }
        changed("nobody compared the engines", |results| {
            results.retain(|run| run.scenario != AGREEMENT);
        });
        changed("nobody tried mutant W_COMMIT=Relaxed", |results| {
            results.retain(|run| run.memory != "mutant W_COMMIT=Relaxed");
        });
        changed("nobody tried planted skip-drain", |results| {
            results.retain(|run| run.memory != "planted skip-drain");
        });
    }

    #[test]
    fn a_sample_of_fewer_schedules_is_named() {
        for engine in [Engine::ShuttleRandom, Engine::ShuttlePct] {
            changed(&format!("{engine} tried 19999 of 20000 schedules of slot/abort"), |results| {
                of(results, engine, "slot/abort").coverage =
                    Coverage::Sampled { schedules: SCHEDULES - 1, seed: 1 };
            });
        }
    }

    #[test]
    fn a_search_that_saw_less_or_more_than_is_written_down_is_named() {
        let bound = |bound: &str| Coverage::Bounded { bound: bound.to_owned() };
        for (engine, scenario, seen) in [
            (Engine::Explore, "slot/abort", bound("9 executions")),
            (Engine::Loom, "slot/abort", bound("2 preemptions")),
            (Engine::Loom, "slot/two-readers", Coverage::Complete),
            (Engine::Loom, "recovery/two-reapers", Coverage::Complete),
        ] {
            let told = format!(
                "how much {engine} sees of {scenario} is not what is written down: {seen:?}"
            );
            changed(&told, |results| of(results, engine, scenario).coverage = seen);
        }
    }

    #[test]
    fn a_reason_that_excuses_nothing_any_more_is_named() {
        let noticed = faultless().into_iter().find_map(|run| run.counterexample);
        let rows = mutant::KEPT.iter().map(|(row, _)| (Engine::Explore, format!("mutant {row}")));
        let missed = second::MISSES.iter().map(|(engine, what, _)| (*engine, (*what).to_owned()));
        for (engine, what) in rows.chain(missed) {
            let told = format!("the reason why {engine} may miss {what} is out of date");
            changed(&told, |results| {
                let own =
                    |run: &&mut ModelResult| run.engine == engine.name() && run.memory == what;
                let own = results.iter_mut().filter(own);
                own.for_each(|run| run.counterexample.clone_from(&noticed));
            });
        }
    }

    #[test]
    fn a_site_before_which_nobody_vanishes_is_named() {
        let kill = |results: &mut Vec<ModelResult>, from: &str, to: &str| {
            let dead = results.iter_mut().find(|run| !run.outcomes.is_empty()).unwrap();
            dead.outcomes[0] = dead.outcomes[0].replacen(from, to, 1);
        };
        changed("nobody vanishes before W_TAKE", |results| kill(results, " W_TAKE ", " "));
        let (site, _) = crash::NOBODY_DIES[0];
        changed(
            &format!("the reason why nobody vanishes before {site} is out of date"),
            |results| {
                kill(results, " W_TAKE ", &format!(" W_TAKE {site} "));
            },
        );
    }
}
