//! Why a kind of victim never comes to a site, in any block: exact pairs, each with who comes there instead
//! or what would have to be in the block. A pair that somebody reaches makes the run broken.

use super::rounds::Kind;
use crate::scenario::reach::{
    BUFFER_WRITERS, CONSUMERS, COUNT_WRITERS, MOVES, OBSERVERS, PRODUCERS, WRITERS,
};

/// Where a producer also comes when it writes: who stands in its way, and who sleeps.
const BLOCKED: &[&str] =
    &["X_LOOK", "X_UNPIN", "X_LEAVE", "P_SLEEP", "P_FENCE", "P_SIGNAL", "P_RING"];

/// Where recovery from outside comes: what the dead left in slots and seats, the counts of the dead, and
/// those who sleep.
const RECOVERY: &[&str] = &[
    "W_ABORT",
    "W_COMMIT_INDEX",
    "W_LATEST",
    "R_LABEL",
    "R_COMMIT_INDEX",
    "R_CLOSED",
    "G_THAW",
    "G_KEPT",
    "H_RETIRE",
    "H_FREE",
    "E_DONE",
    "X_SCAN",
    "X_LOOK",
    "X_GENERATION",
    "X_RESET",
    "X_UNPIN",
    "X_LEAVE",
    "P_AWAKE",
    "P_WAKE_FENCE",
    "P_ANYONE",
    "M_COUNT",
    "M_READ",
    "M_ADD",
];

const MOVED: &str = "these streams stay in their blocks: `tests/handover` kills at a hand-over";
const OBSERVED: &str = "only observers come there, and who waits for a dead one's lock";
const CONSUMED: &str = "only a consumer comes there";
const PRODUCED: &str = "only a producer comes there";
const UNWRITTEN: &str = "it dies before it writes: see `writer` and `undertaker`";
const HALF: &str = "nothing was left half written: see `successor`";
const LOCKED: &str = "no holder of the lock is dead: see `successor`";

/// Victim, sites, and why it never comes there.
const NEVER: &[(Kind, &[&str], &str)] = &[
    (Kind::Writer, CONSUMERS, CONSUMED),
    (Kind::Writer, MOVES, MOVED),
    (Kind::Writer, OBSERVERS, OBSERVED),
    (Kind::Writer, &["X_RESET"], HALF),
    (Kind::Writer, &["X_UNPIN", "X_LEAVE"], "no consumer is dead: see `undertaker`"),
    (Kind::Writer, &["P_RING"], "the survivors look and never sleep"),
    (Kind::Writer, &["Z_LOCK_RECLAIM"], LOCKED),
    (Kind::Reader, WRITERS, PRODUCED),
    (Kind::Reader, PRODUCERS, PRODUCED),
    (Kind::Reader, COUNT_WRITERS, PRODUCED),
    (Kind::Reader, BUFFER_WRITERS, PRODUCED),
    (Kind::Reader, &["Z_RAW_WRITE"], PRODUCED),
    (Kind::Reader, MOVES, MOVED),
    (Kind::Reader, &["X_UNPIN"], "no other consumer is dead: see `joiner`"),
    (Kind::Reader, &["Z_LOCK_RECLAIM"], LOCKED),
    (Kind::Successor, WRITERS, UNWRITTEN),
    (Kind::Successor, BLOCKED, UNWRITTEN),
    (Kind::Successor, CONSUMERS, CONSUMED),
    (Kind::Successor, &["E_STANDS"], CONSUMED),
    (Kind::Successor, MOVES, MOVED),
    (Kind::Joiner, &["X_SCAN", "X_GENERATION", "X_RESET"], PRODUCED),
    (Kind::Undertaker, &["X_RESET"], HALF),
];

const UNPINNED: &str = "who is evicted here was mostly acknowledged long ago and pins nothing: `tests/recovery` kills there";
const PATIENT: &str =
    "it rarely waits so long for a lock that it asks whether the holder lives: see `successor`";

