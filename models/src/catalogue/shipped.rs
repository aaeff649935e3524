//! Models of the shipped protocol: every promise must hold. The costly ones stand last, so that
//! a mutant meets them last.

use datahub::config::ConsumerSync;
use report_schema::ModelKind;

use super::{Entry, Expect, Size};
use crate::scenario::Runnable;
use crate::scenario::attach::Attach;
use crate::scenario::batch::Batch;
use crate::scenario::checked::Checked;
use crate::scenario::counted::Counted;
use crate::scenario::eviction::Evict;
use crate::scenario::explicit::Explicit;
use crate::scenario::handover::{self, HandOver};
use crate::scenario::heartbeat::Claims;
use crate::scenario::latest::Latest;
use crate::scenario::lock::Lock;
use crate::scenario::recovery::{Reap, Third};
use crate::scenario::resume::Resume;
use crate::scenario::sequential::{Besides, Joins, Sequential};
use crate::scenario::slot::Slots;
use crate::scenario::word::Word;

/// Every model of the shipped protocol.
pub(super) static ALL: &[Entry] = &[
    shipped(
        "slot/one-reader",
        "Is a slot that is overwritten while one reader reads it ever torn?",
        Size::Small,
        &Slots::PLAIN,
    ),
    shipped(
        "slot/two-readers",
        "Does the writer wait for both of two readers?",
        Size::Large,
        &Slots { readers: 2, ..Slots::PLAIN },
    ),
    shipped(
        "slot/two-laps",
        "Is a reader that comes back in the next lap given the right payload?",
        Size::Small,
        &Slots { commits: 2, reads: 3, ..Slots::PLAIN },
    ),
    shipped(
        "slot/two-slots",
        "Do two slots keep out of each other's way?",
        Size::Small,
        &Slots { slots: 2, commits: 2, reads: 3, ..Slots::PLAIN },
    ),
    shipped(
        "slot/abort",
        "Is a slot usable after a write was given up?",
        Size::Small,
        &Slots { aborts: true, reads: 2, ..Slots::PLAIN },
    ),
    shipped(
        "slot/drain-gives-up",
        "Is a slot readable again when the writer stops waiting for a reader?",
        Size::Large,
        &Slots { patience: 0, commits: 2, readers: 2, ..Slots::PLAIN },
    ),
    shipped(
        "latest/one-reader",
        "Is the newest payload always readable while the next one is written?",
        Size::Small,
        &Latest::SMALL,
    ),
    shipped(
        "latest/lapped",
        "Is a reader that was lapped twice given right payloads, none of them twice?",
        Size::Large,
        &Latest { commits: 3, reads: 2, ..Latest::SMALL },
    ),
    shipped(
        "latest/from-nothing",
        "Does a reader that is there before the first commit wait for it?",
        Size::Small,
        &Latest { before: 0, commits: 2, reads: 2, ..Latest::SMALL },
    ),
    shipped(
        "latest/abort",
        "Does a write that is given up leave the newest payload readable and burn no number?",
        Size::Small,
        &Latest { commits: 3, reads: 2, aborts: true, ..Latest::SMALL },
    ),
    shipped(
        "sequential/gate",
        "Is every payload delivered once and in order when the ring is full?",
        Size::Large,
        &Sequential { looks: 3, commits: 3, ..Sequential::SMALL },
    ),
    shipped(
        "sequential/three-slots",
        "The same with room for two payloads and a lap and a half.",
        Size::Large,
        &Sequential { capacity: 2, before: 1, commits: 3, looks: 4, ..Sequential::SMALL },
    ),
    shipped(
        "sequential/join-newest",
        "The same, beginning with the newest payload.",
        Size::Large,
        &Sequential { joins: Joins::Newest, before: 2, commits: 2, looks: 3, ..Sequential::SMALL },
    ),
    shipped(
        "sequential/join-again",
        "Does the producer take a newcomer's cursor for that of its predecessor?",
        Size::Large,
        &Sequential {
            capacity: 2,
            joins: Joins::Again,
            before: 3,
            commits: 2,
            looks: 2,
            ..Sequential::SMALL
        },
    ),
    shipped(
        "sequential/leave",
        "Does the producer go on when a consumer leaves, and not before it has read?",
        Size::Small,
        &Sequential { before: 1, commits: 2, looks: 1, leaves: true, ..Sequential::SMALL },
    ),
    shipped(
        "sequential/leave-one-of-two",
        "Does one consumer's leaving leave the other its payloads?",
        Size::Small,
        &Sequential {
            readers: 2,
            before: 1,
            commits: 2,
            looks: 1,
            leaves: true,
            ..Sequential::SMALL
        },
    ),
    shipped(
        "sequential/end",
        "Is everything delivered that was committed before the end of the stream?",
        Size::Large,
        &Sequential {
            capacity: 2,
            commits: 2,
            looks: 3,
            besides: Besides::Closes,
            ..Sequential::SMALL
        },
    ),
    shipped(
        "overwrite/lapped",
        "Does a consumer of an overwriting ring learn exactly what it missed?",
        Size::Large,
        &Sequential { overwrites: true, before: 1, commits: 2, looks: 3, ..Sequential::SMALL },
    ),
    shipped(
        "sequential/abort",
        "Does a write that is given up leave what was promised, and burn no number?",
        Size::Small,
        &Sequential {
            before: 1,
            commits: 1,
            looks: 2,
            besides: Besides::Aborts,
            ..Sequential::SMALL
        },
    ),
    shipped(
        "sequential/join-beside",
        "May a consumer join beside another one, and does neither lose a payload?",
        Size::Large,
        &Sequential {
            readers: 2,
            joins: Joins::Beside,
            before: 1,
            commits: 1,
            looks: 1,
            ..Sequential::SMALL
        },
    ),
    shipped(
        "attach/creation",
        "Does whoever finds a new block find all of it, and then every payload?",
        Size::Small,
        &Attach::SMALL,
    ),
    shipped(
        "explicit/latest",
        "Is a payload found under its number as soon as it counts as committed?",
        Size::Small,
        &Explicit { sync: ConsumerSync::LatestOnly, before: 1, commits: 1 },
    ),
    shipped(
        "explicit/sequential",
        "The same where the number gives the place.",
        Size::Small,
        &Explicit { sync: ConsumerSync::Sequential, before: 1, commits: 2 },
    ),
    shipped(
        "heartbeat/claims",
        "Is the owner that an observer is told the one who made the claim?",
        Size::Large,
        &Claims { looks: 1 },
    ),
    shipped(
        "zone/seqlock",
        "Is a counted value that is read while it is written ever torn?",
        Size::Large,
        &Counted { two: false, heir: false, writes: 2, reads: 2 },
    ),
    shipped(
        "zone/seqlock-two-writers",
        "Do two writers of a counted value leave it whole?",
        Size::Small,
        &Counted { two: false, heir: false, writes: 1, reads: 0 },
    ),
    shipped(
        "zone/double",
        "Is the value in two buffers always whole, also when its writer comes round?",
        Size::Large,
        &Counted { two: true, heir: false, writes: 3, reads: 1 },
    ),
    shipped(
        "zone/double-two-writers",
        "Do two writers of two buffers leave them whole?",
        Size::Small,
        &Counted { two: true, heir: false, writes: 2, reads: 0 },
    ),
    shipped(
        "zone/word",
        "Does a shared word hand over what was done before it was stored?",
        Size::Small,
        &Word { stores: true },
    ),
    shipped(
        "zone/word-changed",
        "The same for a word that is only changed.",
        Size::Small,
        &Word { stores: false },
    ),
    shipped(
        "zone/lock",
        "Is what a lock guards done by one at a time, also by one who locks twice?",
        Size::Small,
        &Lock { dead: false, twice: true },
    ),
    shipped(
        "zone/lock-of-the-dead",
        "Has a dead holder's lock one heir, and after him the next?",
        Size::Small,
        &Lock { dead: true, twice: false },
    ),
    shipped(
        "batch/whole",
        "Does a consumer see all of a batch or nothing?",
        Size::Small,
        &Batch { batches: 2, looks: 2, aborts: false, by_number: false },
    ),
    shipped(
        "batch/abort",
        "Does a batch that is given up leave nothing behind?",
        Size::Small,
        &Batch { batches: 2, looks: 2, aborts: true, by_number: false },
    ),
    shipped(
        "batch/by-number",
        "Are all payloads of a batch found as soon as they count as committed?",
        Size::Small,
        &Batch { batches: 2, looks: 2, aborts: false, by_number: true },
    ),
    shipped(
        "checksum/enforced",
        "Is a payload that does not match its record ever delivered?",
        Size::Small,
        &Checked { stamps_damage: false, reads: 2 },
    ),
    shipped(
        "checksum/stamped-damage",
        "Does a reader take another commit's record for that of its payload?",
        Size::Small,
        &Checked { stamps_damage: true, reads: 2 },
    ),
    shipped(
        "recovery/reap-pin",
        "Does the producer go on when a dead reader is cleared, and not before it has read?",
        Size::Large,
        &Reap { sync: ConsumerSync::LatestOnly, third: Third::Victim, commits: 2 },
    ),
    shipped(
        "recovery/reap-cursor",
        "The same for a consumer that only its cursor protects.",
        Size::Small,
        &Reap { sync: ConsumerSync::Sequential, third: Third::Victim, commits: 2 },
    ),
    shipped(
        "recovery/reap-joiner",
        "The same for a consumer that dies while it joins.",
        Size::Large,
        &Reap { sync: ConsumerSync::SequentialSync, third: Third::Joiner, commits: 2 },
    ),
    shipped(
        "recovery/reap-beside",
        "Does clearing one of two consumers leave the other its payloads, and free the producer?",
        Size::Large,
        &Reap { sync: ConsumerSync::SequentialSync, third: Third::Neighbour, commits: 2 },
    ),
    shipped(
        "recovery/two-reapers",
        "Do two reapers of one dead reader clear it once, and nobody else?",
        Size::Small,
        &Reap { sync: ConsumerSync::LatestOnly, third: Third::Rival, commits: 2 },
    ),
    shipped(
        "recovery/resume-sequential",
        "The same for a ring that loses nothing.",
        Size::Large,
        &Resume::PLAIN,
    ),
    shipped(
        "recovery/restart",
        "Does a successor go on where a producer ended the stream?",
        Size::Large,
        &Resume { commits: 1, closes: true, ..Resume::PLAIN },
    ),
    shipped(
        "recovery/two-successors",
        "Do two who contend for a dead producer's block go on one after the other, losing nothing?",
        Size::Large,
        &Resume { contended: true, ..Resume::PLAIN },
    ),
    shipped(
        "handover/one-reader",
        "Is every payload delivered once when the stream moves to another block under a reader?",
        Size::Large,
        &HandOver::SMALL,
    ),
    shipped(
        "handover/behind",
        "The same for a reader that still has a payload to read in the old block.",
        Size::Large,
        &HandOver { before: true, ..HandOver::SMALL },
    ),
    shipped(
        "handover/heir",
        "The same while somebody waits to take over, should the producer die on the way.",
        Size::Large,
        &HandOver {
            before: true,
            after: 1,
            looks: 3,
            third: handover::Third::Heir,
            ..HandOver::SMALL
        },
    ),
    shipped(
        "handover/latest",
        "Does a reader of the newest follow, and never go back?",
        Size::Large,
        &HandOver { sync: ConsumerSync::LatestOnly, ..HandOver::SMALL },
    ),
    shipped(
        "handover/fails",
        "Is a hand-over that fails as if it had never begun?",
        Size::Large,
        &HandOver { fails: true, after: 1, looks: 2, ..HandOver::SMALL },
    ),
    shipped(
        "handover/joiner",
        "Is who joins beside a hand-over either moved with the others or sent to the new block?",
        Size::Large,
        &HandOver {
            third: handover::Third::Joiner,
            before: true,
            after: 0,
            looks: 2,
            ..HandOver::SMALL
        },
    ),
    shipped(
        "eviction/copying",
        "Is what a reader copies whole, although it may be evicted while it copies?",
        Size::Large,
        &Evict { late: false, commits: 2, ..Evict::PLAIN },
    ),
    shipped(
        "eviction/pinned",
        "The same of a reader that pins, because the producer has not acknowledged it.",
        Size::Large,
        &Evict { late: true, ..Evict::PLAIN },
    ),
    shipped(
        "recovery/heir-of-seqlock",
        "Is a counted value whole when its writer died and another writes over it?",
        Size::Large,
        &Counted { two: false, heir: true, writes: 1, reads: 1 },
    ),
    shipped(
        "recovery/heir-of-double",
        "The same for two buffers.",
        Size::Small,
        &Counted { two: true, heir: true, writes: 1, reads: 1 },
    ),
    shipped(
        "sequential/join-oldest",
        "May a consumer join under traffic without being passed before it is acknowledged?",
        Size::Large,
        &Sequential { joins: Joins::Oldest, before: 1, commits: 3, looks: 3, ..Sequential::SMALL },
    ),
    shipped(
        "recovery/reap-and-reuse",
        "Does clearing a dead reader ever take the pin of who comes after it?",
        Size::Large,
        &Reap { sync: ConsumerSync::LatestOnly, third: Third::Newcomer, commits: 2 },
    ),
    shipped(
        "recovery/resume-latest",
        "Does a successor go on where a dead producer stopped, while a reader reads?",
        Size::Large,
        &Resume { sync: ConsumerSync::LatestOnly, ..Resume::PLAIN },
    ),
    shipped(
        "latest/two-readers",
        "Do two readers of different ages leave the producer a slot?",
        Size::Large,
        &Latest { readers: 2, slots: 4, commits: 2, ..Latest::SMALL },
    ),
    shipped(
        "sequential/two-gates",
        "Does the slower of two consumers hold the producer back?",
        Size::Large,
        &Sequential { readers: 2, commits: 2, looks: 2, ..Sequential::SMALL },
    ),
    shipped(
        "handover/two-readers",
        "The same for two readers, of which the slower one holds the producer back in the new block.",
        Size::Huge,
        &HandOver { readers: 2, before: true, after: 1, looks: 3, ..HandOver::SMALL },
    ),
    shipped(
        "eviction/newcomer",
        "Does an eviction ever take what belongs to who comes after the evicted one?",
        Size::Large,
        &Evict { newcomer: true, ..Evict::PLAIN },
    ),
    shipped(
        "eviction/marked",
        "Does a mark from outside lead to an eviction as sound as the producer's own?",
        Size::Large,
        &Evict { outsider: true, ..Evict::PLAIN },
    ),
    shipped(
        "latest/crowded",
        "Does the producer, with no slot to spare, wait within its bound and lose nothing?",
        Size::Huge,
        &Latest { readers: 2, commits: 2, ..Latest::SMALL },
    ),
];

pub(super) const fn shipped(
    name: &'static str,
    question: &'static str,
    size: Size,
    model: &'static dyn Runnable,
) -> Entry {
    let (kind, memory, expect) = (ModelKind::Protocol, "shipped", Expect::Holds);
    Entry { name, question, kind, memory, expect, size, overrides: &[], crash: None, model }
}
