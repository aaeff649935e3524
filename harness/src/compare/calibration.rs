//! How often whole comparisons cry out over nothing, and how often they find a tenth: on made-up
//! suites whose noise has the shapes that real machines show. Rules with a defect are found out.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};
use report_schema::{Change, Repeat};

use super::tests::{cell, rules, trial};
use super::*;
use crate::statistics::dealt;
use crate::verdict::comparable;

/// Replay: everything follows from this seed.
const SEED: u64 = 20_261_123;
/// Comparisons of a whole suite.
const SUITES: u32 = 400;
/// Cells of each.
const CELLS: usize = 3;
/// Comparable repeats of each side that are enough, and repeats of each side at most.
const REPEATS: usize = 20;
const MOST: u32 = 60;
/// What a message takes between cores of each class, and the bare line there.
const CLASSES: [(f64, u64, Placement); 3] =
    [(300.0, 26, Placement::Near), (480.0, 58, Placement::Near), (900.0, 270, Placement::Far)];
/// A machine that moves this often stays where it is for five trials in the middle.
const MOVES: f64 = 0.2;

/// A machine whose mood changes from trial to trial.
struct Machine {
    random: Pcg64,
    class: usize,
    drift: f64,
}

impl Machine {
    fn new(seed: u64) -> Self {
        Self { random: Pcg64::seed_from_u64(seed), class: 1, drift: 1.0 }
    }

