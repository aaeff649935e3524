//! The litmus tests themselves.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::program::Program;
use super::program::Step::{Add, Exchange, Fence, Get, If, Load, Put, Store};
use super::{Allowed, Litmus, Loom};

const X: usize = 0;
const Y: usize = 1;
const Z: usize = 2;

macro_rules! litmus {
    ($( $name:literal $question:literal $threads:expr, $allowed:expr, $loom:expr $(, $refused:ident)? ; )*) => {
        /// Every litmus test.
        pub static ALL: &[Litmus] = &[$( Litmus {
            name: concat!("litmus/", $name),
            question: $question,
            program: Program { threads: $threads },
            allowed: $allowed,
            loom: $loom,
            refused: litmus!(@refused $($refused)?),
        } ),*];
    };
    (@refused) => { false };
    (@refused refused) => { true };
}

const fn only(outcomes: &'static [&'static str]) -> Allowed {
    Allowed::Outcomes(outcomes)
}

litmus! {
    "store-buffering/relaxed" "May both threads miss the other's store?"
        &[&[Store(X, 1, Relaxed), Load(Y, Relaxed)], &[Store(Y, 1, Relaxed), Load(X, Relaxed)]],
        only(&["0 | 0", "0 | 1", "1 | 0", "1 | 1"]), Loom::Agrees;
    "store-buffering/acquire-release" "Do release and acquire forbid store buffering?"
        &[&[Store(X, 1, Release), Load(Y, Acquire)], &[Store(Y, 1, Release), Load(X, Acquire)]],
        only(&["0 | 0", "0 | 1", "1 | 0", "1 | 1"]), Loom::Agrees;
    "store-buffering/fences" "Do two fences forbid store buffering?"
        &[&[Store(X, 1, Relaxed), Fence(SeqCst), Load(Y, Relaxed)],
          &[Store(Y, 1, Relaxed), Fence(SeqCst), Load(X, Relaxed)]],
        only(&["0 | 1", "1 | 0", "1 | 1"]), Loom::Agrees;
    "store-buffering/one-fence" "Is one fence enough?"
        &[&[Store(X, 1, Relaxed), Fence(SeqCst), Load(Y, Relaxed)],
          &[Store(Y, 1, Relaxed), Load(X, Relaxed)]],
        only(&["0 | 0", "0 | 1", "1 | 0", "1 | 1"]), Loom::Agrees;
    "store-buffering/weak-fences" "Are acquire-release fences enough?"
        &[&[Store(X, 1, Relaxed), Fence(AcqRel), Load(Y, Relaxed)],
          &[Store(Y, 1, Relaxed), Fence(AcqRel), Load(X, Relaxed)]],
        only(&["0 | 0", "0 | 1", "1 | 0", "1 | 1"]), Loom::Agrees;
    "store-buffering/accesses" "Do sequentially consistent accesses forbid store buffering?"
        &[&[Store(X, 1, SeqCst), Load(Y, SeqCst)], &[Store(Y, 1, SeqCst), Load(X, SeqCst)]],
        only(&["0 | 1", "1 | 0", "1 | 1"]),
        Loom::Invents(&["0 | 0"], "takes sequentially consistent accesses as acquire-release"), refused;
    "store-buffering/exchanges" "Do acquire-release read-modify-writes forbid store buffering?"
        &[&[Add(X, 1, AcqRel), Load(Y, Acquire)], &[Add(Y, 1, AcqRel), Load(X, Acquire)]],
        only(&["0 0 | 0 0", "0 0 | 0 1", "0 1 | 0 0", "0 1 | 0 1"]), Loom::Agrees;
    "message-passing/relaxed" "May the flag come before the message?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Relaxed)], &[Load(Y, Relaxed), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]), Loom::Agrees;
    "message-passing/release-acquire" "Does the flag bring the message?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Release)], &[Load(Y, Acquire), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 1"]), Loom::Agrees;
    "message-passing/no-acquire" "Is a release enough?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Release)], &[Load(Y, Relaxed), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]), Loom::Agrees;
    "message-passing/no-release" "Is an acquire enough?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Relaxed)], &[Load(Y, Acquire), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]), Loom::Agrees;
    "message-passing/fences" "Do a release and an acquire fence do the same?"
        &[&[Store(X, 1, Relaxed), Fence(Release), Store(Y, 1, Relaxed)],
          &[Load(Y, Relaxed), Fence(Acquire), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 1"]), Loom::Agrees;
    "message-passing/late-fence" "Does a release fence cover a store before it?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Relaxed), Fence(Release)],
          &[Load(Y, Relaxed), Fence(Acquire), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]), Loom::Agrees;
    "message-passing/cell" "Is a payload handed over without a race?"
        &[&[Put(7), Store(Y, 1, Release)], &[Load(Y, Acquire), If(1), Get]],
        only(&[" | 0", " | 1 7"]), Loom::Agrees;
    "message-passing/cell-race" "Is a payload handed over by a relaxed store a race?"
        &[&[Put(7), Store(Y, 1, Relaxed)], &[Load(Y, Acquire), If(1), Get]],
        Allowed::Race, Loom::Agrees;
    "message-passing/cell-race-after-read" "Is a payload overwritten after a relaxed farewell a race?"
        &[&[Get, Store(Y, 1, Relaxed)], &[Load(Y, Acquire), If(1), Put(7)]],
        Allowed::Race, Loom::Agrees;
    "message-passing/cell-race-through-fences" "Do two strongest fences alone order payload accesses?"
        &[&[Put(7), Fence(SeqCst)], &[Fence(SeqCst), Load(Y, Relaxed), If(0), Get]],
        Allowed::Race, Loom::MissesRace(&[" | 0 7"], "sequentially consistent fences synchronise");
    "message-passing/cell-race-in-fence-order" "Is a payload ordered when only the order of two fences speaks for it?"
        &[&[Put(7), Fence(SeqCst), Load(Y, Relaxed), If(0), Store(X, 1, Relaxed)],
          &[Store(Y, 1, Relaxed), Fence(SeqCst), Load(X, Relaxed), If(1), Get]],
        Allowed::Race,
        Loom::MissesRace(&["0 | 0", "0 | 1 7", "1 | 0"], "sequentially consistent fences synchronise");
    "load-buffering/relaxed" "May values come from the future? (The compiler and ARM may; models here do not.)"
        &[&[Load(X, Relaxed), Store(Y, 1, Relaxed)], &[Load(Y, Relaxed), Store(X, 1, Relaxed)]],
        only(&["0 | 0", "0 | 1", "1 | 0"]), Loom::Agrees;
    "coherence/read-read" "May a thread see one word go back?"
        &[&[Store(X, 1, Relaxed), Store(X, 2, Relaxed)], &[Load(X, Relaxed), Load(X, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 0 2", " | 1 1", " | 1 2", " | 2 2"]), Loom::Agrees;
    "coherence/write-order" "Do two readers agree on the order of two stores?"
        &[&[Store(X, 1, Relaxed)], &[Store(X, 2, Relaxed)],
          &[Load(X, Relaxed), Load(X, Relaxed)], &[Load(X, Acquire), Load(X, Acquire)]],
        only(&[" |  | 0 0 | 0 0", " |  | 0 0 | 0 1", " |  | 0 0 | 0 2", " |  | 0 0 | 1 1",
            " |  | 0 0 | 1 2", " |  | 0 0 | 2 1", " |  | 0 0 | 2 2", " |  | 0 1 | 0 0",
            " |  | 0 1 | 0 1", " |  | 0 1 | 0 2", " |  | 0 1 | 1 1", " |  | 0 1 | 1 2",
            " |  | 0 1 | 2 1", " |  | 0 1 | 2 2", " |  | 0 2 | 0 0", " |  | 0 2 | 0 1",
            " |  | 0 2 | 0 2", " |  | 0 2 | 1 1", " |  | 0 2 | 1 2", " |  | 0 2 | 2 1",
            " |  | 0 2 | 2 2", " |  | 1 1 | 0 0", " |  | 1 1 | 0 1", " |  | 1 1 | 0 2",
            " |  | 1 1 | 1 1", " |  | 1 1 | 1 2", " |  | 1 1 | 2 1", " |  | 1 1 | 2 2",
            " |  | 1 2 | 0 0", " |  | 1 2 | 0 1", " |  | 1 2 | 0 2", " |  | 1 2 | 1 1",
            " |  | 1 2 | 1 2", " |  | 1 2 | 2 2", " |  | 2 1 | 0 0", " |  | 2 1 | 0 1",
            " |  | 2 1 | 0 2", " |  | 2 1 | 1 1", " |  | 2 1 | 2 1", " |  | 2 1 | 2 2",
            " |  | 2 2 | 0 0", " |  | 2 2 | 0 1", " |  | 2 2 | 0 2", " |  | 2 2 | 1 1",
            " |  | 2 2 | 1 2", " |  | 2 2 | 2 1", " |  | 2 2 | 2 2"]), Loom::Agrees;
    "coherence/stores-out-of-order" "May the store that ran last be the one that is overwritten? (2+2W)"
        &[&[Store(X, 1, Relaxed), Store(Y, 2, Relaxed), Load(Y, Relaxed)],
          &[Store(Y, 1, Relaxed), Store(X, 2, Relaxed), Load(X, Relaxed)]],
        only(&["1 | 1", "1 | 2", "2 | 1", "2 | 2"]), Loom::Agrees;
    "independent-reads/acquire" "Do two readers agree on the order of independent stores?"
        &[&[Store(X, 1, Release)], &[Store(Y, 1, Release)],
          &[Load(X, Acquire), Load(Y, Acquire)], &[Load(Y, Acquire), Load(X, Acquire)]],
        only(&[" |  | 0 0 | 0 0", " |  | 0 0 | 0 1", " |  | 0 0 | 1 0", " |  | 0 0 | 1 1",
            " |  | 0 1 | 0 0", " |  | 0 1 | 0 1", " |  | 0 1 | 1 0", " |  | 0 1 | 1 1",
            " |  | 1 0 | 0 0", " |  | 1 0 | 0 1", " |  | 1 0 | 1 0", " |  | 1 0 | 1 1",
            " |  | 1 1 | 0 0", " |  | 1 1 | 0 1", " |  | 1 1 | 1 0", " |  | 1 1 | 1 1"]),
        Loom::Agrees;
    "independent-reads/fences" "Do fences between the loads make the readers agree?"
        &[&[Store(X, 1, Relaxed)], &[Store(Y, 1, Relaxed)],
          &[Load(X, Relaxed), Fence(SeqCst), Load(Y, Relaxed)],
          &[Load(Y, Relaxed), Fence(SeqCst), Load(X, Relaxed)]],
        only(&[" |  | 0 0 | 0 0", " |  | 0 0 | 0 1", " |  | 0 0 | 1 0", " |  | 0 0 | 1 1",
            " |  | 0 1 | 0 0", " |  | 0 1 | 0 1", " |  | 0 1 | 1 0", " |  | 0 1 | 1 1",
            " |  | 1 0 | 0 0", " |  | 1 0 | 0 1", " |  | 1 0 | 1 1",
            " |  | 1 1 | 0 0", " |  | 1 1 | 0 1", " |  | 1 1 | 1 0", " |  | 1 1 | 1 1"]),
        Loom::Agrees;
    "release-sequence/exchange" "Does a release go on through another thread's relaxed exchange?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Release)], &[Exchange(Y, 1, 2, Relaxed)],
          &[Load(Y, Acquire), If(2), Load(X, Relaxed)]],
        only(&[" | 0 | 0", " | 0 | 1", " | 1 | 0", " | 1 | 1", " | 1 | 2 1"]), Loom::Agrees;
    "release-sequence/store" "Does a release end at the next relaxed store of the same thread? (C++20)"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Release), Store(Y, 2, Relaxed)],
          &[Load(Y, Acquire), If(2), Load(X, Relaxed)]],
        only(&[" | 0", " | 1", " | 2 0", " | 2 1"]), Loom::Agrees;
    "fence/others-loads" "Does an acquire fence work on loads of other threads?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Release)],
          &[Load(Y, Relaxed), If(1), Store(Z, 1, Release)],
          &[Load(Z, Acquire), If(1), Fence(Acquire), Load(X, Relaxed)]],
        only(&[" | 0 | 0", " | 1 | 0", " | 1 | 1 0", " | 1 | 1 1"]),
        Loom::Misses(&[" | 1 | 1 0"], "acquire fences synchronise too much");
    "fence/order-through-reads" "Does the order of two fences follow relaxed reads from one to the other?"
        &[&[Load(Z, Relaxed), Fence(SeqCst), Load(X, Relaxed)],
          &[Store(X, 1, Relaxed), Fence(SeqCst), Store(Y, 1, Relaxed)],
          &[Load(Y, Relaxed), Store(Z, 1, Relaxed)]],
        only(&["0 0 |  | 0", "0 0 |  | 1", "0 1 |  | 0", "0 1 |  | 1",
            "1 0 |  | 0", "1 0 |  | 1", "1 1 |  | 0", "1 1 |  | 1"]),
        Loom::Misses(&["1 0 |  | 1"], "orders fences as they ran, which is also along relaxed reads");
    "exchange/atomic" "May two read-modify-writes read the same value?"
        &[&[Add(X, 1, Relaxed)], &[Add(X, 1, Relaxed)]],
        only(&["0 | 1", "1 | 0"]), Loom::Agrees;
    "exchange/store-between" "May a store stand between what a read-modify-write read and what it wrote?"
        &[&[Store(X, 2, Relaxed), Add(X, 1, Relaxed)], &[Add(X, 1, Relaxed)]],
        only(&["2 | 0", "2 | 3", "3 | 2"]),
        Loom::Invents(&["1 | 0"], "a store may stand between the halves of a read-modify-write");
    "exchange/stale-refusal" "May an exchange fail because of an old value?"
        &[&[Store(X, 1, Relaxed), Store(Y, 1, Relaxed)],
          &[Load(Y, Relaxed), Exchange(X, 7, 8, Relaxed)]],
        only(&[" | 0 0", " | 0 1", " | 1 0", " | 1 1"]),
        Loom::Misses(&[" | 1 0"], "a failing exchange reads the newest value only");
    "history/nine-stores" "Can the first of ten values still be read?"
        &[&[Store(X, 1, Relaxed), Store(X, 2, Relaxed), Store(X, 3, Relaxed), Store(X, 4, Relaxed),
            Store(X, 5, Relaxed), Store(X, 6, Relaxed), Store(X, 7, Relaxed), Store(X, 8, Relaxed),
            Store(X, 9, Relaxed), Store(Y, 1, Relaxed)],
          &[Load(Y, Relaxed), If(1), Load(X, Relaxed)]],
        only(&[" | 0", " | 1 0", " | 1 1", " | 1 2", " | 1 3", " | 1 4", " | 1 5", " | 1 6",
            " | 1 7", " | 1 8", " | 1 9"]),
        Loom::Misses(&[" | 1 0", " | 1 1", " | 1 2"], "remembers seven stores to a word");
    "search/load-then-store" "Is a store seen whose thread began with a load of the same word?"
        &[&[Load(X, Relaxed)], &[Load(X, Relaxed), Store(X, 1, Relaxed)]],
        only(&["0 | 0", "1 | 0"]), Loom::Agrees;
    "search/no-load" "What comes of four stores and two loads?"
        &[&[Load(Y, Acquire), Load(X, Acquire)],
          &[Store(X, 1, Release), Store(Y, 1, Release), Store(Y, 0, Release), Store(X, 0, Release)]],
        only(&["0 0 | ", "0 1 | ", "1 0 | ", "1 1 | "]), Loom::Agrees;
    "search/redundant-load" "Does a load that nobody needs hide an outcome?"
        &[&[Load(Y, Acquire), Load(X, Acquire)],
          &[Store(X, 1, Release), Store(Y, 1, Release), Store(Y, 0, Release), Load(X, Acquire),
            Store(X, 0, Release)]],
        only(&["0 0 | 1", "0 1 | 1", "1 0 | 1", "1 1 | 1"]), Loom::Agrees;
}
