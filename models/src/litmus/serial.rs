//! What the litmus tests come to under one memory that everybody sees at once: all that shuttle can show.
//!
//! Derived by hand, and compared with all interleavings in `engine/explore/cross.rs`.

/// Tests of which some outcomes need weak memory: no engine with one memory shows these.
pub(super) const HIDDEN: &[(&str, &[&str])] = &[
    ("litmus/store-buffering/relaxed", &["0 | 0"]),
    ("litmus/store-buffering/acquire-release", &["0 | 0"]),
    ("litmus/store-buffering/one-fence", &["0 | 0"]),
    ("litmus/store-buffering/weak-fences", &["0 | 0"]),
    ("litmus/store-buffering/exchanges", &["0 0 | 0 0"]),
    ("litmus/message-passing/relaxed", &[" | 1 0"]),
    ("litmus/message-passing/no-acquire", &[" | 1 0"]),
    ("litmus/message-passing/no-release", &[" | 1 0"]),
    ("litmus/message-passing/late-fence", &[" | 1 0"]),
    ("litmus/coherence/stores-out-of-order", &["1 | 1"]),
    ("litmus/independent-reads/acquire", &[" |  | 1 0 | 1 0"]),
    ("litmus/release-sequence/store", &[" | 2 0"]),
    ("litmus/fence/others-loads", &[" | 1 | 1 0"]),
    ("litmus/fence/order-through-reads", &["1 0 |  | 1"]),
    ("litmus/exchange/stale-refusal", &[" | 1 0"]),
    (
        "litmus/history/nine-stores",
        &[" | 1 0", " | 1 1", " | 1 2", " | 1 3", " | 1 4", " | 1 5", " | 1 6", " | 1 7", " | 1 8"],
    ),
];

/// Races, which no engine with one memory sees, and what it shows instead.
pub(super) const UNSEEN: &[(&str, &[&str])] = &[
    ("litmus/message-passing/cell-race", &[" | 0", " | 1 7"]),
    ("litmus/message-passing/cell-race-after-read", &["0 | 0", "0 | 1"]),
    ("litmus/message-passing/cell-race-through-fences", &[" | 0 0", " | 0 7"]),
    ("litmus/message-passing/cell-race-in-fence-order", &["0 | 0", "0 | 1 7", "1 | 0"]),
];

/// The row of the test called `name`.
pub(super) fn row(
    table: &[(&str, &'static [&'static str])],
    name: &str,
) -> Option<&'static [&'static str]> {
    table.iter().find(|(test, _)| *test == name).map(|(_, outcomes)| *outcomes)
}
