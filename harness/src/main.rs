//! The `harness` program: hands its arguments to [`harness::cli`].

#![forbid(unsafe_code)]

use std::panic;
use std::process::ExitCode;

use harness::cli::{self, Exit};
use nix::sys::prctl;
use nix::sys::signal::Signal;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|verb| verb == models::worker::VERB) {
        // One run of one model dies with the harness that started it.
        return match prctl::set_pdeathsig(Signal::SIGKILL) {
            Ok(()) => models::worker::main_from_args(arguments),
            Err(_) => Exit::Broken.into(),
        };
    }
    // The panic itself has already been printed.
    let exit = panic::catch_unwind(|| cli::main(std::env::args_os())).unwrap_or(Exit::Bug);
    exit.into()
}
