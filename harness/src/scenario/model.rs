//! What a scenario says, checked: plain data, every default filled in, every axis resolved.
//!
//! A value of these types came through [`super::parse`], so it contradicts neither itself nor the
//! format. Knows nothing of: TOML, spans, hosts.

pub mod fault;
pub mod kills;
pub mod transport;
mod work;
pub mod zone;

use std::fmt;

use crate::gate::Expectation;
use crate::units::{Bytes, Nanos};
use transport::Carrier;
use zone::ZoneSpec;

pub(in crate::scenario) use work::messages_max;
pub use work::{
    Arrival, History, Length, Quest, RunSpec, Stay, Steady, TrialOrder, Warmup, Workload,
};

/// One scenario file: a question, and what to run for each profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file as it was named by the caller.
    pub file: String,
    /// The name, unique in a suite: `[a-z0-9][a-z0-9-]*`.
    pub name: String,
    /// What the run answers, in one sentence.
    pub question: String,
    /// Words to select by.
    pub tags: Vec<String>,
    /// The cells of [`Profile::Smoke`].
    pub smoke: Vec<Cell>,
    /// The cells of [`Profile::Full`].
    pub full: Vec<Cell>,
    /// The cells of [`Profile::Soak`].
    pub soak: Vec<Cell>,
}

impl Scenario {
    /// What a profile runs; never empty.
    #[must_use]
    pub fn cells(&self, profile: Profile) -> &[Cell] {
        match profile {
            Profile::Smoke => &self.smoke,
            Profile::Full => &self.full,
            Profile::Soak => &self.soak,
        }
    }
}

/// How much is run.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Profile {
    /// Seconds: does it work at all.
    #[default]
    Smoke,
    /// Minutes: the figures to judge by.
    Full,
    /// Hours: what only time shows.
    Soak,
}

impl Profile {
    /// All of them, shortest first.
    pub const ALL: [Self; 3] = [Self::Smoke, Self::Full, Self::Soak];

    /// As it is written in a file and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Full => "full",
            Self::Soak => "soak",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One point of the matrix, fully resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Stable text: `name`, or `name/readers=4,payload-size=4KiB`.
    pub id: String,
    /// Axis and value, in the order of the file; values without blanks.
    pub axes: Vec<(String, String)>,
    /// What is under test.
    pub block: BlockSpec,
    /// The one producer.
    pub producer: ProducerSpec,
    /// The consumers, in the order of the file; a group stands for `count` processes.
    pub consumers: Vec<ConsumerSpec>,
    /// What the producer is asked to do.
    pub workload: Workload,
    /// How long, how often, with which seed.
    pub run: RunSpec,
    /// What each process writes down of what it did.
    pub history: History,
    /// What goes wrong on purpose.
    pub faults: Vec<fault::FaultSpec>,
    /// What must hold: the implied correctness expectations first, then the file's own.
    pub expectations: Vec<Expectation>,
}

impl Cell {
    /// Whether any process is written in another language.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        let groups = self.consumers.iter().map(|group| group.program);
        groups.chain([self.producer.program]).any(|program| program == Program::C)
    }

    /// Whether these consumers ask for each payload by its sequence, where the block would show them the
    /// newest. In a closed loop the next one is the newest.
    #[must_use]
    pub fn asks_in_line(&self, group: &ConsumerSpec) -> bool {
        let latest = self.block.consumer_sync == ConsumerSync::LatestOnly;
        let blocks = self.block.transport == Carrier::DataHub;
        blocks && latest && group.read == Read::Next && self.workload != Workload::PingPong
    }

    /// Records that each process has room for; 0: nothing is written down, and `None`: nobody knows
    /// how many there will be.
    #[must_use]
    pub fn history_records(&self) -> Option<u64> {
        match self.history {
            History::None => Some(0),
            History::Ring(records) => Some(records),
            History::All => messages_max(self.workload, &self.run),
        }
    }

    /// What carries the messages, as the file says it.
    #[must_use]
    pub fn carrier_name(&self) -> &str {
        self.block.program.as_deref().unwrap_or_else(|| self.block.transport.name())
    }

    /// The number of consumer processes.
    #[must_use]
    pub fn consumer_count(&self) -> u32 {
        self.consumers.iter().map(|group| group.count).sum()
    }
}

/// The block under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSpec {
    /// What carries the messages; the block itself, or what it is held against.
    pub transport: Carrier,
    /// The user's program, where that is what carries them.
    pub program: Option<String>,
    /// Payloads that stay readable, 1..=65536.
    pub slots: u32,
    /// Slots in memory, more than `slots`.
    pub physical_slots: u32,
    /// Bytes of one payload.
    pub payload: Bytes,
    /// The ring's policy.
    pub policy: Policy,
    /// What consumers are promised.
    pub consumer_sync: ConsumerSync,
    /// Absent: nothing is stamped.
    pub checksum: Option<ChecksumSpec>,
    /// What a write does when there is no room.
    pub on_full: OnFull,
    /// Places for consumers, 1..=32.
    pub max_consumers: u32,
    /// The block wakes those who park.
    pub notify: bool,
    /// Flexible zones beside the ring.
    pub zones: Vec<ZoneSpec>,
}

