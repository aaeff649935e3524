//! From files to results, and from the text of a histogram to the histogram.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use report_schema::{LoadError, SuiteResult};

/// Why a result file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be opened or is not text.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is not a result of this version.
    #[error("{}: {cause}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: LoadError,
    },
}

/// Reads one result file.
///
/// # Errors
///
/// [`FileError`] names the file and what is wrong with it.
pub fn file(path: &Path) -> Result<SuiteResult, FileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| FileError::Read { path: path.to_owned(), cause })?;
    SuiteResult::from_json(&text)
        .map_err(|cause| FileError::Format { path: path.to_owned(), cause })
}

/// Why a histogram in a result could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// There is none.
    #[error("it is empty")]
    Empty,
    /// Not base64.
    #[error("it is not base64: {0}")]
    Base64(String),
    /// Not a deflated V2 histogram.
    #[error("it is not a deflated V2 histogram: {0}")]
    Format(String),
    /// Its parts cannot be added together.
    #[error("it cannot be added to the others: {0}")]
    Merge(String),
}

/// Reads a histogram: base64 of the deflated V2 format.
///
/// # Errors
///
/// [`HistogramError`] says which layer of the encoding failed.
pub fn histogram(text: &str) -> Result<Histogram<u64>, HistogramError> {
    if text.is_empty() {
        return Err(HistogramError::Empty);
    }
    let bytes = STANDARD.decode(text).map_err(|error| HistogramError::Base64(error.to_string()))?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| HistogramError::Format(error.to_string()))
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};

    use super::*;

    #[test]
    fn a_histogram_comes_back_as_it_was_written() {
        let mut written = Histogram::<u64>::new(3).unwrap();
        for value in [60, 65, 65, 80, 1_000_000] {
            written.record(value).unwrap();
        }
        let mut bytes = Vec::new();
        let length = V2DeflateSerializer::new().serialize(&written, &mut bytes).unwrap();
        assert_eq!(length, bytes.len());
        assert_eq!(histogram(&STANDARD.encode(&bytes)).unwrap(), written);
    }

    #[test]
    fn damaged_histograms_are_errors_and_no_panic() {
        assert_eq!(histogram(""), Err(HistogramError::Empty));
        assert!(matches!(histogram("§§"), Err(HistogramError::Base64(_))));
        assert!(matches!(histogram("SElTVA=="), Err(HistogramError::Format(_))));
    }

    #[test]
    fn a_file_that_is_missing_or_no_result_is_named_in_the_error() {
        let missing = file(Path::new("no/such/result.json")).unwrap_err();
        assert!(missing.to_string().starts_with("cannot read no/such/result.json"), "{missing}");
        let wrong = file(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path());
        assert!(wrong.unwrap_err().to_string().contains("Cargo.toml: the file is not valid JSON"));
    }
}
