//! A block, and those of its users who live on whatever happens to the others: they read everything,
//! write on when the producer is dead, and judge what they see.

use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::Duration;

use datahub::consumer::{Consumer, ReadError};
use datahub::memory::Shared;
use datahub::monitor::Monitor;
use datahub::place::Place;
use datahub::producer::{Producer, WriteError};
use datahub::recovery;
use datahub::recovery::diagnosis::Step;
use datahub::ring::reader::JoinAt;
use datahub::shm::words::WordMap;
use datahub::shm::{Folder, reopenable};
use datahub::wait::{Timeout, monotonic_ns};

use super::Neglect;
use super::board::{Board, Wrong};
use super::ledger::Ledger;
use super::shape::{PAYLOAD_BYTES, Shape, Stamped, Sync};
use super::stay;
use crate::run::{Keyed, Stamp, busy};

/// The word that says how many commits were acknowledged.
pub(super) const ACKNOWLEDGED: usize = 0;
/// The word that says how many payloads the survivors have read.
pub(super) const READ: usize = 1;
/// A survivor that cannot go on for so long is stuck.
const STUCK: Duration = Duration::from_secs(2);
/// One read in so many dawdles, and for so long after a producer has begun to wait for it: longer than a
/// victim looks.
const DAWDLE_EVERY: u64 = 2;
const DAWDLE_NS: u64 = 500_000;
/// One in so many stays until the producer goes on without it, where it does.
const OVERSTAY_EVERY: u64 = 5;
/// One look of a survivor that writes: in between the readers read.
const LOOK: Timeout = Timeout::After(Duration::from_micros(200));

/// Writes the payload of a sequence.
pub(super) fn fill(keyed: &Keyed, payload: &mut [u8], sequence: u64) {
    keyed.fill(payload, &Stamp { sequence, intended_ns: 0, actual_ns: 0 });
}

/// Why a scene cannot go on; the row is broken, not judged.
pub(super) type Trouble = String;

/// A reader that lives on.
#[derive(Debug)]
struct Survivor {
    consumer: Consumer,
    next: u64,
    /// It has attached again, and nothing was delivered to it since.
    anew: bool,
}

impl Survivor {
    fn attach(place: &Place) -> Result<Self, Trouble> {
        let attached = Consumer::attach(place.clone(), JoinAt::Oldest);
        let consumer = attached.map_err(|error| format!("a survivor cannot attach: {error}"))?;
        Ok(Self { consumer, next: 0, anew: true })
    }
}

/// A block and its survivors.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) shape: Shape,
    pub(super) seed: u64,
    keyed: Keyed,
    monitor: Monitor,
    pub(super) words: WordMap,
    /// The producer that lives on, while there is one.
    producer: Option<Producer>,
    survivors: Vec<Survivor>,
    neglect: Option<Neglect>,
    /// Now and then a reader stays inside a slot, so that a producer has to wait for it.
    pub(super) dawdles: bool,
    reads: u64,
}

impl Scene {
    /// A new block with so many readers and no producer.
    pub(super) fn new(shape: Shape, readers: u32, seed: u64) -> Result<Self, Trouble> {
        let said = |error: &dyn std::fmt::Display| format!("the block cannot be made: {error}");
        let config = shape.config().map_err(|error| said(&error))?;
        let made = Producer::create_unnamed(&Folder::default(), config);
        let producer = made.map_err(|error| said(&error))?;
        let place = Place::File(producer.path());
        let monitor = Monitor::open(&place).map_err(|error| said(&error))?;
        let words = WordMap::create(&Folder::default(), 2).map_err(|error| said(&error))?;
        let mut survivors = vec![];
        for _ in 0..readers {
            survivors.push(Survivor { anew: false, ..Survivor::attach(&place)? });
        }
        drop(producer);
        let keyed = Keyed::new(seed, true);
        Ok(Self {
            shape,
            seed,
            keyed,
            monitor,
            words,
            producer: None,
            survivors,
            neglect: None,
            dawdles: false,
            reads: 0,
        })
    }

