//! What each kind of worker does between the two calibrations, and what it can say afterwards.

use std::rc::Rc;

use datahub::wait::monotonic_ns;
use report_schema::LatencyKind;

use super::latency::Recorder;
use super::log::SharedLog;
use super::loops;
use super::meter::SharedMeter;
use super::pace::{Schedule, Spacing};
use super::payload::mix;
use super::reader::{End, Reader};
use super::steady::{Gauge, Levels};
use super::ticks::Ticks;
use super::transport::{Inlet, Outlet, Transport};
use super::visit::{Seat, Stays};
use super::wire::{Measured, Report, Span, Task};
use super::words::Words;
use super::writer::{Halt, Writer};
use super::zone::Zones;
use crate::history::Kind;

/// The ends that a worker holds.
#[derive(Debug)]
pub(super) enum Ends<'a, T: Transport> {
    /// Makes and fills.
    Outlet(T::Outlet),
    /// Reads.
    Inlet(Seat<'a, T>),
    /// Both, for ping-pong: what it made, what it reads.
    Both(T::Outlet, T::Inlet),
}

/// What a duty is done with.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    pub(super) task: &'a Task,
    pub(super) words: &'a Words,
    /// Where the worker writes down what it does.
    pub(super) log: Option<SharedLog>,
    /// Counts what the processor does meanwhile.
    pub(super) meter: SharedMeter,
}

