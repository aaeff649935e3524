//! Watches over the workers of one trial: hears them, moves the phase, lets the scenario's faults
//! befall them, ends those that hang.
//!
//! It sleeps in the kernel between events, so that it takes no core from what it watches.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::charge::Charge;
use super::fault::{Course, Troupe};
use super::process::Worker;
use super::signal::Interrupts;
use super::wire::Meet;
use super::words::{Phase, Words};
use super::{Aftermath, DEADLINE, INTERRUPTED, Order, RawRole, Watch};

/// How often progress is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// How long the others have when one of them has failed.
const GRACE: Duration = Duration::from_secs(2);

/// What became of the workers of one trial.
#[derive(Debug)]
pub(super) struct Overseen {
    pub(super) roles: Vec<RawRole>,
    pub(super) aftermath: Aftermath,
    /// Somebody asked to stop before they had come to their end.
    pub(super) interrupted: bool,
}

/// The workers of one trial.
#[derive(Debug)]
pub(super) struct Supervisor<'a> {
    words: &'a Words,
    interrupts: &'a mut Interrupts,
    /// Interrupts before this trial.
    interrupts_before: u32,
    charges: Vec<Charge>,
    /// What is to befall them.
    course: Course<'a>,
    phase: Phase,
    met: bool,
    /// An interrupt came while something was still to be done.
    cut: bool,
    /// A second one: nobody waits for the workers any more.
    hurried: bool,
    deadline: Instant,
    /// Of each role, the number of the last slice of latencies that was told.
    told: Vec<u64>,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(
        words: &'a Words,
        interrupts: &'a mut Interrupts,
        order: Order<'_>,
        course: Course<'a>,
    ) -> Self {
        let deadline = Instant::now() + Duration::from_nanos(order.cell.cell.run.deadline.0);
        let interrupts_before = interrupts.count();
        let told = vec![0; order.cell.roles.len()];
        Self {
            words,
            interrupts,
            interrupts_before,
            charges: vec![],
            course,
            phase: Phase::SetUp,
            met: false,
            cut: false,
            hurried: false,
            deadline,
            told,
        }
    }

    pub(super) fn adopt(&mut self, worker: Worker) {
        self.charges.push(Charge::new(worker));
    }

    /// Stays until every worker has ended.
    pub(super) fn oversee(mut self, watch: &mut dyn Watch) -> Overseen {
        while self.charges.iter().any(Charge::lives) || self.course.revives() {
            self.wait();
            for charge in &mut self.charges {
                charge.attend();
            }
            self.heed_interrupts();
            self.introduce();
            self.befall();
            self.move_phase();
            self.enforce_deadline();
            watch.moment(self.phase.word(), self.words.progress());
            self.tell(watch);
        }
        let aftermath = self.course.finish(self.words);
        let roles = std::mem::take(&mut self.charges).into_iter().map(Charge::finish).collect();
        Overseen { roles, aftermath, interrupted: self.cut }
    }

    /// Passes on which slices of latencies have ended.
    fn tell(&mut self, watch: &mut dyn Watch) {
        for (role, (told, charge)) in self.told.iter_mut().zip(&self.charges).enumerate() {
            if let Some((number, glimpse)) = self.words.slice(role, *told) {
                *told = number;
                watch.slice(&charge.worker.plan.name, &glimpse);
            }
        }
    }

    /// Sleeps until somebody speaks or ends, or it is time for a fault or a glance.
    fn wait(&mut self) {
        let left = self.deadline.saturating_duration_since(Instant::now()).min(GLANCE);
        let left = left + Duration::from_millis(1);
        let timeout = match self.phase {
            Phase::Run => self.course.pause(self.words).map_or(left, |pause| pause.min(left)),
            _ => left,
        };
        let mut descriptors = vec![PollFd::new(self.interrupts.descriptor(), PollFlags::POLLIN)];
        for charge in self.charges.iter().filter(|charge| charge.lives()) {
            descriptors.push(PollFd::new(charge.worker.ended.as_fd(), PollFlags::POLLIN));
            descriptors.push(PollFd::new(charge.worker.stdout.as_fd(), PollFlags::POLLIN));
        }
        // Failed or not, everybody is looked at next.
        let _events = ppoll(&mut descriptors, Some(TimeSpec::from_duration(timeout)), None);
    }

    /// The first interrupt ends the trial early, the second one ends the workers.
    fn heed_interrupts(&mut self) {
        let count = self.interrupts.count() - self.interrupts_before;
        if count == 0 {
            return;
        }
        // Who has told all that it found has nothing left that could be cut off.
        let unfinished = self.charges.iter().any(|charge| !charge.is_done());
        self.cut |= self.phase < Phase::After && unfinished;
        self.words.stop();
        self.course.call_off("the run was interrupted");
        if count > 1 && self.charges.iter().any(Charge::lives) {
            (self.cut, self.hurried) = (true, true);
            self.deadline = self.deadline.min(Instant::now());
        }
    }

    /// Tells each worker of the others' blocks, when all are made.
    fn introduce(&mut self) {
        let living = || self.charges.iter().filter(|charge| charge.lives());
        if self.met || living().any(|charge| !charge.introduced) {
            return;
        }
        self.met = true;
        let made: Vec<Option<PathBuf>> =
            self.charges.iter().map(|charge| charge.block.clone()).collect();
        self.course.hold(made.first().cloned().flatten());
        for (own, charge) in self.charges.iter_mut().enumerate() {
            let others = made.iter().enumerate().filter(|(other, _)| *other != own);
            let blocks = others.filter_map(|(_, block)| block.clone()).collect();
            charge.tell(&Meet { blocks });
        }
    }

    /// What is due befalls those whom it is meant for.
    fn befall(&mut self) {
        if self.phase == Phase::After {
            self.course.call_off("messages had ended");
        }
        if self.phase == Phase::Run {
            let troupe = Troupe { charges: &mut self.charges, words: self.words };
            self.course.befall(troupe);
        }
    }

    /// Enters the next phase when everybody who lives waits for it.
    fn move_phase(&mut self) {
        let next = self.phase.next();
        let waits = |charge: &Charge| charge.waits_for >= Some(next) || charge.report.is_some();
        let mut living = self.charges.iter().filter(|charge| charge.lives()).peekable();
        if self.phase != next && living.peek().is_some() && living.all(waits) {
            self.phase = next;
            self.words.enter(next);
        }
        // One that failed would keep the others waiting: they finish early, or not at all.
        if self.charges.iter().any(Charge::failed) {
            self.words.stop();
            self.course.call_off("a process had failed");
            self.deadline = self.deadline.min(Instant::now() + GRACE);
        }
    }

    fn enforce_deadline(&mut self) {
        if Instant::now() < self.deadline {
            return;
        }
        self.course.call_off("the deadline had passed");
        let why = if self.hurried { INTERRUPTED } else { DEADLINE };
        for charge in self.charges.iter_mut().filter(|charge| charge.lives()) {
            charge.end(why);
        }
    }
}

impl Drop for Supervisor<'_> {
    /// Ends whoever is left: only when the trial itself could not be started.
    fn drop(&mut self) {
        for charge in self.charges.iter_mut().filter(|charge| charge.lives()) {
            charge.end(DEADLINE);
        }
    }
}