    /// The survivors have a defect, once.
    pub(super) fn neglect(&mut self, neglect: Option<Neglect>) {
        self.neglect = neglect;
    }

    /// Where others find the block.
    pub(super) fn path(&self) -> PathBuf {
        let number = self.monitor.block().file().as_raw_fd();
        format!("/proc/{}/fd/{number}", std::process::id()).into()
    }

    fn place(&self) -> Place {
        Place::File(reopenable(self.monitor.block().file()))
    }

    /// Reads everything that is there. Says whether there was anything.
    pub(super) fn drain(&mut self, ledger: &mut Ledger) -> bool {
        let (keyed, place) = (self.keyed, self.place());
        let mut any = false;
        for survivor in &mut self.survivors {
            let (number, mut evicted) = (survivor.consumer.number(), false);
            // More than a block holds would be a block that delivers twice for ever.
            for _ in 0..10_000 {
                match survivor.consumer.acquire_consume_slot(Timeout::Now) {
                    Ok(slot) => {
                        let (label, defect) = (slot.sequence(), self.neglect.take());
                        let gapless = self.shape.gapless() && !survivor.anew;
                        check(ledger, &keyed, (slot.payload(), label), defect);
                        let by_hand = self.shape.checksum == Stamped::ByHand;
                        if by_hand && !slot.verify_checksum_slot() {
                            ledger.torn(format!("the checksum of sequence {label} is wrong"));
                        }
                        if defect == Some(Neglect::SkipOne) {
                            continue;
                        }
                        survivor.anew = false;
                        survivor.next = ledger.order(gapless, survivor.next, label);
                        if defect == Some(Neglect::TakeTwice) {
                            survivor.next = ledger.order(gapless, survivor.next, label);
                        }
                        self.neglect = defect.filter(|defect| *defect == Neglect::LeaveRemains);
                        self.reads += 1;
                        self.words.publish(READ, self.reads);
                        if self.dawdles {
                            dawdle((self.shape, &self.monitor), (number, self.reads));
                        }
                        any = true;
                    }
                    Err(error) => match refused(ledger, (self.shape, &mut survivor.next), error) {
                        After::Again => {}
                        After::Nothing => break,
                        After::Anew => {
                            evicted = true;
                            break;
                        }
                    },
                }
            }
            if evicted {
                // It comes back for what there is now; nobody else may have lost anything.
                match Survivor::attach(&place) {
                    Ok(again) => *survivor = again,
                    Err(why) => ledger.stuck(why),
                }
                any = true;
            }
        }
        any
    }

    /// Takes the dead producer's place, or goes on in it; everything acknowledged must be there.
    pub(super) fn take_over(&mut self, ledger: &mut Ledger) -> Result<(), Trouble> {
        if self.producer.is_some() {
            return Ok(());
        }
        let config = self.monitor.block().geometry().config.clone();
        let path = reopenable(self.monitor.block().file());
        let taken = Producer::take_over_with(Shared, &path, &config);
        let mut producer =
            taken.map_err(|error| format!("the dead producer's place cannot be taken: {error}"))?;
        producer.set_wait(self.shape.wait());
        let acknowledged = self.words.read(ACKNOWLEDGED);
        ledger.commits(producer.commit_index(), acknowledged, self.shape.batch.into());
        self.words.publish(ACKNOWLEDGED, producer.commit_index());
        self.producer = Some(producer);
        Ok(())
    }

    /// The producer leaves.
    pub(super) fn leave(&mut self) {
        self.producer = None;
    }

