//! What everybody did shortly before and after the first violation.

use crate::history::{History, Kind, Record};

/// Records on each side of it at most.
const SIDE: usize = 20;

/// One record near a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Whose it is, by its place in [`History::roles`].
    pub role: usize,
    /// What was done.
    pub record: Record,
    /// Whether the violation is seen in this one.
    pub violates: bool,
}

/// The records of all roles around the one that `seen` names, in the order of time, and before them
/// the write that made the payload, if that lies further back.
pub(super) fn around(history: &History, seen: (usize, Record)) -> Vec<Neighbour> {
    let mut near: Vec<Neighbour> =
        (0..history.roles.len()).flat_map(|number| of_role(history, number, seen)).collect();
    near.sort_by_key(|each| each.record.at_ns);
    let Some(place) = near.iter().position(|each| each.violates) else { return near };
    near.truncate(place + SIDE + 1);
    near.drain(..place.saturating_sub(SIDE));
    let write = written(history, seen);
    let known = |write: &Neighbour| near.iter().any(|each| each.record == write.record);
    if let Some(write) = write.filter(|write| !known(write)) {
        let later = near.iter().position(|each| each.record.at_ns > write.record.at_ns);
        near.insert(later.unwrap_or(near.len()), write);
    }
    near
}

/// Those of one role; each process writes in the order of its own time.
fn of_role(history: &History, number: usize, (role, seen): (usize, Record)) -> Vec<Neighbour> {
    let records = &history.roles[number].records;
    let own = (number == role).then(|| records.iter().position(|record| *record == seen)).flatten();
    let place = own.unwrap_or_else(|| records.partition_point(|one| one.at_ns <= seen.at_ns));
    let first = place.saturating_sub(SIDE);
    let end = records.len().min(place + SIDE + 1);
    let near = records[first..end].iter().zip(first..);
    let near = near.map(|(record, at)| Neighbour {
        role: number,
        record: *record,
        violates: own == Some(at),
    });
    near.collect()
}

/// Where the payload that a consumer was given was written last.
fn written(history: &History, (role, seen): (usize, Record)) -> Option<Neighbour> {
    if !matches!(seen.kind, Kind::Delivered | Kind::Spoiled) {
        return None;
    }
    let source = history.roles.get(role)?.reads?;
    let wrote = |one: &&Record| one.kind == Kind::Offered && one.sequence == seen.sequence;
    let record = history.roles.get(source)?.records.iter().rev().find(wrote)?;
    Some(Neighbour { role: source, record: *record, violates: false })
}
