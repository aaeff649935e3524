//! Processes that were killed at sites, for the sample.

use report_schema::{CrashResult, Verdict};

pub(crate) fn sample() -> Vec<CrashResult> {
    let row = |victim: &str, site: &str, kills| CrashResult {
        victim: victim.to_owned(),
        site: site.to_owned(),
        shape: "sequential-sync, 4 slots, 2 readers".to_owned(),
        visits: kills,
        kills,
        unreached: (kills == 0).then(|| "this block has no zones".to_owned()),
        torn: 0,
        mislabelled: 0,
        backward: 0,
        lost: 0,
        duplicated: 0,
        stuck: 0,
        leaked: 0,
        blocked_ns_max: 812_345,
        example: None,
        replay: format!("harness crash --only {victim}/{site} --seed 7"),
        verdict: Verdict::Pass,
    };
    vec![row("writer", "W_COMMIT", 100), row("reader", "R_ADMIT", 100), row("writer", "Z_LOAD", 0)]
}
