//! What harness and workers say to each other: one JSON text a line, over the worker's standard
//! input and output.
//!
//! `Task → Made → Meet → At(Before) → At(Run) → At(After) → Done`; [`Event::Failed`] ends it early.

use std::collections::BTreeMap;
use std::path::PathBuf;

use report_schema::{Counts, Hardware, Latency, Visit, WarmUp, ZoneAccount};
use serde::{Deserialize, Serialize};

use super::calibrate::Side;
use super::plant::Plant;
use super::stall::{Stall, Stalls};
use super::tally::Promise;
use super::words::Phase;
use super::zone::ZoneTask;
use crate::scenario::model::transport::Carrier;

/// Everything that one worker needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The harness; a worker whose parent is another process ends at once.
    pub(crate) parent: u32,
    /// Where the shared words are.
    pub(crate) words: PathBuf,
    /// What the worker does.
    pub(crate) duty: Duty,
    /// Where it is pinned.
    pub(crate) core: Option<usize>,
    /// Its real-time priority, if it is to have one.
    pub(crate) fifo: Option<u8>,
    /// Its end of the bare line, if it has one.
    pub(crate) side: Option<Side>,
    /// What carries the messages.
    pub(crate) transport: Carrier,
    /// The block.
    pub(crate) block: BlockTask,
    /// Its flexible zones.
    pub(crate) zones: Vec<ZoneTask>,
    /// How messages are offered.
    pub(crate) pace: Pace,
    /// What runs before anything counts.
    pub(crate) warmup: Span,
    /// The warm-up lasts until the figures hold still instead.
    pub(crate) steady: Option<Steady>,
    /// What counts.
    pub(crate) length: Span,
    /// The trial's seed.
    pub(crate) seed: u64,
    /// How it waits.
    pub(crate) wait: Waiting,
    /// Whether payloads are written whole.
    pub(crate) whole: bool,
    /// Each n-th write is given up.
    pub(crate) abort_every: Option<u64>,
    /// Busy time for each message.
    pub(crate) work_ns: u64,
    /// Joins at the newest payload.
    pub(crate) join_latest: bool,
    /// Which payload it asks for.
    pub(crate) reading: Reading,
    /// When it comes and goes, stay by stay, from the start of the measured part; none: it is there
    /// from before the first message to the last.
    pub(crate) stays: Vec<Stay>,
    /// Without any progress for so long, the worker gives up.
    pub(crate) patience_ns: u64,
    /// The trial's deadline, from its start.
    pub(crate) deadline_ns: u64,
    /// A defect to work with.
    pub(crate) plant: Option<Plant>,
    /// Whether another program than this one does it.
    pub(crate) foreign: bool,
    /// The user's own, if it is that.
    pub(crate) ring: Option<PathBuf>,
    /// Its place among the roles of the trial.
    pub(crate) role: usize,
    /// Where it writes down what it does, if it is to.
    pub(crate) log: Option<PathBuf>,
    /// What the trial's faults mean for it; absent in a trial without faults.
    pub(crate) fate: Option<Fate>,
    /// Where it goes before it touches anything, if what it leaves there must vanish with it.
    pub(crate) den: Option<Den>,
    /// The program that does it, if it is not this one; the starter's business.
    #[serde(skip)]
    pub(crate) program: Option<PathBuf>,
}

/// Namespaces that a process of the trial's own holds open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Den {
    /// That process.
    pub(crate) holder: u32,
    /// Whether its user namespace must be entered, too: the harness is not root.
    pub(crate) user: bool,
}

/// What the trial's faults mean for one worker. Times count from the start of the measured part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fate {
    /// It takes a dead one's place: this is the block.
    pub(crate) block: Option<PathBuf>,
    /// From when on it kills itself at a site.
    pub(crate) deaths: Vec<SiteDeath>,
    /// When it spoils the next payload.
    pub(crate) spoils: Vec<u64>,
    /// When it takes all shared memory there is, and for how long.
    pub(crate) fills: Vec<(u64, u64)>,
    /// The producer may die and be replaced: its death alone is no reason to give up.
    pub(crate) heirs: bool,
}

/// A death at a site of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SiteDeath {
    /// Visits count from then on.
    pub(crate) at_ns: u64,
    /// The site's index.
    pub(crate) site: u16,
    /// The so-manieth visit.
    pub(crate) hit: u64,
}

/// When figures count as holding still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Steady {
    pub(crate) min_ns: u64,
    pub(crate) window_ns: u64,
    pub(crate) slope_ppm: u64,
    pub(crate) max_ns: u64,
}

/// Which payload a consumer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reading {
    /// The one that the block shows it.
    Shown,
    /// The next one, by its sequence, where the block would show it the newest.
    InLine,
}

/// One stay of a consumer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stay {
    /// When it joins; `None`: before the first message.
    pub(crate) from_ns: Option<u64>,
    /// When it leaves; `None`: after the last one.
    pub(crate) until_ns: Option<u64>,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Duty {
    /// Makes a block and fills it.
    Produce,
    /// Reads the producer's block.
    Consume,
    /// Makes a block and reads the other one: begins each round trip.
    Initiate,
    /// The same, and answers.
    Echo,
}

