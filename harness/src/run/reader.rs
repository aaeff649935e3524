//! The consuming side of a worker: every payload is checked, some are timed.

use std::time::Duration;

use datahub::consumer::ReadError;
use datahub::wait::monotonic_ns;

use super::latency::Recorder;
use super::log::SharedLog;
use super::meter::SharedMeter;
use super::pace::busy;
use super::payload::{Keyed, Stamp};
use super::stall::Stalls;
use super::steady::Gauge;
use super::tally::Tally;
use super::transport::{Inlet, Nothing};
use super::wire::{Measured, Pace, Task};
use super::words::{Words, nap};
use super::writer::Halt;
use super::zone::Zones;
use crate::history::Kind;

/// How long one read may wait.
const TIMEOUT_NS: u64 = 500_000_000;
/// The rate of fast messages is taken from the clock once in so many, a power of two.
const TICK: u64 = 64;

/// Why no more is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The producer has ended the stream.
    Ended,
    /// It was time to leave.
    Left,
    /// The producer has gone on without it.
    Evicted,
    /// Something went wrong.
    Trouble(String),
}

impl End {
    /// As a reason not to write on; `ended` says what the end of the stream means here.
    pub(super) fn into_halt(self, ended: &str) -> Halt {
        match self {
            Self::Ended | Self::Left | Self::Evicted => Halt::Trouble(ended.to_owned()),
            Self::Trouble(why) => Halt::Trouble(why),
        }
    }
}

/// A payload larger than this takes so long that a reading of the clock beside it is not felt.
const FAST_BYTES: u64 = 16 << 10;

/// Whether messages come so fast that a reading of the clock for each would be felt.
fn is_fast(task: &Task) -> bool {
    matches!(task.pace, Pace::Stream | Pace::PingPong)
        && task.work_ns == 0
        && task.block.payload_bytes <= FAST_BYTES
}

/// Messages and bytes at one moment.
#[derive(Debug, Clone, Copy)]
struct Mark {
    ns: u64,
    messages: u64,
    bytes: u64,
}

/// Reads messages, checks and counts them.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    words: &'a Words,
    keyed: Keyed,
    pub(super) tally: Tally,
    work_ns: u64,
    /// Reads in a row that found nothing, and how many there may be.
    idle: u64,
    idle_max: u64,
    /// Delivered when a read last found nothing.
    idle_at: u64,
    tick: u64,
    first: Option<Mark>,
    last: Option<Mark>,
    /// When the measured part began, once that is known.
    begun: bool,
    pub(super) latency: Option<Recorder>,
    pub(super) service: Option<Recorder>,
    /// Where it writes down what it does.
    pub(super) log: Option<SharedLog>,
    /// Counts what the processor does in the measured part.
    pub(super) meter: Option<SharedMeter>,
    /// Tells the level of the warm-up, where that is asked for.
    pub(super) gauge: Option<Gauge>,
    role: usize,
    pub(super) stalls: Stalls,
    /// The block's flexible zones, where there are some.
    pub(super) zones: Option<Box<Zones>>,
    /// Since when it waits for somebody who takes the dead producer's place.
    orphan_since: Option<u64>,
    heirs: bool,
    /// How often the producer went on without it.
    pub(super) evictions: u64,
    patience_ns: u64,
    /// When it leaves, from the start of the measured part, and by the clock once that is known.
    leave: Option<(u64, Option<u64>)>,
    /// What was delivered in earlier stays.
    before: Measured,
}

impl<'a> Reader<'a> {
    pub(super) fn new(task: &Task, words: &'a Words) -> Self {
        Self {
            words,
            keyed: Keyed::new(task.seed, task.whole),
            tally: Tally::new(task.block.promise),
            work_ns: task.work_ns,
            idle: 0,
            idle_max: task.patience_ns.div_ceil(TIMEOUT_NS),
            idle_at: 0,
            tick: if is_fast(task) && task.fate.is_none() { TICK } else { 1 },
            first: None,
            last: None,
            begun: false,
            latency: None,
            service: None,
            log: None,
            meter: None,
            gauge: None,
            role: task.role,
            stalls: Stalls::new(task.fate.is_some()),
            zones: Zones::of(task),
            orphan_since: None,
            heirs: task.fate.as_ref().is_some_and(|fate| fate.heirs),
            evictions: 0,
            patience_ns: task.patience_ns,
            leave: None,
            before: Measured::default(),
        }
    }

