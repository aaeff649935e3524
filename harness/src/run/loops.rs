//! The hot loops: what a message costs is what stands here and in the transport.
//!
//! Nothing is allocated, logged or asked of the kernel while messages flow, but for the clock, and
//! for waiting when there is nothing to do.

use datahub::wait::monotonic_ns;

use super::latency::Recorder;
use super::pace::{self, Schedule};
use super::reader::{End, Reader};
use super::ticks::Ticks;
use super::transport::{Inlet, Outlet};
use super::wire::{Measured, Span, Waiting};
use super::writer::{Halt, Writer};

/// One message in so many is timed in a stream at most, and the clock looked at.
const SAMPLE: u64 = 64;

/// Slower than this from one look to the next, and the clock is looked at more often: a span must
/// not last for 64 messages of a slow consumer, nor leave their times unknown.
const LOOK_NS: u64 = 100_000;

/// Commits as fast as the transport takes them, for one span.
pub(super) fn stream<O: Outlet>(
    writer: &mut Writer<'_>,
    outlet: &mut O,
    span: Span,
    timed: bool,
) -> Result<Measured, Halt> {
    let start = monotonic_ns();
    writer.until(span.end_ns(start));
    let (mut messages, mut looked_ns) = (0, start);
    let (mut look_at, mut every) = (0, 1);
    while messages < span.messages() {
        let mut stamp_ns = 0;
        if messages == look_at {
            let now = monotonic_ns();
            if writer.is_over(now) {
                break;
            }
            stamp_ns = if timed { now } else { 0 };
            let slow = now.saturating_sub(looked_ns) > LOOK_NS;
            every = if slow { (every / 2).max(1) } else { (every * 2).min(SAMPLE) };
            (look_at, looked_ns) = (messages + every, now);
        }
        match writer.put(outlet, stamp_ns, stamp_ns) {
            Ok(()) => messages += 1,
            Err(Halt::Over) => break,
            Err(halt) => return Err(halt),
        }
    }
    Ok(writer.measured(messages, start))
}

/// Commits at the intended starts, for one span; a late message keeps its intended start.
///
/// An overloaded producer goes on for as long again, and then leaves the rest unsent.
pub(super) fn open<O: Outlet>(
    writer: &mut Writer<'_>,
    outlet: &mut O,
    (span, timed): (Span, bool),
    (mut schedule, waiting): (Schedule, Waiting),
) -> Result<Measured, Halt> {
    let start = monotonic_ns();
    let due_before = span.end_ns(start);
    writer.until(due_before.saturating_add(span.time_ns().unwrap_or(0)));
    let mut messages = 0;
    while messages < span.messages() {
        let intended = start.saturating_add(schedule.next_ns());
        if intended >= due_before {
            break;
        }
        let actual = pace::wait_until(intended, waiting);
        if writer.is_over(actual) {
            break;
        }
        let stamps = if timed { (intended, actual) } else { (0, 0) };
        match writer.put(outlet, stamps.0, stamps.1) {
            Ok(()) => messages += 1,
            Err(Halt::Over) => break,
            Err(halt) => return Err(halt),
        }
    }
    Ok(writer.measured(messages, start))
}

/// Sends a message and waits for its answer, one round trip after the other, for one span.
///
/// One reading of the clock for each round trip, so its time holds everything that both ends do for a
/// message. What the harness does with the reading waits until the next message is under way.
pub(super) fn initiate<O: Outlet, I: Inlet>(
    writer: &mut Writer<'_>,
    (forth, back): (&mut O, &mut I),
    reader: &mut Reader<'_>,
    (span, ticks, mut recorder): (Span, &Ticks, Option<&mut Recorder>),
) -> Result<Measured, Halt> {
    let (start, first) = (monotonic_ns(), ticks.now());
    writer.until(span.end_ns(start));
    let (mut last_ns, mut now, mut messages) = (0, first, 0);
    let (words, role) = writer.voice();
    let mut note = |now| {
        let now_ns = ticks.between_ns(first, now);
        if let Some(recorder) = &mut recorder
            && recorder.record(start + now_ns, (now_ns - last_ns) / 2)
        {
            words.tell_slice(role, &recorder.glimpse());
        }
        last_ns = now_ns;
        start + now_ns
    };
    while messages < span.messages() {
        match writer.put(forth, 0, 0) {
            Ok(()) => {}
            Err(Halt::Over) => break,
            Err(halt) => return Err(halt),
        }
        let over = messages > 0 && writer.is_over(note(now));
        reader.take_one(back).map_err(|end| end.into_halt("the other end has ended"))?;
        (now, messages) = (ticks.now(), messages + 1);
        if over {
            break;
        }
    }
    if messages > 0 {
        note(now);
    }
    Ok(writer.measured(messages, start))
}

/// Answers each message until the initiator ends the stream.
pub(super) fn echo<O: Outlet, I: Inlet>(
    writer: &mut Writer<'_>,
    (back, forth): (&mut O, &mut I),
    reader: &mut Reader<'_>,
) -> Result<(), Halt> {
    loop {
        match reader.take_one(forth) {
            Ok(()) => writer.put(back, 0, 0)?,
            Err(End::Ended | End::Left) => return Ok(()),
            Err(end) => return Err(end.into_halt("")),
        }
    }
}

/// Reads until the producer ends the stream, or it is time to leave.
pub(super) fn consume<I: Inlet>(inlet: &mut I, reader: &mut Reader<'_>) -> End {
    loop {
        if reader.is_leaving() {
            return End::Left;
        }
        if let Err(end) = reader.take_one(inlet) {
            if let (Some(zones), End::Ended) = (&mut reader.zones, &end) {
                zones.at_rest(inlet);
            }
            return end;
        }
    }
}
