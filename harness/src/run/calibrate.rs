//! The bare cache line: what the machine itself costs between the two processes of a trial.
//!
//! Two words, one for each direction, polled without a pause. The median over batches is what a
//! block's latency is held against. Source of the method and the border: ARCHITECTURE.md.

use std::io;

use core_affinity::CoreId;
use datahub::shm::Folder;
use datahub::shm::words::WordMap;
use datahub::wait::monotonic_ns;
use report_schema::Placement;

use crate::host::health::Pair;

use super::words::{PING, PONG};

/// Batches of one calibration.
const BATCHES: u64 = 20;
/// Round trips of one batch.
const ROUNDS: u64 = 1_000;
/// One way below this: the cores share a cache.
const NEAR_BELOW_NS: u64 = 110;
/// A calibration that takes longer measures something else: a partner that is not there, or one that
/// has to wait for this very core.
const LIMIT_NS: u64 = 1_000_000_000;
/// Looks between two readings of the clock.
const LOOKS: u32 = 1 << 14;

/// Which end of the bare line a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Side {
    /// Begins, and measures.
    Ping,
    /// Answers.
    Pong,
}

/// Plays one end of the `turn`-th calibration; the beginning side gets the one-way median in
/// nanoseconds. `None` when the other end did not answer in time.
pub(super) fn play(words: &WordMap, side: Side, turn: u64) -> Option<u64> {
    let first = turn * BATCHES * ROUNDS;
    let until_ns = monotonic_ns().saturating_add(LIMIT_NS);
    match side {
        Side::Ping => ping(words, first, until_ns),
        Side::Pong => {
            pong(words, first, until_ns);
            None
        }
    }
}

fn ping(words: &WordMap, first: u64, until_ns: u64) -> Option<u64> {
    let mut times = vec![];
    for batch in 0..BATCHES {
        let start = monotonic_ns();
        let base = first + batch * ROUNDS;
        for round in base + 1..=base + ROUNDS {
            words.publish(PING, round);
            await_value(words, (PONG, round), until_ns)?;
        }
        times.push(monotonic_ns().saturating_sub(start) / (2 * ROUNDS));
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

fn pong(words: &WordMap, first: u64, until_ns: u64) -> Option<()> {
    for round in first + 1..=first + BATCHES * ROUNDS {
        await_value(words, (PING, round), until_ns)?;
        words.publish(PONG, round);
    }
    Some(())
}

/// Times that one pair of cores is measured: what moves is seen.
const LOOKS_AT_A_PAIR: u64 = 5;
/// Pairs at most: each takes up to 50 ms.
const PAIRS: usize = 16;

/// The bare line between pairs of these cores, by two threads that are pinned there.
///
/// # Errors
///
/// When the two words cannot be made.
pub fn pairs(cores: &[usize]) -> io::Result<Vec<Pair>> {
    let all = cores.iter().enumerate();
    let all = all.flat_map(|(place, a)| cores[place + 1..].iter().map(move |b| (*a, *b)));
    all.take(PAIRS).map(pair).collect()
}

fn pair((a, b): (usize, usize)) -> io::Result<Pair> {
    let words = WordMap::create(&Folder::default(), 8).map_err(io::Error::other)?;
    let (measured, pinned) = std::thread::scope(|scope| {
        let answering = scope.spawn(|| {
            let pinned = core_affinity::set_for_current(CoreId { id: b });
            for turn in 0..LOOKS_AT_A_PAIR {
                play(&words, Side::Pong, turn);
            }
            pinned
        });
        let asking = scope.spawn(|| {
            let pinned = core_affinity::set_for_current(CoreId { id: a });
            let turns = 0..LOOKS_AT_A_PAIR;
            (turns.map(|turn| play(&words, Side::Ping, turn)).collect::<Vec<_>>(), pinned)
        });
        let (measured, pinned) = asking.join().unwrap_or_default();
        (measured, pinned && answering.join().unwrap_or_default())
    });
    let one_way_ns: Vec<u64> = measured.into_iter().flatten().collect();
    let mut classes: Vec<Placement> =
        one_way_ns.iter().map(|ns| class(Some(*ns), Some(*ns))).collect();
    classes.sort_unstable();
    classes.dedup();
    Ok(Pair { cores: (a, b), one_way_ns, classes, pinned })
}

/// Polls without a pause until the word has reached `value`.
#[inline]
fn await_value(words: &WordMap, (word, value): (usize, u64), until_ns: u64) -> Option<()> {
    loop {
        for _ in 0..LOOKS {
            if words.read(word) >= value {
                return Some(());
            }
        }
        if monotonic_ns() >= until_ns {
            return None;
        }
    }
}

/// Where the two cores were, from the one-way medians before and after.
pub(crate) fn class(before_ns: Option<u64>, after_ns: Option<u64>) -> Placement {
    let (Some(before), Some(after)) = (before_ns, after_ns) else { return Placement::Unknown };
    match (before < NEAR_BELOW_NS, after < NEAR_BELOW_NS) {
        (true, true) => Placement::Near,
        (false, false) => Placement::Far,
        _ => Placement::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_finish_and_one_measures() {
        let words = WordMap::create(&Folder::default(), 8).unwrap();
        let measured = std::thread::scope(|scope| {
            scope.spawn(|| play(&words, Side::Pong, 1));
            play(&words, Side::Ping, 1)
        });
        // Two threads on one core take turns of the scheduler and may not finish in time.
        assert!(measured.is_none_or(|one_way_ns| one_way_ns > 0));
    }

    #[test]
    fn an_end_that_is_not_there_is_given_up() {
        let words = WordMap::create(&Folder::default(), 8).unwrap();
        assert_eq!(play(&words, Side::Ping, 0), None);
    }

    #[test]
    fn two_ends_on_one_core_give_up_instead_of_taking_turns_for_ever() {
        let words = WordMap::create(&Folder::default(), 8).unwrap();
        let start_ns = monotonic_ns();
        let play = |side| {
            core_affinity::set_for_current(CoreId { id: crate::host::Host::read().cores[0] });
            play(&words, side, 0)
        };
        std::thread::scope(|scope| {
            scope.spawn(|| play(Side::Pong));
            scope.spawn(|| play(Side::Ping));
        });
        // Generous: a busy machine may take its time, minutes it may not.
        assert!(monotonic_ns() - start_ns < 20 * LIMIT_NS);
    }

    #[test]
    fn every_pair_of_cores_is_looked_at_and_one_core_is_no_pair() {
        let cores = crate::host::Host::read().cores;
        let pairs = pairs(&cores[..cores.len().min(2)]).unwrap();
        assert_eq!(pairs.len(), usize::from(cores.len() > 1));
        assert!(pairs.iter().flat_map(|pair| &pair.one_way_ns).all(|ns| *ns > 0));
        assert!(super::pairs(&[0]).unwrap().is_empty());
    }

    #[test]
    fn a_trial_is_near_only_when_it_was_near_all_the_time() {
        assert_eq!(class(Some(60), Some(109)), Placement::Near);
        assert_eq!(class(Some(110), Some(300)), Placement::Far);
        assert_eq!(class(Some(60), Some(300)), Placement::Changed);
        assert_eq!(class(Some(300), Some(60)), Placement::Changed);
        assert_eq!(class(None, Some(60)), Placement::Unknown);
    }
}
