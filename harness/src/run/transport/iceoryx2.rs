//! iceoryx2: publish and subscribe, payloads lent in shared memory and read in place.
//!
//! There are as many payloads as slots, and one more that is being written, so no queue can be full
//! and nothing is lost: who wants to write waits for a payload, as the scenario says it waits. What
//! is lent for writing was zeroed before: that is what the library's safe interface does. Payloads are
//! aligned like bytes: a stricter alignment would be one of each byte, and take as much memory.
//! Its files live and die in the trial's own mount namespace (`run/den.rs`).

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use iceoryx2::port::LoanError;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::{
    AllocationStrategy, BackpressureStrategy, Config, Node, NodeBuilder, PortFactory as _,
    SemanticString as _, ServiceName, SignalHandlingMode, ipc,
};
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;

use super::patience::Patience;
use super::{Inlet, Labels, Nothing, Outlet, Refusal, Transport, TransportError, room_timeout};
use crate::run::payload::{Keyed, Stamp};
use crate::run::wire::{Task, Waiting};
use crate::run::zone::Zoned;

/// Where its folders are: in the memory of the trial's own.
const ROOT: &[u8] = b"/dev/shm/iceoryx2";
/// Looks for a message between two looks whether somebody is left who writes.
const LOOKS: u32 = 1024;

type Service = PortFactory<ipc::Service, [u8], ()>;

/// Services of one trial.
#[derive(Debug)]
pub(in crate::run) struct Iceoryx2;

/// The producing end. Ports go before the service, and that before the node.
#[derive(Debug)]
pub(in crate::run) struct IceOutlet {
    publisher: Publisher<ipc::Service, [u8], ()>,
    _service: Service,
    _node: Node<ipc::Service>,
    place: PathBuf,
    bytes: usize,
    sequence: u64,
    waiting: Waiting,
    timeout: Duration,
}

/// The consuming end.
#[derive(Debug)]
pub(in crate::run) struct IceInlet {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    service: Service,
    _node: Node<ipc::Service>,
    labels: Labels,
    waiting: Waiting,
}

/// Its errors are names; these are sentences.
fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> io::Error {
    move |error| io::Error::other(format!("iceoryx2 cannot {what}: {error}"))
}

fn node() -> io::Result<Node<ipc::Service>> {
    let mut config = Config::default();
    let root = iceoryx2::prelude::Path::new(ROOT).map_err(|_| io::ErrorKind::InvalidFilename)?;
    config.global.set_root_path(&root);
    let node =
        NodeBuilder::new().config(&config).signal_handling_mode(SignalHandlingMode::Disabled);
    node.create().map_err(failed("make a node"))
}

fn name(place: &Path) -> io::Result<ServiceName> {
    ServiceName::new(&place.to_string_lossy()).map_err(failed("name a service"))
}

/// Payloads that can be under way, the one that is being written included.
fn payloads(task: &Task) -> usize {
    task.block.slots as usize + 1
}

impl Transport for Iceoryx2 {
    type Outlet = IceOutlet;
    type Inlet = IceInlet;

    fn make(&self, task: &Task) -> Result<IceOutlet, TransportError> {
        let bytes = usize::try_from(task.block.payload_bytes).map_err(io::Error::other)?;
        let place = PathBuf::from(format!("datahub-{}", task.role));
        let (node, payloads) = (node()?, payloads(task));
        let consumers = task.block.max_consumers as usize;
        let service = node
            .service_builder(&name(&place)?)
            .publish_subscribe::<[u8]>()
            .enable_safe_overflow(false)
            .history_size(0)
            .subscriber_max_buffer_size(payloads)
            .subscriber_max_borrowed_samples(1)
            .max_publishers(1)
            .max_subscribers(consumers)
            .max_nodes(consumers + 1)
            .create()
            .map_err(failed("make a service"))?;
        let publisher = service
            .publisher_builder()
            .initial_max_slice_len(bytes)
            .allocation_strategy(AllocationStrategy::Static)
            .max_loaned_samples(1)
            .override_sample_preallocation(move |_| payloads)
            // Never needed: every queue has room for every payload there is.
            .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
            .create()
            .map_err(failed("make a publisher"))?;
        let (waiting, timeout) = (task.wait, room_timeout(task));
        Ok(IceOutlet {
            publisher,
            _service: service,
            _node: node,
            place,
            bytes,
            sequence: 0,
            waiting,
            timeout,
        })
    }

    fn attach(&self, task: &Task, place: &Path) -> Result<IceInlet, TransportError> {
        let node = node()?;
        let service = node
            .service_builder(&name(place)?)
            .publish_subscribe::<[u8]>()
            .open()
            .map_err(failed("open the service"))?;
        let subscriber = service
            .subscriber_builder()
            .buffer_size(payloads(task))
            .create()
            .map_err(failed("make a subscriber"))?;
        let (labels, waiting) = (Labels::of(task), task.wait);
        Ok(IceInlet { subscriber, service, _node: node, labels, waiting })
    }
}

impl Zoned for IceOutlet {}

impl Zoned for IceInlet {}

impl Outlet for IceOutlet {
    fn place(&self) -> PathBuf {
        self.place.clone()
    }

    fn commits(&self) -> u64 {
        self.sequence
    }

    #[inline]
    fn put(
        &mut self,
        keyed: &Keyed,
        (intended_ns, actual_ns): (u64, u64),
        offered: impl FnOnce(&Stamp),
    ) -> Result<(), Refusal> {
        let mut patience = Patience::new(self.waiting, self.timeout);
        let mut sample = loop {
            match self.publisher.loan_slice(self.bytes) {
                Ok(sample) => break sample,
                Err(LoanError::OutOfMemory) => {
                    if !patience.again(None) {
                        return Err(Refusal::NoRoom);
                    }
                }
                Err(error) => return Err(trouble("lend a payload", &error)),
            }
        };
        let stamp = Stamp { sequence: self.sequence, intended_ns, actual_ns };
        offered(&stamp);
        keyed.fill(sample.payload_mut(), &stamp);
        sample.send().map_err(|error| trouble("send", &error))?;
        self.sequence += 1;
        Ok(())
    }
}

#[cold]
fn trouble(what: &str, error: &dyn Display) -> Refusal {
    Refusal::Trouble(format!("iceoryx2 cannot {what}: {error}"))
}

impl IceInlet {
    /// Whether nobody writes any more.
    #[cold]
    fn is_orphaned(&self) -> bool {
        self.service.dynamic_config().number_of_publishers() == 0
    }
}

impl Inlet for IceInlet {
    #[inline]
    fn take<R>(
        &mut self,
        timeout: Duration,
        see: impl FnOnce(u64, &[u8]) -> R,
    ) -> Result<R, Nothing> {
        let mut patience = Patience::new(self.waiting, timeout);
        let (mut looks, mut orphaned) = (0_u32, false);
        let sample = loop {
            let received = self.subscriber.receive();
            match received.map_err(|error| Nothing::Trouble(format!("iceoryx2: {error}")))? {
                Some(sample) => break sample,
                // What was sent before the end was looked for once more.
                None if orphaned => return Err(Nothing::Ended),
                None => {}
            }
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(LOOKS) {
                orphaned = self.is_orphaned();
            }
            if !orphaned && !patience.again(None) {
                orphaned = self.is_orphaned();
                if !orphaned {
                    return Err(Nothing::NotYet);
                }
            }
        };
        let payload = sample.payload();
        Ok(see(self.labels.next(payload), payload))
    }

    fn commits(&self) -> u64 {
        self.labels.expected
    }

    fn next_sequence(&self) -> u64 {
        self.labels.expected
    }
}