    /// Writes one payload, the readers reading meanwhile. Says how long it took, if it did not stick.
    pub(super) fn put(&mut self, ledger: &mut Ledger) -> Option<u64> {
        let start_ns = monotonic_ns();
        loop {
            self.drain(ledger);
            let keyed = self.keyed;
            match self.producer.as_mut()?.acquire_write_slot(LOOK) {
                Ok(mut slot) => {
                    let sequence = slot.sequence();
                    fill(&keyed, slot.payload(), sequence);
                    let stamped = self.shape.checksum != Stamped::ByHand
                        || slot.update_checksum_slot(PAYLOAD_BYTES).is_ok();
                    if !stamped || slot.commit(PAYLOAD_BYTES).is_err() {
                        ledger.stuck(format!("sequence {sequence} cannot be committed"));
                        return None;
                    }
                    self.words.publish(ACKNOWLEDGED, sequence + 1);
                    return Some(monotonic_ns().saturating_sub(start_ns));
                }
                Err(WriteError::TimedOutFull { .. } | WriteError::TimedOutReaders { .. }) => {}
                Err(error) => {
                    ledger.stuck(format!("the surviving producer cannot write: {error}"));
                    return None;
                }
            }
            if Duration::from_nanos(monotonic_ns().saturating_sub(start_ns)) > STUCK {
                ledger.stuck(format!("the surviving producer was blocked for {STUCK:?}"));
                return None;
            }
        }
    }

    /// Writes once round the ring and more: whoever is dead stops nobody, and everybody gets
    /// everything.
    pub(super) fn go_on(&mut self, ledger: &mut Ledger) {
        for _ in 0..self.shape.slots + self.shape.physical_slots + 3 {
            match self.put(ledger) {
                Some(blocked_ns) => ledger.blocked(blocked_ns),
                None => return,
            }
        }
        // Who finds itself evicted attaches again, and is given what there is the next time.
        for _ in 0..3 {
            self.drain(ledger);
        }
        if self.shape.zones
            && let Err(wrong) = self.use_zones()
        {
            match wrong {
                Wrong::Torn(what) => ledger.torn(what),
                Wrong::Stuck(what) => ledger.stuck(what),
            }
        }
        let commits = self.words.read(ACKNOWLEDGED);
        for survivor in &self.survivors {
            let missing = commits.saturating_sub(survivor.next);
            // Also where payloads may be skipped, the newest one is always shown.
            if missing > 0 {
                ledger.lost += missing;
                ledger.note(|| format!("the newest {missing} of {commits} were never delivered"));
            }
        }
    }

    /// The producer and the readers find every zone as the dead may leave it, and usable.
    fn use_zones(&self) -> Result<(), Wrong> {
        let producer = self.producer.as_ref();
        let board = |producer| Board::find(&Shared, |name| Producer::zone(producer, name));
        let boards = self.survivors.iter().map(|survivor| &survivor.consumer);
        let boards: Result<Vec<_>, _> =
            boards.map(|consumer| Board::find(&Shared, |name| consumer.zone(name))).collect();
        let boards = boards?;
        for board in &boards {
            board.share()?;
        }
        let Some(own) = producer.map(board).transpose()? else { return Ok(()) };
        let number = self.words.read(ACKNOWLEDGED);
        own.write(number)?;
        own.share()?;
        boards.iter().try_for_each(|board| board.shows(number))
    }

    /// Has the remains of the dead cleared from outside, twice: the second time there is nothing.
    pub(super) fn recover(&self, ledger: &mut Ledger) -> Result<(), Trouble> {
        let failed = |error| format!("recovery does not begin: {error}");
        recovery::recover(&self.place()).map_err(failed)?;
        let again = recovery::recover(&self.place()).map_err(failed)?;
        if !again.done.is_empty() {
            let left = told(&again.done);
            ledger.leaked(format!("recovery leaves something for a second one: {left}"));
        }
        Ok(())
    }

    /// Whether anything of the dead is left.
    pub(super) fn inspect(&mut self, ledger: &mut Ledger) -> Result<(), Trouble> {
        if self.neglect.take() == Some(Neglect::LeaveRemains) {
            self.pin_nobody();
        }
        let plan = recovery::plan(&self.place()).map_err(|error| error.to_string())?;
        if !plan.is_clean() {
            let left = told(&plan.steps);
            ledger.leaked(format!("something of the dead is left, somebody must {left}"));
        }
        for damage in &plan.damage {
            ledger.leaked(format!("the block is damaged: {damage}"));
        }
        Ok(())
    }

