//! Runs kept by name, to compare later ones with: a folder of result documents.
//!
//! What a run was made on stands in its document; whoever compares looks at it. Knows nothing of:
//! scenarios, processes, what a comparison is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use report_schema::{SuiteResult, Verdict};
use reports::load::FileError;

use crate::suite::files::write_whole;

/// Where baselines are kept, unless something else is said.
pub const FOLDER: &str = "out/baselines";

const ENDING: &str = "json";
const NAME_LETTERS_MAX: usize = 63;

/// Why a baseline cannot be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// A name that could be mistaken for something else.
    #[error(
        "`{0}` is no name for a baseline: use up to 63 small letters, digits, `.`, `-` and `_`, \
         beginning with a letter or digit"
    )]
    Name(String),
    /// There is none of this name.
    #[error("there is no baseline `{name}` in {}; {known}", folder.display())]
    Missing {
        /// The name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// What there is instead.
        known: String,
    },
    /// Nothing was measured in it.
    #[error("this result has no trial: nothing can be compared with it")]
    Empty,
    /// What is compared with it would be compared with something else than it seems.
    #[error("this result is no baseline: {0}; `--force` keeps it all the same")]
    Unfit(&'static str),
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It cannot be written as JSON.
    #[error("the baseline cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The folder or a file in it cannot be read or changed.
    #[error("cannot keep {}: {source}", path.display())]
    Write {
        /// What was to be read or changed.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A folder of baselines.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The baselines in this folder, which need not be there yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Keeps a result under a name; one of the same name is replaced. Returns its file. With `force`,
    /// also one that was interrupted, broke, or ran with a planted defect.
    ///
    /// # Errors
    ///
    /// [`BaselineError`]; what was there is as before.
    pub fn save(
        &self,
        name: &str,
        result: &SuiteResult,
        force: bool,
    ) -> Result<PathBuf, BaselineError> {
        let path = self.path(name)?;
        if let Some(why) = unfit(result).filter(|_| !force) {
            return Err(BaselineError::Unfit(why));
        }
        let mut cells = result.scenarios.iter().flat_map(|scenario| &scenario.cells);
        if cells.all(|cell| cell.trials.is_empty()) {
            return Err(BaselineError::Empty);
        }
        let json = result.to_json()?;
        let written = fs::create_dir_all(&self.folder);
        let written = written.and_then(|()| write_whole(&path, json.as_bytes()));
        written.map_err(|source| BaselineError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    /// The result of this name.
    ///
    /// # Errors
    ///
    /// [`BaselineError`] says what there is instead, or what is wrong with it.
    pub fn load(&self, name: &str) -> Result<SuiteResult, BaselineError> {
        let path = self.known(name)?;
        Ok(reports::load::file(&path)?)
    }

    /// All names, sorted.
    ///
    /// # Errors
    ///
    /// [`BaselineError::Write`]; a folder that is not there is empty.
    pub fn names(&self) -> Result<Vec<String>, BaselineError> {
        let failed = |source| BaselineError::Write { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(failed(error)),
        };
        let mut names = vec![];
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| valid(stem));
            if path.extension().is_some_and(|ending| ending == ENDING) {
                names.extend(stem.map(str::to_owned));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Gives the result of one name a second one, which may be taken: `nightly` becomes `release`.
    ///
    /// # Errors
    ///
    /// [`BaselineError`]; what was there is as before.
    pub fn promote(&self, from: &str, to: &str) -> Result<PathBuf, BaselineError> {
        let result = self.load(from)?;
        self.save(to, &result, true)
    }

    /// Forgets a name.
    ///
    /// # Errors
    ///
    /// [`BaselineError`].
    pub fn remove(&self, name: &str) -> Result<(), BaselineError> {
        let path = self.known(name)?;
        fs::remove_file(&path).map_err(|source| BaselineError::Write { path, source })
    }

    fn path(&self, name: &str) -> Result<PathBuf, BaselineError> {
        if valid(name) {
            Ok(self.folder.join(format!("{name}.{ENDING}")))
        } else {
            Err(BaselineError::Name(name.to_owned()))
        }
    }

    fn known(&self, name: &str) -> Result<PathBuf, BaselineError> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(path);
        }
        let names = self.names().unwrap_or_default();
        let known = match names.as_slice() {
            [] => "`harness baseline save NAME` keeps the last run".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        Err(BaselineError::Missing { name: name.to_owned(), folder: self.folder.clone(), known })
    }
}

/// Why nothing should be compared with a result.
fn unfit(result: &SuiteResult) -> Option<&'static str> {
    if result.interrupted {
        Some("it was interrupted")
    } else if result.planted.is_some() {
        Some("it ran with a planted defect")
    } else if result.verdict == Verdict::Broken {
        Some("it broke")
    } else {
        None
    }
}

/// Letters that mean nothing to a shell or a path, and not only dots.
fn valid(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= NAME_LETTERS_MAX
        && name.starts_with(plain)
        && name.chars().all(|c| plain(c) || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", ".", "..", "../a", "a/b", "A", "ä", "-a", "a b", &"a".repeat(64)] {
            assert!(!valid(name), "{name}");
        }
        for name in ["a", "0.9-rc_1", &"a".repeat(63)] {
            assert!(valid(name), "{name}");
        }
    }

    #[test]
    fn what_was_interrupted_broke_or_ran_with_a_defect_is_kept_only_by_force() {
        type Damage = fn(&mut SuiteResult);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let golden = include_str!("../../reports/schema/tests/golden/result-1.json");
        let whole = SuiteResult::from_json(golden).unwrap();
        store.save("whole", &whole, false).unwrap();
        let damages: [(&str, Damage); 3] = [
            ("it was interrupted", |result| result.interrupted = true),
            ("it ran with a planted defect", |result| result.planted = Some("x".to_owned())),
            ("it broke", |result| result.verdict = Verdict::Broken),
        ];
        for (why, damage) in damages {
            let mut result = whole.clone();
            damage(&mut result);
            let said = store.save("damaged", &result, false).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains("--force"), "{said}");
            store.save("damaged", &result, true).unwrap();
            store.remove("damaged").unwrap();
        }
    }

    #[test]
    fn a_missing_name_is_told_with_those_that_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("none"));
        assert!(store.names().unwrap().is_empty());
        let said = store.load("nightly").unwrap_err().to_string();
        assert!(said.contains("harness baseline save"), "{said}");
        fs::write(folder.path().join("old.json"), "{}").unwrap();
        let store = Store::new(folder.path());
        let said = store.load("nightly").unwrap_err().to_string();
        assert!(said.contains("there are old"), "{said}");
        let said = store.load("old").unwrap_err().to_string();
        assert!(said.contains("not a result file"), "{said}");
        store.remove("old").unwrap();
        assert!(store.names().unwrap().is_empty());
    }
}
