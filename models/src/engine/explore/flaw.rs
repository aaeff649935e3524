//! Defects of this engine, one at a time, for the tests that must notice them. Outside of tests
//! there is none, and the questions cost nothing.

/// What is wrong with the engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing.
    #[default]
    None,
    /// A load reads the newest message only.
    NoStaleReads,
    /// A load may read what is older than what the role has seen.
    ForgetCoherence,
    /// Relaxed loads acquire.
    EveryLoadAcquires,
    /// A release sequence ends at a read-modify-write.
    ForgetReleaseSequences,
    /// Two read-modify-writes may read one message.
    SplitExchanges,
    /// A store stands behind all others.
    StoresGoLast,
    /// Fences order nothing.
    IgnoreFences,
    /// Strongest fences order payload accesses.
    FencesSynchronise,
    /// A payload that is read may be overwritten.
    ForgetReads,
    /// A sleeping role does not wake for new messages.
    DropMessageWake,
    /// Strongest fences are ordered as they ran.
    FencesInStepOrder,
    /// What is read after a strongest fence does not say which others come after it.
    ForgetFenceOrder,
}

impl Flaw {
    /// Whether it is this one.
    #[inline]
    pub(super) const fn is(self, other: Self) -> bool {
        cfg!(test) && self as u8 == other as u8
    }
}
