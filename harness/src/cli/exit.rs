//! Exit codes: stable, listed in `--help`, never reused.

use std::process::ExitCode;

use report_schema::Verdict;

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Everything that was asked holds.
    Pass,
    /// A correctness expectation or a model was violated.
    Correctness,
    /// The command line or a scenario is wrong; nothing ran.
    Usage,
    /// A performance gate failed.
    Performance,
    /// Nothing was selected, or nothing was executed.
    NothingRan,
    /// Too noisy or too few samples to say.
    Inconclusive,
    /// A scenario broke: a worker died, a deadline passed, a set-up failed.
    Broken,
    /// A file could not be read or written.
    Io,
    /// A bug in this program.
    Bug,
    /// Stopped from outside; partial results are written.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Correctness => 1,
            Self::Usage => 2,
            Self::Performance => 3,
            Self::NothingRan => 4,
            Self::Inconclusive => 5,
            Self::Broken => 6,
            Self::Io => 7,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }
}

impl Exit {
    /// The worse of two ends. What could not be written hides everything but a violation: a
    /// script that looks for 1 must find it on a full disk, too.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Performance => 1,
            Self::Inconclusive => 2,
            Self::NothingRan => 3,
            Self::Broken => 4,
            Self::Usage => 5,
            Self::Interrupted => 6,
            Self::Io => 7,
            Self::Correctness => 8,
            Self::Bug => 9,
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Performance => Self::Performance,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Broken => Self::Broken,
            Verdict::Correctness => Self::Correctness,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The end of `-h`.
pub(super) const SHORT_HELP: &str = "`harness --help` lists examples and exit codes.";

/// The end of `--help`.
pub(super) const HELP: &str = "\
Examples:
  harness check scenarios
      Is every scenario well-formed? Shows all mistakes with file, line and caret.
  harness plan scenarios/fanout --profile full
      Which cells would run, on which cores, with how much memory, for how long?
  harness explain scenarios/latency/ping-pong.toml
      What does this scenario do, and what must hold?
  harness ab scenarios/latency --base ./old --cand ./new
      Is one build slower than another? Runs both in turns and tests the difference.
  harness run scenarios --shard 1/4 --out out/shard-1; harness merge out/shard-*/latest
      Four machines run a suite together, and one of them makes the page.
  harness crash --only writer/W_COMMIT
      Is anybody harmed when the producer is killed right before its commit?

Exit codes:
    0  pass
    1  correctness: an expectation or a model was violated
    2  usage: the command line or a scenario is wrong, or what it names is not there; nothing ran
    3  performance: a gate failed
    4  nothing ran: no scenario, no cell, no execution
    5  inconclusive: too noisy, or too few samples
    6  broken: a worker died, a deadline passed, a set-up failed
    7  a file is there and could not be read, or could not be written
   70  a bug in this program
  130  interrupted; partial results are written

A result that cannot be written (disk full, folder read-only) ends with 7, or with 1 if a violation
was found. Files appear whole or not at all. A closed standard output is no error. Ctrl-C or SIGTERM
ends the run early and writes the report; a second one does not wait for the workers. `kill -9`
leaves nothing behind.

Results go to standard output, everything else to standard error.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_hides_everything_but_a_violation() {
        for exit in [Exit::Pass, Exit::Performance, Exit::Inconclusive, Exit::Broken] {
            assert_eq!((exit.or_worse(Exit::Io), Exit::Io.or_worse(exit)), (Exit::Io, Exit::Io));
        }
        assert_eq!(Exit::Correctness.or_worse(Exit::Io), Exit::Correctness);
        let verdicts = Verdict::WORST_FIRST.map(|verdict| Exit::from(verdict).rank());
        assert!(verdicts.is_sorted_by(|worse, better| worse > better), "{verdicts:?}");
    }

    #[test]
    fn every_code_is_in_the_help() {
        let all = [
            Exit::Pass,
            Exit::Correctness,
            Exit::Usage,
            Exit::Performance,
            Exit::NothingRan,
            Exit::Inconclusive,
            Exit::Broken,
            Exit::Io,
            Exit::Bug,
            Exit::Interrupted,
        ];
        for exit in all {
            assert!(HELP.contains(&format!("\n{:>5}  ", exit.code())), "{exit:?} is not listed");
        }
    }
}
