//! Is everything what it says it is? Labels, places, lengths, promises and checksums.
//!
//! A payload is read through the file under a pin, so that the producer cannot change it meanwhile; the
//! pin needs a seat, not a registration, and so holds nobody back for longer than one copy takes.
//! Without a free seat the producer's token excludes the writer instead; if that is held too, nothing
//! is compared, and the result says so.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::FileExt;

use crate::block::header::HeaderError;
use crate::block::{Block, OpenError};
use crate::checksum;
use crate::config::ChecksumPolicy;
use crate::layout::RECORD;
use crate::memory::Shared;
use crate::monitor::Monitor;
use crate::monitor::damage::damage;
use crate::monitor::view::{BlockView, SlotView};
use crate::place::Place;
use crate::sequence::Sequence;
use crate::shm::token::{Seat, Token};
use crate::slot::{self, Reader, SlotState};
use crate::wait::monotonic_ns;
use crate::{handover, heartbeat, liveness};

/// A slot that could not be looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// Which one.
    pub index: usize,
    /// Why.
    pub why: &'static str,
}

/// A payload that does not match its checksum record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// Which payload.
    pub sequence: Sequence,
    /// Its slot.
    pub index: usize,
    /// Its length.
    pub payload_bytes: u64,
}

/// What a check of a block found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Integrity {
    /// What is wrong with the header; nothing else was checked then.
    pub header: Option<HeaderError>,
    /// Whether the block stamps and verifies every payload; if not, checksums are not compared.
    pub enforced: bool,
    /// Physical slots.
    pub slots: usize,
    /// Payloads that were compared with their checksum records.
    pub verified: usize,
    /// Payloads that do not match.
    pub mismatches: Vec<Mismatch>,
    /// Labels, lengths, places and indices that cannot be.
    pub faults: Vec<String>,
    /// What was not checked.
    pub unchecked: Vec<Unchecked>,
}

impl Integrity {
    /// Whether everything that was checked is right.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.header.is_none() && self.mismatches.is_empty() && self.faults.is_empty()
    }
}

/// Checks the block at `place` without repairing anything.
///
/// # Errors
///
/// When the file cannot be opened or read. A header that is wrong is a result, not an error.
pub fn validate_integrity(place: &Place) -> io::Result<Integrity> {
    let monitor = match Monitor::open(place) {
        Ok(monitor) => monitor,
        Err(OpenError::Header(error)) => {
            return Ok(Integrity { header: Some(error), ..Integrity::default() });
        }
        Err(OpenError::System(error)) => return Err(error),
        Err(stranger @ OpenError::Stranger { .. }) => {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, stranger));
        }
    };
    let view = monitor.snapshot(monotonic_ns());
    let config = &view.geometry.config;
    let mut integrity = Integrity {
        enforced: config.checksum_policy() == ChecksumPolicy::Enforced,
        slots: view.slots.len(),
        faults: damage(&view),
        ..Integrity::default()
    };
    integrity.faults.extend(duplicates(&view));
    integrity.faults.extend(broken_promises(&view, &monitor));
    let block = monitor.block();
    let Some(excluder) = Excluder::take(block)? else {
        let why = "not checked: every seat is taken and the block is being written";
        integrity.unchecked.extend((0..view.slots.len()).map(|index| Unchecked { index, why }));
        return Ok(integrity);
    };
    for slot in &view.slots {
        check(block, &excluder, slot, &mut integrity)?;
    }
    Ok(integrity)
}

/// Two slots with one label.
fn duplicates(view: &BlockView) -> Vec<String> {
    let mut places = HashMap::new();
    let mut found = Vec::new();
    for slot in view.slots.iter().filter(|slot| !slot.moving) {
        let Some(sequence) = slot.sequence() else { continue };
        if let Some(other) = places.insert(sequence, slot.index) {
            found.push(format!("slots {other} and {} both claim sequence {sequence}", slot.index));
        }
    }
    found
}

/// The newest payloads that the block promised to keep, and that are not there.
fn broken_promises(view: &BlockView, monitor: &Monitor) -> Vec<String> {
    // A commit meanwhile moves the promise; then the next check has to tell.
    if monitor.snapshot(view.taken_ns).commit_index != view.commit_index || view.producer.alive {
        return Vec::new();
    }
    let held: Vec<Sequence> = view.slots.iter().filter_map(SlotView::sequence).collect();
    let promised = view.rules().oldest(view.commit_index)..view.commit_index;
    // At most the capacity, whatever the words say.
    let bounded = promised.take(view.slots.len());
    let missing: Vec<Sequence> = bounded.filter(|sequence| !held.contains(sequence)).collect();
    match (missing.first(), missing.len()) {
        (Some(first), count) => {
            vec![format!("{count} payloads that were promised are missing, the first is {first}")]
        }
        (None, _) => Vec::new(),
    }
}

