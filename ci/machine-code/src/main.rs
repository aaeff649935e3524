//! Reads a listing of this package's library and says which functions are not as by hand.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use machine_code::listing::{findings, functions};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else { return ExitCode::from(2) };
    let mut out = std::io::stdout().lock();
    let listing = match std::fs::read_to_string(&path) {
        Ok(listing) => listing,
        Err(error) => {
            let written = writeln!(out, "{} cannot be read: {error}", path.display());
            return ExitCode::from(if written.is_ok() { 7 } else { 70 });
        }
    };
    let functions = functions(&listing);
    let findings = findings(&functions);
    let shipped = functions.keys().filter(|name| name.starts_with("shipped_")).count();
    let written = findings
        .iter()
        .try_for_each(|finding| writeln!(out, "{finding}"))
        .and_then(|()| writeln!(out, "{shipped} functions compared, {} findings", findings.len()));
    ExitCode::from(u8::from(!findings.is_empty() || written.is_err()))
}
