//! `harness explain`: a scenario in words.

mod promises;
mod words;

use std::path::PathBuf;

use serde_json::json;

use super::{Exit, Output, select};
use crate::crash;
use crate::scenario::Profile;

/// An example that uses every section, with comments.
pub(super) const EXAMPLE: &str = include_str!("../../schema/example.toml");

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness explain
      A scenario that uses every section, with comments: a file to start from.
  harness explain scenarios/latency/open-load.toml
      What it does, and what each of its expectations means.

Exit codes: 0 explained, 2 a file is wrong, 4 there is none.")]
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
    /// Prints JSON: each scenario with its words, or the example.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    if args.paths.is_empty() && args.json {
        output.json(&json!({ "example": EXAMPLE }));
        return Exit::Pass;
    }
    if args.paths.is_empty() {
        output.result(EXAMPLE);
        output.result(&promises::metrics());
        return Exit::Pass;
    }
    match select::load(&args.paths, &args.set, output) {
        Ok((scenarios, matrices)) => {
            if args.json {
                let told = scenarios.iter().map(|scenario| {
                    json!({
                        "file": scenario.file,
                        "name": scenario.name,
                        "question": scenario.question,
                        // Nothing is broken into lines for programs.
                        "text": words::scenario(scenario, args.profile, usize::MAX),
                    })
                });
                let kills = matrices.iter().map(|matrix| crash::told(matrix, args.profile));
                output.json(&json!({
                    "scenarios": told.collect::<Vec<_>>(),
                    "kills": kills.collect::<Vec<_>>(),
                }));
                return Exit::Pass;
            }
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
