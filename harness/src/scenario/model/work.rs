//! What a scenario asks for: how messages are offered, for how long, who is there meanwhile, and
//! what is written down.

use crate::gate::Percentile;
use crate::units::{Hertz, Nanos, Share};

/// What the producer is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    /// One message to and fro, over two blocks; latency is half the round trip.
    PingPong,
    /// As fast as it goes.
    Stream,
    /// At a rate, whether the consumers keep up or not; latency counts from the intended start.
    Open {
        /// Messages per second.
        rate: Hertz,
        /// How starts are spaced.
        arrival: Arrival,
    },
    /// So many messages back to back, again and again; all of them are due when their burst is.
    Burst {
        /// Messages of one burst.
        size: u64,
        /// From the start of one to the start of the next.
        every: Nanos,
    },
    /// One rate after the other, each in a trial of its own, until the highest is found that keeps a
    /// bound.
    Search(Quest),
}

impl Workload {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PingPong => "ping-pong",
            Self::Stream => "stream",
            Self::Open { .. } => "open",
            Self::Burst { .. } => "burst",
            Self::Search(_) => "search",
        }
    }

    /// The most messages that are offered each second; `None`: as many as are taken.
    #[must_use]
    pub fn rate_max(self) -> Option<Hertz> {
        match self {
            Self::PingPong | Self::Stream => None,
            Self::Open { rate, .. } => Some(rate),
            Self::Burst { size, every } => {
                let rate = u128::from(size) * 1_000_000_000 / u128::from(every.0.max(1));
                Some(Hertz(u64::try_from(rate).unwrap_or(u64::MAX).max(1)))
            }
            Self::Search(quest) => Some(quest.to),
        }
    }

    /// Messages that are due each second, whether the consumers keep up or not.
    #[must_use]
    pub fn offered_hz(self) -> Option<f64> {
        match self {
            Self::PingPong | Self::Stream | Self::Search(_) => None,
            Self::Open { rate, .. } => Some(rate.0 as f64),
            Self::Burst { size, every } => Some(size as f64 * 1e9 / every.0 as f64),
        }
    }

    /// The longest time without a message that is due.
    #[must_use]
    pub fn gap_max(self) -> Nanos {
        let each = |rate: Hertz| Nanos(1_000_000_000 / rate.0.max(1));
        match self {
            Self::PingPong | Self::Stream => Nanos(0),
            Self::Open { rate, .. } => each(rate),
            Self::Burst { every, .. } => every,
            Self::Search(quest) => each(quest.from),
        }
    }
}

/// A search for the highest rate that keeps a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quest {
    /// The lowest rate of interest, which is tried first.
    pub from: Hertz,
    /// The highest.
    pub to: Hertz,
    /// How starts are spaced.
    pub arrival: Arrival,
    /// Which latency has the bound.
    pub percentile: Percentile,
    /// The bound.
    pub at_most: Nanos,
    /// The search ends when what holds and what does not are this close.
    pub precision: Share,
}

impl Quest {
    /// How many rates will be tried, roughly: both ends, then halving the distance.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the logarithm of a logarithm; casts from floats saturate"
    )]
    pub fn steps_expected(self) -> u32 {
        let span = (self.to.0 as f64 / self.from.0.max(1) as f64).max(1.0).ln();
        let closest = (1.0 + self.precision.factor()).ln();
        2 + (span / closest).max(1.0).log2().ceil() as u32
    }
}

/// How intended starts are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// Evenly.
    Uniform,
    /// With exponential gaps of the same mean, drawn from the trial's seed.
    Poisson,
}

impl Arrival {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Poisson => "poisson",
        }
    }
}

/// When a consumer comes and goes, from the start of the measured part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stay {
    /// It joins then, while messages flow; `None`: it is there from the beginning.
    pub join_at: Option<Nanos>,
    /// It leaves then.
    pub leave_at: Option<Nanos>,
    /// It joins once more then, and stays.
    pub rejoin_at: Option<Nanos>,
}

impl Stay {
    /// What was asked for, by the keys of the file.
    pub(crate) fn moments(self) -> impl Iterator<Item = (&'static str, Nanos)> {
        let all =
            [("join-at", self.join_at), ("leave-at", self.leave_at), ("rejoin-at", self.rejoin_at)];
        all.into_iter().filter_map(|(key, at)| Some((key, at?)))
    }
}

/// How long, how often, with which seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSpec {
    /// What is run before anything counts.
    pub warmup: Warmup,
    /// When a trial ends.
    pub length: Length,
    /// Trials of each cell, 1..=100.
    pub repeats: u32,
    /// In which order the trials of all cells come.
    pub order: TrialOrder,
    /// All randomness comes from it.
    pub seed: u64,
    /// A trial that takes longer is stopped and broken.
    pub deadline: Nanos,
}

/// In which order the trials of all cells come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TrialOrder {
    /// Every cell once, then every cell again: what drifts with time drifts over all cells alike.
    #[default]
    Interleaved,
    /// Every trial of a cell before the first one of the next.
    Sequential,
    /// Shuffled, as the seed has it.
    Random,
}

/// What is run before anything counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warmup {
    /// For so long; 0 is none.
    Time(Nanos),
    /// So many messages.
    Messages(u64),
    /// Until the figures hold still.
    Steady(Steady),
}

impl Warmup {
    /// The longest that it may take, where `message` is the time of one.
    #[must_use]
    pub fn time_max(self, message: Nanos) -> Nanos {
        match self {
            Self::Time(time) => time,
            Self::Messages(messages) => Nanos(messages.saturating_mul(message.0)),
            Self::Steady(steady) => steady.max,
        }
    }
}

/// When figures count as holding still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Steady {
    /// Not before so long.
    pub min: Nanos,
    /// What is looked at: the last so long.
    pub window: Nanos,
    /// A straight line through the window changes by at most this part of the mean.
    pub slope: Share,
    /// Given up after so long.
    pub max: Nanos,
}

/// When a trial ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// After so long.
    Time(Nanos),
    /// After so many messages.
    Messages(u64),
}

impl Length {
    /// How long it takes, where `message` is the time of one.
    #[must_use]
    pub fn time(self, message: Nanos) -> Nanos {
        match self {
            Self::Time(time) => time,
            Self::Messages(messages) => Nanos(messages.saturating_mul(message.0)),
        }
    }
}

/// What each process writes down of what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum History {
    /// Nothing.
    #[default]
    None,
    /// Everything.
    All,
    /// The last so many records.
    Ring(u64),
}

/// The most records that one process writes in a trial; `None` where nobody knows.
pub(in crate::scenario) fn messages_max(workload: Workload, run: &RunSpec) -> Option<u64> {
    /// Waits in vain, coming and going.
    const OTHERS: u64 = 10_000;
    let rate = workload.rate_max().map(|rate| u128::from(rate.0));
    let within = |time: Nanos| {
        let messages = rate? * u128::from(time.0) / 1_000_000_000;
        u64::try_from(messages).ok()
    };
    let warmup = match run.warmup {
        Warmup::Messages(messages) => messages,
        Warmup::Time(Nanos(0)) => 0,
        Warmup::Time(time) => within(time)?,
        Warmup::Steady(steady) => within(steady.max)?,
    };
    let length = match run.length {
        Length::Messages(messages) => messages,
        Length::Time(time) => within(time)?,
    };
    let messages = warmup.checked_add(length)?;
    // Random starts may be more than their mean; in a closed loop each end writes and reads.
    messages.checked_mul(2)?.checked_add(OTHERS)
}
