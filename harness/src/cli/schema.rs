//! `harness schema`: the formats, for editors and other programs.

use super::{Exit, Output};

/// The JSON Schema of a scenario file.
pub(super) const SCENARIO: &str = include_str!("../../schema/scenario-1.json");

/// The JSON Schema of a kill matrix.
const KILLS: &str = include_str!("../../schema/kills-1.json");

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  harness schema scenario > scenario.json
      Editors that know TOML schemas complete and check scenario files with it.
  harness schema result > result.json
      The format of `result.json`, for programs that read results.")]
pub(super) struct Args {
    /// Which format.
    #[arg(value_enum)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A scenario file.
    Scenario,
    /// A kill matrix, which `harness crash` runs.
    Kills,
    /// A result document.
    Result,
    /// One line of `harness run --events`.
    Event,
}

pub(super) fn execute(args: &Args, output: &mut Output) -> Exit {
    match args.format {
        Format::Scenario => output.result(SCENARIO),
        Format::Kills => output.result(KILLS),
        Format::Result => output.result(&report_schema::json_schema()),
        Format::Event => output.result(&report_schema::event_json_schema()),
    }
    Exit::Pass
}
