//! What an engine found, as a result.

use std::time::Instant;

use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use super::{OUTCOMES_MAX, Request};
use crate::catalogue::{self, Entry, Expect};
use crate::engine::{Engine, Failure, Findings};
use crate::plant;
use crate::violation::{Promise, Violation};

pub(crate) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What `findings` say about `entry`.
pub(super) fn judge(request: &Request, entry: &Entry, findings: &Findings) -> ModelResult {
    let kind = request.kind(entry);
    let altered = matches!(kind, ModelKind::Mutant | ModelKind::PlantedDefect);
    let must_fail = altered || matches!(entry.expect, Expect::Fails { .. });
    let mut result = blank(request, entry.name, kind);
    if !altered {
        entry.memory.clone_into(&mut result.memory);
    }
    result.expected_failure = must_fail;
    result.executions = findings.executions;
    result.blocked = findings.blocked;
    result.outcomes = findings.outcomes.iter().take(OUTCOMES_MAX).cloned().collect();
    result.coverage = findings.coverage.clone().unwrap_or_else(|| until_failure(request, findings));
    let mut failure = findings.failure.clone();
    result.verdict = verdict(must_fail, findings);
    if let (Expect::Fails { breaks, .. }, Some(found)) = (entry.expect, &mut failure)
        && result.verdict == Verdict::Pass
        && !altered
        && !is_flaw(breaks, found)
    {
        result.verdict = Verdict::Broken;
        let message = format!("this is not the flaw: {}", found.violation.message);
        found.violation = Violation { promise: Promise::Model, message };
    }
    if let Expect::Litmus(test) = entry.expect
        && request.limits.replay.is_none()
        && findings.executions > 0
    {
        let judged = test.judge(request.engine, findings);
        result.verdict = if judged.is_ok() { Verdict::Pass } else { Verdict::Broken };
        failure = judged.err().map(|difference| Failure {
            steps: failure.map(|failure| failure.steps).unwrap_or_default(),
            ..Failure::of_model(difference)
        });
    }
    let path = failure.as_ref().and_then(|failure| failure.replay.as_deref());
    result.replay = request.command(entry.name, path);
    result.counterexample = failure.map(|failure| counterexample(request, entry, failure));
    result
}

/// Whether a model of a flaw failed in the way of that flaw.
fn is_flaw(breaks: &[(Promise, &str)], found: &Failure) -> bool {
    let violation = &found.violation;
    breaks
        .iter()
        .any(|(promise, words)| violation.promise == *promise && violation.message.contains(words))
}

/// What the findings mean for a model that is no litmus test.
fn verdict(must_fail: bool, findings: &Findings) -> Verdict {
    match &findings.failure {
        // An engine that cannot judge has judged nothing, whatever was expected.
        Some(failure) if failure.violation.promise == Promise::Model => Verdict::Broken,
        Some(_) if must_fail => Verdict::Pass,
        Some(_) => Verdict::Correctness,
        None if findings.executions == 0 => Verdict::Broken,
        None if findings.out_of_time => Verdict::Inconclusive,
        None if must_fail || findings.coverage.is_none() => Verdict::Correctness,
        None => Verdict::Pass,
    }
}

/// The coverage of a search that ended with a failure.
fn until_failure(request: &Request, findings: &Findings) -> Coverage {
    match request.engine {
        Engine::Explore | Engine::Loom | Engine::ShuttleDfs => {
            Coverage::Bounded { bound: "the first failure".to_owned() }
        }
        Engine::ShuttleRandom | Engine::ShuttlePct => {
            Coverage::Sampled { schedules: findings.executions, seed: request.limits.seed }
        }
    }
}

fn counterexample(request: &Request, entry: &Entry, failure: Failure) -> Counterexample {
    let promise = failure.violation.promise;
    let planted = request.plant.as_deref().and_then(plant::by_name);
    let english = match (entry.expect, planted) {
        _ if promise == Promise::Model => promise.broken().to_owned(),
        (_, Some(row)) => format!("{} {}", row.english, promise.broken()),
        (Expect::Fails { english, .. }, None) => english.to_owned(),
        _ => promise.broken().to_owned(),
    };
    let steps = failure.steps.iter().map(ToString::to_string).collect();
    Counterexample { message: failure.violation.message, english, steps }
}