    /// It joins while messages flow.
    pub(super) fn join_late(&mut self) {
        self.tally.join_late();
    }

    /// It leaves so long after the measured part began, or stays to the end.
    pub(super) fn stay_until(&mut self, after_ns: Option<u64>) {
        self.leave = after_ns.map(|after_ns| (after_ns, None));
    }

    /// Whether it is time to leave. Who stays to the end asks no clock.
    #[inline]
    pub(super) fn is_leaving(&mut self) -> bool {
        self.leave.is_some() && self.leave_ns().is_some_and(|leave_ns| monotonic_ns() >= leave_ns)
    }

    /// When it leaves, once that is known.
    fn leave_ns(&mut self) -> Option<u64> {
        let (after_ns, known) = self.leave.as_mut()?;
        if known.is_none() {
            *known = self.words.begun().map(|(_, start_ns)| start_ns.saturating_add(*after_ns));
        }
        *known
    }

    /// Closes the account of one stay: the time until the next one is not its own.
    pub(super) fn pause(&mut self) {
        self.stop_counting();
        self.before = self.measured();
        (self.first, self.last, self.idle) = (None, None, 0);
    }

    /// Waits for one message and takes it.
    #[inline]
    pub(super) fn take_one<I: Inlet>(&mut self, inlet: &mut I) -> Result<(), End> {
        let from_ns = self.stalls.begin();
        loop {
            let taken = inlet.take(self.timeout(), |label, payload| {
                self.stalls.end(from_ns, self.words);
                self.take(label, payload);
            });
            match taken {
                Ok(()) => break,
                Err(nothing) => self.nothing(nothing)?,
            }
        }
        if let Some(zones) = &mut self.zones {
            // The last message that was taken is the one before the next.
            zones.beside(inlet, self.tally.next().saturating_sub(1));
        }
        Ok(())
    }

    /// Who is to leave waits no longer than that.
    #[inline]
    fn timeout(&mut self) -> Duration {
        let leave_ns = if self.leave.is_some() { self.leave_ns() } else { None };
        let left = |leave_ns: u64| leave_ns.saturating_sub(monotonic_ns()).max(1);
        let timeout_ns = leave_ns.map_or(TIMEOUT_NS, |leave_ns| left(leave_ns).min(TIMEOUT_NS));
        Duration::from_nanos(timeout_ns)
    }

    #[inline]
    fn take(&mut self, label: u64, payload: &[u8]) {
        let timed = Keyed::intended_ns(payload) != 0;
        let now = if timed { monotonic_ns() } else { 0 };
        if self.work_ns != 0 {
            busy(self.work_ns);
        }
        if self.stalls.on() {
            self.orphan_since = None;
            busy(self.words.slowed_ns(self.role));
        }
        // Checked at the end: nothing may change while the payload is held.
        let found = self.keyed.check(payload, label);
        if let Some(log) = &self.log {
            log.borrow_mut().delivered(&self.keyed, label, payload);
        }
        self.tally.delivered(label, payload.len(), &found);
        if timed
            && let Ok(stamp) = &found
            && stamp.intended_ns != 0
        {
            self.time(now, stamp);
        }
        // A power of two: a division would cost each message as much as its order does.
        if self.tally.counts.delivered & (self.tick - 1) == 0 {
            self.mark(label);
        }
    }

    #[inline]
    fn time(&mut self, now_ns: u64, stamp: &Stamp) {
        let latency_ns = now_ns.saturating_sub(stamp.intended_ns);
        if !self.begun && !self.begin(stamp.sequence, latency_ns) {
            return;
        }
        if let Some(latency) = &mut self.latency
            && latency.record(now_ns, latency_ns)
        {
            self.words.tell_slice(self.role, &latency.glimpse());
        }
        if let Some(service) = &mut self.service
            && stamp.actual_ns != 0
        {
            service.record(now_ns, now_ns.saturating_sub(stamp.actual_ns));
        }
    }

    /// A timed message before the measured part is known to have begun. Says whether it is of that.
    #[cold]
    fn begin(&mut self, sequence: u64, latency_ns: u64) -> bool {
        let begun = self.words.begun();
        if let Some(gauge) = &mut self.gauge
            && begun.is_none_or(|(first, _)| sequence < first)
        {
            gauge.record(self.words, latency_ns);
            return false;
        }
        let origin = begun.map_or_else(monotonic_ns, |(_, start_ns)| start_ns);
        for recorder in [&mut self.latency, &mut self.service].into_iter().flatten() {
            recorder.begin(origin);
        }
        self.begun = true;
        true
    }

