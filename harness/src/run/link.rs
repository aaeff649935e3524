//! The two lines between a role and the harness: one JSON text each way at a time.
//!
//! The same over pipes and over a socket. Knows nothing of: what is said.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why nothing can be heard or told.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("the harness cannot be heard or told: {0}")]
    Line(#[from] io::Error),
    #[error("the harness says something else than expected: {0}")]
    Language(#[from] serde_json::Error),
    #[error("the harness that wanted this worker is gone")]
    Gone,
}

/// The two lines.
pub(super) struct Link<'a> {
    lines: Box<dyn BufRead + 'a>,
    out: Box<dyn Write + 'a>,
}

impl fmt::Debug for Link<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Link")
    }
}

impl<'a> Link<'a> {
    pub(super) fn new(lines: impl BufRead + 'a, out: impl Write + 'a) -> Self {
        Self { lines: Box::new(lines), out: Box::new(out) }
    }

    pub(super) fn over(stream: &'a UnixStream) -> Self {
        Self::new(BufReader::new(stream), stream)
    }

    /// One line, as it is.
    pub(super) fn line(&mut self) -> Result<String, LinkError> {
        let mut line = String::new();
        match self.lines.read_line(&mut line)? {
            0 => Err(LinkError::Gone),
            _ => Ok(line),
        }
    }

    /// Passes a line on, as it is.
    pub(super) fn pass(&mut self, line: &str) -> Result<(), LinkError> {
        self.out.write_all(line.as_bytes())?;
        Ok(self.out.flush()?)
    }

    pub(super) fn hear<T: DeserializeOwned>(&mut self) -> Result<T, LinkError> {
        Ok(serde_json::from_str(&self.line()?)?)
    }

    pub(super) fn say<T: Serialize>(&mut self, what: &T) -> Result<(), LinkError> {
        let mut line = serde_json::to_string(what)?;
        line.push('\n');
        self.pass(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_end_says_the_other_hears_and_an_end_that_is_gone_is_told() {
        let (one, other) = UnixStream::pair().unwrap();
        Link::over(&one).say(&(7, "seven")).unwrap();
        drop(one);
        let mut link = Link::over(&other);
        assert_eq!(link.hear::<(u8, String)>().unwrap(), (7, "seven".to_owned()));
        assert!(matches!(link.hear::<u8>(), Err(LinkError::Gone)));
    }
}