/// What keeps the writer out of a payload that is read.
struct Excluder<'a> {
    block: &'a Block,
    /// The reader bit of our seat; without one, the producer's token is ours.
    reader: Option<Reader>,
    _token: Token,
}

impl<'a> Excluder<'a> {
    fn take(block: &'a Block) -> io::Result<Option<Self>> {
        let process = std::process::id().into();
        // From the last seat on: consumers take the first.
        for number in (0..block.geometry().config.consumers_max()).rev() {
            let (reader, seat) = (Reader::new(number), Seat::Consumer(number));
            // Nobody's to take: a consumer of the predecessor comes for it, and its cursor counts.
            if handover::is_kept(&Shared, block.arrivals(), reader) {
                continue;
            }
            let Some(token) = Token::take(block.file(), seat)? else { continue };
            // A dead one's seat is for recovery to clear.
            if heartbeat::claim(&Shared, block.heartbeat(reader), process, monotonic_ns()).is_ok() {
                return Ok(Some(Self { block, reader: Some(reader), _token: token }));
            }
        }
        let token = Token::take(block.file(), Seat::Producer)?;
        Ok(token.map(|token| Self { block, reader: None, _token: token }))
    }
}

impl Drop for Excluder<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader {
            liveness::clear(&Shared, self.block, reader);
        }
    }
}

/// Looks at one slot, under the excluder.
fn check(
    block: &Block,
    excluder: &Excluder<'_>,
    seen: &SlotView,
    integrity: &mut Integrity,
) -> io::Result<()> {
    let index = seen.index;
    let why = match seen.state {
        SlotState::Free => return Ok(()),
        SlotState::Writing => "not checked: being written",
        SlotState::Draining if excluder.reader.is_some() => "not checked: closed to readers",
        _ if !integrity.enforced => return Ok(()),
        SlotState::Committed | SlotState::Draining => {
            match compare_inside(block, excluder, seen)? {
                Ok(Compared { mismatch, matches }) => {
                    integrity.verified += 1;
                    integrity.mismatches.extend((!matches).then_some(mismatch));
                    return Ok(());
                }
                Err(why) => why,
            }
        }
    };
    integrity.unchecked.push(Unchecked { index, why });
    Ok(())
}

/// A payload that was compared with its record.
struct Compared {
    mismatch: Mismatch,
    matches: bool,
}

/// Enters the slot, compares, leaves. The inner error says why nothing was compared.
fn compare_inside(
    block: &Block,
    excluder: &Excluder<'_>,
    seen: &SlotView,
) -> io::Result<Result<Compared, &'static str>> {
    let index = seen.index;
    let ring = block.ring();
    let state = &ring.slots[index];
    let (sequence, payload_bytes) = match excluder.reader {
        None => (seen.label, seen.payload_bytes),
        Some(reader) => match slot::admit(&Shared, state, reader, seen.tag) {
            Ok(admission) => (admission.sequence, admission.payload_bytes),
            Err(_) => return Ok(Err("not checked: overwritten while it was looked at")),
        },
    };
    let matches = compare(block, index, sequence, payload_bytes);
    if let Some(reader) = excluder.reader {
        slot::release(&Shared, state, reader);
    }
    let mismatch = Mismatch { sequence, index, payload_bytes };
    // An impossible length is among the faults already.
    let compared = matches?.map(|matches| Compared { mismatch, matches });
    Ok(compared.ok_or("not checked: impossible length"))
}

/// Whether the payload matches its record; `None` when its length cannot be.
fn compare(
    block: &Block,
    index: usize,
    sequence: Sequence,
    payload_bytes: u64,
) -> io::Result<Option<bool>> {
    let geometry = block.geometry();
    if payload_bytes > geometry.config.payload_bytes() {
        return Ok(None);
    }
    let (layout, slot) = (&geometry.layout, index as u64);
    let mut payload = vec![0; usize::try_from(payload_bytes).unwrap_or(0)];
    block.file().read_exact_at(&mut payload, layout.ring as u64 + slot * layout.stride as u64)?;
    let mut record = [0; RECORD];
    block.file().read_exact_at(&mut record, layout.records as u64 + slot * RECORD as u64)?;
    let algorithm = geometry.config.checksum_algorithm();
    Ok(Some(checksum::matches(algorithm, sequence, &payload, &record)))
}
