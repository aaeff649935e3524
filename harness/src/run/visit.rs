//! A consumer's stays in the stream: it may come late, leave early, and come back.
//!
//! What it is given first is held against what the block had to give when it joined; what it is
//! given from then on is counted as for everybody.

use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use datahub::wait::monotonic_ns;
use report_schema::Visit;

use super::loops;
use super::pace::wait_until;
use super::reader::{End, Reader};
use super::tally::{Promise, Tally};
use super::transport::{Inlet, Transport, TransportError};
use super::wire::{Reading, Report, Stay, Task, Waiting};
use super::words::{Words, nap};
use crate::history::Kind;

/// How often somebody who is to come looks whether messages have begun.
const LOOK: std::time::Duration = std::time::Duration::from_millis(1);

/// A consumer's place at a transport, taken or not.
#[derive(Debug)]
pub(super) struct Seat<'a, T: Transport> {
    task: &'a Task,
    transport: &'a T,
    place: PathBuf,
    taken: Option<T::Inlet>,
}

impl<'a, T: Transport> Seat<'a, T> {
    /// Joins now, unless the task says that it comes late.
    ///
    /// # Errors
    ///
    /// [`TransportError`].
    pub(super) fn new(
        task: &'a Task,
        transport: &'a T,
        place: PathBuf,
    ) -> Result<Self, TransportError> {
        let mut seat = Self { task, transport, place, taken: None };
        if task.stays.first().is_none_or(|stay| stay.from_ns.is_none()) {
            seat.taken = Some(seat.join()?);
        }
        Ok(seat)
    }

    fn join(&self) -> Result<T::Inlet, TransportError> {
        self.transport.attach(self.task, &self.place)
    }

    /// Gives the seat back and takes another one, also where the producer has gone meanwhile.
    fn join_again(&mut self) -> Result<(), TransportError> {
        let held = self.taken.take().and_then(|inlet| inlet.hold());
        if let Some(file) = &held {
            self.place = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into();
        }
        self.taken = Some(self.join()?);
        Ok(())
    }
}

/// The stays of one consumer, and what became of them.
#[derive(Debug)]
pub(super) struct Stays<'a> {
    task: &'a Task,
    words: &'a Words,
    visits: Vec<Visit>,
    disputes: Vec<String>,
}

impl<'a> Stays<'a> {
    pub(super) fn new(task: &'a Task, words: &'a Words) -> Self {
        Self { task, words, visits: vec![], disputes: vec![] }
    }

    /// Every stay, one after the other.
    pub(super) fn live<T: Transport>(
        &mut self,
        mut seat: Seat<'_, T>,
        reader: &mut Reader<'_>,
    ) -> End {
        if self.task.stays.is_empty() {
            return stay(&mut seat, reader);
        }
        let mut end = End::Ended;
        for stay in &self.task.stays {
            end = match self.visit(stay, &mut seat, reader) {
                Ok(end) => end,
                Err(error) => End::Trouble(format!("the consumer cannot join: {error}")),
            };
            reader.pause();
            if end != End::Left {
                break;
            }
        }
        end
    }

    fn visit<T: Transport>(
        &mut self,
        stay: &Stay,
        seat: &mut Seat<'_, T>,
        reader: &mut Reader<'_>,
    ) -> Result<End, TransportError> {
        let late = seat.taken.is_none();
        let (mut before, mut joined_ms) = (0, 0);
        if late {
            if !self.arrive(stay.from_ns.unwrap_or(0)) {
                return Ok(End::Ended);
            }
            let Some(commits) = seat.transport.commits_at(&seat.place) else {
                let why = "messages had ended before it came";
                return Ok(End::Trouble(why.to_owned()));
            };
            before = commits;
            joined_ms = self.since_begun_ms();
            reader.join_late();
        }
        let mut inlet = match seat.taken.take() {
            Some(inlet) => inlet,
            None => seat.join()?,
        };
        reader.note(Kind::Joined, inlet.next_sequence(), 0);
        reader.stay_until(stay.until_ns);
        let delivered = reader.tally.counts.delivered;
        let early = reader.take_one(&mut inlet).err();
        let kept = if self.task.join_latest { 1 } else { self.task.block.slots };
        let commits = (before, inlet.commits());
        let promise = match self.task.reading {
            Reading::InLine => Promise::Announced,
            Reading::Shown => self.task.block.promise,
        };
        let promised = promised_first(promise, kept, commits);
        let end = early.unwrap_or_else(|| loops::consume(&mut inlet, reader));
        if end == End::Left {
            reader.note(Kind::Left, reader.tally.next(), 0);
        }
        let given = reader.tally.counts.delivered > delivered;
        let first = if late { reader.tally.first } else { given.then_some(0) };
        self.check(&reader.tally, first, promised);
        self.settled(&reader.tally, inlet.next_sequence());
        self.visits.push(Visit {
            consumer: 0,
            joined_ms,
            left_ms: (end == End::Left).then(|| self.since_begun_ms()),
            first,
            // Who was given nothing has missed everything from the last moment at which it could
            // have begun.
            next: first.map_or(promised.1, |_| reader.tally.next()),
            promised_first: promised,
        });
        Ok(end)
    }