impl Desk<'_> {
    /// Does the worker's duty. The ends are closed afterwards. Who has `ticks` and both ends
    /// begins; the other one answers.
    ///
    /// # Errors
    ///
    /// When no histogram can be made.
    pub(super) fn work<T: Transport>(
        &self,
        ends: Ends<'_, T>,
        ticks: Option<Ticks>,
    ) -> Result<Report, hdrhistogram::CreationError> {
        match (ends, ticks) {
            (Ends::Outlet(outlet), _) => Ok(self.produce(outlet)),
            (Ends::Inlet(seat), _) => self.consume(seat),
            (Ends::Both(outlet, inlet), Some(ticks)) => self.initiate((outlet, inlet), &ticks),
            (Ends::Both(outlet, inlet), None) => Ok(self.echo(outlet, inlet)),
        }
    }

    fn writer(&self) -> Writer<'_> {
        let mut writer = Writer::new(self.task, self.words);
        writer.log.clone_from(&self.log);
        writer
    }

    fn reader(&self) -> Reader<'_> {
        let mut reader = Reader::new(self.task, self.words);
        reader.log.clone_from(&self.log);
        reader
    }

    /// A reader that knows by itself when the measured part begins.
    fn metered(&self) -> Reader<'_> {
        let mut reader = self.reader();
        reader.meter = Some(Rc::clone(&self.meter));
        reader
    }

    /// One span of the measured part, in which the processor's events count.
    fn measure(&self, span: impl FnOnce() -> Result<Measured, Halt>) -> Result<Measured, Halt> {
        self.meter.borrow_mut().begin(0);
        let outcome = span();
        let messages = outcome.as_ref().map_or(0, |measured| measured.messages);
        self.meter.borrow_mut().end(messages);
        outcome
    }

    fn recorder(&self, kind: LatencyKind) -> Result<Recorder, hdrhistogram::CreationError> {
        Recorder::new(kind, self.task.length.time_ns())
    }

    fn produce<O: Outlet>(&self, mut outlet: O) -> Report {
        let mut writer = self.writer();
        writer.note(Kind::Began, outlet.commits());
        let mut report = Report::default();
        let outcome = if let Some(rest) = self.rest(outlet.commits()) {
            self.measure(|| self.offer(&mut writer, &mut outlet, (rest, true)))
        } else {
            let outcome = self.warm(&mut report, |span, timed| {
                self.offer(&mut writer, &mut outlet, (span, timed))
            });
            outcome.and_then(|()| {
                self.measure(|| {
                    self.words.begin(outlet.commits(), monotonic_ns());
                    self.offer(&mut writer, &mut outlet, (self.task.length, true))
                })
            })
        };
        writer.note(Kind::Ended, outlet.commits());
        writer.leave_zones(&outlet);
        // Ends the stream.
        drop(outlet);
        self.wrote(&writer, &mut report);
        settle(&mut report, outcome);
        report
    }

    /// The warm-up: one span, or one interval after the other until the figures hold still.
    fn warm(
        &self,
        report: &mut Report,
        mut span: impl FnMut(Span, bool) -> Result<Measured, Halt>,
    ) -> Result<(), Halt> {
        let Some(steady) = self.task.steady else {
            return span(self.task.warmup, false).map(drop);
        };
        let scheduled = Spacing::of(self.task.pace, 0).is_some();
        let (mut levels, start_ns) = (Levels::new(steady), monotonic_ns());
        let mut number = 0;
        while !levels.is_over() && !self.words.stopped() {
            number += 1;
            self.words.enter_interval(number);
            let measured = span(Span::TimeNs(levels.interval_ns()), scheduled)?;
            let each = measured.ns.checked_div(measured.messages);
            let level = if scheduled { self.words.take_level() } else { each };
            levels.note(level, monotonic_ns().saturating_sub(start_ns));
        }
        report.warmup = Some(levels.finish());
        Ok(())
    }

    /// Who takes a dead one's place goes on for as long as that one would have.
    fn rest(&self, commits: u64) -> Option<Span> {
        self.task.fate.as_ref()?.block.as_ref()?;
        let (first, start_ns) = self.words.begun()?;
        Some(match self.task.length {
            Span::TimeNs(time) => {
                let end = start_ns.saturating_add(time);
                Span::TimeNs(end.saturating_sub(monotonic_ns()))
            }
            Span::Messages(count) => {
                Span::Messages(first.saturating_add(count).saturating_sub(commits))
            }
        })
    }

    fn offer<O: Outlet>(
        &self,
        writer: &mut Writer<'_>,
        outlet: &mut O,
        (span, timed): (Span, bool),
    ) -> Result<Measured, Halt> {
        let seed = mix(self.task.seed ^ u64::from(timed));
        let Some(spacing) = Spacing::of(self.task.pace, seed) else {
            return loops::stream(writer, outlet, span, timed);
        };
        let due = (Schedule::new(spacing), self.task.wait);
        loops::open(writer, outlet, (span, timed), due)
    }

    fn consume<T: Transport>(
        &self,
        seat: Seat<'_, T>,
    ) -> Result<Report, hdrhistogram::CreationError> {
        let mut reader = self.metered();
        if self.task.fate.as_ref().is_some_and(|fate| fate.block.is_some()) {
            reader.join_late();
        }
        if Spacing::of(self.task.pace, 0).is_some() {
            reader.latency = Some(self.recorder(LatencyKind::EndToEndFromIntendedStart)?);
            reader.service = Some(self.recorder(LatencyKind::EndToEndFromActualStart)?);
        } else {
            reader.latency = Some(self.recorder(LatencyKind::EndToEndFromActualStart)?);
        }
        if self.task.steady.is_some() {
            reader.gauge = Some(Gauge::new(self.task.role)?);
        }
        let mut stays = Stays::new(self.task, self.words);
        let end = stays.live(seat, &mut reader);
        reader.stop_counting();
        let mut report = Report::default();
        read(&reader, &mut report);
        stays.tell(&mut report);
        report.measured = reader.measured();
        report.wait(&reader.stalls);
        account(reader.zones.as_deref(), &mut report);
        if let End::Trouble(why) = end {
            report.trouble = Some(why);
        }
        Ok(report)
    }

    fn initiate<O: Outlet, I: Inlet>(
        &self,
        (mut forth, mut back): (O, I),
        ticks: &Ticks,
    ) -> Result<Report, hdrhistogram::CreationError> {
        let mut recorder = self.recorder(LatencyKind::RoundTripHalf)?;
        let mut writer = self.writer();
        let mut reader = self.reader();
        writer.note(Kind::Began, forth.commits());
        reader.note(Kind::Joined, back.next_sequence(), 0);
        let mut report = Report::default();
        let warmed = self.warm(&mut report, |span, _| {
            let both = (&mut forth, &mut back);
            loops::initiate(&mut writer, both, &mut reader, (span, ticks, None))
        });
        let mut outcome = warmed.map(|()| Measured::default());
        if outcome.is_ok() {
            outcome = self.measure(|| {
                let now = monotonic_ns();
                recorder.begin(now);
                self.words.begin(forth.commits(), now);
                let both = (&mut forth, &mut back);
                let length = (self.task.length, ticks, Some(&mut recorder));
                loops::initiate(&mut writer, both, &mut reader, length)
            });
        }
        writer.note(Kind::Ended, forth.commits());
        drop((forth, back));
        self.wrote(&writer, &mut report);
        read(&reader, &mut report);
        report.latency = recorder.finish();
        settle(&mut report, outcome);
        Ok(report)
    }

    fn echo<O: Outlet, I: Inlet>(&self, mut back: O, mut forth: I) -> Report {
        let mut writer = self.writer();
        let mut reader = self.metered();
        writer.note(Kind::Began, back.commits());
        reader.note(Kind::Joined, forth.next_sequence(), 0);
        let outcome = loops::echo(&mut writer, (&mut back, &mut forth), &mut reader);
        reader.stop_counting();
        writer.note(Kind::Ended, back.commits());
        drop((back, forth));
        let mut report = Report::default();
        self.wrote(&writer, &mut report);
        read(&reader, &mut report);
        settle(&mut report, outcome.map(|()| reader.measured()));
        report
    }

    fn wrote(&self, writer: &Writer<'_>, report: &mut Report) {
        writer.show();
        report.counts.committed += writer.committed;
        report.counts.timeouts += writer.timeouts;
        report.refusals = writer.refusals;
        report.bytes_written = writer.committed.saturating_mul(self.task.block.payload_bytes);
        report.wait(&writer.stalls);
        account(writer.zones(), report);
    }
}

fn read(reader: &Reader<'_>, report: &mut Report) {
    report.counts += reader.tally.counts;
    report.bytes_read = reader.tally.bytes;
    report.next = reader.tally.next();
    report.silent = reader.tally.silent;
    report.announced = reader.tally.told;
    report.evictions = reader.evictions;
    report.latency = reader.latency.as_ref().and_then(Recorder::finish);
    report.service = reader.service.as_ref().and_then(Recorder::finish);
}

/// What was done about the block's zones.
fn account(zones: Option<&Zones>, report: &mut Report) {
    let Some(zones) = zones else { return };
    report.zones = zones.accounts();
    report.disputes.extend(zones.disputes());
}

fn settle(report: &mut Report, outcome: Result<Measured, Halt>) {
    match outcome {
        Ok(measured) => report.measured = measured,
        Err(Halt::Trouble(why)) => report.trouble = Some(why),
        Err(Halt::Over) => {}
    }
}
