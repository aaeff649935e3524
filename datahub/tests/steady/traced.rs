//! The system calls that a child makes between two marks.

#![expect(clippy::print_stdout, reason = "the child tells its parent which thread to trace")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getsid, gettid};

/// A call that nothing else here makes.
const MARK: libc::c_long = libc::SYS_getsid;

/// A child that is killed and reaped, however the test ends.
struct Traced {
    child: Child,
    /// The thread that works.
    thread: Pid,
}

impl Drop for Traced {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        // A traced thread is its tracer's to bury, and the process is not gone before that.
        let all = Some(WaitPidFlag::__WALL);
        while matches!(waitpid(self.thread, all), Ok(status) if !is_end(status)) {}
        let _reaped = self.child.wait();
    }
}

fn is_end(status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..))
}

impl Traced {
    /// Starts `role`, and stops it before it works.
    fn start(name: &str, messages: u64) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role", "--nocapture"])
            .envs([("STEADY", name), ("MESSAGES", &messages.to_string())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut traced = Self { child, thread: Pid::from_raw(0) };
        let mut lines = BufReader::new(traced.child.stdout.take().unwrap()).lines();
        let number = lines.find_map(|line| Some(line.ok()?.split_once("thread ")?.1.parse()));
        traced.thread = Pid::from_raw(number.unwrap().unwrap());
        ptrace::attach(traced.thread).unwrap();
        let stopped = traced.wait();
        assert!(matches!(stopped, WaitStatus::Stopped(_, Signal::SIGSTOP)), "{stopped:?}");
        ptrace::setoptions(traced.thread, Options::PTRACE_O_TRACESYSGOOD).unwrap();
        traced.child.stdin.take().unwrap().write_all(b"go\n").unwrap();
        traced
    }

    fn wait(&self) -> WaitStatus {
        waitpid(self.thread, Some(WaitPidFlag::__WALL)).unwrap()
    }

    /// The number of the next call, once it is about to be made.
    fn next_call(&self) -> u64 {
        loop {
            ptrace::syscall(self.thread, None).unwrap();
            let found = self.wait();
            assert!(matches!(found, WaitStatus::PtraceSyscall(_)), "{found:?}");
            let found = ptrace::syscall_info(self.thread).unwrap();
            if found.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
                return number(&ptrace::getregs(self.thread).unwrap());
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn number(registers: &libc::user_regs_struct) -> u64 {
    registers.orig_rax
}

#[cfg(target_arch = "aarch64")]
fn number(registers: &libc::user_regs_struct) -> u64 {
    registers.regs[8]
}

/// Runs `role` with these orders; the numbers of the calls between its marks, in order.
pub(crate) fn system_calls(name: &str, messages: u64) -> Vec<u64> {
    let traced = Traced::start(name, messages);
    let is_mark = |call: &u64| *call == MARK.cast_unsigned();
    while !is_mark(&traced.next_call()) {}
    std::iter::repeat_with(|| traced.next_call()).take_while(|call| !is_mark(call)).collect()
}

/// What this process was started for, if it is the child.
pub(crate) fn ordered() -> Option<(String, u64)> {
    let messages = std::env::var("MESSAGES").ok()?.parse().ok()?;
    Some((std::env::var("STEADY").ok()?, messages))
}

/// Lets the parent see what `work` asks of the kernel.
pub(crate) fn between_marks(work: impl FnOnce()) {
    println!("thread {}", gettid());
    std::io::stdin().lines().next().unwrap().unwrap();
    getsid(None).unwrap();
    work();
    getsid(None).unwrap();
}
