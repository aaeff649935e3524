//! `harness explain`: a scenario in words.

mod promises;
mod words;

use std::path::PathBuf;

use super::{Exit, Output, select};
use crate::crash;
use crate::scenario::Profile;

/// An example that uses every section, with comments.
pub(super) const EXAMPLE: &str = include_str!("../../schema/example.toml");

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders that hold some; without one, an example shows the format.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Sets a key, as for `run`; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How much is run.
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    if args.paths.is_empty() {
        output.result(EXAMPLE);
        output.result(&promises::metrics());
        return Exit::Pass;
    }
    match select::load(&args.paths, &args.set, output) {
        Ok((scenarios, matrices)) => {
            let width = output.width();
            for matrix in &matrices {
                output.result(&format!("{}\n", crash::told(matrix, args.profile)));
            }
            for scenario in &scenarios {
                output.result(&words::scenario(scenario, args.profile, width));
            }
            Exit::Pass
        }
        Err(exit) => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_right() {
        let scenario = crate::scenario::parse("example.toml", EXAMPLE, &[]);
        assert!(scenario.is_ok(), "{}", scenario.unwrap_err().render(false, 100));
    }
}
