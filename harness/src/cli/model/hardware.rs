//! `harness model --hardware`: pairs that must exclude each other, on two real cores, with the
//! orderings of the shipped table, and once more with those of a weaker one.
//!
//! A sample, no proof: one kind of processor shows some outcomes and never others. That it shows
//! the weakened pairs to be wrong says that the sample looks where something can be seen; where it
//! cannot, the result says so, and where it does not, nothing was shown.

mod pair;
mod tables;

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use core_affinity::CoreId;
use datahub::memory::{Memory, Shared, SharedWord};
use datahub::sites::{R_CLOSED, W_CLOSED};
use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

use self::pair::{Line, Pair, Round};
use self::tables::{NoFences, RelaxedCommit, RelaxedCount, Weakened};

/// Rounds of one batch; each has words of its own.
const BATCH: usize = 2048;
/// Rounds of one pair.
const ROUNDS: usize = 1 << 20;
/// The longest that one pair may take.
const LONGEST: Duration = Duration::from_secs(4);
/// A side that waits for the other this often finds itself alone.
const PATIENCE: u32 = 200_000_000;

/// Where the two sides wait for each other.
type Turns = [Line; 2];

/// One side of a batch; `None` when the other side did not come.
fn play_batch<M: Memory<Word = SharedWord>>(
    (pair, mem): (Pair, &M),
    (rounds, turns): (&[Round], &Turns),
    (side, before): (usize, usize),
) -> Option<Vec<bool>> {
    let mut seen = Vec::with_capacity(rounds.len());
    for (number, round) in rounds.iter().enumerate() {
        let turn = (before + number + 1) as u64;
        Shared.store::<W_CLOSED>(&turns[side].0, turn);
        let mut patience = PATIENCE;
        while Shared.load::<R_CLOSED>(&turns[1 - side].0) < turn {
            patience = patience.checked_sub(1)?;
            spin_loop();
        }
        // Who comes last goes first: let the sides meet at every distance.
        for _ in 0..(number / 2) % 48 * usize::from(number % 2 == side) {
            spin_loop();
        }
        seen.push(pair.play(mem, round, side));
    }
    Some(seen)
}

/// Rounds and forbidden outcomes of `pair` on the two `cores`.
fn sample<M: Memory<Word = SharedWord> + Copy + Send + Sync>(
    pair: Pair,
    mem: M,
    cores: [CoreId; 2],
) -> Option<(u64, u64)> {
    let (started, turns) = (Instant::now(), Turns::default());
    let (mut done, mut forbidden) = (0, 0);
    while done < ROUNDS && started.elapsed() < LONGEST {
        let rounds: Vec<Round> = (0..BATCH).map(|_| Round::default()).collect();
        let (rounds, turns) = (&rounds, &turns);
        let play = |side: usize| {
            core_affinity::set_for_current(cores[side])
                .then(|| play_batch((pair, &mem), (rounds, turns), (side, done)))
                .flatten()
        };
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| play(1));
            let first = scope.spawn(|| play(0)).join().ok().flatten();
            (first, other.join().ok().flatten())
        });
        let both = first?.into_iter().zip(second?);
        forbidden += both.filter(|(first, second)| pair.forbidden(*first, *second)).count();
        done += BATCH;
    }
    Some((done as u64, forbidden as u64))
}

/// Runs every pair on two cores.
pub(super) fn run(progress: &mut dyn FnMut(&ModelResult)) -> Vec<ModelResult> {
    let mut results = Vec::new();
    for pair in Pair::ALL {
        let variants = [false, true].into_iter().filter(|weak| !weak || pair.hidden().is_none());
        for weak in variants {
            let started = Instant::now();
            let counted = two_cores().and_then(|cores| match pair {
                _ if !weak => sample(pair, Shared, cores),
                Pair::Commit => sample(pair, Weakened::<RelaxedCommit>::new(), cores),
                Pair::Counted => sample(pair, Weakened::<RelaxedCount>::new(), cores),
                _ => sample(pair, Weakened::<NoFences>::new(), cores),
            });
            let mut result = judge(pair, weak, counted);
            result.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            progress(&result);
            results.push(result);
        }
    }
    results
}

fn two_cores() -> Option<[CoreId; 2]> {
    match core_affinity::get_core_ids()?.as_slice() {
        [first, second, ..] => Some([*first, *second]),
        _ => None,
    }
}

/// The shipped table must show nothing; of the weaker one something must show, or the sample is blind.
fn judge(pair: Pair, weak: bool, counted: Option<(u64, u64)>) -> ModelResult {
    let (rounds, forbidden) = counted.unwrap_or((0, 0));
    let verdict = match (weak, forbidden) {
        _ if rounds == 0 => Verdict::Inconclusive,
        (false, 0) | (true, 1..) => Verdict::Pass,
        (false, _) => Verdict::Correctness,
        (true, 0) => Verdict::Inconclusive,
    };
    let told = match rounds {
        0 => "two cores of our own are needed".to_owned(),
        _ if weak && forbidden == 0 => {
            format!("nothing was shown: 0 forbidden outcomes in {rounds} rounds")
        }
        _ => format!("{forbidden} forbidden outcomes in {rounds} rounds"),
    };
    let hidden = pair.hidden().map(|why| format!("not sampled {}: {why}", pair.weaker()));
    let counterexample = (forbidden > 0).then(|| Counterexample {
        message: told.clone(),
        english: pair.english().to_owned(),
        steps: Vec::new(),
    });
    ModelResult {
        engine: "cores".to_owned(),
        engine_version: std::env::consts::ARCH.to_owned(),
        kind: ModelKind::Hardware,
        scenario: pair.name().to_owned(),
        memory: if weak { pair.weaker() } else { "shipped" }.to_owned(),
        verdict,
        coverage: Coverage::Sampled { schedules: rounds, seed: 0 },
        executions: rounds,
        executions_before: 0,
        blocked: 0,
        outcomes: [told].into_iter().chain(hidden).collect(),
        elapsed_ms: 0,
        expected_failure: weak,
        counterexample,
        replay: "harness model --hardware".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_outcome_of_the_shipped_table_is_a_failure() {
        assert_eq!(judge(Pair::Park, false, Some((9, 1))).verdict, Verdict::Correctness);
        assert_eq!(judge(Pair::Park, false, Some((9, 0))).verdict, Verdict::Pass);
    }

    #[test]
    fn a_sample_that_sees_nothing_wrong_without_fences_proves_nothing() {
        assert_eq!(judge(Pair::Dekker, true, Some((9, 0))).verdict, Verdict::Inconclusive);
        assert_eq!(judge(Pair::Dekker, true, Some((9, 3))).verdict, Verdict::Pass);
        assert_eq!(judge(Pair::Dekker, true, None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(Pair::Commit, false, None).verdict, Verdict::Inconclusive);
        assert!(judge(Pair::Tear, true, Some((9, 0))).outcomes[0].contains("nothing was shown"));
    }

    #[test]
    fn what_a_processor_cannot_show_is_not_sampled_and_said() {
        for pair in Pair::ALL {
            let told = judge(pair, false, Some((9, 0))).outcomes;
            assert_eq!(told.len(), 1 + usize::from(pair.hidden().is_some()), "{told:?}");
        }
        assert!([Pair::Dekker, Pair::Tear, Pair::Park].iter().all(|pair| pair.hidden().is_none()));
    }
}
