//! From files to results, and from the text of a histogram to the histogram.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use report_schema::{LoadError, SuiteResult};

/// Why a result file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no result at {}: `harness run` writes one", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be opened or is not text.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
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
    let text = bytes(path).and_then(|bytes| {
        String::from_utf8(bytes)
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text"))
    });
    let text = text.map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => FileError::Missing { path: path.to_owned() },
        _ => FileError::Read { path: path.to_owned(), cause },
    })?;
    SuiteResult::from_json(&text)
        .map_err(|cause| FileError::Format { path: path.to_owned(), cause })
}

/// What a plain file holds: pipes and devices, which need not come to an end, are refused.
///
/// # Errors
///
/// What the system says, or that it is no plain file.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    if !kind.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
    }
    fs::read(path)
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
    fn folders_and_devices_are_refused_before_they_are_read() {
        for (path, why) in [("/dev/zero", "it is no plain file"), ("/dev", "it is a folder")] {
            let said = file(Path::new(path)).unwrap_err().to_string();
            assert_eq!(said, format!("cannot read {path}: {why}"));
        }
    }

    #[test]
    fn a_file_that_is_missing_or_no_result_is_named_in_the_error() {
        let missing = file(Path::new("no/such/result.json")).unwrap_err();
        let said = "there is no result at no/such/result.json";
        assert!(missing.to_string().starts_with(said), "{missing}");
        let wrong = file(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path());
        assert!(wrong.unwrap_err().to_string().contains("Cargo.toml: the file is not valid JSON"));
    }
}
