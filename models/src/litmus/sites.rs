//! The sites of litmus programs: one for every kind of operation with every ordering.

use core::sync::atomic::Ordering;

use datahub::sites::{Kind, Site};

use crate::sites::{LITMUS, private_sites};

private_sites! { LITMUS TABLE {
    /// A relaxed load.
    LOAD_RELAXED: "load.Relaxed" Load = Relaxed;
    /// An acquire load.
    LOAD_ACQUIRE: "load.Acquire" Load = Acquire;
    /// A sequentially consistent load.
    LOAD_SEQCST: "load.SeqCst" Load = SeqCst;
    /// A relaxed store.
    STORE_RELAXED: "store.Relaxed" Store = Relaxed;
    /// A release store.
    STORE_RELEASE: "store.Release" Store = Release;
    /// A sequentially consistent store.
    STORE_SEQCST: "store.SeqCst" Store = SeqCst;
    /// A relaxed read-modify-write.
    RMW_RELAXED: "rmw.Relaxed" Rmw = Relaxed;
    /// An acquire read-modify-write.
    RMW_ACQUIRE: "rmw.Acquire" Rmw = Acquire;
    /// A release read-modify-write.
    RMW_RELEASE: "rmw.Release" Rmw = Release;
    /// A read-modify-write of both.
    RMW_ACQREL: "rmw.AcqRel" Rmw = AcqRel;
    /// An acquire fence.
    FENCE_ACQUIRE: "fence.Acquire" Fence = Acquire;
    /// A release fence.
    FENCE_RELEASE: "fence.Release" Fence = Release;
    /// A fence of both.
    FENCE_ACQREL: "fence.AcqRel" Fence = AcqRel;
    /// A sequentially consistent fence.
    FENCE_SEQCST: "fence.SeqCst" Fence = SeqCst;
}}
