//! The metrics section: 256 bytes, the specification's counters in the specification's order.
//!
//! Nobody shares a counter on the hot path. The section holds the producer's counters and what
//! departed consumers left; each living consumer counts on a line of its own; a snapshot adds them
//! up. A reset records a baseline beside the section and touches no counter, so nothing the protocol
//! or another reader uses can jump (F29).
//! Source: HEP-CORE-0002, the metrics section.

use crate::layout;
use crate::memory::{Memory, SharedWord};
use crate::sites::{M_ADD, M_COUNT, M_READ};

/// Words in the section: 256 bytes.
pub const WORDS: usize = 32;

/// The metrics section.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct MetricsSection<W> {
    /// One word a metric, indexed by [`Metric`].
    pub words: [W; WORDS],
}

/// What one consumer counts: one cache line, written by it alone.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct ConsumerCounters<W> {
    /// One word a metric, in the order of [`CONSUMER_METRICS`].
    pub words: [W; CONSUMER_METRICS.len()],
}

const _: () = assert!(size_of::<MetricsSection<SharedWord>>() == layout::METRICS_BYTES);
const _: () = assert!(size_of::<ConsumerCounters<SharedWord>>() == layout::LINE);

impl<W> ConsumerCounters<W> {
    /// The word that counts `metric`.
    ///
    /// # Panics
    ///
    /// For a metric that consumers do not count: a broken invariant of ours.
    #[inline]
    #[must_use]
    pub fn word(&self, metric: Metric) -> &W {
        &self.words[metric.consumer_word().expect("one of CONSUMER_METRICS")]
    }
}

macro_rules! metrics {
    ($( #[doc = $doc:literal] $variant:ident = $word:literal, $name:literal; )*) => {
        /// A word of the section; the value is its index, the offset is eight times that.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Metric { $( #[doc = $doc] $variant = $word ),* }

        /// Every metric with its name in the specification.
        pub const METRICS: &[(Metric, &str)] = &[$((Metric::$variant, $name)),*];
    };
}

metrics! {
    /// Acquisitions for writing that gave up waiting.
    WriterTimeouts = 0, "writer_timeout_count";
    /// Nanoseconds the producer spent waiting.
    WriterBlockedNs = 1, "writer_blocked_total_ns";
    /// Refused attempts to become a second producer.
    LockContention = 2, "write_lock_contention";
    /// How often the tag in the slot words has wrapped: commits / 2³⁰.
    GenerationWraps = 3, "write_generation_wraps";
    /// Reads that found nothing new.
    ReaderNotReady = 4, "reader_not_ready_count";
    /// Reads that met the producer on the way in and looked again.
    ReaderRaces = 5, "reader_race_detected";
    /// Reads whose slot no longer held what was admitted.
    ValidationFailures = 6, "reader_validation_failed";
    /// Most pins ever seen in one slot; readers behind a cursor set none.
    ReaderPeak = 7, "reader_peak_count";
    /// When the last error happened, monotonic nanoseconds.
    LastErrorNs = 8, "last_error_timestamp_ns";
    /// The last error's code in the low half, the number of errors in the high half.
    LastError = 9, "last_error";
    /// Acquisitions for writing that failed for another reason than time.
    AcquireErrors = 10, "slot_acquire_errors";
    /// Commits that were refused.
    CommitErrors = 11, "slot_commit_errors";
    /// Payloads whose checksum was wrong.
    ChecksumFailures = 12, "checksum_failures";
    /// Control messages that could not be sent. Not counted before there is a control plane.
    ZmqSendFailures = 13, "zmq_send_failures";
    /// Control messages that could not be received. Not counted before there is a control plane.
    ZmqReceiveFailures = 14, "zmq_recv_failures";
    /// Control messages that got no answer in time. Not counted before there is a control plane.
    ZmqTimeouts = 15, "zmq_timeout_count";
    /// Consumers that were refused because they expected another layout.
    SchemaMismatches = 16, "schema_mismatch_count";
    /// Heartbeats sent, by both sides.
    HeartbeatsSent = 20, "heartbeat_sent_count";
    /// Heartbeats that could not be sent: their consumer had been evicted from its seat.
    HeartbeatsFailed = 21, "heartbeat_failed_count";
    /// The producer's last heartbeat, monotonic nanoseconds.
    LastHeartbeatNs = 22, "last_heartbeat_ns";
    /// Payloads committed.
    SlotsWritten = 24, "total_slots_written";
    /// Payloads delivered, over all consumers.
    SlotsRead = 25, "total_slots_read";
    /// Bytes committed.
    BytesWritten = 26, "total_bytes_written";
    /// When the block was made, monotonic nanoseconds; a snapshot turns it into its age.
    UptimeSeconds = 27, "uptime_seconds";
    /// Bytes delivered, over all consumers.
    BytesRead = 28, "total_bytes_read";
    /// Reads that gave up waiting.
    ReaderTimeouts = 29, "reader_timeout_count";
    /// Payloads that consumers missed because they were passed. Not on the producer's line.
    Lapped = 18, "reader_lapped_slots";
    /// Living consumers that were evicted because they were too slow.
    Evictions = 30, "evictions_count";
    /// Consumers whose remains were cleared after their death.
    RecoveryActions = 31, "recovery_actions_count";
}

/// What the low half of [`Metric::LastError`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ErrorCode {
    /// No error yet.
    None = 0,
    /// A slot could not be acquired for writing: the ring was full and the rule is to say so.
    Full = 1,
    /// A slot was WRITING that its producer did not hold.
    SlotLocked = 2,
    /// All sequence numbers are spent.
    Exhausted = 3,
    /// A commit was longer than a payload.
    CommitTooLong = 4,
    /// A slot's words made no sense when the block was taken over; it was emptied.
    SlotDiscarded = 5,
}

