//! The scenario's faults, as they come: what is due befalls whom it is meant for, and is logged with
//! its time.
//!
//! Signals, restarts and scribbles are done here; what a worker does to itself (`kill-at-site`,
//! `corrupt-byte`, `fill-shm`) stands in its task, and is only logged.
//! Knows nothing of: what a fault excuses.

mod scribble;

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::time::Duration;

use datahub::metrics::METRICS;
use datahub::monitor::Monitor;
use datahub::place::Place;
use datahub::wait::monotonic_ns;
use nix::sys::signal::Signal;

use super::Order;
use super::charge::Charge;
use super::process::Worker;
use super::wire::{Meet, Task};
use super::words::Words;
use crate::plan::RolePlan;
use crate::plan::fault::{PlannedFault, schedule};
use crate::scenario::model::fault::Action;
use crate::scenario::model::transport::Carrier;

/// How often it is looked whether the measured part has begun.
const EAGER: Duration = Duration::from_millis(1);

/// One fault, as it came. Times are on the monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Struck {
    /// What was planned.
    pub(crate) fault: PlannedFault,
    /// What happened to whom, in words.
    pub(crate) what: String,
    /// When it came.
    pub(crate) start_ns: u64,
    /// When it was over; `None`: it was a moment, or lasted to the end.
    pub(crate) end_ns: Option<u64>,
    /// Why it did not come.
    pub(crate) missed: Option<Missed>,
    /// It only filled the place of one who was dead already.
    pub(crate) heir: bool,
}

/// Why a fault did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missed {
    /// In words.
    pub(crate) why: String,
    /// There was time for it: a longer trial, or a faster machine, would not have seen it either.
    pub(crate) failed: bool,
}

impl Missed {
    /// The trial was over first.
    fn late(why: &str) -> Self {
        Self { why: why.to_owned(), failed: false }
    }

    /// It could not be done.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self { why: why.into(), failed: true }
    }
}

/// What is left of a trial with faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Aftermath {
    /// When the measured part began.
    pub(crate) begun_ns: u64,
    /// With which sequence.
    pub(crate) first: u64,
    /// When everybody had left.
    pub(crate) ended_ns: u64,
    /// Every fault, in the order in which they were planned.
    pub(crate) struck: Vec<Struck>,
    /// What the block said when everybody had left.
    pub(crate) block: Option<BlockEnd>,
    /// Payloads that the producer spoilt as it was asked to.
    pub(crate) spoilt: u64,
    /// Why something could not be done as planned.
    pub(crate) degraded: Vec<String>,
}

/// A block when everybody has left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BlockEnd {
    /// How many commits were announced.
    pub(crate) commits: u64,
    /// Its metrics, by their names in the specification.
    pub(crate) metrics: BTreeMap<String, u64>,
    /// What makes no sense in it.
    pub(crate) damage: Vec<String>,
}

/// Those whom faults befall.
pub(super) struct Troupe<'a> {
    pub(super) charges: &'a mut [Charge],
    pub(super) words: &'a Words,
}

/// The faults of one trial, those that came and those that are to come.
#[derive(Debug)]
pub(super) struct Course<'a> {
    tasks: &'a [Task],
    plans: Vec<RolePlan>,
    told: Vec<String>,
    seed: u64,
    coming: VecDeque<PlannedFault>,
    /// In force: until when, which, and who.
    lasting: Vec<(u64, usize, usize)>,
    log: Vec<Struck>,
    /// The producer's block, held open so that it outlives its producer.
    block: Option<Monitor>,
    degraded: Vec<String>,
    /// The producer does not read its block's metrics itself.
    foreign: bool,
    /// There is a block to hold.
    block_like: bool,
}

impl<'a> Course<'a> {
    pub(super) fn new(order: Order<'_>, tasks: &'a [Task]) -> Self {
        let coming: VecDeque<PlannedFault> =
            schedule(order.cell, order.trial.seed).into_iter().collect();
        Self {
            tasks,
            plans: order.cell.roles.clone(),
            told: coming.iter().map(|fault| order.cell.told(fault)).collect(),
            seed: order.trial.seed,
            coming,
            lasting: vec![],
            log: vec![],
            block: None,
            degraded: vec![],
            block_like: order.cell.cell.block.transport == Carrier::DataHub,
            foreign: tasks.first().is_some_and(|producer| producer.foreign),
        }
    }

    /// Whether there is anything to do or to say.
    fn any(&self) -> bool {
        self.foreign || !(self.coming.is_empty() && self.log.is_empty())
    }

