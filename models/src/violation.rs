//! How a model says that a promise was broken: one payload, unwound past the protocol.

use std::panic::resume_unwind;

/// What the protocol promises, and what a model can refute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// G1: no read delivered as valid is ever torn.
    Whole,
    /// G2: a read labelled *s* holds payload *s*.
    Labelled,
    /// G3: per consumer, sequences never go back.
    Forward,
    /// G4: lossless policies lose nothing that was committed.
    Lossless,
    /// G5: nobody waits beyond its bound.
    Progress,
    /// G6: an aborted write leaves the payload readable and burns no sequence.
    Abort,
    /// Payload accesses are ordered: no two of them race.
    Race,
    /// Whoever entered has left when all is quiet.
    Quiet,
    /// The model itself is wrong, or its engine cannot judge it.
    Model,
}

impl Promise {
    /// The broken promise in plain words.
    #[must_use]
    pub const fn broken(self) -> &'static str {
        match self {
            Self::Whole => {
                "A reader was given a payload that is half one message and half another."
            }
            Self::Labelled => "A reader was given one message under the number of another.",
            Self::Forward => "A reader was given an older message after a newer one.",
            Self::Lossless => {
                "A message that was committed never reached a consumer that must see all."
            }
            Self::Progress => "A role cannot go on within its bound.",
            Self::Abort => "A write that was given up took a payload or a number with it.",
            Self::Race => {
                "The writer overwrites a payload while a reader is allowed to look at it."
            }
            Self::Quiet => "Everybody has left, yet the block still counts somebody inside.",
            Self::Model => "The model or its engine is wrong, not the protocol.",
        }
    }
}

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which one.
    pub promise: Promise,
    /// The figures.
    pub message: String,
}

/// Ends the execution: `promise` does not hold.
///
/// Unwinds without the panic hook, so that a run that looks for failures stays silent.
pub fn fail(promise: Promise, message: String) -> ! {
    resume_unwind(Box::new(Violation { promise, message }))
}

/// Ends the execution unless `holds`; `message` gives the figures.
pub fn check(holds: bool, promise: Promise, message: impl FnOnce() -> String) {
    if !holds {
        fail(promise, message());
    }
}

/// What an execution unwound with, as a violation.
pub(crate) fn from_payload(payload: &(dyn core::any::Any + Send)) -> Violation {
    if let Some(violation) = payload.downcast_ref::<Violation>() {
        return violation.clone();
    }
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    let race = text.contains("ausality violation") || text.contains("oncurrent");
    let promise = if race { Promise::Race } else { Promise::Model };
    Violation { promise, message: text.lines().next().unwrap_or(text).trim().to_owned() }
}
