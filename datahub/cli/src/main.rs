//! `datahub`: looks at data blocks, says what is wrong with them, and clears what the dead left behind.

#![deny(unsafe_code)]

mod args;
mod exit;
mod find;
mod json;
mod output;
mod table;
mod units;
mod verb;

use std::process::ExitCode;

fn main() -> ExitCode {
    verb::main(std::env::args_os()).into()
}
