//! A terminal that is drawn anew, or a plain stream; and the wait between two looks.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use terminal_size::{Height, terminal_size};

use crate::output::{self, Failure};

/// Another screen than the scrollback, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Where frames go.
#[derive(Debug)]
pub(super) struct Screen {
    live: bool,
    frames: u64,
    signals: UnixStream,
}

impl Screen {
    /// `live`: redraws one screen; otherwise frames follow one another as text.
    pub(super) fn open(live: bool) -> Result<Self, Failure> {
        let (signals, raised) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            pipe::register(signal, raised.try_clone()?)?;
        }
        Ok(Self { live, frames: 0, signals })
    }

    /// Waits for the next look; `false` when the user ends it.
    pub(super) fn wait(&self, time: Duration) -> Result<bool, Failure> {
        // The first look of a live screen is soon, so that something is seen.
        let time = if self.live && self.frames == 0 { time.min(FIRST) } else { time };
        let mut descriptors = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        match poll(&mut descriptors, timeout) {
            Ok(ready) => Ok(ready == 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Shows a frame; `false` when nobody looks any more.
    pub(super) fn show(&mut self, frame: &str) -> Result<bool, Failure> {
        self.frames += 1;
        if !self.live {
            let between = if self.frames == 1 { "" } else { "\n" };
            return output::result(&format!("{between}{frame}"));
        }
        if self.frames == 1 {
            control(ENTER);
        }
        let rows = terminal_size().map_or(usize::MAX, |(_, Height(rows))| usize::from(rows));
        control("\x1b[H");
        for line in frame.lines().take(rows.saturating_sub(1)) {
            if !output::result(line)? {
                return Ok(false);
            }
            control("\x1b[K\n");
        }
        control("\x1b[J");
        Ok(true)
    }
}

/// Time before the first frame of a live screen.
const FIRST: Duration = Duration::from_millis(200);

/// Writes what moves the cursor, past the filter that drops colours.
fn control(codes: &str) {
    let mut stdout = io::stdout().lock();
    // A terminal that is gone needs no cursor.
    let _unwritten = stdout.write_all(codes.as_bytes()).and_then(|()| stdout.flush()).is_err();
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live && self.frames > 0 {
            control(LEAVE);
        }
    }
}
