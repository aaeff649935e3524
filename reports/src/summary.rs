//! What a result says, before anything is drawn: the verdict with its reason, doubts about the
//! file itself, and one summary a cell.

mod cell;
mod curve;
mod doubt;
mod drift;
mod hardware;
mod judged;
mod kills;
mod percentile;
mod words;

use report_schema::{GateResult, INTERRUPTED_NOTE, SuiteResult, Verdict};

pub use cell::CellSummary;
pub(crate) use cell::median;
pub use curve::{Curve, Curves, Shown};
pub use doubt::Doubt;
pub use drift::{Drift, Thirds, drifts};
pub use hardware::HardwareCost;
pub(crate) use hardware::uncounted;
pub use judged::{commonest, is_whole, judged};
pub use kills::{Kill, Kills, noticed};
pub use percentile::{IN_BRACKETS, Percentile, SAMPLES_BEYOND};
pub use words::{Limit, Relation, sides};

use crate::format;

/// Everything a page needs to know about a result.
#[derive(Debug)]
pub struct Summary<'a> {
    /// The result.
    pub suite: &'a SuiteResult,
    /// The worst of what the file says and what its parts say; `None` when nothing ran.
    pub verdict: Option<Verdict>,
    /// One or two words in capitals.
    pub headline: &'static str,
    /// Why, in one sentence.
    pub sentence: String,
    /// How many gates, models, comparisons and rows of kills gave each verdict.
    pub tally: Tally,
    /// Where the file contradicts itself.
    pub doubts: Vec<Doubt>,
    /// What the run says as a whole, where that is worse than what any part of it says.
    pub whole: Option<Doubt>,
    /// One for each cell, in the order of the file.
    pub cells: Vec<CellSummary<'a>>,
}

/// How many gates, models, comparisons and rows of kills gave each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub pass: usize,
    /// Failed for performance.
    pub performance: usize,
    /// Could not be judged.
    pub inconclusive: usize,
    /// Did not run as they should.
    pub broken: usize,
    /// Failed for correctness.
    pub correctness: usize,
    /// Rows of kills in which nobody could be killed, for a written reason: no pass of anything.
    pub unreached: usize,
}

impl Tally {
    fn of(suite: &SuiteResult) -> Self {
        let mut tally = Self::default();
        let cells = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
        cells.flat_map(|cell| &cell.gates).for_each(|gate| tally.add(gate.verdict));
        suite.models.iter().for_each(|model| tally.add(model.verdict));
        for crash in &suite.crashes {
            match crash.unreached {
                Some(_) if crash.verdict == Verdict::Pass => tally.unreached += 1,
                _ => tally.add(crash.verdict),
            }
        }
        let compared = suite.comparisons.iter().flat_map(|comparison| &comparison.cells);
        compared.for_each(|cell| tally.add(cell.change.verdict()));
        tally
    }

    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Performance => &mut self.performance,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Broken => &mut self.broken,
            Verdict::Correctness => &mut self.correctness,
        } += 1;
    }

    /// Each verdict with its number, worst first.
    #[must_use]
    pub fn worst_first(&self) -> [(Verdict, usize); 5] {
        Verdict::WORST_FIRST.map(|verdict| {
            let number = match verdict {
                Verdict::Pass => self.pass,
                Verdict::Performance => self.performance,
                Verdict::Inconclusive => self.inconclusive,
                Verdict::Broken => self.broken,
                Verdict::Correctness => self.correctness,
            };
            (verdict, number)
        })
    }
}

impl<'a> Summary<'a> {
    /// Summarises a result. The verdict shown is never better than any part of the file.
    #[must_use]
    pub fn of(suite: &'a SuiteResult) -> Self {
        let cells: Vec<_> = suite
            .scenarios
            .iter()
            .flat_map(|scenario| {
                scenario.cells.iter().map(move |cell| CellSummary::of(scenario, cell))
            })
            .collect();
        let doubts = doubt::all(suite, &cells);
        let verdict = verdict(suite, &doubts);
        let tally = Tally::of(suite);
        let whole = doubt::unexplained(suite, &doubts, verdict);
        let mut summary = Self {
            suite,
            verdict,
            headline: headline(verdict, suite.interrupted),
            sentence: String::new(),
            tally,
            doubts,
            whole,
            cells,
        };
        summary.sentence = summary.reason();
        summary
    }

    /// Every gate with the cell it judged, worst verdict and gravest violation first, otherwise in the
    /// order of the file.
    #[must_use]
    pub fn gates(&self) -> Vec<(&'a GateResult, &CellSummary<'a>)> {
        let mut gates: Vec<_> = self
            .cells
            .iter()
            .flat_map(|summary| summary.cell.gates.iter().map(move |gate| (gate, summary)))
            .collect();
        gates.sort_by_key(|(gate, _)| core::cmp::Reverse((gate.verdict, words::weight(gate))));
        gates
    }

