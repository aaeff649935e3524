//! Who is told what happens while something long runs: people by a bar or lines, programs by events.
//! The arguments of every verb that runs for long, and its first and last event.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use report_schema::{Happening, SuiteBegan, SuiteEnded, SuiteResult, Verdict};

use super::left::Left;
use super::run::events::Events;
use super::{Exit, Output};

/// Arguments that say how progress is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Listeners {
    /// How progress is shown; `auto` is a bar on a terminal and plain lines elsewhere.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub progress: Progress,
    /// Writes one JSON object a line while it runs: what happens, as it happens.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub events: Option<PathBuf>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// One line for each trial, model or kind of victim.
    Plain,
    /// One JSON object a line, as with `--events`.
    Jsonl,
    /// Nothing.
    None,
}

impl Progress {
    /// The bar, if there is one, and whether there are lines.
    pub(super) fn shown(self) -> (Option<ProgressBar>, bool) {
        let terminal = std::io::stderr().is_terminal();
        let bar = self == Self::Bar || self == Self::Auto && terminal;
        let plain = self == Self::Plain || self == Self::Auto && !terminal;
        let bar = bar.then(|| {
            let bar = ProgressBar::new(0);
            // The template is a constant; one that cannot be read leaves the library's own.
            if let Ok(style) = ProgressStyle::with_template("{pos}/{len} [{wide_bar}] {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        (bar, plain)
    }
}

impl Listeners {
    /// Opens what events go to: nothing long may end at a file that cannot be written.
    pub(super) fn open(&self, output: &mut Output) -> Result<Events, Exit> {
        let events = Events::open(self.events.as_deref(), self.progress == Progress::Jsonl);
        events.map_err(|error| self.unwritten(&error, output))
    }

    /// The last event, and the exit code with it.
    pub(super) fn close(
        &self,
        events: Events,
        (result, exit, folder): (&SuiteResult, Exit, String),
        output: &mut Output,
    ) -> Exit {
        let ended = SuiteEnded {
            verdict: result.verdict,
            exit_code: exit.code(),
            wall_ms: result.wall_ms,
            folder,
            interrupted: result.interrupted,
        };
        self.end(events, (ended, exit), output)
    }

    /// The last event of what came to no result, and the exit code with it.
    pub(super) fn give_up(&self, events: Events, exit: Exit, output: &mut Output) -> Exit {
        let verdict = match exit {
            Exit::NothingRan => Verdict::Inconclusive,
            _ => Verdict::Broken,
        };
        let (exit_code, folder) = (exit.code(), String::new());
        let ended = SuiteEnded { verdict, exit_code, wall_ms: 0, folder, interrupted: false };
        self.end(events, (ended, exit), output)
    }

    fn end(
        &self,
        mut events: Events,
        (ended, exit): (SuiteEnded, Exit),
        output: &mut Output,
    ) -> Exit {
        events.tell(Happening::SuiteEnded(ended));
        events.failure().map_or(exit, |error| exit.or_worse(self.unwritten(error, output)))
    }

    /// Says that events cannot be written.
    fn unwritten(&self, error: &std::io::Error, output: &mut Output) -> Exit {
        let file = self.events.as_ref().map(|file| file.display().to_string());
        let file = file.unwrap_or_else(|| "events on standard error".to_owned());
        output.error(&format!("cannot write {file}: {error}"));
        Exit::Io
    }
}

/// Work in steps that are no trials: models, kinds of victims.
#[derive(Debug)]
pub(super) struct Steps {
    /// For programs.
    pub(super) events: Events,
    bar: Option<ProgressBar>,
    plain: bool,
    left: Left,
}

impl Steps {
    /// Begins, and says what is run.
    pub(super) fn begin(progress: Progress, mut events: Events, began: SuiteBegan) -> Self {
        events.tell(Happening::SuiteBegan(began));
        let (bar, plain) = progress.shown();
        Self { events, bar, plain, left: Left::new() }
    }

    /// So many are done, of so many as far as that is known; `line` is about the one that ended, or
    /// begins.
    pub(super) fn say(&self, (done, all): (usize, Option<usize>), line: &str) {
        let left = all.map_or_else(String::new, |all| self.left.after(done, all));
        if let Some(bar) = &self.bar {
            bar.set_length(all.unwrap_or(done) as u64);
            bar.set_position(done as u64);
            bar.set_message(format!("{line}{left}"));
        }
        if self.plain {
            // Standard error that cannot be written is nobody's loss.
            let _unwritten = writeln!(anstream::stderr().lock(), "{line}{left}").is_err();
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) -> Events {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.events
    }
}
