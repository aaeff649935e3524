//! `harness model --hardware`: pairs that must exclude each other, on two real cores, with the
//! orderings of the shipped table, and once more without their fences.
//!
//! A sample, no proof: one kind of processor shows some outcomes and never others. That it shows
//! the unfenced pairs to be wrong says that the sample looks where something can be seen.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use core_affinity::CoreId;
use datahub::memory::{Memory, Shared, SharedWord};
use datahub::park::{ParkLine, announce, ring};
use datahub::sites::{P_FENCE, P_WAKE_FENCE, R_CLOSED, R_COMMIT_INDEX, W_CLOSED, W_COMMIT_INDEX};
use datahub::slot::{self, SlotRWState};
use models::Stop;
use report_schema::{Counterexample, Coverage, ModelKind, ModelResult, Verdict};

/// Rounds of one batch; each has words of its own.
const BATCH: usize = 2048;
/// Rounds of one pair.
const ROUNDS: usize = 1 << 20;
/// The longest that one pair may take.
const LONGEST: Duration = Duration::from_secs(4);
/// A side that waits for the other this often finds itself alone.
const PATIENCE: u32 = 200_000_000;

/// The shipped memory without any fence.
#[derive(Debug, Clone, Copy)]
struct Unfenced;

impl Memory for Unfenced {
    type Word = SharedWord;

    fn load<const SITE: u16>(&self, word: &SharedWord) -> u64 {
        Shared.load::<SITE>(word)
    }

    fn store<const SITE: u16>(&self, word: &SharedWord, value: u64) {
        Shared.store::<SITE>(word, value);
    }

    fn compare_exchange<const SITE: u16>(
        &self,
        word: &SharedWord,
        current: u64,
        new: u64,
    ) -> Result<u64, u64> {
        Shared.compare_exchange::<SITE>(word, current, new)
    }

    fn fetch_or<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        Shared.fetch_or::<SITE>(word, bits)
    }

    fn fetch_and<const SITE: u16>(&self, word: &SharedWord, bits: u64) -> u64 {
        Shared.fetch_and::<SITE>(word, bits)
    }

    fn fetch_add<const SITE: u16>(&self, word: &SharedWord, amount: u64) -> u64 {
        Shared.fetch_add::<SITE>(word, amount)
    }

    fn fence<const SITE: u16>(&self) {}
}

/// A word on a line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(SharedWord);

/// What two sides share in one round.
#[derive(Debug, Default)]
struct Round {
    first: Line,
    second: Line,
    park: ParkLine<SharedWord>,
    slot: SlotRWState<SharedWord>,
}

/// Two pieces of code that run at once; each says what it saw.
#[derive(Debug, Clone, Copy)]
enum Pair {
    /// "I store, then look at yours", both ways: a writer that closes a slot and a reader that enters.
    Dekker,
    /// A producer that publishes and looks for sleepers, a consumer that announces itself and looks.
    Park,
    /// A producer that commits, a consumer that looks at the slot and its label.
    Commit,
}

impl Pair {
    const ALL: [Self; 3] = [Self::Dekker, Self::Park, Self::Commit];