impl Duty {
    /// Whether it makes a block.
    pub(crate) fn makes(self) -> bool {
        self != Self::Consume
    }
}

/// The block as the worker makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockTask {
    pub(crate) sync: Sync,
    pub(crate) slots: u32,
    pub(crate) physical_slots: u32,
    pub(crate) payload_bytes: u64,
    pub(crate) max_consumers: u32,
    pub(crate) notify: bool,
    pub(crate) on_full: Full,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) promise: Promise,
}

/// What consumers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sync {
    Latest,
    One,
    All,
}

/// What a full ring does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Full {
    Block { timeout_ns: u64 },
    Error,
    Overwrite,
    Evict { after_ns: u64 },
}

/// Which checksum, and whether the block sees to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) function: Function,
    pub(crate) enforced: bool,
}

/// A checksum function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Function {
    Xxh3,
    Crc32c,
    Blake2b,
}

/// How messages are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pace {
    PingPong,
    Stream,
    Open { rate_hz: u64, poisson: bool },
    Burst { size: u64, every_ns: u64 },
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Span {
    TimeNs(u64),
    Messages(u64),
}

impl Span {
    /// When it ends, if time ends it.
    pub(crate) fn end_ns(self, start_ns: u64) -> u64 {
        match self {
            Self::TimeNs(time) => start_ns.saturating_add(time),
            Self::Messages(_) => u64::MAX,
        }
    }

    /// How many messages it has, if their number ends it.
    pub(crate) fn messages(self) -> u64 {
        match self {
            Self::TimeNs(_) => u64::MAX,
            Self::Messages(count) => count,
        }
    }

    /// How long it lasts, if time ends it.
    pub(crate) fn time_ns(self) -> Option<u64> {
        match self {
            Self::TimeNs(time) => Some(time),
            Self::Messages(_) => None,
        }
    }
}

/// How a worker waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Waiting {
    Spin,
    Yield,
    Park,
}

/// The harness's second line to each worker: the blocks that others have made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meet {
    pub(crate) blocks: Vec<PathBuf>,
}

/// What a worker tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// It has begun, and made this block.
    Made { block: Option<PathBuf> },
    /// It waits for this phase.
    At { phase: Phase },
    /// It has finished.
    Done(Box<Report>),
    /// It cannot go on.
    Failed { why: String },
}

/// What a worker found. What another program does not say, it did not find.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    /// Everything it counted, the warm-up included.
    pub(crate) counts: Counts,
    /// One more than the last sequence that it read.
    pub(crate) next: u64,
    /// Bytes committed.
    pub(crate) bytes_written: u64,
    /// Bytes delivered.
    pub(crate) bytes_read: u64,
    /// Missed without the word that was promised.
    pub(crate) silent: u64,
    /// Missed, as the block said each time.
    pub(crate) announced: u64,
    /// Writes that the block refused because it was full.
    pub(crate) refusals: u64,
    /// How often the producer went on without it.
    pub(crate) evictions: u64,
    /// How it warmed up, where that was to last until the figures hold still.
    pub(crate) warmup: Option<WarmUp>,
    /// Its stays, where it came late or left early.
    pub(crate) visits: Vec<Visit>,
    /// What it did about the block's zones.
    pub(crate) zones: Vec<ZoneAccount>,
    /// What contradicts a promise and is no count, one sentence each.
    pub(crate) disputes: Vec<String>,
    /// What its rate is computed from.
    pub(crate) measured: Measured,
    /// Latencies and how often each was met, from programs that keep no histogram.
    pub(crate) samples: Vec<(u64, u64)>,
    pub(crate) latency: Option<Latency>,
    pub(crate) service: Option<Latency>,
    pub(crate) usage: Usage,
    /// What the processor's own counters say of the measured part.
    pub(crate) hardware: Option<Hardware>,
    /// One way over the bare line, before and after.
    pub(crate) line_ns: [Option<u64>; 2],
    /// The metrics of the block that it made, after everybody had left.
    pub(crate) metrics: BTreeMap<String, u64>,
    /// What it could not do as asked.
    pub(crate) degraded: Vec<String>,
    /// Why it ended before it was told to.
    pub(crate) trouble: Option<String>,
    /// When it had to wait for others for long, of each fault; only in a trial with faults.
    pub(crate) stalls: Vec<Stall>,
    /// How many of those it could not keep.
    pub(crate) stalls_dropped: u64,
    /// The longest of all its waits; only in a trial with faults.
    pub(crate) longest_wait_ns: Option<u64>,
}

impl Report {
    /// Tells the waits of one end.
    pub(super) fn wait(&mut self, stalls: &Stalls) {
        self.stalls = stalls.kept();
        self.stalls_dropped = stalls.dropped();
        self.longest_wait_ns = stalls.longest_ns();
    }
}

/// Messages, bytes and time of the measured part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) ns: u64,
}

/// What the kernel says a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) user_ms: u64,
    pub(crate) system_ms: u64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
    pub(crate) voluntary_switches: u64,
    pub(crate) involuntary_switches: u64,
}