    fn throw(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// What a trial measures: of one class or another, drifting, sometimes wild, in steps of 10 ns.
    fn trial(&mut self, repeat: u32, started_ms: u64, slowdown: f64) -> Trial {
        if self.throw() < MOVES {
            self.class = (self.class + 1 + usize::from(self.throw() < 0.5)) % CLASSES.len();
        }
        self.drift = (self.drift * (0.99 + 0.02 * self.throw())).clamp(0.8, 1.25);
        let (level, line_ns, class) = CLASSES[self.class];
        let body = 0.97 + 0.02 * (self.throw() + self.throw() + self.throw());
        let wild = if self.throw() < 0.04 { 1.1 + self.throw() } else { 1.0 };
        let ns = level * self.drift * body * wild * slowdown;
        let mut trial = trial(repeat, started_ms, class, (ns / 10.0).round() * 10.0);
        trial.calibration.before_ns = Some(line_ns);
        trial.calibration.after_ns = Some(line_ns + 1);
        trial
    }

    /// Both sides of a cell, in turns.
    fn cells(&mut self, id: &str, slowdown: f64) -> (CellResult, CellResult) {
        let (mut base, mut candidate) = (cell(id), cell(id));
        let mut now_ms = 0;
        for block in 0..MOST / 2 {
            if comparable(&base.trials, &candidate.trials) >= REPEATS {
                break;
            }
            for side in dealt(self.random.next_u64()) {
                now_ms += 100;
                let (trials, slow) = match side {
                    Side::Base => (&mut base.trials, 1.0),
                    Side::Candidate => (&mut candidate.trials, slowdown),
                };
                let own = trials.iter().filter(|trial| trial.repeat / 2 == block).count();
                let repeat = 2 * block + u32::from(own > 0);
                trials.push(self.trial(repeat, now_ms, slow));
            }
        }
        (base, candidate)
    }

    fn suite(&mut self, slowdown: f64) -> Vec<(CellResult, CellResult)> {
        (0..CELLS).map(|number| self.cells(&number.to_string(), slowdown)).collect()
    }
}

/// How many suites, and how many of their figures, were found changed.
fn found(slowdown: f64, judge: impl Fn(&[Pair<'_>]) -> Vec<Change>) -> (usize, usize) {
    let mut machine = Machine::new(SEED);
    let (mut suites, mut figures) = (0, 0);
    for _ in 0..SUITES {
        let sides = machine.suite(slowdown);
        let pairs: Vec<Pair<'_>> =
            sides.iter().map(|(base, candidate)| (base, candidate)).collect();
        let changes = judge(&pairs);
        let alarms = changes
            .iter()
            .filter(|change| matches!(change, Change::Improved | Change::Regressed))
            .count();
        suites += usize::from(alarms > 0);
        figures += alarms;
    }
    (suites, figures)
}

fn shipped(pairs: &[Pair<'_>]) -> Vec<Change> {
    compare(pairs, &rules()).into_iter().map(|found| found.change).collect()
}

#[test]
fn no_more_than_one_suite_in_a_hundred_cries_out_over_nothing() {
    let (suites, _) = found(1.0, shipped);
    assert!(suites <= SUITES as usize / 100, "{suites} of {SUITES}, seed {SEED}");
}

#[test]
fn a_tenth_is_found_in_nineteen_of_twenty_figures() {
    let (_, figures) = found(1.10, shipped);
    let total = SUITES as usize * CELLS;
    assert!(figures * 100 >= total * 95, "{figures} of {total}, seed {SEED}");
}

#[test]
fn a_comparison_by_the_ratio_of_means_alone_is_found_out() {
    let by_ratio = |pairs: &[Pair<'_>]| {
        let mean = |cell: &CellResult| {
            let waits = cell.trials.iter().filter_map(|trial| trial.roles[0].longest_wait_ns);
            waits.sum::<u64>() as f64 / cell.trials.len() as f64
        };
        let judged = pairs.iter().map(|(base, candidate)| match mean(candidate) / mean(base) {
            ratio if ratio > RATIO => Change::Regressed,
            _ => Change::NoDifference,
        });
        judged.collect()
    };
    let (suites, _) = found(1.0, by_ratio);
    assert!(suites > SUITES as usize / 20, "{suites} of {SUITES}, seed {SEED}");
}

/// The p value of some of a pair's repeats.
fn p_value((base, candidate): &Pair<'_>, chosen: impl Fn(&mut Repeat, u32) -> bool) -> f64 {
    let none = MissingFigure::Own(Metric::ProducerWait);
    let figure = |_, trial: &Trial| {
        trial.roles[0].longest_wait_ns.map(|ns| ns as f64).ok_or_else(|| none.clone())
    };
    let mut repeats = compared(&sides(&base.trials, &candidate.trials, true, figure));
    repeats.retain_mut(|repeat| {
        let block = repeat.block.unwrap_or(0);
        chosen(repeat, block)
    });
    statistics::exchange(&repeats).p_value
}

fn changed_if(found: bool) -> Change {
    if found { Change::Regressed } else { Change::NoDifference }
}

#[test]
fn a_test_that_takes_all_lines_for_one_finds_less() {
    let blind = |pairs: &[Pair<'_>]| {
        let p = |pair| p_value(pair, |repeat, _| repeat.line_ns.take().is_some());
        pairs.iter().map(|pair| changed_if(p(pair) <= statistics::ALPHA / CELLS as f64)).collect()
    };
    let (_, figures) = found(1.10, blind);
    let total = SUITES as usize * CELLS;
    assert!(figures * 100 < total * 90, "{figures} of {total}, seed {SEED}");
}

#[test]
fn a_test_that_stops_when_it_likes_what_it_sees_is_found_out() {
    const ALPHA: f64 = 0.05;
    let impatient = |pairs: &[Pair<'_>]| {
        let liked = |pair: &Pair<'_>| {
            (4..=MOST / 2).any(|looked| p_value(pair, |_, block| block < looked) <= ALPHA)
        };
        pairs.iter().map(|pair| changed_if(liked(pair))).collect()
    };
    let (_, figures) = found(1.0, impatient);
    let promised = (SUITES as usize * CELLS) as f64 * ALPHA;
    assert!(figures as f64 > 1.5 * promised, "{figures}, {promised} are promised, seed {SEED}");
}