    /// Holds the producer's block open: it is to outlive its producer.
    pub(super) fn hold(&mut self, path: Option<PathBuf>) {
        let Some(path) = path.filter(|_| self.block_like && self.any()) else { return };
        match Monitor::open(&Place::File(path)) {
            Ok(monitor) => self.block = Some(monitor),
            Err(error) => self.degraded.push(format!("the block cannot be held open: {error}")),
        }
    }

    /// Whether somebody is still to be started.
    pub(super) fn revives(&self) -> bool {
        self.coming.iter().any(|fault| fault.action == Action::Restart)
    }

    /// How long nothing is due; `None`: nothing is to come.
    pub(super) fn pause(&self, words: &Words) -> Option<Duration> {
        let Some((_, begun_ns)) = words.begun() else {
            return (!self.coming.is_empty()).then_some(EAGER);
        };
        let coming = self.coming.front().map(|fault| begun_ns.saturating_add(fault.at_ns));
        let next = self.lasting.iter().map(|(until_ns, ..)| *until_ns).chain(coming).min()?;
        Some(Duration::from_nanos(next.saturating_sub(monotonic_ns())))
    }

    /// What is still to come does not.
    pub(super) fn call_off(&mut self, why: &str) {
        while let Some(fault) = self.coming.pop_front() {
            self.log(fault, 0, Some(Missed::late(why)));
        }
    }

    fn log(&mut self, fault: PlannedFault, start_ns: u64, missed: Option<Missed>) {
        let what = self.told.get(self.log.len()).cloned().unwrap_or_default();
        self.log.push(Struck { fault, what, start_ns, end_ns: None, missed, heir: false });
    }

    /// Ends what is over, begins what is due, buries who has died.
    pub(super) fn befall(&mut self, mut troupe: Troupe<'_>) {
        if !self.any() {
            return;
        }
        self.bury(&mut troupe);
        let Some((_, begun_ns)) = troupe.words.begun() else { return };
        let now = monotonic_ns();
        let over = |(until_ns, ..): &mut (u64, usize, usize)| *until_ns <= now;
        for (_, entry, role) in self.lasting.extract_if(.., over) {
            match self.log[entry].fault.action {
                Action::Stop { .. } => troupe.charges[role].signal(Signal::SIGCONT),
                _ => troupe.words.slow_down(role, 0),
            }
            self.log[entry].end_ns = Some(monotonic_ns());
        }
        let due = |fault: &mut PlannedFault| begun_ns.saturating_add(fault.at_ns) <= now;
        while let Some(fault) = self.coming.pop_front_if(due) {
            self.strike(fault, &mut troupe, begun_ns);
        }
        self.bury(&mut troupe);
    }

    /// Those who have died as they should; and whether anybody will take the producer's place.
    fn bury(&mut self, troupe: &mut Troupe<'_>) {
        for (role, charge) in troupe.charges.iter_mut().enumerate() {
            if charge.bury(role, troupe.words) {
                note_death(&mut self.log, role, troupe.words);
            }
        }
        let producer = troupe.charges.first();
        let heir =
            self.coming.iter().any(|fault| fault.role == 0 && fault.action == Action::Restart);
        if producer.is_some_and(|producer| !producer.lives()) && !heir {
            troupe.words.orphan();
        }
    }

    fn strike(&mut self, fault: PlannedFault, troupe: &mut Troupe<'_>, begun_ns: u64) {
        let role = fault.role;
        let charge = &troupe.charges[role];
        let restart = fault.action == Action::Restart;
        let planned_ns = begun_ns.saturating_add(fault.at_ns);
        if matches!(fault.action, Action::KillAtSite { .. })
            && !charge.lives()
            && troupe.words.died_ns(role).is_some_and(|died_ns| died_ns >= planned_ns)
        {
            // It kept the time by its own clock, and was dead before we looked.
            self.log(fault, planned_ns, None);
            return note_death(&mut self.log, role, troupe.words);
        }
        if charge.is_done() && (charge.lives() || !restart) {
            let why = match charge.lives() {
                true => Missed::late("it had finished"),
                false if charge.report.is_some() => Missed::late("it had left"),
                false => Missed::failed("it was dead"),
            };
            return self.log(fault, 0, Some(why));
        }
        let heir = !charge.lives();
        let start_ns = monotonic_ns();
        if !fault.action.is_by_itself() {
            troupe.words.strike(start_ns);
        }
        let mut missed = None;
        match fault.action {
            Action::Kill => troupe.charges[role].falls(),
            Action::Restart => missed = self.restart(role, troupe).err().map(Missed::failed),
            Action::Stop { time } => {
                troupe.charges[role].signal(Signal::SIGSTOP);
                self.lasting.push((start_ns.saturating_add(time.0), self.log.len(), role));
            }
            Action::Slow { by, time } => {
                troupe.words.slow_down(role, by.0);
                self.lasting.push((start_ns.saturating_add(time.0), self.log.len(), role));
            }
            Action::ScribbleHeader | Action::ScribbleSlots => {
                let seed = self.seed ^ fault.at_ns;
                let done = self.block.as_ref().ok_or_else(|| "there is no block".to_owned());
                let done = done.and_then(|block| scribble::over(block, fault.action, seed));
                missed = done.err().map(Missed::failed);
            }
            // It does that to itself.
            Action::KillAtSite { .. } | Action::CorruptByte => {
                return self.log(fault, planned_ns, None);
            }
            Action::FillShm { time } => {
                self.log(fault, planned_ns, None);
                if let Some(entry) = self.log.last_mut() {
                    entry.end_ns = Some(planned_ns.saturating_add(time.0));
                }
                return;
            }
        }
        self.log(fault, start_ns, missed);
        if let Some(struck) = self.log.last_mut() {
            struck.heir = heir;
        }
    }

