//! Runs of slots: one for an ordinary write, several for a batch.
//!
//! Slots are taken in order; when one cannot be had, those before it are given back. A batch is
//! published from its last slot to its first, and counted afterwards. A consumer reads in order and
//! acquires the first slot's word, so it sees all of the batch or nothing; explicit-sequence reads
//! and joiners go by `commit_index`, which moves once. A batch takes no slot whose payload is still
//! promised, so giving it up destroys nothing (F10).
//! Knows nothing of: mappings, clocks, payload bytes.

use super::{Blocked, Held, NotTaken, RingWriter, wrapped};
use crate::config::ConsumerSync;
use crate::memory::Memory;
use crate::ring::Ring;
use crate::sequence::Sequence;
use crate::sites::W_COMMIT_INDEX;
use crate::slot::{self, Refusal};

/// How often a joiner may close the gate under one acquire.
const JOINERS_MAX: u32 = 256;

impl RingWriter {
    /// Most slots of one batch: as many as lie outside the promise, and no more than the gate can
    /// let pass at once. 0 under latest-only, where a batch would have no meaning.
    #[must_use]
    pub fn batch_max(&self) -> usize {
        match self.rules.sync {
            ConsumerSync::LatestOnly => 0,
            ConsumerSync::Sequential | ConsumerSync::SequentialSync => {
                let capacity = usize::try_from(self.rules.capacity).unwrap_or(usize::MAX);
                self.rules.slots.saturating_sub(capacity).min(capacity)
            }
        }
    }

