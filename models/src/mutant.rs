//! Ordering mutants: every site with every weaker ordering, every fence also left out. A mutant that
//! no model notices is a missing model or a needless ordering; who stays has a written reason, and
//! those that stay are then tried together, because two orderings may be needed for each other.

use std::time::Instant;

use datahub::sites::TABLE;
use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use crate::engine::Engine;
use crate::plant;
use crate::request::{EVERY, Request, blank, milliseconds, run};
use crate::sites::{ordering_name, weaker};

/// Stands for the question whether the mutants that stay are needless together too.
pub const SURVIVORS: &str = "survivors";

/// Mutants that no model notices, each with the reason why its ordering stays.
pub const KEPT: &[(&str, &str)] = &[("E_DONE=Relaxed", BUSY), ("E_CLEAR=Relaxed", BUSY)];

/// No engine delays a read-modify-write past a later one of its role; processors may.
const BUSY: &str = "the edge keeps the eviction's read-modify-writes before those of the next owner, \
                    and no engine lets a role's read-modify-writes take effect out of order";

/// Why `row` may survive; `None` when it may not.
#[must_use]
pub fn reason(row: &str) -> Option<&'static str> {
    KEPT.iter().find(|(kept, _)| *kept == row).map(|(_, reason)| *reason)
}

/// Every weaker ordering of every site, as a request names it.
#[must_use]
pub fn rows() -> Vec<String> {
    let of_site = |site: &'static datahub::sites::Site| {
        let orderings = weaker(site.kind, site.ordering).into_iter();
        orderings.map(|ordering| format!("{}={}", site.name, ordering_name(ordering)))
    };
    TABLE.iter().flat_map(of_site).collect()
}

/// A run for each mutant: every model of the shipped protocol, until one notices.
#[must_use]
pub fn plan(engine: Engine) -> Vec<Request> {
    let request = |row| Request { mutant: vec![row], ..Request::new(engine, EVERY) };
    let mut requests: Vec<_> = rows().into_iter().map(request).collect();
    requests.push(Request::new(engine, SURVIVORS));
    requests
}

/// A run for each planted defect.
#[must_use]
pub fn plan_of_plants(engine: Engine) -> Vec<Request> {
    let request = |row: &plant::Row| Request {
        plant: Some(row.name.to_owned()),
        ..Request::new(engine, EVERY)
    };
    plant::ALL.iter().map(request).collect()
}

/// Tries all mutants that stay at once, or those that are asked for; if that is noticed, adds them one
/// by one and says which are needed as soon as others are weak.
pub(crate) fn minimise(request: &Request) -> ModelResult {
    let kept = || KEPT.iter().map(|(row, _)| (*row).to_owned()).collect();
    let rows: Vec<String> = if request.mutant.is_empty() { kept() } else { request.mutant.clone() };
    together(request, &rows, &mut |rows| {
        let (mutant, scenario) = (rows.to_vec(), EVERY.to_owned());
        run(&Request { scenario, mutant, ..request.clone() })
    })
}

/// The same, asking `notices` what notices some rows together.
fn together(
    request: &Request,
    rows: &[String],
    notices: &mut dyn FnMut(&[String]) -> ModelResult,
) -> ModelResult {
    let started = Instant::now();
    let mut total = blank(request, SURVIVORS, ModelKind::SiteTable);
    total.expected_failure = false;
    (total.coverage, total.verdict) = (Coverage::Complete, Verdict::Pass);
    let mut needless = Vec::new();
    let mut needed = None;
    let all = [rows.to_vec()];
    let each: Vec<_> = rows.iter().map(|row| vec![row.clone()]).collect();
    for group in all.iter().chain(&each) {
        let tried = [&needless[..], group].concat();
        let result = notices(&tried);
        total.executions += result.executions + result.executions_before;
        total.blocked += result.blocked;
        match result.verdict {
            // Whoever has not come to a result has not said that they are needless.
            Verdict::Broken | Verdict::Inconclusive => return undecided(result, total, started),
            _ if result.counterexample.is_none() => {
                total.coverage = result.coverage;
                needless = tried;
            }
            _ if group.len() == 1 => needed = result.counterexample.map(|found| (group, found)),
            _ => {}
        }
        if needless.len() == rows.len() {
            break;
        }
    }
    total.outcomes = vec![format!("needless together: {}", needless.join(" "))];
    total.counterexample = needed.map(|(row, found)| Counterexample {
        message: format!(
            "{} is needed as soon as these are weak: {}",
            row.concat(),
            needless.join(" ")
        ),
        ..found
    });
    if total.counterexample.is_some() {
        total.verdict = Verdict::Correctness;
    }
    total.elapsed_ms = milliseconds(started);
    total
}

/// The question stays open, for the reason that `result` gives.
fn undecided(result: ModelResult, total: ModelResult, started: Instant) -> ModelResult {
    ModelResult {
        verdict: result.verdict,
        coverage: result.coverage,
        counterexample: result.counterexample,
        elapsed_ms: milliseconds(started),
        ..total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_rows_have_a_reason() {
        assert!(KEPT.iter().all(|(row, _)| rows().iter().any(|known| known == row)));
        assert!(reason("W_TAKE=Relaxed").is_none());
    }

    #[test]
    fn what_came_to_no_result_is_not_called_needless() {
        let request = Request::new(Engine::Explore, SURVIVORS);
        let rows = ["W_LOOK=Relaxed".to_owned()];
        for verdict in [Verdict::Broken, Verdict::Inconclusive] {
            let total = together(&request, &rows, &mut |_| ModelResult {
                verdict,
                ..blank(&request, EVERY, ModelKind::Mutant)
            });
            assert_eq!((total.verdict, total.outcomes), (verdict, vec![]));
        }
    }

    #[test]
    fn every_edge_of_the_table_has_a_mutant() {
        let rows = rows();
        for site in TABLE.iter().filter(|site| !site.partners.is_empty()) {
            let weakest = if site.kind == datahub::sites::Kind::Fence { "none" } else { "Relaxed" };
            let row = format!("{}={weakest}", site.name);
            assert!(rows.contains(&row), "{row}");
        }
        assert!(rows.iter().all(|row| !row.starts_with("W_LOOK")));
    }
}
