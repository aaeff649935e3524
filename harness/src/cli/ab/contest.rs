//! Both sides of `ab`, planned: the same cells twice, and one round of their trials in turns.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use report_schema::{CellComparison, Change, Comparison, ComparisonKind, Contender, SuiteResult};
use reports::format;

use super::Args;
use crate::cli::run::Progress;
use crate::cli::run::events::Events;
use crate::cli::run::progress::{Display, Round};
use crate::cli::{Exit, Output, made, planned, run};
use crate::compare::{Pair, Rules, compare, figures};
use crate::gate::Class;
use crate::host::Host;
use crate::plan::{CellPlan, Options, Plan};
use crate::run::ProcessLauncher;
use crate::statistics::{repeats_needed, short};
use crate::suite::{self, Outcome, Request, in_turns, workload};

/// What is run, round after round.
pub(super) struct Contest<'a> {
    args: &'a Args,
    kind: ComparisonKind,
    host: Host,
    programs: Option<[PathBuf; 2]>,
    seed: u64,
}

impl<'a> Contest<'a> {
    /// Everything that can be wrong before anything runs.
    pub(super) fn prepare(
        args: &'a Args,
        kind: ComparisonKind,
        output: &mut Output,
    ) -> Result<Self, Exit> {
        let programs = match (&args.base, &args.cand) {
            (Some(base), Some(cand)) => Some([harness(base, output)?, harness(cand, output)?]),
            _ => None,
        };
        let mut contest =
            Self { args, kind, host: Host::read(), programs, seed: args.seed.unwrap_or(0) };
        args.sinks.prove(output)?;
        let plans = contest.plans(0, output)?;
        let first = || plans.first().and_then(|plan| Some(plan.cells.first()?.cell.run.seed));
        contest.seed = args.seed.or_else(first).unwrap_or(0);
        contest.enough(&plans, output)?;
        Ok(contest)
    }

    /// Whether so many repeats can be sure of anything; nobody should wait for what cannot be said.
    fn enough(&self, plans: &[Plan], output: &mut Output) -> Result<(), Exit> {
        let base = plans[..plans.len() / 2].iter().flat_map(|plan| &plan.cells);
        let asked = |cell: &CellPlan| figures(workload(&cell.cell), &self.args.rules.metric).len();
        let count = base.map(asked).sum::<usize>().max(1);
        let alpha = self.args.rules.alpha / count as f64;
        let (own, needed) = (even(self.args.repeats) as usize, repeats_needed(alpha, true));
        if own >= needed {
            return Ok(());
        }
        output.error(&format!(
            "{own} repeats of each side cannot be sure of anything: {} to compare, and p <= {} is wanted \
             of each; take --repeats {needed}, or fewer cells by --filter",
            format::several(count, "figure"),
            short(alpha)
        ));
        Err(Exit::Usage)
    }

    /// The base's plans, then the candidate's, cell by cell the same.
    fn plans(&self, round: u32, output: &mut Output) -> Result<Vec<Plan>, Exit> {
        let side = |settings: &[String], output: &mut Output| {
            let mut selection = self.args.selection.clone();
            selection.set.extend_from_slice(settings);
            let seed = self.args.seed.or((round > 0).then_some(self.seed));
            let options = Options {
                profile: selection.profile,
                seed: seed.map(|seed| seed.wrapping_add(u64::from(round))),
                repeats: Some(even(self.args.most())),
                filter: selection.filter(),
            };
            let files = selection.scenarios(output)?;
            planned::plans((&selection, &options), &files, &self.host, output)
        };
        let mut plans = side(&self.args.base_set, output)?;
        let candidates = side(&self.args.cand_set, output)?;
        let shape =
            |plans: &[Plan]| -> Vec<usize> { plans.iter().map(|p| p.cells.len()).collect() };
        if shape(&plans) != shape(&candidates) {
            output.error("the two sides have different numbers of cells: set keys, not axes");
            return Err(Exit::Usage);
        }
        plans.extend(candidates);
        planned::programs(&plans, output)?;
        for cell in plans.iter_mut().flat_map(|plan| &mut plan.cells) {
            // Whether a side is fast enough was not asked; whether it works always is.
            cell.cell.expectations.retain(|e| e.class() == Class::Correctness);
        }
        Ok(plans)
    }

