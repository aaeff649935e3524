//! The site table: every shared-memory operation of the protocol, once.
//!
//! A row gives the site's kind, its ordering, the sites it pairs with and what the edge carries.
//! The name is also the failpoint, the mutant, the crash point and the line of a trace.
//! `-> none` means that no edge is needed; the text then says why relaxed is enough.

use core::sync::atomic::Ordering;

/// What an operation does to its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Reads.
    Load,
    /// Writes.
    Store,
    /// Reads and writes in one step.
    Rmw,
    /// Orders the operations around it; has no word.
    Fence,
}

/// One row of the table.
#[derive(Debug)]
pub struct Site {
    /// The name, as in the source.
    pub name: &'static str,
    /// What the operation does.
    pub kind: Kind,
    /// The ordering that ships.
    pub ordering: Ordering,
    /// The sites at the other end of the edge; empty when there is no edge.
    pub partners: &'static [u16],
    /// What the edge carries, or why none is needed.
    pub carries: &'static str,
}

/// The index of the site called `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<u16> {
    TABLE.iter().position(|site| site.name == name).and_then(|index| u16::try_from(index).ok())
}

macro_rules! sites {
    (@partners none) => { &[] };
    (@partners $($partner:ident)*) => { &[$($partner),*] };
    ($( $(#[doc = $carries:literal])+ $name:ident : $kind:ident = $ordering:ident
        -> $($partner:ident),+ ; )*) => {
        #[expect(non_camel_case_types, reason = "the names of sites are written in capitals")]
        enum Index { $($name),* }
        $( $(#[doc = $carries])+ pub const $name: u16 = Index::$name as u16; )*
        /// All sites, in the order of their indices.
        pub static TABLE: [Site; COUNT] = [$( Site {
            name: stringify!($name),
            kind: Kind::$kind,
            ordering: Ordering::$ordering,
            partners: sites!(@partners $($partner)+),
            carries: concat!($($carries),+).trim_ascii(),
        } ),*];
        /// How many sites there are.
        pub const COUNT: usize = [$(stringify!($name)),*].len();
    };
}

sites! {
    // One slot, writer's side (`slot`).
    /// Only the producer moves the state away from COMMITTED; the exchange after it decides.
    W_LOOK: Load = Relaxed -> none;
    /// The readers' last accesses to the payload, before it is overwritten.
    W_TAKE: Rmw = Acquire -> R_RELEASE, X_UNPIN;
    /// Closes the slot to new readers; carries nothing, W_TAKE follows.
    W_CLOSE: Rmw = Relaxed -> none;
    /// Only counts readers down; W_TAKE takes the slot and orders.
    W_DRAIN: Load = Relaxed -> none;
    /// Gives the unchanged payload back; part of W_COMMIT's release sequence.
    W_REOPEN: Rmw = Relaxed -> none;
    /// Read only after an edge from W_COMMIT.
    W_LABEL: Store = Relaxed -> none;
    /// Read only after an edge from W_COMMIT.
    W_LENGTH: Store = Relaxed -> none;
    /// Read only by the producer and by observers, who want no edge.
    W_GENERATION: Store = Relaxed -> none;
    /// Payload, label, length and checksum record.
    W_COMMIT: Store = Release -> R_ADMIT, R_NEXT;
    /// Nothing is published; only this producer or its proved successor takes the slot next.
    W_ABORT: Store = Relaxed -> none;

    // One slot, reader's side (`slot`).
    /// The exchange after it decides.
    R_PEEK: Load = Relaxed -> none;
    /// Payload, label, length and checksum record of the commit it was admitted under.
    R_ADMIT: Rmw = Acquire -> W_COMMIT;
    /// The same, for a reader whose cursor keeps the writer out.
    R_NEXT: Load = Acquire -> W_COMMIT;
    /// Ordered by R_ADMIT or R_NEXT before it.
    R_LABEL: Load = Relaxed -> none;
    /// Ordered by R_ADMIT or R_NEXT before it.
    R_LENGTH: Load = Relaxed -> none;
    /// A check, not an edge: the pin or the cursor excludes the writer.
    R_VALIDATE: Load = Relaxed -> none;
    /// The reader's last access to the payload.
    R_RELEASE: Rmw = Release -> W_TAKE;

    // The ring (`ring`).
    /// Every slot word up to this commit.
    W_COMMIT_INDEX: Store = Release -> R_COMMIT_INDEX;
    /// Every slot word up to this commit.
    R_COMMIT_INDEX: Load = Acquire -> W_COMMIT_INDEX;
    /// The slot word of the newest commit, so that the reader finds it committed.
    W_LATEST: Store = Release -> R_LATEST;
    /// The slot word of the newest commit, so that the reader finds it committed.
    R_LATEST: Load = Acquire -> W_LATEST;
    /// A consumer that still sees the end looks again.
    W_BEGIN: Store = Relaxed -> none;
    /// Every commit before the end.
    W_CLOSED: Store = Release -> R_CLOSED;
    /// Believed only after the kernel's token has proved the producer dead, which orders it.
    W_MOVING: Store = Relaxed -> none;
    /// Every commit before, and the successor as it was when it was made.
    W_MOVED: Store = Release -> R_CLOSED;
    /// Every commit before the end, or before the move and the successor.
    R_CLOSED: Load = Acquire -> W_CLOSED, W_MOVED;
    /// Read only after an edge from W_MOVED, or from a dead producer's token.
    W_WHERE: Store = Relaxed -> none;
    /// Ordered by R_CLOSED or the kernel's token before it.
    R_WHERE: Load = Relaxed -> none;

    // The gate of the sequential policies (`cursor`).
    /// The consumer's last access to the payloads below its cursor.
    C_CURSOR: Store = Release -> G_CURSOR;
    /// The consumer's last access to the payloads below its cursor.
    G_CURSOR: Load = Acquire -> C_CURSOR;
    /// The exchange after it decides.
    C_REGISTRY: Load = Relaxed -> none;
    /// The joiner's cursor.
    C_JOIN: Rmw = Release -> G_REGISTRY;
    /// The leaver's last access to any payload.
    C_LEAVE: Rmw = Release -> G_REGISTRY;
    /// The joiners' cursors and the leavers' last accesses.
    G_REGISTRY: Load = Acquire -> C_JOIN, C_LEAVE, X_LEAVE;
    /// Every slot word that the producer changed before it began to honour the registration.
    G_ACK: Store = Release -> C_ACK;
    /// Every slot word that the producer changed before it began to honour the registration.
    C_ACK: Load = Acquire -> G_ACK;
    /// Its place among the joins decides who is moved along; nothing else is carried.
    G_FREEZE: Rmw = Relaxed -> none;
    /// Lets joiners in again; nothing is carried.
    G_THAW: Rmw = Relaxed -> none;
    /// Written before anybody can find the successor; W_MOVED or the file system publishes it.
    G_KEEP: Store = Relaxed -> none;
    /// Only the holder of the seat's token changes its bit, and the kernel's token orders that.
    G_KEPT: Load = Relaxed -> none;
    /// As above.
    C_ARRIVE: Rmw = Relaxed -> none;
    /// For observers only.
    G_READ_INDEX: Store = Relaxed -> none;

    // Heartbeat slots (`heartbeat`).
    /// The exchange after it decides.
    H_SCAN: Load = Relaxed -> none;
    /// What the previous owner left, before the new one writes.
    H_CLAIM: Rmw = Acquire -> H_FREE;
    /// The claim, so that who sees the identity sees the epoch it belongs to.
    H_IDENTITY: Store = Release -> H_WHO;
    /// The identity.
    H_LIVE: Store = Release -> H_LOOK;
    /// The identity.
    H_LOOK: Load = Acquire -> H_LIVE;
    /// The claim, before the second look at the word.
    H_WHO: Load = Acquire -> H_IDENTITY;
    /// A hint to observers; death is proved by the kernel's token, never by a late beat.
    H_BEAT: Store = Relaxed -> none;
    /// A hint to observers.
    H_AGE: Load = Relaxed -> none;
    /// One reaper or the owner itself wins; what follows is ordered by H_FREE.
    H_RETIRE: Rmw = Relaxed -> none;
    /// The clean-up, before the next owner claims.
    H_FREE: Store = Release -> H_CLAIM;

    // Eviction (`eviction`, `rules`): "I retire you, then overwrite" against "I copy, then look whether
    // I still stand".
    /// Ordered by E_MARK after it. Somebody outside only marks, and the producer's own exchange follows.
    E_RETIRE: Rmw = Relaxed -> none;
    /// The retired seat before the first store into what its consumer may be copying (F3).
    E_MARK: Fence = Release -> E_CHECK;
    /// What was taken from the seat, before its next owner adds to it.
    E_DONE: Rmw = Release -> E_CLEAR;
    /// What was taken from the seat, before its next owner adds to it.
    E_CLEAR: Rmw = Acquire -> E_DONE;
    /// What the evicted one still reads it does not believe; the producer itself goes on.
    E_UNPIN: Rmw = Relaxed -> none;
    /// As above: the producer itself looks at the registry next.
    E_LEAVE: Rmw = Relaxed -> none;
    /// Ordered by W_TAKE and E_MARK before it and W_COMMIT after it.
    E_FILL: Store = Relaxed -> none;
    /// Ordered by the admission before it and E_CHECK after it.
    E_COPY: Load = Relaxed -> none;
    /// The copy before the look at the seat (F3).
    E_CHECK: Fence = Acquire -> E_MARK;
    /// Ordered by E_CHECK before it. Without a copy it tells an evicted one so, and orders nothing.
    E_STANDS: Load = Relaxed -> none;

    // Recovery rules (`rules`).
    /// Who scans holds the producer's token, whose release has ordered all that the dead one stored.
    X_SCAN: Load = Relaxed -> none;
    /// Who looks holds the token of the seat, so its bit cannot appear meanwhile.
    X_LOOK: Load = Relaxed -> none;
    /// Only the producer writes it, and it is dead.
    X_GENERATION: Load = Relaxed -> none;
    /// Only the holder of the producer's token does this; ordered by the kernel's token.
    X_RESET: Rmw = Relaxed -> none;
    /// The dead reader's last access, which the kernel's token ordered before us.
    X_UNPIN: Rmw = Release -> W_TAKE;
    /// The dead consumer's last access, which the kernel's token ordered before us.
    X_LEAVE: Rmw = Release -> G_REGISTRY;

    // Parking (`park`): "I say that I sleep, then look again" against "I publish, then look who sleeps".
    /// Ordered by P_FENCE after it.
    P_SLEEP: Rmw = Relaxed -> none;
    /// The sleeper's bit before its second look.
    P_FENCE: Fence = SeqCst -> P_WAKE_FENCE;
    /// What was published before the signal was raised, so that the second look sees it: the kernel
    /// would take the raised signal for an old one.
    P_SIGNAL: Load = Acquire -> P_WAKE_FENCE;
    /// Only this sleeper's bit.
    P_AWAKE: Rmw = Relaxed -> none;
    /// The publication before the look for sleepers, and to whoever reads the raised signal.
    P_WAKE_FENCE: Fence = SeqCst -> P_FENCE, P_SIGNAL;
    /// Ordered by P_WAKE_FENCE before it.
    P_ANYONE: Load = Relaxed -> none;
    /// P_WAKE_FENCE before it is a release too and carries the publication to P_SIGNAL.
    P_RING: Rmw = Relaxed -> none;

    // A shared word of a flexible zone (`zone::word`).
    /// Everything that was done before the word was written.
    Z_LOAD: Load = Acquire -> Z_STORE, Z_CHANGE;
    /// Everything that was done before.
    Z_STORE: Store = Release -> Z_LOAD, Z_CHANGE;
    /// Everything that was done before, both ways.
    Z_CHANGE: Rmw = AcqRel -> Z_LOAD, Z_STORE, Z_CHANGE;
    /// Bytes as they are: their users see to it that nobody writes meanwhile, or take what comes.
    Z_RAW_READ: Load = Relaxed -> none;
    /// Bytes as they are.
    Z_RAW_WRITE: Store = Relaxed -> none;

    // A value under a count that is odd while it is written (`zone::seqlock`).
    /// The exchange after it decides.
    Z_SEQ_PEEK: Load = Relaxed -> none;
    /// The former writer's stores, so that ours come after them.
    Z_SEQ_BEGIN: Rmw = Acquire -> Z_SEQ_END;
    /// The odd count before the first store of the value (F3).
    Z_SEQ_MARK: Fence = Release -> Z_SEQ_CHECK;
    /// Ordered by Z_SEQ_MARK before it and Z_SEQ_END after it.
    Z_SEQ_WRITE: Store = Relaxed -> none;
    /// The whole value.
    Z_SEQ_END: Store = Release -> Z_SEQ_LOOK, Z_SEQ_BEGIN;
    /// The whole value of this count.
    Z_SEQ_LOOK: Load = Acquire -> Z_SEQ_END;
    /// Ordered by Z_SEQ_LOOK before it and Z_SEQ_CHECK after it.
    Z_SEQ_READ: Load = Relaxed -> none;
    /// The loads of the value before the second look at the count (F3).
    Z_SEQ_CHECK: Fence = Acquire -> Z_SEQ_MARK;
    /// Ordered by Z_SEQ_CHECK before it.
    Z_SEQ_AGAIN: Load = Relaxed -> none;

    // Two buffers, of which one is complete (`zone::double`).
    /// The exchange after it decides.
    Z_TWO_PEEK: Load = Relaxed -> none;
    /// The former writer's stores, so that ours come after them.
    Z_TWO_BEGIN: Rmw = Acquire -> Z_TWO_FLIP;
    /// The count that gave the other buffer out before the first store into this one.
    Z_TWO_MARK: Fence = Release -> Z_TWO_CHECK;
    /// Ordered by Z_TWO_MARK before it and Z_TWO_FLIP after it.
    Z_TWO_WRITE: Store = Relaxed -> none;
    /// The whole buffer.
    Z_TWO_FLIP: Store = Release -> Z_TWO_LOOK, Z_TWO_BEGIN;
    /// The whole buffer of this count.
    Z_TWO_LOOK: Load = Acquire -> Z_TWO_FLIP;
    /// Ordered by Z_TWO_LOOK before it and Z_TWO_CHECK after it.
    Z_TWO_READ: Load = Relaxed -> none;
    /// The loads of the buffer before the second look at the count.
    Z_TWO_CHECK: Fence = Acquire -> Z_TWO_MARK;
    /// Ordered by Z_TWO_CHECK before it.
    Z_TWO_AGAIN: Load = Relaxed -> none;

    // A lock that survives its holder (`zone::spinlock`).
    /// The exchange after it decides; its own name is found by its holder without an edge.
    Z_LOCK_LOOK: Load = Relaxed -> none;
    /// Everything that was done under the lock before.
    Z_LOCK_TAKE: Rmw = Acquire -> Z_LOCK_FREE;
    /// What the dead holder did, which the kernel's token ordered before us.
    Z_LOCK_RECLAIM: Rmw = Relaxed -> none;
    /// Read by its writer only, or found to be another's.
    Z_LOCK_NOTE: Store = Relaxed -> none;
    /// Its own note is found by its writer without an edge.
    Z_LOCK_OWN: Load = Relaxed -> none;
    /// Everything that was done under the lock.
    Z_LOCK_FREE: Rmw = Release -> Z_LOCK_TAKE;

    // Counters (`metrics`).
    /// One writer a counter; statistics want no edge.
    M_COUNT: Store = Relaxed -> none;
    /// Statistics want no edge.
    M_READ: Load = Relaxed -> none;
    /// What leaves with a consumer or has no single writer; off the hot path.
    M_ADD: Rmw = Relaxed -> none;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partner_names_the_site_back() {
        for (index, site) in TABLE.iter().enumerate() {
            for &partner in site.partners {
                let back = TABLE[partner as usize].partners;
                assert!(back.iter().any(|&site| site as usize == index), "{} is alone", site.name);
            }
        }
    }

    #[test]
    fn an_edge_joins_a_release_with_an_acquire() {
        use Ordering::{AcqRel, Acquire, Release, SeqCst};
        let releases = |site: &Site| matches!(site.ordering, Release | AcqRel | SeqCst);
        let acquires = |site: &Site| matches!(site.ordering, Acquire | AcqRel | SeqCst);
        for site in &TABLE {
            for &partner in site.partners {
                let partner = &TABLE[partner as usize];
                let paired = releases(site) && acquires(partner);
                assert!(paired || acquires(site) && releases(partner), "{}", site.name);
            }
            assert_eq!(
                site.partners.is_empty(),
                site.ordering == Ordering::Relaxed,
                "{}",
                site.name
            );
        }
    }

    #[test]
    fn names_lead_back_to_their_sites() {
        assert_eq!(by_name("W_COMMIT"), Some(W_COMMIT));
        assert_eq!(by_name("W_NOTHING"), None);
    }
}
