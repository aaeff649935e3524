//! What a running suite shows on standard error: a bar on a terminal, a line a trial elsewhere.

use std::io::Write as _;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use report_schema::Side;
use reports::format;

use super::events::Events;
use crate::cli::left::Left;
use crate::cli::listeners::Progress;
use crate::record::Recorded;
use crate::run::{Glimpse, Watch};
use crate::suite::{Observer, Step};
use crate::units::Nanos;

/// Where there is no bar, a trial that takes longer says how far it has come,
const SILENCE: Duration = Duration::from_secs(10);
/// and again when it has become longer by this part, but at least so often.
const SILENCE_PART: u32 = 10;
const SILENCE_MAX: Duration = Duration::from_mins(10);

/// Shows a suite's progress.
#[derive(Debug)]
pub(in crate::cli) struct Display {
    /// For programs.
    pub(in crate::cli) events: Events,
    bar: Option<ProgressBar>,
    plain: bool,
    /// Commits when they were last looked at.
    last: (Instant, u64),
    cell: String,
    /// How long everything will still take, in words.
    left: String,
    /// What a line about the present trial begins with, and how long that will take.
    line: (String, Nanos),
    began: Instant,
    /// The worst 99th percentile of the slices that were told since the last line, and whose.
    p99: Option<(u64, String)>,
    /// Which of how many runs this is.
    round: Round,
}

/// One of several runs that are waited for together.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Round {
    /// From 0.
    pub(in crate::cli) number: u32,
    /// At least one.
    pub(in crate::cli) of: u32,
    /// Since the first one began.
    pub(in crate::cli) left: Left,
}

impl Round {
    /// The only one, which begins now.
    pub(in crate::cli) fn only() -> Self {
        Self { number: 0, of: 1, left: Left::new() }
    }

    /// Before this of all its trials: which run it is, and how long everything will still take.
    fn said(self, trial: usize, trials: usize) -> (String, String) {
        let part = trial.saturating_sub(1) as f64 / trials.max(1) as f64;
        let left = self.left.at((f64::from(self.number) + part) / f64::from(self.of));
        let which = match self.of {
            1 => String::new(),
            of => format!("comparison {} of {of} ", self.number + 1),
        };
        (which, left)
    }
}

impl Display {
    pub(in crate::cli) fn new(progress: Progress, events: Events, round: Round) -> Self {
        let (bar, plain) = progress.shown();
        let (now, line) = (Instant::now(), (String::new(), Nanos(0)));
        Self {
            events,
            bar,
            plain,
            last: (now, 0),
            cell: String::new(),
            left: String::new(),
            line,
            began: now,
            p99: None,
            round,
        }
    }

    /// A line now and then, so that hours are not silent.
    fn say(&mut self, phase: &str, commits: u64) {
        let (now, lasts) = (Instant::now(), self.began.elapsed());
        let since = now.duration_since(self.last.0);
        if since < SILENCE.max(lasts / SILENCE_PART).min(SILENCE_MAX) {
            return;
        }
        let rate = commits.saturating_sub(self.last.1) as f64 / since.as_secs_f64();
        self.last = (now, commits);
        let (what, whole) = (&self.line.0, self.line.1.rough());
        let lasts = Nanos(u64::try_from(lasts.as_nanos()).unwrap_or(u64::MAX)).rough();
        let worst = self.p99.take().map_or(String::new(), |(p99_ns, role)| {
            format!(", p99 of {role} {}", format::nanos(p99_ns as f64))
        });
        let rate = format::rate(rate);
        let line = format!("{what}: {phase} for {lasts} of about {whole}, {rate}{worst}");
        // Standard error that cannot be written is nobody's loss.
        let _unwritten = writeln!(anstream::stderr().lock(), "{line}").is_err();
    }

    /// Takes the bar away.
    pub(in crate::cli) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Display {
    fn moment(&mut self, phase: &'static str, commits: u64) {
        self.events.moment(phase, commits);
        if self.plain {
            return self.say(phase, commits);
        }
        let Some(bar) = &self.bar else { return };
        let now = Instant::now();
        let seconds = now.duration_since(self.last.0).as_secs_f64();
        if seconds < 0.1 {
            return;
        }
        let rate = commits.saturating_sub(self.last.1) as f64 / seconds;
        self.last = (now, commits);
        bar.set_message(format!("{} {phase} {}", self.cell, format::rate(rate)));
    }

    fn slice(&mut self, role: &str, glimpse: &Glimpse) {
        self.events.slice(role, glimpse);
        if self.p99.as_ref().is_none_or(|(worst_ns, _)| glimpse.p99_ns > *worst_ns) {
            self.p99 = Some((glimpse.p99_ns, role.to_owned()));
        }
    }
}

impl Observer for Display {
    fn begin(&mut self, step: Step<'_>) {
        self.events.begin(step);
        self.last = (Instant::now(), 0);
        let Step { number, total, cell, repeat, estimate, side } = step;
        let (which, left) = self.round.said(number, total);
        let side = match side {
            None => "",
            Some(Side::Base) => "A ",
            Some(Side::Candidate) => "B ",
        };
        self.cell = format!("{which}{side}{cell}{left}");
        self.left = left;
        self.line = (format!("{which}[{number}/{total}] {side}{cell} #{repeat}"), estimate);
        (self.began, self.p99) = (Instant::now(), None);
        if let Some(bar) = &self.bar {
            bar.set_length(step.total as u64);
            bar.set_position(step.number.saturating_sub(1) as u64);
            bar.set_message(self.cell.clone());
        }
    }

    fn end(&mut self, step: Step<'_>, recorded: &Recorded) {
        self.events.end(step, recorded);
        if !self.plain {
            return;
        }
        let trial = &recorded.trial;
        let rate = trial.roles.first().map_or(0.0, |producer| producer.throughput_msgs_per_s);
        let class = trial.calibration.class.as_str();
        let wrong = trial.counts.violations().saturating_add(trial.counts.lost);
        let what = &self.line.0;
        let line = format!("{what}: {class}, {}", format::rate(rate));
        let mut parts = vec![line];
        if wrong > 0 {
            parts.push(format!("{wrong} violations"));
        }
        parts.extend(trial.broken.iter().chain(&trial.mismatches).cloned());
        let line = parts.join(", ") + &self.left;
        // Standard error that cannot be written is nobody's loss.
        let _unwritten = writeln!(anstream::stderr().lock(), "{line}").is_err();
    }
}
