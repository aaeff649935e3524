//! What each kind of worker does between the two calibrations, and what it can say afterwards.

use datahub::consumer::Consumer;
use datahub::producer::Producer;
use datahub::wait::monotonic_ns;
use report_schema::LatencyKind;

use super::latency::Recorder;
use super::log::SharedLog;
use super::loops;
use super::pace::{Schedule, Spacing};
use super::payload::mix;
use super::plant::Hands;
use super::reader::{End, Reader};
use super::steady::{Gauge, Levels};
use super::ticks::Ticks;
use super::visit::{Seat, Stays};
use super::wire::{Measured, Report, Span, Task, Waiting};
use super::words::Words;
use super::writer::{Halt, Writer};
use crate::history::Kind;

/// The blocks of a worker, each with its handle.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved once")]
pub(super) enum Handles<H: Hands> {
    /// Makes and fills.
    Producer(Producer<H::Memory>),
    /// Reads.
    Consumer(Seat<H::Memory>),
    /// Both, for ping-pong: what it made, what it reads.
    Both(Producer<H::Memory>, Consumer<H::Memory>),
}

/// What a duty is done with.
#[derive(Debug)]
pub(super) struct Desk<'a, H> {
    pub(super) task: &'a Task,
    pub(super) hands: &'a H,
    pub(super) words: &'a Words,
    /// Where the worker writes down what it does.
    pub(super) log: Option<SharedLog>,
}

