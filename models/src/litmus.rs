//! The litmus suite: what an engine must see and what it must not, outcome by outcome.
//!
//! `allowed` is C++20 without load buffering, derived by hand. An engine that shows less is blind
//! to something, one that shows more raises false alarms; both are listed, never hidden.

pub mod program;
mod serial;
pub(crate) mod sites;
pub mod suite;

use std::collections::BTreeSet;

use self::program::Program;
use crate::engine::{Engine, Findings};
use crate::violation::Promise;

/// What must come of a litmus program.
#[derive(Debug, Clone, Copy)]
pub enum Allowed {
    /// Exactly these outcomes: registers of each thread, threads apart by ` | `.
    Outcomes(&'static [&'static str]),
    /// A data race.
    Race,
}

/// How loom differs from `Allowed`, and why.
#[derive(Debug, Clone, Copy)]
pub enum Loom {
    /// It does not.
    Agrees,
    /// It misses these.
    Misses(&'static [&'static str], &'static str),
    /// It shows these although nothing can.
    Invents(&'static [&'static str], &'static str),
    /// It takes a race for ordered accesses, and these outcomes come of it.
    MissesRace(&'static [&'static str], &'static str),
}

/// One litmus test.
#[derive(Debug, Clone, Copy)]
pub struct Litmus {
    /// Its name.
    pub name: &'static str,
    /// What it asks.
    pub question: &'static str,
    /// The threads.
    pub program: Program,
    /// What may come of it.
    pub allowed: Allowed,
    /// How loom differs.
    pub loom: Loom,
    /// Whether our explorer refuses it: sequentially consistent accesses.
    pub refused: bool,
}

impl Litmus {
    /// The outcomes that `engine` must show.
    fn expected(&self, engine: Engine) -> BTreeSet<&'static str> {
        if !engine.sees_orderings() {
            return self.in_one_memory();
        }
        let allowed = match (self.allowed, self.loom) {
            (Allowed::Outcomes(allowed), _) => allowed,
            (Allowed::Race, Loom::MissesRace(instead, _)) => instead,
            (Allowed::Race, _) => &[],
        };
        let mut expected: BTreeSet<_> = allowed.iter().copied().collect();
        if engine == Engine::Loom {
            match self.loom {
                Loom::Agrees | Loom::MissesRace(..) => {}
                Loom::Misses(missed, _) => expected.retain(|outcome| !missed.contains(outcome)),
                Loom::Invents(invented, _) => expected.extend(invented),
            }
        }
        expected
    }

    /// The outcomes of all interleavings in one memory that everybody sees at once.
    pub(crate) fn in_one_memory(&self) -> BTreeSet<&'static str> {
        let hidden = serial::row(serial::HIDDEN, self.name).unwrap_or_default();
        let shown = match self.allowed {
            Allowed::Outcomes(allowed) => allowed,
            Allowed::Race => serial::row(serial::UNSEEN, self.name).unwrap_or_default(),
        };
        shown.iter().copied().filter(|outcome| !hidden.contains(outcome)).collect()
    }

    /// What is wrong with what `engine` found. A sample may show less than there is.
    ///
    /// # Errors
    ///
    /// The difference, in words.
    pub fn judge(&self, engine: Engine, findings: &Findings) -> Result<(), String> {
        let failure = findings.failure.as_ref().map(|failure| &failure.violation);
        let refused = failure.is_some_and(|violation| violation.message.contains("refuses"));
        if self.refused && engine == Engine::Explore {
            return if refused { Ok(()) } else { Err("it must be refused and was not".to_owned()) };
        }
        let blind = engine == Engine::Loom && matches!(self.loom, Loom::MissesRace(..))
            || !engine.sees_orderings();
        match (self.allowed, failure) {
            (Allowed::Race, None) if blind => {}
            (Allowed::Race, Some(violation)) if violation.promise == Promise::Race => return Ok(()),
            (Allowed::Race, _) => return Err("the race was not seen".to_owned()),
            (_, Some(violation)) => return Err(format!("failed: {}", violation.message)),
            _ => {}
        }
        let expected = self.expected(engine);
        let found: BTreeSet<&str> = findings.outcomes.iter().map(String::as_str).collect();
        let list = |set: Vec<&&str>| {
            set.iter().map(|outcome| format!("`{outcome}`")).collect::<Vec<_>>().join(", ")
        };
        let sample = matches!(engine, Engine::ShuttleRandom | Engine::ShuttlePct);
        let missing = list(expected.difference(&found).filter(|_| !sample).collect());
        let extra = list(found.difference(&expected).collect());
        match (missing.is_empty(), extra.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => Err(format!("not seen: {missing}")),
            (true, false) => Err(format!("seen although forbidden: {extra}")),
            (false, false) => Err(format!("not seen: {missing}; seen although forbidden: {extra}")),
        }
    }
}

