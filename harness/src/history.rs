//! What each process of a trial did, record by record, and the file in which that is kept.
//!
//! A file is a head, the records of each role, and a sum over everything: one that was cut short or
//! changed is an error that says so. All numbers are little-endian words of 64 bits.
//! Knows nothing of: who writes records, and what they prove.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// The first bytes of a file.
const MAGIC: [u8; 8] = *b"DHHISTRY";
/// The version of the format that is written; the one before says nothing of [`RoleLog::resident`] and
/// [`RoleLog::finished`], and is read, too.
pub const VERSION: u64 = 2;
const OLDEST: u64 = 1;
/// The bits of a role's word of flags.
const RESIDENT: u64 = 1;
const FINISHED: u64 = 2;
/// Words of one record.
pub const RECORD_WORDS: usize = 4;
/// A role that reads no block.
const NOBODY: u64 = u64::MAX;
/// More roles than any block has places for.
const ROLES_MAX: u64 = 64;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A producer begins; `sequence` comes next.
    Began = 1,
    /// A producer is about to commit `sequence`, whose bytes have the digest `detail`.
    Offered = 2,
    /// A producer gave up a write that would have become `sequence`.
    Aborted = 3,
    /// A producer waited in vain for a slot.
    Blocked = 4,
    /// A producer ended its stream; `sequence` would have come next.
    Ended = 5,
    /// A consumer joined; `sequence` is where its cursor stood.
    Joined = 6,
    /// A consumer was given `sequence` as valid, and its bytes have the digest `detail`.
    Delivered = 7,
    /// A consumer was told that the checksum of `sequence` is wrong.
    Spoiled = 8,
    /// A consumer was told that it missed `detail` payloads.
    Lapped = 9,
    /// A consumer left; `sequence` would have come next.
    Left = 10,
    /// A consumer was told that the stream has ended; `sequence` would have come next.
    SawEnd = 11,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Began,
        Self::Offered,
        Self::Aborted,
        Self::Blocked,
        Self::Ended,
        Self::Joined,
        Self::Delivered,
        Self::Spoiled,
        Self::Lapped,
        Self::Left,
        Self::SawEnd,
    ];

    fn of(word: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u64 == word)
    }
}

/// One thing that one process did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// What.
    pub kind: Kind,
    /// To which payload.
    pub sequence: u64,
    /// What [`Kind`] says.
    pub detail: u64,
    /// When, on the monotonic clock.
    pub at_ns: u64,
}

impl Record {
    /// As it stands in shared words and in files.
    #[must_use]
    pub fn words(self) -> [u64; RECORD_WORDS] {
        [self.kind as u64, self.sequence, self.detail, self.at_ns]
    }

    /// `None` when the words are no record.
    #[must_use]
    pub fn of(words: [u64; RECORD_WORDS]) -> Option<Self> {
        let [kind, sequence, detail, at_ns] = words;
        Some(Self { kind: Kind::of(kind)?, sequence, detail, at_ns })
    }
}

/// What a block promises its consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promised {
    /// Everything, in order.
    Everything = 0,
    /// Everything, or word that something was missed.
    Announced = 1,
    /// The newest.
    Newest = 2,
}

/// What a checker must know beside the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the block promises.
    pub promised: Promised,
    /// Who waits longer than this for what is there is stuck.
    pub stuck_ns: u64,
    /// What the block itself counted as written; `None` where nobody could ask it.
    pub written: Option<u64>,
    /// What the block itself counted as read.
    pub read: Option<u64>,
}

/// What the processes in one role did, one after the other where a fault killed some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLog {
    /// The role whose block it reads, by its place in [`History::roles`].
    pub reads: Option<usize>,
    /// How often somebody was killed in this role.
    pub falls: u64,
    /// A consumer that had joined before the first payload: it is owed everything.
    pub resident: bool,
    /// Whoever was last in this role came to its end: what it was not given by then it never was.
    pub finished: bool,
    /// Records that were written, also those that have been overwritten.
    pub total: u64,
    /// What is left of them, oldest first.
    pub records: Vec<Record>,
}

impl RoleLog {
    /// Records that have been overwritten.
    #[must_use]
    pub fn overwritten(&self) -> u64 {
        self.total.saturating_sub(self.records.len() as u64)
    }
}

/// What all processes of a trial did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What a checker must know.
    pub facts: Facts,
    /// The producer first.
    pub roles: Vec<RoleLog>,
}

