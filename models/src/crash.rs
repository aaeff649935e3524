//! Crash points: a process vanishes before each of its steps in turn; the others recover and go on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use report_schema::ModelResult;

use crate::engine::Engine;
use crate::request::Request;

/// The sites before which somebody vanished.
pub(crate) type Deaths = Arc<Mutex<BTreeSet<&'static str>>>;

/// Sites before which nobody vanishes in any model, and why none needs to.
pub const NOBODY_DIES: &[(&str, &str)] = &[
    ("H_AGE", LOOKS),
    ("H_LOOK", LOOKS),
    ("H_WHO", LOOKS),
    ("Z_SEQ_AGAIN", LOOKS),
    ("Z_SEQ_CHECK", LOOKS),
    ("Z_SEQ_LOOK", LOOKS),
    ("Z_SEQ_READ", LOOKS),
    ("Z_TWO_AGAIN", LOOKS),
    ("Z_TWO_CHECK", LOOKS),
    ("Z_TWO_LOOK", LOOKS),
    ("Z_TWO_READ", LOOKS),
    (
        "W_DRAIN",
        "a look at the word that W_CLOSE has left: who dies before W_TAKE or W_REOPEN leaves the same",
    ),
    ("Z_CHANGE", STEP),
    ("Z_LOAD", STEP),
    ("Z_STORE", STEP),
];

/// Of observers and of readers that enter nothing.
const LOOKS: &str = "who only looks has changed nothing that anybody would have to clear";
const STEP: &str = "a shared word is done in one step: there is no half of it";

/// What stands in front of the sites in a result.
const BEFORE: &str = "before ";

/// Models that have somebody to recover, and who dies in them.
const VICTIMS: &[(&str, &str)] = &[
    ("recovery/resume-latest", "writer"),
    ("recovery/resume-latest", "successor"),
    ("recovery/resume-sequential", "writer"),
    ("recovery/resume-sequential", "successor"),
    ("handover/behind", "writer"),
    ("handover/behind", "reader"),
    ("handover/heir", "writer"),
    ("handover/fails", "writer"),
    ("recovery/restart", "successor"),
    ("recovery/two-successors", "rival"),
    ("recovery/reap-pin", "victim"),
    ("recovery/reap-pin", "reaper"),
    ("recovery/reap-cursor", "victim"),
    ("recovery/reap-joiner", "victim"),
    ("recovery/reap-and-reuse", "reaper"),
    ("recovery/reap-and-reuse", "newcomer"),
    ("recovery/two-reapers", "reaper"),
    ("recovery/heir-of-seqlock", "writer"),
    ("recovery/heir-of-double", "writer"),
    ("zone/lock", "holder"),
    ("zone/lock-of-the-dead", "heir"),
    ("recovery/reap-beside", "reaper"),
    ("recovery/restart", "writer"),
    ("batch/whole", "writer"),
    ("eviction/copying", "writer"),
    ("eviction/copying", "reader"),
    ("eviction/pinned", "writer"),
    ("park/one-sleeper", "waker"),
    ("park/one-sleeper", "sleeper"),
    ("park/producer", "writer"),
    ("park/producer", "reader"),
    ("dekker/dead-reader", "reader"),
];

/// A run for each victim: every step of it, one after the other.
#[must_use]
pub fn plan(engine: Engine) -> Vec<Request> {
    let request = |(scenario, role): &(&str, &str)| Request {
        crash: Some(format!("{role}:*")),
        ..Request::new(engine, scenario)
    };
    VICTIMS.iter().map(request).collect()
}

/// The outcomes of a row of crash points: how many they are, and before which sites.
pub(crate) fn told(points: u32, deaths: &Deaths) -> Vec<String> {
    let sites = deaths.lock().unwrap_or_else(PoisonError::into_inner);
    let ours = sites.iter().copied().filter(|site| datahub::sites::by_name(site).is_some());
    let sites: Vec<_> = ours.collect();
    vec![format!("{points} crash points"), format!("{BEFORE}{}", sites.join(" "))]
}

/// The sites that [`told`] put into `result`.
pub(crate) fn sites(result: &ModelResult) -> impl Iterator<Item = &str> {
    let told = result.outcomes.iter().filter_map(|outcome| outcome.strip_prefix(BEFORE));
    told.flat_map(str::split_whitespace)
}
