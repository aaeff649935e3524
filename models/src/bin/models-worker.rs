//! Runs one request in a process of its own; the crate's tests use it as the harness uses itself.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|verb| verb == models::worker::VERB) {
        models::worker::main_from_args(args)
    } else {
        ExitCode::from(2)
    }
}
