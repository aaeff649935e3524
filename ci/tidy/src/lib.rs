//! Checks of the tree itself: sizes, layers, sites, words.
//!
//! Each check is a function from a [`tree::Tree`] (path → text) to a list of findings, so that its
//! tests plant a defect in a few lines of text and see it rejected. `tests/tree.rs` runs all of them
//! over the real tree, after [`ratchet::apply`] has taken out the excused findings.
//! Knows nothing of: processes, the network, version control.
#![forbid(unsafe_code)]

pub mod banned;
pub mod cited;
pub mod dead;
pub mod finding;
pub mod header;
pub mod house;
pub mod layers;
pub mod manifest;
pub mod question;
pub mod ratchet;
pub mod readme;
pub mod scripts;
pub mod sites;
pub mod sizes;
pub mod source;
pub mod tree;
pub mod words;
