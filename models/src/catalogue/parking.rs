//! Models of parking: whoever waits sleeps, and nobody who ends the wait leaves it asleep.

use datahub::config::ConsumerSync;

use super::shipped::shipped;
use super::{Entry, Size};
use crate::scenario::park::{Park, Wakes};
use crate::scenario::space::Space;

/// Every model of parking.
pub(super) static ALL: &[Entry] = &[
    shipped(
        "park/one-sleeper",
        "Is a wake-up by a commit ever lost?",
        Size::Small,
        &Park { sleepers: 1, sync: ConsumerSync::SequentialSync, wakes: Wakes::Commit },
    ),
    shipped(
        "park/end",
        "Is a wake-up by the end of the stream ever lost?",
        Size::Small,
        &Park { sleepers: 1, sync: ConsumerSync::LatestOnly, wakes: Wakes::End },
    ),
    shipped(
        "park/moved",
        "Is a wake-up by a hand-over ever lost?",
        Size::Small,
        &Park { sleepers: 1, sync: ConsumerSync::SequentialSync, wakes: Wakes::Move },
    ),
    shipped(
        "park/producer",
        "Is a producer without room ever left asleep when a cursor moves?",
        Size::Small,
        &Space { pinned: false, leaves: false },
    ),
    shipped(
        "park/producer-pinned",
        "The same when a pin is taken back.",
        Size::Small,
        &Space { pinned: true, leaves: false },
    ),
    shipped(
        "park/producer-left",
        "The same when the consumer leaves.",
        Size::Small,
        &Space { pinned: false, leaves: true },
    ),
    shipped(
        "park/two-sleepers",
        "Is a wake-up ever lost by one of two?",
        Size::Large,
        &Park { sleepers: 2, sync: ConsumerSync::LatestOnly, wakes: Wakes::Commit },
    ),
];