    /// Starts the role again; one that lives is killed first.
    fn restart(&mut self, role: usize, troupe: &mut Troupe<'_>) -> Result<(), String> {
        let charge = &mut troupe.charges[role];
        if charge.lives() {
            charge.falls();
            charge.reap();
        }
        if charge.bury(role, troupe.words) {
            note_death(&mut self.log, role, troupe.words);
        }
        let block = self.block.as_ref().ok_or("its block could not be held open")?;
        let file = block.block().file();
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        let mut task = self.tasks[role].clone();
        let now_ns = troupe.words.begun().map_or(0, |(_, start_ns)| monotonic_ns() - start_ns);
        if let Some(fate) = &mut task.fate {
            fate.block = Some(path.clone());
            fate.deaths.retain(|death| death.at_ns > now_ns);
            fate.spoils.retain(|at_ns| *at_ns > now_ns);
            fate.fills.retain(|(at_ns, _)| *at_ns > now_ns);
        }
        troupe.words.dies(role, 0);
        let started = Worker::start(&self.plans[role], &task, charge.lives_lost());
        charge.succeed(started.map_err(|error| format!("it cannot be started: {error}"))?);
        let blocks = if role == 0 { vec![] } else { vec![path] };
        charge.tell(&Meet { blocks });
        Ok(())
    }

    /// The log, completed by what workers did to themselves.
    pub(super) fn finish(&mut self, words: &Words) -> Aftermath {
        self.call_off("the trial was over");
        if !self.any() {
            return Aftermath::default();
        }
        let spoilt = words.spoilt(0);
        let mut left = spoilt;
        for struck in self.log.iter_mut().filter(|struck| struck.missed.is_none()) {
            match struck.fault.action {
                Action::KillAtSite { .. } if struck.end_ns.is_none() => {
                    struck.missed = Some(Missed::failed("it did not come there again"));
                }
                Action::CorruptByte if left == 0 => {
                    struck.missed = Some(Missed::late("no payload was committed afterwards"));
                }
                Action::CorruptByte => left -= 1,
                _ => {}
            }
        }
        let (first, begun_ns) = words.begun().unwrap_or_default();
        Aftermath {
            begun_ns,
            first,
            ended_ns: monotonic_ns(),
            struck: std::mem::take(&mut self.log),
            block: self.block.as_ref().map(end_of),
            spoilt,
            degraded: std::mem::take(&mut self.degraded),
        }
    }
}

/// A role has died at its site: now it is known when.
fn note_death(log: &mut [Struck], role: usize, words: &Words) {
    let Some(died_ns) = words.died_ns(role) else { return };
    let open = |struck: &&mut Struck| {
        struck.fault.role == role
            && struck.end_ns.is_none()
            && matches!(struck.fault.action, Action::KillAtSite { .. })
    };
    if let Some(struck) = log.iter_mut().find(open) {
        (struck.start_ns, struck.end_ns) = (died_ns, Some(died_ns));
    }
}

fn end_of(block: &Monitor) -> BlockEnd {
    let view = block.snapshot(monotonic_ns());
    let named = METRICS.iter().map(|&(metric, name)| (name.to_owned(), view.metrics.get(metric)));
    BlockEnd {
        commits: view.commit_index,
        metrics: named.collect(),
        damage: datahub::monitor::damage::damage(&view),
    }
}