impl<H: Hands> Desk<'_, H> {
    /// Does the worker's duty. The handles are closed afterwards. Who has `ticks` and both handles
    /// begins; the other one answers.
    ///
    /// # Errors
    ///
    /// When no histogram can be made.
    pub(super) fn work(
        &self,
        handles: Handles<H>,
        ticks: Option<Ticks>,
    ) -> Result<Report, hdrhistogram::CreationError> {
        match (handles, ticks) {
            (Handles::Producer(producer), _) => Ok(self.produce(producer)),
            (Handles::Consumer(seat), _) => self.consume(seat),
            (Handles::Both(producer, consumer), Some(ticks)) => {
                self.initiate((producer, consumer), &ticks)
            }
            (Handles::Both(producer, consumer), None) => Ok(self.echo(producer, consumer)),
        }
    }

    fn writer(&self) -> Writer<'_, H> {
        let mut writer = Writer::new(self.task, self.hands, self.words);
        writer.log.clone_from(&self.log);
        writer
    }

    fn reader(&self) -> Reader<'_> {
        let mut reader = Reader::new(self.task, self.words);
        reader.log.clone_from(&self.log);
        reader
    }

    fn recorder(&self, kind: LatencyKind) -> Result<Recorder, hdrhistogram::CreationError> {
        Recorder::new(kind, self.task.length.time_ns())
    }

    fn produce(&self, mut producer: Producer<H::Memory>) -> Report {
        let mut writer = self.writer();
        writer.note(Kind::Began, producer.commit_index());
        let mut report = Report::default();
        let outcome = if let Some(rest) = self.rest(producer.commit_index()) {
            self.offer(&mut writer, &mut producer, (rest, true))
        } else {
            let outcome = self.warm(&mut report, |span, timed| {
                self.offer(&mut writer, &mut producer, (span, timed))
            });
            outcome.and_then(|()| {
                self.words.begin(producer.commit_index(), monotonic_ns());
                self.offer(&mut writer, &mut producer, (self.task.length, true))
            })
        };
        writer.note(Kind::Ended, producer.commit_index());
        // Ends the stream.
        drop(producer);
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

    fn offer(
        &self,
        writer: &mut Writer<'_, H>,
        producer: &mut Producer<H::Memory>,
        (span, timed): (Span, bool),
    ) -> Result<Measured, Halt> {
        let seed = mix(self.task.seed ^ u64::from(timed));
        let Some(spacing) = Spacing::of(self.task.pace, seed) else {
            return loops::stream(writer, producer, span, timed);
        };
        let due = (Schedule::new(spacing), self.task.wait);
        loops::open(writer, producer, (span, timed), due)
    }

    fn consume(&self, seat: Seat<H::Memory>) -> Result<Report, hdrhistogram::CreationError> {
        let mut reader = self.reader();
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
        let end = stays.live(seat, &mut reader, self.hands);
        let mut report = Report::default();
        read(&reader, &mut report);
        stays.tell(&mut report);
        report.measured = reader.measured();
        report.stalls.clone_from(&reader.stalls.kept);
        report.longest_wait_ns = reader.stalls.longest_ns();
        if let End::Trouble(why) = end {
            report.trouble = Some(why);
        }
        Ok(report)
    }

    fn initiate(
        &self,
        (mut forth, mut back): (Producer<H::Memory>, Consumer<H::Memory>),
        ticks: &Ticks,
    ) -> Result<Report, hdrhistogram::CreationError> {
        let mut recorder = self.recorder(LatencyKind::RoundTripHalf)?;
        let mut writer = self.writer();
        let mut reader = self.reader();
        writer.note(Kind::Began, forth.commit_index());
        reader.note(Kind::Joined, back.next_sequence(), 0);
        let mut report = Report::default();
        let warmed = self.warm(&mut report, |span, _| {
            let both = (&mut forth, &mut back);
            loops::initiate(&mut writer, both, &mut reader, (span, ticks, None))
        });
        let mut outcome = warmed.map(|()| Measured::default());
        if outcome.is_ok() {
            let now = monotonic_ns();
            recorder.begin(now);
            self.words.begin(forth.commit_index(), now);
            let both = (&mut forth, &mut back);
            let length = (self.task.length, ticks, Some(&mut recorder));
            outcome = loops::initiate(&mut writer, both, &mut reader, length);
        }
        writer.note(Kind::Ended, forth.commit_index());
        drop((forth, back));
        self.wrote(&writer, &mut report);
        read(&reader, &mut report);
        report.latency = recorder.finish();
        settle(&mut report, outcome);
        Ok(report)
    }

    fn echo(&self, mut back: Producer<H::Memory>, mut forth: Consumer<H::Memory>) -> Report {
        let mut writer = self.writer();
        let mut reader = self.reader();
        writer.note(Kind::Began, back.commit_index());
        reader.note(Kind::Joined, forth.next_sequence(), 0);
        let outcome = loops::echo(&mut writer, (&mut back, &mut forth), &mut reader);
        writer.note(Kind::Ended, back.commit_index());
        drop((back, forth));
        let mut report = Report::default();
        self.wrote(&writer, &mut report);
        read(&reader, &mut report);
        settle(&mut report, outcome.map(|()| reader.measured()));
        report
    }

    fn wrote(&self, writer: &Writer<'_, H>, report: &mut Report) {
        writer.show();
        report.counts.committed += writer.committed;
        report.counts.timeouts += writer.timeouts;
        report.bytes_written = writer.committed.saturating_mul(self.task.block.payload_bytes);
        report.stalls.clone_from(&writer.stalls.kept);
        report.longest_wait_ns = writer.stalls.longest_ns();
    }
}

fn read(reader: &Reader<'_>, report: &mut Report) {
    report.counts += reader.tally.counts;
    report.bytes_read = reader.tally.bytes;
    report.next = reader.tally.next();
    report.silent = reader.tally.silent;
    report.latency = reader.latency.as_ref().and_then(Recorder::finish);
    report.service = reader.service.as_ref().and_then(Recorder::finish);
}

fn settle(report: &mut Report, outcome: Result<Measured, Halt>) {
    match outcome {
        Ok(measured) => report.measured = measured,
        Err(Halt::Trouble(why)) => report.trouble = Some(why),
        Err(Halt::Over) => {}
    }
}

/// How handles wait.
pub(super) fn strategy(waiting: Waiting) -> datahub::wait::WaitStrategy {
    match waiting {
        Waiting::Spin => datahub::wait::WaitStrategy::Spin,
        Waiting::Yield => datahub::wait::WaitStrategy::Yield,
        Waiting::Park => datahub::wait::WaitStrategy::Park,
    }
}
