//! A block in a model's memory: the shipped structures over simulated words, and payloads that
//! name the sequence they were written for.

use core::fmt::Write as _;

use datahub::cursor::{AckLine, CursorLine, RegistryLine};
use datahub::ring::writer::{NotTaken, RingWriter};
use datahub::ring::{ProducerLine, Ring};
use datahub::sequence::{Sequence, tag};
use datahub::sites::{R_COMMIT_INDEX, R_LATEST, R_PEEK};
use datahub::slot::{SlotRWState, SlotState, SlotWord};

use crate::memory::ModelMemory;
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

/// The words of a payload: two, so that it can be torn.
pub type Payload<C> = [C; 2];

/// Slots, lines and payloads.
#[derive(Debug)]
pub struct Block<W, C> {
    /// The producer's line.
    pub producer: ProducerLine<W>,
    /// Who is registered.
    pub registry: RegistryLine<W>,
    /// What the producer honours.
    pub ack: AckLine<W>,
    /// One cursor a consumer.
    pub cursors: Vec<CursorLine<W>>,
    /// The slots.
    pub slots: Vec<SlotRWState<W>>,
    /// A payload for each slot.
    pub payloads: Vec<Payload<C>>,
}

/// A slot's record over simulated words.
pub fn slot_record<M: ModelMemory>(mem: &M, index: usize) -> SlotRWState<M::Word> {
    SlotRWState {
        word: mem.word(Name::slot(index), 0),
        sequence: mem.word(Name::numbered("label", index), 0),
        write_generation: mem.word(Name::numbered("generation", index), 0),
        payload_bytes: mem.word(Name::numbered("length", index), 0),
    }
}

/// A payload over race-checked cells.
pub fn payload<M: ModelMemory>(mem: &M, index: usize) -> Payload<M::Cell> {
    [mem.cell(Name::numbered("payload", index)), mem.cell(Name::numbered("payload", index))]
}

/// What is written for `sequence`.
const fn content(sequence: Sequence) -> u64 {
    100 + sequence
}

/// Writes the payload of `sequence`.
pub fn fill<M: ModelMemory>(mem: &M, payload: &Payload<M::Cell>, sequence: Sequence) {
    for cell in payload {
        mem.put(cell, content(sequence));
    }
}

/// Reads a payload that was delivered as `sequence`: G1 and G2.
pub fn verify<M: ModelMemory>(mem: &M, payload: &Payload<M::Cell>, sequence: Sequence) {
    let [first, second] = payload;
    let (first, second) = (mem.get(first), mem.get(second));
    check(first == second, Promise::Whole, || format!("torn: {first} and {second}"));
    check(first == content(sequence), Promise::Labelled, || {
        format!("sequence {sequence} holds the payload of {}", first.wrapping_sub(100))
    });
}

impl<W, C> Block<W, C> {
    /// A block of `slots` physical slots and room for `consumers`.
    pub fn new<M: ModelMemory<Word = W, Cell = C>>(
        mem: &M,
        slots: usize,
        consumers: usize,
    ) -> Self {
        let word = |name| mem.word(Name::numbered(name, 0), 0);
        let cursor = |index| mem.word(Name::numbered("cursor", index), 0);
        Self {
            producer: ProducerLine { commit_index: word("commit_index"), latest: word("latest") },
            registry: RegistryLine { registry: word("registry") },
            ack: AckLine {
                ack: word("ack"),
                read_index: word("read_index"),
                closed: word("closed"),
            },
            cursors: (0..consumers).map(|index| CursorLine { cursor: cursor(index) }).collect(),
            slots: (0..slots).map(|index| slot_record(mem, index)).collect(),
            payloads: (0..slots).map(|index| payload(mem, index)).collect(),
        }
    }

    /// The shared words, borrowed as the protocol wants them.
    pub fn ring(&self) -> Ring<'_, W> {
        Ring {
            producer: &self.producer,
            registry: &self.registry,
            ack: &self.ack,
            cursors: &self.cursors,
            slots: &self.slots,
        }
    }
}

/// What a role saw, in a few letters.
#[derive(Debug, Default)]
pub struct Seen(String);

impl Seen {
    /// Something that has a number.
    pub fn number(&mut self, letter: char, number: u64) {
        let spaced = if self.0.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        _ = write!(self.0, "{spaced}{letter}{number}");
    }

    /// Something that has none.
    pub fn mark(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(text);
    }

    /// Whether `text` is part of it.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    /// All of it.
    #[must_use]
    pub fn text(self) -> String {
        self.0
    }
}

/// Writes the next payload and commits it; says `-` when it is in somebody's way, who is looked for
/// twice. `promise` is what any other refusal breaks.
pub fn write_one<M: ModelMemory>(
    mem: &M,
    block: &Block<M::Word, M::Cell>,
    writer: &mut RingWriter,
    (seen, promise): (&mut Seen, Promise),
) {
    let mut looks = 0;
    let taken = writer.acquire(mem, &block.ring(), |_| {
        mem.pause();
        looks += 1;
        looks < 2
    });
    match taken {
        Ok(index) => {
            fill(mem, &block.payloads[index], writer.next());
            seen.number('w', writer.commit(mem, &block.ring(), index, 16));
        }
        Err(NotTaken::Blocked(_)) => seen.mark("-"),
        Err(wrong) => fail(promise, format!("the writer is told {wrong:?}")),
    }
}

/// Nobody is inside any slot, and every slot is at rest, but for the one that a sequential producer
/// has taken ahead of time for its next commit.
pub fn quiet<M: ModelMemory>(mem: &M, block: &Block<M::Word, M::Cell>) {
    let commits = mem.load::<R_COMMIT_INDEX>(&block.producer.commit_index);
    let sequential = mem.load::<R_LATEST>(&block.producer.latest) == 0;
    let spare = usize::try_from(commits).map_or(0, |commits| commits % block.slots.len());
    for (index, slot) in block.slots.iter().enumerate() {
        let word = SlotWord::from_bits(mem.load::<R_PEEK>(&slot.word));
        check(word.readers() == 0, Promise::Quiet, || {
            format!("slot {index} still counts readers {:#b}", word.readers())
        });
        let ahead = sequential && index == spare && word.tag() == tag(commits);
        let rests = match word.state() {
            SlotState::Committed | SlotState::Free => true,
            SlotState::Writing => ahead,
            SlotState::Draining => false,
        };
        check(rests, Promise::Progress, || format!("slot {index} is left {:?}", word.state()));
    }
}