/// Victim, site, and why it comes there so rarely that a run may see nobody there.
const BY_CHANCE: &[(Kind, &str, &str)] = &[
    (Kind::Writer, "E_UNPIN", UNPINNED),
    (Kind::Undertaker, "E_UNPIN", UNPINNED),
    (Kind::Reader, "H_LOOK", PATIENT),
    (Kind::Reader, "H_WHO", PATIENT),
    (Kind::Reader, "H_AGE", PATIENT),
    (
        Kind::Successor,
        "H_LOOK",
        "it mostly finds the lock of the dead one without asking who lives",
    ),
];

/// Why nobody may have come to a site, although a few do; no kills are asked for there.
pub(super) fn by_chance(kind: Kind, site: &str) -> Option<&'static str> {
    let row = BY_CHANCE.iter().find(|(of, at, _)| (*of, *at) == (kind, site));
    row.map(|(.., why)| *why)
}

/// Whether a kind of victim comes to a site only as other kinds do, where it is killed already.
pub(super) fn repeats(kind: Kind, site: &str) -> bool {
    let own = ["X_", "H_RETIRE", "H_FREE", "P_AWAKE", "M_ADD"];
    // Where others come by chance only, nobody else's kills are enough.
    let alone = (kind, site) == (Kind::Undertaker, "E_UNPIN");
    matches!(kind, Kind::Undertaker | Kind::Joiner)
        && !alone
        && !own.iter().any(|part| site.starts_with(part))
}

/// Why such a victim never comes to a site; `None`: it should.
pub(super) fn reason(kind: Kind, site: &str) -> Option<&'static str> {
    if kind == Kind::Recoverer {
        let why = "recovery from outside clears up, and neither writes, reads nor waits";
        return (!RECOVERY.contains(&site)).then_some(why);
    }
    let row = NEVER.iter().find(|(of, sites, _)| *of == kind && sites.contains(&site));
    row.map(|(.., why)| *why)
}

#[cfg(test)]
mod tests {
    use datahub::sites::by_name;

    use super::*;

    #[test]
    fn each_pair_is_excused_once_and_is_a_pair() {
        let mut seen = vec![];
        for (kind, sites, _) in NEVER {
            for site in *sites {
                assert!(by_name(site).is_some(), "{site} is no site");
                assert!(!repeats(*kind, site), "{}/{site} is excused twice", kind.name());
                assert!(!seen.contains(&(*kind, *site)), "{}/{site} stands twice", kind.name());
                seen.push((*kind, *site));
            }
        }
        for (kind, site, _) in BY_CHANCE {
            assert!(by_name(site).is_some(), "{site} is no site");
            assert_eq!(reason(*kind, site), None, "{}/{site} is excused twice", kind.name());
        }
        assert!(RECOVERY.iter().all(|site| by_name(site).is_some()));
    }

    #[test]
    fn where_a_reason_says_that_a_test_kills_the_test_does() {
        let deaths = include_str!("../../../datahub/tests/handover/deaths.rs");
        for site in MOVES {
            assert!(deaths.contains(&format!("\"{site}\"")), "nobody is killed at {site}");
        }
    }

    #[test]
    fn where_a_reason_says_that_recovery_is_tested_it_is() {
        let told = by_chance(Kind::Writer, "E_UNPIN").unwrap();
        let deaths = include_str!("../../../datahub/tests/recovery/deaths.rs");
        assert!(told.contains("tests/recovery") && deaths.contains("\"E_UNPIN\""), "{told}");
    }

    #[test]
    fn a_site_on_the_usual_way_has_no_excuse() {
        for (kind, site) in [
            (Kind::Writer, "W_COMMIT"),
            (Kind::Writer, "R_LABEL"),
            (Kind::Reader, "R_ADMIT"),
            (Kind::Reader, "X_LEAVE"),
            (Kind::Successor, "W_BEGIN"),
            (Kind::Recoverer, "X_RESET"),
        ] {
            assert_eq!(reason(kind, site), None, "{}/{site}", kind.name());
        }
    }
}
