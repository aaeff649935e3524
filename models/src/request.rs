//! What is asked of an engine, and its answer as a result file shows it.

use std::time::Instant;

use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};
use serde::{Deserialize, Serialize};

use crate::catalogue::{self, Entry, Expect, Size};
use crate::context::{Crash, Overrides, Setup};
use crate::engine::{Engine, Failure, Findings, Limits};
use crate::mutant;
use crate::scenario::VANISHED;
use crate::sites;
use crate::trace::Journal;
use crate::violation::Promise;

/// Stands for every model of the shipped protocol: what a mutant must get past.
pub const EVERY: &str = "every";

/// Most outcomes that a result lists.
const OUTCOMES_MAX: usize = 64;

/// One run of one model by one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who runs it.
    pub engine: Engine,
    /// The model's name, or [`EVERY`].
    pub scenario: String,
    /// Orderings to change: `W_COMMIT=Relaxed`, `P_FENCE=none`. Makes the run a mutant's.
    #[serde(default)]
    pub mutant: Vec<String>,
    /// Who vanishes before which of its steps: `writer:3`, or before each in turn: `writer:*`.
    #[serde(default)]
    pub crash: Option<String>,
    /// Where it stops.
    pub limits: Limits,
}

impl Request {
    /// `scenario` under `engine`, as shipped, without limits of its own.
    #[must_use]
    pub fn new(engine: Engine, scenario: &str) -> Self {
        let (scenario, limits) = (scenario.to_owned(), Limits::default());
        Self { engine, scenario, mutant: Vec::new(), crash: None, limits }
    }

    /// The command that repeats this run, and within it the execution `replay`.
    fn command(&self, scenario: &str, replay: Option<&str>) -> String {
        let mut words =
            vec![format!("harness model --engine {} --scenario {scenario}", self.engine)];
        words.extend(self.mutant.iter().map(|row| format!("--mutant {row}")));
        words.extend(self.crash.iter().map(|crash| format!("--crash {crash}")));
        let limits = &self.limits;
        match self.engine {
            Engine::Explore => words.extend(limits.repeats.map(|n| format!("--repeats {n}"))),
            Engine::Loom => words.extend(limits.preemptions.map(|n| format!("--preemptions {n}"))),
            Engine::ShuttleRandom | Engine::ShuttlePct => {
                words.push(format!("--seed {}", limits.seed));
            }
        }
        let replay = replay.filter(|path| !path.is_empty());
        words.extend(replay.map(|path| format!("--replay {path}")));
        words.join(" ")
    }

    /// What the run does differently, on top of what `entry` does.
    fn setup(&self, entry: &Entry) -> Result<Setup, String> {
        let mut overrides = Overrides::default();
        for (site, ordering) in entry.overrides {
            let site = sites::by_name(site).ok_or_else(|| format!("there is no site `{site}`"))?;
            overrides.set(site, *ordering);
        }
        for row in &self.mutant {
            let parsed = row.split_once('=').and_then(|(site, ordering)| {
                Some((sites::by_name(site)?, sites::ordering_by_name(ordering)?))
            });
            let (site, ordering) =
                parsed.ok_or_else(|| format!("`{row}` is not a site and an ordering"))?;
            overrides.set(site, ordering);
        }
        let crash = self.crash.as_deref().map(|text| {
            let parsed = text.split_once(':').and_then(|(role, step)| {
                let role = entry.model.role_names().iter().find(|name| **name == role)?;
                Some(Crash { role: (*role).to_owned(), step: step.parse().ok()? })
            });
            parsed.ok_or_else(|| format!("`{text}` is not a role and a step"))
        });
        let own = entry.crash.map(|(role, step)| Crash { role: role.to_owned(), step });
        Ok(Setup { overrides, crash: crash.transpose()?.or(own), journal: Journal::default() })
    }

    fn kind(&self, entry: &Entry) -> ModelKind {
        match (self.mutant.is_empty(), &self.crash) {
            (false, _) => ModelKind::Mutant,
            (true, Some(_)) => ModelKind::CrashPoint,
            (true, None) => entry.kind,
        }
    }
}

/// Runs `request` in this process. Nothing panics: what goes wrong is a `broken` result.
///
/// Loom and shuttle leave their panic hooks behind: give each run a process of its own.
#[must_use]
pub fn run(request: &Request) -> ModelResult {
    if request.scenario == EVERY {
        return run_every(request);
    }
    if let Some(entry) = catalogue::by_name(&request.scenario) {
        let all_points = request.crash.as_deref().and_then(|crash| crash.strip_suffix(":*"));
        return match all_points {
            Some(role) => run_points(request, &entry, role),
            None => run_entry(request, &entry),
        };
    }
    let names: Vec<_> = catalogue::all().iter().map(|entry| entry.name).collect();
    let known = names.join(", ");
    broken(request, format!("there is no model `{}`; there are {known}", request.scenario))
}