    const fn name(self) -> &'static str {
        match self {
            Self::Dekker => "hardware/dekker",
            Self::Park => "hardware/park",
            Self::Commit => "hardware/commit",
        }
    }

    const fn english(self) -> &'static str {
        match self {
            Self::Dekker => "Each side stores and looks before its store has reached the other.",
            Self::Park => "The producer sees no sleeper, the sleeper nothing new: it sleeps on.",
            Self::Commit => "The commit is seen before the label that belongs to it.",
        }
    }

    /// Whether leaving out the fences breaks the pair.
    const fn needs_fences(self) -> bool {
        matches!(self, Self::Dekker | Self::Park)
    }

    /// What `side` does in a round; whether it saw the other.
    fn play<M: Memory<Word = SharedWord>>(self, mem: &M, round: &Round, side: usize) -> bool {
        let Round { first, second, park, slot } = round;
        match (self, side) {
            (Self::Dekker, 0) => {
                mem.store::<W_COMMIT_INDEX>(&first.0, 1);
                mem.fence::<P_WAKE_FENCE>();
                mem.load::<R_COMMIT_INDEX>(&second.0) != 0
            }
            (Self::Dekker, _) => {
                mem.store::<W_COMMIT_INDEX>(&second.0, 1);
                mem.fence::<P_FENCE>();
                mem.load::<R_COMMIT_INDEX>(&first.0) != 0
            }
            (Self::Park, 0) => {
                mem.store::<W_COMMIT_INDEX>(&first.0, 1);
                ring(mem, park)
            }
            (Self::Park, _) => {
                let _signal = announce(mem, park, 0);
                mem.load::<R_COMMIT_INDEX>(&first.0) != 0
            }
            (Self::Commit, 0) => {
                slot::commit(mem, slot, 5, 16, 1);
                true
            }
            // Seeing nothing is right; seeing the commit without its label is not.
            (Self::Commit, _) => match slot::look(mem, slot, 5) {
                Ok(admission) => admission.payload_bytes == 16,
                Err(seen) => seen.tag() != 5,
            },
        }
    }

    /// Whether what the two saw cannot be.
    const fn forbidden(self, first: bool, second: bool) -> bool {
        match self {
            Self::Dekker | Self::Park => !first && !second,
            Self::Commit => !second,
        }
    }
}

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
    (cores, stop): ([CoreId; 2], &Stop),
) -> Option<(u64, u64)> {
    let (started, turns) = (Instant::now(), Turns::default());
    let (mut done, mut forbidden) = (0, 0);
    while done < ROUNDS && started.elapsed() < LONGEST && !stop.is_asked() {
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

/// Runs every pair on two cores; one that somebody stops is not there.
pub(super) fn run(stop: &Stop, progress: &mut dyn FnMut(&ModelResult)) -> Vec<ModelResult> {
    let mut results = Vec::new();
    for pair in Pair::ALL {
        let variants =
            [false, true].into_iter().filter(|unfenced| !unfenced || pair.needs_fences());
        for unfenced in variants {
            let started = Instant::now();
            let counted = two_cores().and_then(|cores| {
                if unfenced {
                    sample(pair, Unfenced, (cores, stop))
                } else {
                    sample(pair, Shared, (cores, stop))
                }
            });
            if stop.is_asked() {
                return results;
            }
            let mut result = judge(pair, unfenced, counted);
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

/// The shipped table must show nothing; without fences something must show, or the sample is blind.
fn judge(pair: Pair, unfenced: bool, counted: Option<(u64, u64)>) -> ModelResult {
    let (rounds, forbidden) = counted.unwrap_or((0, 0));
    let verdict = match (unfenced, forbidden) {
        _ if rounds == 0 => Verdict::Inconclusive,
        (false, 0) | (true, 1..) => Verdict::Pass,
        (false, _) => Verdict::Correctness,
        (true, 0) => Verdict::Inconclusive,
    };
    let told = match rounds {
        0 => "two cores of our own are needed".to_owned(),
        _ => format!("{forbidden} forbidden outcomes in {rounds} rounds"),
    };
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
        memory: if unfenced { "without fences" } else { "shipped" }.to_owned(),
        verdict,
        coverage: Coverage::Sampled { schedules: rounds, seed: 0 },
        executions: rounds,
        executions_before: 0,
        blocked: 0,
        outcomes: vec![told],
        elapsed_ms: 0,
        expected_failure: unfenced,
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
    }

    #[test]
    fn both_sides_see_each_other_when_they_run_one_after_the_other() {
        for pair in [Pair::Dekker, Pair::Park] {
            let round = Round::default();
            let first = pair.play(&Shared, &round, 0);
            let second = pair.play(&Shared, &round, 1);
            assert!(!first && second && !pair.forbidden(first, second));
        }
        let round = Round::default();
        assert!(Pair::Commit.play(&Shared, &round, 1));
        assert!(Pair::Commit.play(&Shared, &round, 0));
        assert!(Pair::Commit.play(&Shared, &round, 1));
        assert!(Pair::Commit.forbidden(true, false));
    }
}
