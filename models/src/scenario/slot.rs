//! One slot, or two side by side: the state machine alone, without a ring around it.

use datahub::sequence::{self, Sequence};
use datahub::sites::{R_LABEL, R_PEEK};
use datahub::slot::{self, Reader, SlotRWState, SlotState, SlotWord};

use super::Scenario;
use super::block::{Payload, Seen, fill, payload, slot_record, verify};
use crate::memory::{ModelMemory, Shareable};
use crate::violation::{Promise, check};

const ONE: &[&str] = &["writer", "reader"];
const TWO: &[&str] = &["writer", "reader", "reader 2"];

/// A writer goes round `slots`, all of them filled, while readers ask for sequences.
#[derive(Debug, Clone, Copy)]
pub struct Slots {
    /// Physical slots.
    pub slots: usize,
    /// One reader or two.
    pub readers: usize,
    /// What the writer commits after the set-up.
    pub commits: u64,
    /// How many sequences each reader asks for, beginning with the oldest.
    pub reads: u64,
    /// How often the writer looks again while readers stay.
    pub patience: u32,
    /// Whether the first write is given up.
    pub aborts: bool,
}

impl Slots {
    /// One slot, one commit, one reader, one read.
    pub const PLAIN: Self =
        Self { slots: 1, readers: 1, commits: 1, reads: 1, patience: 1, aborts: false };

    const fn place(&self, sequence: Sequence) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "a handful of slots")]
        let index = sequence as usize % self.slots;
        index
    }

    fn write<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        sequence: Sequence,
        aborts: bool,
    ) -> bool {
        let place = self.place(sequence);
        let mut patience = self.patience;
        let drained = slot::drain(mem, &world.slots[place], sequence, |_| {
            mem.pause();
            let again = patience > 0;
            patience = patience.saturating_sub(1);
            again
        });
        if drained.is_err() {
            return false;
        }
        fill(mem, &world.payloads[place], sequence);
        if aborts {
            slot::abort(mem, &world.slots[place], sequence);
        } else {
            slot::commit(mem, &world.slots[place], sequence, 16, 1);
        }
        true
    }

    fn read<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        reader: Reader,
        wanted: Sequence,
    ) -> bool {
        let place = self.place(wanted);
        let record = &world.slots[place];
        let Ok(admission) = slot::admit(mem, record, reader, sequence::tag(wanted)) else {
            return false;
        };
        check(admission.sequence == wanted, Promise::Labelled, || {
            format!("asked for {wanted}, admitted to {}", admission.sequence)
        });
        verify(mem, &world.payloads[place], wanted);
        check(slot::validate(mem, record, wanted), Promise::Whole, || {
            format!("{wanted} is not valid although its reader is inside")
        });
        let inside = slot::release(mem, record, reader);
        check(inside, Promise::Quiet, || "the reader's bit was gone".to_owned());
        true
    }
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    slots: Vec<SlotRWState<W>>,
    payloads: Vec<Payload<C>>,
}

impl Scenario for Slots {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        if self.readers == 1 { ONE } else { TWO }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let slots = (0..self.slots).map(|index| slot_record(mem, index)).collect();
        let payloads = (0..self.slots).map(|index| payload(mem, index)).collect();
        let world = World { slots, payloads };
        for sequence in 0..self.slots as u64 {
            self.write(mem, &world, sequence, false);
        }
        world
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        let mut seen = Seen::default();
        if index == 0 {
            let mut next = self.slots as u64;
            if self.aborts {
                seen.mark(if self.write(mem, world, next, true) { "abort" } else { "-" });
            }
            for _ in 0..self.commits {
                if self.write(mem, world, next, false) {
                    seen.number('w', next);
                    next += 1;
                } else {
                    seen.mark("-");
                }
            }
            return seen.text();
        }
        let reader = Reader::new(u32::try_from(index - 1).unwrap_or(0));
        for wanted in 0..self.reads {
            if self.read(mem, world, reader, wanted) {
                seen.number('r', wanted);
            } else {
                seen.mark("-");
            }
        }
        seen.text()
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        for (index, record) in world.slots.iter().enumerate() {
            let found = SlotWord::from_bits(mem.load::<R_PEEK>(&record.word));
            check(found.readers() == 0, Promise::Quiet, || {
                format!("slot {index} still counts readers {:#b}", found.readers())
            });
            let rests = matches!(found.state(), SlotState::Committed | SlotState::Free);
            check(rests, Promise::Progress, || format!("slot {index} is left {:?}", found.state()));
            if found.state() == SlotState::Committed {
                let held = mem.load::<R_LABEL>(&record.sequence);
                check(self.read(mem, world, Reader::new(31), held), Promise::Progress, || {
                    format!("slot {index} cannot be read although all is quiet")
                });
            }
            let next = self.slots as u64 * 8 + index as u64;
            check(self.write(mem, world, next, false), Promise::Progress, || {
                format!("slot {index} cannot be written although all is quiet")
            });
        }
    }
}
