//! Who met whom: which release was seen by which acquire of another role, site by site.
//!
//! Beside the memory and only on demand: it changes nothing that a role can see.

use std::collections::HashMap;

use super::fences::each;
use super::view::{Known, ROLES_MAX};
use crate::context::Meetings;

/// The releases that a message carries: role and site.
type Heads = Vec<(usize, u16)>;

/// What a role has met.
#[derive(Debug, Clone, Default)]
struct Met {
    /// The site of its operation that goes on.
    site: u16,
    /// What its loads were offered: an acquire fence takes it.
    offered: Heads,
    /// Its last release fence: what a relaxed store carries.
    fence: Heads,
}

/// The notes of one execution.
#[derive(Debug, Default)]
pub(super) struct Watch {
    roles: [Met; ROLES_MAX],
    /// By serial number.
    messages: HashMap<u32, Heads>,
    /// The strongest fences so far, by number.
    fences: Heads,
    pub(super) meetings: Meetings,
}

fn add(to: &mut Heads, from: &[(usize, u16)]) {
    for head in from {
        if !to.contains(head) {
            to.push(*head);
        }
    }
}

impl Watch {
    /// The next operation of `role` is the one at `site`.
    pub(super) fn at(&mut self, role: usize, site: u16) {
        self.roles[role].site = site;
        self.meetings.ran.insert(site);
    }

    fn meet(&mut self, role: usize, heads: &[(usize, u16)]) {
        let here = self.roles[role].site;
        // Role 0 is the set-up and the end: everybody is ordered after the one, before the other.
        let others = heads.iter().filter(|(other, _)| *other != role && *other != 0 && role != 0);
        self.meetings.edges.extend(others.map(|(_, site)| (*site, here)));
    }

    /// `role` read the message called `serial`.
    pub(super) fn read(&mut self, role: usize, serial: u32, acquires: bool) {
        let Some(heads) = self.messages.get(&serial).cloned() else { return };
        if acquires {
            self.meet(role, &heads);
        }
        add(&mut self.roles[role].offered, &heads);
    }

    /// `role` wrote the message called `serial`, in the place of `replaced`.
    pub(super) fn wrote(
        &mut self,
        role: usize,
        serial: u32,
        (releases, replaced): (bool, Option<u32>),
    ) {
        let met = &self.roles[role];
        let mut heads = if releases { vec![(role, met.site)] } else { met.fence.clone() };
        if let Some(before) = replaced.and_then(|serial| self.messages.get(&serial)) {
            add(&mut heads, before);
        }
        self.messages.insert(serial, heads);
    }

    /// `role` ran a fence that acquires or releases.
    pub(super) fn fence(&mut self, role: usize, (acquires, releases): (bool, bool)) {
        let own = (role, self.roles[role].site);
        if acquires {
            let offered = self.roles[role].offered.clone();
            self.meet(role, &offered);
        }
        if releases {
            self.roles[role].fence = vec![own];
        }
    }

    /// `role` ran one of the strongest fences, which `earlier` come before.
    pub(super) fn strongest(&mut self, role: usize, earlier: Known) {
        let own = self.fences.len();
        self.fences.push((role, self.roles[role].site));
        self.ordered(earlier, 1 << own);
    }

    /// All strongest fences of `earlier` come before those of `later`.
    pub(super) fn ordered(&mut self, earlier: Known, later: Known) {
        for after in each(later) {
            let (role, site) = self.fences[after];
            let before = each(earlier).map(|fence| self.fences[fence]);
            let others = before.filter(|(other, _)| *other != role && *other != 0 && role != 0);
            self.meetings.edges.extend(others.map(|(_, other)| (other, site)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_meets_the_acquire_that_reads_it() {
        let mut watch = Watch::default();
        watch.at(1, 10);
        watch.wrote(1, 7, (true, None));
        watch.at(2, 20);
        watch.read(2, 7, true);
        watch.at(2, 21);
        watch.read(2, 7, false);
        assert_eq!(watch.meetings.edges, [(10, 20)].into());
        assert_eq!(watch.meetings.ran, [10, 20, 21].into());
    }

    #[test]
    fn a_release_goes_on_through_exchanges_and_fences() {
        let mut watch = Watch::default();
        watch.at(1, 10);
        watch.fence(1, (false, true));
        watch.at(1, 11);
        watch.wrote(1, 7, (false, None));
        watch.at(2, 20);
        watch.read(2, 7, false);
        watch.wrote(2, 8, (false, Some(7)));
        watch.at(3, 30);
        watch.read(3, 8, false);
        watch.at(3, 31);
        watch.fence(3, (true, false));
        assert_eq!(watch.meetings.edges, [(10, 31)].into());
    }

    #[test]
    fn strongest_fences_meet_in_the_order_that_accesses_give_them() {
        let mut watch = Watch::default();
        watch.at(1, 10);
        watch.strongest(1, 0);
        watch.at(2, 20);
        watch.strongest(2, 0);
        assert!(watch.meetings.edges.is_empty());
        watch.ordered(0b10, 0b01);
        watch.at(1, 11);
        watch.strongest(1, 0b11);
        assert_eq!(watch.meetings.edges, [(20, 10), (20, 11)].into());
    }

    #[test]
    fn nobody_meets_himself_or_the_set_up() {
        let mut watch = Watch::default();
        watch.at(0, 1);
        watch.wrote(0, 1, (true, None));
        watch.at(1, 2);
        watch.wrote(1, 2, (true, None));
        watch.read(1, 1, true);
        watch.read(1, 2, true);
        assert!(watch.meetings.edges.is_empty());
    }
}
