//! What should be done about a block, and what proves that it may be done. Pure.

use core::fmt;

use crate::config::ConsumerSync;
use crate::monitor::age;
use crate::monitor::damage::damage;
use crate::monitor::health::Thresholds;
use crate::monitor::rest::Rest;
use crate::monitor::view::{BlockView, ConsumerView, SeatView};
use crate::sequence::Sequence;
use crate::shm::token::Seat;
use crate::slot::SlotState;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Clear a dead consumer's pins, registration and seat.
    ReapConsumer {
        /// Which one.
        number: u32,
        /// The slots it was inside.
        pins: Vec<usize>,
        /// Whether its cursor holds the producer back.
        gates: bool,
    },
    /// Give a slot up that holds no whole commit, or open a closed one again.
    SettleSlot {
        /// Which one.
        index: usize,
        /// Its state.
        from: SlotState,
        /// Its state afterwards.
        to: SlotState,
    },
    /// Announce commits that were made.
    AnnounceCommit {
        /// Commits announced so far.
        from: u64,
        /// Commits made.
        to: u64,
    },
    /// Lead latest-only readers to the newest payload.
    PointAtNewest {
        /// Its sequence.
        sequence: Sequence,
        /// Its slot.
        slot: usize,
    },
    /// Empty the dead producer's seat.
    RetireProducer,
    /// Let the producer go on without a living consumer that stands still: by force only.
    EvictConsumer {
        /// Which one.
        number: u32,
        /// Since when it has been silent.
        silent_ns: u64,
    },
}

/// Why the owner of a seat counts as dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Whose seat.
    pub seat: Seat,
    /// Whether its token was free; if not, only force may act.
    pub token_free: bool,
    /// Which claim of the seat it was.
    pub epoch: u64,
    /// The process that sat there, as it told.
    pub process: Option<u64>,
}

/// An action with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// Why it may be done.
    pub proof: Proof,
}

/// What should be done about a block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnosis {
    /// Safe: the dead are dead. In the order in which they are done.
    pub steps: Vec<Step>,
    /// Only by force: these consumers live, and have stood still from one look to another.
    pub forced: Vec<Step>,
    /// Words that make no sense. A dead producer's slots that cannot be right are given up; nothing else
    /// is repaired.
    pub damage: Vec<String>,
}

impl Diagnosis {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.steps.is_empty() && self.damage.is_empty()
    }
}

/// Finds what the dead left behind, and who stands still in the producer's way.
///
/// That somebody alive stands still takes an `earlier` look to prove: nothing that it counts has changed
/// since. Without one, or with one that is too near, nobody does.
#[must_use]
pub fn diagnose(
    view: &BlockView,
    earlier: Option<&BlockView>,
    thresholds: Thresholds,
) -> Diagnosis {
    let earlier = earlier.filter(|earlier| {
        let apart_ns = view.taken_ns.saturating_sub(earlier.taken_ns);
        earlier.geometry.nonce == view.geometry.nonce && apart_ns >= thresholds.still_ns
    });
    let mut diagnosis = Diagnosis { damage: damage(view), ..Diagnosis::default() };
    if !view.producer.alive {
        diagnosis.steps = producer_remains(view);
    }
    for consumer in &view.consumers {
        let seat = Seat::Consumer(consumer.number);
        let proof = Proof::of(seat, &consumer.seat);
        if consumer.is_dead() && consumer_remains(view, consumer) {
            diagnosis.steps.push(Step { action: reaping(consumer), proof });
        } else if let Some(silent_ns) = in_the_way(view, consumer, thresholds)
            && earlier.is_some_and(|earlier| stands_still(earlier, consumer))
        {
            let action = Action::EvictConsumer { number: consumer.number, silent_ns };
            diagnosis.forced.push(Step { action, proof });
        }
    }
    diagnosis
}

fn reaping(consumer: &ConsumerView) -> Action {
    let ConsumerView { number, ref pins, gates, .. } = *consumer;
    Action::ReapConsumer { number, pins: pins.clone(), gates }
}

/// Whether anything of a consumer is left in the block.
pub(super) fn consumer_remains(view: &BlockView, consumer: &ConsumerView) -> bool {
    let registered = view.registered & (1 << consumer.number) != 0;
    consumer.seat.occupied || registered || !consumer.pins.is_empty()
}

/// Whether somebody alive seems to stand still in the producer's way: reason enough for a second look.
pub(super) fn is_suspicious(view: &BlockView, thresholds: Thresholds) -> bool {
    view.consumers.iter().any(|consumer| in_the_way(view, consumer, thresholds).is_some())
}

