//! Recovery after real deaths: the plan names every action and changes no byte, the real run repairs,
//! a second run finds nothing, and nobody alive is touched.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recovery {
    mod deaths;
    mod force;
    mod integrity;
    mod mortal;
    #[path = "../support/other.rs"]
    mod other;
    #[path = "../support/own.rs"]
    mod own;
    mod payloads;
    mod role;
}
