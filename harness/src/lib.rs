//! Runs declarative multi-process scenarios and judges them.
//!
//! Data flows one way: `scenario` (text to checked cells) → `plan` (everything resolved, nothing
//! run) → `run` → result files; `gate` says what must hold, `host` what the machine is, `cli` what
//! people type.

#![deny(unsafe_code)]

pub mod baseline;
pub mod check;
pub mod cli;
pub mod compare;
pub mod crash;
pub mod gate;
pub mod history;
pub mod host;
pub mod plan;
pub mod record;
pub mod run;
pub mod scenario;
pub mod statistics;
pub mod suggest;
pub mod suite;
pub mod table;
pub mod units;
pub mod verdict;
