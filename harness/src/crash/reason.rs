//! Why nobody is killed at a site in any block: who comes there instead, or what would have to be in
//! the block.

use report_schema::{CrashResult, Verdict};

use super::rounds::Kind;

/// The sites of a hand-over. The stream of a block without a name would die with the victim.
const MOVES: &[&str] =
    &["C_ARRIVE", "G_FREEZE", "G_KEEP", "G_KEPT", "R_WHERE", "W_MOVED", "W_MOVING", "W_WHERE"];

/// The sites in zones and at evictions that belong to the one who writes.
const PRODUCERS: &[&str] = &[
    "E_DONE",
    "E_FILL",
    "E_LEAVE",
    "E_MARK",
    "E_RETIRE",
    "E_UNPIN",
    "Z_RAW_WRITE",
    "Z_SEQ_BEGIN",
    "Z_SEQ_END",
    "Z_SEQ_MARK",
    "Z_SEQ_PEEK",
    "Z_SEQ_WRITE",
    "Z_TWO_BEGIN",
    "Z_TWO_FLIP",
    "Z_TWO_MARK",
    "Z_TWO_PEEK",
    "Z_TWO_WRITE",
];

/// Whether a kind of victim comes to a site only as other kinds do, where it is killed already.
pub(super) fn repeats(kind: Kind, site: &str) -> bool {
    let own = ["X_", "H_RETIRE", "H_FREE", "P_AWAKE", "M_ADD"];
    matches!(kind, Kind::Undertaker | Kind::Joiner)
        && !own.iter().any(|part| site.starts_with(part))
}

/// Why such a victim never comes to a site; `None`: it should.
pub(super) fn reason(kind: Kind, site: &str) -> Option<&'static str> {
    let of = |parts: &[&str]| parts.iter().any(|part| site.starts_with(part));
    let reason = match kind {
        _ if of(MOVES) => {
            "these streams stay in their blocks: `tests/handover` kills at a hand-over"
        }
        _ if of(&["H_LOOK", "H_WHO", "H_AGE"]) => "only observers come there",
        _ if repeats(kind, site) => "killed there as `writer` or `reader`",
        Kind::Reader | Kind::Joiner
            if of(&["W_", "G_", "X_SCAN", "X_GENERATION", "X_RESET"]) || of(PRODUCERS) =>
        {
            "only a producer comes there"
        }
        Kind::Writer | Kind::Successor | Kind::Undertaker if of(&["E_C", "E_STANDS"]) => {
            "only a consumer comes there"
        }
        Kind::Writer if of(&["E_UNPIN"]) => {
            "who is evicted here was acknowledged long ago and pins nothing: `tests/recovery` kills there"
        }
        Kind::Writer | Kind::Reader if of(&["Z_LOCK_RECLAIM"]) => {
            "no holder of the lock is dead: see `successor`"
        }
        Kind::Writer | Kind::Successor | Kind::Undertaker if of(&["R_", "C_"]) => {
            "only a consumer comes there"
        }
        Kind::Writer | Kind::Undertaker if of(&["X_RESET"]) => {
            "nothing was left half written: see `successor`"
        }
        Kind::Writer | Kind::Reader if of(&["X_LOOK", "X_UNPIN", "X_LEAVE"]) => {
            "no other consumer is dead: see `joiner` and `undertaker`"
        }
        Kind::Writer if of(&["P_RING"]) => "the survivors look and never sleep",
        Kind::Successor if of(&["W_", "G_", "E_", "P_", "X_LOOK", "X_UNPIN", "X_LEAVE"]) => {
            "it dies before it writes: see `writer` and `undertaker`"
        }
        Kind::Joiner if of(&["P_"]) => "it dies before it waits: see `reader`",
        _ => return None,
    };
    Some(reason)
}

/// Of the rows without a kill only one for each victim and site stays, and only where nobody was
/// killed there in any block.
pub(super) fn fold(rows: Vec<CrashResult>) -> Vec<CrashResult> {
    let same = |row: &CrashResult, other: &CrashResult| {
        row.victim == other.victim && row.site == other.site
    };
    let (killed, idle): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.kills > 0 || row.verdict == Verdict::Correctness);
    let mut folded: Vec<CrashResult> = vec![];
    for row in idle {
        if row.verdict == Verdict::Broken {
            folded.push(row);
        } else if !killed.iter().chain(&folded).any(|other| same(&row, other)) {
            folded.push(CrashResult { shape: "every block".to_owned(), ..row });
        }
    }
    killed.into_iter().chain(folded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(site: &str, shape: &str, kills: u64, verdict: Verdict) -> CrashResult {
        CrashResult {
            victim: "writer".to_owned(),
            site: site.to_owned(),
            shape: shape.to_owned(),
            visits: kills,
            kills,
            unreached: (kills == 0).then(|| "why".to_owned()),
            torn: 0,
            mislabelled: 0,
            backward: 0,
            lost: 0,
            duplicated: 0,
            stuck: 0,
            leaked: 0,
            blocked_ns_max: 0,
            example: None,
            replay: String::new(),
            verdict,
        }
    }

    #[test]
    fn a_site_is_unreached_when_no_block_leads_there() {
        let rows = vec![
            row("W_CLOSE", "a", 0, Verdict::Inconclusive),
            row("W_CLOSE", "b", 3, Verdict::Pass),
            row("Z_LOAD", "a", 0, Verdict::Pass),
            row("Z_LOAD", "b", 0, Verdict::Pass),
            row("W_TAKE", "a", 0, Verdict::Inconclusive),
        ];
        let folded = fold(rows);
        let told: Vec<_> =
            folded.iter().map(|row| (row.site.as_str(), row.shape.as_str(), row.verdict)).collect();
        assert_eq!(
            told,
            [
                ("W_CLOSE", "b", Verdict::Pass),
                ("Z_LOAD", "every block", Verdict::Pass),
                ("W_TAKE", "every block", Verdict::Inconclusive),
            ]
        );
    }

    #[test]
    fn what_went_wrong_is_never_folded_away() {
        let rows = vec![
            row("W_TAKE", "a", 3, Verdict::Pass),
            row("W_TAKE", "b", 0, Verdict::Correctness),
            row("W_TAKE", "c", 0, Verdict::Broken),
        ];
        assert_eq!(fold(rows).len(), 3);
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
        let told = reason(Kind::Writer, "E_UNPIN").unwrap();
        let deaths = include_str!("../../../datahub/tests/recovery/deaths.rs");
        assert!(told.contains("tests/recovery") && deaths.contains("\"E_UNPIN\""), "{told}");
    }

    #[test]
    fn a_site_on_the_usual_way_has_no_excuse() {
        for (kind, site) in [(Kind::Writer, "W_COMMIT"), (Kind::Reader, "R_ADMIT")] {
            assert_eq!(reason(kind, site), None, "{site}");
        }
    }
}
