//! Results that verbs read again.

use std::path::Path;

use report_schema::SuiteResult;
use reports::load::FileError;

/// A result document, or that of a run's folder.
pub(super) fn read(path: &Path) -> Result<SuiteResult, FileError> {
    if path.is_dir() {
        reports::load::file(&path.join("result.json"))
    } else {
        reports::load::file(path)
    }
}
