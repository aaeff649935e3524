//! Expectations that can never hold, or never be judged, in this cell.

use super::{Parts, contradiction};
use crate::gate::{Expectation, Metric, Term};
use crate::scenario::expect::{Written, implied};
use crate::scenario::model::Workload;
use crate::scenario::problem::Mistakes;

pub(super) fn check(parts: &Parts<'_>, mistakes: &Mistakes) {
    for written in parts.expectations {
        measurable(parts, written, mistakes);
        compatible(parts, written, mistakes);
    }
}

/// Figures that are only taken where there is something to take them of.
fn measurable(parts: &Parts<'_>, written: &Written, mistakes: &Mistakes) {
    let metrics = named(&written.expectation);
    let faultless = parts.faults.is_some_and(<[_]>::is_empty);
    let searches = matches!(parts.workload, Some(Workload::Search(_)) | None);
    let of_faults = |metric: &Metric| matches!(metric, Metric::Blocked(_) | Metric::ProducerWait);
    let of_search = |metric: &Metric| *metric == Metric::SustainedRate;
    let found = |what: &dyn Fn(&Metric) -> bool| metrics.iter().copied().find(what);
    let (metric, why, help) = match (found(&of_faults), found(&of_search)) {
        (Some(metric), _) if faultless => {
            let help = "add a [[fault]], or leave it out by `only`";
            (metric, "is only known where faults befall somebody", help)
        }
        (_, Some(metric)) if !searches => {
            (metric, "is only known of a search", "use [workload.search], or another metric")
        }
        _ => return,
    };
    let message = format!("`{metric}` {why}: here this is never judged");
    mistakes.push(contradiction(written.check_span, message, "never judged", help));
}

fn named(expectation: &Expectation) -> Vec<Metric> {
    let bound = expectation.check.bound.iter().filter_map(|term| match term {
        Term::Scaled { metric, .. } => Some(*metric),
        Term::Constant(_) | Term::Baseline(_) => None,
    });
    std::iter::once(expectation.check.metric).chain(bound).collect()
}

/// What the block implies and what the file demands of the same figure can hold at once.
fn compatible(parts: &Parts<'_>, written: &Written, mistakes: &Mistakes) {
    let Some(block) = parts.block else { return };
    let check = &written.expectation.check;
    let rule = implied(block, 0).into_iter().find(|rule| rule.check.metric == check.metric);
    let constant = |term: &Term| match term {
        Term::Constant(value) => Some(*value),
        Term::Scaled { .. } | Term::Baseline(_) => None,
    };
    let bound: Option<f64> = check.bound.iter().map(constant).sum();
    if let (Some(rule), Some(bound)) = (rule, bound)
        && !check.op.holds(0.0, bound)
    {
        let message =
            format!("the block implies `{}`, so this and that never hold at once", rule.check.text);
        let help = "drop it: a run that must be found guilty is made with `--plant`";
        mistakes.push(contradiction(written.check_span, message, "never holds", help));
    }
}
