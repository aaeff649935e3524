//! What is wrong with a scenario: all of it at once, each with its place and a way out.

mod excerpt;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use miette::{Severity, SourceCode};

/// A place: bytes of the file (source 0) or of the n-th setting from the command line (source n).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Span {
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// Bytes `start..end` of the same text, counted from this span's start.
    pub(crate) fn within(self, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| (self.start + offset).min(self.end);
        Self { source: self.source, start: clamp(start), end: clamp(end) }
    }
}

/// A text that was read, with the name people know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// One mistake, before its place is known in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) code: &'static str,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: String,
    /// A second place, as in "first here".
    pub(crate) other: Option<(Span, String)>,
}

impl Mistake {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: String::new(),
            help: String::new(),
            other: None,
        }
    }

    /// The few words under the caret.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The way out.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// A second place.
    pub(crate) fn other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.other = Some((span, label.into()));
        self
    }
}

/// Gathers mistakes; the same one is kept once, however many cells of the matrix show it.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    all: RefCell<Vec<Mistake>>,
    spoiled: Cell<bool>,
}

/// Missing keys share the place of their table; only their messages tell them apart.
pub(crate) const MISSING: &str = "scenario::missing-key";

/// More than this is noise, and a hostile file could make millions.
const MISTAKES_MAX: usize = 100;

impl Mistakes {
    pub(crate) fn push(&self, mistake: Mistake) {
        let mut all = self.all.borrow_mut();
        let known = |seen: &Mistake| {
            let place = seen.span == mistake.span && seen.code == mistake.code;
            place && (seen.code != MISSING || seen.message == mistake.message)
        };
        if all.len() < MISTAKES_MAX && !all.iter().any(known) {
            all.push(mistake);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.borrow().is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.all.borrow().len() >= MISTAKES_MAX
    }

    /// Notes that something could not be used whose mistake is already known.
    pub(crate) fn spoil(&self) {
        self.spoiled.set(true);
    }

    /// Runs a step and keeps its result only if no mistake lies in what it looked at.
    ///
    /// A mistake that was found before counts too: it is found again, and known.
    pub(crate) fn clean<T>(&self, step: impl FnOnce(&Self) -> T) -> Option<T> {
        let inner = Self::default();
        let result = step(&inner);
        let found = inner.all.into_inner();
        let clean = found.is_empty() && !inner.spoiled.get();
        for mistake in found {
            self.push(mistake);
        }
        clean.then_some(result)
    }

    /// Every mistake.
    pub(crate) fn into_all(self) -> Vec<Mistake> {
        self.all.into_inner()
    }

    /// The result, or every mistake with lines and columns.
    pub(crate) fn into_error(self, sources: &[Source]) -> Option<ScenarioError> {
        let mut all = self.all.into_inner();
        all.sort_by_key(|mistake| (mistake.span.source, mistake.span.start));
        let problems: Vec<Problem> =
            all.into_iter().map(|mistake| Problem::new(mistake, sources)).collect();
        let file = sources.first().map(|source| source.name.clone()).unwrap_or_default();
        (!problems.is_empty()).then_some(ScenarioError { file, problems })
    }
}

/// Everything that is wrong with one scenario file.
#[derive(Debug, Clone)]
pub struct ScenarioError {
    /// The file, as it was named by the caller.
    pub file: String,
    /// At least one, in the order of the file.
    pub problems: Vec<Problem>,
}

/// One mistake with its place.
#[derive(Debug, Clone)]
pub struct Problem {
    /// A stable word, as in `scenario::unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// The way out; may be empty.
    pub help: String,
    /// The text that was read: the file, or a setting of the command line.
    pub place: String,
    /// From 1; 0 where there is no text to point at.
    pub line: usize,
    /// In characters, from 1; 0 where there is no text to point at.
    pub column: usize,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

impl Problem {
    fn new(mistake: Mistake, sources: &[Source]) -> Self {
        let source = sources.get(mistake.span.source);
        let (line, column) = source.map_or((0, 0), |source| position(&source.text, mistake.span));
        let mut labels = vec![(mistake.span, mistake.label)];
        labels.extend(mistake.other.filter(|other| other.0.source == mistake.span.source));
        let shown = source.map(|source| {
            let places = labels.iter().map(|(span, _)| boundaries(&source.text, *span));
            let places: Vec<_> = places.map(|(start, end)| start..end).collect();
            let (text, places) = excerpt::of(&source.text, &places);
            let label = |(place, (_, label)): (Range<usize>, (Span, String))| {
                LabeledSpan::new((!label.is_empty()).then_some(label), place.start, place.len())
            };
            let labels = places.into_iter().zip(labels).map(label).collect();
            (NamedSource::new(&source.name, text), labels)
        });
        let (shown, labels) = shown.unzip();
        Self {
            code: mistake.code,
            message: excerpt::shortened(mistake.message),
            help: excerpt::shortened(mistake.help),
            place: source.map(|source| source.name.clone()).unwrap_or_default(),
            line,
            column,
            source: shown,
            labels: labels.unwrap_or_default(),
        }
    }
}

/// The span, moved outwards to character boundaries and cut at the end of the text.
fn boundaries(text: &str, span: Span) -> (usize, usize) {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    (start, end)
}

/// Line and column from 1.
fn position(text: &str, span: Span) -> (usize, usize) {
    let before = &text[..boundaries(text, span).0];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    (line, column)
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    position(text, Span { source: 0, start: offset, end: offset }).0
}

impl ScenarioError {
    /// An error about the file itself: there is no text to point at.
    pub(crate) fn unreadable(file: &str, message: String, help: &str) -> Self {
        let nowhere = Span { source: usize::MAX, ..Span::default() };
        let mistake = Mistake::new("scenario::unreadable", nowhere, message).help(help);
        Self { file: file.to_owned(), problems: vec![Problem::new(mistake, &[])] }
    }

    /// Takes out what is wrong with settings of the command line and was told before, of another
    /// file.
    pub fn drop_told(&mut self, told: &mut BTreeSet<(String, usize)>) {
        self.problems.retain(|problem| {
            let text = problem.source.as_ref().map_or("", |source| source.inner().as_str());
            let key = (format!("{text}: {}", problem.message), problem.column);
            problem.place != super::SETTING || told.insert(key)
        });
    }

    /// All problems with lines of the file and carets, for people.
    #[must_use]
    pub fn render(&self, colour: bool, width: usize) -> String {
        let theme =
            if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width.max(40));
        let mut text = String::new();
        for problem in &self.problems {
            if handler.render_report(&mut text, problem).is_err() {
                text.push_str(&problem.to_string());
            }
            text.push('\n');
        }
        text.push_str(&self.to_string());
        text.push('\n');
        text
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let more = if count >= MISTAKES_MAX { " or more" } else { "" };
        let word = if count == 1 { "problem" } else { "problems" };
        write!(f, "{}: {count}{more} {word}", self.file)
    }
}

impl std::error::Error for ScenarioError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
