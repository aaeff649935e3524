//! After a death: the reaper clears what a dead consumer held, while the living go on and a
//! newcomer may already want its place.
//!
//! The kernel's token is a word here: the dead one releases it, who acts on the death acquires it.

use std::sync::{Mutex, PoisonError};

use datahub::config::ConsumerSync;
use datahub::heartbeat::{self, HeartbeatSlot};
use datahub::park::ParkLine;
use datahub::ring::Rules;
use datahub::ring::reader::{JoinAt, NotRead, RingReader};
use datahub::ring::writer::RingWriter;
use datahub::rules::reap;
use datahub::slot::Reader;

use super::Scenario;
use super::block::{Block, Seen, fill, quiet, verify};
use crate::litmus::sites::{LOAD_ACQUIRE, RMW_ACQUIRE, RMW_RELEASE, STORE_RELEASE};
use crate::memory::{ModelMemory, Shareable};
use crate::trace::Name;
use crate::violation::{Promise, check, fail};

const VICTIM: u64 = 11;
const NEWCOMER: u64 = 12;

/// Who the third role is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Third {
    /// The victim: a consumer that joined before, and dies while it reads.
    Victim,
    /// The victim, which joins under traffic.
    Joiner,
    /// A newcomer who takes the place of a victim that died before.
    Newcomer,
    /// A second reaper of a victim that died before.
    Rival,
    /// A second consumer, which reads on beside a victim that died before.
    Neighbour,
}

/// A consumer dies while it reads; somebody reaps it.
#[derive(Debug, Clone, Copy)]
pub struct Reap {
    /// The policy.
    pub sync: ConsumerSync,
    /// Who the third role is.
    pub third: Third,
    /// Writes of the writer.
    pub commits: u64,
}

/// What the roles share.
#[derive(Debug)]
pub struct World<W, C> {
    block: Block<W, C>,
    heartbeat: HeartbeatSlot<W>,
    parked: ParkLine<W>,
    /// 1 when the victim is dead, 2 when it has been reaped, 2 + n while role n reaps it.
    token: W,
    /// 1 when the newcomer is dead.
    late: W,
    writer: Mutex<RingWriter>,
    victim: Mutex<Option<RingReader>>,
    neighbour: Mutex<Option<RingReader>>,
}

/// A heartbeat slot over simulated words.
pub(super) fn heartbeat_slot<M: ModelMemory>(mem: &M) -> HeartbeatSlot<M::Word> {
    let zero = |name| mem.word(Name::numbered(name, 0), 0);
    HeartbeatSlot {
        word: zero("heartbeat"),
        process: zero("process"),
        since_ns: zero("since"),
        last_heartbeat_ns: zero("beat"),
    }
}

impl Reap {
    const fn rules(&self) -> Rules {
        Rules { sync: self.sync, overwrites: false, capacity: 1, slots: 2, first: 0, attempts: 2 }
    }

    fn write<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>, commits: u64) -> String {
        let ring = world.block.ring();
        let mut seen = Seen::default();
        let mut writer = world.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..commits {
            let mut looks = 0;
            let taken = writer.acquire(mem, &ring, |_| {
                mem.pause();
                looks += 1;
                looks < 2
            });
            if let Ok(index) = taken {
                fill(mem, &world.block.payloads[index], writer.next());
                seen.number('w', writer.commit(mem, &ring, index, 16));
            } else {
                seen.mark("-");
            }
        }
        seen.text()
    }

    /// Joins: in seat 0 the consumer whose place is at stake.
    fn join<M: ModelMemory>(
        &self,
        mem: &M,
        world: &World<M::Word, M::Cell>,
        seat: u32,
    ) -> RingReader {
        let ring = world.block.ring();
        RingReader::join(mem, &ring, self.rules(), Reader::new(seat), JoinAt::Latest)
            .unwrap_or_else(|refused| fail(Promise::Progress, format!("cannot join: {refused:?}")))
    }

    /// Enters a payload and dies there.
    fn die<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let reader = world.victim.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut reader = reader.unwrap_or_else(|| self.join(mem, world, 0));
        let mut seen = Seen::default();
        if let Ok(taken) = reader.acquire(mem, &world.block.ring()) {
            verify(mem, &world.block.payloads[taken.slot], taken.admission.sequence);
            seen.number('r', taken.admission.sequence);
        }
        mem.store::<STORE_RELEASE>(&world.token, 1);
        seen.mark("dies");
        seen.text()
    }

    /// Reaps, if the victim is dead and nobody else holds its token.
    fn clear<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>, role: u64) -> String {
        for _ in 0..2 {
            let proved = mem.load::<LOAD_ACQUIRE>(&world.token) == 1;
            if proved && mem.compare_exchange::<RMW_ACQUIRE>(&world.token, 1, 2 + role).is_ok() {
                let own = (&world.heartbeat, &world.parked);
                reap(mem, &world.block.ring(), own, Reader::new(0));
                mem.store::<STORE_RELEASE>(&world.token, 2);
                return "reaps".to_owned();
            }
            mem.pause();
        }
        "-".to_owned()
    }

    /// The neighbour, if there is one, looks so often and misses nothing.
    fn read_on<M: ModelMemory>(mem: &M, world: &World<M::Word, M::Cell>, looks: u64) -> String {
        let mut seen = Seen::default();
        let mut neighbour = world.neighbour.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(neighbour) = neighbour.as_mut() else { return seen.text() };
        for _ in 0..looks {
            let wanted = neighbour.cursor();
            match neighbour.acquire(mem, &world.block.ring()) {
                Ok(taken) => {
                    let sequence = taken.admission.sequence;
                    check(sequence == wanted, Promise::Lossless, || {
                        format!("wanted {wanted}, given {sequence}")
                    });
                    verify(mem, &world.block.payloads[taken.slot], sequence);
                    neighbour.release(mem, &world.block.ring(), taken);
                    seen.number('r', sequence);
                }
                Err(NotRead::Empty) => seen.mark("-"),
                Err(wrong) => fail(Promise::Lossless, format!("the neighbour is told {wrong:?}")),
            }
        }
        seen.text()
    }

    /// Takes the victim's place, if it is free, and reads.
    fn arrive<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) -> String {
        let claimed = (0..2).any(|_| {
            mem.pause();
            heartbeat::claim(mem, &world.heartbeat, NEWCOMER, 1).is_ok()
        });
        if !claimed {
            return "-".to_owned();
        }
        let ring = world.block.ring();
        let mut reader = self.join(mem, world, 0);
        let mut seen = Seen::default();
        seen.mark("claims");
        if let Ok(taken) = reader.acquire(mem, &ring) {
            verify(mem, &world.block.payloads[taken.slot], taken.admission.sequence);
            check(reader.validate(mem, &ring, &taken), Promise::Whole, || {
                "what a living reader holds is not valid".to_owned()
            });
            seen.number('r', taken.admission.sequence);
            reader.release(mem, &ring, taken);
        }
        reader.leave(mem, &ring);
        seen.text()
    }
}

