//! What people ask for: one file a verb.

mod diagnose;
mod export;
mod force;
mod inspect;
mod list;
mod recover;
mod remove;
mod shell;
pub(crate) mod show;
mod top;
mod validate;

use std::ffi::OsString;
use std::time::Duration;

use clap::Parser;
use datahub::shm::Folder;
use nix::poll::{PollTimeout, poll};

use crate::args::{Cli, Verb};
use crate::exit::Exit;
use crate::output::{self, Failure};

/// Where to look and how to answer.
pub(crate) struct Context {
    pub folder: Folder,
    pub json: bool,
}

/// Reads the arguments and does what they ask.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help that cannot be written has nowhere to complain.
            let _unwritten = error.print().is_err();
            return if error.use_stderr() { Exit::Usage } else { Exit::Fine };
        }
    };
    output::choose_colours(cli.color);
    let context = Context { folder: Folder::at(cli.folder), json: cli.json };
    match dispatch(cli.verb, &context) {
        Ok(exit) => exit,
        Err(failure) => output::fail(&failure),
    }
}

fn dispatch(verb: Verb, context: &Context) -> Result<Exit, Failure> {
    match verb {
        Verb::List => list::execute(context),
        Verb::Inspect(args) => inspect::execute(context, &args),
        Verb::Top(args) => top::execute(context, &args),
        Verb::Diagnose(args) => diagnose::execute(context, &args),
        Verb::Recover(args) => recover::execute(context, &args),
        Verb::Validate(args) => validate::execute(context, &args.name),
        Verb::ResetMetrics(args) => remove::reset_metrics(context, &args.name),
        Verb::Unlink(args) => remove::unlink(context, &args.name),
        Verb::Export(args) => export::execute(context, &args.names),
        Verb::Completions { shell } => shell::completions(shell),
        Verb::Man { verb } => shell::man(verb.as_deref()),
    }
}

/// Lets time pass between two looks.
fn pass(time: Duration) {
    let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    // No descriptors: only the time passes. An interruption makes the second look come early.
    let _passed = poll(&mut [], timeout).is_ok();
}
