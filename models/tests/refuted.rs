//! Every model of the shipped protocol is refuted by some defect: one that nothing can refute would be
//! there for show.

use std::collections::BTreeSet;

use models::catalogue;
use models::violation::Promise;
use models::{Engine, Request};
use report_schema::Verdict;

/// A defect, or a weakened ordering, that the explorer notices in this very model.
const REFUTED: &[(&str, &str)] = &[
    ("attach/creation", "commit-first"),
    ("batch/abort", "abort-publishes"),
    ("batch/by-number", "announce-first"),
    ("batch/whole", "batch-forwards"),
    ("checksum/enforced", "skip-checksum"),
    ("checksum/stamped-damage", "drop-recheck"),
    ("eviction/copying", "ignores-cursors"),
    ("eviction/marked", "loses-commit"),
    ("eviction/newcomer", "counts-the-dead"),
    ("eviction/pinned", "loses-commit"),
    ("explicit/latest", "announce-first"),
    ("explicit/sequential", "announce-first"),
    ("handover/behind", "ignores-cursors"),
    ("handover/fails", "ignores-cursors"),
    ("handover/heir", "loses-commit"),
    ("handover/joiner", "counts-the-dead"),
    ("handover/latest", "wrong-pin"),
    ("handover/one-reader", "ignores-cursors"),
    ("handover/two-readers", "loses-commit"),
    ("heartbeat/claims", "H_IDENTITY=Relaxed"),
    ("latest/abort", "abort-forgets"),
    ("latest/crowded", "drop-recheck"),
    ("latest/from-nothing", "announce-first"),
    ("latest/lapped", "drop-label"),
    ("latest/one-reader", "announce-first"),
    ("latest/two-readers", "announce-first"),
    ("overwrite/lapped", "skip-drain"),
    ("park/end", "sleeps-unchecked"),
    ("park/moved", "sleeps-unchecked"),
    ("park/one-sleeper", "sleeps-unchecked"),
    ("park/producer", "sleeps-unchecked"),
    ("park/producer-left", "sleeps-unchecked"),
    ("park/producer-pinned", "sleeps-unchecked"),
    ("park/two-sleepers", "sleeps-unchecked"),
    ("recovery/heir-of-double", "skip-generation"),
    ("recovery/heir-of-seqlock", "skip-generation"),
    ("recovery/reap-and-reuse", "drop-label"),
    ("recovery/reap-beside", "ignores-cursors"),
    ("recovery/reap-cursor", "reaps-the-living"),
    ("recovery/reap-joiner", "joiner-unpinned"),
    ("recovery/reap-pin", "reaps-the-living"),
    ("recovery/restart", "commit-first"),
    ("recovery/resume-latest", "drop-label"),
    ("recovery/resume-sequential", "loses-commit"),
    ("recovery/two-reapers", "stays-closed"),
    ("recovery/two-successors", "counts-the-dead"),
    ("sequential/abort", "abort-publishes"),
    ("sequential/end", "loses-commit"),
    ("sequential/gate", "cursor-early"),
    ("sequential/join-again", "joiner-unpinned"),
    ("sequential/join-beside", "joiner-unpinned"),
    ("sequential/join-newest", "joiner-unpinned"),
    ("sequential/join-oldest", "joiner-unpinned"),
    ("sequential/leave", "counts-the-dead"),
    ("sequential/leave-one-of-two", "counts-the-dead"),
    ("sequential/three-slots", "cursor-early"),
    ("sequential/two-gates", "ignores-cursors"),
    ("slot/abort", "abort-publishes"),
    ("slot/drain-gives-up", "skip-drain"),
    ("slot/one-reader", "skip-drain"),
    ("slot/two-laps", "drop-recheck"),
    ("slot/two-readers", "skip-drain"),
    ("slot/two-slots", "drop-recheck"),
    ("zone/double", "skip-generation"),
    ("zone/double-two-writers", "Z_TWO_BEGIN=Relaxed"),
    ("zone/lock", "reaps-the-living"),
    ("zone/lock-of-the-dead", "lock-by-store"),
    ("zone/seqlock", "skip-generation"),
    ("zone/seqlock-two-writers", "Z_SEQ_BEGIN=Relaxed"),
    ("zone/word", "Z_STORE=Relaxed"),
    ("zone/word-changed", "Z_CHANGE=Relaxed"),
];

/// What a model can refute. G7 is no promise of its own: whatever recovery breaks is one of these.
const PROMISES: [Promise; 8] = [
    Promise::Whole,
    Promise::Labelled,
    Promise::Forward,
    Promise::Lossless,
    Promise::Progress,
    Promise::Abort,
    Promise::Race,
    Promise::Quiet,
];

fn with(model: &str, change: &str) -> Request {
    let mut request = Request::new(Engine::Explore, model);
    match change.split_once('=') {
        Some(_) => request.mutant.push(change.to_owned()),
        None => request.plant = Some(change.to_owned()),
    }
    request
}

#[test]
fn every_model_of_the_shipped_protocol_has_a_defect_that_refutes_it() {
    let entries = catalogue::all();
    let shipped: BTreeSet<_> =
        entries.iter().filter(|entry| entry.memory == "shipped").map(|entry| entry.name).collect();
    let refuted: BTreeSet<_> = REFUTED.iter().map(|(model, _)| *model).collect();
    assert_eq!(refuted, shipped);
    assert!(shipped.len() >= 24, "{}", shipped.len());
}

#[test]
fn the_defect_is_noticed_in_that_model_and_every_promise_is_broken_by_some() {
    let mut broken = BTreeSet::new();
    for (model, change) in REFUTED {
        let result = models::run(&with(model, change));
        assert_eq!(result.verdict, Verdict::Pass, "{change} goes unnoticed in {model}");
        let found = result.counterexample.unwrap().english;
        broken.extend(PROMISES.into_iter().filter(|promise| found.ends_with(promise.broken())));
    }
    assert_eq!(broken.len(), PROMISES.len(), "{broken:?}");
}