/// What each consumer counts on its own line, in the order of its words.
pub const CONSUMER_METRICS: [Metric; 8] = [
    Metric::ReaderNotReady,
    Metric::ReaderRaces,
    Metric::ValidationFailures,
    Metric::ReaderPeak,
    Metric::ChecksumFailures,
    Metric::SlotsRead,
    Metric::BytesRead,
    Metric::ReaderTimeouts,
];

impl Metric {
    /// Whether anything counts this: the control plane comes later, and what it will count says nothing
    /// until then, not even zero.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        !matches!(self, Self::ZmqSendFailures | Self::ZmqReceiveFailures | Self::ZmqTimeouts)
    }

    /// The word of a consumer's line that counts this, if consumers count it.
    #[must_use]
    pub const fn consumer_word(self) -> Option<usize> {
        let mut word = 0;
        while word < CONSUMER_METRICS.len() {
            if CONSUMER_METRICS[word] as usize == self as usize {
                return Some(word);
            }
            word += 1;
        }
        None
    }
}

/// Adds to a counter that only this process writes.
#[inline]
pub fn count<M: Memory>(mem: &M, word: &M::Word, amount: u64) {
    let value = mem.load::<M_READ>(word);
    mem.store::<M_COUNT>(word, value.wrapping_add(amount));
}

/// Reads a counter.
#[inline]
pub fn read<M: Memory>(mem: &M, word: &M::Word) -> u64 {
    mem.load::<M_READ>(word)
}

/// Sets a word that only this process writes.
#[inline]
pub fn set<M: Memory>(mem: &M, word: &M::Word, value: u64) {
    mem.store::<M_COUNT>(word, value);
}

/// Adds to a word that several processes write, off the hot path.
pub fn add<M: Memory>(mem: &M, word: &M::Word, amount: u64) {
    mem.fetch_add::<M_ADD>(word, amount);
}

/// Moves a departing consumer's counts into the section. The peak stays the larger one.
pub fn fold<M: Memory>(
    mem: &M,
    section: &MetricsSection<M::Word>,
    line: &ConsumerCounters<M::Word>,
) {
    for (word, metric) in line.words.iter().zip(CONSUMER_METRICS) {
        let value = mem.load::<M_READ>(word);
        let total = &section.words[metric as usize];
        // First out, then in: who dies in between loses a count, and never invents one.
        set(mem, word, 0);
        if metric == Metric::ReaderPeak {
            set(mem, total, value.max(mem.load::<M_READ>(total)));
        } else {
            add(mem, total, value);
        }
    }
}

/// All metrics at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    values: [u64; WORDS],
}

impl Snapshot {
    /// Adds up section and consumers, and subtracts the baseline of the last reset.
    pub fn take<M: Memory>(
        mem: &M,
        section: &MetricsSection<M::Word>,
        baseline: &MetricsSection<M::Word>,
        lines: &[ConsumerCounters<M::Word>],
        now_ns: u64,
    ) -> Self {
        let mut values = raw(mem, section, lines);
        let written = values[Metric::SlotsWritten as usize];
        values[Metric::GenerationWraps as usize] = written >> crate::sequence::TAG_BITS;
        for &(metric, _) in METRICS {
            let value = &mut values[metric as usize];
            match metric {
                Metric::UptimeSeconds => *value = now_ns.saturating_sub(*value) / 1_000_000_000,
                Metric::LastErrorNs
                | Metric::LastError
                | Metric::LastHeartbeatNs
                | Metric::ReaderPeak
                | Metric::GenerationWraps => {}
                _ => {
                    let base = mem.load::<M_READ>(&baseline.words[metric as usize]);
                    *value = value.saturating_sub(base);
                }
            }
        }
        Self { values }
    }

    /// The value of `metric`.
    #[must_use]
    pub const fn get(&self, metric: Metric) -> u64 {
        self.values[metric as usize]
    }

    /// Every metric with its name, in the specification's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        METRICS.iter().map(|&(metric, name)| (name, self.get(metric)))
    }
}

/// Records the present counts as zero for every later snapshot.
pub fn reset<M: Memory>(
    mem: &M,
    section: &MetricsSection<M::Word>,
    baseline: &MetricsSection<M::Word>,
    lines: &[ConsumerCounters<M::Word>],
) {
    for (word, value) in baseline.words.iter().zip(raw(mem, section, lines)) {
        set(mem, word, value);
    }
}

fn raw<M: Memory>(
    mem: &M,
    section: &MetricsSection<M::Word>,
    lines: &[ConsumerCounters<M::Word>],
) -> [u64; WORDS] {
    let mut values = [0; WORDS];
    for (value, word) in values.iter_mut().zip(&section.words) {
        *value = mem.load::<M_READ>(word);
    }
    for line in lines {
        for (word, metric) in line.words.iter().zip(CONSUMER_METRICS) {
            let value = &mut values[metric as usize];
            let own = mem.load::<M_READ>(word);
            *value = if metric == Metric::ReaderPeak {
                own.max(*value)
            } else {
                value.wrapping_add(own)
            };
        }
    }
    values
}
