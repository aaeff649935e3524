//! Which sites of the protocol a role comes to, by name: the others are no places to die at.
//!
//! That these lists say no more and no less than what is so is seen by `harness crash`, which sends both
//! ends to every site of every block: one that somebody reaches against them is broken. What scenarios refuse
//! is held against scouts of both roles in every policy (`run/reached.rs`).

use super::model::zone::{PRODUCER, ZoneKind, ZoneSpec};
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

/// Only a producer comes there, and only to write.
pub(crate) const WRITERS: &[&str] = &[
    "W_LOOK",
    "W_TAKE",
    "W_CLOSE",
    "W_DRAIN",
    "W_REOPEN",
    "W_LABEL",
    "W_LENGTH",
    "W_GENERATION",
    "W_COMMIT",
    "G_CURSOR",
    "G_REGISTRY",
    "G_ACK",
    "G_READ_INDEX",
    "E_RETIRE",
    "E_MARK",
    "E_UNPIN",
    "E_LEAVE",
    "E_FILL",
];

/// Only a producer comes there, also one that takes a block over and writes nothing.
pub(crate) const PRODUCERS: &[&str] = &[
    "W_ABORT",
    "W_COMMIT_INDEX",
    "W_LATEST",
    "W_BEGIN",
    "W_CLOSED",
    "G_THAW",
    "E_DONE",
    "X_SCAN",
    "X_GENERATION",
    "X_RESET",
];

/// Who writes a value under a count comes there.
pub(crate) const COUNT_WRITERS: &[&str] =
    &["Z_SEQ_PEEK", "Z_SEQ_BEGIN", "Z_SEQ_MARK", "Z_SEQ_WRITE", "Z_SEQ_END"];
/// Who reads one.
const COUNT_READERS: &[&str] = &["Z_SEQ_LOOK", "Z_SEQ_READ", "Z_SEQ_CHECK", "Z_SEQ_AGAIN"];

/// Who writes one of two buffers comes there.
pub(crate) const BUFFER_WRITERS: &[&str] =
    &["Z_TWO_PEEK", "Z_TWO_BEGIN", "Z_TWO_MARK", "Z_TWO_WRITE", "Z_TWO_FLIP"];
/// Who reads them.
const BUFFER_READERS: &[&str] = &["Z_TWO_LOOK", "Z_TWO_READ", "Z_TWO_CHECK", "Z_TWO_AGAIN"];

/// The sites of a hand-over: a stream stays in its block, which dies with its last holder.
pub(crate) const MOVES: &[&str] =
    &["C_ARRIVE", "G_FREEZE", "G_KEEP", "R_WHERE", "W_MOVED", "W_MOVING", "W_WHERE"];

/// Only who asks whether another one lives comes there: observers, and who waits for a lock.
pub(crate) const OBSERVERS: &[&str] = &["H_LOOK", "H_WHO", "H_AGE"];

/// Where cursors hold the producer back.
const GATE: &[&str] = &["C_ACK", "G_CURSOR", "G_REGISTRY", "G_ACK", "G_READ_INDEX"];
const LATEST: &[&str] = &["W_LATEST", "R_LATEST"];
const PARKED: &[&str] = &["P_SLEEP", "P_FENCE", "P_SIGNAL", "P_WAKE_FENCE", "P_ANYONE", "P_RING"];
/// Where a consumer is evicted, and where reads copy because of that.
const EVICTED: &[&str] =
    &["E_RETIRE", "E_MARK", "E_UNPIN", "E_LEAVE", "E_FILL", "E_COPY", "E_CHECK", "E_CLEAR"];
/// Zones of scenarios hold a value under a count, or two buffers.
const OTHER_ZONES: &[&str] = &["Z_LOAD", "Z_STORE", "Z_CHANGE"];

/// Why nobody in this role comes to a site of such a block; `None`: somebody may. `group`: which consumers;
/// `None`: the producer.
pub(crate) fn never(site: &str, group: Option<&str>, block: &BlockSpec) -> Option<&'static str> {
    let of = |sites: &[&str]| sites.contains(&site);
    let (latest, producer) = (block.consumer_sync == ConsumerSync::LatestOnly, group.is_none());
    let gated = !latest && block.on_full != OnFull::Overwrite;
    Some(match () {
        () if producer && of(CONSUMERS) => "only a consumer comes there",
        () if !producer && (of(WRITERS) || of(PRODUCERS)) => "only the producer comes there",
        () if of(MOVES) => "the stream of a scenario stays in its block",
        () if of(OBSERVERS) => "only observers come there",
        () if of(EVICTED) && !matches!(block.on_full, OnFull::Evict { .. }) => {
            "the block evicts nobody"
        }
        () if site == "R_VALIDATE" => "nobody in a scenario validates what it was given",
        () if !gated && of(GATE) => "no cursor holds back the producer of such a block",
        () if latest && site == "R_NEXT" => "consumers of a latest-only block pin what they read",
        () if !gated && site == "R_NEXT" => {
            "consumers of a ring that is overwritten pin what they read"
        }
        () if latest && site == "W_DRAIN" => "the producer looks for another slot meanwhile",
        () if !latest && of(LATEST) => "only a latest-only block has a newest slot",
        () if !block.notify && of(PARKED) => "nobody parks: the block has no `notify`",
        () if site.starts_with("Z_") => return outside(site, group.unwrap_or(PRODUCER), block),
        () => return None,
    })
}

/// The same of a site of the block's zones.
fn outside(site: &str, who: &str, block: &BlockSpec) -> Option<&'static str> {
    let of = |sites: &[&str]| sites.contains(&site);
    let writes = |zone: &ZoneSpec| zone.writer == who;
    let some = |what: &dyn Fn(&ZoneSpec) -> bool| block.zones.iter().any(what);
    let written = |kind| some(&|zone| zone.kind == kind && writes(zone));
    let seen = |kind| some(&|zone| zone.kind == kind && !writes(zone));
    let stamped = |own: bool| {
        some(&|zone| zone.checksum && (writes(zone) || !own && zone.writer == PRODUCER))
    };
    Some(match () {
        () if site.starts_with("Z_LOCK") || of(OTHER_ZONES) => {
            "no zone of a scenario holds a lock or a word"
        }
        () if block.zones.is_empty() => "the block has no zones",
        () if of(COUNT_WRITERS) && !written(ZoneKind::Seqlock)
            || of(BUFFER_WRITERS) && !written(ZoneKind::Double) =>
        {
            "it writes no zone of this kind"
        }
        () if of(COUNT_READERS) && !seen(ZoneKind::Seqlock)
            || of(BUFFER_READERS) && !seen(ZoneKind::Double) =>
        {
            "it looks into no zone of this kind"
        }
        () if site == "Z_RAW_READ" && !stamped(false) => "it compares no checksum of a zone",
        () if site == "Z_RAW_WRITE" && !stamped(true) => "it stamps no checksum of a zone",
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
            WRITERS,
            PRODUCERS,
            COUNT_WRITERS,
            COUNT_READERS,
            BUFFER_WRITERS,
            BUFFER_READERS,
            MOVES,
            OBSERVERS,
            GATE,
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
