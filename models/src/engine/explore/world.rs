//! The simulated memory: messages in modification order, views, fences, race-checked cells.
//!
//! The model is C++20 without load buffering: a role runs in program order; a load may read any
//! message that its view does not exclude; a store may go anywhere after what the role has seen;
//! a read-modify-write follows directly what it read, and nothing may come between. A release
//! sequence goes on through read-modify-writes only.
//! Knows nothing of: schedules, roles' code.

use core::cell::Cell;
use core::sync::atomic::Ordering;

use super::fences::Fences;
use super::flaw::Flaw;
use super::view::{ROLES_MAX, View, WORDS_MAX};
use super::watch::Watch;
use crate::memory::Update;

/// Something that only one role at a time may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// Reads the word.
    Load(usize, Ordering),
    /// Writes the word.
    Store(usize, u64, Ordering),
    /// Reads and writes.
    Update(usize, Update, Ordering),
    /// Exchanges the second by the third.
    Exchange(usize, u64, u64, Ordering),
}

/// One way an operation can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Reads the message with this place.
    Read(usize),
    /// Reads the message with this place and puts its own directly behind.
    Replace(usize),
    /// Writes behind the message with this place.
    Write(usize),
}

/// What the role is told.
pub(super) type Answer = Result<u64, u64>;

#[derive(Debug, Clone)]
struct Message {
    /// Its place in modification order.
    stamp: u32,
    value: u64,
    /// What an acquiring reader sees.
    view: View,
    /// How many messages there were when it was written.
    serial: u32,
    /// A read-modify-write took it: nothing may come directly behind it any more.
    replaced: bool,
}

#[derive(Debug, Clone)]
struct Role {
    /// What it has seen.
    seen: View,
    /// What an acquire fence would add: everything that its loads were offered.
    offered: View,
    /// What a relaxed store carries: what was seen at the last release fence.
    released: View,
    /// For each word, the message that was read last, and how often in a row.
    again: [(u32, u32); WORDS_MAX],
}

impl Role {
    const fn new(seen: View) -> Self {
        Self { seen, offered: seen, released: View::NOTHING, again: [(0, 0); WORDS_MAX] }
    }
}

#[derive(Debug, Default)]
struct Payload {
    value: u64,
    write: (usize, u16),
    reads: [u16; ROLES_MAX],
}

/// Distance of stamps at the end of a word; half of it is left at every insertion between two.
const STRIDE: u32 = 1 << 16;

/// The memory of one execution.
#[derive(Debug, Default)]
pub(super) struct World {
    words: Vec<Vec<Message>>,
    roles: Vec<Role>,
    payloads: Vec<Payload>,
    /// The strongest fences so far.
    fences: Fences,
    serial: u32,
    /// How often a role may read one stale value in a row.
    repeats: Option<u32>,
    /// Whether that ever kept a role from reading something.
    trimmed: Cell<bool>,
    /// Who met whom, if anybody wants to know.
    watch: Option<Box<Watch>>,
    /// A defect of this engine, in its own tests.
    flaw: Flaw,
}

/// Why the engine cannot go on: the model is outside of what it can judge.
pub(super) type Refused = String;

const fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Acquire | Ordering::AcqRel)
}

const fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Release | Ordering::AcqRel)
}

impl World {
    /// A world with one role that has seen nothing.
    pub(super) fn new(repeats: Option<u32>) -> Self {
        Self { roles: vec![Role::new(View::NOTHING)], repeats, ..Self::default() }
    }

    /// The same, noting who meets whom.
    pub(super) fn watched(mut self, watch: bool) -> Self {
        self.watch = watch.then(Box::default);
        self
    }

