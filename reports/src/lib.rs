//! Turns result files into pages, plots and histograms.
//!
//! Data flows one way: `load → summary → plot → page`; `markdown`, `hgrm`, `hlog`, `junit`,
//! `annotations` and `openmetrics` end beside `page`.
//! A module imports only from those before it in this list.
//! Knows nothing of: the harness, the data block, the clock, the network.
//! Checked by: `tests/page.rs`, `tests/formats.rs` and the tests below each module.

#![forbid(unsafe_code)]

pub mod format;
pub mod load;
pub mod summary;

mod plot;

pub mod hgrm;
pub mod hlog;

pub mod page;

pub mod annotations;
pub mod junit;
pub mod markdown;
pub mod openmetrics;
