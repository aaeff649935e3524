//! What people type: one file a verb, results on standard output, everything else on the other.

mod ab;
mod baseline;
mod check;
mod check_history;
mod compare;
mod comparison;
mod completions;
mod crash;
mod doctor;
mod exit;
mod explain;
pub mod gate;
mod left;
mod list;
mod made;
mod merge;
mod model;
mod output;
mod plan;
mod planned;
mod replay;
mod report;
pub mod run;
mod schema;
pub mod select;
pub mod sinks;
mod stored;
mod unchecked;

use std::ffi::OsString;

use clap::{ColorChoice, Parser, Subcommand};

use crate::run::{den, worker};
pub use exit::Exit;
pub use output::Output;

/// Runs declarative multi-process scenarios against DataHub and judges them.
#[derive(Debug, Parser)]
#[command(name = "harness", version, after_long_help = exit::HELP, after_help = exit::SHORT_HELP)]
#[command(arg_required_else_help = true, infer_subcommands = true)]
struct Cli {
    /// Colours: `auto` asks the terminal and NO_COLOR.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists scenarios and their cells.
    List(list::Args),
    /// Checks scenario files and shows every mistake with its place; runs nothing.
    Check(check::Args),
    /// Shows what a run would do: cells, cores, memory, time, seeds; runs nothing.
    Plan(plan::Args),
    /// Says in words what a scenario does; without one, shows the format.
    Explain(explain::Args),
    /// Prints the JSON Schema of a format.
    Schema(schema::Args),
    /// Describes this machine and what would make its figures better.
    Doctor(doctor::Args),
    /// Judges stored histories again with the independent checker; runs nothing.
    CheckHistory(check_history::Args),
    /// Runs scenarios, judges them and writes the report.
    Run(run::RunArgs),
    /// Compares two builds, two settings, or one thing with itself, trial by trial in turns.
    Ab(ab::Args),
    /// Compares two stored runs; runs nothing.
    Compare(compare::Args),
    /// Judges a stored run again, also against a baseline; runs nothing.
    Gate(gate::Args),
    /// Keeps runs by name, to compare later ones with.
    Baseline(baseline::Args),
    /// Explores the shipped protocol with several model checkers; published flaws must be found in theirs.
    Model(model::Args),
    /// Runs one execution of a model again, as its failure named it, and shows each step.
    Replay(replay::Args),
    /// Kills real processes right before each operation on shared memory, and checks that survivors are unharmed.
    Crash(crash::Args),
    /// Puts results together, shards or different kinds: one result, one report, one verdict.
    Merge(merge::Args),
    /// Makes the report of a result again.
    Report(report::Args),
    /// Prints a completion script for a shell.
    Completions(completions::Args),
    /// One process of a trial; the harness starts it.
    #[command(name = "__worker", hide = true)]
    Worker {
        /// The harness that started it.
        parent: u32,
    },
    /// Holds a trial's mount namespace open; the harness starts it.
    #[command(name = "__den", hide = true)]
    Den {
        /// The harness that started it.
        parent: u32,
    },
}

/// Reads the arguments and does what they ask.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help that cannot be written has nowhere to complain.
            let _unwritten = error.print().is_err();
            return if error.use_stderr() { Exit::Usage } else { Exit::Pass };
        }
    };
    let mut output = Output::new(cli.color);
    let exit = dispatch(cli.verb, &mut output);
    output.finish(exit)
}

fn dispatch(verb: Verb, output: &mut Output) -> Exit {
    match verb {
        Verb::List(args) => list::execute(&args, output),
        Verb::Check(args) => check::execute(&args, output),
        Verb::Plan(args) => plan::execute(&args, output),
        Verb::Explain(args) => explain::execute(&args, output),
        Verb::Schema(args) => schema::execute(&args, output),
        Verb::Doctor(args) => doctor::execute(&args, output),
        Verb::CheckHistory(args) => check_history::execute(&args, output),
        Verb::Run(args) => run::execute(&args, output),
        Verb::Ab(args) => ab::execute(&args, output),
        Verb::Compare(args) => compare::execute(&args, output),
        Verb::Gate(args) => gate::execute(&args, output),
        Verb::Baseline(args) => baseline::execute(&args, output),
        Verb::Model(args) => model::execute(&args, output),
        Verb::Replay(args) => replay::execute(&args, output),
        Verb::Crash(args) => crash::execute(&args, output),
        Verb::Merge(args) => merge::execute(&args, output),
        Verb::Report(args) => report::execute(&args, output),
        Verb::Completions(args) => completions::execute(&args, output),
        Verb::Worker { .. } if worker::main() => Exit::Pass,
        Verb::Den { parent } if den::main(parent) => Exit::Pass,
        Verb::Worker { .. } | Verb::Den { .. } => Exit::Broken,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
