//! `harness completions`: a script for a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, Output};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness completions bash > ~/.local/share/bash-completion/completions/harness
  harness completions zsh > ~/.zfunc/_harness")]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "harness", &mut script);
    output.result(&String::from_utf8_lossy(&script));
    Exit::Pass
}
