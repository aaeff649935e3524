//! The `harness` program: hands its arguments to [`harness::cli`].

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::panic;
use std::path::Path;
use std::process::ExitCode;

use harness::cli::{self, Exit};
use harness::{crash, suite};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};

fn main() -> ExitCode {
    let verb = std::env::args_os().nth(1);
    // Started by the thousand: their arguments are read without a parser.
    if verb.as_deref() == Some(OsStr::new(crash::VICTIM)) {
        let text = std::env::args_os().nth(2).unwrap_or_default();
        return ended(crash::victim::main(&text.to_string_lossy()));
    }
    if verb.as_deref() == Some(OsStr::new(crash::DRIVER)) {
        return ended(crash::driver::main());
    }
    if verb.as_deref() == Some(OsStr::new(suite::JANITOR)) {
        let path = std::env::args_os().nth(2).unwrap_or_default();
        suite::janitor(Path::new(&path));
        return Exit::Pass.into();
    }
    // A file that grows beyond what this process may write is an error, and not its end.
    let mut too_large = SigSet::empty();
    too_large.add(Signal::SIGXFSZ);
    let _blocked = too_large.thread_block();
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

fn ended(well: bool) -> ExitCode {
    if well { Exit::Pass.into() } else { Exit::Broken.into() }
}