/// A result in which nothing has run yet.
pub(crate) fn blank(request: &Request, scenario: &str, kind: ModelKind) -> ModelResult {
    let memory = match (&request.plant, request.mutant.is_empty()) {
        (Some(name), _) => format!("planted {name}"),
        (None, false) => format!("mutant {}", request.mutant.join(" ")),
        (None, true) => "shipped".to_owned(),
    };
    ModelResult {
        engine: request.engine.name().to_owned(),
        engine_version: request.engine.version().to_owned(),
        kind,
        scenario: scenario.to_owned(),
        memory,
        verdict: Verdict::Broken,
        coverage: Coverage::Bounded { bound: "nothing ran".to_owned() },
        executions: 0,
        executions_before: 0,
        blocked: 0,
        outcomes: Vec::new(),
        elapsed_ms: 0,
        expected_failure: matches!(kind, ModelKind::Mutant | ModelKind::PlantedDefect),
        counterexample: None,
        replay: request.command(scenario, None),
    }
}

/// The result of a run that could not be done.
#[must_use]
pub fn broken(request: &Request, message: String) -> ModelResult {
    let mut kind = catalogue::by_name(&request.scenario).map_or(ModelKind::Protocol, |e| e.kind);
    if request.plant.is_some() {
        kind = ModelKind::PlantedDefect;
    } else if !request.mutant.is_empty() {
        kind = ModelKind::Mutant;
    }
    let english = Promise::Model.broken().to_owned();
    let counterexample = Some(Counterexample { message, english, steps: Vec::new() });
    ModelResult { counterexample, ..blank(request, &request.scenario, kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Limits;

    #[test]
    fn no_execution_is_not_a_pass() {
        assert_eq!(verdict(false, &Findings::default()), Verdict::Broken);
        for coverage in [Coverage::Complete, Coverage::Sampled { schedules: 20_000, seed: 1 }] {
            let nothing = Findings { coverage: Some(coverage), ..Findings::default() };
            assert_eq!(verdict(false, &nothing), Verdict::Broken);
            assert_eq!(verdict(true, &nothing), Verdict::Broken);
            for entry in catalogue::all() {
                for engine in Engine::ALL {
                    let request = Request::new(engine, entry.name);
                    let judged = judge(&request, &entry, &nothing).verdict;
                    assert_ne!(judged, Verdict::Pass, "{engine} {}", entry.name);
                }
            }
        }
        let done =
            Findings { executions: 1, coverage: Some(Coverage::Complete), ..Findings::default() };
        assert_eq!(verdict(false, &done), Verdict::Pass);
        assert_eq!(verdict(true, &done), Verdict::Correctness);
    }

    #[test]
    fn a_flaw_that_fails_in_another_way_is_not_found() {
        let flaws = catalogue::all();
        let flaws = flaws.iter().filter(|entry| entry.kind == ModelKind::PublishedFlaw);
        let failing = |promise, message: &str| {
            let violation = Violation { promise, message: message.to_owned() };
            let failure = Some(Failure { violation, steps: Vec::new(), replay: None });
            Findings { executions: 1, failure, ..Findings::default() }
        };
        for entry in flaws {
            let Expect::Fails { breaks, .. } = entry.expect else { panic!("{}", entry.name) };
            let request = Request::new(Engine::Explore, entry.name);
            let judged = |found: &Findings| judge(&request, entry, found);
            let (promise, words) = breaks[0];
            assert_eq!(judged(&failing(promise, words)).verdict, Verdict::Pass, "{}", entry.name);
            let other = judged(&failing(promise, "something else"));
            assert_eq!(other.verdict, Verdict::Broken, "{}", entry.name);
            let message = other.counterexample.unwrap().message;
            assert_eq!(message, "this is not the flaw: something else");
            let other = if promise == Promise::Abort { Promise::Whole } else { Promise::Abort };
            assert_eq!(judged(&failing(other, words)).verdict, Verdict::Broken, "{}", entry.name);
        }
    }

    #[test]
    fn whom_the_clock_stops_has_come_to_no_result() {
        let mut late = Findings { executions: 9, ..Findings::default() };
        late.cut(&Limits { seconds: 3, ..Limits::default() });
        for must_fail in [false, true] {
            assert_eq!(verdict(must_fail, &late), Verdict::Inconclusive);
        }
        let request = Request::new(Engine::Loom, "slot/one-reader");
        let entry = catalogue::by_name(&request.scenario).unwrap();
        let Coverage::Bounded { bound } = judge(&request, &entry, &late).coverage else {
            panic!("it counts as complete");
        };
        assert!(bound.contains("3 s") && bound.contains("--seconds"), "{bound}");
    }
}
