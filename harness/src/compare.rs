//! Two sides of one suite, compared cell by cell and figure by figure.
//!
//! `trials of both → repeats that have a partner → statistics → improved | regressed | no
//! difference | inconclusive`. Pure. What is asked is settled before the figures are looked at, and
//! the p value that counts is divided by the number of questions (Bonferroni), so that the promised
//! rate of false alarms is the whole comparison's. Knows nothing of: processes, files.
//! Checked by: `compare/calibration.rs`, which counts false alarms and missed differences.

mod change;
mod environment;

use report_schema::{
    CellComparison, CellResult, Change, Placement, ScenarioResult, Side, Trial, Turn, Workload,
};

use crate::gate::{Dimension, Metric, MetricSource as _, MissingFigure, Percentile};
use crate::statistics::{self, Question, median};
use crate::verdict::{Figures, Member, compared, sides};
pub use change::{RATIO, Scale, change};
pub use environment::{differences, fingerprint};

/// What is asked of two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How often all of it together may find something where nothing is.
    pub alpha: f64,
    /// Less than this is no difference that matters; above 1.
    pub ratio: f64,
    /// The figures to compare; the usual ones of each workload if there is none here.
    pub metrics: Vec<Metric>,
    /// The clock's smallest step.
    pub quantum_ns: Option<u64>,
    /// Of the intervals.
    pub seed: u64,
    /// The two sides' trials ran in turns: those of two repeats are neighbours.
    pub together: bool,
    /// What the base is called.
    pub baseline: String,
    /// Why the two sides cannot be compared at all, for instance because of another machine.
    pub obstacle: Option<String>,
}

/// One cell on both sides.
pub type Pair<'a> = (&'a CellResult, &'a CellResult);

/// The cells that both sides have, by their ids, and what only one of them has, in words.
#[must_use]
pub fn pairs<'a>(
    base: &'a [ScenarioResult],
    candidate: &'a [ScenarioResult],
) -> (Vec<Pair<'a>>, Vec<String>) {
    let cells = |side: &'a [ScenarioResult]| side.iter().flat_map(|scenario| &scenario.cells);
    let (mut both, mut alone) = (vec![], vec![]);
    for cell in cells(base) {
        match cells(candidate).find(|other| other.id == cell.id) {
            Some(other) => both.push((cell, other)),
            None => alone.push(format!("{} is in the base only", cell.id)),
        }
    }
    let known = |cell: &&CellResult| cells(base).all(|other| other.id != cell.id);
    let news = cells(candidate).filter(known);
    alone.extend(news.map(|cell| format!("{} is in the candidate only", cell.id)));
    (both, alone)
}

/// Compares every figure of every pair.
#[must_use]
pub fn compare(pairs: &[Pair<'_>], rules: &Rules) -> Vec<CellComparison> {
    let asked: Vec<(Pair<'_>, Metric)> = pairs
        .iter()
        .flat_map(|pair| metrics(pair, rules).into_iter().map(|metric| (*pair, metric)))
        .collect();
    let alpha = rules.alpha / asked.len().max(1) as f64;
    asked.into_iter().map(|(pair, metric)| one(pair, metric, rules, alpha)).collect()
}

fn metrics((base, _): &Pair<'_>, rules: &Rules) -> Vec<Metric> {
    figures(base.workload, &rules.metrics)
}

/// The figures that are compared of a workload: those that were asked for, or its usual ones.
#[must_use]
pub fn figures(workload: Workload, asked: &[Metric]) -> Vec<Metric> {
    let usual = match workload {
        Workload::Stream => vec![Metric::ThroughputMessages],
        Workload::Search => vec![Metric::SustainedRate],
        Workload::PingPong | Workload::Open | Workload::Burst => {
            [Percentile::P50, Percentile::P99].map(Metric::Latency).to_vec()
        }
    };
    if asked.is_empty() { usual } else { asked.to_vec() }
}

fn one(pair: Pair<'_>, metric: Metric, rules: &Rules, alpha: f64) -> CellComparison {
    let (base, candidate) = pair;
    let figure = |_, trial: &Trial| Figures::of(trial, rules.quantum_ns).value(metric);
    let members = sides(&base.trials, &candidate.trials, rules.together, figure);
    let repeats = compared(&members);
    let used = |side| repeats.iter().filter(|repeat| repeat.side == side).count();
    let dropped =
        |cell: &CellResult, side| u32::try_from(cell.trials.len() - used(side)).unwrap_or(u32::MAX);
    let middle = |side| median(repeats.iter().filter(|r| r.side == side).map(|r| r.value));
    let greater_is_better = metric.dimension() != Dimension::Time;
    let mut found = CellComparison {
        cell: base.id.clone(),
        metric: metric.name().to_owned(),
        unit: metric.dimension().unit().to_owned(),
        greater_is_better,
        class: class(&members),
        base_median: middle(Side::Base),
        candidate_median: middle(Side::Candidate),
        evidence: None,
        base_dropped: dropped(base, Side::Base),
        candidate_dropped: dropped(candidate, Side::Candidate),
        turns: members.iter().filter(|_| rules.together).map(turn).collect(),
        change: Change::Inconclusive,
        reason: "no trial has a partner on the other side".to_owned(),
    };
    let lacking: Vec<&MissingFigure> = members.iter().filter_map(Member::lacks).collect();
    let quantum = (!greater_is_better).then(|| rules.quantum_ns.unwrap_or(1) as f64);
    let question = Question { baseline: &rules.baseline, alpha, quantum, seed: rules.seed };
    if let Some(evidence) = statistics::evidence(repeats, &question) {
        (found.change, found.reason) =
            change(&evidence, Scale { ratio: rules.ratio, quantum, greater_is_better });
        found.evidence = Some(evidence);
    }
    let obstacle = rules.obstacle.as_ref().map(|why| format!("not comparable: {why}"));
    let obstacle = obstacle.or_else(|| without(metric, &lacking));
    if let Some(why) = obstacle {
        (found.change, found.reason) = (Change::Inconclusive, why);
    }
    found
}

/// That whole trials have no figure, and why the first of them has none.
fn without(metric: Metric, lacking: &[&MissingFigure]) -> Option<String> {
    let told =
        |why: &str| format!("whole trials without a figure for {metric}: {}{why}", lacking.len());
    match lacking.first()? {
        MissingFigure::Own(_) => Some(told("")),
        why => Some(told(&format!(" ({why})"))),
    }
}

/// The one class of the trials that were compared, if it is one.
fn class(members: &[Member<'_>]) -> Option<Placement> {
    let compared = members.iter().filter(|member| member.compared);
    let mut classes = compared.map(|member| member.trial.calibration.class);
    let first = classes.next()?;
    classes.all(|class| class == first).then_some(first)
}

/// What a reader of a false alarm asks for.
fn turn(member: &Member<'_>) -> Turn {
    let line = member.trial.calibration;
    Turn {
        side: member.side,
        block: member.block,
        class: line.class,
        before_ns: line.before_ns,
        after_ns: line.after_ns,
        value: member.figure(),
        compared: member.compared,
    }
}

#[cfg(test)]
mod calibration;
#[cfg(test)]
pub(crate) mod tests;
