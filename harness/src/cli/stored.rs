//! Results that verbs read again.

use std::path::{Path, PathBuf};

use report_schema::SuiteResult;
use reports::load::FileError;

use super::{Exit, Output};

/// A result document, or that of a run's folder.
pub(super) fn read(path: &Path) -> Result<SuiteResult, FileError> {
    reports::load::file(&document(path))
}

/// The result document that is meant by a file or the folder of a run.
pub(super) fn document(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("result.json") } else { path.to_owned() }
}

/// Says why a result cannot be had: one that is not there was named wrongly, all else is a file's
/// fault.
pub(super) fn refused(error: &FileError, output: &mut Output) -> Exit {
    output.error(&error.to_string());
    match error {
        FileError::Missing { .. } => Exit::Usage,
        FileError::Read { .. } | FileError::Format { .. } => Exit::Io,
    }
}