    fn reason(&self) -> String {
        let Some(verdict) = self.verdict else {
            let ended = if self.suite.interrupted { " before the run was interrupted" } else { "" };
            return format!("No trial and no model ran{ended}; no data is never a pass.");
        };
        if verdict == Verdict::Pass {
            return self.reason_to_pass();
        }
        if verdict == Verdict::Inconclusive && self.suite.interrupted {
            return INTERRUPTED_NOTE.to_owned();
        }
        let gates = self.gates();
        if let Some((gate, summary)) = gates.first().filter(|(gate, _)| gate.verdict == verdict) {
            let more = gates.iter().filter(|(gate, _)| gate.verdict == verdict).count() - 1;
            let others = match more {
                0 => String::new(),
                1 => " One more gate says the same.".to_owned(),
                _ => format!(" {} more gates say the same.", format::count(more as u64)),
            };
            return words::sentence(gate, &summary.cell.id) + &others;
        }
        let model = self.suite.models.iter().find(|model| model.verdict == verdict);
        if let Some(model) = model {
            let what = model.counterexample.as_ref().map_or_else(
                || "it did not end as it must".to_owned(),
                |example| example.english.clone(),
            );
            return format!("Model {} ({}): {what}", model.scenario, model.engine);
        }
        if let Some(row) = self.suite.crashes.iter().find(|row| row.verdict == verdict) {
            let what = row.example.as_deref().or(row.unreached.as_deref());
            let what = what.unwrap_or("it did not end as it must");
            return format!("Killing the {} at {} ({}): {what}", row.victim, row.site, row.shape);
        }
        let mut compared = self.suite.comparisons.iter().flat_map(|comparison| &comparison.cells);
        if let Some(cell) = compared.find(|cell| cell.change.verdict() == verdict) {
            let figure = Limit { figure: &cell.metric, relation: Relation::Equal }.words();
            let (change, reason) = (cell.change.as_str(), format::signs(&cell.reason));
            return format!("B against A, {figure} of {}: {change}. {reason}.", cell.cell);
        }
        if let Some(doubt) = self.doubts.iter().find(|doubt| doubt.verdict == verdict) {
            return doubt.text.clone();
        }
        match &self.whole {
            Some(whole) => whole.text.replace('\n', " "),
            None => format!("A part of the run ended with the verdict {verdict}."),
        }
    }

    fn reason_to_pass(&self) -> String {
        let gates: usize = self.cells.iter().map(|summary| summary.cell.gates.len()).sum();
        let trials: usize = self.cells.iter().map(|summary| summary.judged.len()).sum();
        let mut parts = Vec::new();
        if !self.cells.is_empty() {
            parts.push(format!(
                "All {} held in {}, over {}",
                format::several(gates, "gate"),
                format::several(self.cells.len(), "cell"),
                format::several(trials, "compared trial")
            ));
        }
        if !self.suite.models.is_empty() {
            parts.push(format!(
                "Every model ended as it must: {}",
                words::coverage(&self.suite.models)
            ));
        }
        parts.extend(self.killed());
        let compared: usize = self.suite.comparisons.iter().map(|each| each.cells.len()).sum();
        if compared > 0 {
            parts.push(format!(
                "None of {} got worse",
                format::several(compared, "compared figure")
            ));
        }
        format!("{}.", parts.join(". "))
    }

    /// How many were killed where; `None` where nobody was.
    fn killed(&self) -> Option<String> {
        let rows = &self.suite.crashes;
        let kills: u64 = rows.iter().map(|row| row.kills).sum();
        let (reached, all) = self.sites();
        (kills > 0).then(|| {
            format!(
                "{} processes were killed at {} of {}, and no survivor was harmed",
                format::count(kills),
                format::count(reached as u64),
                format::several(all, "site")
            )
        })
    }

    /// At how many sites somebody was killed, and how many sites there are.
    #[must_use]
    pub fn sites(&self) -> (usize, usize) {
        let names = |killed: bool| {
            let rows = self.suite.crashes.iter().filter(|row| !killed || row.kills > 0);
            rows.map(|row| row.site.as_str()).collect::<std::collections::BTreeSet<_>>().len()
        };
        (names(true), names(false))
    }
}

/// The worst of what the file says, what its parts say and what is doubtful.
fn verdict(suite: &SuiteResult, doubts: &[Doubt]) -> Option<Verdict> {
    let trials = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let none = suite.models.is_empty() && suite.crashes.is_empty() && suite.comparisons.is_empty();
    let nothing_ran = none && trials.map(|cell| cell.trials.len()).sum::<usize>() == 0;
    let scenarios = suite.scenarios.iter().map(|scenario| scenario.verdict);
    let cells = suite.scenarios.iter().flat_map(|scenario| &scenario.cells);
    let gates = cells.clone().flat_map(|cell| &cell.gates).map(|gate| gate.verdict);
    let cut = suite.interrupted.then_some(Verdict::Inconclusive);
    let worst = Verdict::worst(
        [suite.verdict]
            .into_iter()
            .chain(cut)
            .chain(scenarios)
            .chain(cells.map(|cell| cell.verdict))
            .chain(gates)
            .chain(suite.models.iter().map(|model| model.verdict))
            .chain(suite.crashes.iter().map(|row| row.verdict))
            .chain(suite.comparisons.iter().map(|comparison| comparison.verdict))
            .chain(doubts.iter().map(|doubt| doubt.verdict)),
    );
    // A run that broke before its first trial says so; only silence is "nothing ran".
    worst.filter(|worst| !nothing_ran || *worst > Verdict::Inconclusive)
}

fn headline(verdict: Option<Verdict>, interrupted: bool) -> &'static str {
    match verdict {
        None => "NOTHING RAN",
        Some(Verdict::Inconclusive) if interrupted => "INTERRUPTED",
        Some(Verdict::Pass) => "SHIP",
        Some(Verdict::Performance | Verdict::Correctness) => "DO NOT SHIP",
        Some(Verdict::Inconclusive) => "INCONCLUSIVE",
        Some(Verdict::Broken) => "BROKEN RUN",
    }
}
