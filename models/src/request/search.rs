//! Runs what was asked for: one model, a model under every crash point, or every model in turn.

use std::sync::Arc;
use std::time::Instant;

use report_schema::{Coverage, ModelResult, Verdict};

use super::judge::{broken, judge, milliseconds};
use super::{EVERY, Request};
use crate::bounds::bounded;
use crate::catalogue::{self, Entry, Size};
use crate::context::Setup;
use crate::engine::Findings;
use crate::replay::Replayed;
use crate::scenario::VANISHED;
use crate::{crash, mutant, plant, table};

/// Does what `request` asks for.
pub(super) fn run(request: &Request) -> Replayed {
    let untold = |result| Replayed { result, steps: Vec::new() };
    match request.scenario.as_str() {
        EVERY => return untold(run_every(request)),
        mutant::SURVIVORS => return untold(mutant::minimise(request)),
        table::EDGES => return untold(table::check(request)),
        _ => {}
    }
    let Some(entry) = catalogue::by_name(&request.scenario) else {
        let names: Vec<_> = catalogue::all().iter().map(|entry| entry.name).collect();
        let known = names.join(", ");
        let message = format!("there is no model `{}`; there are {known}", request.scenario);
        return untold(broken(request, message));
    };
    let all_points = request.crash.as_deref().and_then(|crash| crash.strip_suffix(":*"));
    match all_points {
        Some(role) => untold(run_points(request, &entry, role)),
        None => run_entry(request, &entry),
    }
}

/// A mutant or a defect against every model of the shipped protocol, until one notices.
fn run_every(request: &Request) -> ModelResult {
    let place = request.plant.as_deref().and_then(plant::by_name).and_then(|row| row.place);
    if let Some((scenario, crash)) = place {
        let placed = Request {
            scenario: scenario.to_owned(),
            crash: Some(crash.to_owned()),
            ..request.clone()
        };
        return run(&placed).result;
    }
    let started = Instant::now();
    let mut shipped = catalogue::all();
    shipped.retain(|entry| entry.memory == "shipped" && entry.size != Size::Huge);
    shipped.sort_by_key(|entry| entry.size);
    let mut total: Option<ModelResult> = None;
    for entry in shipped {
        let limits = bounded(request.limits.clone(), request.engine, &entry);
        let mut result = run_entry(&Request { limits, ..request.clone() }, &entry).result;
        let stop = result.counterexample.is_some() || result.verdict == Verdict::Broken;
        if stop {
            result.executions_before = total.map_or(0, |before| before.executions);
            result.elapsed_ms = milliseconds(started);
            return result;
        }
        add_up(&mut result, total.as_ref());
        EVERY.clone_into(&mut result.scenario);
        result.replay = request.command(EVERY, None);
        result.outcomes.clear();
        result.elapsed_ms = milliseconds(started);
        total = Some(result);
    }
    let nothing = || broken(request, "there is no model to run".to_owned());
    let mut result = total.unwrap_or_else(nothing);
    if let (Verdict::Correctness, [row], None) =
        (result.verdict, &request.mutant[..], &request.plant)
        && let Some(reason) = mutant::reason(row)
    {
        result.verdict = Verdict::Pass;
        result.expected_failure = false;
        result.outcomes = vec![format!("survives: {reason}")];
    }
    result
}

/// Counts what ran before `result` too; what was bounded stays so, and what came to no result too.
fn add_up(result: &mut ModelResult, before: Option<&ModelResult>) {
    let Some(before) = before else { return };
    result.executions += before.executions;
    result.blocked += before.blocked;
    if result.coverage == Coverage::Complete {
        result.coverage.clone_from(&before.coverage);
    }
    if result.counterexample.is_none() && before.verdict == Verdict::Inconclusive {
        result.verdict = Verdict::Inconclusive;
    }
}

/// `role` vanishes before each of its steps in turn, until it has none left, or until a defect that
/// was planted is noticed.
fn run_points(request: &Request, entry: &Entry, role: &str) -> ModelResult {
    let started = Instant::now();
    let must_fail = request.plant.is_some() || !request.mutant.is_empty();
    let deaths = Arc::default();
    let mut total: Option<ModelResult> = None;
    for step in 0_u32.. {
        let point = Request { crash: Some(format!("{role}:{step}")), ..request.clone() };
        let findings = match search(&point, entry, Some(&deaths)) {
            Ok(findings) => findings,
            Err(message) => return broken(request, message),
        };
        let mut result = judge(&point, entry, &findings);
        let reached = findings.outcomes.iter().any(|outcome| outcome.contains(VANISHED));
        if findings.failure.is_none() && !reached {
            break;
        }
        add_up(&mut result, total.as_ref());
        result.elapsed_ms = milliseconds(started);
        let stop = if must_fail { Verdict::Correctness } else { Verdict::Pass };
        if result.verdict != stop {
            return result;
        }
        result.outcomes = crash::told(step + 1, &deaths);
        result.replay = request.command(entry.name, None);
        total = Some(result);
    }
    total.unwrap_or_else(|| broken(request, format!("`{role}` never vanishes")))
}

fn run_entry(request: &Request, entry: &Entry) -> Replayed {
    let started = Instant::now();
    let (mut result, steps) = match search(request, entry, None) {
        Ok(mut findings) => {
            let result = judge(request, entry, &findings);
            let told = std::mem::take(&mut findings.told);
            (result, findings.failure.map_or(told, |failure| failure.steps))
        }
        Err(message) => (broken(request, message), Vec::new()),
    };
    result.elapsed_ms = milliseconds(started);
    Replayed { result, steps }
}

/// Lets the engine look; `deaths` are the sites before which somebody vanishes.
fn search(
    request: &Request,
    entry: &Entry,
    deaths: Option<&crash::Deaths>,
) -> Result<Findings, String> {
    let setup = Setup { deaths: deaths.cloned(), ..request.setup(entry)? };
    if request.engine.compiled_in() {
        Ok(entry.model.run(request.engine, &setup, &request.limits))
    } else {
        Err(format!("the engine `{}` is not compiled in", request.engine))
    }
}
