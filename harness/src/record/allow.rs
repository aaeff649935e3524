//! What the scenario's faults make legitimate, decided here and nowhere else. Everything else stays
//! what it is without faults: an error.
//!
//! - A role that a fault killed may end by that signal and without a report. What it had counted is
//!   kept; what it had read or written since nobody can know, so the block's metrics may say more
//!   than its users counted, never less.
//! - A payload that was spoilt on purpose fails its checksum, once for each consumer that reads it.
//! - Random bytes over the states of slots may spoil labels, order and contents, and users may give
//!   up with an error. They may not crash, hang, or be killed.
//! - Whatever stands still, is slow, or finds memory full, excuses nothing.

use report_schema::Counts;

use crate::run::{RawRole, RawTrial};
use crate::scenario::model::fault::Action;

/// What the faults that came excuse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    raw: &'a RawTrial,
    /// The states of slots were scribbled over.
    scribbled: bool,
}

impl<'a> Allowed<'a> {
    pub(super) fn of(raw: &'a RawTrial) -> Self {
        let came = raw.aftermath.struck.iter().filter(|struck| struck.missed.is_none());
        let scribbled = came.clone().any(|struck| struck.fault.action == Action::ScribbleSlots);
        Self { raw, scribbled }
    }

    /// Whether this role may have no report: a fault killed it, and nobody took its place.
    pub(super) fn may_be_silent(self, role: &RawRole) -> bool {
        role.fallen || self.scribbled
    }

    /// Whether a role may end like this.
    pub(super) fn may_end(self, role: &RawRole) -> bool {
        role.fallen && role.exit == "signal 9" || self.scribbled && role.exit == "exit 6"
    }

    /// Whether a role may give up with an error.
    pub(super) fn may_give_up(self) -> bool {
        self.scribbled
    }

    /// Whether the block's metrics may say more than its users counted.
    pub(super) fn may_say_more(self) -> bool {
        self.raw.roles.iter().any(|role| role.falls > 0)
    }

    /// How often the producer may have died between a commit and its count.
    pub(super) fn uncounted_commits(self) -> u64 {
        self.raw.roles.first().map_or(0, |producer| producer.falls.into())
    }

    /// Whether nothing that the block says of itself can be believed.
    pub(super) fn disbelieves(self) -> bool {
        self.scribbled
    }

    /// Takes out of the counts what the faults explain; says what they do not.
    pub(super) fn excuse(self, lossless: bool, counts: &mut Counts) -> Vec<String> {
        if self.scribbled {
            let Counts { committed, delivered, lapped, timeouts, .. } = *counts;
            *counts = Counts { committed, delivered, lapped, timeouts, ..Counts::default() };
            return vec![];
        }
        let spoilt = self.raw.aftermath.spoilt;
        if spoilt == 0 {
            return vec![];
        }
        let consumers = self.raw.roles.len().saturating_sub(1) as u64;
        let (due, found) = (spoilt.saturating_mul(consumers), counts.checksum_failures);
        counts.checksum_failures = found.saturating_sub(due);
        let all_read = lossless && !self.may_say_more();
        if all_read && found < due {
            return vec![format!(
                "{spoilt} payloads were spoilt for {consumers} consumers, who noticed {found}"
            )];
        }
        vec![]
    }
}
