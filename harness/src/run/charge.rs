//! One worker under supervision: what it says, how it ends, and who takes its place.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use report_schema::Counts;

use super::RawRole;
use super::process::Worker;
use super::wire::{Event, Meet, Report};
use super::words::{Phase, Words};

/// What one worker may say in all.
const SAID_MAX: usize = 16 << 20;

/// One worker and what it has said.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) worker: Worker,
    /// Heard, not yet a whole line.
    partial: Vec<u8>,
    heard: usize,
    /// It has said whether it made a block.
    pub(super) introduced: bool,
    pub(super) block: Option<PathBuf>,
    /// The phase that it waits for.
    pub(super) waits_for: Option<Phase>,
    pub(super) report: Option<Report>,
    failure: Option<String>,
    /// How it ended.
    exit: Option<String>,
    /// Why we killed it, in the word that says how it ended.
    ended: Option<&'static str>,
    /// A fault of the scenario killed it.
    fallen: bool,
    /// How often a fault has killed somebody in this role.
    falls: u32,
    /// What those counted.
    left: Counts,
}

impl Charge {
    pub(super) fn new(worker: Worker) -> Self {
        Self {
            worker,
            partial: vec![],
            heard: 0,
            introduced: false,
            block: None,
            waits_for: None,
            report: None,
            failure: None,
            exit: None,
            ended: None,
            fallen: false,
            falls: 0,
            left: Counts::default(),
        }
    }

    pub(super) fn lives(&self) -> bool {
        self.exit.is_none()
    }

    /// It has done what it was to do, or can do no more of it.
    pub(super) fn is_done(&self) -> bool {
        !self.lives() || self.report.is_some() || self.waits_for >= Some(Phase::After)
    }

    /// Ended without a report, or said why it cannot give one.
    pub(super) fn failed(&self) -> bool {
        self.failure.is_some() || (!self.lives() && self.report.is_none() && !self.fallen)
    }

    /// Hears what it says and notes its end.
    pub(super) fn attend(&mut self) {
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

    pub(super) fn tell(&mut self, meet: &Meet) {
        let Some(mut stdin) = self.worker.stdin.take() else { return };
        let Ok(mut line) = serde_json::to_vec(meet) else { return };
        line.push(b'\n');
        // A worker that cannot be told has ended, which is noticed by itself.
        let _told = stdin.write_all(&line);
    }

    /// Sends a signal; one that has ended meanwhile is as good.
    pub(super) fn signal(&self, signal: Signal) {
        let _sent = kill(Pid::from_raw(self.worker.child.id().cast_signed()), signal);
    }

    /// A fault of the scenario kills it, or has.
    pub(super) fn falls(&mut self) {
        self.fallen = true;
        self.signal(Signal::SIGKILL);
    }

    /// Kills it, because it took too long or nobody waits for it any more.
    pub(super) fn end(&mut self, why: &'static str) {
        self.ended = Some(why);
        self.signal(Signal::SIGKILL);
        self.reap();
    }

    /// Waits for the end of a worker that has ended or was killed, and hears its last words.
    pub(super) fn reap(&mut self) {
        let status = self.worker.child.wait();
        while is_readable(&self.worker.stdout) {
            let before = self.heard;
            self.hear();
            if self.heard == before {
                break;
            }
        }
        self.exit = Some(match (self.ended, status) {
            (Some(why), _) => why.to_owned(),
            (None, Ok(status)) => describe(status),
            (None, Err(error)) => format!("unknown: {error}"),
        });
    }

    /// Settles the account of one who has fallen. Says whether there was one to settle.
    pub(super) fn bury(&mut self, role: usize, words: &Words) -> bool {
        let by_itself = words.died_ns(role).is_some() && self.exit.as_deref() == Some("signal 9");
        let fell = (self.fallen || by_itself) && self.exit.is_some() && self.report.is_none();
        if !fell || self.falls > self.worker.life {
            return false;
        }
        self.fallen = true;
        self.falls += 1;
        self.left += words.settle(role);
        true
    }

    /// Another worker takes the place of one who has fallen.
    pub(super) fn succeed(&mut self, worker: Worker) {
        let (falls, left) = (self.falls, self.left);
        *self = Self { falls, left, ..Self::new(worker) };
    }

    /// How often somebody has fallen in this role: the number of the next life.
    pub(super) fn lives_lost(&self) -> u32 {
        self.falls
    }

    pub(super) fn finish(self) -> RawRole {
        let exit = self.exit.unwrap_or_else(|| "unknown".to_owned());
        RawRole {
            plan: self.worker.plan.clone(),
            pid: self.worker.child.id(),
            exit,
            report: self.report,
            failure: self.failure,
            falls: self.falls,
            fallen: self.fallen,
            left: self.left,
        }
    }
}

fn is_readable(descriptor: &impl AsFd) -> bool {
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
