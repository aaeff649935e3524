//! Crash points: a process vanishes before each of its steps in turn; the others recover and go on.

use crate::engine::Engine;
use crate::request::Request;

/// Models that have somebody to recover, and who dies in them.
const VICTIMS: &[(&str, &str)] = &[
    ("recovery/resume-latest", "writer"),
    ("recovery/resume-latest", "successor"),
    ("recovery/resume-sequential", "writer"),
    ("recovery/resume-sequential", "successor"),
    ("handover/behind", "writer"),
    ("handover/behind", "reader"),
    ("handover/heir", "writer"),
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
