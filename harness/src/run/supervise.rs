//! Watches over the workers of one trial: hears them, moves the phase, ends those that hang.
//!
//! It sleeps in the kernel between events, so that it takes no core from what it watches.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::process::{Worker, ended};
use super::signal::Interrupts;
use super::wire::{Event, Meet, Report};
use super::words::{Phase, Words};
use super::{Order, RawRole, Watch};

/// How often progress is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// How long the others have when one of them has failed.
const GRACE: Duration = Duration::from_secs(2);
/// What one worker may say in all.
const SAID_MAX: usize = 16 << 20;

/// One worker and what it has said.
#[derive(Debug)]
struct Charge {
    worker: Worker,
    /// Heard, not yet a whole line.
    partial: Vec<u8>,
    heard: usize,
    /// It has said whether it made a block.
    introduced: bool,
    block: Option<PathBuf>,
    /// The phase that it waits for.
    waits_for: Option<Phase>,
    report: Option<Report>,
    failure: Option<String>,
    /// How it ended.
    exit: Option<String>,
    /// Killed by us.
    overdue: bool,
}

/// The workers of one trial.
#[derive(Debug)]
pub(super) struct Supervisor<'a> {
    words: &'a Words,
    interrupts: &'a mut Interrupts,
    /// Interrupts before this trial.
    interrupts_before: u32,
    charges: Vec<Charge>,
    phase: Phase,
    met: bool,
    deadline: Instant,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(words: &'a Words, interrupts: &'a mut Interrupts, order: Order<'_>) -> Self {
        let deadline = Instant::now() + Duration::from_nanos(order.cell.cell.run.deadline.0);
        let interrupts_before = interrupts.count();
        let (charges, phase, met) = (vec![], Phase::SetUp, false);
        Self { words, interrupts, interrupts_before, charges, phase, met, deadline }
    }

    pub(super) fn adopt(&mut self, worker: Worker) {
        self.charges.push(Charge {
            worker,
            partial: vec![],
            heard: 0,
            introduced: false,
            block: None,
            waits_for: None,
            report: None,
            failure: None,
            exit: None,
            overdue: false,
        });
    }

    /// Stays until every worker has ended.
    pub(super) fn oversee(mut self, watch: &mut dyn Watch) -> Vec<RawRole> {
        while self.charges.iter().any(Charge::lives) {
            self.wait();
            for charge in &mut self.charges {
                charge.attend();
            }
            self.heed_interrupts();
            self.introduce();
            self.move_phase();
            self.enforce_deadline();
            watch.moment(self.phase.word(), self.words.progress());
        }
        std::mem::take(&mut self.charges).into_iter().map(Charge::finish).collect()
    }

    /// Sleeps until somebody speaks or ends, or it is time for a glance.
    fn wait(&mut self) {
        let left = self.deadline.saturating_duration_since(Instant::now()).min(GLANCE);
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1));
        let mut descriptors = vec![PollFd::new(self.interrupts.descriptor(), PollFlags::POLLIN)];
        for charge in self.charges.iter().filter(|charge| charge.lives()) {
            descriptors.push(PollFd::new(charge.worker.ended.as_fd(), PollFlags::POLLIN));
            descriptors.push(PollFd::new(charge.worker.stdout.as_fd(), PollFlags::POLLIN));
        }
        // Failed or not, everybody is looked at next.
        let _events = poll(&mut descriptors, timeout.unwrap_or(PollTimeout::ZERO));
    }

    /// The first interrupt ends the trial early, the second one ends the workers.
    fn heed_interrupts(&mut self) {
        match self.interrupts.count() - self.interrupts_before {
            0 => {}
            1 => self.words.stop(),
            _ => {
                self.words.stop();
                self.deadline = self.deadline.min(Instant::now());
            }
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
        for (own, charge) in self.charges.iter_mut().enumerate() {
            let others = made.iter().enumerate().filter(|(other, _)| *other != own);
            let blocks = others.filter_map(|(_, block)| block.clone()).collect();
            charge.tell(&Meet { blocks });
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
            self.deadline = self.deadline.min(Instant::now() + GRACE);
        }
    }

    fn enforce_deadline(&mut self) {
        if Instant::now() < self.deadline {
            return;
        }
        for charge in self.charges.iter_mut().filter(|charge| charge.lives()) {
            charge.overdue = true;
            // One that has ended meanwhile is as good.
            let _killed = charge.worker.child.kill();
            charge.reap();
        }
    }
}

impl Drop for Supervisor<'_> {
    /// Ends whoever is left: only when the trial itself could not be started.
    fn drop(&mut self) {
        for charge in self.charges.iter_mut().filter(|charge| charge.lives()) {
            let _killed = charge.worker.child.kill();
            charge.reap();
        }
    }
}

impl Charge {
    fn lives(&self) -> bool {
        self.exit.is_none()
    }

    /// Ended without a report, or said why it cannot give one.
    fn failed(&self) -> bool {
        self.failure.is_some() || (!self.lives() && self.report.is_none())
    }

    /// Hears what it says and notes its end.
    fn attend(&mut self) {
        if !self.lives() {
            return;
        }
        if is_readable(&self.worker.stdout) {
            self.hear();
        }
        if is_readable(&self.worker.ended) {
            self.reap();
        }
    }

    fn hear(&mut self) {
        let mut bytes = [0; 1 << 13];
        let Ok(count) = self.worker.stdout.read(&mut bytes) else { return };
        self.heard = self.heard.saturating_add(count);
        if self.heard > SAID_MAX {
            self.failure.get_or_insert_with(|| "it says too much".to_owned());
            return;
        }
        self.partial.extend_from_slice(&bytes[..count]);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.understand(&line);
        }
    }

    fn understand(&mut self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(Event::Made { block }) => (self.introduced, self.block) = (true, block),
            Ok(Event::At { phase }) => self.waits_for = Some(phase),
            Ok(Event::Done(report)) => self.report = Some(*report),
            Ok(Event::Failed { why }) => self.failure = Some(why),
            Err(error) => {
                self.failure.get_or_insert_with(|| format!("it says nonsense: {error}"));
            }
        }
    }

    fn tell(&mut self, meet: &Meet) {
        let Some(mut stdin) = self.worker.stdin.take() else { return };
        let Ok(mut line) = serde_json::to_vec(meet) else { return };
        line.push(b'\n');
        // A worker that cannot be told has ended, which is noticed by itself.
        let _told = stdin.write_all(&line);
    }

    /// Waits for the end of a worker that has ended or was killed, and hears its last words.
    fn reap(&mut self) {
        let status = self.worker.child.wait();
        while is_readable(&self.worker.stdout) {
            let before = self.heard;
            self.hear();
            if self.heard == before {
                break;
            }
        }
        self.exit = Some(match status {
            _ if self.overdue => "deadline".to_owned(),
            Ok(status) => describe(status),
            Err(error) => format!("unknown: {error}"),
        });
    }

    fn finish(self) -> RawRole {
        let exit = self.exit.unwrap_or_else(|| "unknown".to_owned());
        ended(&self.worker, exit, self.report, self.failure)
    }
}

fn is_readable(descriptor: &impl std::os::fd::AsFd) -> bool {
    let mut polled = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}