    /// Takes the next `count` slots, 1 to [`batch_max`](Self::batch_max), or none. Returns the first.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]; ring and promises are as before.
    ///
    /// # Panics
    ///
    /// For a count out of range: callers check it against `batch_max`.
    pub fn acquire_batch<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        count: usize,
        wait: impl FnMut(Blocked) -> bool,
    ) -> Result<usize, NotTaken> {
        assert!((1..=self.batch_max()).contains(&count), "the handle checks the size of a batch");
        if count as u64 > Sequence::MAX - self.next {
            return Err(NotTaken::Exhausted);
        }
        self.give_up_forgotten(mem, ring);
        let taken = self.acquire_run(mem, ring, count, wait);
        self.open = if taken.is_ok() { count } else { 0 };
        taken
    }

    /// Waits for the gate, then for readers that pin one of the slots.
    pub(super) fn acquire_run<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        count: usize,
        mut wait: impl FnMut(Blocked) -> bool,
    ) -> Result<usize, NotTaken> {
        let last = self.next + (count as u64 - 1);
        // A joiner closes the gate once; one that goes to and fro is not waited for without end.
        for _ in 0..JOINERS_MAX {
            self.pass_gate(mem, ring, last, &mut wait)?;
            let mut taken = 0;
            let refused = loop {
                if taken == count {
                    return Ok(self.at);
                }
                match self.take_one(mem, ring, (taken, last), &mut wait) {
                    Ok(()) => taken += 1,
                    Err(refused) => break refused,
                }
            };
            self.abort_batch(mem, ring, taken);
            if let Some(error) = refused {
                return Err(error);
            }
        }
        Err(NotTaken::Blocked(Blocked::Full(0)))
    }

    /// Takes the slot `step` places on. `None`: a joiner has closed the gate meanwhile.
    fn take_one<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        (step, last): (usize, Sequence),
        wait: &mut impl FnMut(Blocked) -> bool,
    ) -> Result<(), Option<NotTaken>> {
        if step == 0 && core::mem::take(&mut self.ready) {
            return Ok(());
        }
        let slot = &ring.slots[wrapped(self.at + step, self.rules.slots)];
        let mut full = false;
        let known = slot::known_readers(ring.cursors.len());
        let drained = slot::drain(mem, slot, self.next + step as u64, |readers| {
            if readers & !known != 0 {
                slot::clear_strays(mem, slot, known);
            }
            // A joiner pins until it is acknowledged, which happens here.
            full = self.rules.gates() && {
                self.refresh(mem, ring);
                !self.gate.admits(last)
            };
            !full && wait(Blocked::Readers(readers & known))
        });
        match drained {
            Ok(()) => Ok(()),
            Err(Refusal::Writing) => Err(Some(NotTaken::Writing)),
            Err(Refusal::Readers(_)) if full => Err(None),
            Err(Refusal::Readers(readers)) => {
                Err(Some(NotTaken::Blocked(Blocked::Readers(readers))))
            }
        }
    }

    /// Publishes the `count` slots that [`acquire_batch`](Self::acquire_batch) took; `bytes` says
    /// how much of each is in use. Returns the first sequence.
    pub fn commit_batch<M: Memory>(
        &mut self,
        mem: &M,
        ring: &Ring<'_, M::Word>,
        count: usize,
        bytes: impl Fn(usize) -> u64,
    ) -> Sequence {
        let first = self.next;
        self.open = 0;
        for step in (0..count).rev() {
            let index = wrapped(self.at + step, self.rules.slots);
            let sequence = first + step as u64;
            let held = &mut self.held[index];
            *held = Held { end: sequence + 1, generation: held.generation.wrapping_add(1) };
            slot::commit(mem, &ring.slots[index], sequence, bytes(step), held.generation);
        }
        self.next = first + count as u64;
        // [commit index] Every slot word of the batch. Partner: `R_COMMIT_INDEX`.
        mem.store::<W_COMMIT_INDEX>(&ring.producer.commit_index, self.next);
        self.at = wrapped(self.at + count, self.rules.slots);
        self.prepare(mem, ring);
        first
    }

    /// Gives the `count` slots up; no sequence was spent.
    pub fn abort_batch<M: Memory>(&mut self, mem: &M, ring: &Ring<'_, M::Word>, count: usize) {
        self.open = 0;
        for step in 0..count {
            let index = wrapped(self.at + step, self.rules.slots);
            self.held[index].end = 0;
            slot::abort(mem, &ring.slots[index], self.next + step as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::config::{BlockConfig, ConsumerSync};
    use crate::cursor::{AckLine, CursorLine, RegistryLine};
    use crate::memory::interrupted::Interrupted;
    use crate::memory::{Memory, Shared, SharedWord};
    use crate::ring::reader::{JoinAt, RingReader};
    use crate::ring::writer::RingWriter;
    use crate::ring::{ProducerLine, Ring, Rules};
    use crate::rules;
    use crate::slot::{Reader, SlotRWState};

    #[derive(Default)]
    struct Words {
        producer: ProducerLine<SharedWord>,
        registry: RegistryLine<SharedWord>,
        ack: AckLine<SharedWord>,
        cursors: [CursorLine<SharedWord>; 2],
        slots: Vec<SlotRWState<SharedWord>>,
    }

    impl Words {
        fn ring(&self) -> Ring<'_, SharedWord> {
            Ring {
                producer: &self.producer,
                registry: &self.registry,
                ack: &self.ack,
                cursors: &self.cursors,
                slots: &self.slots,
            }
        }
    }

    fn write_batch<M: Memory<Word = SharedWord>>(
        mem: &M,
        words: &Words,
        writer: &mut RingWriter,
        count: usize,
    ) {
        writer.acquire_batch(mem, &words.ring(), count, |_| false).unwrap();
        writer.commit_batch(mem, &words.ring(), count, |step| step as u64);
    }

    fn read_all(words: &Words, reader: &mut RingReader) -> Vec<u64> {
        let next = || {
            let taken = reader.acquire(&Shared, &words.ring()).ok()?;
            reader.release(&Shared, &words.ring(), taken);
            Some(taken.admission.sequence)
        };
        std::iter::from_fn(next).collect()
    }

    /// A producer dies before step `steps` of a batch of three; who reads what before and after
    /// the recovery, which itself dies at every step first?
    fn batch_cut_short(steps: u32) -> bool {
        let config = BlockConfig::new(ConsumerSync::SequentialSync, 4, 8).unwrap();
        let rules = Rules::new(&config.batches_of(3).unwrap(), 0);
        let slots = (0..rules.slots).map(|_| SlotRWState::default()).collect();
        let words = Words { slots, ..Words::default() };
        let mut writer = RingWriter::new(rules);
        for count in [2, 3, 1] {
            write_batch(&Shared, &words, &mut writer, count);
        }
        let join = |number| {
            let (reader, at) = (Reader::new(number), JoinAt::Oldest);
            RingReader::join(&Shared, &words.ring(), rules, reader, at).unwrap()
        };
        let mut reader = join(0);
        assert_eq!(read_all(&words, &mut reader), [2, 3, 4, 5]);

        let dying = Interrupted::dying(steps);
        let batch = AssertUnwindSafe(|| write_batch(&dying, &words, &mut writer, 3));
        let lived = catch_unwind(batch).is_ok();
        let before = read_all(&words, &mut reader);
        assert!(before.is_empty() || before == [6, 7, 8], "dead at {steps}: {before:?}");

        let mut again = (0..).map(|steps| {
            let dying = Interrupted::dying(steps);
            catch_unwind(AssertUnwindSafe(|| rules::resume(&dying, &words.ring(), rules))).ok()
        });
        let mut heir = again.find_map(|heir| heir).unwrap();
        let told =
            |seen: Vec<u64>| assert!(seen.is_empty() || seen == [6, 7, 8], "{steps}: {seen:?}");
        let after = read_all(&words, &mut reader);
        told([before, after].concat());
        let first = heir.next();
        assert!(first == 6 || first == 9);
        let oldest: Vec<u64> = (first - 4..first).collect();
        assert_eq!(read_all(&words, &mut join(1)), oldest, "dead at {steps}");
        write_batch(&Shared, &words, &mut heir, 3);
        assert_eq!(read_all(&words, &mut reader), [first, first + 1, first + 2]);
        lived
    }

    #[test]
    fn a_batch_cut_short_at_any_step_is_there_whole_or_not_at_all() {
        let lived = (0..200).find(|&steps| batch_cut_short(steps));
        assert!(lived.is_some_and(|steps| steps > 12), "{lived:?}");
    }
}
