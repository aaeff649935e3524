//! The transports that a scenario may run over, and what each of them promises.
//!
//! One table for everybody: the rules refuse what a transport cannot do, results carry the promises
//! beside the figures. Knows nothing of: how a transport is made.

use serde::{Deserialize, Serialize};

use crate::units::Bytes;

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Carrier {
    /// DataHub's block.
    #[default]
    DataHub,
    /// One word on a cache line of its own, and another one for the acknowledgement: the floor.
    BareLine,
    /// A pipe.
    Pipe,
    /// A stream socket of this machine.
    UnixStream,
    /// A socket of this machine that keeps messages apart.
    UnixSeqpacket,
    /// A queue of bytes between threads.
    Rtrb,
    /// A channel of boxed payloads between threads.
    Crossbeam,
    /// Shared memory of another library's.
    Iceoryx2,
    /// Sockets of a library with threads of its own.
    ZeroMq,
    /// A ring of the user's own, in programs of the user's own.
    Program,
}

/// What a transport promises its users, and what it cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// Every message is delivered, in order.
    pub lossless: bool,
    /// Copies of a payload between the producer's filling and the consumer's reading, where known.
    pub copies: Option<u32>,
    /// Consumers that can read the same messages.
    pub consumers_max: u32,
    /// The longest message.
    pub payload_max: Bytes,
    /// Whether who waits can sleep until it is woken.
    pub parks: bool,
    /// How much is under way at most.
    pub holds: &'static str,
    /// What becomes of the others when one end dies.
    pub death: &'static str,
}

/// No limit of the transport's own.
const ANY: Bytes = Bytes(u64::MAX);
const CLOSED: &str = "the kernel ends the stream or refuses to write; what was under way is lost";
const TOGETHER: &str = "both ends are one process and die together";
/// How a harness is built that has every transport.
pub(crate) const BUILD: &str =
    "built without it: cargo build --release -p harness --features peers";

impl Carrier {
    /// All that have names, as a file writes them.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("datahub", Self::DataHub),
        ("bare-line", Self::BareLine),
        ("pipe", Self::Pipe),
        ("unix-stream", Self::UnixStream),
        ("unix-seqpacket", Self::UnixSeqpacket),
        ("rtrb", Self::Rtrb),
        ("crossbeam", Self::Crossbeam),
        ("iceoryx2", Self::Iceoryx2),
        ("zeromq", Self::ZeroMq),
    ];

    /// As a file writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("a program", |(name, _)| name)
    }

    /// Whether both ends are threads of one process.
    #[must_use]
    pub const fn joins_threads(self) -> bool {
        matches!(self, Self::Rtrb | Self::Crossbeam)
    }

    /// Why this program cannot carry anything by it, if it was built without.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        let optional = matches!(self, Self::Iceoryx2 | Self::ZeroMq);
        (optional && !cfg!(feature = "peers")).then_some(BUILD)
    }

    /// What it promises.
    #[must_use]
    pub const fn promises(self) -> Promises {
        let block = Promises {
            lossless: true,
            copies: Some(0),
            consumers_max: 32,
            payload_max: ANY,
            parks: true,
            holds: "the slots",
            death: "the kernel says who died; survivors go on, and the dead one's slot is recovered",
        };
        let socket =
            Promises { copies: Some(2), holds: "the kernel's buffer", death: CLOSED, ..block };
        match self {
            Self::DataHub => block,
            Self::BareLine => Promises {
                consumers_max: 1,
                payload_max: Bytes(8),
                parks: false,
                holds: "one word",
                death: "nobody is told",
                ..block
            },
            Self::Pipe => Promises { consumers_max: 1, ..socket },
            Self::UnixStream => socket,
            Self::UnixSeqpacket => Promises { payload_max: Bytes(64 << 10), ..socket },
            Self::Rtrb => Promises { consumers_max: 1, parks: false, death: TOGETHER, ..block },
            Self::Crossbeam => Promises {
                consumers_max: 1,
                holds: "the slots, each payload in memory of its own",
                death: TOGETHER,
                ..block
            },
            Self::Iceoryx2 => Promises {
                parks: false,
                death: "nobody is told; what a dead consumer holds stays held until somebody looks for dead nodes",
                ..block
            },
            Self::ZeroMq => Promises {
                // Small ones are gathered into a buffer before the kernel copies them in and out.
                copies: Some(3),
                consumers_max: 1,
                holds: "the slots at either end, and the kernel's buffer",
                death: "nobody is told; the other end waits for it to come back",
                ..block
            },
            Self::Program => {
                Promises { copies: None, holds: "not known", death: "not known", ..block }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_has_a_name_of_its_own() {
        for (name, transport) in Carrier::ALL {
            assert_eq!(transport.name(), *name);
        }
    }

    #[test]
    fn what_joins_threads_has_one_consumer_and_needs_no_other_build() {
        let all = Carrier::ALL.iter().map(|(_, transport)| *transport);
        for transport in all.filter(|transport| transport.joins_threads()) {
            assert_eq!((transport.promises().consumers_max, transport.missing()), (1, None));
        }
    }

    #[test]
    fn what_is_not_built_in_says_how_to_build_it() {
        for (name, transport) in Carrier::ALL {
            let optional = ["iceoryx2", "zeromq"].contains(name) && !cfg!(feature = "peers");
            let missing = transport.missing();
            assert_eq!(missing.is_some_and(|why| why.contains("--features peers")), optional);
        }
    }
}
