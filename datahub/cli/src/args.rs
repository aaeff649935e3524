//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, Parser, Subcommand};
use clap_complete::Shell;
use datahub::name::BlockName;

use crate::exit;

/// Looks at data blocks in shared memory, says what is wrong with them and what to do about it.
#[derive(Debug, Parser)]
#[command(name = "datahub", version, arg_required_else_help = true)]
#[command(after_long_help = exit::HELP, after_help = "`datahub --help` lists exit codes and examples.")]
pub(crate) struct Cli {
    /// Where blocks live.
    #[arg(long, global = true, value_name = "DIR", default_value = "/dev/shm")]
    pub folder: PathBuf,
    /// Writes JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Colours: `auto` asks the terminal and NO_COLOR.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists the blocks with their users, progress and health.
    List,
    /// Shows everything about one block: header, users, slots, counters.
    Inspect(Inspect),
    /// Watches rates, lags and health, one line a block; with a name, one line a consumer.
    Top(Top),
    /// Says what is wrong with a block, why it matters and what to do.
    Diagnose(Diagnose),
    /// Clears what the dead left in a block. Never touches a living owner's words.
    Recover(Recover),
    /// Checks labels, places and checksums. Repairs nothing.
    Validate(One),
    /// Makes the present counts of a block the new zero.
    ResetMetrics(One),
    /// Removes the name of a block whose producer is dead or gone.
    Unlink(One),
    /// Writes all metrics as OpenMetrics text, for Prometheus.
    Export(Export),
    /// Prints a completion script.
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Prints the manual page, of a verb if one is named.
    Man {
        /// The verb.
        verb: Option<String>,
    },
}

/// A verb about one block.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The block.
    pub name: BlockName,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The block.
    pub name: BlockName,
    /// Shows every slot, not only the first 16.
    #[arg(long)]
    pub all_slots: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Top {
    /// The block; all of them without a name.
    pub name: Option<BlockName>,
    /// Time between two looks, for instance 500ms or 2s.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Looks twice, one interval apart, shows the rates once, and ends.
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diagnose {
    /// The block.
    pub name: BlockName,
    /// Watches for so long whether things move.
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = interval)]
    pub over: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The block.
    pub name: BlockName,
    /// Says what would be done and what proves that it may be; changes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Also evicts living consumers that have been silent for long and hold the producer back. Needs the block's
    /// name once more. That vouches that they look at no payload they were lent: the producer writes over
    /// it. Ending their processes is better.
    #[arg(long, value_name = "NAME")]
    pub force: Option<BlockName>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The blocks; all of them without a name.
    pub names: Vec<BlockName>,
}

/// Reads `500ms`, `2s` or `1min`: 10 ms to one hour.
fn interval(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "min" => 60_000,
        _ => return Err("use a number with ms, s or min, such as 500ms or 2s".to_owned()),
    };
    let number: u64 =
        number.parse().map_err(|_| "begin with a number, such as 500ms".to_owned())?;
    let whole = number.saturating_mul(millis);
    if (10..=3_600_000).contains(&whole) {
        Ok(Duration::from_millis(whole))
    } else {
        Err("use 10ms to 60min".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn intervals_have_units_and_bounds() {
        assert_eq!(interval("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(interval("2"), Ok(Duration::from_secs(2)));
        assert_eq!(interval("1min"), Ok(Duration::from_mins(1)));
        for wrong in ["", "s", "0s", "9ms", "-1s", "1h", "61min", "99999999999999999999s", "1 s"] {
            assert!(interval(wrong).is_err(), "{wrong:?} was accepted");
        }
    }
}
