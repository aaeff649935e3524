//! What a running suite shows on standard error: a bar on a terminal, a line a trial elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use reports::format;

use super::Progress;
use super::events::Events;
use crate::record::Recorded;
use crate::run::Watch;
use crate::suite::{Observer, Step};

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
}

impl Display {
    pub(in crate::cli) fn new(progress: Progress, events: Events) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = progress == Progress::Bar || progress == Progress::Auto && terminal;
        let plain = progress == Progress::Plain || progress == Progress::Auto && !terminal;
        let bar = bar.then(|| {
            let bar = ProgressBar::new(0);
            // The template is a constant; one that cannot be read leaves the library's own.
            if let Ok(style) = ProgressStyle::with_template("{pos}/{len} [{wide_bar}] {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self { events, bar, plain, last: (Instant::now(), 0), cell: String::new() }
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
}

impl Observer for Display {
    fn begin(&mut self, step: Step<'_>) {
        self.events.begin(step);
        self.last = (Instant::now(), 0);
        step.cell.clone_into(&mut self.cell);
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
        let Step { number, total, cell, repeat } = step;
        let line = format!("[{number}/{total}] {cell} #{repeat}: {class}, {}", format::rate(rate));
        let mut parts = vec![line];
        if wrong > 0 {
            parts.push(format!("{wrong} violations"));
        }
        parts.extend(trial.broken.iter().chain(&trial.mismatches).cloned());
        let line = parts.join(", ");
        // Standard error that cannot be written is nobody's loss.
        let _unwritten = writeln!(anstream::stderr().lock(), "{line}").is_err();
    }
}
