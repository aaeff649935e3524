//! Results that verbs read again.

use std::path::{Path, PathBuf};

use report_schema::SuiteResult;
use reports::load::FileError;

/// A result document, or that of a run's folder.
pub(super) fn read(path: &Path) -> Result<SuiteResult, FileError> {
    reports::load::file(&document(path))
}

/// The result document that is meant by a file or the folder of a run.
pub(super) fn document(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("result.json") } else { path.to_owned() }
}
