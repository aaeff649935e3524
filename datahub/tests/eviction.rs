//! Evicting a consumer that is too slow: the producer goes on, the consumer is told, and what it was
//! given was whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod eviction {
    #[path = "../support/other.rs"]
    mod other;
    mod policy;
    mod stopped;
}