    /// Notes when how much was delivered, in the measured part.
    #[inline]
    fn mark(&mut self, label: u64) {
        if self.stalls.on() {
            self.words.account(self.role, &self.tally.counts);
        }
        if self.first.is_none() {
            if self.words.begun().is_none_or(|(first, _)| label < first) {
                return;
            }
            self.start_counting();
        }
        let (messages, bytes) = (self.tally.counts.delivered, self.tally.bytes);
        let mark = Mark { ns: monotonic_ns(), messages, bytes };
        self.first.get_or_insert(mark);
        self.last = Some(mark);
    }

    /// Switches the processor's counters on, before the first mark is taken.
    #[cold]
    fn start_counting(&self) {
        if let Some(meter) = &self.meter {
            meter.borrow_mut().begin(self.tally.counts.delivered);
        }
    }

    /// Nothing more is measured, for now.
    pub(super) fn stop_counting(&self) {
        if let Some(meter) = &self.meter {
            meter.borrow_mut().end(self.tally.counts.delivered);
        }
    }

    /// What was delivered between the first and the last mark.
    pub(super) fn measured(&self) -> Measured {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return self.before;
        };
        Measured {
            messages: self.before.messages + last.messages - first.messages,
            bytes: self.before.bytes + last.bytes - first.bytes,
            ns: self.before.ns + last.ns.saturating_sub(first.ns),
        }
    }

    /// Writes down what happened, where that is asked for.
    pub(super) fn note(&self, kind: Kind, sequence: u64, detail: u64) {
        if let Some(log) = &self.log {
            log.borrow_mut().note(kind, sequence, detail);
        }
    }

    /// Nothing to read now. Says whether to try again.
    #[cold]
    fn nothing(&mut self, nothing: Nothing) -> Result<(), End> {
        match nothing {
            Nothing::NotYet | Nothing::Block(ReadError::TimedOut { .. }) => self.waited_in_vain(),
            Nothing::Block(ReadError::Lapped { missed, oldest }) => {
                self.note(Kind::Lapped, oldest, missed);
                self.tally.missed(missed);
                Ok(())
            }
            Nothing::Block(ReadError::Checksum { sequence }) => {
                self.note(Kind::Spoiled, sequence, 0);
                self.tally.spoiled(sequence);
                Ok(())
            }
            // The next one in line was overwritten: the one that comes instead says how many were.
            Nothing::Block(ReadError::Gone { .. }) => Ok(()),
            Nothing::Ended | Nothing::Block(ReadError::Ended) => {
                self.note(Kind::SawEnd, self.tally.next(), 0);
                Err(End::Ended)
            }
            Nothing::Block(ReadError::ProducerDead { .. }) if self.heirs => self.wait_for_an_heir(),
            Nothing::Block(ReadError::Evicted { .. }) => {
                self.note(Kind::Left, self.tally.next(), 0);
                self.tally.evicted();
                self.evictions += 1;
                Err(End::Evicted)
            }
            other => Err(End::Trouble(format!("the consumer cannot read: {other}"))),
        }
    }

    /// The producer is dead, as the scenario wants it: somebody takes its place, or nobody does.
    fn wait_for_an_heir(&mut self) -> Result<(), End> {
        if self.words.orphaned() || self.words.stopped() {
            return Err(End::Ended);
        }
        let now = monotonic_ns();
        if now.saturating_sub(*self.orphan_since.get_or_insert(now)) > self.patience_ns {
            let why = "the consumer gave up waiting for somebody to take the producer's place";
            return Err(End::Trouble(why.to_owned()));
        }
        // Whoever takes its place needs a core.
        nap(Duration::from_millis(1));
        Ok(())
    }

    fn waited_in_vain(&mut self) -> Result<(), End> {
        self.tally.counts.timeouts += 1;
        if self.is_leaving() {
            return Err(End::Left);
        }
        let delivered = self.tally.counts.delivered;
        if delivered != self.idle_at {
            self.idle_at = delivered;
            self.idle = 0;
        }
        self.idle += 1;
        if self.idle < self.idle_max {
            return Ok(());
        }
        let next = self.tally.next();
        Err(End::Trouble(format!("the consumer gave up waiting for sequence {next}")))
    }
}
