//! Real runs of the program: processes, signals, files, exit codes.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod faults;
mod kill;
mod plants;
mod support;
mod whole;
