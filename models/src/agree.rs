//! Engines about one model: where the explorer has seen everything, nobody shows an end that it did not
//! see; and where loom has seen everything too, it has seen the same. There is no exception.

use std::collections::BTreeSet;

use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use crate::engine::Engine;
use crate::request::{OUTCOMES_MAX, Request, blank};

/// Stands for the comparison.
pub const AGREEMENT: &str = "agreement-of-engines";

/// Runs of the shipped protocol that broke nothing.
fn runs(results: &[ModelResult]) -> impl Iterator<Item = &ModelResult> {
    results
        .iter()
        .filter(|result| result.kind == ModelKind::Protocol && result.verdict == Verdict::Pass)
}

/// A run of which not every end is there to be compared.
fn overflow(result: &ModelResult) -> Option<String> {
    (result.outcomes.len() >= OUTCOMES_MAX).then(|| {
        let (name, engine) = (&result.scenario, &result.engine);
        format!("{name}: {engine} shows {OUTCOMES_MAX} ends or more, too many to be compared")
    })
}

/// Whether a run must have seen as much as the explorer did.
fn complete(result: &ModelResult) -> bool {
    result.engine == Engine::Loom.name() && result.coverage == Coverage::Complete
}

/// What another engine says differently about a model that the explorer knows.
fn difference(ours: &ModelResult, other: &ModelResult) -> Option<String> {
    let set = |result: &ModelResult| result.outcomes.iter().cloned().collect::<BTreeSet<_>>();
    let (known, shown) = (set(ours), set(other));
    let list = |ends: Vec<&String>| {
        ends.iter().map(|end| format!("`{end}`")).collect::<Vec<_>>().join(", ")
    };
    let missing = list(shown.difference(&known).collect());
    let unseen = list(known.difference(&shown).collect());
    let (name, engine) = (&ours.scenario, &other.engine);
    if !missing.is_empty() {
        return Some(format!("{name}: {engine} shows {missing}, the explorer does not"));
    }
    let sampled = matches!(other.coverage, Coverage::Sampled { .. });
    if sampled && shown.len() == 1 && known.len() > 1 {
        // Whatever was drawn, nothing competed: such a sample speaks of one course of events.
        return Some(format!("{name}: {engine} shows one of {} ends", known.len()));
    }
    let less = complete(other) && !unseen.is_empty();
    less.then(|| format!("{name}: {engine} has seen everything, but not {unseen}"))
}

/// Compares the engines in `results` with the explorer; `None` when there is nothing to compare.
#[must_use]
pub fn compare(results: &[ModelResult]) -> Option<ModelResult> {
    let request = Request::new(Engine::Explore, AGREEMENT);
    let mut total = blank(&request, AGREEMENT, ModelKind::SiteTable);
    let (mut same, mut within, mut wrong) = (0, 0, Vec::new());
    let explored = |result: &&ModelResult| {
        result.engine == Engine::Explore.name() && result.coverage == Coverage::Complete
    };
    wrong.extend(runs(results).filter_map(overflow));
    for ours in runs(results).filter(explored) {
        let of_others = |result: &&ModelResult| {
            result.scenario == ours.scenario && result.engine != ours.engine
        };
        for other in runs(results).filter(of_others) {
            *(if complete(other) { &mut same } else { &mut within }) += 1;
            total.executions += other.executions;
            wrong.extend(difference(ours, other));
        }
    }
    if same + within == 0 {
        return None;
    }
    "all engines".clone_into(&mut total.memory);
    "harness model --no-mutants".clone_into(&mut total.replay);
    total.coverage = Coverage::Complete;
    total.verdict = if wrong.is_empty() { Verdict::Pass } else { Verdict::Correctness };
    total.outcomes = vec![
        format!("{same} models of which loom has seen everything, as the explorer has"),
        format!("{within} samples and bounded runs that may show less, and nothing else"),
    ];
    total.counterexample = (!wrong.is_empty()).then(|| Counterexample {
        message: wrong.join("; "),
        english: "Two engines have not seen the same.".to_owned(),
        steps: wrong,
    });
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(engine: Engine, coverage: Coverage, outcomes: &[&str]) -> ModelResult {
        let request = Request::new(engine, "slot/one-reader");
        let mut result = blank(&request, "slot/one-reader", ModelKind::Protocol);
        (result.coverage, result.verdict) = (coverage, Verdict::Pass);
        result.executions = 5;
        result.outcomes = outcomes.iter().map(|&outcome| outcome.to_owned()).collect();
        result
    }

    fn judged(
        ours: &[&str],
        (engine, coverage): (Engine, Coverage),
        theirs: &[&str],
    ) -> ModelResult {
        let ours = run(Engine::Explore, Coverage::Complete, ours);
        compare(&[run(engine, coverage, theirs), ours]).unwrap()
    }

    fn bounded() -> Coverage {
        Coverage::Bounded { bound: "2 preemptions".to_owned() }
    }

    #[test]
    fn an_end_that_only_one_of_two_complete_engines_shows_is_named() {
        for (ours, theirs, word) in [
            (&["a"][..], &["a", "b"][..], "the explorer does not"),
            (&["a", "b"], &["a"], "loom has seen everything, but not"),
        ] {
            let total = judged(ours, (Engine::Loom, Coverage::Complete), theirs);
            assert_eq!(total.verdict, Verdict::Correctness);
            let message = total.counterexample.unwrap().message;
            assert!(message.contains(word) && message.contains("`b`"), "{message}");
        }
        let total = judged(&["a"], (Engine::Loom, Coverage::Complete), &["a"]);
        assert_eq!((total.verdict, total.executions), (Verdict::Pass, 5));
    }

    #[test]
    fn a_sample_in_which_nothing_competed_is_named() {
        let sampled = Coverage::Sampled { schedules: 5, seed: 1 };
        let other = (Engine::ShuttleRandom, sampled);
        let total = judged(&["a", "b"], other.clone(), &["a"]);
        assert_eq!(total.verdict, Verdict::Correctness);
        let message = total.counterexample.unwrap().message;
        assert_eq!(message, "slot/one-reader: shuttle-random shows one of 2 ends");
        assert_eq!(judged(&["a"], other, &["a"]).verdict, Verdict::Pass);
    }

    #[test]
    fn ends_that_are_too_many_to_be_compared_are_a_gap() {
        let many: Vec<_> = (0..OUTCOMES_MAX).map(|end| end.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        for (ours, theirs) in [(&many[..], &many[..1]), (&many[1..], &many[..])] {
            let total = judged(ours, (Engine::Loom, bounded()), theirs);
            assert_eq!(total.verdict, Verdict::Correctness);
            let message = total.counterexample.unwrap().message;
            assert!(message.contains("too many to be compared"), "{message}");
        }
    }

    #[test]
    fn who_has_not_seen_everything_may_show_less_and_nothing_else() {
        let sampled = Coverage::Sampled { schedules: 5, seed: 1 };
        for other in [(Engine::Loom, bounded()), (Engine::ShuttlePct, sampled)] {
            let less = judged(&["a", "b", "c"], other.clone(), &["a", "b"]);
            assert_eq!(less.verdict, Verdict::Pass);
            assert_eq!(judged(&["a"], other, &["a", "b"]).verdict, Verdict::Correctness);
        }
    }

    #[test]
    fn an_explorer_that_was_cut_short_is_no_measure() {
        let ours = run(Engine::Explore, bounded(), &["a"]);
        assert_eq!(compare(&[ours, run(Engine::Loom, Coverage::Complete, &["a"])]), None);
    }
}