/// A mutant against every model of the shipped protocol, until one kills it.
fn run_every(request: &Request) -> ModelResult {
    let started = Instant::now();
    let mut shipped = catalogue::all();
    shipped.retain(|entry| entry.memory == "shipped" && entry.size != Size::Huge);
    shipped.sort_by_key(|entry| entry.size);
    let mut total: Option<ModelResult> = None;
    for entry in shipped {
        let limits = bounded(request.limits.clone(), request.engine, entry.size);
        let bounded = Request { limits, ..request.clone() };
        let mut result = run_entry(&bounded, &entry);
        if let Some(total) = &total {
            result.executions += total.executions;
            result.blocked += total.blocked;
            if result.coverage == Coverage::Complete {
                result.coverage = total.coverage.clone();
            }
        }
        let stop = result.counterexample.is_some() || result.verdict == Verdict::Broken;
        if !stop {
            EVERY.clone_into(&mut result.scenario);
            result.replay = request.command(EVERY, None);
            result.outcomes.clear();
        }
        result.elapsed_ms = milliseconds(started);
        total = Some(result);
        if stop {
            break;
        }
    }
    let nothing = || broken(request, "there is no model to run".to_owned());
    let mut result = total.unwrap_or_else(nothing);
    if let (None, [row]) = (&result.counterexample, &request.mutant[..])
        && let Some(reason) = mutant::reason(row)
    {
        result.verdict = Verdict::Pass;
        result.expected_failure = false;
        result.outcomes = vec![format!("survives: {reason}")];
    }
    result
}

/// `role` vanishes before each of its steps in turn, until it has none left.
fn run_points(request: &Request, entry: &Entry, role: &str) -> ModelResult {
    let started = Instant::now();
    let mut total: Option<ModelResult> = None;
    for step in 0_u32.. {
        let point = Request { crash: Some(format!("{role}:{step}")), ..request.clone() };
        let findings = match search(&point, entry) {
            Ok(findings) => findings,
            Err(message) => return broken(request, message),
        };
        let mut result = judge(&point, entry, &findings);
        let reached = findings.outcomes.iter().any(|outcome| outcome.contains(VANISHED));
        if result.verdict == Verdict::Pass && !reached {
            break;
        }
        if let Some(total) = total {
            result.executions += total.executions;
            result.blocked += total.blocked;
            if result.coverage == Coverage::Complete {
                result.coverage = total.coverage;
            }
        }
        result.elapsed_ms = milliseconds(started);
        if result.verdict != Verdict::Pass {
            return result;
        }
        result.outcomes = vec![format!("{} crash points", step + 1)];
        result.replay = request.command(entry.name, None);
        total = Some(result);
    }
    total.unwrap_or_else(|| broken(request, format!("`{role}` never vanishes")))
}

fn run_entry(request: &Request, entry: &Entry) -> ModelResult {
    let started = Instant::now();
    let mut result = match search(request, entry) {
        Ok(findings) => judge(request, entry, &findings),
        Err(message) => broken(request, message),
    };
    result.elapsed_ms = milliseconds(started);
    result
}

