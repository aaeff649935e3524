//! How often whole comparisons cry out over nothing, and how often they find a tenth: on made-up
//! suites whose noise has the shapes that real machines show. Rules with a defect are found out.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};
use report_schema::Change;

use super::tests::{cell, rules, trial};
use super::*;

/// Replay: everything follows from this seed.
const SEED: u64 = 20_261_123;
/// Comparisons of a whole suite.
const SUITES: u32 = 400;
/// Cells of each.
const CELLS: usize = 3;
/// Repeats of each side.
const REPEATS: u32 = 20;
const NEAR_NS: f64 = 480.0;
const FAR_NS: f64 = 900.0;

/// A machine whose mood changes from trial to trial.
struct Machine {
    random: Pcg64,
    far: bool,
    drift: f64,
}

impl Machine {
    fn new(seed: u64) -> Self {
        Self { random: Pcg64::seed_from_u64(seed), far: false, drift: 1.0 }
    }

    fn throw(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// What a trial measures: near or far, drifting, sometimes wild, in steps of 10 ns.
    fn trial(&mut self, repeat: u32, started_ms: u64, slowdown: f64) -> Trial {
        if self.throw() < 0.01 {
            self.far = !self.far;
        }
        self.drift = (self.drift * (0.99 + 0.02 * self.throw())).clamp(0.8, 1.25);
        let level = if self.far { FAR_NS } else { NEAR_NS };
        let body = 0.97 + 0.02 * (self.throw() + self.throw() + self.throw());
        let wild = if self.throw() < 0.04 { 1.1 + self.throw() } else { 1.0 };
        let ns = level * self.drift * body * wild * slowdown;
        let class = if self.far { Placement::Far } else { Placement::Near };
        trial(repeat, started_ms, class, (ns / 10.0).round() * 10.0)
    }

    /// Both sides of a cell, in turns A B B A or B A A B.
    fn cells(&mut self, id: &str, slowdown: f64) -> (CellResult, CellResult) {
        let (mut base, mut candidate) = (cell(id), cell(id));
        let mut now_ms = 0;
        for block in 0..REPEATS / 2 {
            let mirrored = self.throw() < 0.5;
            for (place, repeat) in [(0, 0), (1, 0), (1, 1), (0, 1)] {
                now_ms += 100;
                let is_base = (place == 0) != mirrored;
                let slow = if is_base { 1.0 } else { slowdown };
                let trial = self.trial(2 * block + repeat, now_ms, slow);
                let side = if is_base { &mut base } else { &mut candidate };
                side.trials.push(trial);
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
