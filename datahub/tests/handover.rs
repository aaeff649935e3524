//! A producer moves its consumers to another block: nothing is lost, nothing comes twice, whoever
//! dies at whatever moment.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handover {
    mod deaths;
    mod moves;
    #[path = "../support/other.rs"]
    mod other;
    #[path = "../support/own.rs"]
    mod own;
    mod payloads;
    mod places;
    mod processes;
    mod refusals;
    mod role;
}
