//! The C API: `slot_rw_*` on one slot that the caller maps, `datablock_*` on whole blocks.
//!
//! Every function checks its pointers, catches panics and returns a code; the message of the last
//! failure waits in its thread. Nothing here knows the protocol: `datahub` does, and this crate
//! lends it to C. The header `include/datahub.h` is kept equal to this source by a test.
//! Source: HEP-CORE-0002 layer 1.5 (`slot_rw_coordinator.h`), without its flaws F17, F17b and F29.

#![expect(unsafe_code, reason = "takes pointers from C; each is checked before use")]
#![expect(
    clippy::missing_safety_doc,
    reason = "the head of the header states one contract for all functions"
)]

pub mod config;
pub mod consumer;
pub mod failure;
pub mod index;
pub mod layout;
pub mod metrics;
mod patience;
mod pointer;
mod process;
pub mod producer;
pub mod slot;
pub mod status;
mod view;
