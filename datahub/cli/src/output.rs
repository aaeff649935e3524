//! Results to standard output, everything else to the other; a reader that goes away is no error.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

use crate::exit::Exit;

/// Why a verb could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What happened.
    pub message: String,
    /// What helps.
    pub hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Io, error.to_string())
    }
}

/// Decides about colours, once, for both streams.
pub(crate) fn choose_colours(color: ColorChoice) {
    let choice = match color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether somebody watches standard output.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Writes a result. `false`: nobody reads any more.
pub(crate) fn result(text: &str) -> Result<bool, Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let message = format!("standard output cannot be written: {error}");
            Err(Failure::new(Exit::Io, message))
        }
    }
}

/// Writes a result for programs, with a line end.
pub(crate) fn json(value: &serde_json::Value) -> Result<bool, Failure> {
    result(&format!("{value:#}\n"))
}

/// Writes for people; standard error that cannot be written is nobody's loss.
pub(crate) fn note(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _unwritten = writeln!(stderr, "{text}").is_err();
}

/// Reports a failure; returns how the program ends.
pub(crate) fn fail(failure: &Failure) -> Exit {
    note(&format!("{} {}", paint(RED, "error:"), failure.message));
    if let Some(hint) = &failure.hint {
        note(&format!("{} {hint}", paint(CYAN, " hint:")));
    }
    failure.exit
}

/// Something is broken.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// Somebody should look.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// All is well.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// For information.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();
/// Titles.
pub(crate) const BOLD: Style = Style::new().bold();
/// Labels and what matters less.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Text in a style; the streams drop it where it is not wanted.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A path that another process wrote, fit for a terminal: control characters would be orders to it.
pub(crate) fn printable(path: &Path) -> String {
    let letter = |letter: char| {
        let shown = !letter.is_control();
        if shown { String::from(letter) } else { letter.escape_default().to_string() }
    };
    path.to_string_lossy().chars().map(letter).collect()
}

/// Text that grows.
#[derive(Debug, Default)]
pub(crate) struct Page(pub String);

impl Page {
    pub(crate) fn add(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref());
    }
}
