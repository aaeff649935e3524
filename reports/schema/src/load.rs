//! From text to a result and back, and the published JSON Schema.

use core::fmt;

use serde::Deserialize;

use crate::{SCHEMA_VERSION, SuiteResult};

/// Why a text is not a result this crate can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// Not JSON, or cut short.
    Syntax {
        /// What the parser says, with line and column.
        message: String,
    },
    /// JSON, but without a `schema_version`: not a result file.
    NotAResult,
    /// A result of another version of the format.
    Version {
        /// The version in the file.
        found: u64,
        /// The version this crate reads.
        supported: u32,
    },
    /// The right version, but a field is unknown, missing or of the wrong type.
    Shape {
        /// Which field and where, with line and column.
        message: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message } => write!(formatter, "the file is not valid JSON: {message}"),
            Self::NotAResult => write!(
                formatter,
                "the file has no number `schema_version`, so it is not a result file"
            ),
            Self::Version { found, supported } => write!(
                formatter,
                "the file has format version {found}, this program reads version {supported}; \
                 use the program that wrote it or run the suite again"
            ),
            Self::Shape { message } => {
                write!(formatter, "the file does not have the shape of a result: {message}")
            }
        }
    }
}

impl core::error::Error for LoadError {}

/// The only part that every version has.
#[derive(Deserialize)]
struct VersionProbe {
    schema_version: u64,
}

impl SuiteResult {
    /// Reads a result.
    ///
    /// # Errors
    ///
    /// [`LoadError`] says whether the text is no JSON, no result, of another version, or has a
    /// field that is unknown, missing or of the wrong type.
    pub fn from_json(text: &str) -> Result<Self, LoadError> {
        let probe: VersionProbe = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                LoadError::NotAResult
            } else {
                LoadError::Syntax { message: error.to_string() }
            }
        })?;
        if probe.schema_version != u64::from(SCHEMA_VERSION) {
            return Err(LoadError::Version {
                found: probe.schema_version,
                supported: SCHEMA_VERSION,
            });
        }
        serde_json::from_str(text).map_err(|error| LoadError::Shape { message: error.to_string() })
    }

    /// Writes the result as indented JSON that ends with a line break.
    ///
    /// # Errors
    ///
    /// Only what the serializer refuses; this type gives it no reason to.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// The JSON Schema of the format, indented, with a line break at its end.
///
/// It is committed as `reports/schema/result-1.json`.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(SuiteResult);
    format!("{:#}\n", schema.as_value())
}
