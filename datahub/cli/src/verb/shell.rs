//! `datahub completions` and `datahub man`: for the shell and the manual.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::{self, Failure};

pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "datahub", &mut script);
    output::result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

pub(super) fn man(verb: Option<&str>) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    // Names, usage and global options of the verbs.
    command.build();
    let page = match verb {
        None => clap_mangen::Man::new(command),
        Some(verb) => {
            let found = command.find_subcommand(verb).cloned().ok_or_else(|| {
                Failure::new(Exit::Usage, format!("there is no verb '{verb}'"))
                    .with_hint("`datahub --help` lists them")
            })?;
            clap_mangen::Man::new(found)
        }
    };
    let mut text = Vec::new();
    page.render(&mut text)?;
    output::result(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Fine)
}