    /// One comparison, with trials of its own.
    pub(super) fn round(&self, shown: Round) -> io::Result<Outcome> {
        let round = shown.number;
        let mut quiet = Output::new(clap::ColorChoice::Never);
        let plans =
            self.plans(round, &mut quiet).map_err(|_| io::Error::other("a file changed"))?;
        let seed = self.seed.wrapping_add(u64::from(round));
        let request = Request {
            keep_history: None,
            plans: &plans,
            host: &self.host,
            name: format!("ab-{}", run::name(&self.args.selection)),
            profile: self.args.selection.profile.name().to_owned(),
            command: made::words(),
            seed,
            commit: made::commit(),
            plant: None,
            turns: in_turns(&plans, seed),
            enough: Some(even(self.args.repeats) as usize),
            programs: self.expanded(plans.len() / 2),
            against: None,
            made: made::made(&self.args.selection.set, None),
        };
        let mut launcher = ProcessLauncher::new()?;
        let events = Events::open(None, self.args.progress == Progress::Jsonl)?;
        let mut display = Display::new(self.args.progress, events, shown);
        let mut outcome = suite::run(&request, &mut launcher, &mut display);
        display.clear();
        self.compare(&mut outcome, seed);
        Self::name_sides(&mut outcome.result);
        Ok(outcome)
    }

    /// One program for each plan.
    fn expanded(&self, plans: usize) -> Vec<PathBuf> {
        let programs = self.programs.iter().flatten();
        programs.flat_map(|program| std::iter::repeat_n(program.clone(), plans)).collect()
    }

    fn compare(&self, outcome: &mut Outcome, seed: u64) {
        let result = &mut outcome.result;
        let (base, candidate) = result.scenarios.split_at(result.scenarios.len() / 2);
        let pairs: Vec<Pair<'_>> = base
            .iter()
            .flat_map(|scenario| &scenario.cells)
            .zip(candidate.iter().flat_map(|scenario| &scenario.cells))
            .collect();
        let rules = Rules {
            alpha: self.args.rules.alpha,
            ratio: self.args.rules.ratio,
            metrics: self.args.rules.metric.clone(),
            quantum_ns: self.host.facts.clock_quantum_ns,
            seed,
            together: true,
            baseline: self.contender(0).name,
            obstacle: None,
        };
        let mut cells = compare(&pairs, &rules);
        if result.interrupted {
            cells.iter_mut().for_each(unfinished);
        }
        let comparison = Comparison {
            kind: self.kind,
            base: self.contender(0),
            candidate: self.contender(1),
            alpha: rules.alpha,
            correction: crate::cli::comparison::correction(cells.len()),
            seed,
            verdict: crate::cli::comparison::verdict(&cells),
            cells,
            false_alarms: None,
            found: None,
            erred: vec![],
            notes: vec![],
        };
        result.comparisons.push(comparison);
        // A run that broke off, or was interrupted, stays what it was.
        result.verdict = result.verdict.max(result.worst_part());
    }

    /// Cells and scenarios say whose they are.
    fn name_sides(result: &mut SuiteResult) {
        let half = result.scenarios.len() / 2;
        for (index, scenario) in result.scenarios.iter_mut().enumerate() {
            let letter = if index < half { 'A' } else { 'B' };
            scenario.name = format!("{} ({letter})", scenario.name);
            for cell in &mut scenario.cells {
                cell.id = format!("{} ({letter})", cell.id);
            }
        }
    }

    fn contender(&self, side: usize) -> Contender {
        let settings = if side == 0 { &self.args.base_set } else { &self.args.cand_set };
        let own = if settings.is_empty() { "as it stands".to_owned() } else { settings.join(", ") };
        match &self.programs {
            Some(programs) if settings.is_empty() => {
                Contender { name: programs[side].display().to_string(), commit: None }
            }
            Some(programs) => {
                let name = format!("{}, {own}", programs[side].display());
                Contender { name, commit: None }
            }
            None => Contender { name: own, commit: made::commit() },
        }
    }
}

/// What was seen before an interrupt, without the judgement: where one stops is chosen by looking.
fn unfinished(cell: &mut CellComparison) {
    let seen = match cell.change {
        Change::Inconclusive => cell.reason.clone(),
        change => format!("{}, {}", change.as_str(), cell.reason),
    };
    cell.reason = format!("interrupted, so this is no answer; so far {seen}");
    cell.change = Change::Inconclusive;
}

/// Whole blocks have two of each side.
const fn even(repeats: u32) -> u32 {
    repeats.next_multiple_of(2)
}

/// A program that says that it is a harness, by its whole path.
fn harness(program: &Path, output: &mut Output) -> Result<PathBuf, Exit> {
    let refused = |why: String, output: &mut Output| {
        output.error(&format!("{} is no harness that can be run: {why}", program.display()));
        Exit::Usage
    };
    let path = program.canonicalize().map_err(|error| refused(error.to_string(), output))?;
    let said = Command::new(&path).arg("--version").output();
    let said = said.map_err(|error| refused(error.to_string(), output))?;
    let text = String::from_utf8_lossy(&said.stdout);
    if !said.status.success() || !text.starts_with("harness ") {
        return Err(refused("`--version` does not name one".to_owned(), output));
    }
    Ok(path)
}