/// Why bytes are no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Something else.
    #[error("this is no history: it does not begin with `DHHISTRY`")]
    Foreign,
    /// Another version of the format.
    #[error("the history has version {found}, this program reads versions {OLDEST} to {VERSION}")]
    Version {
        /// The version in the file.
        found: u64,
    },
    /// Cut short.
    #[error("the history is cut short: {wanted} more bytes are wanted behind byte {at}")]
    Truncated {
        /// Where it ends.
        at: usize,
        /// How many bytes would follow.
        wanted: u64,
    },
    /// Changed since it was written.
    #[error("the history is damaged: its sum does not match")]
    Damaged,
    /// A whole file that makes no sense.
    #[error("the history makes no sense at byte {at}: {what}")]
    Nonsense {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl History {
    /// The bytes of a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Facts { promised, stuck_ns, written, read } = self.facts;
        let known = |count: Option<u64>| count.unwrap_or(NOBODY);
        let mut words = vec![VERSION, self.roles.len() as u64, promised as u64, stuck_ns];
        words.extend([known(written), known(read)]);
        for role in &self.roles {
            let reads = role.reads.map_or(NOBODY, |reads| reads as u64);
            let flag = |is: bool, bit: u64| if is { bit } else { 0 };
            let flags = flag(role.resident, RESIDENT) | flag(role.finished, FINISHED);
            words.extend([reads, role.falls, flags, role.total, role.records.len() as u64]);
            words.extend(role.records.iter().flat_map(|record| record.words()));
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`HistoryError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HistoryError> {
        if bytes.len() < MAGIC.len() || bytes[..MAGIC.len()] != MAGIC {
            return Err(HistoryError::Foreign);
        }
        let mut words = Words { bytes, at: MAGIC.len(), version: VERSION };
        words.version = words.next()?;
        if !(OLDEST..=VERSION).contains(&words.version) {
            return Err(HistoryError::Version { found: words.version });
        }
        let history = words.history()?;
        let end = words.at;
        let sum = words.next()?;
        if words.at != bytes.len() || sum != xxh3_64(&bytes[..end]) {
            return Err(HistoryError::Damaged);
        }
        Ok(history)
    }
}

/// The words of a file, one after the other.
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u64,
}

impl Words<'_> {
    fn next(&mut self) -> Result<u64, HistoryError> {
        let word = self.bytes[self.at..].first_chunk::<8>();
        let word = word.ok_or(HistoryError::Truncated { at: self.bytes.len(), wanted: 8 })?;
        self.at += word.len();
        Ok(u64::from_le_bytes(*word))
    }

    fn nonsense(&self, what: &'static str) -> HistoryError {
        HistoryError::Nonsense { at: self.at.saturating_sub(8), what }
    }

    fn history(&mut self) -> Result<History, HistoryError> {
        let roles = self.next()?;
        if !(1..=ROLES_MAX).contains(&roles) {
            return Err(self.nonsense("a number of roles that no trial has"));
        }
        let promised = match self.next()? {
            0 => Promised::Everything,
            1 => Promised::Announced,
            2 => Promised::Newest,
            _ => return Err(self.nonsense("an unknown promise")),
        };
        let stuck_ns = self.next()?;
        let (written, read) = (self.next()?, self.next()?);
        let known = |count: u64| (count != NOBODY).then_some(count);
        let facts = Facts { promised, stuck_ns, written: known(written), read: known(read) };
        let roles = (0..roles).map(|_| self.role(roles)).collect::<Result<_, _>>()?;
        Ok(History { facts, roles })
    }

    fn role(&mut self, roles: u64) -> Result<RoleLog, HistoryError> {
        let reads = match self.next()? {
            NOBODY => None,
            reads if reads < roles => usize::try_from(reads).ok(),
            _ => return Err(self.nonsense("a block of nobody")),
        };
        let falls = self.next()?;
        let flags = if self.version == OLDEST { 0 } else { self.next()? };
        if flags & !(RESIDENT | FINISHED) != 0 {
            return Err(self.nonsense("unknown flags of a role"));
        }
        let (total, kept) = (self.next()?, self.next()?);
        if kept > total {
            return Err(self.nonsense("more records than were written"));
        }
        // Nothing is reserved for records that are not there.
        let left = (self.bytes.len() - self.at) as u64;
        let wanted = kept.saturating_mul(8 * RECORD_WORDS as u64);
        if wanted > left {
            let at = self.bytes.len();
            return Err(HistoryError::Truncated { at, wanted: wanted - left });
        }
        let records = (0..kept).map(|_| self.record()).collect::<Result<_, _>>()?;
        let (resident, finished) = (flags & RESIDENT != 0, flags & FINISHED != 0);
        Ok(RoleLog { reads, falls, resident, finished, total, records })
    }

    fn record(&mut self) -> Result<Record, HistoryError> {
        let words = [self.next()?, self.next()?, self.next()?, self.next()?];
        let what = "a record of no known kind";
        Record::of(words).ok_or(HistoryError::Nonsense { at: self.at - 32, what })
    }
}

/// As a person reads it: `delivered 17 at 5 ns`.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = format!("{:?}", self.kind).to_lowercase();
        write!(f, "{kind} {} at {} ns", self.sequence, self.at_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn records()(all in prop::collection::vec((1_u64..12, any::<[u64; 3]>()), 0..20)) -> Vec<Record> {
            let record = |(kind, [a, b, c]): (u64, [u64; 3])| Record::of([kind, a, b, c]);
            all.into_iter().filter_map(record).collect()
        }
    }

    prop_compose! {
        fn histories()(
            roles in prop::collection::vec((records(), any::<u8>(), any::<bool>()), 1..5),
            stuck_ns: u64, written: Option<u32>,
        ) -> History {
            let facts = Facts {
                promised: Promised::Announced,
                stuck_ns,
                written: written.map(u64::from),
                read: None,
            };
            let role = |(records, more, reads): (Vec<Record>, u8, bool)| RoleLog {
                reads: reads.then_some(0),
                falls: more.into(),
                resident: more % 2 == 1,
                finished: more % 3 == 1,
                total: records.len() as u64 + u64::from(more),
                records,
            };
            History { facts, roles: roles.into_iter().map(role).collect() }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(history in histories()) {
            prop_assert_eq!(History::decode(&history.encode()), Ok(history));
        }

        #[test]
        fn a_file_cut_short_anywhere_is_an_error(history in histories(), part in 0.0..1.0) {
            let bytes = history.encode();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a length")]
            let length = (bytes.len() as f64 * part) as usize;
            prop_assert!(History::decode(&bytes[..length]).is_err());
        }

        #[test]
        fn a_changed_bit_anywhere_is_an_error(history in histories(), place: prop::sample::Index, bit in 0..8) {
            let mut bytes = history.encode();
            let place = place.index(bytes.len());
            bytes[place] ^= 1_u8 << bit;
            prop_assert!(History::decode(&bytes).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _nothing = History::decode(&bytes);
            let behind_a_head = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &bytes].concat();
            prop_assert!(History::decode(&behind_a_head).is_err());
        }
    }

    /// A file of the first version: no word of flags.
    fn first_version(records: &[Record]) -> Vec<u8> {
        let mut words = vec![1, 1, Promised::Everything as u64, 9, NOBODY, NOBODY];
        words.extend([0, 3, records.len() as u64, records.len() as u64]);
        words.extend(records.iter().flat_map(|record| record.words()));
        let mut bytes = MAGIC.to_vec();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn the_first_version_is_read_and_promises_nothing_new() {
        let record = Record { kind: Kind::Joined, sequence: 4, detail: 0, at_ns: 7 };
        let history = History::decode(&first_version(&[record])).unwrap();
        let role = &history.roles[0];
        assert_eq!((role.reads, role.falls, role.total), (Some(0), 3, 1));
        assert_eq!((role.resident, role.finished, role.records[0]), (false, false, record));
    }

    #[test]
    fn each_kind_of_mistake_has_words_of_its_own() {
        let facts = Facts { promised: Promised::Newest, stuck_ns: 1, written: None, read: None };
        let history = History {
            facts,
            roles: vec![RoleLog {
                reads: None,
                falls: 0,
                resident: false,
                finished: false,
                total: 0,
                records: vec![],
            }],
        };
        let bytes = history.encode();
        let said = |bytes: &[u8]| History::decode(bytes).unwrap_err().to_string();
        assert!(said(b"").contains("DHHISTRY"));
        assert!(said(b"{\"schema_version\": 1}").contains("no history"));
        assert!(said(&bytes[..20]).contains("cut short"));
        let mut changed = bytes.clone();
        changed[8] = 9;
        assert!(said(&changed).contains("version 9"));
        changed.clone_from(&bytes);
        changed[32] = 2;
        assert!(said(&changed).contains("damaged"));
        changed[24] = 7;
        assert!(said(&changed).contains("unknown promise"));
        assert!(said(&[bytes.as_slice(), &[0]].concat()).contains("damaged"));
    }
}
