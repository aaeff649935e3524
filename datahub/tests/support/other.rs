//! Another process for a test: this very program, started again. The variable `ROLE` tells it what to
//! be; it dies with the test that started it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::Signal;

/// A child process; dropping it kills it.
pub(crate) struct Other {
    pub(crate) child: Child,
    output: BufReader<ChildStdout>,
}

impl Other {
    /// Starts `role`, which the test function called `test` plays, with these variables.
    pub(crate) fn start(test: &str, role: &str, variables: &[(&str, &OsStr)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .envs([("ROLE", role), ("PARENT", &std::process::id().to_string())])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Reads until the child says a line with this in it; returns that line.
    pub(crate) fn until(&mut self, word: &str) -> String {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            let read = self.output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the child ended before it said '{word}'");
        }
        line.trim_end().to_owned()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// In the child: what it shall be. `None` in the test run itself.
pub(crate) fn role() -> Option<String> {
    let role = std::env::var("ROLE").ok()?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
    assert_eq!(std::env::var("PARENT").unwrap(), nix::unistd::getppid().to_string());
    Some(role)
}

/// In the child: says a line.
pub(crate) fn say(word: &str) {
    let mut output = std::io::stdout().lock();
    // The test runner has begun a line of its own.
    writeln!(output, "\n{word}").unwrap();
    output.flush().unwrap();
}
