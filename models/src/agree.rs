//! Two engines about one model: where both have seen everything, they saw the same ends.
//!
//! The explorer must show whatever loom shows, or it has lost an execution. Loom may show less only
//! where it is known to: its blind spots stand in the litmus suite, their effects here.

use std::collections::BTreeSet;

use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use crate::engine::Engine;
use crate::request::{OUTCOMES_MAX, Request, blank};

/// Stands for the comparison.
pub const AGREEMENT: &str = "agreement-with-loom";

/// Models of which loom sees fewer ends than there are, and which blind spot of loom that shows.
pub const LOOM_SEES_LESS: &[(&str, &str)] = &[
    ("slot/two-laps", FIRST_LOAD),
    ("slot/two-slots", FIRST_LOAD),
    ("slot/abort", FIRST_LOAD),
    ("sequential/leave", FIRST_LOAD),
    ("zone/lock-of-the-dead", FIRST_LOAD),
    ("checksum/enforced", FIRST_LOAD),
    ("checksum/stamped-damage", FIRST_LOAD),
    ("lock/exchanged", FIRST_LOAD),
];

/// All of them: in each the first role is late from its first step on.
const FIRST_LOAD: &str = "`litmus/search/load-then-store`: a thread that begins with a load of a word \
    is not interrupted before it";

fn complete(results: &[ModelResult], engine: Engine) -> impl Iterator<Item = &ModelResult> {
    results.iter().filter(move |result| {
        result.engine == engine.name()
            && result.kind == ModelKind::Protocol
            && result.coverage == Coverage::Complete
            && result.outcomes.len() < OUTCOMES_MAX
    })
}

/// What two engines say differently about one model.
fn difference(ours: &ModelResult, loom: &ModelResult) -> Option<String> {
    let name = &ours.scenario;
    let set = |result: &ModelResult| result.outcomes.iter().cloned().collect::<BTreeSet<_>>();
    let (ours, theirs) = (set(ours), set(loom));
    let known = LOOM_SEES_LESS.iter().any(|(model, _)| model == name);
    let list =
        |set: Vec<&String>| set.iter().map(|end| format!("`{end}`")).collect::<Vec<_>>().join(", ");
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let unseen: Vec<_> = ours.difference(&theirs).collect();
    match (missing.is_empty(), unseen.is_empty(), known) {
        (false, ..) => Some(format!("{name}: the explorer does not see {}", list(missing))),
        (true, false, false) => Some(format!("{name}: loom does not see {}", list(unseen))),
        (true, true, true) => Some(format!("{name}: loom sees as much after all")),
        _ => None,
    }
}

/// Compares the two engines in `results`; `None` when one of them did not run.
#[must_use]
pub fn compare(results: &[ModelResult]) -> Option<ModelResult> {
    let request = Request::new(Engine::Explore, AGREEMENT);
    let mut total = blank(&request, AGREEMENT, ModelKind::SiteTable);
    let (mut compared, mut wrong) = (0, Vec::new());
    for loom in complete(results, Engine::Loom) {
        let same = |ours: &&ModelResult| ours.scenario == loom.scenario;
        let Some(ours) = complete(results, Engine::Explore).find(same) else { continue };
        compared += 1;
        total.executions += ours.executions + loom.executions;
        wrong.extend(difference(ours, loom));
    }
    if compared == 0 {
        return None;
    }
    "explore and loom".clone_into(&mut total.memory);
    "harness model --engine explore --engine loom --no-mutants".clone_into(&mut total.replay);
    total.coverage = Coverage::Complete;
    total.verdict = if wrong.is_empty() { Verdict::Pass } else { Verdict::Correctness };
    total.outcomes = vec![format!("{compared} models compared")];
    total.counterexample = (!wrong.is_empty()).then(|| Counterexample {
        message: wrong.join("; "),
        english: "Two engines that have seen everything have not seen the same.".to_owned(),
        steps: wrong,
    });
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(engine: Engine, outcomes: &[&str]) -> ModelResult {
        let request = Request::new(engine, "slot/one-reader");
        let mut result = blank(&request, "slot/one-reader", ModelKind::Protocol);
        result.coverage = Coverage::Complete;
        result.executions = 5;
        result.outcomes = outcomes.iter().map(|&outcome| outcome.to_owned()).collect();
        result
    }

    #[test]
    fn an_end_that_only_one_of_two_complete_engines_shows_is_named() {
        for (ours, theirs, word) in
            [(&["a"][..], &["a", "b"][..], "explorer"), (&["a", "b"], &["a"], "loom")]
        {
            let results = [run(Engine::Explore, ours), run(Engine::Loom, theirs)];
            let total = compare(&results).unwrap();
            assert_eq!(total.verdict, Verdict::Correctness);
            let message = total.counterexample.unwrap().message;
            assert!(message.contains(word) && message.contains("`b`"), "{message}");
        }
        let same = compare(&[run(Engine::Explore, &["a"]), run(Engine::Loom, &["a"])]).unwrap();
        assert_eq!((same.verdict, same.executions), (Verdict::Pass, 10));
    }

    #[test]
    fn what_was_cut_short_is_not_compared() {
        let mut loom = run(Engine::Loom, &["b"]);
        loom.coverage = Coverage::Bounded { bound: "2 preemptions".to_owned() };
        assert_eq!(compare(&[run(Engine::Explore, &["a"]), loom]), None);
    }
}
