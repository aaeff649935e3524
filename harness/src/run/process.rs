//! Starts a trial's workers: this same program once more for each role.
//!
//! All of them are started by one thread, the caller's: a worker dies with the thread that
//! started it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use report_schema::LatencyKind;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::den::Holder;
use super::fault::Course;
use super::signal::Interrupts;
use super::supervise::{Overseen, Supervisor};
use super::usage::{frequency_khz, stolen_ms};
use super::wire::Task;
use super::words::Words;
use super::{Launcher, Order, RawTrial, Watch, chronicle, foreign, latency, leak, task};
use crate::plan::{CellPlan, RolePlan};
use crate::scenario::model::Workload;
use crate::scenario::model::transport::Carrier;

/// The program itself, also when its file has been replaced meanwhile.
pub(super) const SELF: &str = "/proc/self/exe";
/// The verb that makes it a worker; `cli` knows it by the same name.
pub(super) const VERB: &str = "__worker";

/// Runs trials as processes.
#[derive(Debug)]
pub struct ProcessLauncher {
    interrupts: Interrupts,
}

impl ProcessLauncher {
    /// Takes over the interrupts of this process.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupts: Interrupts::watch()? })
    }
}

/// A running worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) plan: RolePlan,
    pub(super) child: Child,
    /// Readable when it has ended.
    pub(super) ended: OwnedFd,
    /// Taken when it is told its last line.
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: File,
    /// How many have fallen in this role before it.
    pub(super) life: u32,
}

impl Worker {
    pub(super) fn start(plan: &RolePlan, task: &Task, life: u32) -> io::Result<Self> {
        let mut command = if task.foreign {
            let peer = match &task.ring {
                Some(own) => own.clone(),
                None => foreign::peer().map_err(io::Error::other)?,
            };
            let mut command = Command::new(peer);
            command.args(foreign::arguments(task));
            command
        } else {
            let mut command = Command::new(task.program.as_deref().unwrap_or(Path::new(SELF)));
            command.arg(VERB).arg(task.parent.to_string());
            command
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match Self::adopt(task, &mut child) {
            Ok((ended, stdin, stdout)) => {
                Ok(Self { plan: plan.clone(), child, ended, stdin: Some(stdin), stdout, life })
            }
            Err(error) => {
                // Already dead is as good.
                let _killed = child.kill();
                let _reaped = child.wait();
                Err(error)
            }
        }
    }

    fn adopt(task: &Task, child: &mut Child) -> io::Result<(OwnedFd, ChildStdin, File)> {
        let pid = Pid::from_child(child);
        let ended = pidfd_open(pid, PidfdFlags::empty())?;
        let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        if !task.foreign {
            let mut line = serde_json::to_vec(task)?;
            line.push(b'\n');
            stdin.write_all(&line)?;
        }
        Ok((ended, stdin, File::from(OwnedFd::from(stdout))))
    }
}

/// Whether what its roles make must vanish with them.
fn needs_den(cell: &CellPlan) -> bool {
    cell.cell.block.transport == Carrier::Iceoryx2
}

impl Launcher for ProcessLauncher {
    fn run(&mut self, order: Order<'_>, watch: &mut dyn Watch) -> io::Result<RawTrial> {
        let words = Words::create(order.cell.roles.len())?;
        let (mut tasks, uncalibrated) = task::tasks(order, std::process::id(), &words.path());
        // Held until everybody has left.
        let holder = needs_den(order.cell).then(Holder::dig).transpose();
        let holder = holder.map_err(io::Error::other)?;
        for task in &mut tasks {
            task.den = holder.as_ref().map(|holder| holder.den);
        }
        let logs = chronicle::open(order, &mut tasks)?;
        let stolen_before = stolen_ms();
        let course = Course::new(order, &tasks);
        let mut supervisor = Supervisor::new(&words, &mut self.interrupts, order, course);
        for (plan, task) in order.cell.roles.iter().zip(&tasks) {
            // Dropping the supervisor ends those that have started.
            supervisor.adopt(Worker::start(plan, task, 0)?);
        }
        let Overseen { mut roles, aftermath, interrupted } = supervisor.oversee(watch);
        let kind = match order.cell.cell.workload {
            Workload::PingPong => LatencyKind::RoundTripHalf,
            _ => LatencyKind::EndToEndFromActualStart,
        };
        for report in roles.iter_mut().filter_map(|role| role.report.as_mut()) {
            if let Some(latency) = latency::of_samples(kind, &report.samples) {
                report.latency = Some(latency);
            }
        }
        let leaks = leak::swept(&roles);
        let history = chronicle::collect(order, &logs, &roles);
        let stolen = stolen_before.zip(stolen_ms());
        if let Some(report) = roles.iter_mut().find_map(|role| role.report.as_mut()) {
            report.degraded.extend(uncalibrated);
        }
        let core = order.cell.roles.first().and_then(|role| role.core);
        Ok(RawTrial {
            roles,
            stolen_ms: stolen.map(|(before, after)| after.saturating_sub(before)),
            frequency_khz: frequency_khz(core),
            aftermath,
            history,
            leaks,
            interrupted,
        })
    }

    fn obstacle(&mut self, cell: &CellPlan) -> Option<String> {
        if let Some(why) = cell.cell.block.transport.missing() {
            return Some(why.to_owned());
        }
        if needs_den(cell) {
            return Holder::dig()
                .err()
                .map(|why| format!("it must leave nothing behind, but {why}"));
        }
        if let Some(program) = &cell.cell.block.program {
            return foreign::unfit(Path::new(program));
        }
        cell.cell.is_foreign().then(foreign::peer).and_then(Result::err)
    }

    fn interrupted(&mut self) -> bool {
        self.interrupts.count() > 0
    }
}
