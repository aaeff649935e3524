//! Checksums under Enforced: every reader verifies for itself, and what does not match its record is
//! never delivered, whoever damaged it and whenever.
//!
//! Record and decision are the shipped ones (`datahub::checksum`); race-checked cells carry the record.

use datahub::checksum::{Record, delivers, matches, record};
use datahub::config::{ChecksumAlgorithm, ChecksumPolicy};
use datahub::sequence::{self, Sequence};
use datahub::slot::{self, Reader, SlotRWState};

use super::Scenario;
use super::block::{Seen, slot_record};
use crate::litmus::sites::{LOAD_RELAXED, STORE_RELAXED};
use crate::memory::{ModelMemory, Shareable};
use crate::plant::Plant;
use crate::trace::Name;
use crate::violation::{Promise, check};

/// The words of a record that are not always zero: label, length, algorithm, hash.
const RECORD_WORDS: usize = 4;
const ALGORITHM: ChecksumAlgorithm = ChecksumAlgorithm::Xxh3;

/// A writer overwrites a slot whose payloads are stamped; something may damage what it writes.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// The damage comes before the stamp, which then covers it; otherwise after it.
    pub stamps_damage: bool,
    /// Reads of the reader.
    pub reads: u64,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    slot: SlotRWState<W>,
    payload: C,
    record: Vec<C>,
    /// 1 when the writer's memory is damaged.
    damage: W,
}

fn words(record: &Record) -> impl Iterator<Item = u64> {
    let words = record.chunks_exact(8).take(RECORD_WORDS);
    words.map(|bytes| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}

const fn content(sequence: Sequence) -> u64 {
    500 + sequence
}

impl Checked {
    fn write<M: ModelMemory>(
        self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        sequence: Sequence,
    ) -> Option<bool> {
        let mut looks = 0;
        let drained = slot::drain(mem, &world.slot, sequence, |_| {
            mem.pause();
            looks += 1;
            looks < 2
        });
        drained.ok()?;
        let damaged = mem.load::<LOAD_RELAXED>(&world.damage) == 1;
        let written = content(sequence) ^ u64::from(damaged);
        let stamped = if self.stamps_damage { written } else { content(sequence) };
        mem.put(&world.payload, written);
        let stamp = record(ALGORITHM, sequence, &stamped.to_le_bytes());
        for (cell, word) in world.record.iter().zip(words(&stamp)) {
            mem.put(cell, word);
        }
        slot::commit(mem, &world.slot, sequence, 8, 1);
        Some(damaged)
    }

    /// Reads `wanted`: delivered, refused by its checksum, or not there.
    fn read<M: ModelMemory>(
        self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        wanted: Sequence,
    ) -> &'static str {
        let reader = Reader::new(0);
        let Ok(admission) = slot::admit(mem, &world.slot, reader, sequence::tag(wanted)) else {
            return "-";
        };
        let payload = mem.get(&world.payload);
        let mut found: Record = [0; 64];
        for (bytes, cell) in found.chunks_exact_mut(8).zip(&world.record) {
            bytes.copy_from_slice(&mem.get(cell).to_le_bytes());
        }
        let skips = mem.plant() == Some(Plant::SkipsChecksum);
        let policy = if skips { ChecksumPolicy::Manual } else { ChecksumPolicy::Enforced };
        let given = delivers(policy, || {
            matches(ALGORITHM, admission.sequence, &payload.to_le_bytes(), &found)
        });
        let sound = payload == content(admission.sequence);
        // A record that was made of damaged bytes matches them: checksums guard what is stamped.
        check(given == (sound || self.stamps_damage), Promise::Whole, || {
            format!("{payload} as {wanted} is {}", if given { "given" } else { "refused" })
        });
        slot::release(mem, &world.slot, reader);
        if given { "given" } else { "refused" }
    }
}

impl Scenario for Checked {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        &["writer", "reader", "damage"]
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let record = (0..RECORD_WORDS).map(|index| mem.cell(Name::numbered("record", index)));
        let world = World {
            slot: slot_record(mem, 0),
            payload: mem.cell(Name::numbered("payload", 0)),
            record: record.collect(),
            damage: mem.word(Name::numbered("damage", 0), 0),
        };
        self.write(mem, &world, 0);
        world
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        match index {
            0 => match self.write(mem, world, 1) {
                Some(true) => seen.mark("damaged"),
                Some(false) => seen.mark("w"),
                None => seen.mark("-"),
            },
            1 => {
                for wanted in 0..self.reads {
                    seen.mark(self.read(mem, world, wanted));
                }
            }
            _ => mem.store::<STORE_RELAXED>(&world.damage, 1),
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        // A refused payload is no poison: what comes next is written and read.
        mem.store::<STORE_RELAXED>(&world.damage, 0);
        let written = self.write(mem, world, 2);
        check(written.is_some(), Promise::Progress, || "nothing can be written".to_owned());
        let read = self.read(mem, world, 2);
        check(read == "given", Promise::Progress, || format!("a sound payload is {read}"));
    }
}
