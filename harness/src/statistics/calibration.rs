//! How often the test cries out when there is nothing, in worlds that are made up: drift, jumps,
//! uneven blocks, figures in steps of a clock. Tests with a defect must be found out.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};
use report_schema::{Repeat, Side};

use super::exchange;

/// Replay: everything follows from this seed.
const SEED: u64 = 20_261_123;
const COMPARISONS: u32 = 3_000;
const ALPHAS: [f64; 4] = [0.005, 0.03, 0.06, 0.2];

/// Numbers between 0 and 1.
struct Dice(Pcg64);

impl Dice {
    fn throw(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A repeat's figure: mostly near 100, sometimes far above.
    fn noise(&mut self) -> f64 {
        let body = 100.0 + 8.0 * (self.throw() + self.throw() + self.throw());
        if self.throw() < 0.08 { body * (1.5 + 3.0 * self.throw()) } else { body }
    }
}

/// A world without any difference: block by block, the sides' letters and what each place adds.
struct World {
    name: &'static str,
    blocks: &'static [&'static str],
    /// From block to block.
    jump: f64,
    /// From place to place within a block.
    slope: f64,
    /// Of the clock.
    step: f64,
}

const WORLDS: [World; 5] = [
    World { name: "quiet", blocks: &["bccb", "cbbc"], jump: 0.0, slope: 0.0, step: 0.001 },
    World { name: "coarse clock", blocks: &["bccb", "bccb"], jump: 0.0, slope: 0.0, step: 10.0 },
    World { name: "drift", blocks: &["bccb", "cbbc"], jump: 40.0, slope: 9.0, step: 1.0 },
    World { name: "uneven blocks", blocks: &["bbbc", "bccc"], jump: 900.0, slope: 0.0, step: 1.0 },
    World { name: "apart", blocks: &["bbbccc"], jump: 0.0, slope: 0.0, step: 0.001 },
];

impl World {
    fn repeats(&self, dice: &mut Dice) -> Vec<Repeat> {
        let mut repeats = vec![];
        for (block, letters) in (0_u32..).zip(self.blocks) {
            for (place, letter) in (0_u32..).zip(letters.chars()) {
                let drift = f64::from(block) * self.jump + f64::from(place) * self.slope;
                let value = ((dice.noise() + drift) / self.step).round() * self.step;
                let side = if letter == 'b' { Side::Base } else { Side::Candidate };
                repeats.push(Repeat { side, block: Some(block), line_ns: None, value });
            }
        }
        repeats
    }
}

/// Where a test cries out more often than it says, if anywhere.
fn over_promises(test: impl Fn(&[Repeat]) -> f64) -> Option<String> {
    let mut dice = Dice(Pcg64::seed_from_u64(SEED));
    for world in &WORLDS {
        let found: Vec<f64> = (0..COMPARISONS).map(|_| test(&world.repeats(&mut dice))).collect();
        for alpha in ALPHAS {
            let alarms = found.iter().filter(|p| **p <= alpha).count() as f64;
            let expected = alpha * f64::from(COMPARISONS);
            // Four standard deviations: once in thirty thousand by chance, and the seed is fixed.
            if alarms > expected + 4.0 * (expected * (1.0 - alpha)).sqrt() {
                let name = world.name;
                return Some(format!(
                    "{name}: {alarms} alarms at {alpha}, {expected} are promised"
                ));
            }
        }
    }
    None
}

#[test]
fn the_test_cries_out_no_more_often_than_it_says() {
    assert_eq!(over_promises(|repeats| exchange(repeats).p_value), None, "seed {SEED}");
}

#[test]
fn a_test_that_forgets_the_dealing_that_was_is_found_out() {
    let forgetful = |repeats: &[Repeat]| {
        let found = exchange(repeats);
        (found.p_value - found.p_least / 2.0).max(0.0)
    };
    assert!(over_promises(forgetful).is_some());
}

#[test]
fn a_test_that_exchanges_across_blocks_is_found_out() {
    let blind = |repeats: &[Repeat]| {
        let pooled = repeats.iter().map(|repeat| Repeat { block: None, ..*repeat });
        exchange(&pooled.collect::<Vec<_>>()).p_value
    };
    let found = over_promises(blind).unwrap();
    assert!(found.starts_with("uneven blocks"), "{found}");
}

#[test]
fn a_test_that_looks_one_way_and_says_both_is_found_out() {
    assert!(over_promises(|repeats| exchange(repeats).p_value / 2.0).is_some());
}

#[test]
fn a_real_difference_is_found() {
    let mut dice = Dice(Pcg64::seed_from_u64(SEED));
    let blocks = &[
        "bccb", "cbbc", "bccb", "cbbc", "bccb", "cbbc", "bccb", "cbbc", "bccb", "cbbc", "bccb",
        "cbbc",
    ];
    let world = World { name: "slower", blocks, jump: 20.0, slope: 0.0, step: 1.0 };
    let found = (0..400).filter(|_| {
        let mut repeats = world.repeats(&mut dice);
        for repeat in repeats.iter_mut().filter(|repeat| repeat.side == Side::Candidate) {
            repeat.value *= 1.25;
        }
        exchange(&repeats).p_value <= 0.01
    });
    let found = found.count();
    assert!(found >= 370, "{found} of 400, seed {SEED}");
}