    /// The same, with a defect.
    pub(super) const fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = flaw;
        self
    }

    /// Who has met whom so far.
    pub(super) const fn watch(&mut self) -> Option<&mut Watch> {
        match &mut self.watch {
            Some(watch) => Some(watch),
            None => None,
        }
    }

    /// Whether a role was ever kept from reading a stale value once more.
    pub(super) const fn trimmed(&self) -> bool {
        self.trimmed.get()
    }

    /// Adds a role that has seen what role 0 has seen; returns its number.
    pub(super) fn spawn(&mut self) -> Result<usize, Refused> {
        let number = self.roles.len();
        if number == ROLES_MAX {
            return Err(format!("more than {} roles", ROLES_MAX - 1));
        }
        let seen = self.roles[0].seen;
        self.roles.push(Role::new(seen));
        Ok(number)
    }

    /// Role 0 sees what everybody has seen.
    pub(super) fn join(&mut self) {
        let [first, rest @ ..] = self.roles.as_mut_slice() else { return };
        for role in rest {
            first.seen.join(&role.seen);
        }
    }

    /// A new word, written by `role`.
    pub(super) fn word(&mut self, role: usize, initial: u64) -> Result<usize, Refused> {
        let word = self.words.len();
        if word == WORDS_MAX {
            return Err(format!("more than {WORDS_MAX} shared words"));
        }
        let view = self.roles[role].seen;
        let message =
            Message { stamp: STRIDE, value: initial, view, serial: self.serial, replaced: false };
        self.serial += 1;
        self.words.push(vec![message]);
        self.roles[role].seen.see(word, STRIDE);
        Ok(word)
    }

    /// How many messages there are.
    pub(super) const fn serial(&self) -> u32 {
        self.serial
    }

    /// The newest value of `word`.
    pub(super) fn newest(&self, word: usize) -> Option<u64> {
        self.words[word].last().map(|message| message.value)
    }

    /// Appends the ways in which `role` can do `operation`, newest first, that concern a message
    /// written at `since` or later.
    pub(super) fn choices(
        &self,
        role: usize,
        operation: Operation,
        since: u32,
        into: &mut Vec<Choice>,
    ) {
        let (word, expected) = match operation {
            Operation::Store(word, ..) => {
                let newest = self.words[word].len() - 1;
                let last = self.flaw.is(Flaw::StoresGoLast);
                let places = self.visible(role, word, since);
                let open =
                    places.filter(|(at, message)| !message.replaced && (!last || *at == newest));
                return into.extend(open.map(|(at, _)| Choice::Write(at)));
            }
            Operation::Load(word, _) => {
                let readable = self.visible(role, word, since);
                let readable = readable.filter(|(at, _)| self.may_repeat(role, word, *at));
                return into.extend(readable.map(|(at, _)| Choice::Read(at)));
            }
            Operation::Update(word, ..) => (word, None),
            Operation::Exchange(word, current, ..) => (word, Some(current)),
        };
        for (at, message) in self.visible(role, word, since) {
            match expected {
                Some(expected) if message.value != expected => {
                    into.extend(self.may_repeat(role, word, at).then_some(Choice::Read(at)));
                }
                _ => into.extend((!message.replaced).then_some(Choice::Replace(at))),
            }
        }
    }

    /// The messages that `role` may still read, newest first.
    fn visible(
        &self,
        role: usize,
        word: usize,
        since: u32,
    ) -> impl Iterator<Item = (usize, &Message)> {
        let seen = &self.roles[role].seen;
        let mut floor = seen.stamp(word).max(self.fences.floor(seen.fences(), word));
        if self.flaw.is(Flaw::NoStaleReads) {
            floor = self.words[word].last().map_or(floor, |message| message.stamp);
        }
        if self.flaw.is(Flaw::ForgetCoherence) {
            floor = 0;
        }
        let messages = self.words[word].iter().enumerate().rev();
        messages
            .take_while(move |(_, message)| message.stamp >= floor)
            .filter(move |(_, message)| message.serial >= since)
    }

    /// Whether `role` may read message `at` once more: the newest always, a stale one not for ever.
    fn may_repeat(&self, role: usize, word: usize, at: usize) -> bool {
        let Some(repeats) = self.repeats else { return true };
        let newest = at + 1 == self.words[word].len();
        let (serial, count) = self.roles[role].again[word];
        let may = newest || serial != self.words[word][at].serial || count < repeats;
        if !may {
            self.trimmed.set(true);
        }
        may
    }

    /// Does `operation` the way `choice` says.
    pub(super) fn apply(
        &mut self,
        role: usize,
        operation: Operation,
        choice: Choice,
    ) -> Result<Answer, Refused> {
        match (operation, choice) {
            (Operation::Load(word, ordering), Choice::Read(at)) => {
                Ok(Ok(self.read(role, word, at, ordering)))
            }
            (Operation::Exchange(word, ..), Choice::Read(at)) => {
                Ok(Err(self.read(role, word, at, Ordering::Relaxed)))
            }
            (Operation::Store(word, value, ordering), Choice::Write(at)) => {
                self.write(role, (word, at), (value, ordering), None)?;
                Ok(Ok(0))
            }
            (Operation::Update(word, update, ordering), Choice::Replace(at)) => {
                self.replace(role, (word, at), |old| update.apply(old), ordering).map(Ok)
            }
            (Operation::Exchange(word, _, new, ordering), Choice::Replace(at)) => {
                self.replace(role, (word, at), |_| new, ordering).map(Ok)
            }
            _ => Err("a choice that does not fit its operation".to_owned()),
        }
    }

    /// `role` reads the message of `word` at `stamp`, or writes the one behind it: that orders fences.
    fn accessed(&mut self, role: usize, word: usize, stamp: u32) {
        if self.flaw.is(Flaw::ForgetFenceOrder) {
            return;
        }
        let known = self.roles[role].seen.fences();
        let later = self.fences.accessed(known, word, stamp);
        if let Some(watch) = &mut self.watch {
            watch.ordered(known, later);
        }
    }

    fn read(&mut self, role: usize, word: usize, at: usize, ordering: Ordering) -> u64 {
        self.accessed(role, word, self.words[word][at].stamp);
        let message = &self.words[word][at];
        if let Some(watch) = &mut self.watch {
            watch.read(role, message.serial, acquires(ordering));
        }
        let flaw = self.flaw;
        let role = &mut self.roles[role];
        role.seen.see(word, message.stamp);
        let (serial, count) = &mut role.again[word];
        *count = if *serial == message.serial { *count + 1 } else { 1 };
        *serial = message.serial;
        role.offered.join(&message.view);
        if acquires(ordering) || flaw.is(Flaw::EveryLoadAcquires) {
            role.seen.join(&message.view);
        }
        message.value
    }

    fn replace(
        &mut self,
        role: usize,
        (word, at): (usize, usize),
        change: impl Fn(u64) -> u64,
        ordering: Ordering,
    ) -> Result<u64, Refused> {
        let old = self.read(role, word, at, ordering);
        let sequence = (self.words[word][at].view, self.words[word][at].serial);
        self.words[word][at].replaced = !self.flaw.is(Flaw::SplitExchanges);
        let goes_on = !self.flaw.is(Flaw::ForgetReleaseSequences);
        self.write(role, (word, at), (change(old), ordering), goes_on.then_some(&sequence))?;
        Ok(old)
    }

    /// Writes behind message `at`; `sequence` is the release sequence that goes on.
    fn write(
        &mut self,
        role: usize,
        (word, at): (usize, usize),
        (value, ordering): (u64, Ordering),
        sequence: Option<&(View, u32)>,
    ) -> Result<(), Refused> {
        let messages = &self.words[word];
        let before = messages[at].stamp;
        let stamp = match messages.get(at + 1) {
            None => before.checked_add(STRIDE),
            Some(next) if next.stamp - before > 1 => Some(before + (next.stamp - before) / 2),
            Some(_) => None,
        };
        let stamp = stamp.ok_or("too many stores to one word")?;
        self.accessed(role, word, stamp - 1);
        let writer = &mut self.roles[role];
        let mut view = if releases(ordering) { writer.seen } else { writer.released };
        if let Some((sequence, _)) = sequence {
            view.join(sequence);
        }
        if let Some(watch) = &mut self.watch {
            let replaced = sequence.map(|(_, serial)| *serial);
            watch.wrote(role, self.serial, (releases(ordering), replaced));
        }
        writer.seen.see(word, stamp);
        let message = Message { stamp, value, view, serial: self.serial, replaced: false };
        self.serial += 1;
        self.words[word].insert(at + 1, message);
        Ok(())
    }

    /// A fence of `role`. What others do may come before or after it alike, so it waits for nobody.
    pub(super) fn fence(&mut self, role: usize, ordering: Ordering) -> Result<(), Refused> {
        let strongest = ordering == Ordering::SeqCst;
        let (acquires, releases) =
            (strongest || acquires(ordering), strongest || releases(ordering));
        if let Some(watch) = &mut self.watch {
            watch.fence(role, (acquires, releases));
        }
        if self.flaw.is(Flaw::IgnoreFences) {
            return Ok(());
        }
        if acquires {
            let offered = self.roles[role].offered;
            self.roles[role].seen.join(&offered);
        }
        if strongest {
            self.strongest(role)?;
        }
        if releases {
            self.roles[role].released = self.roles[role].seen;
        }
        Ok(())
    }

    /// One of the strongest fences of `role`.
    fn strongest(&mut self, role: usize) -> Result<(), Refused> {
        let seen = &mut self.roles[role].seen;
        if self.flaw.is(Flaw::FencesSynchronise) {
            self.fences.views().for_each(|view| seen.join(view));
        }
        let in_order = self.flaw.is(Flaw::FencesInStepOrder);
        let always = if in_order { self.fences.everyone() } else { 0 };
        let (number, earlier) =
            self.fences.run(*seen, always).ok_or("too many strongest fences")?;
        seen.pass(number);
        if let Some(watch) = &mut self.watch {
            watch.strongest(role, earlier);
        }
        Ok(())
    }

    /// A new cell.
    pub(super) fn cell(&mut self) -> usize {
        self.payloads.push(Payload::default());
        self.payloads.len() - 1
    }

    /// Writes a cell; the error names the access that this one races with.
    pub(super) fn put(&mut self, role: usize, cell: usize, value: u64) -> Result<(), String> {
        let at = self.roles[role].seen.tick(role);
        let seen = &self.roles[role].seen;
        let payload = &mut self.payloads[cell];
        if !seen.knows(payload.write.0, payload.write.1) {
            return Err("two writes to one payload word are not ordered".to_owned());
        }
        if (0..ROLES_MAX).any(|other| !seen.knows(other, payload.reads[other])) {
            return Err("the payload is overwritten while a reader may look at it".to_owned());
        }
        payload.value = value;
        payload.write = (role, at);
        Ok(())
    }

    /// Reads a cell; the error names the access that this one races with.
    pub(super) fn get(&mut self, role: usize, cell: usize) -> Result<u64, String> {
        let at = self.roles[role].seen.tick(role);
        let seen = &self.roles[role].seen;
        let payload = &mut self.payloads[cell];
        if !seen.knows(payload.write.0, payload.write.1) {
            return Err("the payload is read although its write is not known".to_owned());
        }
        if !self.flaw.is(Flaw::ForgetReads) {
            payload.reads[role] = at;
        }
        Ok(payload.value)
    }
}
