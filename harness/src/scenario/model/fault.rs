//! What a scenario does to its own processes and to their block: who, when, what.

use std::fmt;

use crate::units::Nanos;

/// One `[[fault]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSpec {
    /// Its name, unique in the file.
    pub name: String,
    /// The earliest moment, from the start of the measured part.
    pub at: Nanos,
    /// It comes at a moment of this window, drawn from the trial's seed; 0: exactly at `at`.
    pub within: Nanos,
    /// It comes again and again at this distance.
    pub every: Option<Nanos>,
    /// Whom it befalls.
    pub target: Target,
    /// What happens.
    pub action: Action,
}

/// Whom a fault befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The producer, or the block that it makes.
    Producer,
    /// A consumer of this group.
    Consumer {
        /// The group in [`Cell::consumers`](super::Cell::consumers).
        group: usize,
        /// Which member; `None`: drawn from the trial's seed, each time.
        member: Option<u32>,
    },
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The process is killed (SIGKILL).
    Kill,
    /// The process kills itself right before an operation of the protocol.
    KillAtSite {
        /// The site's index in the table.
        site: u16,
        /// At its so-manieth visit, from 1.
        hit: u64,
    },
    /// The process is started again; one that lives is killed first.
    Restart,
    /// The process stands still (SIGSTOP, SIGCONT).
    Stop {
        /// For so long.
        time: Nanos,
    },
    /// Each message costs the process more.
    Slow {
        /// By so much.
        by: Nanos,
        /// For so long.
        time: Nanos,
    },
    /// One byte of one payload flips between its checksum and its commit.
    CorruptByte,
    /// Random bytes over the block's header.
    ScribbleHeader,
    /// Random bytes over the states of the block's slots.
    ScribbleSlots,
    /// No byte of shared memory is free any more.
    FillShm {
        /// For so long.
        time: Nanos,
    },
}

impl Action {
    /// As a file writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillAtSite { .. } => "kill-at-site",
            Self::Restart => "restart",
            Self::Stop { .. } => "stop",
            Self::Slow { .. } => "slow",
            Self::CorruptByte => "corrupt-byte",
            Self::ScribbleHeader => "scribble-header",
            Self::ScribbleSlots => "scribble-slots",
            Self::FillShm { .. } => "fill-shm",
        }
    }

    /// Whether the process dies of it.
    #[must_use]
    pub const fn kills(self) -> bool {
        matches!(self, Self::Kill | Self::KillAtSite { .. } | Self::Restart)
    }

    /// Whether it is about the block rather than about a process.
    #[must_use]
    pub const fn is_about_block(self) -> bool {
        matches!(
            self,
            Self::CorruptByte | Self::ScribbleHeader | Self::ScribbleSlots | Self::FillShm { .. }
        )
    }

    /// Whether the process does it to itself, when the time has come.
    #[must_use]
    pub const fn is_by_itself(self) -> bool {
        matches!(self, Self::KillAtSite { .. } | Self::CorruptByte | Self::FillShm { .. })
    }

    /// How long it is in force; `None`: it is a moment.
    #[must_use]
    pub const fn time(self) -> Option<Nanos> {
        match self {
            Self::Stop { time } | Self::Slow { time, .. } | Self::FillShm { time } => Some(time),
            _ => None,
        }
    }
}

/// What happens to whom, as in `reader is killed`, without the whom.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => write!(f, "is killed"),
            Self::KillAtSite { site, hit } => {
                let site = datahub::sites::TABLE.get(usize::from(*site));
                let name = site.map_or("?", |site| site.name);
                write!(f, "dies right before its visit {hit} to {name}")
            }
            Self::Restart => write!(f, "is started again"),
            Self::Stop { time } => write!(f, "stands still for {time}"),
            Self::Slow { by, time } => write!(f, "is slower by {by} a message for {time}"),
            Self::CorruptByte => write!(f, "has one byte of a payload flipped"),
            Self::ScribbleHeader => write!(f, "has random bytes written over its block's header"),
            Self::ScribbleSlots => {
                write!(f, "has random bytes written over the states of its block's slots")
            }
            Self::FillShm { time } => write!(f, "finds shared memory full for {time}"),
        }
    }
}
