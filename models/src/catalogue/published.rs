//! Models of the published protocol: each flaw must be found, each cured form must hold.

use report_schema::ModelKind;

use super::{Entry, Expect, Size};
use crate::published::claims::Claims;
use crate::published::generation::Generation;
use crate::published::join::Join;
use crate::published::minimum::Minimum;
use crate::published::steal::Steal;
use crate::published::{Published, Recovery};
use crate::scenario::Runnable;
use crate::violation::Promise;

const ONE_SLOT: Published = Published {
    slots: 1,
    before: 1,
    commits: 1,
    reads: 1,
    closes_first: true,
    labels: true,
    recovery: Recovery::Nobody,
    named: false,
};

const LAPPED: Published = Published {
    slots: 2,
    before: 2,
    commits: 2,
    reads: 2,
    closes_first: true,
    labels: true,
    recovery: Recovery::Nobody,
    named: false,
};

/// What a flaw breaks.
type Breaks = &'static [(Promise, &'static str)];

/// A reader and a writer are in the payload at once; loom says no more than that.
const RACES: Breaks = &[
    (Promise::Race, "the payload is read although its write is not known"),
    (Promise::Race, "the payload is overwritten while a reader may look at it"),
    (Promise::Race, "ausality violation"),
];
const MISLABELLED: Breaks = &[(Promise::Labelled, "holds the payload of")];
const TORN: Breaks = &[(Promise::Whole, "both under generation")];
const COUNTED: Breaks = &[(Promise::Quiet, "slot 0 counts 1 readers")];
const BELOW_ZERO: Breaks = &[(Promise::Quiet, "slot 0 counts 18446744073709551615 readers")];
const BURNT: Breaks = &[(Promise::Lossless, "counts as committed, and its slot holds another")];
const TWICE: Breaks = &[(Promise::Labelled, "first and")];
const STUCK: Breaks = &[(Promise::Progress, "the read index stays at 0")];
/// One memory has no races: there the lock shows two owners.
const OWNERS: Breaks = &[
    (Promise::Race, "the payload is read although its write is not known"),
    (Promise::Race, "two writes to one payload word are not ordered"),
    (Promise::Race, "the payload is overwritten while a reader may look at it"),
    (Promise::Race, "ausality violation"),
    (Promise::Whole, "works under the lock, which says"),
];

