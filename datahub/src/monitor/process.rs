//! What the kernel says a process is doing: a hint, read from `/proc`, never a proof.

use std::fs;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// Runs, or sleeps until something happens.
    Active,
    /// Stopped by a signal or a debugger: alive, but it will not move until it is continued.
    Stopped,
}

/// The state of `process`; `None` when it cannot be seen from here, for instance because it lives in
/// another process namespace.
#[must_use]
pub fn state(process: u64) -> Option<ProcessState> {
    parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The third field of a `stat` line. The second one may hold spaces and parentheses.
fn parse(line: &str) -> Option<ProcessState> {
    let (_, rest) = line.rsplit_once(')')?;
    match rest.trim_start().chars().next()? {
        'T' | 't' => Some(ProcessState::Stopped),
        'R' | 'S' | 'D' | 'I' => Some(ProcessState::Active),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_cannot_pretend_a_state() {
        assert_eq!(parse("7 (a) T) S 1 7"), Some(ProcessState::Active));
        assert_eq!(parse("7 (a (b)) T 1 7"), Some(ProcessState::Stopped));
        assert_eq!(parse("7 (a) Z 1 7"), None);
        assert_eq!(parse("garbage"), None);
        assert_eq!(parse("7 (a)"), None);
    }

    #[test]
    fn this_process_is_active() {
        assert_eq!(state(std::process::id().into()), Some(ProcessState::Active));
    }
}
