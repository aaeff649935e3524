//! Which sites of the protocol a role comes to, by name: the others are no places to die at.
//!
//! That these lists say no more and no less than what is so is seen by `harness crash`, which sends both
//! ends to every site of every block: one that somebody reaches against them is broken.

use super::model::{BlockSpec, ConsumerSync, OnFull};

/// Only a consumer comes there.
pub(crate) const CONSUMERS: &[&str] = &[
    "R_PEEK",
    "R_ADMIT",
    "R_NEXT",
    "R_LENGTH",
    "R_VALIDATE",
    "R_RELEASE",
    "R_LATEST",
    "C_CURSOR",
    "C_REGISTRY",
    "C_JOIN",
    "C_LEAVE",
    "C_ACK",
    "E_CLEAR",
    "E_COPY",
    "E_CHECK",
];

/// Only a producer comes there.
pub(crate) const PRODUCERS: &[&str] = &[
    "W_LOOK",
    "W_TAKE",
    "W_CLOSE",
    "W_DRAIN",
    "W_REOPEN",
    "W_LABEL",
    "W_LENGTH",
    "W_GENERATION",
    "W_COMMIT",
    "W_ABORT",
    "W_COMMIT_INDEX",
    "W_LATEST",
    "W_BEGIN",
    "W_CLOSED",
    "G_CURSOR",
    "G_REGISTRY",
    "G_ACK",
    "G_THAW",
    "G_READ_INDEX",
    "E_RETIRE",
    "E_MARK",
    "E_DONE",
    "E_UNPIN",
    "E_LEAVE",
    "E_FILL",
    "X_SCAN",
    "X_GENERATION",
    "X_RESET",
];

/// The sites of a hand-over: a stream stays in its block, which dies with its last holder.
pub(crate) const MOVES: &[&str] =
    &["C_ARRIVE", "G_FREEZE", "G_KEEP", "R_WHERE", "W_MOVED", "W_MOVING", "W_WHERE"];

/// Only who asks whether another one lives comes there: observers, and who waits for a lock.
pub(crate) const OBSERVERS: &[&str] = &["H_LOOK", "H_WHO", "H_AGE"];

/// The sites of the policies by which consumers have cursors.
const SEQUENTIAL: &[&str] =
    &["C_CURSOR", "C_REGISTRY", "C_JOIN", "C_LEAVE", "C_ACK", "G_CURSOR", "G_REGISTRY", "G_ACK"];
const LATEST: &[&str] = &["W_LATEST", "R_LATEST"];
const PARKED: &[&str] = &["P_SLEEP", "P_FENCE", "P_SIGNAL", "P_WAKE_FENCE", "P_ANYONE", "P_RING"];
/// Where a consumer is evicted, and where reads copy because of that.
const EVICTED: &[&str] =
    &["E_RETIRE", "E_MARK", "E_UNPIN", "E_LEAVE", "E_FILL", "E_COPY", "E_CHECK", "E_CLEAR"];
/// Zones of scenarios hold a value under a count, or two buffers.
const OTHER_ZONES: &[&str] = &["Z_LOAD", "Z_STORE", "Z_CHANGE"];

/// Why nobody in this role comes to a site of such a block; `None`: somebody may.
pub(super) fn never(site: &str, producer: bool, block: &BlockSpec) -> Option<&'static str> {
    let of = |sites: &[&str]| sites.contains(&site);
    let latest = block.consumer_sync == ConsumerSync::LatestOnly;
    Some(match () {
        () if producer && of(CONSUMERS) => "only a consumer comes there",
        () if !producer && of(PRODUCERS) => "only the producer comes there",
        () if of(MOVES) => "the stream of a scenario stays in its block",
        () if of(OBSERVERS) => "only observers come there",
        () if of(EVICTED) && !matches!(block.on_full, OnFull::Evict { .. }) => {
            "the block evicts nobody"
        }
        () if latest && of(SEQUENTIAL) => "consumers of a latest-only block have no cursors",
        () if latest && site == "R_NEXT" => "consumers of a latest-only block pin what they read",
        () if block.on_full == OnFull::Overwrite && site == "R_NEXT" => {
            "consumers of a ring that is overwritten pin what they read"
        }
        () if !latest && of(LATEST) => "only a latest-only block has a newest slot",
        () if !block.notify && of(PARKED) => "nobody parks: the block has no `notify`",
        () if site.starts_with("Z_LOCK") || of(OTHER_ZONES) => {
            "no zone of a scenario holds a lock or a word"
        }
        () if site.starts_with("Z_") && block.zones.is_empty() => "the block has no zones",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_site() {
        let lists = [
            CONSUMERS,
            PRODUCERS,
            MOVES,
            OBSERVERS,
            SEQUENTIAL,
            LATEST,
            PARKED,
            EVICTED,
            OTHER_ZONES,
        ];
        for site in lists.concat() {
            assert!(datahub::sites::by_name(site).is_some(), "{site} is no site");
        }
    }
}
