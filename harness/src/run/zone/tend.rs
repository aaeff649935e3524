//! What a role does about the block's zones while messages flow, and what it found.
//!
//! Zones are written and looked into beside messages, once in so many. The version of a write is
//! counted from the message beside which it is made; so who was given message `s` must find what was
//! written before it, or something newer: a zone that lags behind is as wrong as a torn one.

use datahub::wait::monotonic_ns;
use report_schema::ZoneAccount;

use super::{By, Look, TroubledZone, ZoneTask, Zoned};
use crate::run::plant::Plant;
use crate::run::wire::Task;

/// How long a value may stay half-written when its writer has ended.
const REST_NS: u64 = 50_000_000;

/// The zones of one role.
#[derive(Debug)]
pub(in crate::run) struct Zones {
    all: Vec<Tended>,
    plant: Option<Plant>,
    trouble: Option<TroubledZone>,
}

#[derive(Debug)]
struct Tended {
    zone: ZoneTask,
    /// The last round for which it was written or looked into, from 1.
    round: u64,
    /// The newest version that was seen.
    newest: u64,
    account: ZoneAccount,
}

impl Zones {
    /// The zones that this worker knows; `None`: there are none.
    pub(in crate::run) fn of(task: &Task) -> Option<Box<Self>> {
        let all: Vec<Tended> = task.zones.iter().map(Tended::new).collect();
        (!all.is_empty()).then(|| Box::new(Self { all, plant: task.plant, trouble: None }))
    }

    /// Before message `sequence` is committed, or after it was taken.
    pub(in crate::run) fn beside<Z: Zoned>(&mut self, end: &Z, sequence: u64) {
        for tended in &mut self.all {
            let round = sequence / tended.zone.every + 1;
            if round == tended.round {
                continue;
            }
            tended.round = round;
            let done = match tended.zone.by {
                By::Me => tended.write(end, self.plant),
                By::Producer | By::Consumer => tended.look(end).map(drop),
            };
            if let Err(trouble) = done {
                self.trouble.get_or_insert(trouble);
            }
        }
    }

    /// When no more is written by this role.
    pub(in crate::run) fn end<Z: Zoned>(&mut self, end: &Z) {
        let own = |tended: &&Tended| tended.zone.stamped && tended.zone.by == By::Me;
        for tended in self.all.iter().filter(own) {
            if let Err(trouble) = end.checksum_zone(&tended.zone, true) {
                self.trouble.get_or_insert(trouble);
            }
        }
    }

    /// When the producer has ended: its zones rest.
    pub(in crate::run) fn at_rest<Z: Zoned>(&mut self, end: &Z) {
        for tended in self.all.iter_mut().filter(|tended| tended.zone.by == By::Producer) {
            if let Err(trouble) = tended.rest(end) {
                self.trouble.get_or_insert(trouble);
            }
        }
    }

    /// What was done and found.
    pub(in crate::run) fn accounts(&self) -> Vec<ZoneAccount> {
        self.all.iter().map(|tended| tended.account.clone()).collect()
    }

    /// What must not be, one sentence each.
    pub(in crate::run) fn disputes(&self) -> Vec<String> {
        let mut all: Vec<String> = self.all.iter().flat_map(Tended::disputes).collect();
        let trouble = self.trouble.as_ref();
        all.extend(trouble.map(|trouble| format!("a zone cannot be used: {trouble}")));
        all
    }
}

impl Tended {
    fn new(zone: &ZoneTask) -> Self {
        let account = ZoneAccount { zone: zone.name.clone(), ..ZoneAccount::default() };
        Self { zone: zone.clone(), round: 0, newest: 0, account }
    }

    fn write<Z: Zoned>(&mut self, end: &Z, plant: Option<Plant>) -> Result<(), TroubledZone> {
        if plant == Some(Plant::ZoneStale) && self.round.is_multiple_of(2) {
            return Ok(());
        }
        let second = self.round - u64::from(plant == Some(Plant::ZoneTorn));
        self.account.writes += 1;
        end.write_zone(&self.zone, [self.round, second])
    }