impl BlockSpec {
    /// Whether everything committed must be delivered.
    #[must_use]
    pub fn lossless(&self) -> bool {
        let drops = matches!(self.on_full, OnFull::Overwrite | OnFull::Evict { .. });
        self.consumer_sync != ConsumerSync::LatestOnly && !drops
    }
}

/// The ring's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// One slot.
    Single,
    /// Two slots.
    DoubleBuffer,
    /// Any number of slots.
    RingBuffer,
}

impl Policy {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::DoubleBuffer => "double-buffer",
            Self::RingBuffer => "ring-buffer",
        }
    }
}

/// What consumers are promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsumerSync {
    /// The newest payload; earlier ones may be skipped.
    LatestOnly,
    /// One consumer, every payload in order.
    Sequential,
    /// Every consumer, every payload in order; the slowest gates the producer.
    SequentialSync,
}

impl ConsumerSync {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LatestOnly => "latest-only",
            Self::Sequential => "sequential",
            Self::SequentialSync => "sequential-sync",
        }
    }
}

/// How payloads are stamped and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChecksumSpec {
    /// The function.
    pub algorithm: Algorithm,
    /// Who calls it.
    pub policy: ChecksumPolicy,
}

/// A checksum function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// xxh3, 64 bits.
    Xxh3,
    /// CRC-32C.
    Crc32c,
    /// BLAKE2b, 256 bits.
    Blake2b,
}

impl Algorithm {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xxh3 => "xxh3",
            Self::Crc32c => "crc32c",
            Self::Blake2b => "blake2b",
        }
    }
}

/// Who stamps and verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumPolicy {
    /// The user calls for it.
    Manual,
    /// The block does it on each commit and each read.
    Enforced,
}

impl ChecksumPolicy {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Enforced => "enforced",
        }
    }
}

/// What a write does when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnFull {
    /// Waits, at most so long; giving up is counted as a timeout and tried again.
    Block {
        /// The bound.
        timeout: Nanos,
    },
    /// Fails at once; the producer tries again.
    Error,
    /// Takes the oldest payload's place.
    Overwrite,
    /// Waits, then goes on without the consumer that it waited for.
    Evict {
        /// How long it waits for the same one.
        after: Nanos,
    },
}

/// What a process is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Program {
    /// The harness itself.
    #[default]
    Rust,
    /// A peer over the C API.
    C,
}

impl Program {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
        }
    }
}

/// The one producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerSpec {
    /// What it is written in.
    pub program: Program,
    /// Where it runs.
    pub pin: Pin,
    /// How the kernel schedules it.
    pub sched: Sched,
    /// How it waits.
    pub wait: Wait,
    /// How much of a payload it writes.
    pub fill: Fill,
    /// Each n-th write is aborted instead of committed; at least 2.
    pub abort_every: Option<u64>,
}

/// A group of equal consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSpec {
    /// The group's name, unique in the file.
    pub name: String,
    /// How many processes, at least 1.
    pub count: u32,
    /// What they are written in.
    pub program: Program,
    /// Where they run; `Core(n)` takes n, n + 1, … for the members.
    pub pin: Pin,
    /// How the kernel schedules them.
    pub sched: Sched,
    /// How they wait.
    pub wait: Wait,
    /// What they ask for.
    pub read: Read,
    /// Where they start.
    pub join: Join,
    /// Busy time for each message.
    pub work: Nanos,
    /// When it comes and goes; `None`: it is there from before the first message to the last.
    pub stay: Option<Stay>,
}

/// Where a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pin {
    /// On this core.
    Core(usize),
    /// On a core of its own while there are some left.
    Spread,
    /// Where the kernel puts it.
    None,
}

/// How the kernel schedules a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Sched {
    /// Like everybody.
    #[default]
    Other,
    /// Before everybody of a lower priority, until it gives its core away (`SCHED_FIFO`); 1..=99.
    Fifo(u8),
}

/// How a process waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// Polls.
    Spin,
    /// Polls and gives the core away.
    Yield,
    /// Sleeps until it is woken.
    Park,
}

impl Wait {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Yield => "yield",
            Self::Park => "park",
        }
    }
}

/// How much of a payload is written and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fill {
    /// Every word.
    Full,
    /// Only the stamp at its start: the protocol without the memory traffic.
    Header,
}

/// What a consumer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Read {
    /// The next one in order.
    Next,
    /// The newest.
    Latest,
}

/// Where a consumer starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Join {
    /// At the oldest payload that is still readable.
    Oldest,
    /// At the newest.
    Latest,
}