    /// Somebody new finds a seat, and is shown what comes next.
    pub(super) fn welcome(&mut self, ledger: &mut Ledger) {
        let mut newcomer = match Consumer::attach(self.place(), JoinAt::Latest) {
            Ok(newcomer) => newcomer,
            Err(error) => return ledger.leaked(format!("nobody new can attach: {error}")),
        };
        // It begins at the newest payload, and in a block of one slot nothing comes before it was read.
        while newcomer.acquire_consume_slot(Timeout::Now).is_ok() {}
        if self.put(ledger).is_none() {
            return;
        }
        let keyed = self.keyed;
        match newcomer.acquire_consume_slot(Timeout::Now) {
            Ok(slot) => ledger.content(&keyed, slot.payload(), slot.sequence()),
            Err(error) => ledger.stuck(format!("somebody new is shown nothing: {error}")),
        }
    }

    /// The defect that [`Scene::inspect`] must find: a pin of a reader that is not there.
    fn pin_nobody(&self) {
        let offset = self.monitor.block().geometry().layout.slots as u64;
        let (file, mut word) = (self.monitor.block().file(), [0; 8]);
        if file.read_exact_at(&mut word, offset).is_ok() {
            let pinned = u64::from_le_bytes(word) | 1 << (2 + self.shape.readers);
            // One that cannot be planted is not found, which the caller notices.
            let _written = file.write_all_at(&pinned.to_le_bytes(), offset);
        }
    }
}

/// Stays inside a slot now and then, as the consumer `number`.
fn dawdle((shape, monitor): (Shape, &Monitor), (number, reads): (u32, u64)) {
    match shape.sync {
        Sync::Evicting if reads.is_multiple_of(OVERSTAY_EVERY) => {
            stay::until_evicted(monitor, number);
        }
        Sync::Evicting => {}
        _ if reads.is_multiple_of(DAWDLE_EVERY) => {
            stay::until_waited_for(monitor);
            busy(DAWDLE_NS);
        }
        _ => {}
    }
}

/// What a reader does that was given nothing.
enum After {
    Again,
    Nothing,
    /// It attaches anew.
    Anew,
}

/// Judges why a reader was given nothing; `next` is what it wants.
fn refused(ledger: &mut Ledger, (shape, next): (Shape, &mut u64), error: ReadError) -> After {
    match error {
        ReadError::Lapped { missed, oldest } => {
            *next = ledger.lapped(shape.lossless(), *next, (missed, oldest));
            After::Again
        }
        ReadError::Evicted { .. } if shape.sync == Sync::Evicting => After::Anew,
        ReadError::Checksum { sequence } => {
            ledger.torn(format!("the checksum of sequence {sequence} is wrong"));
            After::Again
        }
        ReadError::Damaged => {
            ledger.stuck("a survivor finds the block damaged".to_owned());
            After::Nothing
        }
        _ => After::Nothing,
    }
}

/// Checks a payload, by a reader with or without a defect.
fn check(
    ledger: &mut Ledger,
    keyed: &Keyed,
    (payload, label): (&[u8], u64),
    neglect: Option<Neglect>,
) {
    match neglect {
        Some(Neglect::OtherLabel) => ledger.content(keyed, payload, label + 1),
        Some(Neglect::ChangeByte) => {
            let mut changed = payload.to_vec();
            changed[PAYLOAD_BYTES / 2] ^= 1;
            ledger.content(keyed, &changed, label);
        }
        _ => ledger.content(keyed, payload, label),
    }
}

/// What would have to be done.
fn told(steps: &[Step]) -> String {
    steps.iter().map(|step| step.action.to_string()).collect::<Vec<_>>().join("; ")
}