    fn look<Z: Zoned>(&mut self, end: &Z) -> Result<Look, TroubledZone> {
        let look = end.look_into_zone(&self.zone)?;
        self.account.looks += 1;
        match look {
            Look::Busy => self.account.busy += 1,
            Look::Torn => self.account.torn += 1,
            Look::Version(version) => {
                self.account.backward += u64::from(version < self.newest);
                let promised = if self.zone.by == By::Producer { self.round } else { 0 };
                self.account.stale += u64::from(version < promised);
                self.newest = self.newest.max(version);
            }
        }
        Ok(look)
    }

    fn rest<Z: Zoned>(&mut self, end: &Z) -> Result<(), TroubledZone> {
        let until_ns = monotonic_ns().saturating_add(REST_NS);
        while self.look(end)? == Look::Busy {
            if monotonic_ns() >= until_ns {
                self.account.unfinished += 1;
                return Ok(());
            }
            std::hint::spin_loop();
        }
        let fits = !self.zone.stamped || end.checksum_zone(&self.zone, false)?;
        self.account.checksum_failures += u64::from(!fits);
        Ok(())
    }

    fn disputes(&self) -> Vec<String> {
        let account = &self.account;
        let (name, looks) = (&account.zone, account.looks);
        let found = [
            (account.torn, "showed parts of two writes"),
            (account.backward, "showed an older value than before"),
            (account.stale, "showed an older value than the message beside it promised"),
            (account.unfinished, "was left half-written"),
            (account.checksum_failures, "did not fit its checksum at rest"),
        ];
        let found = found.into_iter().filter(|(count, _)| *count > 0);
        let told = |(count, what)| format!("zone {name} {what} at {count} of {looks} looks");
        found.map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::scenario::model::zone::ZoneKind;

    /// A zone that shows what it is told to.
    struct Shown(Cell<Look>, bool);

    impl Zoned for Shown {
        fn look_into_zone(&self, _zone: &ZoneTask) -> Result<Look, TroubledZone> {
            Ok(self.0.get())
        }

        fn checksum_zone(&self, _zone: &ZoneTask, _stamp: bool) -> Result<bool, TroubledZone> {
            Ok(self.1)
        }
    }

    fn reader() -> Zones {
        let zone = ZoneTask {
            name: "z".to_owned(),
            kind: ZoneKind::Seqlock,
            words: 8,
            every: 10,
            by: By::Producer,
            stamped: true,
            seed: 0,
        };
        Zones { all: vec![Tended::new(&zone)], plant: None, trouble: None }
    }

    /// Messages with what the zone shows beside each; then the zone rests, or not.
    fn found(looks: &[(u64, Look)], fits: bool) -> Vec<String> {
        let (mut zones, end) = (reader(), Shown(Cell::new(Look::Busy), fits));
        for (sequence, look) in looks {
            end.0.set(*look);
            zones.beside(&end, *sequence);
        }
        zones.at_rest(&end);
        zones.disputes()
    }

    #[test]
    fn each_way_of_being_wrong_is_told() {
        use Look::{Busy, Torn, Version};
        // Beside message 5 nobody looks: it is of the same round as message 0.
        let right = [(0, Version(1)), (5, Torn), (10, Busy), (20, Version(4))];
        assert_eq!(found(&right, true), [""; 0]);
        let one = |looks: &[(u64, Look)], fits, what: &str| {
            let told = found(looks, fits);
            assert!(told.iter().any(|told| told.contains(what)), "{what}: {told:?}");
        };
        one(&[(0, Version(1)), (10, Torn), (20, Version(3))], true, "two writes at 1 of 4 looks");
        one(&[(0, Version(5)), (10, Version(4))], true, "an older value than before");
        one(&[(0, Version(1)), (10, Version(1))], true, "the message beside it promised");
        one(&[(0, Version(1)), (10, Busy)], true, "left half-written");
        one(&right, false, "checksum at rest");
    }

    #[test]
    fn a_transport_without_zones_is_told() {
        struct Nothing;
        impl Zoned for Nothing {}
        let mut zones = reader();
        zones.beside(&Nothing, 0);
        assert_eq!(zones.disputes(), ["a zone cannot be used: this transport has no zones"]);
    }
}