    /// Waits until messages have flowed for `after_ns`; says whether they still do.
    fn arrive(&self, after_ns: u64) -> bool {
        while self.words.begun().is_none() {
            if self.words.stopped() {
                return false;
            }
            nap(LOOK);
        }
        let begun_ns = self.words.begun().map_or(0, |(_, start_ns)| start_ns);
        while !self.words.stopped() {
            let due_ns = begun_ns.saturating_add(after_ns);
            let step_ns = due_ns.min(monotonic_ns().saturating_add(10_000_000));
            if wait_until(step_ns, Waiting::Park) >= due_ns {
                return true;
            }
        }
        false
    }

    fn since_begun_ms(&self) -> u64 {
        let begun_ns = self.words.begun().map_or(u64::MAX, |(_, start_ns)| start_ns);
        monotonic_ns().saturating_sub(begun_ns) / 1_000_000
    }

    /// Whether a joiner began where it had to. Who was there from the beginning has no bounds: what
    /// it was not given is counted.
    fn check(&mut self, tally: &Tally, first: Option<u64>, (low, high): (u64, u64)) {
        let joined = tally.first.and(first);
        if let Some(first) = joined.filter(|first| !(low..=high).contains(first)) {
            let promise = format!("one between {low} and {high} was promised");
            self.disputes.push(format!("a joiner was given {first} first, where {promise}"));
        }
    }

    /// Whether the block would go on where its user stopped.
    fn settled(&mut self, tally: &Tally, block_next: u64) {
        let counted = tally.next();
        let given = tally.counts.delivered > 0 && self.task.block.promise == Promise::Everything;
        if given && block_next != counted {
            let said = format!("the block would have gone on at {block_next}");
            self.disputes.push(format!("a consumer left behind sequence {counted}, but {said}"));
        }
    }

    /// Adds what became of the stays.
    pub(super) fn tell(self, report: &mut Report) {
        match self.visits.last() {
            Some(last) => report.next = last.next,
            // Nothing is owed to who never came.
            None if !self.task.stays.is_empty() => {
                report.next = u64::MAX;
                let why = "a consumer that was to come late never came: the trial was stopped";
                report.degraded.push(why.to_owned());
            }
            None => {}
        }
        report.visits = self.visits;
        report.disputes = self.disputes;
    }
}

/// From before the first message to after the last, and back again after each eviction.
fn stay<T: Transport>(seat: &mut Seat<'_, T>, reader: &mut Reader<'_>) -> End {
    loop {
        let Some(inlet) = &mut seat.taken else {
            return End::Trouble("the consumer has no seat".to_owned());
        };
        reader.note(Kind::Joined, inlet.next_sequence(), 0);
        let end = loops::consume(inlet, reader);
        if end != End::Evicted {
            return end;
        }
        if let Err(error) = seat.join_again() {
            return End::Trouble(format!("the consumer cannot come back: {error}"));
        }
    }
}

/// Between which sequences a joiner's first one lies, where so many were committed before it joined
/// and when it had been given it, and where it may begin so many back.
fn promised_first(promise: Promise, kept: u32, (before, after): (u64, u64)) -> (u64, u64) {
    match promise {
        // A commit is counted a moment before it is named as the newest: who comes in between is
        // given the one before.
        Promise::Newest => (before.saturating_sub(2), after.saturating_sub(1)),
        _ => (before.saturating_sub(kept.into()), after.saturating_sub(kept.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joiner_may_be_given_the_newest_that_was_named_before_the_last_commit() {
        assert_eq!(promised_first(Promise::Newest, 32, (251_621, 251_621)), (251_619, 251_620));
        assert_eq!(promised_first(Promise::Everything, 32, (40, 45)), (8, 13));
        assert_eq!(promised_first(Promise::Announced, 1, (40, 45)), (39, 44));
        assert_eq!(promised_first(Promise::Newest, 32, (0, 1)), (0, 0));
    }
}
