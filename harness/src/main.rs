//! The `harness` program: hands its arguments to [`harness::cli`].

#![forbid(unsafe_code)]

use std::panic;
use std::process::ExitCode;

use harness::cli::{self, Exit};

fn main() -> ExitCode {
    // The panic itself has already been printed.
    let exit = panic::catch_unwind(|| cli::main(std::env::args_os())).unwrap_or(Exit::Bug);
    exit.into()
}