/// Every model of the published protocol.
pub(super) static ALL: &[Entry] = &[
    flawed(
        "published/f1-count-before-state",
        "published F1",
        (
            "The writer looks who reads before it says that it writes, so a reader enters in between \
         and reads the payload while it is written: a race in which it may be given half of the old \
         and half of the new one.",
            RACES,
        ),
        &Published { closes_first: false, ..ONE_SLOT },
    ),
    Entry {
        overrides: &[("published:W_FENCE", None), ("published:R_FENCE", None)],
        ..flawed(
            "published/f2-no-fences",
            "published F2",
            (
                "Without fences both sides may miss each other's store: the writer sees no reader, \
             the reader sees no writer, and both are in the payload: a race in which the reader may be \
             given half of each.",
                RACES,
            ),
            &ONE_SLOT,
        )
    },
    flawed(
        "published/f3-generation-at-commit",
        "published F3",
        (
            "The generation moves at commit only: a reader that trusts it copies while a write is in \
         progress and finds the same generation before and after.",
            TORN,
        ),
        &Generation { odd_even: false, commits: 1 },
    ),
    flawed(
        "published/f4-no-label",
        "published F4",
        (
            "Nothing in the slot says which commit it holds: a reader that was lapped on its way in \
         is given a later payload under the earlier number.",
            MISLABELLED,
        ),
        &Published { labels: false, ..LAPPED },
    ),
    flawed(
        "published/f5-states-compared",
        "published F5",
        (
            "The reader compares states, not commits: the slot went once round between its two looks, \
         and it is given another payload than the one it came for.",
            MISLABELLED,
        ),
        &Published { labels: false, commits: 2, ..ONE_SLOT },
    ),
    Entry {
        crash: Some(("reader", 3)),
        ..flawed(
            "published/f6-count-leaks",
            "published F6",
            (
                "A reader that dies inside stays counted for ever: a count does not say whose it is, \
             so recovery, which takes back what bears the dead one's name, finds nothing, and the \
             writer waits without end.",
                COUNTED,
            ),
            &Published { recovery: Recovery::ByName, ..ONE_SLOT },
        )
    },
    flawed(
        "published/f8-burnt-number",
        "published F8",
        (
            "A number is claimed before the slot is drained: when the writer gives up waiting, the number \
         is lost, the next payload is counted one too low, and nobody finds it.",
            BURNT,
        ),
        &Claims::BeforeDraining,
    ),
    flawed(
        "published/f9-counted-down",
        "published F9",
        (
            "An aborted write counts the numbers down by one, whichever it held: the next write is given \
         a number that is committed already, and a reader finds two payloads under it.",
            TWICE,
        ),
        &Claims::CountedDown,
    ),
    flawed(
        "published/f12-two-owners",
        "published F12",
        (
            "Two processes find the lock's holder dead, and each stores its own name over it: both go on \
         as the owner, and one reads the data while the other writes it: a race in which an update may \
         be lost.",
            OWNERS,
        ),
        &Steal { exchanges: false },
    ),
    flawed(
        "published/f20-racing-minimum",
        "published F20",
        (
            "Two consumers compute the minimum at once, each with an old position of the other; the \
         older result is stored last, and the producer sees a full ring for ever.",
            STUCK,
        ),
        &Minimum,
    ),
    flawed(
        "published/f22-joins-too-early",
        "published F22",
        (
            "A joiner takes its place before it says where it reads: the producer goes by the position \
         that the predecessor left there, and writes over what the joiner reads meanwhile: a race in which it may \
         be given half of one payload and half of another.",
            RACES,
        ),
        &Join,
    ),
    flawed(
        "published/f27-count-reset",
        "published F27",
        (
            "Recovery sets the count to zero without knowing who is counted: a living reader then \
         counts itself out below zero, and the writer waits for ever for readers that are not there.",
            BELOW_ZERO,
        ),
        &Published { recovery: Recovery::Resets, ..ONE_SLOT },
    ),
    Entry {
        kind: ModelKind::Protocol,
        memory: "published, cured",
        question: "Does the published slot hold when it closes first, fences and labels?",
        expect: Expect::Holds,
        ..flawed("dekker/one-slot", "published, cured", ("", &[]), &ONE_SLOT)
    },
    Entry {
        kind: ModelKind::Protocol,
        memory: "published, cured",
        question: "Is a dead reader taken out when each has a bit of its own instead of a count?",
        expect: Expect::Holds,
        ..flawed(
            "dekker/dead-reader",
            "published, cured",
            ("", &[]),
            &Published { recovery: Recovery::ByName, named: true, ..ONE_SLOT },
        )
    },
    Entry {
        kind: ModelKind::Protocol,
        memory: "published, cured",
        question: "Does the cured published slot hold when its reader is lapped?",
        expect: Expect::Holds,
        size: Size::Large,
        ..flawed("dekker/lapped", "published, cured", ("", &[]), &LAPPED)
    },
    Entry {
        kind: ModelKind::Protocol,
        memory: "published, cured",
        question: "Is a copy between two equal even generations ever torn?",
        expect: Expect::Holds,
        ..flawed(
            "seqlock/copy",
            "published, cured",
            ("", &[]),
            &Generation { odd_even: true, commits: 2 },
        )
    },
    Entry {
        kind: ModelKind::Protocol,
        memory: "published, cured",
        question: "Is every number that counts as committed there, when numbers come at the commit?",
        expect: Expect::Holds,
        ..flawed("claims/at-commit", "published, cured", ("", &[]), &Claims::AtCommit)
    },
    Entry {
        kind: ModelKind::Protocol,
        memory: "published, cured",
        question: "Has a dead holder's lock one owner, when it is taken by an exchange?",
        expect: Expect::Holds,
        ..flawed("lock/exchanged", "published, cured", ("", &[]), &Steal { exchanges: true })
    },
];

const fn flawed(
    name: &'static str,
    memory: &'static str,
    (english, breaks): (&'static str, Breaks),
    model: &'static dyn Runnable,
) -> Entry {
    let (kind, expect) = (ModelKind::PublishedFlaw, Expect::Fails { english, breaks });
    let question = "Does the engine see what is wrong with the published protocol?";
    Entry {
        name,
        question,
        kind,
        memory,
        expect,
        size: Size::Small,
        overrides: &[],
        crash: None,
        model,
    }
}