/// What `engine` cannot see, for people who would take its silence for a proof: what holds of it in
/// general, and what its litmus tests show.
#[must_use]
pub fn blind_spots(engine: Engine) -> Vec<String> {
    let mut spots: Vec<String> = engine.blind_to().iter().map(|&spot| spot.to_owned()).collect();
    if !engine.sees_orderings() {
        let (tests, races) = (serial::HIDDEN.len(), serial::UNSEEN.len());
        let outcomes: usize = serial::HIDDEN.iter().map(|(_, hidden)| hidden.len()).sum();
        spots.push(format!("{outcomes} outcomes of {tests} litmus tests, and {races} races"));
    }
    for test in suite::ALL.iter().filter(|_| engine == Engine::Loom) {
        let (about, why) = match test.loom {
            Loom::Agrees => continue,
            Loom::Misses(missed, why) => (format!("that {}", in_words(missed, "may be")), why),
            Loom::MissesRace(_, why) => ("the race".to_owned(), why),
            Loom::Invents(invented, why) => {
                (format!("that {} (a false alarm)", in_words(invented, "cannot be")), why)
            }
        };
        spots.push(format!("{about} in {}: {why}", test.name));
    }
    spots
}

/// What each thread reads, said in words; `verb` says whether that can be.
fn in_words(outcomes: &[&str], verb: &str) -> String {
    let of_thread = |(thread, registers): (usize, &str)| {
        let registers = registers.split_whitespace().collect::<Vec<_>>().join(" then ");
        (!registers.is_empty()).then(|| format!("T{thread} reads {registers}"))
    };
    let outcome = |outcome: &&str| {
        let threads: Vec<_> = outcome.split(" | ").enumerate().filter_map(of_thread).collect();
        threads.join(" while ")
    };
    let said: Vec<_> = outcomes.iter().map(outcome).collect();
    format!("\"{}\" {verb}", said.join("\" or \""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Failure;
    use crate::violation::Violation;

    fn test(name: &str) -> &'static Litmus {
        suite::ALL.iter().find(|test| test.name == name).unwrap()
    }

    fn showing(outcomes: &[&str]) -> Findings {
        let outcomes = outcomes.iter().map(|&outcome| outcome.to_owned()).collect();
        Findings { executions: 1, outcomes, ..Findings::default() }
    }

    #[test]
    fn an_engine_that_misses_an_outcome_is_told_which() {
        let buffering = test("litmus/store-buffering/relaxed");
        let found = showing(&["0 | 1", "1 | 0", "1 | 1"]);
        let judged = buffering.judge(Engine::Explore, &found).unwrap_err();
        assert_eq!(judged, "not seen: `0 | 0`");
    }

    #[test]
    fn an_engine_that_shows_the_impossible_is_told_what() {
        let passing = test("litmus/message-passing/release-acquire");
        let found = showing(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]);
        let judged = passing.judge(Engine::Loom, &found).unwrap_err();
        assert_eq!(judged, "seen although forbidden: ` | 1 0`");
    }

    #[test]
    fn an_engine_that_misses_a_race_or_takes_what_it_must_refuse_is_told() {
        let race = test("litmus/message-passing/cell-race");
        assert!(race.judge(Engine::Explore, &showing(&[" | 0"])).is_err());
        let accesses = test("litmus/store-buffering/accesses");
        let found = showing(&["0 | 1", "1 | 0", "1 | 1"]);
        assert!(accesses.judge(Engine::Explore, &found).is_err());
        let message = "explore refuses: a test".to_owned();
        let violation = Violation { promise: Promise::Model, message };
        let failure = Some(Failure { violation, steps: Vec::new(), replay: None });
        let refused = Findings { failure, ..Findings::default() };
        assert!(accesses.judge(Engine::Explore, &refused).is_ok());
        assert!(accesses.judge(Engine::Loom, &refused).is_err());
    }

    #[test]
    fn blind_spots_name_what_is_not_seen() {
        let spots = blind_spots(Engine::Loom);
        for spot in [
            "that \"T1 reads 1 then 0\" may be in litmus/exchange/stale-refusal: a failing exchange \
             reads the newest value only",
            "that \"T0 reads 0 while T1 reads 0\" cannot be (a false alarm) in \
             litmus/store-buffering/accesses: takes sequentially consistent accesses as acquire-release",
            "the race in litmus/message-passing/cell-race-through-fences: sequentially consistent \
             fences synchronise",
        ] {
            assert!(spots.iter().any(|known| known == spot), "{spot} is not in {spots:#?}");
        }
    }

    #[test]
    fn a_known_blind_spot_is_no_licence_to_see() {
        // An engine that begins to see what it missed must be noticed: the list is then wrong.
        let stale = test("litmus/exchange/stale-refusal");
        let found = showing(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]);
        assert!(stale.judge(Engine::Explore, &found).is_ok());
        assert!(stale.judge(Engine::Loom, &found).is_err());
    }
}