impl Scenario for Reap {
    type World<W: Shareable, C: Shareable> = World<W, C>;

    fn roles(&self) -> &'static [&'static str] {
        match self.third {
            Third::Victim | Third::Joiner => &["writer", "reaper", "victim"],
            Third::Newcomer => &["writer", "reaper", "newcomer"],
            Third::Rival => &["writer", "reaper", "reaper 2"],
            Third::Neighbour => &["writer", "reaper", "neighbour"],
        }
    }

    fn world<M: ModelMemory>(&self, mem: &M) -> World<M::Word, M::Cell> {
        let zero = |name| mem.word(Name::numbered(name, 0), 0);
        let parked = ParkLine { sleepers: zero("sleepers"), signal: zero("signal") };
        let world = World {
            block: Block::new(mem, 2, 2),
            heartbeat: heartbeat_slot(mem),
            parked,
            token: zero("token"),
            late: zero("late"),
            writer: Mutex::new(RingWriter::new(self.rules())),
            victim: Mutex::default(),
            neighbour: Mutex::default(),
        };
        let claimed = heartbeat::claim(mem, &world.heartbeat, VICTIM, 1).is_ok();
        check(claimed, Promise::Model, || "an empty place cannot be claimed".to_owned());
        if self.third != Third::Joiner {
            let victim = self.join(mem, &world, 0);
            *world.victim.lock().unwrap_or_else(PoisonError::into_inner) = Some(victim);
        }
        if self.third == Third::Neighbour {
            let neighbour = self.join(mem, &world, 1);
            *world.neighbour.lock().unwrap_or_else(PoisonError::into_inner) = Some(neighbour);
        }
        Self::write(mem, &world, 1);
        if matches!(self.third, Third::Newcomer | Third::Rival | Third::Neighbour) {
            self.die(mem, &world);
        }
        world
    }

    fn role<M: ModelMemory>(
        &self,
        index: usize,
        mem: &M,
        world: &World<M::Word, M::Cell>,
    ) -> String {
        match index {
            0 => Self::write(mem, world, self.commits),
            1 => Self::clear(mem, world, 1),
            _ => match self.third {
                Third::Victim | Third::Joiner => self.die(mem, world),
                Third::Newcomer => self.arrive(mem, world),
                Third::Rival => Self::clear(mem, world, 2),
                Third::Neighbour => Self::read_on(mem, world, 2),
            },
        }
    }

    /// The kernel gives up the token of whoever is dead.
    fn vanished<M: ModelMemory>(&self, index: usize, mem: &M, world: &World<M::Word, M::Cell>) {
        let reaper = index == 1 || self.third == Third::Rival;
        if reaper {
            // What it found is of no interest: only a token that it held is given up.
            let held = 2 + index as u64;
            let _found = mem.compare_exchange::<RMW_RELEASE>(&world.token, held, 1);
        } else if self.third == Third::Newcomer {
            mem.store::<STORE_RELEASE>(&world.late, 1);
        } else {
            mem.store::<STORE_RELEASE>(&world.token, 1);
        }
    }

    fn finish<M: ModelMemory>(&self, mem: &M, world: &World<M::Word, M::Cell>) {
        if mem.load::<LOAD_ACQUIRE>(&world.token) != 2 {
            Self::clear(mem, world, 0);
        }
        if mem.load::<LOAD_ACQUIRE>(&world.late) == 1 {
            let own = (&world.heartbeat, &world.parked);
            reap(mem, &world.block.ring(), own, Reader::new(0));
        }
        Self::read_on(mem, world, self.commits + 2);
        let neighbour = world.neighbour.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut neighbour) = neighbour {
            let next = world.writer.lock().unwrap_or_else(PoisonError::into_inner).next();
            check(neighbour.cursor() == next, Promise::Lossless, || {
                format!("{} of {next} can be read although all is quiet", neighbour.cursor())
            });
            neighbour.leave(mem, &world.block.ring());
        }
        quiet(mem, &world.block);
        if let Some(owner) = heartbeat::owner(mem, &world.heartbeat) {
            let reused = self.third == Third::Newcomer;
            let right = reused && (owner.process, owner.epoch) == (NEWCOMER, 2);
            check(right, Promise::Quiet, || format!("the place belongs to {owner:?}"));
        }
        let written = Self::write(mem, world, 2);
        check(!written.contains('-'), Promise::Progress, || {
            format!("the producer cannot go on after the clean-up: {written}")
        });
    }
}
