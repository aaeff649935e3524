//! The operations of the published protocol, with the orderings it prints.

use core::sync::atomic::Ordering;

use datahub::sites::{Kind, Site};

use crate::sites::{PUBLISHED, private_sites};

private_sites! { PUBLISHED TABLE {
    /// One writer wins.
    W_LOCK: "W_LOCK" Rmw = Acquire;
    /// Whether there is something to drain.
    W_STATE: "W_STATE" Load = Acquire;
    /// Closes the slot to new readers.
    W_DRAINING: "W_DRAINING" Store = Release;
    /// The intent before the look at the readers.
    W_FENCE: "W_FENCE" Fence = SeqCst;
    /// Who is inside.
    W_COUNT: "W_COUNT" Load = Acquire;
    /// The writer gave up.
    W_RESTORE: "W_RESTORE" Store = Release;
    /// The writer says that it writes.
    W_WRITING: "W_WRITING" Store = Release;
    /// After it said so.
    W_WRITING_FENCE: "W_WRITING_FENCE" Fence = SeqCst;
    /// One more commit of this slot.
    W_GENERATION: "W_GENERATION" Rmw = Release;
    /// Which commit it is: not in the published protocol.
    W_LABEL: "W_LABEL" Store = Relaxed;
    /// Publishes the payload.
    W_COMMITTED: "W_COMMITTED" Store = Release;
    /// Publishes the number of the newest.
    W_COMMIT_INDEX: "W_COMMIT_INDEX" Store = Release;
    /// The next writer may come.
    W_UNLOCK: "W_UNLOCK" Store = Release;
    /// The newest.
    R_COMMIT_INDEX: "R_COMMIT_INDEX" Load = Acquire;
    /// First look at the state.
    R_STATE: "R_STATE" Load = Acquire;
    /// The reader says that it is inside.
    R_COUNT: "R_COUNT" Rmw = AcqRel;
    /// The count before the second look.
    R_FENCE: "R_FENCE" Fence = SeqCst;
    /// Second look at the state.
    R_RECHECK: "R_RECHECK" Load = Acquire;
    /// The reader takes its count back.
    R_BACK_OFF: "R_BACK_OFF" Rmw = Release;
    /// The generation before the payload.
    R_GENERATION: "R_GENERATION" Load = Acquire;
    /// Which commit it is: not in the published protocol.
    R_LABEL: "R_LABEL" Load = Relaxed;
    /// The generation after the payload.
    R_VALIDATE: "R_VALIDATE" Load = Acquire;
    /// The reader is outside.
    R_LEAVE: "R_LEAVE" Rmw = Release;

    // Recovery (§7): one of its three plain stores.
    /// Nobody is inside, says whoever recovers.
    X_COUNT: "X_COUNT" Store = Release;

    // Reading by generation alone.
    /// A write is in progress: not in the published protocol.
    G_OPEN: "G_OPEN" Store = Relaxed;
    /// After it said so: not in the published protocol.
    G_FILL_FENCE: "G_FILL_FENCE" Fence = Release;
    /// A payload word.
    G_FILL: "G_FILL" Store = Relaxed;
    /// The write is done.
    G_DONE: "G_DONE" Store = Release;
    /// First look.
    G_BEFORE: "G_BEFORE" Load = Acquire;
    /// A payload word.
    G_COPY: "G_COPY" Load = Relaxed;
    /// The copy before the second look: not in the published protocol.
    G_COPY_FENCE: "G_COPY_FENCE" Fence = Acquire;
    /// Second look.
    G_AFTER: "G_AFTER" Load = Acquire;

    // The minimum of the readers' positions.
    /// The own position.
    M_OWN: "M_OWN" Store = Release;
    /// The others' positions.
    M_OTHER: "M_OTHER" Load = Acquire;
    /// What this consumer found.
    M_MINIMUM: "M_MINIMUM" Store = Release;
    /// Whether there is a consumer at all.
    M_JOINED: "M_JOINED" Load = Acquire;

    // Joining: the place first, the position afterwards.
    /// The place is taken.
    J_REGISTER: "J_REGISTER" Rmw = AcqRel;
    /// Where the joiner begins.
    J_COMMIT_INDEX: "J_COMMIT_INDEX" Load = Acquire;
    /// The position, too late.
    J_POSITION: "J_POSITION" Store = Release;

    // Numbers that are given out too early.
    /// The next number.
    W_CLAIM: "W_CLAIM" Rmw = AcqRel;
    /// The next number, looked at only: not in the published protocol.
    W_NEXT: "W_NEXT" Load = Relaxed;
    /// A number taken back, whichever it was.
    W_UNCLAIM: "W_UNCLAIM" Rmw = AcqRel;
    /// One more commit, whichever it is.
    W_COMMIT_ADD: "W_COMMIT_ADD" Rmw = Release;
    /// The payload.
    W_VALUE: "W_VALUE" Store = Relaxed;
    /// Which commit it is, and that it is complete.
    W_LABEL_RELEASE: "W_LABEL_RELEASE" Store = Release;
    /// Which commit it is.
    R_LABEL_ACQUIRE: "R_LABEL_ACQUIRE" Load = Acquire;
    /// The payload.
    R_VALUE: "R_VALUE" Load = Relaxed;

    // A lock whose holder is dead.
    /// Who holds it.
    L_LOOK: "L_LOOK" Load = Acquire;
    /// Taken by a plain store.
    L_STEAL: "L_STEAL" Store = Release;
    /// Taken by an exchange: not in the published protocol.
    L_TAKE: "L_TAKE" Rmw = AcqRel;
    /// Free again.
    L_UNLOCK: "L_UNLOCK" Store = Release;
}}
