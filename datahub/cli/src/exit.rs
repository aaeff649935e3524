//! Exit codes: stable, listed in `--help`, never reused.

use std::process::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and nothing is wrong.
    Fine,
    /// Something is wrong with a block: a warning or worse, damage, or a file that is no block.
    Findings,
    /// The command line is wrong.
    Usage,
    /// There is no such block, or none at all.
    Nothing,
    /// Refused, because somebody alive would be hurt.
    Alive,
    /// The operating system refused.
    Io,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Nothing => 4,
            Exit::Alive => 6,
            Exit::Io => 7,
        })
    }
}

/// The end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done, and nothing is wrong
  1  something is wrong: a warning or worse, a wrong checksum, a file that is no block
  2  the command line is wrong
  4  there is no such block, or none at all
  6  refused, because somebody alive would be hurt
  7  the operating system refused

Examples:
  datahub list
      What is there?
  datahub top imu
      Who is slow? Updated every second; Ctrl-C ends it.
  datahub diagnose imu && echo fine
      Is everything as it should be? If not: what, why, and what to do.
  datahub recover imu --dry-run
      What would be cleared, and what proves that it may be?
  datahub export > /var/lib/node_exporter/datahub.prom
      All counters for Prometheus, as OpenMetrics.";