/// Whether the consumer has done nothing since `earlier`: it has neither beaten, nor read, nor moved, and
/// is the same one.
fn stands_still(earlier: &BlockView, now: &ConsumerView) -> bool {
    let traces = |consumer: &ConsumerView| {
        (consumer.seat.owner, consumer.cursor, consumer.slots_read, consumer.bytes_read)
    };
    let before = earlier.consumers.iter().find(|before| before.number == now.number);
    before.is_some_and(|before| traces(before) == traces(now) && before.pins == now.pins)
}

/// How long a living consumer has been silent, if it is and holds the producer back.
fn in_the_way(view: &BlockView, consumer: &ConsumerView, thresholds: Thresholds) -> Option<u64> {
    let silent_ns = consumer.seat.beat_age_ns.filter(|&age| age > thresholds.silent_ns)?;
    // Who has read everything is in nobody's way, even if it keeps its last pin.
    let holds = if consumer.gates {
        consumer.lag >= view.rules().capacity
    } else {
        consumer.lag > 0 && !consumer.pins.is_empty()
    };
    (consumer.seat.alive && holds).then_some(silent_ns)
}

/// What a dead producer left behind. The caller knows that it is dead.
pub(super) fn producer_remains(view: &BlockView) -> Vec<Step> {
    let proof = Proof { token_free: true, ..Proof::of(Seat::Producer, &view.producer) };
    let rest = Rest::of(view);
    let settling = |&(index, to): &(usize, SlotState)| {
        let from = view.slots[index].state;
        Action::SettleSlot { index, from, to }
    };
    let mut actions: Vec<Action> = rest.changes.iter().map(settling).collect();
    if rest.commits > view.commit_index {
        actions.push(Action::AnnounceCommit { from: view.commit_index, to: rest.commits });
    }
    let latest = view.rules().sync == ConsumerSync::LatestOnly;
    if let Some((sequence, slot)) = rest.newest.filter(|_| latest)
        && view.newest_slot != Some(slot)
    {
        actions.push(Action::PointAtNewest { sequence, slot });
    }
    if view.producer.occupied {
        actions.push(Action::RetireProducer);
    }
    actions.into_iter().map(|action| Step { action, proof }).collect()
}

impl Proof {
    fn of(seat: Seat, view: &SeatView) -> Self {
        let process = view.process_id();
        Self { seat, token_free: !view.alive, epoch: view.epoch, process }
    }
}

/// The state's name as in the specification.
#[must_use]
pub const fn state_name(state: SlotState) -> &'static str {
    match state {
        SlotState::Free => "FREE",
        SlotState::Writing => "WRITING",
        SlotState::Committed => "COMMITTED",
        SlotState::Draining => "DRAINING",
    }
}

impl Action {
    /// A stable name for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReapConsumer { .. } => "reap-consumer",
            Self::SettleSlot { .. } => "settle-slot",
            Self::AnnounceCommit { .. } => "announce-commit",
            Self::PointAtNewest { .. } => "point-at-newest",
            Self::RetireProducer => "retire-producer",
            Self::EvictConsumer { .. } => "evict-consumer",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReapConsumer { number, pins, gates } => {
                write!(f, "clear the seat of dead consumer {number}")?;
                if !pins.is_empty() {
                    write!(f, ", which is inside {}", slots(pins))?;
                }
                if *gates { f.write_str(", whose cursor holds the producer back") } else { Ok(()) }
            }
            Self::SettleSlot { index, from, to } => {
                write!(f, "put slot {index} from {} to {}", state_name(*from), state_name(*to))
            }
            Self::AnnounceCommit { from, to } => {
                write!(f, "announce what was committed: commit_index from {from} to {to}")
            }
            Self::PointAtNewest { sequence, slot } => {
                write!(f, "lead readers to the newest payload: sequence {sequence} in slot {slot}")
            }
            Self::RetireProducer => f.write_str("empty the dead producer's seat"),
            Self::EvictConsumer { number, silent_ns } => {
                let silent = age::duration(*silent_ns);
                write!(f, "evict living consumer {number}, silent for {silent}")
            }
        }
    }
}

/// The first slots of a list, as text.
fn slots(indices: &[usize]) -> String {
    const SHOWN: usize = 8;
    let noun = if indices.len() == 1 { "slot" } else { "slots" };
    let shown: Vec<String> = indices.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if indices.len() > SHOWN { ", …" } else { "" };
    format!("{noun} {}{more}", shown.join(", "))
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seat = match self.seat {
            Seat::Producer => "the producer".to_owned(),
            Seat::Consumer(number) => format!("consumer {number}"),
        };
        let process = self.process.map(|id| format!("process {id}, ")).unwrap_or_default();
        let verdict = if self.token_free {
            "the kernel has taken its token back, which only a death does"
        } else {
            "its token is held: it lives, and there is no proof"
        };
        write!(f, "{seat} ({process}claim {}): {verdict}", self.epoch)
    }
}
