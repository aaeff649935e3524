//! What a baseline says of cells in which no check names it: the usual figures are compared, so that
//! a run that was to be held against another one never passes unseen.

use std::collections::BTreeSet;

use report_schema::{Change, Comparison, ComparisonKind, Contender, SuiteResult, Verdict};

use super::comparison;
use crate::compare::{Pair, RATIO, Rules, compare, figures, pairs};
use crate::scenario::Cell;
use crate::statistics::ALPHA;
use crate::suite::workload;
use crate::verdict::Against;

/// How many figures of these cells are held against a baseline, by checks or because no check does.
pub(super) fn questions(cells: &[&Cell]) -> usize {
    let expectations = cells.iter().flat_map(|cell| &cell.expectations);
    let gates = expectations.filter(|expectation| expectation.check.needs_baseline()).count();
    gates + asked(cells)
}

/// How many figures of these cells are compared because no check of theirs names the baseline.
fn asked(cells: &[&Cell]) -> usize {
    cells.iter().filter(|cell| !checked(cell)).map(|cell| figures(workload(cell), &[]).len()).sum()
}

fn checked(cell: &Cell) -> bool {
    cell.expectations.iter().any(|expectation| expectation.check.needs_baseline())
}

/// Compares what no check compares, puts it into the result and makes its verdict no better than
/// that. Says nothing where there is nothing to compare.
pub(super) fn compare_rest(against: &Against<'_>, result: &mut SuiteResult, cells: &[&Cell]) {
    let rest: BTreeSet<&str> =
        cells.iter().filter(|cell| !checked(cell)).map(|cell| cell.id.as_str()).collect();
    if rest.is_empty() {
        return;
    }
    let (both, alone) = pairs(&against.result.scenarios, &result.scenarios);
    let both: Vec<Pair<'_>> =
        both.into_iter().filter(|(base, _)| rest.contains(base.id.as_str())).collect();
    let own = asked(cells);
    let quanta = [&against.result.host, &result.host].map(|host| host.clock_quantum_ns);
    let rules = Rules {
        // What is compared here and what checks compare share one rate of false alarms.
        alpha: ALPHA * own as f64 / against.gates.max(1) as f64,
        ratio: RATIO,
        metrics: vec![],
        quantum_ns: quanta.into_iter().max().flatten(),
        seed: result.seed,
        together: false,
        baseline: against.name.to_owned(),
        obstacle: against.obstacle.clone(),
    };
    let found = compare(&both, &rules);
    let contender = |name: &str, commit: &Option<String>| Contender {
        name: name.to_owned(),
        commit: commit.clone(),
    };
    let mut notes = vec![format!(
        "No check of these cells names `baseline`, so their usual figures are compared; a factor \
         below {RATIO} is no difference that matters."
    )];
    notes.extend(alone);
    let comparison = Comparison {
        kind: ComparisonKind::Runs,
        base: contender(against.name, &against.result.commit),
        candidate: contender("this run", &result.commit),
        alpha: rules.alpha,
        correction: comparison::correction(found.len()),
        seed: result.seed,
        verdict: comparison::verdict(&found),
        cells: found,
        false_alarms: None,
        found: None,
        erred: vec![],
        notes,
    };
    result.verdict = result.verdict.max(comparison.verdict);
    result.comparisons.push(comparison);
}

/// What comparisons say in one line; nothing where there are none.
pub(super) fn said(comparisons: &[Comparison]) -> Option<String> {
    let cells = || comparisons.iter().flat_map(|comparison| &comparison.cells);
    let count = |change: Change| cells().filter(|cell| cell.change == change).count();
    comparisons.first()?;
    let told = [
        (Change::Regressed, "regressed"),
        (Change::Improved, "improved"),
        (Change::NoDifference, "without a difference"),
        (Change::Inconclusive, "could not be judged"),
    ];
    let told: Vec<String> = told
        .into_iter()
        .map(|(change, word)| (count(change), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let total = cells().count();
    Some(match told.as_slice() {
        [] => "no cell in common, nothing was compared".to_owned(),
        told => format!("of {total} figures compared {}", told.join(", ")),
    })
}

/// The worst of all comparisons.
pub(super) fn worst(comparisons: &[Comparison]) -> Option<Verdict> {
    Verdict::worst(comparisons.iter().map(|comparison| comparison.verdict))
}
