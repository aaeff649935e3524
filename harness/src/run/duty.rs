//! What each kind of worker does between the two calibrations, and what it can say afterwards.

use datahub::consumer::Consumer;
use datahub::producer::Producer;
use datahub::wait::monotonic_ns;
use report_schema::LatencyKind;

use super::latency::Recorder;
use super::loops;
use super::pace::Schedule;
use super::payload::mix;
use super::plant::Hands;
use super::reader::{End, Reader};
use super::ticks::Ticks;
use super::wire::{Measured, Pace, Report, Span, Task, Waiting};
use super::words::Words;
use super::writer::{Halt, Writer};

/// The blocks of a worker, each with its handle.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved once")]
pub(super) enum Handles<H: Hands> {
    /// Makes and fills.
    Producer(Producer<H::Memory>),
    /// Reads.
    Consumer(Consumer<H::Memory>),
    /// Both, for ping-pong: what it made, what it reads.
    Both(Producer<H::Memory>, Consumer<H::Memory>),
}

/// What a duty is done with.
#[derive(Debug)]
pub(super) struct Desk<'a, H> {
    pub(super) task: &'a Task,
    pub(super) hands: &'a H,
    pub(super) words: &'a Words,
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
            (Handles::Consumer(consumer), _) => self.consume(consumer),
            (Handles::Both(producer, consumer), Some(ticks)) => {
                self.initiate((producer, consumer), &ticks)
            }
            (Handles::Both(producer, consumer), None) => Ok(self.echo(producer, consumer)),
        }
    }

    fn recorder(&self, kind: LatencyKind) -> Result<Recorder, hdrhistogram::CreationError> {
        Recorder::new(kind, self.task.length.time_ns())
    }

    fn produce(&self, mut producer: Producer<H::Memory>) -> Report {
        let mut writer = Writer::new(self.task, self.hands, self.words);
        let outcome = if let Some(rest) = self.rest(producer.commit_index()) {
            self.offer(&mut writer, &mut producer, (rest, true))
        } else {
            let outcome = self.offer(&mut writer, &mut producer, (self.task.warmup, false));
            outcome.and_then(|_| {
                self.words.begin(producer.commit_index(), monotonic_ns());
                self.offer(&mut writer, &mut producer, (self.task.length, true))
            })
        };
        // Ends the stream.
        drop(producer);
        let mut report = Report::default();
        self.wrote(&writer, &mut report);
        settle(&mut report, outcome);
        report
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
        let Pace::Open { rate_hz, poisson } = self.task.pace else {
            return loops::stream(writer, producer, span, timed);
        };
        let schedule = Schedule::new(rate_hz, poisson, mix(self.task.seed ^ u64::from(timed)));
        loops::open(writer, producer, (span, timed), (schedule, self.task.wait))
    }

    fn consume(
        &self,
        mut consumer: Consumer<H::Memory>,
    ) -> Result<Report, hdrhistogram::CreationError> {
        let mut reader = Reader::new(self.task, self.words);
        if self.task.fate.as_ref().is_some_and(|fate| fate.block.is_some()) {
            reader.join_late();
        }
        match self.task.pace {
            Pace::Open { .. } => {
                reader.latency = Some(self.recorder(LatencyKind::EndToEndFromIntendedStart)?);
                reader.service = Some(self.recorder(LatencyKind::EndToEndFromActualStart)?);
            }
            _ => reader.latency = Some(self.recorder(LatencyKind::EndToEndFromActualStart)?),
        }
        let end = loops::consume(&mut consumer, &mut reader);
        drop(consumer);
        let mut report = Report::default();
        read(&reader, &mut report);
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
        let mut writer = Writer::new(self.task, self.hands, self.words);
        let mut reader = Reader::new(self.task, self.words);
        let both = (&mut forth, &mut back);
        let warmup = (self.task.warmup, ticks, None);
        let mut outcome = loops::initiate(&mut writer, both, &mut reader, warmup);
        if outcome.is_ok() {
            let now = monotonic_ns();
            recorder.begin(now);
            self.words.begin(forth.commit_index(), now);
            let both = (&mut forth, &mut back);
            let length = (self.task.length, ticks, Some(&mut recorder));
            outcome = loops::initiate(&mut writer, both, &mut reader, length);
        }
        drop((forth, back));
        let mut report = Report::default();
        self.wrote(&writer, &mut report);
        read(&reader, &mut report);
        report.latency = recorder.finish();
        settle(&mut report, outcome);
        Ok(report)
    }

    fn echo(&self, mut back: Producer<H::Memory>, mut forth: Consumer<H::Memory>) -> Report {
        let mut writer = Writer::new(self.task, self.hands, self.words);
        let mut reader = Reader::new(self.task, self.words);
        let outcome = loops::echo(&mut writer, (&mut back, &mut forth), &mut reader);
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