/// Lets the engine look.
fn search(request: &Request, entry: &Entry) -> Result<Findings, String> {
    let setup = request.setup(entry)?;
    if request.engine.compiled_in() {
        Ok(entry.model.run(request.engine, &setup, &request.limits))
    } else {
        Err(format!("the engine `{}` is not compiled in", request.engine))
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What `findings` say about `entry`.
fn judge(request: &Request, entry: &Entry, findings: &Findings) -> ModelResult {
    let kind = request.kind(entry);
    let must_fail = kind == ModelKind::Mutant || matches!(entry.expect, Expect::Fails { .. });
    let mut result = blank(request, entry.name, kind);
    if request.mutant.is_empty() {
        entry.memory.clone_into(&mut result.memory);
    }
    result.expected_failure = must_fail;
    result.executions = findings.executions;
    result.blocked = findings.blocked;
    result.outcomes = findings.outcomes.iter().take(OUTCOMES_MAX).cloned().collect();
    result.coverage = findings.coverage.clone().unwrap_or_else(|| until_failure(request));
    let mut failure = findings.failure.clone();
    result.verdict = verdict(must_fail, findings);
    if let Expect::Litmus(test) = entry.expect {
        let judged = test.judge(request.engine, findings);
        result.verdict = if judged.is_ok() { Verdict::Pass } else { Verdict::Broken };
        failure = judged.err().map(|difference| Failure {
            steps: failure.map(|failure| failure.steps).unwrap_or_default(),
            ..Failure::of_model(difference)
        });
    }
    let replay = failure.as_ref().and_then(|failure| failure.replay.as_deref());
    result.replay = request.command(entry.name, replay);
    result.counterexample = failure.map(|failure| counterexample(entry, failure));
    result
}

/// What the findings mean for a model that is no litmus test.
fn verdict(must_fail: bool, findings: &Findings) -> Verdict {
    match &findings.failure {
        // An engine that cannot judge has judged nothing, whatever was expected.
        Some(failure) if failure.violation.promise == Promise::Model => Verdict::Broken,
        Some(_) if must_fail => Verdict::Pass,
        None if must_fail || findings.executions > 0 && findings.coverage.is_none() => {
            Verdict::Correctness
        }
        Some(_) => Verdict::Correctness,
        None if findings.executions == 0 => Verdict::Broken,
        None => Verdict::Pass,
    }
}

/// The coverage of a search that ended with a failure.
fn until_failure(request: &Request) -> Coverage {
    match request.engine {
        Engine::Explore | Engine::Loom => {
            Coverage::Bounded { bound: "the first failure".to_owned() }
        }
        Engine::ShuttleRandom | Engine::ShuttlePct => {
            Coverage::Sampled { schedules: request.limits.executions, seed: request.limits.seed }
        }
    }
}

fn counterexample(entry: &Entry, failure: Failure) -> Counterexample {
    let promise = failure.violation.promise;
    let english = match entry.expect {
        Expect::Fails { english } if promise != Promise::Model => english,
        _ => promise.broken(),
    };
    Counterexample {
        message: failure.violation.message,
        english: english.to_owned(),
        steps: failure.steps,
    }
}

fn blank(request: &Request, scenario: &str, kind: ModelKind) -> ModelResult {
    let memory = if request.mutant.is_empty() {
        "shipped".to_owned()
    } else {
        format!("mutant {}", request.mutant.join(" "))
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
        blocked: 0,
        outcomes: Vec::new(),
        elapsed_ms: 0,
        expected_failure: kind == ModelKind::Mutant,
        counterexample: None,
        replay: request.command(scenario, None),
    }
}

/// The result of a run that could not be done.
#[must_use]
pub fn broken(request: &Request, message: String) -> ModelResult {
    let mut kind = catalogue::by_name(&request.scenario).map_or(ModelKind::Protocol, |e| e.kind);
    if !request.mutant.is_empty() {
        kind = ModelKind::Mutant;
    }
    let english = Promise::Model.broken().to_owned();
    let counterexample = Some(Counterexample { message, english, steps: Vec::new() });
    ModelResult { counterexample, ..blank(request, &request.scenario, kind) }
}

/// The runs that `engines` are asked for, for models whose name contains `filter`.
///
/// Shuttle runs the shipped protocol only: it takes every ordering as the strongest one.
#[must_use]
pub fn plan(filter: Option<&str>, engines: &[Engine]) -> Vec<Request> {
    let wanted = |entry: &Entry| filter.is_none_or(|filter| entry.name.contains(filter));
    let entries: Vec<_> = catalogue::all().into_iter().filter(wanted).collect();
    let mut requests = Vec::new();
    for &engine in engines {
        for entry in &entries {
            if engine.sees_orderings() || entry.kind == ModelKind::Protocol {
                let mut request = Request::new(engine, entry.name);
                request.limits = bounded(request.limits, engine, entry.size);
                requests.push(request);
            }
        }
    }
    requests
}

/// The bounds that a model of `size` needs under `engine`.
fn bounded(limits: Limits, engine: Engine, size: Size) -> Limits {
    let preemptions = (engine == Engine::Loom && size != Size::Small).then_some(2);
    Limits { preemptions: limits.preemptions.or(preemptions), ..limits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_does_not_exist_is_broken() {
        let result = run(&Request::new(Engine::Explore, "slot/nothing"));
        assert_eq!(result.verdict, Verdict::Broken);
        assert!(result.counterexample.unwrap().message.contains("slot/one-reader"));
    }

    #[test]
    fn nonsense_in_a_request_is_broken() {
        let good = Request::new(Engine::Explore, "slot/one-reader");
        for mutant in ["W_COMMIT", "W_COMMIT=Weak", "W_NOTHING=Relaxed"] {
            let request = Request { mutant: vec![mutant.into()], ..good.clone() };
            assert_eq!(run(&request).verdict, Verdict::Broken, "{mutant}");
        }
        for crash in ["writer", "nobody:1", "writer:x"] {
            let request = Request { crash: Some(crash.into()), ..good.clone() };
            assert_eq!(run(&request).verdict, Verdict::Broken, "{crash}");
        }
    }

    #[test]
    fn no_execution_is_not_a_pass() {
        assert_eq!(verdict(false, &Findings::default()), Verdict::Broken);
        let done =
            Findings { executions: 1, coverage: Some(Coverage::Complete), ..Findings::default() };
        assert_eq!(verdict(false, &done), Verdict::Pass);
        assert_eq!(verdict(true, &done), Verdict::Correctness);
    }

    #[test]
    fn the_plan_asks_every_engine_what_it_can_answer() {
        let plan = plan(Some("published/"), &Engine::ALL);
        assert!(plan.iter().all(|request| request.engine.sees_orderings()));
        assert!(plan.len() >= 8);
    }
}
