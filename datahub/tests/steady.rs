//! What a message costs besides its bytes: no system call, no allocation, and one read-modify-write
//! where a slot changes hands.
//!
//! System calls are counted by tracing a child that runs the loop, allocations by an allocator that
//! counts, read-modify-writes by a memory that counts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

#[path = "steady/counting.rs"]
mod counting;
#[path = "steady/traced.rs"]
mod traced;

use counting::Counting;
use datahub::config::{BlockConfig, ConsumerSync};
use datahub::consumer::Consumer;
use datahub::memory::observed::Observed;
use datahub::memory::{MappedMemory, Shared};
use datahub::place::Place;
use datahub::producer::Producer;
use datahub::ring::reader::JoinAt;
use datahub::shm::Folder;
use datahub::wait::Timeout;

/// More than one beat's worth of messages.
const MESSAGES: u64 = 5_000;
const SYNCS: [ConsumerSync; 3] =
    [ConsumerSync::LatestOnly, ConsumerSync::Sequential, ConsumerSync::SequentialSync];

/// Both ends of a block, run by one thread.
struct Ends<M: MappedMemory>(Producer<M>, Consumer<M>);

impl<M: MappedMemory> Ends<M> {
    /// A block past its joining, which is not yet steady.
    fn settled(sync: ConsumerSync, memories: (M, M)) -> Self {
        let config = BlockConfig::new(sync, 4, 64).unwrap();
        let folder = Folder::default();
        let producer = Producer::create_unnamed_with(memories.0, &folder, config).unwrap();
        let place = Place::File(producer.path());
        let consumer = Consumer::attach_with(memories.1, &place, JoinAt::Oldest).unwrap();
        let mut ends = Self(producer, consumer);
        ends.pass(100);
        ends
    }

    /// Passes so many messages, one after the other.
    fn pass(&mut self, messages: u64) {
        for _ in 0..messages {
            let mut slot = self.0.acquire_write_slot(Timeout::Now).unwrap();
            let sequence = slot.sequence();
            slot.payload()[..8].copy_from_slice(&sequence.to_le_bytes());
            slot.commit(64).unwrap();
            let slot = self.1.acquire_consume_slot(Timeout::Now).unwrap();
            assert_eq!(slot[..8], sequence.to_le_bytes());
        }
    }
}

#[test]
fn a_steady_loop_makes_no_system_call() {
    for sync in SYNCS {
        let name = format!("{sync:?}");
        let idle = traced::system_calls(&name, 0);
        let busy = traced::system_calls(&name, MESSAGES);
        assert_eq!(busy, idle, "{name}: calls of {MESSAGES} messages and of none");
    }
}

// What the count must see.
#[test]
fn a_loop_with_one_system_call_a_message_is_found_out() {
    let (idle, busy) = (traced::system_calls("chatty", 0), traced::system_calls("chatty", 50));
    assert_eq!(busy.len(), idle.len() + 50);
}

/// Not a test of its own: the traced child of those above.
#[test]
fn role() {
    let Some((name, messages)) = traced::ordered() else { return };
    let sync = SYNCS.into_iter().find(|sync| format!("{sync:?}") == name);
    let mut ends = Ends::settled(sync.unwrap_or(SYNCS[0]), (Shared, Shared));
    traced::between_marks(|| match sync {
        Some(_) => ends.pass(messages),
        None => (0..messages).for_each(|_| _ = nix::unistd::getppid()),
    });
}

#[test]
fn a_steady_loop_allocates_nothing() {
    for sync in SYNCS {
        let mut ends = Ends::settled(sync, (Shared, Shared));
        let found = allocation_counter::measure(|| ends.pass(MESSAGES));
        assert_eq!(found.count_total, 0, "{sync:?}");
        // What the count must see.
        let found = allocation_counter::measure(|| drop(std::hint::black_box(vec![0_u8; 10])));
        assert_eq!(found.count_total, 1);
    }
}

#[test]
fn a_message_costs_these_read_modify_writes_and_no_more() {
    // The exchange that takes the slot; and, where readers pin, one to enter and one to leave.
    let wanted = |sync| if sync == ConsumerSync::LatestOnly { (1, 2) } else { (1, 0) };
    for sync in SYNCS {
        let (producing, consuming) = (Counting::default(), Counting::default());
        let mut ends =
            Ends::settled(sync, (Observed(producing.clone()), Observed(consuming.clone())));
        producing.forget();
        consuming.forget();
        ends.pass(MESSAGES);
        // A consumer adds its beats to a counter that all of them share: once in 1024 reads.
        let (beats, fences) = (MESSAGES.div_ceil(1024), (0, 0));
        let found = (producing.exchanges() / MESSAGES, consuming.exchanges() / MESSAGES);
        assert_eq!(found, wanted(sync), "{sync:?}: producer, consumer");
        assert!(producing.exchanges() <= MESSAGES * wanted(sync).0 + beats, "{sync:?}");
        assert!(consuming.exchanges() <= MESSAGES * wanted(sync).1 + beats, "{sync:?}");
        assert_eq!((producing.fences(), consuming.fences()), fences, "{sync:?}");
    }
}
