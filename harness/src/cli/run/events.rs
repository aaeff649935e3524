//! The stream of events: one JSON object a line, on standard error or into a file.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use report_schema::{
    EVENT_VERSION, Event, Happening, SliceEnded, TrialEnded, TrialMoved, TrialStep,
};

use crate::record::Recorded;
use crate::run::Glimpse;
use crate::suite::Step;

/// A trial says how far it has come at most so often,
const PACE: Duration = Duration::from_millis(200);
/// and in a long one not before it has become longer by this part, so that hours are few lines.
const PACE_PART: u32 = 100;

/// Tells whoever listens; nobody listens to an empty one.
#[derive(Default)]
pub(in crate::cli) struct Events {
    listeners: Vec<Box<dyn Write>>,
    number: u64,
    cell: String,
    moved: Option<Instant>,
    began: Option<Instant>,
    failed: Option<io::Error>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Events").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Events {
    /// Opens the file, if one is asked for: a run must not end at one that cannot be written.
    pub(in crate::cli) fn open(file: Option<&Path>, on_stderr: bool) -> io::Result<Self> {
        let mut listeners: Vec<Box<dyn Write>> = vec![];
        if on_stderr {
            listeners.push(Box::new(io::stderr()));
        }
        if let Some(file) = file {
            listeners.push(Box::new(File::create(file)?));
        }
        Ok(Self { listeners, ..Self::default() })
    }

    /// Writes one event, in one piece, to each listener.
    pub(in crate::cli) fn tell(&mut self, what: Happening) {
        if self.listeners.is_empty() {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let event = Event { event_version: EVENT_VERSION, number: self.number, unix_ms, what };
        self.number += 1;
        let line = match serde_json::to_string(&event) {
            Ok(line) => format!("{line}\n"),
            Err(error) => {
                self.failed.get_or_insert(error.into());
                return;
            }
        };
        for listener in &mut self.listeners {
            match listener.write_all(line.as_bytes()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    self.failed.get_or_insert(error);
                }
                // A listener that went away is no error.
                _ => {}
            }
        }
    }

    /// The first event that could not be written.
    pub(in crate::cli) fn failure(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    pub(super) fn begin(&mut self, step: Step<'_>) {
        step.cell.clone_into(&mut self.cell);
        self.moved = None;
        self.began = Some(Instant::now());
        self.tell(Happening::TrialBegan(step_of(step)));
    }

    pub(super) fn moment(&mut self, phase: &'static str, commits: u64) {
        let lasts = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        let pace = PACE.max(lasts / PACE_PART);
        if self.moved.is_some_and(|last| last.elapsed() < pace) {
            return;
        }
        self.moved = Some(Instant::now());
        let (cell, phase) = (self.cell.clone(), phase.to_owned());
        self.tell(Happening::TrialMoved(TrialMoved { cell, phase, commits }));
    }

    pub(super) fn slice(&mut self, role: &str, glimpse: &Glimpse) {
        let Glimpse { start_ms, n, p50_ns, p99_ns, max_ns } = *glimpse;
        let (cell, role) = (self.cell.clone(), role.to_owned());
        let slice = SliceEnded { cell, role, start_ms, n, p50_ns, p99_ns, max_ns };
        self.tell(Happening::SliceEnded(slice));
    }

    pub(super) fn end(&mut self, step: Step<'_>, recorded: &Recorded) {
        let trial = &recorded.trial;
        let latencies = || trial.roles.iter().filter_map(|role| role.latency.as_ref());
        let troubles = trial.broken.iter().chain(&trial.stuck).chain(&trial.mismatches);
        let cut = trial.interrupted.then(|| "it was interrupted".to_owned());
        let producer = trial.roles.first();
        self.tell(Happening::TrialEnded(TrialEnded {
            trial: step_of(step),
            duration_ms: trial.duration_ms,
            class: trial.calibration.class,
            committed_per_s: producer.map_or(0.0, |role| role.throughput_msgs_per_s),
            p50_ns: latencies().map(|latency| latency.p50_ns).max(),
            p99_ns: latencies().map(|latency| latency.p99_ns).max(),
            violations: trial.counts.violations(),
            lost: trial.counts.lost,
            troubles: cut.into_iter().chain(troubles.cloned()).collect(),
        }));
    }
}

fn step_of(step: Step<'_>) -> TrialStep {
    TrialStep { number: step.number as u64, cell: step.cell.to_owned(), repeat: step.repeat }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_is_full_is_remembered_and_one_that_went_away_is_not() {
        let what =
            || Happening::TrialBegan(TrialStep { number: 1, cell: "c".to_owned(), repeat: 0 });
        let mut full = Events::open(Some(Path::new("/dev/full")), false).unwrap();
        full.tell(what());
        assert_eq!(full.failure().map(io::Error::kind), Some(ErrorKind::StorageFull));
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut gone = Events { listeners: vec![Box::new(writer)], ..Events::default() };
        gone.tell(what());
        assert!(gone.failure().is_none());
    }
}
