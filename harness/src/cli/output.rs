//! Standard output for results, standard error for the rest; a reader that goes away is no error.

use std::io::{self, ErrorKind, Write};

use super::Exit;
use crate::table;
use anstyle::AnsiColor;
use clap::ColorChoice;
use report_schema::Verdict;

/// Where a verb writes.
#[derive(Debug)]
pub struct Output {
    /// Colours on standard error.
    colour: bool,
    /// The first failure to write a result, other than a reader that went away.
    failed: Option<io::Error>,
}

impl Output {
    /// Decides about colours, once, for both streams.
    #[must_use]
    pub fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let stderr = anstream::AutoStream::choice(&io::stderr());
        Self { colour: stderr != anstream::ColorChoice::Never, failed: None }
    }

    /// Whether standard error shows colours.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// The width for text: `COLUMNS` where it is set, else that of the terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        table::width()
    }

    /// A result.
    pub fn result(&mut self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.failed.get_or_insert(error);
        }
    }

    /// A result for programs, with a line end.
    pub fn json(&mut self, value: &serde_json::Value) {
        self.result(&format!("{value:#}\n"));
    }

    /// For people; standard error that cannot be written is nobody's loss.
    pub fn note(&mut self, text: &str) {
        let mut stderr = anstream::stderr().lock();
        let _unwritten = writeln!(stderr, "{text}").is_err();
    }

    /// An error for people, with the word that says so.
    pub fn error(&mut self, text: &str) {
        let style = AnsiColor::Red.on_default().bold();
        self.note(&format!("{style}error:{style:#} {text}"));
    }

    /// The exit code, unless results could not be written.
    #[must_use]
    pub fn finish(mut self, exit: Exit) -> Exit {
        match self.failed.take() {
            Some(error) => {
                self.error(&format!("standard output cannot be written: {error}"));
                exit.or_worse(Exit::Io)
            }
            None => exit,
        }
    }
}

/// A verdict in its colour.
pub(super) fn coloured(verdict: Verdict) -> String {
    let style = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Inconclusive | Verdict::Performance => AnsiColor::Yellow,
        Verdict::Broken | Verdict::Correctness => AnsiColor::Red,
    }
    .on_default();
    format!("{style}{verdict}{style:#}")
}
